/*
 * Declared entries against the schema of a real slapd.
 */
#include "declared.h"

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, "");
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

static void begin(struct bench *bench)
{
	bench_disconnect(bench);
	bench->desired.n_trees = 0;
	bench->desired.n_entries = 0;
	bench_connect(bench, NULL);
}

static void a_mistake_is_told_at_its_place__with_the_nearest_name(void **state)
{
	static const struct {
		struct declared_entry entry;
		const char *words[3];
	} CASES[] = {
	        {{"cn=a," SUFFIX, {"descripton=x"}},
	                {"'descripton'", "did you mean 'description'?", "ldap.yaml:10:3"}},
	        {{"cn=a," SUFFIX, {"objectClass=persn"}}, {"'persn'", "did you mean 'person'?"}},
	        {{"cn=a," SUFFIX, {"zzzunheardof=x"}},
	                {"'zzzunheardof' is not in the server's schema"}},
	        {{"cn=a," SUFFIX, {"mail=a@b.example", "rfc822Mailbox=c@d.example"}}, {"twice"}},
	        {{"cn=a," SUFFIX, {"entryUUID=x"}}, {"kept by the server"}},
	        {{"cn=a," SUFFIX, {"memberOf=cn=x"}}, {"'memberOf'"}},
	        {{"cn=a," SUFFIX, {"uidNumber=1", "uidNumber=2"}}, {"one value only"}},
	        {{"cn=a," SUFFIX, {"uidNumber=007"}}, {"without leading zeros"}},
	        {{"cn=a," SUFFIX, {"mail=j\xc3\xbc@example.org"}}, {"ASCII"}},
	        {{"cn=a," SUFFIX, {"description="}}, {"not empty"}},
	        {{"cn=a," SUFFIX, {"member=nobody"}}, {"a distinguished name"}},
	        {{"cn=a," SUFFIX, {"description=A", "description=a"}},
	                {"two values that are the same"}},
	        {{"cn=a," SUFFIX, {"cn=b"}}, {"'cn' lacks the value"}},
	        {{"cn=a," SUFFIX, {"cn"}}, {"'cn' lacks the value"}},
	        {{"cn=a," SUFFIX, {"objectClass=person", "mail=a@b.example"}},
	                {"'mail' is allowed by none"}},
	        {{"cn=a," SUFFIX, {"userCertificate=x"}}, {"';binary'"}},
	        {{"nonsense=a," SUFFIX, {"description=x"}}, {"its name holds an attribute"}},
	        {{"cn=a,dc=example,dc=net", {"description=x"}},
	                {"below no suffix", "'" SUFFIX "'"}},
	        {{"cn=x,cn=config", {"description=x"}}, {"below no suffix"}},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		begin(bench);
		declare_entries(&bench->desired, &CASES[i].entry, 1);
		bench_collections(bench, MR_E_INVALID);
		for (size_t j = 0; j < 3 && CASES[i].words[j]; j++)
			if (!is_said(bench, CASES[i].words[j]))
				expect(bench, 1, (int)i);
	}
}

static void a_password_is_not_shown__when_its_value_is_wrong(void **state)
{
	struct bench *bench = *state;
	static const struct declared_entry ENTRIES[] = {
	        {"cn=a," SUFFIX, {"userPassword=geheim", "userPassword=geheim2", "uidNumber=x"}}};

	begin(bench);
	declare_entries(&bench->desired, ENTRIES, 1);
	bench_collections(bench, MR_E_INVALID);
	assert_false(is_said(bench, "geheim"));
}

static void all_mistakes_are_told__in_one_run(void **state)
{
	struct bench *bench = *state;
	static const struct declared_entry ENTRIES[] = {{"cn=a," SUFFIX, {"nix=1", "uidNumber=x"}},
	        {"cn=b," SUFFIX, {"nixda=1"}}, {"cn=c,dc=net", {"description=x"}}};

	begin(bench);
	declare_tree(&bench->desired, "dc=elsewhere", false);
	declare_entries(&bench->desired, ENTRIES, 3);
	bench_collections(bench, MR_E_INVALID);
	assert_int_equal(bench->diags.n_errors, 5);
}

