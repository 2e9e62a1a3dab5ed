/*
 * What a repository means once it is compiled: effective values, overlays, secrets.
 */
#include "repository.h"

#include <unistd.h>

static void the_nearest_default_counts__when_several_set_a_value(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        ROOT
	        "defaults: {user: {quota: 2G, services: [imap], state: no_login}}\n"
	        "domains:\n  example.org:\n    defaults: {quota: 5G}\n    users:\n      own: "
	        "{quota: 10G}\n      dom: {}\n"
	        "    aliases: {postmaster: [own]}\n  example.com:\n    users: {postmaster: {}}\n");
	repository_must_compile(r);
	assert_int_equal(user_of(r, "own@example.org").quota_bytes, 10ULL << 30);
	assert_int_equal(user_of(r, "dom@example.org").quota_bytes, 5ULL << 30);
	assert_int_equal(user_of(r, "postmaster@example.com").quota_bytes, 2ULL << 30);
	assert_int_equal(user_of(r, "own@example.org").services, MR_SERVICE_IMAP);
	assert_int_equal(user_of(r, "own@example.org").state, MR_USER_NO_LOGIN);
}

static void names_are_complete_and_lower_case__when_written_short(void **state)
{
	struct repository *r = *state;
	struct mr_user user;
	struct mr_domain domain;

	repository_text(r, "mailreeve.yaml",
	        ROOT "domains:\n  Example.ORG:\n    catch_all: [ALICE]\n    users:\n"
	             "      Alice: {state: no_login, aliases: [Zoe, al], forward: {to: "
	             "[X@Partner.Example, alice, bob]}}\n"
	             "      bob: {state: no_login, renamed_from: robert}\n    aliases: "
	             "{postmaster: [Bob, alice]}\n"
	             "  \"b\xc3\xbc"
	             "cher.example\": {users: {postmaster: {state: no_login}}}\n");
	repository_must_compile(r);
	user = user_of(r, "alice@example.org");
	assert_strs(user.aliases, "al@example.org zoe@example.org");
	assert_strs(user.forward_to, "bob@example.org x@partner.example");
	assert_true(user.forward_keep);
	user = user_of(r, "bob@example.org");
	assert_str(user.renamed_from, "robert@example.org");
	assert_str(user.mail_home, "/var/vmail/example.org/robert");
	assert_true(mr_desired_find_domain(r->desired, MR_STR("example.org"), &domain));
	assert_strs(domain.catch_all, "alice@example.org");
	assert_true(mr_desired_find_domain(r->desired, MR_STR("xn--bcher-kva.example"), &domain));
}

static void text_stays_text__when_yaml_would_make_it_something_else(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        ROOT "postfix:\n  parameters: {a: no, b: 1e3, c: 0x10, d: 2027-03-31, e: true, "
	             "f: \"true\", g: [1, yes, false], h: 5m, message_size_limit: 50M, i: \"\"}\n"
	             "domains:\n  example.org:\n    users: {\"123\": {name: no, state: "
	             "no_login}}\n    aliases: {postmaster: [123]}\n");
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "no");
	assert_str(parameter_of(r, "b"), "1e3");
	assert_str(parameter_of(r, "c"), "0x10");
	assert_str(parameter_of(r, "d"), "2027-03-31");
	assert_str(parameter_of(r, "e"), "yes");
	assert_str(parameter_of(r, "f"), "true");
	assert_str(parameter_of(r, "g"), "1, yes, no");
	assert_str(parameter_of(r, "h"), "5m");
	assert_str(parameter_of(r, "message_size_limit"), "52428800");
	assert_str(user_of(r, "123@example.org").name, "no");
}

