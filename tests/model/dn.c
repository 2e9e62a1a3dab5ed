/*
 * Keys of distinguished names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/dn.h"

static void the_key_is_canonical__for_each_spelling(void **state)
{
	static const struct {
		const char *text;
		mr_str key;
	} CASES[] = {
	        {"cn=Staff,ou=Groups,dc=Example,dc=org",
	                MR_STR_INIT("dc=org\1dc=example\1ou=groups\1cn=staff\1")},
	        {"CN = Staff , OU=groups,DC=example, dc=ORG",
	                MR_STR_INIT("dc=org\1dc=example\1ou=groups\1cn=staff\1")},
	        {"commonName=staff,organizationalUnitName=groups,domainComponent=example,dc=org",
	                MR_STR_INIT("dc=org\1dc=example\1ou=groups\1cn=staff\1")},
	        {"2.5.4.3=staff,dc=org", MR_STR_INIT("dc=org\1cn=staff\1")},
	        {"0.9.2342.19200300.100.1.1=u9,dc=org", MR_STR_INIT("dc=org\1uid=u9\1")},
	        {"cn=a\\,b\\+c\\\"\\\\,dc=org", MR_STR_INIT("dc=org\1cn=a,b+c\"\\\1")},
	        {"cn=a\\2Cb\\2bc\\22\\5c,dc=org", MR_STR_INIT("dc=org\1cn=a,b+c\"\\\1")},
	        {"cn=\\#1\\3d=2,dc=org", MR_STR_INIT("dc=org\1cn=#1==2\1")},
	        {"cn=\\  two   words \\ ,dc=org", MR_STR_INIT("dc=org\1cn=two words\1")},
	        {"uid=u1+cn=A B,dc=org", MR_STR_INIT("dc=org\1cn=a b\2uid=u1\1")},
	        {"CN=a  b + UID=U1,dc=org", MR_STR_INIT("dc=org\1cn=a b\2uid=u1\1")},
	        {"cn=#04024869,dc=org", MR_STR_INIT("dc=org\1cn=hi\1")},
	        {"1.3.6.1.4.1.1466.0=#0202FF01,dc=org",
	                MR_STR_INIT("dc=org\0011.3.6.1.4.1.1466.0=#0202ff01\1")},
	        {"cn=J\xc3\x9cRGEN,dc=org", MR_STR_INIT("dc=org\1cn=j\xc3\xbcrgen\1")},
	        {"cn=J\\C3\\9Crgen,dc=org", MR_STR_INIT("dc=org\1cn=j\xc3\xbcrgen\1")},
	        {"cn=Ju\xcc\x88rgen,dc=org", MR_STR_INIT("dc=org\1cn=j\xc3\xbcrgen\1")},
	        {"cn=a\\01b\\02c\\03d\\00,dc=org", MR_STR_INIT("dc=org\1cn=a\3Ab\3Bc\3Cd\3@\1")},
	        {"ou=,dc=org", MR_STR_INIT("dc=org\1ou=\1")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
		mr_str key;

		if (mr_dn_key(&arena, mr_str_from(CASES[i].text), &key))
			fail_msg("'%s' is refused", CASES[i].text);
		if (!mr_str_eq(key, CASES[i].key))
			fail_msg("'%s' has key '%.*s'", CASES[i].text, MR_FMT(key));
	}
}

static void text_is_refused__when_it_is_no_dn(void **state)
{
	static const char *const CASES[] = {"", "org", "dc=org,", ",dc=org", "dc=org,,dc=x",
	        "=x,dc=org", "cn=a,b,dc=org", "cn=\"a\",dc=org", "cn=a;dc=org", "cn=<a>,dc=org",
	        "cn=a\\", "cn=a\\zb", "cn=a\\4", "cn=#0,dc=org", "cn=#,dc=org", "cn=#04zz,dc=org",
	        "c_n=a", "2..5=a", "2.5.=a", "-x=a", "cn;lang-en=a", "cn=\xff\xfe", "cn=\\ff",
	        "uid=a+,dc=org", "uid=a+b,dc=org"};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
		mr_str key;

		if (mr_dn_key(&arena, mr_str_from(CASES[i]), &key) != MR_E_INVALID)
			fail_msg("'%s' is taken for a DN", CASES[i]);
	}
}

static void text_is_refused__when_it_is_absurdly_deep(void **state)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	char text[1024] = "";
	mr_str key;

	(void)state;
	for (size_t i = 0; i < 128; i++)
		strcat(text, i ? ",o=a" : "o=a");
	assert_int_equal(mr_dn_key(&arena, mr_str_from(text), &key), 0);
	assert_int_equal(mr_dn_key_depth(key), 128);
	strcat(text, ",o=a");
	assert_int_equal(mr_dn_key(&arena, mr_str_from(text), &key), MR_E_INVALID);
}

static void names_keep_apart__when_only_a_fold_makes_them_alike(void **state)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str sharp, plain, capital;

	(void)state;
	assert_int_equal(mr_dn_key(&arena,
	                         MR_STR("ou=Stra\xc3\x9f"
	                                "e"),
	                         &sharp),
	        0);
	assert_int_equal(mr_dn_key(&arena,
	                         MR_STR("ou=STRA\xe1\xba\x9e"
	                                "E"),
	                         &capital),
	        0);
	assert_int_equal(mr_dn_key(&arena, MR_STR("ou=Strasse"), &plain), 0);
	assert_true(mr_str_eq(sharp, capital));
	assert_false(mr_str_eq(sharp, plain));
}

static void a_subtree_is_one_run__and_begins_with_its_root(void **state)
{
	/* in key order */
	static const char *const CASES[] = {"dc=org", "dc=a,dc=org", "ou=x,dc=a,dc=org",
	        "cn=1,ou=x,dc=a,dc=org", "ou=x y,dc=a,dc=org", "ou=xy,dc=a,dc=org", "dc=ab,dc=org"};
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str keys[sizeof CASES / sizeof CASES[0]];

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		assert_int_equal(mr_dn_key(&arena, mr_str_from(CASES[i]), &keys[i]), 0);
		if (i)
			assert_true(mr_str_cmp(keys[i - 1], keys[i]) < 0);
	}
	assert_true(mr_dn_key_is_within(keys[1], keys[1]));
	assert_true(mr_dn_key_is_within(keys[5], keys[1]));
	assert_false(mr_dn_key_is_within(keys[6], keys[1]));
	assert_false(mr_dn_key_is_within(keys[0], keys[1]));
	assert_false(mr_dn_key_is_within(keys[4], keys[2]));
}

static void the_parent_is_found__in_the_key(void **state)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str key;

	(void)state;
	assert_int_equal(mr_dn_key(&arena, MR_STR("cn=1,dc=a,dc=org"), &key), 0);
	assert_int_equal(mr_dn_key_depth(key), 3);
	key = mr_dn_key_parent(key);
	assert_true(mr_str_eq(key, MR_STR("dc=org\1dc=a\1")));
	key = mr_dn_key_parent(mr_dn_key_parent(key));
	assert_int_equal(key.size, 0);
	assert_int_equal(mr_dn_key_parent(key).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_key_is_canonical__for_each_spelling),
	        cmocka_unit_test(text_is_refused__when_it_is_no_dn),
	        cmocka_unit_test(text_is_refused__when_it_is_absurdly_deep),
	        cmocka_unit_test(names_keep_apart__when_only_a_fold_makes_them_alike),
	        cmocka_unit_test(a_subtree_is_one_run__and_begins_with_its_root),
	        cmocka_unit_test(the_parent_is_found__in_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
