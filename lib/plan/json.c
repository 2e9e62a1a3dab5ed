/*
 * The plan as JSON: format mailreeve.plan/1 (schema/plan.schema.json). Minor versions only add
 * fields.
 */
#include "plan/doc.h"

static void optional(struct mr_json *json, const char *name, mr_str value)
{
	mr_json_name(json, name);
	if (value.size > 0)
		mr_json_str(json, value);
	else
		mr_json_null(json);
}

static void strings(struct mr_json *json, const struct mr_strs *list)
{
	mr_json_begin_array(json);
	mr_vec_each (text, list)
		mr_json_str(json, *text);
	mr_json_end_array(json);
}

/* A text, a list of texts, or null for "not there": a list without items is one that is there and
 * empty. */
static void values(struct mr_json *json, const char *name, const struct mr_strs *list, bool is_list)
{
	mr_json_name(json, name);
	if ((is_list && list->items) || list->n > 1)
		strings(json, list);
	else if (list->items && list->n == 1)
		mr_json_str(json, list->items[0]);
	else
		mr_json_null(json);
}

static void counts(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_begin_object(json);
	for (int action = 0; action < MR_ACTION_COUNT; action++)
		mr_json_member_int(json, mr_action_word((enum mr_action)action, MR_STR("")),
		        (int64_t)doc->counts[action]);
	mr_json_member_int(json, "unchanged", (int64_t)doc->unchanged);
	mr_json_end_object(json);
}

static void live(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "live");
	mr_json_begin_object(json);
	mr_vec_each (server, &doc->servers) {
		bool is_ldap = mr_str_is(server->name, "ldap");
		mr_json_name(json, is_ldap                              ? "ldap"
		                   : mr_str_is(server->name, "postfix") ? "postfix"
		                                                        : "dovecot");
		mr_json_begin_object(json);
		if (is_ldap)
			mr_json_member_str(json, "uri", server->uri);
		mr_json_member_str(json, "version", server->version);
		mr_json_member_str(json, "read", server->read);
		if (is_ldap)
			mr_json_member_int(json, "entries", (int64_t)server->entries);
		mr_json_end_object(json);
	}
	mr_json_end_object(json);
}

static void actions(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "actions");
	mr_json_begin_array(json);
	mr_vec_each (action, &doc->actions) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "service", action->service);
		mr_json_member_str(json, "action", action->action);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

static void impact(struct mr_json *json, const struct mr_impact *all)
{
	mr_json_name(json, "impact");
	mr_json_begin_object(json);
	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++) {
		mr_json_name(json, mr_impact_word((enum mr_impact_kind)kind));
		mr_json_begin_array(json);
		mr_vec_each (address, &all->lists[kind])
			mr_json_str(json, address->address);
		mr_json_end_array(json);
	}
	mr_json_name(json, "routes_changed");
	mr_json_begin_array(json);
	mr_vec_each (route, &all->routes) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "address", route->address);
		optional(json, "before", route->before);
		optional(json, "after", route->after);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
	mr_json_end_object(json);
}

static void rails(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "rails");
	mr_json_begin_array(json);
	mr_vec_each (rail, &doc->rails) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "id", rail->id);
		mr_json_member_str(json, "limit", rail->limit);
		mr_json_member_int(json, "actual", (int64_t)rail->actual);
		mr_json_member_int(json, "total", (int64_t)rail->total);
		mr_json_member_str(
		        json, "result", rail->is_passed ? MR_STR("pass") : MR_STR("refused"));
		if (rail->text.size > 0)
			mr_json_member_str(json, "text", rail->text);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

