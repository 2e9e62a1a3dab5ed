/*
 * The sections postfix and dovecot: parameters, lookup tables, settings.
 */
#include "source/loader.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool is_name(mr_str name, const char *more)
{
	if (!name.size || name.size > 128)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (!isalnum((unsigned char)name.data[i]) && !strchr(more, name.data[i]))
			return false;
	return true;
}

/* One value of a server's configuration: booleans without quotes become yes and no. */
static bool server_text(
        struct mr_loader *loader, const struct mr_node *node, const char *what, mr_str *out)
{
	if (!mr_loader_line(loader, node, what, out) || !node)
		return false;
	if (node->is_plain && mr_str_is(*out, "true"))
		*out = MR_STR("yes");
	else if (node->is_plain && mr_str_is(*out, "false"))
		*out = MR_STR("no");
	else
		*out = mr_str_trim(*out);
	return true;
}

/* The parts that a value is put together from: text, and secrets between it. */
struct parts {
	struct mr_leaf_item *items;
	size_t n;
};

static void add_part(
        struct mr_loader *loader, struct parts *parts, enum mr_item_form form, mr_str text)
{
	struct mr_leaf_item *last = parts->n ? &parts->items[parts->n - 1] : NULL;

	assert(parts->items); /* made for as many as can come */
	if (last && last->form == MR_ITEM_TEXT && form == MR_ITEM_TEXT)
		last->text = mr_str_printf(
		        &loader->object, "%.*s%.*s", MR_FMT(last->text), MR_FMT(text));
	else
		parts->items[parts->n++] = (struct mr_leaf_item){form, 0, 0, text};
}

/* One value or a secret; false when it was refused. */
static bool add_scalar(
        struct mr_loader *loader, const struct mr_node *node, const char *what, struct parts *parts)
{
	mr_str text;

	if (mr_loader_secret(loader, node, MR_TYPE_ANY, &text)) {
		add_part(loader, parts, MR_ITEM_SECRET, text);
		return text.size;
	}
	if (!server_text(loader, node, what, &text))
		return false;
	add_part(loader, parts, MR_ITEM_TEXT, text);
	return true;
}

static bool join_list(struct mr_loader *loader, const struct mr_node *list, const char *what,
        const char *separator, struct parts *parts)
{
	bool is_good = true;

	for (const struct mr_node *node = list->first; node; node = node->next) {
		if (node != list->first)
			add_part(loader, parts, MR_ITEM_TEXT, mr_str_from(separator));
		is_good &= add_scalar(loader, node, what, parts);
	}
	if (!list->n)
		add_part(loader, parts, MR_ITEM_TEXT, (mr_str){0});
	return is_good;
}

static void add_parts(
        struct mr_loader *loader, unsigned id, const struct mr_node *at, const struct parts *parts)
{
	struct mr_leaf leaf = {
	        .id = (uint8_t)id, .line = at->line, .column = at->column, .n_items = parts->n};

	mr_row_leaf(loader->body, &leaf);
	for (size_t i = 0; i < parts->n; i++) {
		struct mr_leaf_item item = parts->items[i];

		item.line = at->line;
		item.column = at->column;
		mr_row_item(loader->body, &item);
	}
}

/* A value, a list of values or a secret as a row of its own. */
static void load_value(struct mr_loader *loader, enum mr_kind_id kind, mr_str name,
        const struct mr_node *value, const char *what, const char *separator)
{
	size_t limit = value->type == MR_NODE_LIST ? 2 * value->n + 1 : 1;
	struct parts parts = {mr_alloc_n(&loader->object, limit, sizeof *parts.items), 0};

	if (!(value->type == MR_NODE_LIST ? join_list(loader, value, what, separator, &parts)
	                                  : add_scalar(loader, value, what, &parts)))
		return;
	mr_loader_begin(loader, value);
	/* at its key, which is what an overlay replaces */
	add_parts(loader, MR_F_VALUE,
	        &(struct mr_node){.line = value->key_line, .column = value->key_column}, &parts);
	mr_loader_end(loader, kind, name);
}

/* Postfix's integers know no units: a size of a parameter that is one becomes bytes. Times keep
 * theirs: Postfix knows those, and they are lower-case. */