static void a_tree_is_made_of_the_suffix__for_entries_under_no_tree(void **state)
{
	struct bench *bench = *state;
	static const struct declared_entry ENTRIES[] = {
	        {"cn=Staff,ou=Groups," SUFFIX,
	                {"COMMONNAME=staff", "Description;LANG-DE=Alle", "seeAlso"}},
	        {"ou=people," SUFFIX, {"description=x"}}};
	struct mr_cursor cursor;
	struct mr_item item;
	struct mr_attr attr;

	begin(bench);
	declare_tree(&bench->desired, "ou=groups," SUFFIX, true);
	declare_entries(&bench->desired, ENTRIES, 2);
	bench_collections(bench, 0);
	assert_int_equal(bench->collections.n, 2);
	assert_true(mr_str_is(bench->collections.items[0].name, "ldap/ou=groups," SUFFIX));
	assert_int_equal(bench->collections.items[0].flags,
	        MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE | MR_COLLECTION_EXCLUSIVE);
	assert_true(mr_str_is(bench->collections.items[1].name, "ldap/" SUFFIX));
	assert_int_equal(bench->collections.items[1].flags,
	        MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE);
	expect(bench,
	        mr_provider_openldap.project(
	                bench->backend, &bench->collections.items[0], &bench->desired, &cursor),
	        0);
	assert_int_equal(mr_cursor_next(&cursor, &item), 1);
	assert_true(mr_str_is(item.object, "ldap/cn=Staff,ou=Groups," SUFFIX));
	assert_int_equal(item.loc.line, 10);
	assert_true(mr_str_is(mr_attrs_get(item.body, MR_STR("cn")), "staff"));
	assert_true(mr_str_is(mr_attrs_get(item.body, MR_STR("description;lang-de")), "Alle"));
	assert_true(mr_attrs_find(item.body, MR_STR("seeAlso"), &attr) && attr.n_values == 0);
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
	expect(bench,
	        mr_provider_openldap.project(
	                bench->backend, &bench->collections.items[1], &bench->desired, &cursor),
	        0);
	assert_int_equal(mr_cursor_next(&cursor, &item), 1);
	assert_true(mr_str_is(item.object, "ldap/ou=people," SUFFIX));
	assert_int_equal(mr_cursor_next(&cursor, &item), 0);
	mr_cursor_close(&cursor);
}

static void no_server_is_asked__when_nothing_is_declared(void **state)
{
	struct bench *bench = *state;
	mr_str uri = bench->host.ldap.uri;

	begin(bench);
	bench->host.ldap.uri = MR_STR("ldapi://%2Fnonexistent%2Fldapi");
	bench_collections(bench, 0);
	assert_int_equal(bench->collections.n, 0);
	bench->host.ldap.uri = uri;
}

static void a_password_does_not_travel_in_clear__to_another_machine(void **state)
{
	struct bench *bench = *state;
	struct mr_host_ldap kept = bench->host.ldap;

	begin(bench);
	bench->host.ldap = (struct mr_host_ldap){.uri = MR_STR("ldap://192.0.2.1/"),
	        .bind_dn = MR_STR("cn=admin"),
	        .password_file = MR_STR("/nonexistent")};
	declare_tree(&bench->desired, SUFFIX, false);
	bench_collections(bench, MR_E_CONFIG);
	assert_true(is_said(bench, "in clear"));
	bench->host.ldap = kept;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_mistake_is_told_at_its_place__with_the_nearest_name),
	        cmocka_unit_test(a_password_is_not_shown__when_its_value_is_wrong),
	        cmocka_unit_test(all_mistakes_are_told__in_one_run),
	        cmocka_unit_test(a_tree_is_made_of_the_suffix__for_entries_under_no_tree),
	        cmocka_unit_test(no_server_is_asked__when_nothing_is_declared),
	        cmocka_unit_test(a_password_does_not_travel_in_clear__to_another_machine),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
