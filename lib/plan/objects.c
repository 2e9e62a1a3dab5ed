/*
 * From changes of items to changes of objects: what a person declared and reads about.
 */
#include "plan/parts.h"

#include <stdlib.h>

#include "plan/words.h"

struct entry {
	mr_str object;
	size_t index;
};

/* What kinds of changes an object's items have. */
struct tally {
	bool has_create, has_delete, has_update; /* of its primary items */
	bool has_primary;
	bool is_all_drift, is_all_undeclared;
	bool has_adopted, has_owned;
	bool has_table_before, has_table_after; /* of a whole table: rows at all */
};

static int by_object(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = mr_str_cmp(left->object, right->object);

	if (order != 0)
		return order;
	return left->index < right->index ? -1 : left->index > right->index;
}

mr_str mr_plan_shown_object(const struct mr_plan *plan, mr_str object)
{
	size_t low = 0, high = plan->renames.n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = mr_str_cmp(plan->renames.items[middle].from, object);
		if (order == 0)
			return plan->renames.items[middle].to;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return object;
}

static const struct mr_rename *find_rename(const struct mr_plan *plan, mr_str to)
{
	mr_vec_each (rename, &plan->renames)
		if (mr_str_eq(rename->to, to))
			return rename;
	return NULL;
}

static void count(struct tally *tally, const struct mr_plan *plan, size_t index)
{
	const struct mr_change *change = &plan->diff.changes.list.items[index];
	const struct mr_effect *effect = &plan->diff.effects.items[index];
	const struct mr_plan_collection *collection = mr_plan_collection_of(change);

	tally->is_all_drift = tally->is_all_drift && change->reason == MR_REASON_DRIFT;
	tally->is_all_undeclared = tally->is_all_undeclared && !effect->is_declared;
	tally->has_adopted |= change->reason == MR_REASON_ADOPTED;
	tally->has_owned |= effect->owned.data != NULL;
	tally->has_table_before |= collection->counts.live > 0;
	tally->has_table_after |= collection->counts.desired > 0;
	if (!mr_words_is_primary(change->in, change->object, change->key, plan->has_passwd))
		return;
	tally->has_primary = true;
	tally->has_create |= mr_change_is_create(change);
	tally->has_delete |= mr_change_is_delete(change);
	tally->has_update |= !mr_change_is_create(change) && !mr_change_is_delete(change);
}

static enum mr_action action_of(const struct tally *tally, mr_str object)
{
	if (mr_str_starts(object, MR_STR("postfix.table/"))) {
		if (!tally->has_table_before)
			return MR_CREATE;
		return tally->has_table_after ? MR_UPDATE : MR_DELETE;
	}
	if (!tally->has_primary || tally->has_update || tally->has_create == tally->has_delete)
		return MR_UPDATE;
	return tally->has_create ? MR_CREATE : MR_DELETE;
}

/* Whether the repository still speaks of the object; *at is then where. */
static bool is_declared(const struct mr_plan *plan, mr_str object, struct mr_loc *at)
{
	struct mr_user user;
	struct mr_domain domain;

	if (!plan->input.desired)
		return false;
	if (mr_str_starts(object, MR_STR("user/")) &&
	        mr_desired_find_user(plan->input.desired, mr_words_name(object), &user)) {
		*at = user.loc;
		return true;
	}
	if (mr_str_starts(object, MR_STR("domain/")) &&
	        mr_desired_find_domain(plan->input.desired, mr_words_name(object), &domain)) {
		*at = domain.loc;
		return true;
	}
	return false;
}

static enum mr_reason reason_of(
        const struct tally *tally, const struct mr_doc_object *object, bool is_still_declared)
{
	if (object->action == MR_RENAME)
		return MR_REASON_RENAMED;
	if (tally->is_all_drift)
		return MR_REASON_DRIFT;
	if (!is_still_declared && tally->is_all_undeclared &&
	        (object->action == MR_DELETE ||
	                !mr_str_starts(object->object, MR_STR("postfix.table/"))))
		return MR_REASON_NOT_IN_REPOSITORY;
	if (tally->has_adopted && !tally->has_owned)
		return MR_REASON_ADOPTED;
	return MR_REASON_DESIRED_CHANGED;
}

