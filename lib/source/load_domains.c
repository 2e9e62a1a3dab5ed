/*
 * The section domains: domains with their users and aliases; and the section transports.
 */
#include "source/loader.h"

#include "base/text.h"

#define DOMAIN_EXTRA "users aliases defaults"

/* The canonical key of a user or alias: false, and reported, when local is no local part. */
static bool member_key(struct mr_loader *loader, const char *what, mr_str domain,
        const struct mr_node *key, mr_str *out)
{
	const char *why = NULL;
	mr_str local;

	if (mr_str_find(key->key, '@') < key->key.size)
		why = "it is written without its domain";
	else if (mr_local_parse(&loader->object, key->key, false, &local, &why) == 0)
		why = local.size + 1 + domain.size > 254 ? "the address is longer than 254 octets"
		                                         : NULL;
	if (!why) {
		*out = mr_str_printf(&loader->object, "%.*s@%.*s", MR_FMT(local), MR_FMT(domain));
		return true;
	}
	mr_loader_error(loader, "MR-NAME-LOCAL", key->key_line, key->key_column,
	        "%s '%.*s' is no local part: %s", what, MR_FMT(mr_str_take(key->key, 80)), why);
	return false;
}

static void load_user(struct mr_loader *loader, const struct mr_node *key, mr_str domain)
{
	struct mr_fields_at at = {.kind = MR_KIND_user, .domain = domain};
	mr_str address;

	if (!member_key(loader, "user", domain, key, &address)) {
		mr_reader_skip(loader->reader);
		return;
	}
	if (mr_str_find(address, '/') < address.size) {
		mr_loader_error(loader, "MR-NAME-LOCAL", key->key_line, key->key_column,
		        "user '%.*s' cannot have a '/' in its name: it names a folder",
		        MR_FMT(key->key));
		mr_reader_skip(loader->reader);
		return;
	}
	mr_loader_begin(loader, key);
	mr_loader_fields(loader, &at, mr_reader_value(loader->reader, &loader->object, key));
	mr_loader_end(loader, MR_KIND_user, address);
}

static void load_alias(struct mr_loader *loader, const struct mr_node *key, mr_str domain)
{
	struct mr_fields_at at = {.kind = MR_KIND_alias, .domain = domain};
	const struct mr_node *value;
	mr_str address;

	if (!member_key(loader, "alias", domain, key, &address)) {
		mr_reader_skip(loader->reader);
		return;
	}
	value = mr_reader_value(loader->reader, &loader->object, key);
	mr_loader_begin(loader, key);
	if (value->type == MR_NODE_MAP)
		mr_loader_fields(loader, &at, value);
	else
		mr_loader_value(loader, &at, MR_F_ALIAS_TO, value);
	mr_loader_end(loader, MR_KIND_alias, address);
}

static void load_members(struct mr_loader *loader, const char *what, mr_str domain,
        void (*load)(struct mr_loader *, const struct mr_node *, mr_str))
{
	struct mr_buf row = MR_BUF_INIT, *outer = loader->body;
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, what, NULL))
		return;
	loader->body = &row;
	mr_arena_reset(&loader->object);
	while (mr_reader_next_key(loader->reader, &loader->object, &key)) {
		load(loader, &key, domain);
		mr_arena_reset(&loader->object);
	}
	loader->body = outer;
	mr_buf_done_secret(&row);
}

static void load_domain(struct mr_loader *loader, const struct mr_node *outer, mr_str name)
{
	struct mr_fields_at at = {.kind = MR_KIND_domain, .domain = name, .extra = DOMAIN_EXTRA};
	struct mr_fields_at defaults = {
	        .kind = MR_KIND_user, .id_base = MR_DOMAIN_DEFAULTS, .domain = name};
	struct mr_buf row = MR_BUF_INIT, *old = loader->body;
	struct mr_node key;

	loader->body = &row;
	mr_loader_begin(loader, outer);
	if (!mr_str_eq(outer->key, name))
		mr_loader_leaf(loader, MR_LEAF_WRITTEN, outer, MR_ITEM_TEXT, outer->key);
	if (mr_reader_enter(loader->reader, "a domain", NULL)) {
		while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
			mr_arena_reset(&loader->object);
			if (mr_str_is(key.key, "users"))
				load_members(loader, "'users'", name, load_user);
			else if (mr_str_is(key.key, "aliases"))
				load_members(loader, "'aliases'", name, load_alias);
			else if (mr_str_is(key.key, "defaults"))
				mr_loader_fields(loader, &defaults,
				        mr_reader_value(loader->reader, &loader->object, &key));
			else
				mr_loader_field(loader, &at, (mr_str){0},
				        mr_reader_value(loader->reader, &loader->object, &key));
		}
	}
	mr_loader_end(loader, MR_KIND_domain, name);
	loader->body = old;
	mr_buf_done(&row);
}

void mr_load_domains(struct mr_loader *loader)
{
	struct mr_node key;
	const char *why;
	mr_str name;

	if (!mr_reader_enter(loader->reader, "'domains'", NULL))
		return;
	while (mr_reader_next_key(loader->reader, &loader->names, &key)) {
		if (mr_domain_parse(&loader->names, key.key, (mr_str){0}, &name, &why) == 0) {
			load_domain(loader, &key, name);
			continue;
		}
		mr_loader_error(loader, "MR-NAME-DOMAIN", key.key_line, key.key_column,
		        "'%.*s' is no domain name: %s", MR_FMT(mr_str_take(key.key, 80)), why);
		mr_reader_skip(loader->reader);
	}
}

static void load_transport(struct mr_loader *loader, const struct mr_node *key)
{
	static const struct mr_field field = {"transport", MR_TYPE_TRANSPORT, 0, NULL, ""};
	const struct mr_node *value = mr_reader_value(loader->reader, &loader->object, key);
	enum mr_item_form form = MR_ITEM_TEXT;
	struct mr_complaint complaint;
	const char *why;
	mr_str name, text;

	if (mr_transport_key_parse(&loader->object, key->key, &name, &why) < 0) {
		mr_loader_error(loader, "MR-NAME-TRANSPORT", key->key_line, key->key_column,
		        "'%.*s' is no key of a transport table: %s",
		        MR_FMT(mr_str_take(key->key, 80)), why);
		return;
	}
	if (mr_loader_secret(loader, value, MR_TYPE_TRANSPORT, &text)) {
		if (!text.size)
			return;
		form = MR_ITEM_SECRET;
	} else if (!mr_loader_line(loader, value, "a transport", &text)) {
		return;
	} else if (mr_value_parse(&loader->object, &field, text, (mr_str){0}, &text, &complaint) <
	           0) {
		mr_loader_error(loader, complaint.rule, value->line, value->column,
		        "'%.*s' is no transport:nexthop: %s", MR_FMT(mr_str_take(value->text, 80)),
		        complaint.why);
		return;
	}
	mr_loader_begin(loader, key);
	mr_loader_leaf(loader, MR_F_VALUE, value, form, text);
	mr_loader_end(loader, MR_KIND_transport, name);
}

void mr_load_transports(struct mr_loader *loader)
{
	struct mr_node key;

	if (!mr_reader_enter(loader->reader, "'transports'", NULL))
		return;
	mr_arena_reset(&loader->object);
	while (mr_reader_next_key(loader->reader, &loader->object, &key)) {
		load_transport(loader, &key);
		mr_arena_reset(&loader->object);
	}
}
