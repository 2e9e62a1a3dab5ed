/*
 * The section ldap: trees and entries.
 */
#include "source/loader.h"

#include <ctype.h>

#include "base/text.h"
#include "model/dn.h"

/* descr or numericoid, with options: "cn", "2.5.4.3", "userCertificate;binary". */
static bool is_attribute(mr_str name)
{
	if (!name.size || name.size > 128 || !isalnum((unsigned char)name.data[0]))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (!isalnum((unsigned char)c) && c != '-' && c != ';' && c != '.')
			return false;
	}
	return true;
}

static bool dn_key(
        struct mr_loader *loader, struct mr_arena *arena, const struct mr_node *key, mr_str *out)
{
	if (key->key.size && mr_dn_key(arena, key->key, out) == 0)
		return true;
	mr_loader_error(loader, "MR-NAME-DN", key->key_line, key->key_column,
	        "'%.*s' is no distinguished name", MR_FMT(mr_str_take(key->key, 120)));
	return false;
}

static bool is_form(const struct mr_node *node, const char *name)
{
	return node->type == MR_NODE_MAP && node->n == 1 && mr_str_is(node->first->key, name);
}

/* One value of an attribute; false when it was refused. */
static bool parse_value(struct mr_loader *loader, const struct mr_node *node, mr_str attribute,
        struct mr_leaf_item *out)
{
	*out = (struct mr_leaf_item){MR_ITEM_TEXT, node->line, node->column, node->text};
	if (mr_loader_secret(loader, node, MR_TYPE_ANY, &out->text)) {
		out->form = MR_ITEM_SECRET;
		return out->text.size;
	}
	if (is_form(node, "base64")) {
		out->form = MR_ITEM_BINARY;
		if (node->first->type == MR_NODE_SCALAR &&
		        mr_base64_decode(&loader->object, node->first->text, &out->text) == 0)
			return true;
		mr_loader_error(loader, "MR-TYPE-BASE64", node->first->line, node->first->column,
		        "'%.*s' is no base64", MR_FMT(attribute));
		return false;
	}
	if (node->type == MR_NODE_SCALAR && !mr_node_is_null(node))
		return true;
	if (node->type != MR_NODE_BAD)
		mr_loader_error(loader, "MR-TYPE-TEXT", node->line, node->column,
		        "a value of '%.*s' must be text, {base64: …} or {secret: NAME}",
		        MR_FMT(attribute));
	return false;
}

static void add_attribute(struct mr_loader *loader, const struct mr_node *at,
        const struct mr_node *value, bool is_live)
{
	const struct mr_node *first = value->type == MR_NODE_LIST ? value->first : value;
	size_t limit = value->type == MR_NODE_LIST ? value->n : 1;
	struct mr_leaf leaf = {.flags = MR_LEAF_NAMED,
	        .name = at->key,
	        .line = at->key_line,
	        .column = at->key_column};
	struct mr_leaf_item *items = mr_alloc_n(&loader->object, limit + 1, sizeof *items);

	if (is_live)
		leaf.flags |= MR_LEAF_LIVE;
	if (!mr_node_is_null(value)) {
		for (size_t i = 0; i < limit; i++, first = first->next)
			leaf.n_items += parse_value(loader, first, at->key, &items[leaf.n_items]);
		if (!leaf.n_items && limit)
			return;
	}
	mr_row_leaf(loader->body, &leaf);
	for (size_t i = 0; i < leaf.n_items; i++)
		mr_row_item(loader->body, &items[i]);
}

/* {value: …, owner: live} */
static void load_owned(struct mr_loader *loader, const struct mr_node *node)
{
	const struct mr_node *value = NULL;
	bool is_live = false;

	for (const struct mr_node *child = node->first; child; child = child->next) {
		if (mr_str_is(child->key, "value")) {
			value = child;
		} else if (mr_str_is(child->key, "owner")) {
			is_live = child->type == MR_NODE_SCALAR && mr_str_is(child->text, "live");
			if (!is_live &&
			        !(child->type == MR_NODE_SCALAR && mr_str_is(child->text, "git")))
				mr_loader_error(loader, "MR-TYPE-WORD", child->line, child->column,
				        "'owner' must be one of live, git");
		} else {
			mr_loader_unknown(loader, child, "a directory attribute",
			        "value owner base64 secret");
		}
	}
	if (value)
		add_attribute(loader, node, value, is_live);
	else
		mr_loader_error(loader, "MR-KEY-MISSING", node->line, node->column,
		        "'%.*s' has no 'value'", MR_FMT(node->key));
}

static void load_attribute(struct mr_loader *loader, const struct mr_node *node)
{
	if (!is_attribute(node->key)) {
		mr_loader_error(loader, "MR-NAME-ATTRIBUTE", node->key_line, node->key_column,
		        "'%.*s' is no name of an attribute", MR_FMT(mr_str_take(node->key, 80)));
		return;
	}
	if (node->type == MR_NODE_BAD)
		return;
	if (node->type == MR_NODE_MAP && !is_form(node, "base64") && !is_form(node, "secret"))
		load_owned(loader, node);
	else
		add_attribute(loader, node, node, false);
}

static void load_entry(struct mr_loader *loader, const struct mr_node *key)
{
	const struct mr_node *value = mr_reader_value(loader->reader, &loader->object, key);
	struct mr_node written = {.line = key->key_line, .column = key->key_column};
	mr_str dn;

	if (!dn_key(loader, &loader->object, key, &dn))
		return;
	if (value->type != MR_NODE_MAP) {
		if (value->type != MR_NODE_BAD)
			mr_loader_error(loader, "MR-TYPE-MAPPING", value->line, value->column,
			        "an entry must be a mapping of attributes");
		return;
	}
	mr_loader_begin(loader, key);
	mr_loader_leaf(loader, MR_LEAF_WRITTEN, &written, MR_ITEM_TEXT, key->key);
	for (const struct mr_node *node = value->first; node; node = node->next)
		load_attribute(loader, node);
	mr_loader_end(loader, MR_KIND_ldap_entry, dn);
}

static void load_tree(struct mr_loader *loader, const struct mr_node *key)
{
	struct mr_fields_at at = {.kind = MR_KIND_ldap_tree};
	const struct mr_node *value = mr_reader_value(loader->reader, &loader->object, key);
	struct mr_node written = {.line = key->key_line, .column = key->key_column};
	mr_str dn;

	if (!dn_key(loader, &loader->object, key, &dn))
		return;
	mr_loader_begin(loader, key);
	mr_loader_leaf(loader, MR_LEAF_WRITTEN, &written, MR_ITEM_TEXT, key->key);
	mr_loader_fields(loader, &at, value);
	mr_loader_end(loader, MR_KIND_ldap_tree, dn);
}

void mr_load_ldap(struct mr_loader *loader)
{
	struct mr_node key, inner;

	if (!mr_reader_enter(loader->reader, "'ldap'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		bool is_trees = mr_str_is(key.key, "trees");

		if (!is_trees && !mr_str_is(key.key, "entries")) {
			mr_loader_unknown(loader, &key, "'ldap'", "trees entries");
			mr_reader_skip(loader->reader);
			continue;
		}
		if (!mr_reader_enter(loader->reader, is_trees ? "'trees'" : "'entries'", NULL))
			continue;
		while (mr_arena_reset(&loader->object),
		        mr_reader_next_key(loader->reader, &loader->object, &inner)) {
			if (is_trees)
				load_tree(loader, &inner);
			else
				load_entry(loader, &inner);
		}
	}
}