static void users_are_closed_or_held__when_expired_or_the_domain_says_so(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        ROOT "domains:\n  example.org:\n    users:\n      old: {expires: 2026-11-22}\n"
	             "      last: {expires: 2026-11-23}\n      postmaster: {state: no_login}\n"
	             "  held.example: {state: suspended, users: {postmaster: {}}}\n"
	             "  gone.example: {state: closed, users: {x: {}}}\n");
	repository_must_compile(r);
	assert_int_equal(user_of(r, "old@example.org").state, MR_USER_CLOSED);
	assert_true(repository_has(r, "[MR-EXPIRED]"));
	assert_int_equal(user_of(r, "last@example.org").state, MR_USER_ACTIVE);
	assert_int_equal(user_of(r, "postmaster@held.example").state, MR_USER_NO_LOGIN);
	assert_int_equal(user_of(r, "x@gone.example").state, MR_USER_CLOSED);
}

static void one_object_is_merged__when_files_share_it(void **state)
{
	struct repository *r = *state;
	struct mr_user user;

	repository_text(r, "mailreeve.yaml", ROOT);
	repository_text(r, "a.yaml",
	        "domains: {example.org: {users: {postmaster: {state: no_login, forward: {keep: "
	        "true}}}}}\n");
	repository_text(r, "sub/b.yml",
	        "domains: {example.org: {users: {postmaster: {name: P, forward: {to: "
	        "[a@b.example]}}}}}\n");
	repository_text(r, ".hidden.yaml", "nonsense: 1\n");
	repository_text(r, ".hidden/x.yaml", "nonsense: 1\n");
	repository_must_compile(r);
	user = user_of(r, "postmaster@example.org");
	assert_str(user.name, "P");
	assert_true(user.forward_keep);
	assert_strs(user.forward_to, "a@b.example");
	assert_int_equal(user.state, MR_USER_NO_LOGIN);
}

static void host_wins_over_role_over_common__when_they_overlay(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        ROOT "postfix: {parameters: {a: common, b: common, c: common}}\n"
	             "roles: {edge: {postfix: {parameters: {b: role, c: role}}}, same: {postfix: "
	             "{parameters: {b: role}}}}\n"
	             "hosts: {MX1.example.org: {roles: [edge, same], postfix: {parameters: {c: "
	             "host}}}, mx2.example.org: {}}\n");
	repository_must_compile(r);
	assert_str(parameter_of(r, "c"), "common");
	r->options.host = MR_STR("mx1.example.org");
	r->options.is_host_bound = true;
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "common");
	assert_str(parameter_of(r, "b"), "role");
	assert_str(parameter_of(r, "c"), "host");
	r->options.host = MR_STR("mx2.example.org");
	repository_must_compile(r);
	assert_str(parameter_of(r, "c"), "common");
	r->options.host = MR_STR("mx3.example.org");
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "[MR-HOST-UNLISTED]"));
}

static void secrets_come_from_files_of_the_host__when_a_folder_is_given(void **state)
{
	struct repository *r = *state;
	struct mr_user user;

	repository_text(r, "mailreeve.yaml",
	        ROOT "postfix: {parameters: {a: {secret: par}}}\n"
	             "domains: {example.org: {users: {postmaster: {password: {secret: pw}}}}}\n");
	repository_must_compile(r);
	user = user_of(r, "postmaster@example.org");
	assert_true(user.password.is_secret_reference && user.password.is_set);
	assert_int_equal(user.password.text.size, 0);
	r->options.secrets_directory = "";
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "agent.yaml names no folder of secrets"));
	repository_write(r, "secrets/pw", MR_STR("{SHA512-CRYPT}$6$x$y\n"));
	assert_int_equal(chmod(repository_path(r, "secrets/pw"), 0600), 0);
	r->options.secrets_directory = repository_path(r, "secrets");
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "mailreeve.yaml:2:27: error: secret 'par' is not in"));
	repository_write(r, "secrets/par", MR_STR("value"));
	assert_int_equal(chmod(repository_path(r, "secrets/par"), 0604), 0);
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "[MR-SECRET-PERMISSIONS]"));
	assert_int_equal(chmod(repository_path(r, "secrets/par"), 0640), 0);
	repository_must_compile(r);
	user = user_of(r, "postmaster@example.org");
	assert_str(user.password.text, "{SHA512-CRYPT}$6$x$y");
	assert_str(parameter_of(r, "a"), "value");
	repository_write(r, "secrets/pw", MR_STR("geheim\n"));
	assert_int_equal(chmod(repository_path(r, "secrets/pw"), 0600), 0);
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "[MR-PASSWORD-SCHEME]"));
	assert_false(repository_has(r, "geheim"));
	assert_int_equal(unlink(repository_path(r, "secrets/par")), 0);
	repository_text(r, "secrets/par.age", "age-encryption.org/v1\n");
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "[MR-UNSUPPORTED]"));
}

