/*
 * Reading a plan's JSON back: strict, since a saved plan may come from anywhere.
 */
#include "plan/doc.h"

struct reading {
	struct mr_diags *diags;
	struct mr_arena *arena;
	struct mr_plan_doc *doc;
	bool is_broken;
};

static void broken(struct reading *reading, const char *what)
{
	if (!reading->is_broken)
		(void)mr_fail(reading->diags, MR_E_INVALID, "cannot read the saved plan: %s", what);
	reading->is_broken = true;
}

static const struct mr_json_value *member(struct reading *reading, const struct mr_json_value *from,
        const char *name, enum mr_json_type type)
{
	const struct mr_json_value *value = mr_json_find(from, name);

	if (value && value->type == type)
		return value;
	broken(reading,
	        mr_str_printf(reading->arena, "'%s' is missing or of a wrong type", name).data);
	return NULL;
}

static mr_str text_of(struct reading *reading, const struct mr_json_value *from, const char *name)
{
	const struct mr_json_value *value = member(reading, from, name, MR_JSON_STRING);

	return value ? value->text : (mr_str){0};
}

/* A text, or null for none; absent is the same as null. */
static mr_str optional_of(
        struct reading *reading, const struct mr_json_value *from, const char *name)
{
	const struct mr_json_value *value = mr_json_find(from, name);

	if (!value || value->type == MR_JSON_NULL)
		return (mr_str){0};
	return text_of(reading, from, name);
}

static uint64_t number_of(
        struct reading *reading, const struct mr_json_value *from, const char *name)
{
	int64_t value = mr_json_get_int(from, name, -1);

	if (value < 0)
		broken(reading, mr_str_printf(reading->arena, "'%s' is no number", name).data);
	return value < 0 ? 0 : (uint64_t)value;
}

static bool flag_of(const struct mr_json_value *from, const char *name)
{
	const struct mr_json_value *value = mr_json_find(from, name);

	return value && value->type == MR_JSON_BOOL && mr_str_is(value->text, "true");
}

static struct mr_strs strings_of(struct reading *reading, const struct mr_json_value *array)
{
	struct mr_strs list = {
	        mr_alloc_n(reading->arena, array->n_children + 1, sizeof(mr_str)), 0};

	for (const struct mr_json_value *item = array->first_child; item; item = item->next) {
		if (item->type != MR_JSON_STRING) {
			broken(reading, "a list holds something else than text");
			break;
		}
		list.items[list.n++] = item->text;
	}
	return list;
}

static struct mr_strs values_of(
        struct reading *reading, const struct mr_json_value *from, const char *name, bool *is_list)
{
	const struct mr_json_value *value = mr_json_find(from, name);
	struct mr_strs list = {0};

	if (!value || value->type == MR_JSON_NULL)
		return list;
	if (value->type == MR_JSON_ARRAY) {
		*is_list = true;
		return strings_of(reading, value);
	}
	list = (struct mr_strs){mr_alloc(reading->arena, sizeof(mr_str)), 1};
	list.items[0] = text_of(reading, from, name);
	return list;
}

static const struct mr_json_value *first_of(
        struct reading *reading, const struct mr_json_value *from, const char *name)
{
	const struct mr_json_value *array = member(reading, from, name, MR_JSON_ARRAY);

	return array ? array->first_child : NULL;
}

static void read_attribute(
        struct reading *reading, const struct mr_json_value *from, struct mr_doc_attribute *out)
{
	bool is_list = false;

	*out = (struct mr_doc_attribute){.name = text_of(reading, from, "name")};
	out->is_sensitive = flag_of(from, "sensitive");
	if (out->is_sensitive)
		return;
	out->before.list = values_of(reading, from, "before", &is_list);
	out->after.list = values_of(reading, from, "after", &is_list);
	out->before.is_there = out->before.list.n > 0;
	out->after.is_there = out->after.list.n > 0;
	/* two values are a list by themselves; one or none only when it was written as one */
	out->is_list = is_list;
}

static void read_fingerprints(
        struct reading *reading, const struct mr_json_value *from, struct mr_doc_object *object)
{
	const struct mr_json_value *list = mr_json_find(from, "fingerprints");