static void expand_size(struct mr_loader *loader, mr_str name, struct mr_node *value)
{
	bool is_size = mr_str_ends(name, MR_STR("_limit")) || mr_str_ends(name, MR_STR("_size")) ||
	               mr_str_ends(name, MR_STR("_minfree"));
	uint64_t bytes;

	if (!is_size || value->type != MR_NODE_SCALAR || !value->text.size ||
	        !strchr("KMGT", value->text.data[value->text.size - 1]) ||
	        mr_size_parse(value->text, &bytes) < 0)
		return;
	value->text = mr_str_printf(&loader->object, "%llu", (unsigned long long)bytes);
}

static void load_parameters(struct mr_loader *loader)
{
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, "'parameters'", NULL))
		return;
	while (mr_arena_reset(&loader->object),
	        mr_reader_next_key(loader->reader, &loader->object, &key)) {
		struct mr_node *value = mr_reader_value(loader->reader, &loader->object, &key);
		char what[160];

		if (!is_name(key.key, "_-.")) {
			mr_loader_error(loader, "MR-NAME-PARAMETER", key.key_line, key.key_column,
			        "'%.*s' is no name of a parameter",
			        MR_FMT(mr_str_take(key.key, 80)));
			continue;
		}
		(void)snprintf(what, sizeof what, "parameter '%.*s'", MR_FMT(key.key));
		expand_size(loader, key.key, value);
		load_value(loader, MR_KIND_parameter, key.key, value, what, ", ");
	}
}

static void load_keyed_entries(struct mr_loader *loader, mr_str table)
{
	struct mr_buf *outer = loader->body, row = MR_BUF_INIT;
	struct mr_node key;

	loader->body = &row;
	while (mr_arena_reset(&loader->object),
	        mr_reader_next_key(loader->reader, &loader->object, &key)) {
		const struct mr_node *value =
		        mr_reader_value(loader->reader, &loader->object, &key);
		mr_str name = mr_str_printf(
		        &loader->object, "%.*s\x01%.*s", MR_FMT(table), MR_FMT(key.key));

		if (!mr_str_trim(key.key).size)
			mr_loader_error(loader, "MR-TYPE-EMPTY", key.key_line, key.key_column,
			        "a key of a table is empty");
		else
			load_value(loader, MR_KIND_table_row, name, value,
			        "the value of a table's row", ", ");
	}
	loader->body = outer;
	mr_buf_done_secret(&row);
}

static void load_pair(
        struct mr_loader *loader, mr_str table, const struct mr_node *pair, size_t ordinal)
{
	const struct mr_node *second = pair->first ? pair->first->next : NULL;
	struct mr_leaf_item items[2];
	struct parts pattern = {&items[0], 0}, value = {&items[1], 0};

	if (pair->type != MR_NODE_LIST || pair->n != 2) {
		if (pair->type != MR_NODE_BAD)
			mr_loader_error(loader, "MR-TYPE-LIST", pair->line, pair->column,
			        "an entry of an ordered table is a pair: [pattern, value]");
		return;
	}
	if (!add_scalar(loader, pair->first, "a pattern", &pattern) ||
	        !add_scalar(loader, second, "the value of a table's row", &value))
		return;
	mr_buf_clear(loader->body);
	mr_row_head(loader->body, pair->line, pair->column);
	add_parts(loader, MR_F_VALUE, second, &value);
	add_parts(loader, MR_F_PATTERN, pair->first, &pattern);
	mr_loader_end(loader, MR_KIND_table_row,
	        mr_str_printf(&loader->object, "%.*s\x01%08zu", MR_FMT(table), ordinal));
}

static void load_ordered_entries(struct mr_loader *loader, mr_str table, const struct mr_node *key)
{
	struct mr_buf *outer = loader->body, row = MR_BUF_INIT;
	const struct mr_node *list = mr_reader_value(loader->reader, &loader->object, key);
	struct mr_leaf leaf = {.id = MR_F_TABLE_ENTRIES,
	        .flags = MR_LEAF_LIST,
	        .line = list->line,
	        .column = list->column};
	size_t ordinal = 0;

	mr_row_leaf(outer, &leaf);
	loader->body = &row;
	for (const struct mr_node *pair = list->first; pair; pair = pair->next)
		load_pair(loader, table, pair, ordinal++);
	loader->body = outer;
	mr_buf_done(&row);
}

