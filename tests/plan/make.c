/*
 * Whole plans out of a shelf of lines: objects, impact, digests, and what is empty when nothing is
 * to do.
 */
#include "shelf.h"

#include "base/json.h"
#include "base/run.h"

static const char passwd_1[] =
        "alice@example.org user/alice@example.org password!~=SECRET-A quota=2G state=active "
        "uid%=5000\n"
        "bob@example.org user/bob@example.org password!~=SECRET-B quota=2G state=active "
        "uid%=5000\n";
static const char passwd_2[] =
        "alice@example.org user/alice@example.org password!~=SECRET-A2 quota=5G "
        "state=receive_only uid%=5000\n"
        "carol@example.org user/carol@example.org password!~=SECRET-C quota=2G state=active "
        "uid%=5001\n";

static void first(struct shelf *shelf)
{
	shelf_board(shelf, "dovecot.passwd")->desired = passwd_1;
	shelf_board(shelf, "postfix.table/virtual_mailbox_domains")->desired =
	        "example.org domain/example.org value=OK\n";
	shelf_board(shelf, "postfix.table/virtual_mailbox_maps")->desired =
	        "alice@example.org user/alice@example.org value=OK\nbob@example.org "
	        "user/bob@example.org value=OK\n";
	shelf_board(shelf, "postfix.table/virtual_alias_maps")->desired =
	        "al@example.org user/alice@example.org value=alice@example.org\n"
	        "sales@example.org alias/sales@example.org value=alice@example.org\n";
	shelf_board(shelf, "postfix.main")->desired =
	        "myhostname postfix.parameter/myhostname value=mx1.example.org\n";
	shelf_board(shelf, "postfix.main")->live =
	        "inet_protocols postfix.parameter/inet_protocols value=ipv4\n"
	        "myhostname postfix.parameter/myhostname value=old.example.org\n";
}

static void second(struct shelf *shelf)
{
	shelf_board(shelf, "dovecot.passwd")->desired = passwd_2;
	shelf_board(shelf, "postfix.table/virtual_mailbox_maps")->desired =
	        "alice@example.org user/alice@example.org value=OK\ncarol@example.org "
	        "user/carol@example.org value=OK\n";
	shelf_board(shelf, "postfix.table/virtual_alias_maps")->desired =
	        "lead@example.org user/alice@example.org value=alice@example.org\n"
	        "sales@example.org alias/sales@example.org "
	        "value=alice@example.org;+carol@example.org\n";
	shelf_board(shelf, "postfix.main")->desired = "";
}

static void render(const struct mr_plan *plan, enum mr_format format, struct mr_buf *out)
{
	mr_buf_clear(out);
	mr_plan_render(
	        plan, &(struct mr_render_options){.format = format, .is_verbose = true}, out);
}

/* Everything but time and keyed digests, which differ from run to run. */
static void mask(struct mr_buf *json)
{
	static const char *const names[] = {"\"created\": \"", "\"digest\": \"", "\"effects\": \"",
	        "\"effect\": \"", "\"fingerprint\": \""};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (char *at = json->data; (at = strstr(at, names[i])); at++)
			for (char *value = at + strlen(names[i]); *value != '"'; value++)
				*value = 'x';
}

static void fits_schema(struct mr_diags *diags, const struct mr_buf *json)
{
	char file[] = "/tmp/mr-plan-XXXXXX";
	int fd = mkstemp(file);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json->data, json->size), (ssize_t)json->size);
	assert_int_equal(close(fd), 0);
	const char *argv[] = {"python3", "-m", "jsonschema", "-i", file,
	        MR_SOURCE_DIR "/schema/plan.schema.json", NULL};
	struct mr_run run = {.argv = argv};
	assert_int_equal(mr_run(diags, &run), 0);
	if (run.status != 0)
		print_error("%.*s\n", MR_FMT(mr_buf_str(&run.err)));
	assert_int_equal(run.status, 0);
	mr_run_done(&run);
	assert_int_equal(unlink(file), 0);
}

