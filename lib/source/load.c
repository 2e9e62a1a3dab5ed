/*
 * One file: its sections, the layers of roles and hosts, and what the root file must have.
 */
#include "source/load.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "source/loader.h"

#define SECTIONS                                                                                   \
	"mailreeve accounts defaults domains transports relays tls_policies postfix dovecot ldap " \
	"roles hosts policy"

void mr_loader_error(struct mr_loader *loader, const char *rule, uint32_t line, uint32_t column,
        const char *format, ...)
{
	struct mr_loc loc = {mr_reader_path(loader->reader), line, column};
	char stack[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(stack, sizeof stack, format, args);
	va_end(args);
	mr_diags_at(loader->diags, MR_ERROR, rule, &loc, "%s", stack);
}

void mr_loader_unknown(
        struct mr_loader *loader, const struct mr_node *key, const char *what, const char *words)
{
	mr_str nearest = mr_words_nearest(words, key->key);

	mr_loader_error(loader, "MR-KEY-UNKNOWN", key->key_line, key->key_column,
	        "unknown key '%.*s' in %s", MR_FMT(mr_str_take(key->key, 80)), what);
	if (nearest.size)
		mr_diags_hint(loader->diags, "did you mean '%.*s'?", MR_FMT(nearest));
}

void mr_loader_begin(struct mr_loader *loader, const struct mr_node *key)
{
	mr_buf_clear(loader->body);
	mr_row_head(loader->body, key->key_line, key->key_column);
}

static void add_row(struct mr_loader *loader, enum mr_kind_id kind, mr_str key, mr_str body)
{
	struct mr_row_key row_key = {kind, key, loader->layer, loader->file};

	if (loader->error < 0)
		return;
	mr_row_key_format(&row_key, &loader->row_key);
	mr_rows_add_key(loader->keys, mr_buf_str(&loader->row_key));
	loader->error = mr_spool_add(loader->spool, mr_buf_str(&loader->row_key), body);
}

void mr_loader_end(struct mr_loader *loader, enum mr_kind_id kind, mr_str key)
{
	add_row(loader, kind, key, mr_buf_str(loader->body));
}

void mr_loader_leaf(struct mr_loader *loader, unsigned id, const struct mr_node *at,
        enum mr_item_form form, mr_str text)
{
	struct mr_leaf leaf = {
	        .id = (uint8_t)id, .line = at->line, .column = at->column, .n_items = 1};
	struct mr_leaf_item item = {form, at->line, at->column, text};

	mr_row_leaf(loader->body, &leaf);
	mr_row_item(loader->body, &item);
}

/* Notes that the secret is needed, so that a host can look whether it has it. */
static void note_secret(
        struct mr_loader *loader, const struct mr_node *at, mr_str name, enum mr_type type)
{
	struct mr_buf *outer = loader->body;
	struct mr_node key = {.key_line = at->line, .key_column = at->column};

	loader->body = &loader->small;
	mr_loader_begin(loader, &key);
	mr_loader_leaf(loader, MR_LEAF_WRITTEN, at, MR_ITEM_TEXT, name);
	mr_loader_end(loader, MR_KIND_secret,
	        type == MR_TYPE_ANY ? name
	                            : mr_str_printf(&loader->object, "%.*s\x01%c", MR_FMT(name),
	                                      'A' + (int)type));
	loader->body = outer;
}

bool mr_loader_secret(
        struct mr_loader *loader, const struct mr_node *node, enum mr_type type, mr_str *out_name)
{
	const struct mr_node *name = node->first;

	if (node->type != MR_NODE_MAP || node->n != 1 || !mr_str_is(name->key, "secret"))
		return false;
	*out_name = (mr_str){0};
	if (name->type != MR_NODE_SCALAR || !mr_secret_name_is_good(name->text)) {
		mr_loader_error(loader, "MR-NAME-SECRET", name->line, name->column,
		        "the name of a secret is made of letters, digits, '.', '_' and '-', and "
		        "does not begin with a dot");
		return true;
	}
	*out_name = name->text;
	note_secret(loader, node, name->text, type);
	return true;
}

bool mr_loader_line(
        struct mr_loader *loader, const struct mr_node *node, const char *what, mr_str *out)
{
	if (node->type == MR_NODE_BAD)
		return false;
	if (node->type != MR_NODE_SCALAR) {
		mr_loader_error(loader, "MR-TYPE-TEXT", node->line, node->column,
		        "%s must be a single value", what);
		return false;
	}
	if (mr_node_is_null(node)) {
		mr_loader_error(
		        loader, "MR-TYPE-EMPTY", node->line, node->column, "%s has no value", what);
		return false;
	}
	if (node->has_lines) {
		mr_loader_error(loader, "MR-TYPE-LINES", node->line, node->column,
		        "%s must be one line without tabs", what);
		return false;
	}
	*out = node->text;
	return true;
}

static void load_version(struct mr_loader *loader, const struct mr_node *key)
{
	const struct mr_node *value = mr_reader_value(loader->reader, &loader->object, key);

	if (value->type != MR_NODE_BAD &&
	        !(value->type == MR_NODE_SCALAR && mr_str_is(value->text, "1")))
		mr_loader_error(loader, "MR-ROOT-VERSION", value->line, value->column,
		        "'mailreeve' must be 1: this program knows no other version of the "
		        "language");
}

static void load_accounts(struct mr_loader *loader, const struct mr_node *key)
{
	struct mr_fields_at at = {.kind = MR_KIND_accounts};
	const struct mr_node *value = mr_reader_value(loader->reader, &loader->object, key);

	mr_loader_begin(loader, key);
	mr_loader_fields(loader, &at, value);
	mr_loader_end(loader, MR_KIND_accounts, (mr_str){0});
}

static void load_defaults(struct mr_loader *loader)
{
	struct mr_fields_at at = {.kind = MR_KIND_defaults};
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, "'defaults'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->object, &key)) {
		if (!mr_str_is(key.key, "user")) {
			mr_loader_unknown(loader, &key, "'defaults'", "user");
			mr_reader_skip(loader->reader);
			continue;
		}
		mr_loader_begin(loader, &key);
		mr_loader_fields(
		        loader, &at, mr_reader_value(loader->reader, &loader->object, &key));
		mr_loader_end(loader, MR_KIND_defaults, (mr_str){0});
	}
}

