/*
 * The JSON Schema of the language. Shapes of sections stand here; attributes, words and types come
 * from the tables.
 *
 * What JSON Schema cannot say (references, duplicates over files, names by IDNA) is left to
 * `mailreeve validate`; the schema is for editors and for tools that write repositories.
 */
#include "model/schema.h"

#include <string.h>

#include "base/json.h"
#include "model/kinds.h"
#include "model/policy.h"

/* Definitions that are one pattern or plain JSON each. */
static const struct {
	const char *name;
	const char *json;
} definitions[] = {
        {"line", "{\"type\":[\"string\",\"number\",\"boolean\"],\"not\":{\"type\":\"string\","
                 "\"pattern\":\"[\\\\n\\\\t]\"}}"},
        {"text", "{\"type\":[\"string\",\"number\",\"boolean\"]}"},
        {"bool", "{\"type\":\"boolean\"}"},
        {"count", "{\"type\":[\"integer\",\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+$\"}"},
        {"size", "{\"type\":[\"integer\",\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+[KMGT]?$"
                 "\"}"},
        {"quota", "{\"anyOf\":[{\"$ref\":\"#/$defs/size\"},{\"const\":\"unlimited\"}]}"},
        {"duration", "{\"type\":\"string\",\"pattern\":\"^[0-9]+[smhd]$\"}"},
        {"date", "{\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}$\"}"},
        {"host", "{\"type\":\"string\",\"pattern\":\"^[^ _*@.]+(\\\\.[^ _*@.]+)+$\"}"},
        {"address", "{\"type\":[\"string\",\"integer\"],\"maxLength\":254,\"pattern\":\"^[^@ "
                    "]{1,64}(@[^@ ]+)?$\"}"},
        {"local", "{\"type\":\"string\",\"pattern\":\"^[^@ +]{1,64}$\"}"},
        {"addresses", "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"$ref\":\"#/$defs/address\"},"
                      "{\"$ref\":\"#/$defs/secret\"}]}}"},
        {"names_of_ours", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/address\"}}"},
        {"nets", "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^[0-"
                 "9A-Fa-"
                 "f.:]+(/[0-9]+)?$\"},{\"$ref\":\"#/$defs/secret\"}]}}"},
        {"owner", "{\"type\":\"string\",\"pattern\":\"^[^: ]+:[^: ]+$\"}"},
        {"path", "{\"type\":\"string\",\"pattern\":\"^/\"}"},
        {"secret", "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"secret\"],"
                   "\"properties\":"
                   "{\"secret\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"
                   "\"}}}"},
        {"password", "{\"type\":\"string\",\"pattern\":\"^\\\\{[A-Za-z0-9._-]+\\\\}.\"}"},
        {"transport", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]*:[^ ]*$\"}"},
        {"names", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/line\"}}"},
        {"any", "true"},
        {"scalar", "{\"anyOf\":[{\"$ref\":\"#/$defs/line\"},{\"$ref\":\"#/$defs/secret\"}]}"},
        {"server_value", "{\"anyOf\":[{\"$ref\":\"#/$defs/scalar\"},{\"type\":\"array\",\"items\":"
                         "{\"$ref\":\"#/$defs/scalar\"}}]}"},
        {"route", "{\"anyOf\":[{\"$ref\":\"#/$defs/transport\"},{\"$ref\":\"#/$defs/secret\"}]}"},
        {"settings", "{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"anyOf\":[{\"$"
                     "ref\":\"#/$defs/server_value\"},"
                     "{\"$ref\":\"#/$defs/settings\"}]}}"},
        {"parameters", "{\"type\":[\"object\",\"null\"],\"propertyNames\":{\"pattern\":\"^[A-Za-z0-"
                       "9_.-]+$\"},"
                       "\"additionalProperties\":{\"$ref\":\"#/$defs/server_value\"}}"},
        {"entries", "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":2,"
                    "\"maxItems\":2,\"items\":"
                    "{\"$ref\":\"#/$defs/"
                    "scalar\"}}},{\"type\":[\"object\",\"null\"],\"additionalProperties\":"
                    "{\"$ref\":\"#/$defs/server_value\"}}]}"},
        {"ldap_value", "{\"anyOf\":[{\"$ref\":\"#/$defs/text\"},{\"$ref\":\"#/$defs/"
                       "secret\"},{\"type\":\"object\",\"additionalProperties\":"
                       "false,\"required\":[\"base64\"],\"properties\":{\"base64\":{\"type\":"
                       "\"string\"}}}]}"},
        {"ldap_values", "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/"
                        "ldap_value\"},{\"type\":\"array\",\"items\":"
                        "{\"$ref\":\"#/$defs/ldap_value\"}}]}"},
        {"ldap_attribute", "{\"anyOf\":[{\"$ref\":\"#/$defs/"
                           "ldap_values\"},{\"type\":\"object\",\"additionalProperties\":false,"
                           "\"required\":[\"value\"],\"properties\":{\"value\":{\"$ref\":\"#/$defs/"
                           "ldap_values\"},\"owner\":"
                           "{\"enum\":[\"live\",\"git\"]}}}]}"},
        {"ldap_entry", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/"
                       "ldap_attribute\"}}"},
        {"limit", "{\"type\":[\"string\",\"integer\"],\"pattern\":\"^([0-9]+|[0-9.]+%|[0-9]+ or "
                  "[0-9.]+%)$\"}"},
        {"window", "{\"type\":\"string\",\"pattern\":\"^([A-Z][a-z]{2}([,-][A-Z][a-z]{2})* "
                   ")?[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$\"}"},
};