static void load_entries(struct mr_loader *loader, mr_str table, const struct mr_node *key)
{
	struct mr_node at = {.line = key->key_line, .column = key->key_column};
	bool is_list;

	if (mr_reader_enter(loader->reader, "'entries'", &is_list)) {
		mr_loader_leaf(loader, MR_LEAF_KEYED, &at, MR_ITEM_TEXT, (mr_str){0});
		load_keyed_entries(loader, table);
	} else if (is_list) {
		load_ordered_entries(loader, table, key);
	}
}

static void load_table(struct mr_loader *loader, const struct mr_node *outer)
{
	struct mr_fields_at at = {.kind = MR_KIND_table};
	struct mr_buf row = MR_BUF_INIT, *old = loader->body;
	struct mr_node key;

	loader->body = &row;
	mr_loader_begin(loader, outer);
	if (mr_reader_enter(loader->reader, "a table", NULL)) {
		while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
			mr_arena_reset(&loader->object);
			if (mr_str_is(key.key, "entries"))
				load_entries(loader, outer->key, &key);
			else
				mr_loader_field(loader, &at, (mr_str){0},
				        mr_reader_value(loader->reader, &loader->object, &key));
		}
	}
	mr_loader_end(loader, MR_KIND_table, outer->key);
	loader->body = old;
	mr_buf_done(&row);
}

static void load_tables(struct mr_loader *loader)
{
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, "'tables'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		if (is_name(key.key, "_-")) {
			load_table(loader, &key);
			continue;
		}
		mr_loader_error(loader, "MR-NAME-TABLE", key.key_line, key.key_column,
		        "'%.*s' is no name for a table: letters, digits, '_' and '-'",
		        MR_FMT(mr_str_take(key.key, 80)));
		mr_reader_skip(loader->reader);
	}
}

void mr_load_postfix(struct mr_loader *loader)
{
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, "'postfix'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		if (mr_str_is(key.key, "parameters")) {
			load_parameters(loader);
		} else if (mr_str_is(key.key, "tables")) {
			load_tables(loader);
		} else if (mr_str_is(key.key, "services")) {
			mr_loader_error(loader, "MR-UNSUPPORTED", key.key_line, key.key_column,
			        "'services' is not supported by this version");
			mr_reader_skip(loader->reader);
		} else {
			mr_loader_unknown(loader, &key, "'postfix'", "parameters services tables");
			mr_reader_skip(loader->reader);
		}
	}
}

/* A mapping of settings below prefix; nesting is bounded by the reader's depth. */
static void load_settings(struct mr_loader *loader, mr_str prefix, const struct mr_node *map)
{
	for (const struct mr_node *node = map->first; node; node = node->next) {
		mr_str path = prefix.size ? mr_str_printf(&loader->object, "%.*s/%.*s",
		                                    MR_FMT(prefix), MR_FMT(node->key))
		                          : node->key;
		bool is_secret = node->type == MR_NODE_MAP && node->n == 1 &&
		                 mr_str_is(node->first->key, "secret");
		char what[160];

		(void)snprintf(what, sizeof what, "setting '%.*s'",
		        (int)(path.size < 120 ? path.size : 120), path.data);
		if (!mr_str_trim(node->key).size || mr_str_find(node->key, '/') < node->key.size)
			mr_loader_error(loader, "MR-NAME-SETTING", node->key_line, node->key_column,
			        "'%.*s' is no name of a setting: it is empty or holds a '/'",
			        MR_FMT(mr_str_take(node->key, 80)));
		else if (node->type == MR_NODE_MAP && !is_secret)
			load_settings(loader, path, node);
		else
			load_value(loader, MR_KIND_setting, path, node, what, " ");
	}
}

void mr_load_dovecot(struct mr_loader *loader)
{
	struct mr_node key, inner;

	if (!mr_reader_enter(loader->reader, "'dovecot'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		if (!mr_str_is(key.key, "settings")) {
			mr_loader_unknown(loader, &key, "'dovecot'", "settings");
			mr_reader_skip(loader->reader);
			continue;
		}
		if (!mr_reader_enter(loader->reader, "'settings'", NULL))
			continue;
		while (mr_arena_reset(&loader->object),
		        mr_reader_next_key(loader->reader, &loader->object, &inner)) {
			struct mr_node map = {.type = MR_NODE_MAP, .n = 1};

			map.first = mr_reader_value(loader->reader, &loader->object, &inner);
			load_settings(loader, (mr_str){0}, &map);
		}
	}
}
