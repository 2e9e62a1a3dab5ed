/*
 * Rows of the passwd-file: what is read as a row and can be written is read again as the same,
 * whatever is denied; and what doveconf prints never makes the reader of it fall.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dovecot/dovecot.h"
#include "dovecot/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file may deny any set of services; a row only those that its state stands for. */
static void round_trip(const struct mr_dovecot_version *version, mr_str line, unsigned denied)
{
	struct mr_attrs_builder first, second;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_dovecot_row row;

	if (!mr_dovecot_row_parse(line, &row))
		return;
	mr_attrs_builder_init(&first);
	mr_attrs_builder_init(&second);
	mr_str body = mr_dovecot_row_body(version, &first, &row, denied);
	struct mr_attr attr;
	mr_str rest = body;
	int more;

	while ((more = mr_attrs_next(&rest, &attr)) > 0)
		continue;
	if (more < 0)
		abort();
	if (mr_dovecot_row_format(version, row.address, body, &text) == 0) {
		struct mr_dovecot_row again;

		if (text.data[text.size - 1] != '\n' ||
		        !mr_dovecot_row_parse((mr_str){text.data, text.size - 1}, &again) ||
		        !mr_str_eq(again.address, row.address))
			abort();
		mr_str twice =
		        mr_dovecot_row_body(version, &second, &again, mr_dovecot_row_denied(body));
		if (!mr_str_eq(mr_attrs_get(body, MR_STR("state")),
		            mr_attrs_get(twice, MR_STR("state"))) ||
		        !mr_str_eq(mr_attrs_get(body, MR_STR("mail_home")),
		                mr_attrs_get(twice, MR_STR("mail_home"))) ||
		        !mr_str_eq(mr_attrs_get(body, MR_STR("uid")),
		                mr_attrs_get(twice, MR_STR("uid"))) ||
		        !mr_str_eq(mr_attrs_get(body, MR_STR("password")),
		                mr_attrs_get(twice, MR_STR("password"))))
			abort();
	}
	mr_buf_done(&text);
	mr_attrs_builder_done(&first);
	mr_attrs_builder_done(&second);
}

static void read_settings(const struct mr_dovecot_version *version, mr_str text)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_dovecot_settings settings = {0}, all = {0}, none = {0};
	struct mr_buf out = MR_BUF_INIT;
	struct mr_dovecot_own own;
	size_t line;

	if (mr_dovecot_conf_parse(&arena, text, &settings, &line) == 0) {
		version->all_in(&arena, &settings, &none, &all);
		version->render(&arena, &all, &out);
	}
	mr_dovecot_own_parse(&arena, text, &own);
	mr_dovecot_settings_done(&own.settings);
	mr_dovecot_settings_done(&settings);
	mr_dovecot_settings_done(&all);
	mr_buf_done(&out);
	mr_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mr_dovecot_version *const versions[] = {
	        &mr_dovecot_version_23, &mr_dovecot_version_24};
	mr_str text = {(const char *)data, size}, rest = text;

	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');

		for (unsigned denied = 0; denied < 1U << MR_DENY_COUNT; denied += 5)
			for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
				round_trip(versions[i], line, denied);
	}
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		read_settings(versions[i], text);
	return 0;
}