/* A section that may stand in every file, and in roles and hosts. */
static bool load_section(struct mr_loader *loader, const struct mr_node *key)
{
	if (mr_str_is(key->key, "accounts"))
		load_accounts(loader, key);
	else if (mr_str_is(key->key, "defaults"))
		load_defaults(loader);
	else if (mr_str_is(key->key, "domains"))
		mr_load_domains(loader);
	else if (mr_str_is(key->key, "transports"))
		mr_load_transports(loader);
	else if (mr_str_is(key->key, "postfix"))
		mr_load_postfix(loader);
	else if (mr_str_is(key->key, "dovecot"))
		mr_load_dovecot(loader);
	else if (mr_str_is(key->key, "ldap"))
		mr_load_ldap(loader);
	else if (mr_str_is(key->key, "relays") || mr_str_is(key->key, "tls_policies")) {
		mr_loader_error(loader, "MR-UNSUPPORTED", key->key_line, key->key_column,
		        "'%.*s' is not supported by this version", MR_FMT(key->key));
		mr_reader_skip(loader->reader);
	} else {
		return false;
	}
	return true;
}

/* The name of a role as it is, of a host in canonical form; false when it is none. */
static bool overlay_name(
        struct mr_loader *loader, const struct mr_node *key, bool is_host, mr_str *out)
{
	const char *why;

	if (!is_host) {
		*out = key->key;
		if (mr_secret_name_is_good(key->key))
			return true;
		mr_loader_error(loader, "MR-NAME-HOST", key->key_line, key->key_column,
		        "role '%.*s' has no good name: letters, digits, '.', '_' and '-'",
		        MR_FMT(mr_str_take(key->key, 80)));
		return false;
	}
	if (mr_host_parse(&loader->names, key->key, 1, out, &why) == 0)
		return true;
	mr_loader_error(loader, "MR-NAME-HOST", key->key_line, key->key_column,
	        "'%.*s' is no host name: %s", MR_FMT(mr_str_take(key->key, 80)), why);
	return false;
}

/* One role or host: its sections in a layer of their own, and the roles of a host. */
static void load_overlay(
        struct mr_loader *loader, const struct mr_node *outer, mr_str name, bool is_host)
{
	struct mr_fields_at at = {.kind = MR_KIND_host};
	struct mr_buf row = MR_BUF_INIT, *old = loader->body;
	struct mr_node key;

