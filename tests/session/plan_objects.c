/*
 * What a plan says of users when it knows the repository: renames, closed ones, lists in full,
 * alias domains.
 *
 * The desired state is compiled from real files; the rows are a shelf's, so that each case is its
 * own.
 */
#include "../plan/shelf.h"

#include "source/compile.h"

#define HASH "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"

static const char repository[] =
        "mailreeve: 1\n"
        "accounts: {owner: \"vmail:vmail\"}\n"
        "domains:\n"
        "  example.org:\n"
        "    users:\n"
        "      alice: {password: \"" HASH "\", aliases: [al, lead], send_as: [team]}\n"
        "      carol: {password: \"" HASH "\", renamed_from: carol.smith}\n"
        "      dave: {password: \"" HASH "\", state: closed}\n"
        "    aliases: {postmaster: [alice], team: [alice, carol]}\n"
        "  example.net: {kind: alias, alias_of: example.org}\n"
        "  held.example: {state: suspended, users: {postmaster: {password: \"" HASH
        "\"}}, aliases: {info: [postmaster]}}\n"
        "  held.example.net: {kind: alias, alias_of: held.example}\n";

static void declare(struct shelf *shelf)
{
	struct mr_compile_options options = {.host = MR_STR("mx1.example.org")};
	struct mr_tree *tree = NULL;
	char folder[128], path[160];

	(void)snprintf(folder, sizeof folder, "%s/repository", shelf->directory);
	(void)snprintf(path, sizeof path, "%s/mailreeve.yaml", folder);
	assert_int_equal(mr_dir_make(&shelf->diags, folder, 0700), 0);
	assert_int_equal(mr_file_replace(&shelf->diags, path, mr_str_from(repository), NULL), 0);
	assert_int_equal(mr_tree_open_dir(&shelf->diags, folder, &tree), 0);
	int result = mr_compile(&shelf->diags, tree, &options, &shelf->input.desired, NULL);
	mr_vec_each (diag, &shelf->diags.list)
		if (result != 0)
			print_error("%.*s\n", MR_FMT(diag->text));
	assert_int_equal(result, 0);
	mr_tree_close(tree);
	shelf_add(shelf, "postfix.table/smtpd_sender_login_maps", "postfix.smtpd_sender_login_maps",
	        MR_COLLECTION_EXCLUSIVE, MR_RANK_OTHER_MAP);
}

static void close_all(struct shelf *shelf)
{
	mr_desired_close(shelf->input.desired);
	shelf_close(shelf);
}

static mr_str json_of(struct shelf *shelf, const struct mr_plan *plan)
{
	struct mr_buf json = MR_BUF_INIT;

	mr_plan_render(plan, &(struct mr_render_options){.format = MR_FORMAT_JSON}, &json);
	mr_str result = mr_str_copy(&shelf->backend.arena, mr_buf_str(&json));
	mr_buf_done(&json);
	return result;
}

static const char old_row[] = "carol.smith@example.org user/carol.smith@example.org password!~=git "
                              "quota=2G state=active\n";
static const char new_row[] =
        "carol@example.org user/carol@example.org password!~=git quota=2G state=active\n";
static const char changed_row[] =
        "carol@example.org user/carol@example.org password!~=git2 quota=2G state=active\n";

static mr_str renamed_password(struct shelf *shelf, const char *desired)
{
	shelf_board(shelf, "dovecot.passwd")->desired = old_row;
	shelf_apply(shelf);
	shelf_board(shelf, "dovecot.passwd")->live =
	        "carol.smith@example.org user/carol.smith@example.org password!=own quota=2G "
	        "state=active\n";
	shelf_board(shelf, "dovecot.passwd")->desired = desired;
	struct mr_plan *plan = shelf_plan(shelf);
	mr_str json = json_of(shelf, plan), password = {0};
	assert_non_null(strstr(json.data, "\"action\": \"rename\""));
	assert_non_null(strstr(json.data, "\"reason\": \"renamed\""));
	assert_non_null(strstr(json.data, "\"object\": \"user/carol@example.org\""));
	assert_non_null(strstr(json.data, "\"renamed_from\": \"user/carol.smith@example.org\""));
	assert_null(strstr(json.data, "\"object\": \"user/carol.smith@example.org\""));
	assert_non_null(strstr(json.data, "\"rename\": 1,\n    \"delete\": 0"));
	/* who is renamed is not closed */
	assert_int_equal(shelf_rail(plan, "users.close", true)->actual, 0);
	mr_vec_each (change, &mr_plan_changes(plan)->list) {
		assert_int_equal(change->reason, MR_REASON_RENAMED);
		if (mr_change_is_create(change))
			password = mr_str_copy(&shelf->backend.arena,
			        mr_attrs_get(change->after, MR_STR("password")));
	}
	mr_plan_free(plan);
	return password;
}

static void a_rename_is_one_change__and_keeps_the_users_own_password(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	declare(&shelf);
	assert_true(mr_str_is(renamed_password(&shelf, new_row), "own"));
	close_all(&shelf);
}

