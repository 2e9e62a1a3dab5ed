/*
 * Fields: the value of a known attribute as a leaf, by its type.
 */
#include <stdio.h>
#include <string.h>

#include "source/loader.h"

#define SHOWN_LIMIT 80

/* The part of a field's name at one level of nesting: of "forward.to" below "" that is "forward".
 */
static mr_str level_name(const struct mr_field *field, mr_str prefix)
{
	mr_str name = mr_str_from(field->name);

	if (!mr_str_starts(name, prefix))
		return (mr_str){0};
	name = mr_str_skip(name, prefix.size);
	return mr_str_take(name, mr_str_find(name, '.'));
}

static void unknown(struct mr_loader *loader, const struct mr_fields_at *at, mr_str prefix,
        const struct mr_node *node)
{
	const struct mr_kind *kind = mr_kind_get(at->kind);
	struct mr_buf words = MR_BUF_INIT;
	char what[64];

	for (size_t i = 0; i < kind->n_fields; i++) {
		mr_str name = level_name(&kind->fields[i], prefix);

		if (name.size)
			mr_buf_printf(&words, "%s%.*s", words.size ? " " : "", MR_FMT(name));
	}
	if (!prefix.size && at->extra)
		mr_buf_printf(&words, " %s", at->extra);
	(void)snprintf(what, sizeof what, "%s%s%.*s", kind->name, prefix.size ? "." : "",
	        (int)(prefix.size ? prefix.size - 1 : 0), prefix.data ? prefix.data : "");
	mr_loader_unknown(loader, node, what, words.data);
	mr_buf_done(&words);
}

static void join_words(const char *words, struct mr_buf *out)
{
	mr_str rest = mr_str_from(words);

	while (rest.data) {
		mr_str word = mr_str_split(&rest, ' ');

		if (!mr_str_starts(word, MR_STR("!")))
			mr_buf_printf(out, "%s%.*s", out->size ? ", " : "", MR_FMT(word));
	}
}

static void complain(struct mr_loader *loader, const struct mr_field *field,
        const struct mr_node *node, const struct mr_complaint *complaint)
{
	mr_str shown = mr_str_take(node->text, SHOWN_LIMIT);

	if (field->words) {
		struct mr_buf words = MR_BUF_INIT;
		mr_str nearest = mr_words_nearest(field->words, node->text);
		bool is_unsupported = !strcmp(complaint->rule, "MR-UNSUPPORTED");

		join_words(field->words, &words);
		mr_loader_error(loader, complaint->rule, node->line, node->column,
		        is_unsupported ? "'%s' is '%.*s', which is not supported by this version: "
		                         "it must be one of %s"
		                       : "'%s' is '%.*s': it must be one of %s",
		        field->name, MR_FMT(shown), words.data);
		if (nearest.size && !is_unsupported)
			mr_diags_hint(loader->diags, "did you mean '%.*s'?", MR_FMT(nearest));
		mr_buf_done(&words);
	} else if (field->type == MR_TYPE_PASSWORD) {
		mr_loader_error(loader, complaint->rule, node->line, node->column,
		        "'%s' must be %s: %s", field->name, mr_type_text(field->type),
		        complaint->why);
	} else if (complaint->why) {
		mr_loader_error(loader, complaint->rule, node->line, node->column,
		        "'%s' cannot be '%.*s': %s", field->name, MR_FMT(shown), complaint->why);
	} else {
		mr_loader_error(loader, complaint->rule, node->line, node->column,
		        "'%s' must be %s, not '%.*s'", field->name, mr_type_text(field->type),
		        MR_FMT(shown));
	}
}

static bool is_list_type(enum mr_type type)
{
	return type == MR_TYPE_WORDS || type == MR_TYPE_ADDRESSES || type == MR_TYPE_NETS ||
	       type == MR_TYPE_NAMES;
}