	mr_row_head(&row, outer->key_line, outer->key_column);
	loader->layer = mr_str_printf(&loader->names, "%c%.*s", is_host ? '2' : '1', MR_FMT(name));
	if (mr_reader_enter(loader->reader, is_host ? "a host" : "a role", NULL)) {
		while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
			mr_arena_reset(&loader->object);
			if (is_host && mr_str_is(key.key, "roles")) {
				loader->body = &row;
				mr_loader_value(loader, &at, MR_F_HOST_ROLES,
				        mr_reader_value(loader->reader, &loader->object, &key));
				loader->body = old;
			} else if (!load_section(loader, &key)) {
				mr_loader_unknown(loader, &key, is_host ? "a host" : "a role",
				        is_host ? "roles accounts defaults domains transports "
				                  "relays tls_policies postfix dovecot ldap"
				                : "accounts defaults domains transports relays "
				                  "tls_policies postfix dovecot ldap");
				mr_reader_skip(loader->reader);
			}
		}
	}
	loader->layer = (mr_str){0};
	loader->body = &row;
	mr_loader_end(loader, is_host ? MR_KIND_host : MR_KIND_role, name);
	loader->body = old;
	mr_buf_done(&row);
}

static void load_overlays(struct mr_loader *loader, bool is_host)
{
	struct mr_node key;
	mr_str name;

	if (!mr_reader_enter(loader->reader, is_host ? "'hosts'" : "'roles'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		if (overlay_name(loader, &key, is_host, &name))
			load_overlay(loader, &key, name, is_host);
		else
			mr_reader_skip(loader->reader);
	}
}

/* mailreeve and policy stand in the root file only; a copy elsewhere is reported and passed over.
 */
static bool is_misplaced(struct mr_loader *loader, const struct mr_node *key)
{
	if (loader->is_root ||
	        (!mr_str_is(key->key, "mailreeve") && !mr_str_is(key->key, "policy")))
		return false;
	mr_loader_error(loader, "MR-ROOT-ONLY", key->key_line, key->key_column,
	        "'%.*s' may stand in " MR_ROOT_FILE " only", MR_FMT(key->key));
	mr_reader_skip(loader->reader);
	return true;
}

static void load_key(struct mr_loader *loader, const struct mr_node *key)
{
	if (is_misplaced(loader, key))
		return;
	if (mr_str_is(key->key, "mailreeve"))
		load_version(loader, key);
	else if (mr_str_is(key->key, "policy"))
		mr_load_policy(loader);
	else if (mr_str_is(key->key, "roles"))
		load_overlays(loader, false);
	else if (mr_str_is(key->key, "hosts"))
		load_overlays(loader, true);
	else if (!load_section(loader, key)) {
		mr_loader_unknown(loader, key, "the file", SECTIONS);
		mr_reader_skip(loader->reader);
	}
}

static void load_sections(struct mr_loader *loader)
{
	struct mr_node key = {0};
	bool is_first = true;

	if (mr_reader_begin(loader->reader)) {
		while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
			if (is_first && loader->is_root && !mr_str_is(key.key, "mailreeve"))
				mr_loader_error(loader, "MR-ROOT-FIRST", key.key_line,
				        key.key_column,
				        MR_ROOT_FILE
				        " must start with 'mailreeve: 1', not with '%.*s'",
				        MR_FMT(mr_str_take(key.key, 80)));
			is_first = false;
			mr_arena_reset(&loader->object);
			load_key(loader, &key);
		}
	}
	if (is_first && loader->is_root && !mr_reader_is_broken(loader->reader))
		mr_loader_error(loader, "MR-ROOT-FIRST", 1, 1,
		        MR_ROOT_FILE " must start with 'mailreeve: 1'");
}

int mr_load_file(struct mr_diags *diags, struct mr_spool *spool, const struct mr_load_input *input,
        struct mr_buf *keys, bool *out_is_broken)
{
	struct mr_buf body = MR_BUF_INIT;
	struct mr_loader loader = {.diags = diags,
	        .spool = spool,
	        .keys = keys,
	        .file = input->file,
	        .body = &body,
	        .is_root = mr_str_is(input->path, MR_ROOT_FILE)};

	loader.reader = mr_reader_new(diags, input->path, input->bytes);
	load_sections(&loader);
	*out_is_broken = mr_reader_is_broken(loader.reader);
	mr_reader_free(loader.reader);
	mr_arena_done(&loader.names);
	mr_arena_done(&loader.object);
	mr_buf_done_secret(&body);
	mr_buf_done(&loader.small);
	mr_buf_done(&loader.row_key);
	return loader.error;
}