static void a_rename_takes_gits_password__when_git_changed_it_too(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	declare(&shelf);
	assert_true(mr_str_is(renamed_password(&shelf, changed_row), "git2"));
	close_all(&shelf);
}

static void a_closed_user_that_is_still_declared_has_his_place__one_that_left_has_none(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	declare(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->desired =
	        "dave@example.org user/dave@example.org state=active\n"
	        "erin@example.org user/erin@example.org state=active\n"
	        "zoe@example.org user/zoe@example.org state=active\n";
	shelf_apply(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->desired =
	        "zoe@example.org user/zoe@example.org state=active\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	mr_str json = json_of(&shelf, plan);
	assert_non_null(strstr(json.data,
	        "\"object\": \"user/dave@example.org\",\n      \"action\": \"close\",\n      "
	        "\"reason\": \"desired_changed\",\n      \"at\": \"mailreeve.yaml:8:"));
	assert_non_null(strstr(json.data,
	        "\"object\": \"user/erin@example.org\",\n      \"action\": \"close\",\n      "
	        "\"reason\": \"not_in_repository\",\n      \"at\": null"));
	assert_non_null(strstr(
	        json.data, "\"means\": \"mail is refused, no log-in, no sending, data is kept\""));
	mr_plan_free(plan);
	close_all(&shelf);
}

static void lists_are_shown_in_full__and_consequences_are_not(void **state)
{
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	declare(&shelf);
	shelf_board(&shelf, "dovecot.passwd")->desired =
	        "alice@example.org user/alice@example.org state=active\n";
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        "al@example.org user/alice@example.org value=alice@example.org\n"
	        "old@example.org user/alice@example.org value=alice@example.org\n";
	shelf_board(&shelf, "postfix.table/smtpd_sender_login_maps")->desired =
	        "al@example.org user/alice@example.org value=alice@example.org\n"
	        "old@example.org user/alice@example.org value=alice@example.org\n";
	shelf_apply(&shelf);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        "al@example.org user/alice@example.org value=alice@example.org\n"
	        "al@example.net user/alice@example.org value=al@example.org\n"
	        "alice@example.net user/alice@example.org value=alice@example.org\n"
	        "alice@example.org user/alice@example.org value=alice@example.org\n"
	        "lead@example.org user/alice@example.org value=alice@example.org\n";
	shelf_board(&shelf, "postfix.table/smtpd_sender_login_maps")->desired =
	        "al@example.org user/alice@example.org value=alice@example.org\n"
	        "lead@example.org user/alice@example.org value=alice@example.org\n"
	        "team@example.org user/alice@example.org value=alice@example.org\n";
	struct mr_plan *plan = shelf_plan(&shelf);
	struct mr_buf text = MR_BUF_INIT;
	mr_plan_render(plan, &(struct mr_render_options){.format = MR_FORMAT_TEXT}, &text);
	assert_non_null(strstr(text.data, "aliases [al@example.org, old@example.org] -> "
	                                  "[al@example.org, lead@example.org]\n"));
	assert_non_null(strstr(text.data, "alias_domains [example.net]\n"));
	assert_non_null(strstr(text.data, "send_as [team@example.org]\n"));
	assert_null(strstr(text.data, "forward"));
	mr_buf_done(&text);
	mr_plan_free(plan);
	close_all(&shelf);
}

static void a_suspended_domain_holds_off__it_neither_refuses_nor_accepts(void **state)
{
	struct shelf shelf;
	size_t n;

	(void)state;
	shelf_open(&shelf);
	declare(&shelf);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired =
	        "info@held.example alias/info@held.example value=postmaster@held.example\n"
	        "info@held.example.net alias/info@held.example value=info@held.example\n"
	        "team@example.org alias/team@example.org value=alice@example.org\n";
	shelf_apply(&shelf);
	shelf_board(&shelf, "postfix.table/virtual_alias_maps")->desired = "";
	struct mr_plan *plan = shelf_plan(&shelf);
	mr_str json = json_of(&shelf, plan);
	assert_non_null(
	        strstr(json.data, "\"mail_refused\": [\n      \"team@example.org\"\n    ]"));
	assert_non_null(strstr(json.data, "\"after\": \"held off\""));
	const struct mr_expectation *list = mr_plan_expectations(plan, &n);
	assert_int_equal(n, 1);
	assert_true(mr_str_is(list[0].address, "team@example.org"));
	mr_plan_free(plan);
	close_all(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_rename_is_one_change__and_keeps_the_users_own_password),
	        cmocka_unit_test(a_rename_takes_gits_password__when_git_changed_it_too),
	        cmocka_unit_test(
	                a_closed_user_that_is_still_declared_has_his_place__one_that_left_has_none),
	        cmocka_unit_test(lists_are_shown_in_full__and_consequences_are_not),
	        cmocka_unit_test(a_suspended_domain_holds_off__it_neither_refuses_nor_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