static void raw(struct mr_json *json, const char *text)
{
	/* The writer sets commas only for what it knows: an empty string stands in for the value
	 * and is replaced. */
	mr_json_text(json, "");
	json->out->size -= 2;
	mr_buf_add_text(json->out, text);
}

static void reference(struct mr_json *json, const char *name)
{
	struct mr_buf path = MR_BUF_INIT;

	mr_json_begin_object(json);
	mr_buf_printf(&path, "#/$defs/%s", name);
	mr_json_member_str(json, "$ref", mr_buf_str(&path));
	mr_json_end_object(json);
	mr_buf_done(&path);
}

static void write_words(struct mr_json *json, const char *words)
{
	mr_str rest = mr_str_from(words);

	mr_json_begin_object(json);
	mr_json_name(json, "enum");
	mr_json_begin_array(json);
	while (rest.data) {
		mr_str word = mr_str_split(&rest, ' ');

		if (!mr_str_starts(word, MR_STR("!")))
			mr_json_str(json, word);
	}
	mr_json_end_array(json);
	mr_json_end_object(json);
}

static void write_type(struct mr_json *json, const struct mr_field *field)
{
	if (field->type == MR_TYPE_BOOL && field->words) {
		raw(json, "{\"const\":false}");
	} else if (field->type == MR_TYPE_WORD) {
		write_words(json, field->words);
	} else if (field->type == MR_TYPE_WORDS) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "type", MR_STR("array"));
		mr_json_name(json, "items");
		write_words(json, field->words);
		mr_json_end_object(json);
	} else if (field->type == MR_TYPE_ADDRESSES && !mr_field_may_be_secret(field)) {
		reference(json, "names_of_ours");
	} else {
		reference(json, mr_type_schema(field->type));
	}
}

/* A secret stands for the items of a list, not for the list. */
static bool is_secret_beside(const struct mr_field *field)
{
	return mr_field_may_be_secret(field) && field->type != MR_TYPE_ADDRESSES &&
	       field->type != MR_TYPE_NETS;
}

