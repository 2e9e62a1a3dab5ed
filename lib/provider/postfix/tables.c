/*
 * Which tables there are: wired, declared, and those that are only live; and the collections they
 * make.
 */
#include "postfix/tables.h"

#include "postfix/observe.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_file_name(mr_str name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && !(c == '-' && i))
			return false;
	}
	return name.size && name.size <= 64;
}

static void table_error(struct mr_backend *backend, const struct mr_table *table, const char *rule,
        const char *hint, mr_str text)
{
	mr_diags_at(backend->diags, MR_ERROR, rule, &table->loc, "%.*s", MR_FMT(text));
	mr_diags_hint(backend->diags, "%s", hint);
	mr_diags_object(backend->diags,
	        mr_str_printf(&backend->arena, "postfix.table/%.*s", MR_FMT(table->name)));
}

static bool find_wired(mr_str name)
{
	for (int i = 0; i < MR_WIRED_COUNT; i++)
		if (mr_str_eq(mr_wirings[i].name, name))
			return true;
	return false;
}

static bool choose_kind(
        struct mr_backend *backend, const struct mr_table *table, enum mr_table_kind *out)
{
	bool is_default = !table->type.size || mr_str_is(table->type, "default");

	if (is_default && backend->has_keyed_kind)
		*out = backend->keyed_kind;
	else if (is_default) /* mr_postfix_gather_tables says it once for all */
		*out = MR_TABLE_LMDB;
	else if (!mr_table_kind_find(table->type, out)) {
		table_error(backend, table, "MR-TABLE-TYPE",
		        "use default, lmdb, cdb, cidr, pcre or regexp",
		        mr_str_printf(&backend->arena, "table '%.*s' cannot be of type '%.*s'",
		                MR_FMT(table->name), MR_FMT(table->type)));
		return false;
	} else if (!mr_postconf_has_type(&backend->postconf, table->type)) {
		table_error(backend, table, "MR-TABLE-TYPE",
		        "install the package that brings it, such as postfix-pcre",
		        mr_str_printf(&backend->arena,
		                "table '%.*s' is of type '%.*s', which this host's Postfix lacks",
		                MR_FMT(table->name), MR_FMT(table->type)));
		return false;
	}
	return true;
}

static void add_declared(struct mr_backend *backend, const struct mr_table *table)
{
	struct mr_postfix_table own = {.wired = -1, .is_desired = true, .loc = table->loc};

	if (!is_file_name(table->name)) {
		table_error(backend, table, "MR-TABLE-NAME", "use letters, digits, '_' and '-'",
		        mr_str_printf(&backend->arena, "table name '%.*s' is no file name",
		                MR_FMT(table->name)));
		return;
	}
	if (find_wired(table->name)) {
		table_error(backend, table, "MR-TABLE-NAME", "choose another name",
		        mr_str_printf(&backend->arena,
		                "table name '%.*s' belongs to a table that mailreeve makes itself",
		                MR_FMT(table->name)));
		return;
	}
	if (!choose_kind(backend, table, &own.kind))
		return;
	if (mr_table_is_ordered(own.kind) != table->is_ordered) {
		table_error(backend, table, "MR-TABLE-TYPE",
		        table->is_ordered ? "write its entries as a mapping"
		                          : "write its entries as a list of pairs",
		        mr_str_printf(&backend->arena,
		                "the entries of table '%.*s' do not fit its type '%.*s'",
		                MR_FMT(table->name), MR_FMT(table->type)));
		return;
	}
	own.name = mr_str_copy(&backend->arena, table->name);
	own.loc.path = mr_str_copy(&backend->arena, table->loc.path);
	mr_vec_push(&backend->tables, own);
}

static int gather_declared(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_iter iter;
	struct mr_table table;
	int code = mr_desired_begin_table(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_table(&iter, &table)) > 0)
		add_declared(backend, &table);
	mr_desired_end(&iter);
	return code;
}

static int name_cmp(const void *a, const void *b)
{
	return mr_str_cmp(((const struct mr_postfix_table *)a)->name,
	        ((const struct mr_postfix_table *)b)->name);
}

/* NAME of a file NAME.lmdb, NAME.cdb or NAME. */
static mr_str table_of_file(mr_str file)
{
	if (mr_str_ends(file, MR_STR(".lmdb")))
		return mr_str_take(file, file.size - 5);
	if (mr_str_ends(file, MR_STR(".cdb")))
		return mr_str_take(file, file.size - 4);
	return file;
}

