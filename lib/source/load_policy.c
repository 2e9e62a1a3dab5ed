/*
 * The section policy: limits, protection, windows, what is allowed and what is waived.
 */
#include "source/loader.h"

#include <string.h>

#include "model/policy.h"

/* Whether a node is of the type it must have; says so where it is not. */
static bool is_type(struct mr_loader *loader, const struct mr_node *node, enum mr_node_type type)
{
	bool is_list = type == MR_NODE_LIST;

	if (node->type == type)
		return true;
	if (node->type != MR_NODE_BAD && (is_list || !mr_node_is_null(node)))
		mr_loader_error(loader, is_list ? "MR-TYPE-LIST" : "MR-TYPE-MAPPING", node->line,
		        node->column, "'%.*s' must be a %s", MR_FMT(node->key),
		        is_list ? "list" : "mapping");
	return false;
}

/* A list of single lines as one leaf of the policy's row. */
static void load_lines(struct mr_loader *loader, unsigned id, const struct mr_node *list)
{
	struct mr_leaf leaf = {.id = (uint8_t)id,
	        .flags = MR_LEAF_LIST,
	        .line = list->line,
	        .column = list->column};
	struct mr_leaf_item *items;

	if (!is_type(loader, list, MR_NODE_LIST))
		return;
	items = mr_alloc_n(&loader->object, list->n + 1, sizeof *items);
	for (const struct mr_node *node = list->first; node; node = node->next) {
		struct mr_leaf_item *item = &items[leaf.n_items];

		*item = (struct mr_leaf_item){MR_ITEM_TEXT, node->line, node->column, {0}};
		leaf.n_items += mr_loader_line(loader, node, list->key.data, &item->text);
	}
	mr_row_leaf(loader->body, &leaf);
	for (size_t i = 0; i < leaf.n_items; i++)
		mr_row_item(loader->body, &items[i]);
}

static void load_limit(struct mr_loader *loader, const struct mr_node *node)
{
	struct mr_limit limit;
	mr_str text;

	if (!mr_policy_limit_is_known(node->key)) {
		struct mr_buf words = MR_BUF_INIT;

		for (const char *const *id = mr_policy_limit_ids(); *id; id++)
			mr_buf_printf(&words, "%s%s", words.size ? " " : "", *id);
		mr_loader_unknown(loader, node, "'max_change'", words.data);
		mr_buf_done(&words);
		return;
	}
	if (!mr_loader_line(loader, node, "a limit", &text))
		return;
	if (mr_limit_parse(text, &limit) < 0) {
		mr_loader_error(loader, "MR-TYPE-LIMIT", node->line, node->column,
		        "limit '%.*s' must be a count, a percentage, or both such as \"5 or 2%%\", "
		        "not '%.*s'",
		        MR_FMT(node->key), MR_FMT(mr_str_take(text, 80)));
		return;
	}
	mr_loader_begin(loader, node);
	mr_loader_leaf(loader, MR_F_VALUE, node, MR_ITEM_TEXT, text);
	mr_loader_end(loader, MR_KIND_limit, node->key);
}

static void load_window(struct mr_loader *loader, const struct mr_node *node)
{
	struct mr_window window;
	mr_str text;

	if (!mr_str_is(node->key, "restart") && !mr_str_is(node->key, "apply")) {
		mr_loader_unknown(loader, node, "'windows'", "restart apply");
		return;
	}
	if (!mr_loader_line(loader, node, "a window", &text))
		return;
	if (mr_window_parse(text, &window) < 0) {
		mr_loader_error(loader, "MR-TYPE-WINDOW", node->line, node->column,
		        "window '%.*s' must be days and hours such as \"Sat 02:00-05:00\", not "
		        "'%.*s'",
		        MR_FMT(node->key), MR_FMT(mr_str_take(text, 80)));
		return;
	}
	mr_loader_begin(loader, node);
	mr_loader_leaf(loader, MR_F_VALUE, node, MR_ITEM_TEXT, text);
	mr_loader_end(loader, MR_KIND_window, node->key);
}