static void weak_schemes_pass__when_policy_allows_them_by_name(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        ROOT "policy: {allow: {password_schemes: [plain]}, "
	             "waive: [{rule: MR-RELAY-ANY, object: domain/f.example.org, owner: ops, "
	             "until: 2026-11-23}]}\n"
	             "domains:\n  example.org: {users: {postmaster: {password: \"{PLAIN}x\"}}}\n"
	             "  f.example.org: {kind: relay, recipients: any}\n");
	repository_must_compile(r);
	assert_int_equal(mr_desired_policy(r->desired)->waived.n, 1);
	r->options.today_days = TODAY + 1;
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "[MR-RELAY-ANY]"));
}

static void entries_carry_what_is_declared__when_values_are_special(void **state)
{
	struct repository *r = *state;
	struct mr_ldap_entry entry;
	struct mr_iter iter;
	struct mr_attr attr;

	repository_text(r, "mailreeve.yaml",
	        ROOT
	        "ldap:\n  trees: {\"dc=x\": {mode: exclusive}}\n  entries:\n    \"CN=a, DC=x\":\n"
	        "      objectClass: [top, person]\n      description: {value: E, owner: live}\n    "
	        "  jpegPhoto: {base64: \"AAE=\"}\n"
	        "      seeAlso: null\n      userPassword: {secret: pw}\n      info: "
	        "\"two\\nlines\"\n");
	repository_must_compile(r);
	assert_int_equal(mr_desired_begin_ldap_entry(r->desired, &iter), 0);
	assert_int_equal(mr_desired_next_ldap_entry(&iter, &entry), 1);
	assert_str(entry.dn, "CN=a, DC=x");
	assert_true(mr_attrs_find(entry.body, MR_STR("objectClass"), &attr) && attr.n_values == 2);
	assert_true(mr_attrs_find(entry.body, MR_STR("description"), &attr) &&
	            attr.flags & MR_ATTR_LIVE);
	assert_true(mr_attrs_find(entry.body, MR_STR("jpegPhoto"), &attr) &&
	            attr.flags & MR_ATTR_BINARY);
	assert_int_equal(mr_attr_first(&attr).size, 2);
	assert_true(mr_attrs_find(entry.body, MR_STR("seeAlso"), &attr) && !attr.n_values);
	assert_true(mr_attrs_find(entry.body, MR_STR("userPassword"), &attr) &&
	            attr.flags & MR_ATTR_SENSITIVE);
	mr_desired_end(&iter);
}

static void tables_keep_their_order__when_ordered(void **state)
{
	struct repository *r = *state;
	struct mr_table_row row;
	struct mr_iter iter;

	repository_text(r, "mailreeve.yaml",
	        ROOT "postfix:\n  tables:\n"
	             "    o: {type: cidr, entries: [[192.0.2.9/32, a], [192.0.2.1/32, b]]}\n    k: "
	             "{entries: {z: 1, a: {secret: s}}}\n");
	repository_must_compile(r);
	assert_int_equal(mr_desired_begin_table_row(r->desired, MR_STR("o"), &iter), 0);
	assert_int_equal(mr_desired_next_table_row(&iter, &row), 1);
	assert_str(row.key, "192.0.2.9/32");
	assert_int_equal(mr_desired_next_table_row(&iter, &row), 1);
	assert_str(row.key, "192.0.2.1/32");
	assert_int_equal(row.ordinal, 1);
	assert_int_equal(mr_desired_next_table_row(&iter, &row), 0);
	assert_int_equal(mr_desired_begin_table_row(r->desired, MR_STR("k"), &iter), 0);
	assert_int_equal(mr_desired_next_table_row(&iter, &row), 1);
	assert_str(row.key, "a");
	assert_true(row.is_sensitive);
	mr_desired_end(&iter);
}

