/*
 * Reading a private slapd: complete or an error, in order, and not twice when nothing moved.
 */
#include "cache.h"

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, "olcLimits: {0}dn.exact=\"cn=reader," SUFFIX "\" size=50\n"
	                  "olcAccess: {0}to attrs=userPassword by anonymous auth by * none\n"
	                  "olcAccess: {1}to dn.subtree=\"ou=hidden," SUFFIX "\" by * none\n"
	                  "olcAccess: {2}to * by * read\n");
	directory_ldif(&bench->directory,
	        "dn: cn=reader," SUFFIX
	        "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
	        "userPassword: secret\n\n"
	        "dn: ou=staff,ou=people," SUFFIX "\nobjectClass: organizationalUnit\nou: staff\n\n"
	        "dn: uid=Zoe,ou=staff,ou=people," SUFFIX
	        "\nobjectClass: inetOrgPerson\nuid: Zoe\ncn: Zoe\nsn: Z\n"
	        "userPassword: {SSHA}abcdef\n\n"
	        "dn: uid=bob,ou=people," SUFFIX
	        "\nobjectClass: inetOrgPerson\nuid: bob\ncn: Bob\nsn: B\n");
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

/* Each test declares anew. */
static void begin(struct bench *bench, struct mr_cache *cache)
{
	bench_disconnect(bench);
	bench->desired.n_trees = 0;
	bench->desired.n_entries = 0;
	bench_connect(bench, cache);
}

/* The DNs of a collection, each ended by ";". */
static int list(
        struct bench *bench, size_t collection, const struct mr_strs *only, struct mr_buf *out)
{
	struct mr_cursor cursor = {0};
	struct mr_item item;
	mr_str last = {0};
	int code = mr_provider_openldap.observe(
	        bench->backend, &bench->collections.items[collection], only, &cursor);

	mr_buf_clear(out);
	mr_buf_add_text(out, "");
	while (!code && (code = mr_cursor_next(&cursor, &item)) == 1) {
		assert_true(mr_str_cmp(last, item.key) < 0);
		last = mr_str_copy(&bench->arena, item.key);
		mr_buf_printf(out, "%.*s;", MR_FMT(mr_str_skip(item.object, 5)));
		code = 0;
	}
	mr_cursor_close(&cursor);
	return code;
}

static void expect_list(struct bench *bench, size_t collection, const char *expected)
{
	struct mr_buf text = MR_BUF_INIT;

	expect(bench, list(bench, collection, NULL, &text), 0);
	assert_string_equal(text.data, expected);
	mr_buf_done(&text);
}

static void entries_come_in_key_order__parents_first(void **state)
{
	struct bench *bench = *state;

	begin(bench, NULL);
	declare_tree(&bench->desired, "OU=people," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0,
	        "ou=people," SUFFIX ";ou=staff,ou=people," SUFFIX
	        ";uid=Zoe,ou=staff,ou=people," SUFFIX ";uid=bob,ou=people," SUFFIX ";");
	assert_true(mr_str_is(bench->collections.items[0].name, "ldap/ou=people," SUFFIX));
}

static void an_entry_belongs_to_the_most_specific_tree__and_what_carries_trees_stays(void **state)
{
	struct bench *bench = *state;

	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=people," SUFFIX, true);
	declare_tree(&bench->desired, "ou=staff,ou=people," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0, "uid=bob,ou=people," SUFFIX ";");
	expect_list(
	        bench, 1, "ou=staff,ou=people," SUFFIX ";uid=Zoe,ou=staff,ou=people," SUFFIX ";");
}

static void a_declared_root_is_managed__though_its_tree_is_exclusive(void **state)
{
	struct bench *bench = *state;
	static const struct declared_entry ENTRIES[] = {{"ou=people," SUFFIX, {"description=Us"}}};

	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=people," SUFFIX, true);
	declare_entries(&bench->desired, ENTRIES, 1);
	bench_collections(bench, 0);
	expect_list(bench, 0,
	        "ou=people," SUFFIX ";ou=staff,ou=people," SUFFIX
	        ";uid=Zoe,ou=staff,ou=people," SUFFIX ";uid=bob,ou=people," SUFFIX ";");
}

