/*
 * When two values mean the same, by the schema of a real slapd.
 */
#include "declared.h"

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, "");
	declare_tree(&bench->desired, SUFFIX, false);
	bench_collections(bench, 0);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

struct values {
	const char *name;
	const char *a[4], *b[4];
	bool is_same;
};

/* clang-format off */
static const struct values CASES[] = {
	/* caseIgnoreMatch, inherited by cn from name */
	{"cn", {"Alice  Example"}, {"alice example"}, true},
	{"cn", {" Alice"}, {"alice "}, true},
	{"cn", {"Alice"}, {"Alicia"}, false},
	{"cn", {"J\xc3\x9cRGEN"}, {"j\xc3\xbcrgen"}, true},
	{"cn", {"Ju\xcc\x88rgen"}, {"J\xc3\xbcrgen"}, true},
	{"cn", {"Stra\xc3\x9f" "e"}, {"Strasse"}, false},
	{"cn", {"a", "b"}, {"B", "A"}, true},
	{"cn", {"a", "b"}, {"a"}, false},
	{"cn", {"a", "b"}, {"a", "c"}, false},
	{"cn;lang-de", {"Eins"}, {"eins"}, true},
	/* caseIgnoreIA5Match */
	{"mail", {"Alice@Example.ORG"}, {"alice@example.org"}, true},
	{"mail", {"alice@example.org"}, {"alice@example.net"}, false},
	/* caseExactIA5Match */
	{"homeDirectory", {"/home/Alice"}, {"/home/alice"}, false},
	{"homeDirectory", {"/home/alice"}, {"/home/alice"}, true},
	/* integerMatch */
	{"uidNumber", {"1000"}, {"1000"}, true},
	{"uidNumber", {"1000"}, {"1001"}, false},
	/* numericStringMatch */
	{"internationaliSDNNumber", {"49 30 1"}, {"49301"}, true},
	/* telephoneNumberMatch */
	{"telephoneNumber", {"+49 30-1234"}, {"+49301234"}, true},
	{"telephoneNumber", {"+49 30 1234"}, {"+49 30 1235"}, false},
	/* distinguishedNameMatch, inherited by member */
	{"member", {"UID=U9 , OU=People,dc=MAIL"}, {"uid=u9,ou=people,dc=mail"}, true},
	{"member", {"0.9.2342.19200300.100.1.1=u9,dc=mail"}, {"uid=u9,dc=mail"}, true},
	{"member", {"uid=u1+cn=x,dc=mail"}, {"cn=X+uid=u1,dc=mail"}, true},
	{"member", {"cn=a\\2Cb,dc=mail"}, {"cn=a\\,b,dc=mail"}, true},
	{"member", {"uid=u9,dc=mail"}, {"uid=u8,dc=mail"}, false},
	/* uniqueMemberMatch */
	{"uniqueMember", {"cn=A,dc=x#'0101'B"}, {"CN=a,dc=x#'0101'B"}, true},
	{"uniqueMember", {"cn=a,dc=x#'0101'B"}, {"cn=a,dc=x"}, false},
	{"uniqueMember", {"cn=A,dc=x"}, {"CN=a,dc=x"}, true},
	/* objectIdentifierMatch: names, OIDs, and what a class implies */
	{"objectClass", {"inetOrgPerson"}, {"INETORGPERSON"}, true},
	{"objectClass", {"inetOrgPerson"}, {"2.16.840.1.113730.3.2.2"}, true},
	{"objectClass", {"inetOrgPerson"}, {"top", "person", "organizationalPerson", "inetOrgPerson"}, true},
	{"objectClass", {"person"}, {"inetOrgPerson"}, false},
	{"objectClass", {"person", "posixAccount"}, {"person"}, false},
	{"supportedApplicationContext", {"1.2.3"}, {"1.2.3"}, true},
	/* generalizedTimeMatch */
	{"createTimestamp", {"20270331120000Z"}, {"20270331120000.00Z"}, true},
	{"createTimestamp", {"20270331120000Z"}, {"20270331140000+0200"}, true},
	{"createTimestamp", {"202703311200Z"}, {"20270331120000Z"}, true},
	{"createTimestamp", {"20270301000000+01"}, {"20270228230000Z"}, true},
	{"createTimestamp", {"20270331120000Z"}, {"20270331120001Z"}, false},
	{"createTimestamp", {"20270331120000.5Z"}, {"20270331120000Z"}, false},
	/* booleanMatch */
	{"hasSubordinates", {"TRUE"}, {"TRUE"}, true},
	{"hasSubordinates", {"TRUE"}, {"FALSE"}, false},
	/* octetStringMatch */
	{"userPassword", {"{SSHA}A"}, {"{SSHA}a"}, false},
	{"userPassword", {"{SSHA}A", "{SSHA}B"}, {"{SSHA}B", "{SSHA}A"}, true},
	/* UUIDMatch */
	{"entryUUID", {"2BDC6D20-0A6B-103F-8C1F-1D2B3C4D5E6F"}, {"2bdc6d20-0a6b-103f-8c1f-1d2b3c4d5e6f"}, true},
	/* no rule of its own, and one that is not known */
	{"jpegPhoto", {"\xff\xd8x"}, {"\xff\xd8x"}, true},
	{"jpegPhoto", {"\xff\xd8X"}, {"\xff\xd8x"}, false},
	{"noSuchAttribute", {"A"}, {"a"}, false},
	/* absent */
	{"cn", {NULL}, {NULL}, true},
	{"cn", {NULL}, {"a"}, false},
};
/* clang-format on */