/* What happens instead of what was asked for. */
static void hint_at_removal(struct mr_loader *loader, const struct mr_field *field)
{
	if (!strncmp(field->name, "on_removal.", strlen("on_removal.")))
		mr_diags_hint(loader->diags, "a user that leaves the repository is closed, and all "
		                             "of its mail stays: leave 'on_removal' out");
}

/* One scalar of the field as an item; false when it was refused. */
static bool parse_item(struct mr_loader *loader, const struct mr_fields_at *at,
        const struct mr_field *field, const struct mr_node *node, struct mr_leaf_item *out)
{
	struct mr_complaint complaint;

	*out = (struct mr_leaf_item){MR_ITEM_TEXT, node->line, node->column, {0}};
	if (node->type == MR_NODE_BAD)
		return false;
	if (mr_loader_secret(loader, node, field->type, &out->text)) {
		out->form = MR_ITEM_SECRET;
		if (mr_field_may_be_secret(field))
			return out->text.size;
		mr_loader_error(loader, "MR-SECRET-OPEN", node->line, node->column,
		        "'%s' cannot be a secret: plans show what it says, or what follows from it",
		        field->name);
		return false;
	}
	if (mr_node_is_null(node)) {
		mr_loader_error(loader, "MR-TYPE-EMPTY", node->line, node->column,
		        "'%s' has no value", field->name);
		return false;
	}
	if (node->type != MR_NODE_SCALAR) {
		mr_loader_error(loader, "MR-TYPE-TEXT", node->line, node->column,
		        "'%s' must be %s, not a %s", field->name, mr_type_text(field->type),
		        node->type == MR_NODE_LIST ? "list" : "mapping");
		return false;
	}
	if (node->has_lines && field->type != MR_TYPE_LINES) {
		mr_loader_error(loader, "MR-TYPE-LINES", node->line, node->column,
		        "'%s' must be one line without tabs", field->name);
		return false;
	}
	if (field->type == MR_TYPE_BOOL &&
	        !(node->is_plain &&
	                (mr_str_is(node->text, "true") || mr_str_is(node->text, "false")))) {
		mr_loader_error(loader, "MR-TYPE-BOOL", node->line, node->column,
		        "'%s' must be true or false, not %s'%.*s'", field->name,
		        node->is_plain ? "" : "the text ",
		        MR_FMT(mr_str_take(node->text, SHOWN_LIMIT)));
		return false;
	}
	if (mr_value_parse(
	            &loader->object, field, node->text, at->domain, &out->text, &complaint) == 0)
		return true;
	complain(loader, field, node, &complaint);
	hint_at_removal(loader, field);
	return false;
}

/* Something that stands here was refused: checks must not report it as missing. */
static void note_bad(struct mr_loader *loader, const struct mr_node *at)
{
	mr_loader_leaf(loader, MR_LEAF_BAD, at, MR_ITEM_TEXT, (mr_str){0});
}

static void load_list(struct mr_loader *loader, const struct mr_fields_at *at, size_t index,
        const struct mr_node *list)
{
	const struct mr_field *field = &mr_kind_get(at->kind)->fields[index];
	struct mr_leaf leaf = {.id = (uint8_t)(at->id_base + index),
	        .flags = MR_LEAF_LIST,
	        .line = list->line,
	        .column = list->column};
	struct mr_leaf_item *items = mr_alloc_n(&loader->object, list->n + 1, sizeof *items);

	for (const struct mr_node *node = list->first; node; node = node->next)
		leaf.n_items += parse_item(loader, at, field, node, &items[leaf.n_items]);
	mr_row_leaf(loader->body, &leaf);
	for (size_t i = 0; i < leaf.n_items; i++)
		mr_row_item(loader->body, &items[i]);
	if (leaf.n_items < list->n)
		note_bad(loader, list);
}