static mr_str format_at(struct mr_plan *plan, const struct mr_loc *loc)
{
	if (loc->path.size == 0)
		return (mr_str){0};
	return mr_str_printf(&plan->arena, "%.*s:%u:%u", MR_FMT(loc->path), loc->line, loc->column);
}

static mr_str place_of(
        struct mr_plan *plan, const struct entry *entries, size_t n, const struct mr_loc *declared)
{
	const struct mr_loc *first = declared;

	for (size_t i = 0; i < n; i++) {
		const struct mr_change *change = &plan->diff.changes.list.items[entries[i].index];
		bool is_primary = mr_words_is_primary(
		        change->in, change->object, change->key, plan->has_passwd);
		if (change->loc.path.size == 0)
			continue;
		if (is_primary)
			return format_at(plan, &change->loc);
		if (first->path.size == 0)
			first = &change->loc;
	}
	return format_at(plan, first);
}

static struct mr_strs targets_of(struct mr_plan *plan, const struct entry *entries, size_t n)
{
	struct mr_strs targets = {
	        mr_alloc_n(&plan->arena, plan->n_collections + 1, sizeof(mr_str)), 0};

	for (size_t i = 0; i < n; i++) {
		mr_str target = plan->diff.changes.list.items[entries[i].index].in->target;
		size_t at = 0;
		while (at < targets.n && !mr_str_eq(targets.items[at], target))
			at++;
		if (at == targets.n)
			targets.items[targets.n++] = target;
	}
	return targets;
}

static mr_str effect_of(struct mr_plan *plan, const struct entry *entries, size_t n)
{
	struct mr_attrs_builder seal;
	struct mr_buf hex = MR_BUF_INIT;
	struct mr_digest digest;
	struct mr_hash hash;

	mr_attrs_builder_init(&seal);
	mr_hash_init(&hash);
	for (size_t i = 0; i < n; i++)
		mr_digest_change(
		        plan, &seal, &plan->diff.changes.list.items[entries[i].index], &hash);
	digest = mr_hash_final(&hash);
	mr_digest_format(&digest, &hex);
	mr_str result = mr_str_copy(&plan->arena, mr_buf_str(&hex));
	mr_buf_done(&hex);
	mr_attrs_builder_done(&seal);
	return result;
}

static void explain_state(struct mr_doc_object *object)
{
	const char *means = NULL;

	for (size_t i = 0; i < object->n_attributes; i++) {
		const struct mr_doc_attribute *attribute = &object->attributes[i];
		if (mr_str_is(attribute->name, "state") && attribute->after.list.n == 1)
			means = mr_words_state_means(attribute->after.list.items[0]);
	}
	if (object->action == MR_DELETE)
		means = mr_words_state_means(MR_STR("closed"));
	object->means = mr_str_from(means);
}

static void make_object(
        struct mr_plan *plan, const struct entry *entries, size_t n, size_t *indices)
{
	struct mr_doc_object object = {.object = entries[0].object};
	struct tally tally = {.is_all_drift = true, .is_all_undeclared = true};
	const struct mr_rename *rename = find_rename(plan, object.object);
	struct mr_loc at = {0};
	bool is_still_declared = is_declared(plan, object.object, &at);

	for (size_t i = 0; i < n; i++) {
		const struct mr_change *change = &plan->diff.changes.list.items[entries[i].index];
		count(&tally, plan, entries[i].index);
		if (change->risk > object.risk)
			object.risk = change->risk;
		indices[i] = entries[i].index;
	}
	object.action = rename ? MR_RENAME : action_of(&tally, object.object);
	object.renamed_from = rename ? rename->from : (mr_str){0};
	object.reason = reason_of(&tally, &object, is_still_declared);
	object.at = place_of(plan, entries, n, &at);
	object.targets = targets_of(plan, entries, n);
	object.effect = effect_of(plan, entries, n);
	struct mr_object_parts parts = {
	        plan, &plan->arena, indices, n, object.object, object.action, object.reason};
	mr_object_attributes(&parts, &object);
	if (mr_str_starts(object.object, MR_STR("user/")))
		explain_state(&object);
	mr_vec_push(&plan->doc.objects, object);
	plan->doc.counts[object.action]++;
}

