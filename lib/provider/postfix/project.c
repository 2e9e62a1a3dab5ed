/*
 * Desired items: parameters of main.cf, declared tables, and the collections there are.
 */
#include "postfix/backend.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void put_parameter(struct mr_backend *backend, struct mr_sorter *sorter,
        struct mr_attrs_builder *body, const struct mr_parameter *parameter)
{
	struct mr_item item = {.key = parameter->name, .loc = parameter->loc};
	struct mr_arena arena;

	mr_arena_init(&arena);
	mr_attrs_builder_clear(body);
	mr_attrs_add(body, MR_STR("value"), parameter->is_sensitive ? MR_ATTR_SENSITIVE : 0,
	        mr_postfix_render_value(backend, &arena, parameter->name, parameter->value));
	item.body = mr_attrs_finish(body);
	item.object = mr_str_printf(&arena, "postfix.parameter/%.*s", MR_FMT(parameter->name));
	mr_sorter_add(sorter, &item);
	mr_arena_done(&arena);
}

static void put_wired(
        struct mr_backend *backend, struct mr_sorter *sorter, struct mr_attrs_builder *body)
{
	struct mr_arena arena;

	mr_arena_init(&arena);
	for (int i = 0; i < MR_WIRED_COUNT; i++) {
		mr_str name = mr_wirings[i].name;
		struct mr_parameter parameter = {.name = name, .loc = backend->wired_loc[i]};

		if (!backend->is_wired[i])
			continue;
		parameter.value = mr_str_printf(&arena, "%s:${mailreeve}/%.*s",
		        mr_table_kind_name(backend->keyed_kind), MR_FMT(name));
		put_parameter(backend, sorter, body, &parameter);
		if (i != MR_WIRED_MAILBOX_DOMAINS)
			continue;
		parameter.name = MR_STR("virtual_transport");
		parameter.value = backend->delivery;
		put_parameter(backend, sorter, body, &parameter);
	}
	mr_arena_done(&arena);
}

int mr_postfix_project_main(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_cursor *out)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_attrs_builder body;
	struct mr_parameter parameter;
	struct mr_iter iter;
	int code = mr_desired_begin_parameter(desired, &iter);

	mr_attrs_builder_init(&body);
	if (!code) {
		while ((code = mr_desired_next_parameter(&iter, &parameter)) > 0)
			put_parameter(backend, sorter, &body, &parameter);
		mr_desired_end(&iter);
	}
	if (!code)
		put_wired(backend, sorter, &body);
	mr_attrs_builder_done(&body);
	if (!code)
		return mr_postfix_sort(backend, sorter, "main.cf", out);
	mr_sorter_free(sorter);
	return code;
}

/* An ordered row in the form that it is written and read back in. The judge has seen that it
 * parses. */
static int ordered_body(const struct mr_postfix_table *table, const struct mr_table_row *row,
        struct mr_arena *arena, struct mr_attrs_builder *body)
{
	mr_str line = mr_str_printf(arena, "%.*s %.*s", MR_FMT(row->key), MR_FMT(row->value)),
	       pattern, value;
	const char *why;

	if (mr_ordered_row_parse(line, table->kind, &pattern, &value, &why))
		return MR_E_INVALID;
	mr_attrs_add(
	        body, MR_STR("pattern"), row->is_key_sensitive ? MR_ATTR_SENSITIVE : 0, pattern);
	mr_attrs_add(body, MR_STR("value"), row->is_sensitive ? MR_ATTR_SENSITIVE : 0, value);
	return 0;
}