void mr_loader_value(struct mr_loader *loader, const struct mr_fields_at *at, size_t index,
        const struct mr_node *node)
{
	const struct mr_field *field = &mr_kind_get(at->kind)->fields[index];
	struct mr_leaf leaf = {.id = (uint8_t)(at->id_base + index),
	        .line = node->line,
	        .column = node->column,
	        .n_items = 1};
	struct mr_leaf_item item;

	if (node->type == MR_NODE_BAD) {
		note_bad(loader, node);
		return;
	}
	if (!is_list_type(field->type)) {
		if (!parse_item(loader, at, field, node, &item)) {
			note_bad(loader, node);
			return;
		}
		mr_row_leaf(loader->body, &leaf);
		mr_row_item(loader->body, &item);
	} else if (node->type == MR_NODE_LIST) {
		load_list(loader, at, index, node);
	} else if (mr_node_is_null(node)) {
		note_bad(loader, node);
		mr_loader_error(loader, "MR-TYPE-EMPTY", node->line, node->column,
		        "'%s' has no value", field->name);
		mr_diags_hint(loader->diags, "an empty list is []");
	} else {
		note_bad(loader, node);
		mr_loader_error(loader, "MR-TYPE-LIST", node->line, node->column, "'%s' must be %s",
		        field->name, mr_type_text(field->type));
		mr_diags_hint(loader->diags, "lists are written [a, b]");
	}
}

/* Whether any field of the kind is nested below name. */
static bool has_nested(const struct mr_kind *kind, mr_str name)
{
	for (size_t i = 0; i < kind->n_fields; i++) {
		mr_str field = mr_str_from(kind->fields[i].name);

		if (field.size > name.size && mr_str_starts(field, name) &&
		        field.data[name.size] == '.')
			return true;
	}
	return false;
}

static void load_nested(struct mr_loader *loader, const struct mr_fields_at *at, mr_str name,
        const struct mr_node *node)
{
	mr_str prefix = mr_str_printf(&loader->object, "%.*s.", MR_FMT(name));

	if (node->type != MR_NODE_MAP) {
		if (node->type != MR_NODE_BAD)
			mr_loader_error(loader, "MR-TYPE-MAPPING", node->line, node->column,
			        "'%.*s' must be a mapping", MR_FMT(name));
		return;
	}
	for (const struct mr_node *child = node->first; child; child = child->next)
		mr_loader_field(loader, at, prefix, child);
}

void mr_loader_field(struct mr_loader *loader, const struct mr_fields_at *at, mr_str prefix,
        const struct mr_node *node)
{
	const struct mr_kind *kind = mr_kind_get(at->kind);
	mr_str name = prefix.size ? mr_str_printf(&loader->object, "%.*s%.*s", MR_FMT(prefix),
	                                    MR_FMT(node->key))
	                          : node->key;
	size_t index = mr_kind_find(kind, name);

	if (index == kind->n_fields) {
		if (!prefix.size && has_nested(kind, name))
			load_nested(loader, at, name, node);
		else
			unknown(loader, at, prefix, node);
		return;
	}
	if (kind->fields[index].flags & MR_FIELD_UNENFORCED)
		mr_loader_error(loader, "MR-UNENFORCED", node->key_line, node->key_column,
		        "no configured backend can enforce '%.*s'", MR_FMT(name));
	else if (kind->fields[index].flags & MR_FIELD_UNSUPPORTED) {
		mr_loader_error(loader, "MR-UNSUPPORTED", node->key_line, node->key_column,
		        "'%.*s' is not supported by this version", MR_FMT(name));
		hint_at_removal(loader, &kind->fields[index]);
	} else
		mr_loader_value(loader, at, index, node);
}

void mr_loader_fields(
        struct mr_loader *loader, const struct mr_fields_at *at, const struct mr_node *map)
{
	if (map->type == MR_NODE_MAP) {
		for (const struct mr_node *node = map->first; node; node = node->next)
			mr_loader_field(loader, at, (mr_str){0}, node);
	} else if (map->type != MR_NODE_BAD && !mr_node_is_null(map)) {
		mr_loader_error(loader, "MR-TYPE-MAPPING", map->line, map->column,
		        "'%s' must be a mapping", mr_kind_get(at->kind)->name);
	}
}