static mr_str member_text(const struct mr_node *map, const char *name)
{
	for (const struct mr_node *node = map->first; node; node = node->next)
		if (mr_str_is(node->key, name) && node->type == MR_NODE_SCALAR)
			return node->text;
	return (mr_str){0};
}

static void load_waiver(struct mr_loader *loader, const struct mr_node *node)
{
	struct mr_fields_at at = {.kind = MR_KIND_waiver};
	const struct mr_kind *kind = mr_kind_get(MR_KIND_waiver);
	bool is_complete = true;

	if (node->type != MR_NODE_MAP) {
		if (node->type != MR_NODE_BAD)
			mr_loader_error(loader, "MR-TYPE-MAPPING", node->line, node->column,
			        "a waiver must be a mapping");
		return;
	}
	mr_buf_clear(loader->body);
	mr_row_head(loader->body, node->line, node->column);
	mr_loader_fields(loader, &at, node);
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (member_text(node, kind->fields[i].name).size)
			continue;
		is_complete = false;
		mr_loader_error(loader, "MR-KEY-MISSING", node->line, node->column,
		        "a waiver has no '%s'", kind->fields[i].name);
	}
	if (is_complete)
		mr_loader_end(loader, MR_KIND_waiver,
		        mr_str_printf(&loader->object, "%.*s %.*s",
		                MR_FMT(member_text(node, "rule")),
		                MR_FMT(member_text(node, "object"))));
}

static void each_member(struct mr_loader *loader, const struct mr_node *outer,
        enum mr_node_type type, void (*load)(struct mr_loader *, const struct mr_node *))
{
	struct mr_buf row = MR_BUF_INIT, *old = loader->body;

	if (!is_type(loader, outer, type))
		return;
	/* cppcheck-suppress autoVariables ; put back below */
	loader->body = &row;
	for (const struct mr_node *node = outer->first; node; node = node->next)
		load(loader, node);
	loader->body = old;
	mr_buf_done(&row);
}

/* What is allowed are leaves of the policy's own row. */
static void load_allow(struct mr_loader *loader, const struct mr_node *allow)
{
	if (!is_type(loader, allow, MR_NODE_MAP))
		return;
	for (const struct mr_node *node = allow->first; node; node = node->next) {
		if (mr_str_is(node->key, "password_schemes"))
			load_lines(loader, MR_F_POLICY_SCHEMES, node);
		else
			mr_loader_unknown(loader, node, "'allow'", "password_schemes");
	}
}

static void load_section(struct mr_loader *loader, const struct mr_node *value)
{
	if (mr_str_is(value->key, "max_change"))
		each_member(loader, value, MR_NODE_MAP, load_limit);
	else if (mr_str_is(value->key, "windows"))
		each_member(loader, value, MR_NODE_MAP, load_window);
	else if (mr_str_is(value->key, "protect"))
		load_lines(loader, MR_F_POLICY_PROTECT, value);
	else if (mr_str_is(value->key, "waive"))
		each_member(loader, value, MR_NODE_LIST, load_waiver);
	else if (mr_str_is(value->key, "allow"))
		load_allow(loader, value);
	else
		mr_loader_unknown(
		        loader, value, "'policy'", "max_change protect windows allow waive");
}

void mr_load_policy(struct mr_loader *loader)
{
	struct mr_buf row = MR_BUF_INIT, *old = loader->body;
	struct mr_node outer = {.key_line = 1, .key_column = 1}, key;

	if (!mr_reader_enter(loader->reader, "'policy'", NULL))
		return;
	/* cppcheck-suppress autoVariables ; put back below */
	loader->body = &row;
	mr_loader_begin(loader, &outer);
	while (mr_arena_reset(&loader->object),
	        mr_reader_next_key(loader->reader, &loader->object, &key))
		load_section(loader, mr_reader_value(loader->reader, &loader->object, &key));
	mr_loader_end(loader, MR_KIND_policy, (mr_str){0});
	loader->body = old;
	mr_buf_done(&row);
}