static int put_table_row(struct mr_backend *backend, const struct mr_postfix_table *table,
        const struct mr_table_row *row, struct mr_sorter *sorter)
{
	struct mr_item item = {.loc = row->loc};
	struct mr_attrs_builder body;
	struct mr_arena arena;
	const char *why = NULL;
	int code = 0;

	(void)backend;
	mr_arena_init(&arena);
	mr_attrs_builder_init(&body);
	item.object = mr_str_printf(&arena, "postfix.table/%.*s", MR_FMT(table->name));
	if (mr_table_is_ordered(table->kind)) {
		item.key = mr_str_printf(&arena, "%08zu", row->ordinal);
		code = ordered_body(table, row, &arena, &body);
	} else {
		code = mr_table_fold_key(&arena, row->key, &item.key, &why);
		mr_attrs_add(&body, MR_STR("value"), row->is_sensitive ? MR_ATTR_SENSITIVE : 0,
		        mr_str_trim(row->value));
	}
	item.body = mr_attrs_finish(&body);
	if (!code)
		mr_sorter_add(sorter, &item);
	mr_attrs_builder_done(&body);
	mr_arena_done(&arena);
	return code;
}

int mr_postfix_project_table(struct mr_backend *backend, const struct mr_postfix_table *table,
        struct mr_desired *desired, struct mr_cursor *out)
{
	struct mr_sorter *sorter = mr_sorter_new();
	struct mr_table_row row;
	struct mr_iter iter;
	int code = 0;

	mr_sorter_report_to(sorter, backend->diags);
	if (table->is_desired &&
	        !(code = mr_desired_begin_table_row(desired, table->name, &iter))) {
		while ((code = mr_desired_next_table_row(&iter, &row)) > 0)
			if ((code = put_table_row(backend, table, &row, sorter)))
				break;
		mr_desired_end(&iter);
	}
	if (!code)
		return mr_postfix_sort(backend, sorter, table->name.data, out);
	mr_sorter_free(sorter);
	return code;
}

/* Puts the type before ${mailreeve}/NAME where the value names a table of ours without one. */
static void add_with_types(struct mr_backend *backend, mr_str value, struct mr_buf *out)
{
	static const char *const forms[] = {"${mailreeve}/", "$mailreeve/", "$(mailreeve)/"};

	for (size_t i = 0; i < value.size; i++) {
		mr_str rest = mr_str_skip(value, i);
		bool is_start = !i || strchr(" ,{=", value.data[i - 1]);

		for (size_t k = 0; is_start && k < sizeof forms / sizeof *forms; k++) {
			mr_str name = mr_str_skip(rest, strlen(forms[k]));
			const struct mr_postfix_table *table;

			if (!mr_str_starts(rest, mr_str_from(forms[k])))
				continue;
			for (size_t n = 0; n < name.size; n++)
				if (strchr(" ,}", name.data[n]))
					name = mr_str_take(name, n);
			table = mr_postfix_find_table(backend, name);
			if (table && table->is_desired)
				mr_buf_printf(out, "%s:", mr_table_kind_name(table->kind));
		}
		mr_buf_add_char(out, value.data[i]);
	}
}

static bool is_number(mr_str s)
{
	for (size_t i = 0; i < s.size; i++)
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	return s.size > 0;
}

/* "50M" where Postfix counts in bytes. */
static bool is_size_of_number(struct mr_backend *backend, mr_str name, mr_str value, uint64_t *out)
{
	const mr_str *standard = mr_postconf_default(&backend->postconf, name);

	return standard && is_number(*standard) && value.size > 1 && !is_number(value) &&
	       !mr_size_parse(value, out);
}

mr_str mr_postfix_render_value(
        struct mr_backend *backend, struct mr_arena *arena, mr_str name, mr_str value)
{
	mr_str normal = mr_maincf_normal(arena, value);
	struct mr_buf out = MR_BUF_INIT;
	uint64_t bytes;

	if (is_size_of_number(backend, name, normal, &bytes))
		return mr_str_printf(arena, "%llu", (unsigned long long)bytes);
	add_with_types(backend, normal, &out);
	normal = mr_str_copy(arena, mr_buf_str(&out));
	mr_buf_done(&out);
	return normal;
}