static void only_the_asked_keys_are_read__absent_ones_left_out(void **state)
{
	struct bench *bench = *state;
	mr_str keys[3];
	struct mr_strs only = {.items = keys, .n = 3};
	struct mr_buf text = MR_BUF_INIT;

	begin(bench, NULL);
	declare_tree(&bench->desired, SUFFIX, false);
	bench_collections(bench, 0);
	assert_int_equal(
	        mr_dn_key(&bench->arena, MR_STR("uid=none,ou=people," SUFFIX), &keys[1]), 0);
	assert_int_equal(
	        mr_dn_key(&bench->arena, MR_STR("UID=zoe,ou=staff,ou=people," SUFFIX), &keys[0]),
	        0);
	assert_int_equal(
	        mr_dn_key(&bench->arena, MR_STR("uid=x,uid=none,ou=people," SUFFIX), &keys[2]), 0);
	expect(bench, list(bench, 0, &only, &text), 0);
	assert_string_equal(text.data, "uid=Zoe,ou=staff,ou=people," SUFFIX ";");
	mr_buf_done(&text);
}

static void a_tree_that_is_not_made_yet_is_empty__while_its_suffix_stands(void **state)
{
	struct bench *bench = *state;

	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=later," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0, "");
}

/* Binds as cn=reader with the password of a file. */
static void begin_as_reader(struct bench *bench, const char *password, mode_t mode)
{
	struct mr_file_owner owner = {.uid = geteuid(), .gid = getegid(), .mode = mode};
	mr_str path = mr_str_printf(&bench->arena, "%s/password", bench->directory.path);

	assert_int_equal(
	        mr_file_write_new(&bench->diags, path.data, mr_str_from(password), &owner), 0);
	bench->host.ldap.is_external_bind = false;
	bench->host.ldap.bind_dn = MR_STR("cn=reader," SUFFIX);
	bench->host.ldap.password_file = path;
	begin(bench, NULL);
	declare_tree(&bench->desired, SUFFIX, true);
}

static void end_as_reader(struct bench *bench)
{
	bench->host.ldap.is_external_bind = true;
	mr_diags_clear(&bench->diags);
}

static void a_part_is_no_answer__when_the_server_limits_the_size(void **state)
{
	struct bench *bench = *state;
	struct mr_buf ldif = MR_BUF_INIT;
	struct mr_buf text = MR_BUF_INIT;

	mr_buf_add_text(
	        &ldif, "dn: ou=many," SUFFIX "\nobjectClass: organizationalUnit\nou: many\n\n");
	for (size_t i = 0; i < 60; i++)
		mr_buf_printf(&ldif,
		        "dn: cn=%zu,ou=many," SUFFIX "\nobjectClass: person\ncn: %zu\nsn: S\n\n", i,
		        i);
	directory_ldif(&bench->directory, ldif.data);
	begin_as_reader(bench, "secret\n", 0600);
	bench_collections(bench, 0);
	expect(bench, list(bench, 0, NULL, &text), MR_E_UNREADABLE);
	assert_true(is_said(bench, "Size limit exceeded (4)"));
	end_as_reader(bench);
	mr_buf_done(&ldif);
	mr_buf_done(&text);
}

static void a_password_open_to_others_is_refused__before_it_is_sent(void **state)
{
	struct bench *bench = *state;

	begin_as_reader(bench, "secret\n", 0644);
	bench_collections(bench, MR_E_CONFIG);
	assert_true(is_said(bench, "open to others"));
	assert_false(is_said(bench, "secret"));
	end_as_reader(bench);
}

static void a_wrong_password_is_told_in_the_servers_words(void **state)
{
	struct bench *bench = *state;

	begin_as_reader(bench, "wrong\n", 0600);
	bench_collections(bench, MR_E_UNREADABLE);
	assert_true(is_said(bench, "Invalid credentials (49)"));
	end_as_reader(bench);
}