static void write_field(struct mr_json *json, const struct mr_field *field, const char *name)
{
	mr_json_name(json, name);
	mr_json_begin_object(json);
	mr_json_member_str(json, "description", mr_str_from(field->meaning));
	mr_json_name(json, is_secret_beside(field) ? "anyOf" : "allOf");
	mr_json_begin_array(json);
	write_type(json, field);
	if (is_secret_beside(field))
		reference(json, "secret");
	mr_json_end_array(json);
	mr_json_end_object(json);
}

static bool is_offered(const struct mr_field *field)
{
	return !(field->flags & (MR_FIELD_UNSUPPORTED | MR_FIELD_UNENFORCED));
}

static void begin_closed(struct mr_json *json, bool may_be_null)
{
	mr_json_begin_object(json);
	mr_json_name(json, "type");
	mr_json_begin_array(json);
	mr_json_text(json, "object");
	if (may_be_null)
		mr_json_text(json, "null");
	mr_json_end_array(json);
	mr_json_member_bool(json, "additionalProperties", false);
	mr_json_name(json, "properties");
	mr_json_begin_object(json);
}

static void end_closed(struct mr_json *json)
{
	mr_json_end_object(json);
	mr_json_end_object(json);
}

/* The fields nested below prefix ("forward"), as one property. */
static void write_nested(struct mr_json *json, const struct mr_kind *kind, mr_str prefix)
{
	char name[64] = "";

	memcpy(name, prefix.data, prefix.size < sizeof name ? prefix.size : sizeof name - 1);
	mr_json_name(json, name);
	begin_closed(json, false);
	for (size_t i = 0; i < kind->n_fields; i++) {
		mr_str field = mr_str_from(kind->fields[i].name);

		if (is_offered(&kind->fields[i]) && mr_str_starts(field, prefix) &&
		        field.size > prefix.size && field.data[prefix.size] == '.')
			write_field(json, &kind->fields[i], field.data + prefix.size + 1);
	}
	end_closed(json);
}

static void write_fields(struct mr_json *json, enum mr_kind_id id)
{
	const struct mr_kind *kind = mr_kind_get(id);
	mr_str done = {0};

	for (size_t i = 0; i < kind->n_fields; i++) {
		mr_str name = mr_str_from(kind->fields[i].name);
		mr_str prefix = mr_str_take(name, mr_str_find(name, '.'));

		if (!is_offered(&kind->fields[i]) ||
		        (id == MR_KIND_table && mr_str_is(name, "entries")))
			continue;
		if (prefix.size == name.size)
			write_field(json, &kind->fields[i], name.data);
		else if (!mr_str_eq(prefix, done))
			write_nested(json, kind, prefix);
		done = prefix;
	}
}

/* name: {key: VALUE, …} where every value is of one definition, and every key too unless keys is
 * NULL. */
static void write_keyed(
        struct mr_json *json, const char *name, const char *keys, const char *definition)
{
	mr_json_name(json, name);
	mr_json_begin_object(json);
	mr_json_name(json, "type");
	raw(json, "[\"object\",\"null\"]");
	if (keys) {
		mr_json_name(json, "propertyNames");
		reference(json, keys);
	}
	mr_json_name(json, "additionalProperties");
	reference(json, definition);
	mr_json_end_object(json);
}

static void write_map(struct mr_json *json, const char *name, const char *definition)
{
	write_keyed(json, name, NULL, definition);
}

static void write_ref(struct mr_json *json, const char *name, const char *definition)
{
	mr_json_name(json, name);
	reference(json, definition);
}