static void make_drift(struct mr_plan *plan)
{
	mr_vec_each (drift, &plan->diff.drift) {
		const struct mr_attr *any =
		        drift->live.n_values > 0 ? &drift->live : &drift->applied;
		unsigned flags = drift->live.flags | drift->applied.flags;
		struct mr_word word;
		/* a row is named by its own body; a pattern's name is not at hand here, so its key
		 * stands for it */
		mr_words_of(drift->in, drift->object, drift->key, (mr_str){0}, any, &word);
		if (word.kind == MR_WORD_HIDDEN ||
		        (drift->live.n_values == 0 && drift->applied.n_values == 0))
			continue;
		struct mr_doc_drift shown = {.object = mr_plan_shown_object(plan, drift->object),
		        .attribute = word.name,
		        .trace = drift->trace};
		shown.is_sensitive = flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED);
		shown.server = drift->in->provider;
		bool is_one_sided = drift->live.n_values == 0 || drift->applied.n_values == 0;
		if (!shown.is_sensitive &&
		        (word.kind == MR_WORD_MEMBER ||
		                (word.kind == MR_WORD_CONSTANT && is_one_sided))) {
			struct mr_strs member = {mr_alloc(&plan->arena, sizeof(mr_str)), 1};
			member.items[0] = word.member;
			shown.applied = drift->applied.n_values > 0 ? member : (struct mr_strs){0};
			shown.live = drift->live.n_values > 0 ? member : (struct mr_strs){0};
		} else if (!shown.is_sensitive) {
			shown.applied = mr_shown_values(
			        &plan->arena, &drift->applied, word.kind == MR_WORD_LIST);
			shown.live = mr_shown_values(
			        &plan->arena, &drift->live, word.kind == MR_WORD_LIST);
		}
		mr_vec_push(&plan->doc.drift, shown);
	}
}

static int drift_order(const void *a, const void *b)
{
	const struct mr_doc_drift *left = a, *right = b;
	int order = mr_str_cmp(left->object, right->object);

	return order != 0 ? order : mr_str_cmp(left->attribute, right->attribute);
}

/* Objects that the repository declares, less those that this plan touches. */
static void count_unchanged(struct mr_plan *plan)
{
	uint64_t declared = 0, touched = 0;

	for (size_t i = 0; i < plan->n_collections; i++)
		declared += plan->collections[i].counts.primary;
	mr_vec_each (object, &plan->doc.objects)
		touched += object->action != MR_DELETE &&
		           object->reason != MR_REASON_NOT_IN_REPOSITORY;
	plan->doc.unchanged = declared > touched ? declared - touched : 0;
}

void mr_plan_objects(struct mr_plan *plan)
{
	size_t n = plan->diff.changes.list.n, from = 0;
	struct entry *entries = mr_alloc_n(&plan->arena, n + 1, sizeof *entries);
	size_t *indices = mr_alloc_n(&plan->arena, n + 1, sizeof *indices);

	plan->doc.objects.n = 0;
	plan->doc.drift.n = 0;
	for (int action = 0; action < MR_ACTION_COUNT; action++)
		plan->doc.counts[action] = 0;
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry){
		        mr_plan_shown_object(plan, plan->diff.changes.list.items[i].object), i};
	if (n > 0)
		qsort(entries, n, sizeof *entries, by_object);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && mr_str_eq(entries[i].object, entries[from].object))
			continue;
		make_object(plan, entries + from, i - from, indices);
		from = i;
	}
	make_drift(plan);
	if (plan->doc.drift.n > 0)
		qsort(plan->doc.drift.items, plan->doc.drift.n, sizeof *plan->doc.drift.items,
		        drift_order);
	count_unchanged(plan);
}