	if (!list || list->type != MR_JSON_ARRAY)
		return;
	for (const struct mr_json_value *item = list->first_child; item; item = item->next)
		for (size_t i = 0; i < object->n_attributes; i++)
			if (object->attributes[i].is_sensitive &&
			        mr_str_eq(
			                object->attributes[i].name, mr_json_get_str(item, "name")))
				object->attributes[i].fingerprint =
				        optional_of(reading, item, "fingerprint");
}

static const char *action_word(int i)
{
	return mr_action_word((enum mr_action)i, MR_STR(""));
}

static const char *reason_word(int i)
{
	return mr_reason_word((enum mr_reason)i);
}

static const char *risk_word(int i)
{
	return mr_risk_word((enum mr_risk)i);
}

static int find_word(struct reading *reading, mr_str word, int n, const char *(*word_of)(int))
{
	for (int i = 0; i < n; i++)
		if (mr_str_is(word, word_of(i)))
			return i;
	broken(reading, "an action, reason or risk has an unknown word");
	return 0;
}

static void read_object(struct reading *reading, const struct mr_json_value *from)
{
	struct mr_doc_object object = {.object = text_of(reading, from, "object")};
	const struct mr_json_value *list = member(reading, from, "attributes", MR_JSON_ARRAY);
	const struct mr_json_value *targets = member(reading, from, "targets", MR_JSON_ARRAY);

	mr_str action = text_of(reading, from, "action");
	if (mr_str_is(action, "close"))
		action = MR_STR("delete");
	object.action = (enum mr_action)find_word(reading, action, MR_ACTION_COUNT, action_word);
	object.reason = (enum mr_reason)find_word(
	        reading, text_of(reading, from, "reason"), MR_REASON_COUNT, reason_word);
	object.risk = (enum mr_risk)find_word(
	        reading, text_of(reading, from, "risk"), MR_RISK_COUNT, risk_word);
	object.at = optional_of(reading, from, "at");
	object.renamed_from = optional_of(reading, from, "renamed_from");
	object.means = optional_of(reading, from, "means");
	object.effect = text_of(reading, from, "effect");
	if (list && targets) {
		object.targets = strings_of(reading, targets);
		object.attributes =
		        mr_alloc_n(reading->arena, list->n_children + 1, sizeof *object.attributes);
		for (const struct mr_json_value *item = list->first_child; item; item = item->next)
			read_attribute(reading, item, &object.attributes[object.n_attributes++]);
		read_fingerprints(reading, from, &object);
	}
	mr_vec_push(&reading->doc->objects, object);
}

static void read_drift(struct reading *reading, const struct mr_json_value *from)
{
	struct mr_doc_drift drift = {.object = text_of(reading, from, "object"),
	        .attribute = text_of(reading, from, "attribute")};
	bool is_list = false;

	drift.is_sensitive = flag_of(from, "sensitive");
	if (!drift.is_sensitive) {
		drift.applied = values_of(reading, from, "applied", &is_list);
		drift.live = values_of(reading, from, "live", &is_list);
	}
	drift.trace = (struct mr_trace){.by = optional_of(reading, from, "by"),
	        .since = optional_of(reading, from, "since"),
	        .file = optional_of(reading, from, "file"),
	        .owner = optional_of(reading, from, "owner")};
	mr_vec_push(&reading->doc->drift, drift);
}

static void read_rail(struct reading *reading, const struct mr_json_value *from)
{
	struct mr_rail rail = {
	        .id = text_of(reading, from, "id"),
	        .limit = text_of(reading, from, "limit"),
	        .actual = number_of(reading, from, "actual"),
	        .total = number_of(reading, from, "total"),
	        .is_passed = mr_str_is(text_of(reading, from, "result"), "pass"),
	        .text = optional_of(reading, from, "text"),
	};

	mr_vec_push(&reading->doc->rails, rail);
}

static void read_impact(struct reading *reading, const struct mr_json_value *document)
{
	const struct mr_json_value *from = member(reading, document, "impact", MR_JSON_OBJECT);
	struct mr_impact *impact = &reading->doc->impact;

	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++) {
		const char *word = mr_impact_word((enum mr_impact_kind)kind);
		const struct mr_json_value *array = member(reading, from, word, MR_JSON_ARRAY);
		struct mr_strs list = array ? strings_of(reading, array) : (struct mr_strs){0};
		for (size_t i = 0; i < list.n; i++)
			mr_vec_push(&impact->lists[kind],
			        (struct mr_doc_address){.address = list.items[i]});
	}
	for (const struct mr_json_value *item = first_of(reading, from, "routes_changed"); item;
	        item = item->next)
		mr_vec_push(&impact->routes, (struct mr_doc_route){
		                                     .address = text_of(reading, item, "address"),
		                                     .before = optional_of(reading, item, "before"),
		                                     .after = optional_of(reading, item, "after"),
		                             });
}