static void write_kinds(struct mr_json *json)
{
	mr_json_name(json, "user");
	begin_closed(json, true);
	write_fields(json, MR_KIND_user);
	end_closed(json);
	mr_json_name(json, "alias_mapping");
	begin_closed(json, false);
	write_fields(json, MR_KIND_alias);
	end_closed(json);
	mr_json_name(json, "alias");
	raw(json, "{\"anyOf\":[{\"$ref\":\"#/$defs/addresses\"},{\"$ref\":\"#/$defs/"
	          "alias_mapping\"}]}");
	mr_json_name(json, "domain");
	begin_closed(json, true);
	write_fields(json, MR_KIND_domain);
	write_keyed(json, "users", "local", "user");
	write_keyed(json, "aliases", "local", "alias");
	write_ref(json, "defaults", "user");
	end_closed(json);
	mr_json_name(json, "table");
	begin_closed(json, true);
	write_fields(json, MR_KIND_table);
	write_ref(json, "entries", "entries");
	end_closed(json);
	mr_json_name(json, "ldap_tree");
	begin_closed(json, true);
	write_fields(json, MR_KIND_ldap_tree);
	end_closed(json);
	mr_json_name(json, "waiver");
	begin_closed(json, false);
	write_fields(json, MR_KIND_waiver);
	end_closed(json);
}

/* The sections that may stand in every file, and in roles and hosts. */
static void write_common(struct mr_json *json)
{
	mr_json_name(json, "accounts");
	begin_closed(json, true);
	write_fields(json, MR_KIND_accounts);
	end_closed(json);
	mr_json_name(json, "defaults");
	begin_closed(json, true);
	write_ref(json, "user", "user");
	end_closed(json);
	write_keyed(json, "domains", "host", "domain");
	write_map(json, "transports", "route");
	mr_json_name(json, "postfix");
	begin_closed(json, true);
	write_ref(json, "parameters", "parameters");
	write_map(json, "tables", "table");
	end_closed(json);
	mr_json_name(json, "dovecot");
	begin_closed(json, true);
	write_ref(json, "settings", "settings");
	end_closed(json);
	mr_json_name(json, "ldap");
	begin_closed(json, true);
	write_map(json, "trees", "ldap_tree");
	write_map(json, "entries", "ldap_entry");
	end_closed(json);
}

static void write_policy(struct mr_json *json)
{
	mr_json_name(json, "policy");
	begin_closed(json, true);
	mr_json_name(json, "max_change");
	begin_closed(json, true);
	for (const char *const *id = mr_policy_limit_ids(); *id; id++)
		write_ref(json, *id, "limit");
	end_closed(json);
	write_ref(json, "protect", "names");
	mr_json_name(json, "windows");
	begin_closed(json, true);
	write_ref(json, "restart", "window");
	write_ref(json, "apply", "window");
	end_closed(json);
	mr_json_name(json, "allow");
	begin_closed(json, true);
	write_ref(json, "password_schemes", "names");
	end_closed(json);
	mr_json_name(json, "waive");
	raw(json, "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/waiver\"}}");
	end_closed(json);
}

static void write_overlays(struct mr_json *json)
{
	mr_json_name(json, "role");
	begin_closed(json, true);
	write_common(json);
	end_closed(json);
	mr_json_name(json, "host_overlay");
	begin_closed(json, true);
	write_fields(json, MR_KIND_host);
	write_common(json);
	end_closed(json);
}

static void write_definitions(struct mr_json *json)
{
	mr_json_name(json, "$defs");
	mr_json_begin_object(json);
	for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
		mr_json_name(json, definitions[i].name);
		raw(json, definitions[i].json);
	}
	write_kinds(json);
	write_overlays(json);
	mr_json_end_object(json);
}

void mr_model_write_schema(struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(
	        &json, "$schema", MR_STR("https://json-schema.org/draft/2020-12/schema"));
	mr_json_member_str(
	        &json, "title", MR_STR("mailreeve: one file of a repository, language version 1"));
	mr_json_name(&json, "type");
	raw(&json, "[\"object\",\"null\"]");
	mr_json_member_bool(&json, "additionalProperties", false);
	mr_json_name(&json, "properties");
	mr_json_begin_object(&json);
	mr_json_name(&json, "mailreeve");
	raw(&json, "{\"const\":1}");
	write_common(&json);
	write_map(&json, "roles", "role");
	write_map(&json, "hosts", "host_overlay");
	write_policy(&json);
	mr_json_end_object(&json);
	write_definitions(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}
