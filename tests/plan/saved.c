/*
 * Saved plans: what makes one stale and what does not.
 */
#include "shelf.h"

static void first(struct shelf *shelf)
{
	shelf_board(shelf, "dovecot.passwd")->desired =
	        "alice@example.org user/alice@example.org quota=2G state=active\n"
	        "bob@example.org user/bob@example.org quota=2G state=active\n";
	shelf_board(shelf, "postfix.main")->desired =
	        "myhostname postfix.parameter/myhostname value=mx1.example.org\n";
	shelf_apply(shelf);
	shelf_board(shelf, "dovecot.passwd")->desired =
	        "alice@example.org user/alice@example.org quota=5G state=active\n"
	        "bob@example.org user/bob@example.org quota=2G state=active\n";
}

static void save(struct shelf *shelf, struct mr_buf *out)
{
	struct mr_plan *plan = shelf_plan(shelf);

	mr_plan_render(plan, &(struct mr_render_options){.format = MR_FORMAT_JSON}, out);
	mr_plan_free(plan);
}

/* Checks a saved text against the shelf as it is now; *out_n gets the number of changes left. */
static int check(struct shelf *shelf, mr_str text, size_t *out_n)
{
	struct mr_saved_plan *saved = NULL;
	struct mr_policy policy = *mr_policy_builtin();
	shelf->input.policy = &policy;
	struct mr_plan *fresh = shelf_plan(shelf);
	/* the call that gave the policy is over */
	memset(&policy, 0xff, sizeof policy);
	shelf->input.policy = mr_policy_builtin();
	int result = mr_saved_plan_parse(&shelf->diags, text, &saved);

	assert_int_equal(result, 0);
	assert_true(mr_str_eq(mr_saved_plan_commit(saved), shelf->input.commit));
	assert_true(mr_str_eq(mr_saved_plan_tree(saved), shelf->input.tree));
	result = mr_saved_plan_check(&shelf->diags, saved, fresh);
	*out_n = mr_plan_changes(fresh)->list.n;
	mr_saved_plan_free(saved);
	mr_plan_free(fresh);
	return result;
}

static const char alice_now[] = "alice@example.org user/alice@example.org quota=9G state=active\n"
                                "bob@example.org user/bob@example.org quota=2G state=active\n";
static const char alice_done[] = "alice@example.org user/alice@example.org quota=5G state=active\n"
                                 "bob@example.org user/bob@example.org quota=2G state=active\n";
static const char alice_gone[] = "bob@example.org user/bob@example.org quota=2G state=active\n";

static void a_saved_plan_holds__while_its_objects_are_as_they_were(void **state)
{
	struct mr_buf saved = MR_BUF_INIT;
	struct shelf shelf;
	size_t n;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	save(&shelf, &saved);
	assert_int_equal(check(&shelf, mr_buf_str(&saved), &n), 0);
	assert_int_equal(n, 1);
	/* what others do to an object that the plan does not touch is none of its business, and not
	 * put right by it */
	shelf_board(&shelf, "postfix.main")->live =
	        "myhostname postfix.parameter/myhostname value=other.example.org\n";
	assert_int_equal(check(&shelf, mr_buf_str(&saved), &n), 0);
	assert_int_equal(n, 1);
	mr_buf_done(&saved);
	shelf_close(&shelf);
}

