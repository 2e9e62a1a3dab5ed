/*
 * Live items: what main.cf sets, and the rows of the generation that it names.
 */
#include "postfix/observe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Gives the rows of a table the object that they belong to by nature. */
struct named {
	struct mr_cursor rows;
	mr_str table; /* lives in the backend's arena */
	int wired;
	struct mr_buf object;
};

static bool is_wanted(const struct mr_strs *only, mr_str key)
{
	if (!only)
		return true;
	for (size_t i = 0; i < only->n; i++)
		if (mr_str_eq(only->items[i], key))
			return true;
	return false;
}

static bool is_sensitive(const struct mr_backend *backend, mr_str name)
{
	for (size_t i = 0; i < backend->sensitive.n; i++)
		if (mr_str_eq(backend->sensitive.items[i], name))
			return true;
	return false;
}

static void put_entry(
        struct mr_backend *backend, struct mr_sorter *sorter, const struct mr_maincf_entry *entry)
{
	struct mr_attrs_builder body;
	struct mr_arena arena;
	struct mr_item item = {.key = entry->name};

	mr_arena_init(&arena);
	mr_attrs_builder_init(&body);
	mr_attrs_add(&body, MR_STR("value"),
	        is_sensitive(backend, entry->name) ? MR_ATTR_SENSITIVE : 0, entry->value);
	item.body = mr_attrs_finish(&body);
	item.object = mr_str_printf(&arena, "postfix.parameter/%.*s", MR_FMT(entry->name));
	mr_sorter_add(sorter, &item);
	mr_attrs_builder_done(&body);
	mr_arena_done(&arena);
}

int mr_postfix_observe_main(
        struct mr_backend *backend, const struct mr_strs *only, struct mr_cursor *out)
{
	struct mr_sorter *sorter;
	int code = mr_postfix_read_main(backend);

	if (code)
		return code;
	sorter = mr_sorter_new();
	for (size_t i = 0; i < backend->main.entries.n; i++) {
		const struct mr_maincf_entry *entry = &backend->main.entries.items[i];

		/* `mailreeve` changes with every generation and is no part of what is declared. */
		if (mr_maincf_find(&backend->main, entry->name) == entry &&
		        !mr_str_is(entry->name, "mailreeve") && is_wanted(only, entry->name))
			put_entry(backend, sorter, entry);
	}
	return mr_postfix_sort(backend, sorter, "main.cf", out);
}

bool mr_postfix_names_table(const struct mr_maincf *main, mr_str name)
{
	for (size_t i = 0; i < main->entries.n; i++) {
		mr_str value = main->entries.items[i].value;
		mr_str own = MR_STR("${mailreeve}/");

		for (size_t k = 0; k + own.size + name.size <= value.size; k++) {
			mr_str end = mr_str_skip(value, k + own.size + name.size);

			if (mr_str_starts(mr_str_skip(value, k), own) &&
			        mr_str_starts(mr_str_skip(value, k + own.size), name) &&
			        (!end.size || strchr(" ,}", end.data[0])))
				return true;
		}
	}
	return false;
}

bool mr_postfix_find_live_kind(struct mr_backend *backend, mr_str generation, mr_str name, int kind,
        enum mr_table_kind *out)
{
	static const enum mr_table_kind keyed[] = {MR_TABLE_LMDB, MR_TABLE_CDB};
	struct stat status;

	for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++)
		if (!stat(mr_table_path(&backend->arena, generation, name, keyed[i]), &status)) {
			*out = keyed[i];
			return true;
		}
	if (stat(mr_table_path(&backend->arena, generation, name, MR_TABLE_CIDR), &status))
		return false;
	/* The text files look alike: the parameter that uses one says which it is. */
	*out = kind >= 0 && mr_table_is_ordered((enum mr_table_kind)kind) ? (enum mr_table_kind)kind
	                                                                  : MR_TABLE_CIDR;
	for (int k = MR_TABLE_CIDR; k < MR_TABLE_KIND_COUNT; k++) {
		mr_str use = mr_str_printf(&backend->arena, "%s:${mailreeve}/%.*s",
		        mr_table_kind_name((enum mr_table_kind)k), MR_FMT(name));

		for (size_t i = 0; i < backend->main.entries.n; i++) {
			mr_str value = backend->main.entries.items[i].value;

			for (size_t at = 0; at + use.size <= value.size; at++)
				if (mr_str_starts(mr_str_skip(value, at), use))
					*out = (enum mr_table_kind)k;
		}
	}
	return true;
}

static int named_next(struct mr_cursor *cursor, struct mr_item *out)
{
	struct named *named = cursor->state;
	int code = mr_cursor_next(&named->rows, out);
	const char *kind = named->wired < 0 ? NULL : mr_wirings[named->wired].object;
	mr_str name;

	if (code <= 0)
		return code;
	name = out->key;
	mr_buf_clear(&named->object);
	if (kind && name.size > 1 && name.data[0] == '@') {
		kind = "domain";
		name = mr_str_skip(name, 1);
	} else if (named->wired == MR_WIRED_RELAY_RECIPIENTS) {
		name = mr_str_skip(name, mr_str_rfind(name, '@') + 1);
	}
	mr_buf_add_text(&named->object, kind ? kind : "postfix.table");
	mr_buf_add_char(&named->object, '/');
	mr_buf_add_str(&named->object, kind ? name : named->table);
	out->object = mr_buf_str(&named->object);
	return 1;
}

static void named_close(struct mr_cursor *cursor)
{
	struct named *named = cursor->state;

	mr_cursor_close(&named->rows);
	mr_buf_done(&named->object);
	free(named);
}

static int nothing(struct mr_cursor *out)
{
	struct mr_sorter *sorter = mr_sorter_new();
	int code = mr_sorter_cursor(sorter, out, NULL);

	if (code)
		mr_sorter_free(sorter);
	return code;
}

int mr_postfix_observe_table(struct mr_backend *backend, struct mr_postfix_table *table,
        const struct mr_strs *only, struct mr_cursor *out)
{
	struct mr_cursor rows;
	struct named *named;
	const char *path;
	int code = mr_postfix_read_main(backend);

	if (code)
		return code;
	table->is_live = backend->generation.size &&
	                 mr_postfix_find_live_kind(backend, backend->generation, table->name,
	                         table->is_desired ? (int)table->kind : -1, &table->live_kind);
	if (!table->is_live && backend->generation.size &&
	        mr_postfix_names_table(&backend->main, table->name)) {
		(void)mr_fail(backend->diags, MR_E_UNREADABLE,
		        "table '%.*s' is not in '%.*s', where main.cf looks for it",
		        MR_FMT(table->name), MR_FMT(backend->generation));
		mr_diags_hint(backend->diags,
		        "put it back from a backup, or take the line 'mailreeve = …' out of "
		        "main.cf and apply: all tables are then made anew");
		return MR_E_UNREADABLE;
	}
	if (!table->is_live)
		return nothing(out);
	path = mr_table_path(&backend->arena, backend->generation, table->name, table->live_kind);
	code = only ? mr_table_get(backend->diags, path, table->live_kind, only, &rows)
	            : mr_table_open(backend->diags, path, table->live_kind, &rows);
	if (code == MR_E_NOT_FOUND)
		return mr_fail(backend->diags, MR_E_UNREADABLE,
		        "table '%s' went away while it was read", path);
	if (code)
		return code;
	named = mr_xrealloc(NULL, 1, sizeof *named);
	*named = (struct named){.rows = rows, .table = table->name, .wired = table->wired};
	*out = (struct mr_cursor){.next = named_next, .close = named_close, .state = named};
	return 0;
}