static void compare(const struct mr_plan *plan, const char *name)
{
	struct mr_diags diags;
	struct mr_buf json = MR_BUF_INIT, golden = MR_BUF_INIT;
	char path[512];

	mr_diags_init(&diags);
	(void)snprintf(path, sizeof path, "%s/tests/plan/golden/%s", MR_SOURCE_DIR, name);
	render(plan, MR_FORMAT_JSON, &json);
	fits_schema(&diags, &json);
	mask(&json);
	if (getenv("MR_GOLDEN_WRITE"))
		assert_int_equal(mr_file_replace(&diags, path, mr_buf_str(&json), NULL), 0);
	assert_int_equal(mr_file_read(&diags, path, 1 << 20, &golden), 0);
	if (!mr_str_eq(mr_buf_str(&json), mr_buf_str(&golden)))
		print_error("%s differs, got:\n%s\n", name, json.data);
	assert_true(mr_str_eq(mr_buf_str(&json), mr_buf_str(&golden)));
	mr_buf_done(&json);
	mr_buf_done(&golden);
	mr_diags_done(&diags);
}

static void the_first_plan_is_as_agreed__nothing_owned(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	compare(plan, "first.json");
	assert_false(mr_plan_is_refused(plan));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void the_plan_after_it_is_empty__and_again(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_apply(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_true(mr_plan_is_empty(plan));
	assert_int_equal(mr_plan_adoptions(plan)->list.n, 0);
	assert_int_equal(mr_plan_drift_count(plan), 0);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void changes_of_all_kinds_are_as_agreed(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_apply(&shelf);
	second(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	compare(plan, "change.json");
	assert_true(mr_plan_has_class(plan, MR_STR("close")));
	assert_true(mr_plan_has_class(plan, MR_STR("login_lost")));
	assert_true(mr_plan_has_class(plan, MR_STR("reload")));
	assert_false(mr_plan_has_class(plan, MR_STR("restart")));
	assert_false(mr_plan_has_class(plan, MR_STR("drift")));
	assert_false(mr_plan_is_class(MR_STR("nonsense")));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void probes_are_told_what_to_find__changed_addresses(void **state)
{
	struct shelf shelf;
	size_t n, refused = 0;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_apply(&shelf);
	second(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	const struct mr_expectation *list = mr_plan_expectations(plan, &n);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		bool is_gone = mr_str_is(list[i].address, "al@example.org") ||
		               mr_str_is(list[i].address, "bob@example.org");
		assert_int_equal(list[i].is_accepted, !is_gone);
		refused += !list[i].is_accepted;
	}
	assert_int_equal(refused, 2);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void an_address_is_not_refused__when_another_map_keeps_it(void **state)
{
	struct shelf shelf;
	struct mr_buf json = MR_BUF_INIT;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        "bob@example.org user/bob@example.org value=bob@partner.example;+bob@example.org\n"
	        "@example.org domain/example.org value=alice@example.org\n"
	        "al@example.org user/alice@example.org value=alice@example.org\n";
	shelf_apply(&shelf);
	/* the forward goes, the mailbox row stays; an alias goes, the catch-all stays */
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        "@example.org domain/example.org value=alice@example.org\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	render(plan, MR_FORMAT_JSON, &json);
	assert_non_null(strstr(json.data, "\"mail_refused\": []"));
	assert_non_null(strstr(json.data, "\"address\": \"bob@example.org\""));
	assert_non_null(strstr(json.data, "\"before\": \"bob@partner.example, bob@example.org\""));
	assert_non_null(strstr(json.data, "\"after\": \"mailbox\""));
	mr_buf_done(&json);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void drift_is_listed_apart__and_put_back_or_left(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_apply(&shelf);
	shelf_board(&shelf, "postfix.main")->live =
	        "myhostname postfix.parameter/myhostname value=evil.example\n";
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->live =
	        "al@example.org alias/al@example.org value=alice@example.org\n"
	        "hack@example.org alias/hack@example.org value=hacker@example.net\n"
	        "sales@example.org alias/sales@example.org value=alice@example.org\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	compare(plan, "drift.json");
	assert_int_equal(mr_plan_changes(plan)->list.n, 2);
	mr_plan_free(plan);

	shelf.input.heals_drift = false;
	plan = shelf_plan(&shelf);
	assert_true(mr_plan_is_empty(plan));
	assert_int_equal(mr_plan_drift_count(plan), 2);
	mr_plan_free(plan);

	shelf.input.follows_drift_mode = true;
	shelf.host.drift_mode_postfix = MR_STR("off");
	plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_drift_count(plan), 0);
	mr_plan_free(plan);
	shelf.host.drift_mode_postfix = MR_STR("heal");
	plan = shelf_plan(&shelf);
	assert_true(mr_plan_is_empty(plan)); /* a look heals nothing, whatever the mode */
	assert_int_equal(mr_plan_drift_count(plan), 2);
	mr_plan_free(plan);
	shelf.input.heals_drift = true;
	plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_changes(plan)->list.n, 2);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void a_declared_place_that_went_away_is_undone__by_its_name(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	shelf_add(&shelf, "postfix.table/client_access", "postfix.client_access",
	        MR_COLLECTION_EXCLUSIVE, MR_RANK_OTHER_MAP);
	first(&shelf);
	shelf_board(&shelf, "postfix.table/client_access")->desired =
	        "192.0.2.1 postfix.table/client_access value=REJECT\n";
	shelf_apply(&shelf);
	shelf_board(&shelf, "postfix.table/client_access")->desired = NULL;
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_changes(plan)->list.n, 1);
	assert_true(mr_change_is_delete(&mr_plan_changes(plan)->list.items[0]));
	assert_true(mr_str_is(
	        mr_plan_changes(plan)->list.items[0].in->target, "postfix.client_access"));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void no_secret_is_in_any_form(void **state)
{
	static const enum mr_format formats[] = {
	        MR_FORMAT_JSON, MR_FORMAT_TEXT, MR_FORMAT_MARKDOWN, MR_FORMAT_HTML};
	struct mr_buf out = MR_BUF_INIT;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_apply(&shelf);
	second(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->live =
	        "alice@example.org user/alice@example.org password!=SECRET-LIVE quota=2G "
	        "state=active uid%=5000\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	for (size_t i = 0; i < 4; i++) {
		render(plan, formats[i], &out);
		assert_null(strstr(out.data, "SECRET"));
		assert_non_null(strstr(out.data, "password"));
	}
	render(plan, MR_FORMAT_JSON, &out);
	assert_non_null(strstr(out.data, "\"sensitive\": true"));
	mr_buf_done(&out);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

static void the_digest_is_of_effects__not_of_time_or_places(void **state)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	struct mr_plan *plan = shelf_plan(&shelf);
	mr_str digest = mr_str_copy(&arena, mr_plan_digest(plan));
	mr_plan_free(plan);
	shelf_board(&shelf, "postfix.table/virtual_mailbox_domains")->desired =
	        "\n\nexample.org domain/example.org value=OK\n";
	plan = shelf_plan(&shelf);
	assert_true(mr_str_eq(digest, mr_plan_digest(plan)));
	mr_plan_free(plan);
	shelf_board(&shelf, "postfix.table/virtual_mailbox_domains")->desired =
	        "example.org domain/example.org value=NO\n";
	plan = shelf_plan(&shelf);
	assert_false(mr_str_eq(digest, mr_plan_digest(plan)));
	mr_plan_free(plan);
	shelf_close(&shelf);
	mr_arena_done(&arena);
}

static void an_unreadable_server_makes_no_plan__and_all_are_named(void **state)
{
	struct mr_plan *plan = NULL;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->is_unreadable = true;
	shelf_board(&shelf, "postfix.main")->is_unreadable = true;
	assert_int_equal(mr_plan_make(&shelf.input, &plan), MR_E_UNREADABLE);
	assert_null(plan);
	assert_int_equal(shelf.diags.n_errors, 2);
	shelf_close(&shelf);
}

static void a_lone_object_is_planned_alone__only(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	first(&shelf);
	shelf.input.only = MR_STR("user/alice@example.org");
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_int_equal(mr_plan_changes(plan)->list.n, 3);
	mr_vec_each (change, &mr_plan_changes(plan)->list)
		assert_true(mr_str_is(change->object, "user/alice@example.org"));
	mr_plan_free(plan);
	shelf_close(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_plan_is_as_agreed__nothing_owned),
	        cmocka_unit_test(the_plan_after_it_is_empty__and_again),
	        cmocka_unit_test(changes_of_all_kinds_are_as_agreed),
	        cmocka_unit_test(probes_are_told_what_to_find__changed_addresses),
	        cmocka_unit_test(an_address_is_not_refused__when_another_map_keeps_it),
	        cmocka_unit_test(drift_is_listed_apart__and_put_back_or_left),
	        cmocka_unit_test(a_declared_place_that_went_away_is_undone__by_its_name),
	        cmocka_unit_test(no_secret_is_in_any_form),
	        cmocka_unit_test(the_digest_is_of_effects__not_of_time_or_places),
	        cmocka_unit_test(an_unreadable_server_makes_no_plan__and_all_are_named),
	        cmocka_unit_test(a_lone_object_is_planned_alone__only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