void mr_postfix_gather_live(struct mr_backend *backend)
{
	DIR *dir = backend->generation.size ? opendir(backend->generation.data) : NULL;
	struct dirent *entry;

	for (size_t i = 0; i < backend->tables.n; i++)
		backend->tables.items[i].is_live = false;
	while (dir && (entry = readdir(dir))) {
		mr_str name = table_of_file(mr_str_from(entry->d_name));
		struct mr_postfix_table live = {.wired = -1}, *known;

		if (!is_file_name(name))
			continue;
		for (int i = 0; i < MR_WIRED_COUNT; i++)
			if (mr_str_eq(name, mr_wirings[i].name))
				live.wired = i;
		live.name = mr_str_copy(&backend->arena, name);
		known = mr_postfix_find_table(backend, name);
		if (!known) {
			mr_vec_push(&backend->tables, live);
			known = &backend->tables.items[backend->tables.n - 1];
		}
		known->is_live = mr_postfix_find_live_kind(backend, backend->generation, name,
		        known->is_desired ? (int)known->kind : -1, &known->live_kind);
	}
	if (dir)
		(void)closedir(dir);
	if (backend->tables.n)
		qsort(backend->tables.items, backend->tables.n, sizeof *backend->tables.items,
		        name_cmp);
}

/* postmap over a source text beside our table would replace all rows by the text's. */
static void lint_live(struct mr_backend *backend)
{
	struct stat status;

	for (size_t i = 0; i < backend->tables.n; i++) {
		const struct mr_postfix_table *table = &backend->tables.items[i];
		const char *source = mr_table_path(
		        &backend->arena, backend->generation, table->name, MR_TABLE_CIDR);

		if (!table->is_live || mr_table_is_ordered(table->live_kind) ||
		        stat(source, &status))
			continue;
		mr_diags_at(backend->diags, MR_WARNING, "MR-HOST-TABLE-SOURCE", NULL,
		        "'%s' lies beside a table of mailreeve's: postmap would replace the table "
		        "by it",
		        source);
		mr_diags_hint(backend->diags, "remove the file");
	}
}

int mr_postfix_gather_tables(struct mr_backend *backend, struct mr_desired *desired)
{
	int code;

	for (int i = 0; i < MR_WIRED_COUNT; i++) {
		struct mr_postfix_table table = {.name = mr_wirings[i].name,
		        .wired = i,
		        .is_desired = true,
		        .kind = backend->keyed_kind,
		        .loc = backend->wired_loc[i]};

		if (backend->is_wired[i])
			mr_vec_push(&backend->tables, table);
	}
	if ((code = gather_declared(backend, desired)))
		return code;
	mr_postfix_gather_live(backend);
	lint_live(backend);
	for (size_t i = 0; i < backend->tables.n; i++)
		if (backend->tables.items[i].is_desired && !backend->has_keyed_kind) {
			code = mr_fail(backend->diags, MR_E_CONFIG,
			        "this host's Postfix has neither lmdb nor cdb tables");
			mr_diags_hint(backend->diags, "install postfix-lmdb");
			return code;
		}
	return 0;
}

static void add_collection(struct mr_backend *backend, const struct mr_postfix_table *table)
{
	struct mr_collection collection = {
	        .name = mr_str_printf(&backend->arena, "postfix.table/%.*s", MR_FMT(table->name)),
	        .target = mr_str_printf(&backend->arena, "postfix.%.*s", MR_FMT(table->name)),
	        .provider = "postfix",
	        .flags = MR_COLLECTION_EXCLUSIVE,
	        .rank = table->wired < 0 ? MR_RANK_OTHER_MAP : mr_wirings[table->wired].rank,
	};

	mr_vec_push(&backend->collections, collection);
}

void mr_postfix_list_collections(struct mr_backend *backend, struct mr_collections *out)
{
	struct mr_collection main = {.name = MR_STR("postfix.main"),
	        .target = MR_STR("postfix.main"),
	        .provider = "postfix",
	        .rank = MR_RANK_MAIN};

	mr_vec_push(&backend->collections, main);
	for (size_t i = 0; i < backend->tables.n; i++)
		add_collection(backend, &backend->tables.items[i]);
	out->items = backend->collections.items;
	out->n = backend->collections.n;
}