static struct mr_attr attr_of(struct bench *bench, const char *name, const char *const *values)
{
	struct mr_attrs_builder builder;
	struct mr_attr attr;

	mr_attrs_builder_init(&builder);
	mr_attrs_begin(&builder, mr_str_from(name), 0);
	for (size_t i = 0; i < 4 && values[i]; i++)
		mr_attrs_value(&builder, mr_str_from(values[i]));
	assert_true(mr_attrs_find(
	        mr_str_copy(&bench->arena, mr_attrs_finish(&builder)), mr_str_from(name), &attr));
	mr_attrs_builder_done(&builder);
	return attr;
}

static void values_are_the_same__by_the_rule_of_their_attribute(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct mr_attr a = attr_of(bench, CASES[i].name, CASES[i].a);
		struct mr_attr b = attr_of(bench, CASES[i].name, CASES[i].b);

		if (mr_provider_openldap.same(bench->backend, bench->collections.items, &a, &b) !=
		                CASES[i].is_same ||
		        mr_provider_openldap.same(bench->backend, bench->collections.items, &b,
		                &a) != CASES[i].is_same)
			fail_msg("%s: '%s' and '%s'", CASES[i].name, CASES[i].a[0], CASES[i].b[0]);
	}
}

/* What we take for equal the server must take for equal, and the other way round: it is asked to
 * compare. */
static void the_server_agrees__on_each_value(void **state)
{
	struct bench *bench = *state;

	directory_ldif(&bench->directory,
	        "dn: cn=subject,ou=people," SUFFIX
	        "\nobjectClass: person\nobjectClass: extensibleObject\ncn: subject\nsn: S\n");
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		const struct mr_change *change;
		struct mr_buf value = MR_BUF_INIT;
		const char *argv[] = {"ldapcompare", "-Q", "-Y", "EXTERNAL", "-H",
		        bench->directory.uri, "cn=subject,ou=people," SUFFIX, NULL, NULL};
		struct mr_run run = {.argv = argv};
		bool is_plain = CASES[i].a[0] && CASES[i].b[0] && !CASES[i].a[1] && !CASES[i].b[1];

		/* one value each, of attributes that may be written; classes mean more than their
		 * bytes */
		if (!is_plain || strstr("objectClass createTimestamp hasSubordinates entryUUID "
		                        "noSuchAttribute jpegPhoto "
		                        "cn cn;lang-de userPassword",
		                         CASES[i].name))
			continue;
		mr_buf_printf(&value, "%s=%s", CASES[i].name, CASES[i].a[0]);
		change = change_of(
		        bench, "cn=subject,ou=people," SUFFIX, BODY("sn=S"), BODY(value.data));
		expect(bench,
		        mr_provider_openldap.apply(
		                bench->backend, &change, 1, "/nonexistent", false),
		        0);
		mr_buf_clear(&value);
		mr_buf_printf(&value, "%s:%s", CASES[i].name, CASES[i].b[0]);
		argv[7] = value.data;
		assert_int_equal(mr_run(&bench->diags, &run), 0);
		/* ldapcompare ends with the result: 5 compareFalse, 6 compareTrue */
		if (run.status != (CASES[i].is_same ? 6 : 5))
			fail_msg("%s: slapd says %d of '%s' and '%s'", CASES[i].name, run.status,
			        CASES[i].a[0], CASES[i].b[0]);
		mr_run_done(&run);
		mr_buf_done(&value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_are_the_same__by_the_rule_of_their_attribute),
	        cmocka_unit_test(the_server_agrees__on_each_value),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