static void a_referral_makes_the_tree_unreadable__instead_of_smaller(void **state)
{
	struct bench *bench = *state;
	struct mr_buf text = MR_BUF_INIT;

	directory_ldif(&bench->directory,
	        "dn: ou=elsewhere,ou=groups," SUFFIX
	        "\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n"
	        "ref: ldap://192.0.2.1/ou=elsewhere,dc=example,dc=net\n");
	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=groups," SUFFIX, true);
	bench_collections(bench, 0);
	expect(bench, list(bench, 0, NULL, &text), MR_E_UNREADABLE);
	assert_true(is_said(bench, "refers to another server"));
	mr_diags_clear(&bench->diags);
	mr_buf_done(&text);
}

static void the_suffix_must_stay_readable__once_it_was_seen(void **state)
{
	struct bench *bench = *state;
	struct memory_cache cache;
	struct mr_buf text = MR_BUF_INIT;

	memory_cache_init(&cache);
	memory_put(&cache.face, MR_STR("openldap/suffix/" SUFFIX), MR_STR("seen"));
	directory_ldif(&bench->directory, "dn: olcDatabase={1}mdb,cn=config\nchangetype: "
	                                  "modify\nreplace: olcRootDN\nolcRootDN: cn=nobody\n-\n"
	                                  "replace: olcAccess\nolcAccess: {0}to * by * none\n");
	begin(bench, &cache.face);
	declare_tree(&bench->desired, SUFFIX, true);
	bench_collections(bench, 0);
	expect(bench, list(bench, 0, NULL, &text), MR_E_UNREADABLE);
	assert_true(is_said(bench, "it was there at an earlier run"));
	mr_diags_clear(&bench->diags);
	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=people," SUFFIX, true);
	bench_collections(bench, 0);
	expect(bench, list(bench, 0, NULL, &text), MR_E_UNREADABLE);
	mr_diags_clear(&bench->diags);
	directory_ldif(&bench->directory,
	        "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: "
	        "olcRootDN\nolcRootDN: cn=root,cn=ext\n-\n"
	        "replace: olcAccess\nolcAccess: {0}to * by * read\n");
	begin(bench, NULL);
	mr_buf_done(&text);
	memory_cache_done(&cache);
}

static void an_unchanged_directory_is_not_read_twice__and_a_changed_one_is(void **state)
{
	struct bench *bench = *state;
	struct memory_cache cache;
	mr_str first;

	memory_cache_init(&cache);
	begin(bench, &cache.face);
	declare_tree(&bench->desired, "ou=people," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0,
	        "ou=people," SUFFIX ";ou=staff,ou=people," SUFFIX
	        ";uid=Zoe,ou=staff,ou=people," SUFFIX ";uid=bob,ou=people," SUFFIX ";");
	assert_true(cache.stamp.size);
	/* a row that only the mirror has shows that the mirror was used */
	cache.rows.n = 1;
	expect_list(bench, 0, "ou=people," SUFFIX ";");
	cache.rows.n = 4;
	first = cache.stamp;
	directory_ldif(&bench->directory,
	        "dn: uid=bob,ou=people," SUFFIX "\nchangetype: modify\nreplace: sn\nsn: Bobson\n");
	expect_list(bench, 0,
	        "ou=people," SUFFIX ";ou=staff,ou=people," SUFFIX
	        ";uid=Zoe,ou=staff,ou=people," SUFFIX ";uid=bob,ou=people," SUFFIX ";");
	assert_false(mr_str_eq(first, cache.stamp));
	memory_cache_done(&cache);
}

static void a_mirror_is_read_again__when_the_trees_are_laid_out_anew(void **state)
{
	struct bench *bench = *state;
	struct memory_cache cache;

	memory_cache_init(&cache);
	begin(bench, &cache.face);
	declare_tree(&bench->desired, "ou=people," SUFFIX, true);
	bench_collections(bench, 0);
	expect_list(bench, 0,
	        "ou=staff,ou=people," SUFFIX ";uid=Zoe,ou=staff,ou=people," SUFFIX
	        ";uid=bob,ou=people," SUFFIX ";");
	begin(bench, &cache.face);
	declare_tree(&bench->desired, "ou=people," SUFFIX, true);
	declare_tree(&bench->desired, "ou=staff,ou=people," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0, "uid=bob,ou=people," SUFFIX ";");
	memory_cache_done(&cache);
}