/* A later minor version may know more servers: they are passed over. */
static bool is_known_server(mr_str name)
{
	return mr_str_is(name, "postfix") || mr_str_is(name, "dovecot") || mr_str_is(name, "ldap");
}

static void read_servers(struct reading *reading, const struct mr_json_value *document)
{
	const struct mr_json_value *live = member(reading, document, "live", MR_JSON_OBJECT);

	for (const struct mr_json_value *item = live ? live->first_child : NULL; item;
	        item = item->next) {
		if (!is_known_server(item->name))
			continue;
		struct mr_doc_server server = {.name = item->name,
		        .version = text_of(reading, item, "version"),
		        .read = text_of(reading, item, "read"),
		        .uri = optional_of(reading, item, "uri")};
		if (mr_json_find(item, "entries"))
			server.entries = number_of(reading, item, "entries");
		mr_vec_push(&reading->doc->servers, server);
	}
}

static void read_head(struct reading *reading, const struct mr_json_value *document)
{
	struct mr_plan_doc *doc = reading->doc;
	const struct mr_json_value *desired = member(reading, document, "desired", MR_JSON_OBJECT);
	const struct mr_json_value *summary = member(reading, document, "summary", MR_JSON_OBJECT);

	doc->digest = text_of(reading, document, "digest");
	doc->effects_digest = text_of(reading, document, "effects");
	doc->created = text_of(reading, document, "created");
	doc->version = text_of(reading, document, "mailreeve");
	doc->host = text_of(reading, document, "host");
	doc->ref = optional_of(reading, desired, "ref");
	doc->commit = optional_of(reading, desired, "commit");
	doc->tree = optional_of(reading, desired, "tree");
	doc->directory = optional_of(reading, desired, "directory");
	doc->heals_drift = flag_of(document, "heals_drift");
	for (int action = 0; summary && action < MR_ACTION_COUNT; action++)
		doc->counts[action] = number_of(reading, summary, action_word(action));
	if (summary)
		doc->unchanged = number_of(reading, summary, "unchanged");
}

static void read_lists(struct reading *reading, const struct mr_json_value *document)
{
	const struct mr_json_value *item;

	for (item = first_of(reading, document, "actions"); item; item = item->next)
		mr_vec_push(&reading->doc->actions,
		        (struct mr_doc_action){text_of(reading, item, "service"),
		                text_of(reading, item, "action")});
	for (item = first_of(reading, document, "rails"); item; item = item->next)
		read_rail(reading, item);
	for (item = first_of(reading, document, "changes"); item; item = item->next)
		read_object(reading, item);
	for (item = first_of(reading, document, "drift"); item; item = item->next)
		read_drift(reading, item);
	for (item = first_of(reading, document, "warnings"); item; item = item->next)
		mr_vec_push(&reading->doc->warnings, (struct mr_doc_warning){
		                                             optional_of(reading, item, "rule"),
		                                             optional_of(reading, item, "at"),
		                                             text_of(reading, item, "text"),
		                                     });
}

int mr_doc_parse(
        struct mr_diags *diags, struct mr_arena *arena, mr_str json, struct mr_plan_doc *out)
{
	struct reading reading = {.diags = diags, .arena = arena, .doc = out};
	struct mr_json_value *document = NULL;
	size_t offset = 0;

	if (mr_json_parse(arena, json, &document, &offset) < 0)
		return mr_fail(diags, MR_E_INVALID,
		        "cannot read the saved plan: no JSON at byte %zu", offset);
	/* minor versions only add fields, so 1.x is read as well */
	mr_str format = mr_json_get_str(document, "format");
	if (!mr_str_is(format, "mailreeve.plan/1") &&
	        !mr_str_starts(format, MR_STR("mailreeve.plan/1.")))
		return mr_fail(diags, MR_E_INVALID,
		        "cannot read the saved plan: its format is not mailreeve.plan/1");
	read_head(&reading, document);
	read_servers(&reading, document);
	read_impact(&reading, document);
	read_lists(&reading, document);
	return reading.is_broken ? MR_E_INVALID : 0;
}