static void attributes(struct mr_json *json, const struct mr_doc_object *object)
{
	mr_json_name(json, "attributes");
	mr_json_begin_array(json);
	for (size_t i = 0; i < object->n_attributes; i++) {
		const struct mr_doc_attribute *attribute = &object->attributes[i];
		mr_json_begin_object(json);
		mr_json_member_str(json, "name", attribute->name);
		if (attribute->is_sensitive) {
			mr_json_member_bool(json, "sensitive", true);
		} else {
			values(json, "before", &attribute->before.list, attribute->is_list);
			values(json, "after", &attribute->after.list, attribute->is_list);
		}
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

/* Beside the attributes, so that a sensitive one stays just its name. */
static void fingerprints(struct mr_json *json, const struct mr_doc_object *object)
{
	bool has_any = false;

	for (size_t i = 0; i < object->n_attributes; i++) {
		const struct mr_doc_attribute *attribute = &object->attributes[i];
		if (attribute->fingerprint.size == 0)
			continue;
		if (!has_any) {
			mr_json_name(json, "fingerprints");
			mr_json_begin_array(json);
		}
		has_any = true;
		mr_json_begin_object(json);
		mr_json_member_str(json, "name", attribute->name);
		mr_json_member_str(json, "fingerprint", attribute->fingerprint);
		mr_json_end_object(json);
	}
	if (has_any)
		mr_json_end_array(json);
}

static void change(struct mr_json *json, const struct mr_doc_object *object)
{
	mr_json_begin_object(json);
	mr_json_member_str(json, "object", object->object);
	mr_json_member_str(
	        json, "action", mr_str_from(mr_action_word(object->action, object->object)));
	mr_json_member_str(json, "reason", mr_str_from(mr_reason_word(object->reason)));
	optional(json, "at", object->at);
	if (object->renamed_from.size > 0)
		mr_json_member_str(json, "renamed_from", object->renamed_from);
	if (object->means.size > 0)
		mr_json_member_str(json, "means", object->means);
	attributes(json, object);
	fingerprints(json, object);
	mr_json_name(json, "targets");
	strings(json, &object->targets);
	mr_json_member_str(json, "risk", mr_str_from(mr_risk_word(object->risk)));
	mr_json_member_str(json, "effect", object->effect);
	mr_json_end_object(json);
}

static void trace(struct mr_json *json, const struct mr_trace *from)
{
	const struct {
		const char *name;
		mr_str value;
	} members[] = {{"by", from->by}, {"since", from->since}, {"file", from->file},
	        {"owner", from->owner}};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (members[i].value.size > 0)
			mr_json_member_str(json, members[i].name, members[i].value);
}

static void drift(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "drift");
	mr_json_begin_array(json);
	mr_vec_each (one, &doc->drift) {
		mr_json_begin_object(json);
		mr_json_member_str(json, "object", one->object);
		mr_json_member_str(json, "attribute", one->attribute);
		if (one->is_sensitive) {
			mr_json_member_bool(json, "sensitive", true);
		} else {
			values(json, "applied", &one->applied, false);
			values(json, "live", &one->live, false);
		}
		trace(json, &one->trace);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

static void warnings(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "warnings");
	mr_json_begin_array(json);
	mr_vec_each (warning, &doc->warnings) {
		mr_json_begin_object(json);
		optional(json, "rule", warning->rule);
		optional(json, "at", warning->at);
		mr_json_member_str(json, "text", warning->text);
		mr_json_end_object(json);
	}
	mr_json_end_array(json);
}

static void desired(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_name(json, "desired");
	mr_json_begin_object(json);
	optional(json, "ref", doc->ref);
	optional(json, "commit", doc->commit);
	optional(json, "tree", doc->tree);
	if (doc->directory.size > 0)
		mr_json_member_str(json, "directory", doc->directory);
	mr_json_end_object(json);
}

static void changes(struct mr_json *json, const struct mr_plan_doc *doc)
{
	mr_json_begin_array(json);
	mr_vec_each (object, &doc->objects)
		change(json, object);
	mr_json_end_array(json);
}

void mr_doc_changes_json(const struct mr_plan_doc *doc, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, false);
	changes(&json, doc);
}

void mr_doc_json(const struct mr_plan_doc *doc, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.plan/1"));
	mr_json_member_str(&json, "digest", doc->digest);
	mr_json_member_str(&json, "effects", doc->effects_digest);
	mr_json_member_str(&json, "created", doc->created);
	mr_json_member_str(&json, "mailreeve", doc->version);
	mr_json_member_str(&json, "host", doc->host);
	desired(&json, doc);
	live(&json, doc);
	mr_json_name(&json, "summary");
	counts(&json, doc);
	actions(&json, doc);
	impact(&json, &doc->impact);
	rails(&json, doc);
	mr_json_name(&json, "changes");
	changes(&json, doc);
	drift(&json, doc);
	mr_json_member_bool(&json, "heals_drift", doc->heals_drift);
	warnings(&json, doc);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

void mr_doc_summary_json(const struct mr_plan_doc *doc, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, false);
	counts(&json, doc);
}
