/*
 * agent.yaml: what is read, defaulted and refused.
 */
#include "session/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "session/host_yaml.h"

struct loaded {
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_host host;
	int code;
};

static void load(struct loaded *out, const char *text)
{
	char path[] = "/tmp/mr-host.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	mr_diags_init(&out->diags);
	mr_arena_init(&out->arena);
	out->code = mr_host_load(&out->diags, &out->arena, path, &out->host);
	unlink(path);
}

static void unload(struct loaded *loaded)
{
	mr_diags_done(&loaded->diags);
	mr_arena_done(&loaded->arena);
}

#define assert_str(s, text) assert_true(mr_str_is(s, text))

static void defaults_hold__when_only_a_server_is_named(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded, "host: mx1.example.org\npostfix: {}\n");
	assert_int_equal(loaded.code, 0);
	assert_str(loaded.host.name, "mx1.example.org");
	assert_true(loaded.host.postfix.is_managed);
	assert_false(loaded.host.dovecot.is_managed);
	assert_false(loaded.host.ldap.is_managed);
	assert_str(loaded.host.postfix.config_directory, "/etc/postfix");
	assert_str(loaded.host.state_directory, "/var/lib/mailreeve");
	assert_str(loaded.host.repository_branch, "main");
	assert_str(loaded.host.drift_mode_ldap, "report");
	assert_int_equal(loaded.host.interval_seconds, 300);
	assert_int_equal(loaded.host.probe_timeout_seconds, 30);
	assert_false(loaded.host.services_are_direct);
	unload(&loaded);
}

static void values_are_taken__from_all_sections(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded, "repository: {url: /srv/git/mail.git, branch: live, path: mx}\n"
	              "state_directory: /tmp/state\ninterval: 90s\nldap: {uri: "
	              "\"ldap://127.0.0.1/\", bind: simple,\n"
	              "  bind_dn: \"cn=a,dc=b\", password_file: /etc/pw, start_tls: "
	              "true}\nservices: {manager: direct}\n"
	              "drift: {mode: heal, ldap: off}\n");
	assert_int_equal(loaded.code, 0);
	assert_str(loaded.host.repository_url, "/srv/git/mail.git");
	assert_str(loaded.host.repository_path, "mx");
	assert_int_equal(loaded.host.interval_seconds, 90);
	assert_false(loaded.host.ldap.is_external_bind);
	assert_true(loaded.host.ldap.start_tls);
	assert_true(loaded.host.services_are_direct);
	assert_str(loaded.host.drift_mode_postfix, "heal");
	assert_str(loaded.host.drift_mode_ldap, "off");
	unload(&loaded);
}

/* The rule and place of the one error that a text must give. */
static const struct {
	const char *text;
	const char *rule;
	unsigned line;
	unsigned column;
} refused[] = {
        {"hots: a\n", "MR-AGENT-KEY", 1, 1},
        {"postfix:\n  config_dir: /etc\n", "MR-AGENT-KEY", 2, 3},
        {"state_directory: var\n", "MR-AGENT-VALUE", 1, 1},
        {"interval: 5\n", "MR-AGENT-VALUE", 1, 1},
        {"signatures: {required: yes}\n", "MR-AGENT-VALUE", 1, 14},
        {"drift: {mode: mend}\n", "MR-AGENT-VALUE", 1, 9},
        {"host: a\nhost: b\n", "MR-AGENT-TWICE", 2, 1},
        {"host: [a]\n", "MR-AGENT-YAML", 1, 7},
        {"host: {a: b\n", "MR-AGENT-YAML", 2, 1},
        {"just text\n", "MR-AGENT-YAML", 1, 1},
};

static void a_mistake_is_named_with_its_place__for_each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct loaded loaded;
		bool is_found = false;

		load(&loaded, refused[i].text);
		assert_int_equal(loaded.code, MR_E_CONFIG);
		mr_vec_each (diag, &loaded.diags.list)
			if (diag->loc.line == refused[i].line &&
			        diag->loc.column == refused[i].column)
				is_found = true;
		if (!is_found)
			print_message("case %zu: %s", i, refused[i].text);
		assert_true(is_found);
		unload(&loaded);
	}
}

static void the_template_is_read_without_error__once_uncommented(void **state)
{
	struct mr_buf template = MR_BUF_INIT;
	struct mr_buf text = MR_BUF_INIT;
	struct loaded loaded;
	mr_str rest;

	(void)state;
	mr_host_write_template(&template);
	rest = mr_buf_str(&template);
	while (rest.data && rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');

		if (line.size > 1 && line.data[0] == '#' && line.data[1] != ' ')
			mr_buf_printf(&text, "%.*s\n", MR_FMT(mr_str_skip(line, 1)));
		else if (line.size > 3 && mr_str_starts(line, MR_STR("#  ")))
			mr_buf_printf(&text, "%.*s\n", MR_FMT(mr_str_skip(line, 1)));
	}
	mr_buf_add_char(&text, '\0');
	load(&loaded, text.data);
	mr_vec_each (diag, &loaded.diags.list)
		if (diag->severity == MR_ERROR)
			print_message("%u: %.*s\n", diag->loc.line, MR_FMT(diag->text));
	assert_int_equal(loaded.code, 0);
	assert_true(loaded.host.ldap.is_managed);
	assert_str(loaded.host.ldap.uri, "ldapi:///");
	unload(&loaded);
	mr_buf_done(&text);
	mr_buf_done(&template);
}

static void a_missing_file_is_said__with_what_to_do(void **state)
{
	struct mr_diags diags;
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_host host;

	(void)state;
	mr_diags_init(&diags);
	assert_int_equal(
	        mr_host_load(&diags, &arena, "/nonexistent/agent.yaml", &host), MR_E_CONFIG);
	assert_true(diags.n_errors > 0);
	mr_diags_done(&diags);
	mr_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(defaults_hold__when_only_a_server_is_named),
	        cmocka_unit_test(values_are_taken__from_all_sections),
	        cmocka_unit_test(a_mistake_is_named_with_its_place__for_each_kind),
	        cmocka_unit_test(the_template_is_read_without_error__once_uncommented),
	        cmocka_unit_test(a_missing_file_is_said__with_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