static void note_explained(void *arg, const struct mr_explained *explained)
{
	mr_buf_printf(arg, "%.*s=%.*s (%s %.*s:%u)\n", MR_FMT(explained->attribute),
	        MR_FMT(explained->value), explained->origin, MR_FMT(explained->loc.path),
	        explained->loc.line);
}

static void why_names_the_line_that_decides__when_asked_for_an_object(void **state)
{
	struct repository *r = *state;
	struct mr_buf text = MR_BUF_INIT;
	mr_str names[3];

	repository_text(r, "mailreeve.yaml",
	        ROOT "defaults: {user: {quota: 2G}}\ndomains:\n  example.org:\n"
	             "    defaults: {services: [imap]}\n    users:\n      postmaster: {password: "
	             "\"{SHA512-CRYPT}x\"}\n");
	repository_must_compile(r);
	assert_int_equal(mr_desired_explain(r->desired, MR_STR("user/postmaster@example.org"),
	                         note_explained, &text),
	        0);
	assert_non_null(strstr(text.data, "quota=2G (default of the repository mailreeve.yaml:2)"));
	assert_non_null(
	        strstr(text.data, "services=imap (default of the domain mailreeve.yaml:5)"));
	assert_non_null(strstr(text.data, "password=(secret) (declared mailreeve.yaml:7)"));
	assert_non_null(strstr(text.data, "state=active (built in :0)"));
	mr_buf_done(&text);
	assert_int_equal(
	        mr_desired_explain(r->desired, MR_STR("user/x@example.org"), note_explained, &text),
	        MR_E_NOT_FOUND);
	assert_int_equal(mr_desired_nearest(r->desired, MR_STR("user/postmster@example.org"),
	                         &r->arena, names, 3),
	        1);
	assert_str(names[0], "user/postmaster@example.org");
}

static void nothing_is_declared__when_the_state_is_empty(void **state)
{
	struct repository *r = *state;
	struct mr_iter iter;
	struct mr_user user;

	assert_int_equal(mr_desired_open_empty(&r->diags, &r->desired), 0);
	assert_int_equal(mr_desired_begin_user(r->desired, &iter), 0);
	assert_int_equal(mr_desired_next_user(&iter, &user), 0);
	assert_false(mr_desired_accounts(r->desired)->is_declared);
	assert_int_equal(mr_desired_policy(r->desired)->n_limits, 4);
}

static void crlf_and_a_mark_at_the_start_pass__when_written_elsewhere(void **state)
{
	struct repository *r = *state;

	repository_text(r, "mailreeve.yaml",
	        "\xEF\xBB\xBFmailreeve: 1\r\npostfix:\r\n  parameters: {a: 1}\r\n");
	repository_must_compile(r);
	assert_str(parameter_of(r, "a"), "1");
	repository_text(r, "mailreeve.yaml", "\xEF\xBB\xBFmailreeve: 2\r\n");
	assert_int_equal(repository_compile(r), MR_E_INVALID);
	assert_true(repository_has(r, "mailreeve.yaml:1:12: error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(the_nearest_default_counts__when_several_set_a_value),
	        TEST(names_are_complete_and_lower_case__when_written_short),
	        TEST(text_stays_text__when_yaml_would_make_it_something_else),
	        TEST(users_are_closed_or_held__when_expired_or_the_domain_says_so),
	        TEST(one_object_is_merged__when_files_share_it),
	        TEST(host_wins_over_role_over_common__when_they_overlay),
	        TEST(secrets_come_from_files_of_the_host__when_a_folder_is_given),
	        TEST(weak_schemes_pass__when_policy_allows_them_by_name),
	        TEST(entries_carry_what_is_declared__when_values_are_special),
	        TEST(tables_keep_their_order__when_ordered),
	        TEST(why_names_the_line_that_decides__when_asked_for_an_object),
	        TEST(nothing_is_declared__when_the_state_is_empty),
	        TEST(crlf_and_a_mark_at_the_start_pass__when_written_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