static void no_secret_is_in_a_mirror__yet_it_compares(void **state)
{
	struct bench *bench = *state;
	static const struct declared_entry ENTRIES[] = {
	        {"uid=Zoe,ou=staff,ou=people," SUFFIX, {"userPassword={SSHA}abcdef"}}};
	struct memory_cache cache;
	struct mr_cursor desired;
	struct mr_cursor live;
	struct mr_item item;
	struct mr_attr wanted;
	struct mr_attr found;
	mr_str body;

	memory_cache_init(&cache);
	begin(bench, &cache.face);
	declare_tree(&bench->desired, "ou=staff,ou=people," SUFFIX, true);
	declare_entries(&bench->desired, ENTRIES, 1);
	bench_collections(bench, 0);
	expect_list(bench, 0, "uid=Zoe,ou=staff,ou=people," SUFFIX ";");
	mr_vec_each (row, &cache.rows)
		assert_null(memmem(row->value.data, row->value.size, "abcdef", 6));
	expect(bench,
	        mr_provider_openldap.project(
	                bench->backend, bench->collections.items, &bench->desired, &desired),
	        0);
	assert_int_equal(mr_cursor_next(&desired, &item), 1);
	body = mr_str_copy(&bench->arena, item.body);
	assert_true(mr_attrs_find(body, MR_STR("userPassword"), &wanted));
	assert_true(wanted.flags & MR_ATTR_SENSITIVE);
	expect(bench,
	        mr_provider_openldap.observe(bench->backend, bench->collections.items, NULL, &live),
	        0);
	assert_int_equal(mr_cursor_next(&live, &item), 1);
	assert_true(mr_attrs_find(item.body, MR_STR("userPassword"), &found));
	assert_true(found.flags & MR_ATTR_SEALED);
	assert_true(mr_provider_openldap.same(
	        bench->backend, bench->collections.items, &wanted, &found));
	mr_cursor_close(&desired);
	mr_cursor_close(&live);
	memory_cache_done(&cache);
}

static void the_description_counts_entries__after_a_read(void **state)
{
	struct bench *bench = *state;
	struct mr_live_info info;

	begin(bench, NULL);
	declare_tree(&bench->desired, "ou=people," SUFFIX, false);
	bench_collections(bench, 0);
	expect_list(bench, 0,
	        "ou=people," SUFFIX ";ou=staff,ou=people," SUFFIX
	        ";uid=Zoe,ou=staff,ou=people," SUFFIX ";uid=bob,ou=people," SUFFIX ";");
	expect(bench, mr_provider_openldap.describe(bench->backend, &info), 0);
	assert_int_equal(info.entries, 4);
	assert_int_equal(info.read, MR_READ_COMPLETE);
	assert_true(info.version.size);
	expect(bench, mr_provider_openldap.probe(bench->backend), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(entries_come_in_key_order__parents_first),
	        cmocka_unit_test(
	                an_entry_belongs_to_the_most_specific_tree__and_what_carries_trees_stays),
	        cmocka_unit_test(a_declared_root_is_managed__though_its_tree_is_exclusive),
	        cmocka_unit_test(only_the_asked_keys_are_read__absent_ones_left_out),
	        cmocka_unit_test(a_tree_that_is_not_made_yet_is_empty__while_its_suffix_stands),
	        cmocka_unit_test(a_part_is_no_answer__when_the_server_limits_the_size),
	        cmocka_unit_test(a_password_open_to_others_is_refused__before_it_is_sent),
	        cmocka_unit_test(a_wrong_password_is_told_in_the_servers_words),
	        cmocka_unit_test(a_referral_makes_the_tree_unreadable__instead_of_smaller),
	        cmocka_unit_test(the_suffix_must_stay_readable__once_it_was_seen),
	        cmocka_unit_test(an_unchanged_directory_is_not_read_twice__and_a_changed_one_is),
	        cmocka_unit_test(a_mirror_is_read_again__when_the_trees_are_laid_out_anew),
	        cmocka_unit_test(no_secret_is_in_a_mirror__yet_it_compares),
	        cmocka_unit_test(the_description_counts_entries__after_a_read),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