static void a_saved_plan_is_stale__when_one_of_its_objects_moved(void **state)
{
	static const struct {
		const char *live, *says;
	} cases[] = {{alice_now, "changed meanwhile"}, {alice_done, "nothing is left to do"},
	        {alice_gone, "now it is create"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mr_buf saved = MR_BUF_INIT;
		struct shelf shelf;
		size_t n;
		shelf_open(&shelf);
		first(&shelf);
		save(&shelf, &saved);
		shelf_board(&shelf, "dovecot.passwd")->live = cases[i].live;
		assert_int_equal(check(&shelf, mr_buf_str(&saved), &n), MR_E_STALE);
		assert_non_null(
		        strstr(shelf.diags.list.items[0].text.data, "user/alice@example.org"));
		assert_non_null(strstr(shelf.diags.list.items[0].text.data, cases[i].says));
		mr_buf_done(&saved);
		shelf_close(&shelf);
	}
}

static void a_saved_plan_that_was_cut_is_refused__not_applied_in_part(void **state)
{
	struct mr_buf saved = MR_BUF_INIT, cut = MR_BUF_INIT;
	struct shelf shelf;
	size_t n;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	save(&shelf, &saved);
	char *from = strstr(saved.data, "\"changes\": [") + strlen("\"changes\": ["),
	     *to = strstr(from, "\"drift\": [");
	while (*to != ']')
		to--;
	mr_buf_add(&cut, saved.data, (size_t)(from - saved.data));
	mr_buf_add_text(&cut, to);
	assert_int_equal(check(&shelf, mr_buf_str(&cut), &n), MR_E_STALE);
	mr_buf_done(&saved);
	mr_buf_done(&cut);
	shelf_close(&shelf);
}

static void a_saved_plan_is_for_its_host_alone(void **state)
{
	struct mr_buf saved = MR_BUF_INIT;
	struct shelf shelf;
	size_t n;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	save(&shelf, &saved);
	shelf.host.name = MR_STR("mx2.example.org");
	assert_int_equal(check(&shelf, mr_buf_str(&saved), &n), MR_E_STALE);
	mr_buf_done(&saved);
	shelf_close(&shelf);
}

static void a_saved_plan_shows_the_same_text__as_the_plan_did(void **state)
{
	struct mr_render_options options = {.format = MR_FORMAT_TEXT};
	struct mr_buf json = MR_BUF_INIT, direct = MR_BUF_INIT, later = MR_BUF_INIT;
	struct mr_saved_plan *saved = NULL;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	mr_plan_render(plan, &options, &direct);
	mr_plan_free(plan);
	save(&shelf, &json);
	assert_int_equal(mr_saved_plan_parse(&shelf.diags, mr_buf_str(&json), &saved), 0);
	assert_int_equal(mr_saved_plan_render(saved, &options, &later), 0);
	assert_string_equal(direct.data, later.data);
	mr_saved_plan_free(saved);
	mr_buf_done(&json);
	mr_buf_done(&direct);
	mr_buf_done(&later);
	shelf_close(&shelf);
}

static void a_doubled_object_is_refused(void **state)
{
	struct mr_buf saved = MR_BUF_INIT, doubled = MR_BUF_INIT;
	struct mr_saved_plan *parsed = NULL;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	save(&shelf, &saved);
	char *from = strstr(saved.data, "\"changes\": [") + strlen("\"changes\": ["),
	     *to = strstr(from, "\"drift\": [");
	while (*to != ']')
		to--;
	mr_buf_add(&doubled, saved.data, (size_t)(to - saved.data));
	mr_buf_add_char(&doubled, ',');
	mr_buf_add(&doubled, from, (size_t)(to - from));
	mr_buf_add_text(&doubled, to);
	assert_int_equal(
	        mr_saved_plan_parse(&shelf.diags, mr_buf_str(&doubled), &parsed), MR_E_INVALID);
	mr_buf_done(&saved);
	mr_buf_done(&doubled);
	shelf_close(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_saved_plan_holds__while_its_objects_are_as_they_were),
	        cmocka_unit_test(a_saved_plan_is_stale__when_one_of_its_objects_moved),
	        cmocka_unit_test(a_saved_plan_that_was_cut_is_refused__not_applied_in_part),
	        cmocka_unit_test(a_saved_plan_is_for_its_host_alone),
	        cmocka_unit_test(a_saved_plan_shows_the_same_text__as_the_plan_did),
	        cmocka_unit_test(a_doubled_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
