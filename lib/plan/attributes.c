/*
 * The attributes of one object, gathered from the rows that change for it.
 */
#include "plan/parts.h"

#include <stdlib.h>
#include <string.h>

#include "plan/words.h"

enum { LONGEST_FULL_LIST = 200 };

/* One attribute on its way: what was there and what will be. */
struct gathered {
	struct mr_word word;
	struct mr_attr before, after;
	bool has_before, has_after;
	MR_VEC(mr_str) added;
	MR_VEC(mr_str) removed;
};

struct gathering {
	const struct mr_object_parts *parts;
	MR_VEC(struct gathered) list;
};

struct mr_strs mr_shown_values(struct mr_arena *arena, const struct mr_attr *attr, bool splits)
{
	MR_VEC(mr_str) values = {0};
	struct mr_strs result;
	mr_str rest = attr->encoded_values, value;

	while (mr_attr_value_next(&rest, &value) == 1) {
		if (attr->flags & MR_ATTR_BINARY)
			value = mr_str_printf(arena, "(%zu bytes)", value.size);
		while (splits && mr_str_find(value, ',') < value.size)
			mr_vec_push(&values, mr_str_trim(mr_str_split(&value, ',')));
		mr_vec_push(&values, splits ? mr_str_trim(value) : value);
	}
	result = (struct mr_strs){mr_alloc_n(arena, values.n + 1, sizeof *result.items), values.n};
	for (size_t i = 0; i < values.n; i++)
		result.items[i] = values.items[i];
	mr_vec_done(&values);
	return result;
}

static struct gathered *find_or_add(
        struct gathering *gathering, const struct mr_word *word, bool is_unique)
{
	if (!is_unique)
		mr_vec_each (old, &gathering->list)
			if (mr_str_eq(old->word.name, word->name))
				return old;
	mr_vec_push(&gathering->list, (struct gathered){.word = *word});
	return &gathering->list.items[gathering->list.n - 1];
}

static bool is_of_drift(const struct mr_plan *plan, size_t index, mr_str attribute)
{
	const struct mr_effect *effect = &plan->diff.effects.items[index];

	for (size_t i = 0; i < effect->n_drift; i++)
		if (mr_str_eq(plan->diff.drift.items[effect->first_drift + i].attribute, attribute))
			return true;
	return false;
}

static void gather_side(struct gathered *gathered, const struct mr_word *word,
        const struct mr_attr *attr, bool is_after)
{
	if (word->kind == MR_WORD_MEMBER && is_after)
		mr_vec_push(&gathered->added, word->member);
	else if (word->kind == MR_WORD_MEMBER)
		mr_vec_push(&gathered->removed, word->member);
	if (is_after) {
		gathered->after = *attr;
		gathered->has_after = true;
		gathered->word.member = word->member;
	} else {
		gathered->before = *attr;
		gathered->has_before = true;
	}
}

/* A row in an alias domain is no alias of the user's own: the object's own row there says that it
 * has that domain, and its other rows follow from it. Nor is a row that leads to itself a forward.
 */
static void refine(const struct mr_plan *plan, const struct mr_change *change,
        const struct mr_attr *attr, struct mr_word *word)
{
	mr_str name = mr_words_name(change->object), domain = mr_words_domain(change->key);
	mr_str local = mr_str_take(name, mr_str_rfind(name, '@') + 1);
	bool is_domain = mr_str_starts(change->object, MR_STR("domain/"));
	bool is_own = mr_str_starts(change->key, is_domain ? MR_STR("@") : local);
	struct mr_domain found;

	if (mr_str_is(word->name, "forward") && mr_str_eq(mr_attr_first(attr), change->key))
		word->kind = MR_WORD_HIDDEN;
	if (mr_str_is(word->name, "aliases") && !mr_str_eq(domain, mr_words_domain(name))) {
		/* the alias domain may be gone by now: then the local part tells */
		bool is_known = plan->input.desired &&
		                mr_desired_find_domain(plan->input.desired, domain, &found);
		if (is_known ? found.kind == MR_DOMAIN_ALIAS : is_own)
			*word = (struct mr_word){MR_WORD_MEMBER, MR_STR("alias_domains"), domain};
	}
	if (mr_str_is(word->name, "alias_domains") && !is_own)
		word->kind = MR_WORD_HIDDEN;
}

/* The before and after members of a constant are kept apart through the attributes' names. */
static void gather_body(struct gathering *gathering, size_t index, bool is_after)
{
	const struct mr_plan *plan = gathering->parts->plan;
	const struct mr_change *change = &plan->diff.changes.list.items[index];
	mr_str body = is_after ? change->after : change->before, rest = body;
	bool is_unique = mr_words_table(change->in).size > 0 &&
	                 mr_str_starts(change->object, MR_STR("postfix.table/")) &&
	                 !change->before.data != !change->after.data;
	struct mr_attr attr;
	struct mr_word word;

	while (rest.size > 0 && mr_attrs_next(&rest, &attr) == 1) {
		if (gathering->parts->reason != MR_REASON_DRIFT &&
		        is_of_drift(plan, index, attr.name))
			continue;
		mr_words_of(change->in, change->object, change->key, body, &attr, &word);
		refine(plan, change, &attr, &word);
		if (word.kind == MR_WORD_HIDDEN || attr.n_values == 0)
			continue;
		if (word.kind == MR_WORD_CONSTANT)
			attr.name = word.member;
		gather_side(find_or_add(gathering, &word, is_unique), &word, &attr, is_after);
	}
}

static bool is_same(const struct mr_plan *plan, const struct gathered *gathered)
{
	if (gathered->word.kind == MR_WORD_MEMBER)
		return false;
	if (!gathered->has_before || !gathered->has_after)
		return gathered->has_before == gathered->has_after;
	if (gathered->word.kind == MR_WORD_CONSTANT)
		return mr_str_eq(gathered->before.name, gathered->after.name);
	return mr_attr_same(&gathered->before, &gathered->after, plan->key);
}

static int by_text(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

static bool is_among(const mr_str *sorted, size_t n, mr_str s)
{
	return n > 0 && bsearch(&s, sorted, n, sizeof s, by_text);
}

/* What the repository says in full, when it is short enough to show. */
static struct mr_strs declared_list(const struct mr_object_parts *parts, mr_str attribute)
{
	mr_str name = mr_words_name(parts->object);
	struct mr_desired *desired = parts->plan->input.desired;
	struct mr_strs list = {0};
	struct mr_user user;
	struct mr_domain domain;

	if (!desired || parts->action == MR_DELETE)
		return list;
	if (mr_str_starts(parts->object, MR_STR("user/"))) {
		if (mr_desired_find_user(desired, name, &user))
			list = mr_str_is(attribute, "aliases")   ? user.aliases
			       : mr_str_is(attribute, "send_as") ? user.send_as
			                                         : list;
	} else if (mr_str_is(attribute, "addresses") &&
	           mr_desired_find_domain(desired, name, &domain)) {
		list = domain.addresses;
	}
	return list.n <= LONGEST_FULL_LIST ? list : (struct mr_strs){0};
}

static void sort_unique(mr_str *items, size_t *n)
{
	size_t kept = 0;

	if (*n > 0)
		qsort(items, *n, sizeof *items, by_text);
	for (size_t i = 0; i < *n; i++)
		if (kept == 0 || !mr_str_eq(items[i], items[kept - 1]))
			items[kept++] = items[i];
	*n = kept;
}

/* before = after without what is added, with what is removed. */
static void members(const struct mr_object_parts *parts, struct gathered *gathered,
        struct mr_doc_attribute *out)
{
	struct mr_strs full = declared_list(parts, gathered->word.name);
	mr_str *before = mr_alloc_n(parts->arena, full.n + gathered->removed.n + 1, sizeof *before);
	mr_str *after = mr_alloc_n(parts->arena, full.n + gathered->added.n + 1, sizeof *after);
	size_t n_before = 0, n_after = 0;

	sort_unique(gathered->added.items, &gathered->added.n);
	for (size_t i = 0; i < full.n; i++) {
		mr_str member = mr_str_copy(parts->arena, full.items[i]);
		after[n_after++] = member;
		if (!is_among(gathered->added.items, gathered->added.n, member))
			before[n_before++] = member;
	}
	for (size_t i = 0; i < gathered->added.n; i++)
		after[n_after++] = gathered->added.items[i];
	for (size_t i = 0; i < gathered->removed.n; i++)
		before[n_before++] = gathered->removed.items[i];
	sort_unique(before, &n_before);
	sort_unique(after, &n_after);
	out->is_list = true;
	out->before = (struct mr_doc_values){{before, n_before}, true};
	out->after = (struct mr_doc_values){{after, n_after}, true};
}

static bool is_alias(const struct mr_strs *declared, const struct gathered *aliases, mr_str member)
{
	if (is_among(declared->items, declared->n, member))
		return true;
	if (!aliases)
		return false;
	mr_vec_each (added, &aliases->added)
		if (mr_str_eq(*added, member))
			return true;
	mr_vec_each (removed, &aliases->removed)
		if (mr_str_eq(*removed, member))
			return true;
	return false;
}

/* Who has an alias may send as it without a word: such rows say nothing of send_as. */
static void drop_aliases(struct gathering *gathering)
{
	struct gathered *aliases = NULL, *send_as = NULL;
	struct mr_strs declared = declared_list(gathering->parts, MR_STR("aliases"));
	size_t n_added = 0, n_removed = 0;

	mr_vec_each (one, &gathering->list) {
		if (mr_str_is(one->word.name, "aliases"))
			aliases = one;
		if (mr_str_is(one->word.name, "send_as") && one->word.kind == MR_WORD_MEMBER)
			send_as = one;
	}
	if (!send_as)
		return;
	mr_vec_each (member, &send_as->added)
		if (!is_alias(&declared, aliases, *member))
			send_as->added.items[n_added++] = *member;
	mr_vec_each (member, &send_as->removed)
		if (!is_alias(&declared, aliases, *member))
			send_as->removed.items[n_removed++] = *member;
	send_as->added.n = n_added;
	send_as->removed.n = n_removed;
}

static mr_str fingerprint(
        const struct mr_plan *plan, struct mr_arena *arena, const struct gathered *gathered)
{
	mr_str value = mr_attr_first(&gathered->after);
	struct mr_digest digest;
	struct mr_buf hex = MR_BUF_INIT;

	if (!gathered->has_after || !plan->is_keyed)
		return (mr_str){0};
	if (!(gathered->after.flags & MR_ATTR_SEALED)) {
		digest = mr_digest_keyed(value, plan->key);
		mr_digest_format(&digest, &hex);
		value = mr_buf_str(&hex);
	}
	value = mr_str_copy(arena, mr_str_take(value, 8));
	mr_buf_done(&hex);
	return value;
}

static struct mr_doc_values shown(const struct mr_object_parts *parts,
        const struct gathered *gathered, const struct mr_attr *attr, bool is_there)
{
	struct mr_doc_values values = {.is_there = is_there};

	if (is_there && gathered->word.kind == MR_WORD_CONSTANT) {
		values.list = (struct mr_strs){mr_alloc(parts->arena, sizeof(mr_str)), 1};
		values.list.items[0] = attr->name;
	} else if (is_there) {
		values.list =
		        mr_shown_values(parts->arena, attr, gathered->word.kind == MR_WORD_LIST);
	}
	return values;
}

static void show(const struct mr_object_parts *parts, struct gathered *gathered,
        struct mr_doc_attribute *out)
{
	unsigned flags = gathered->before.flags | gathered->after.flags;

	out->name = gathered->word.name;
	if (flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED)) {
		out->is_sensitive = true;
		out->fingerprint = fingerprint(parts->plan, parts->arena, gathered);
	} else if (gathered->word.kind == MR_WORD_MEMBER) {
		members(parts, gathered, out);
	} else {
		out->is_list = gathered->word.kind == MR_WORD_LIST;
		out->before = shown(parts, gathered, &gathered->before, gathered->has_before);
		out->after = shown(parts, gathered, &gathered->after, gathered->has_after);
	}
	/* a user without rows is a closed one: that is the state's own word for it */
	if (parts->action == MR_DELETE && mr_str_is(out->name, "state") &&
	        mr_str_starts(parts->object, MR_STR("user/"))) {
		out->after.list = (struct mr_strs){mr_alloc(parts->arena, sizeof(mr_str)), 1};
		out->after.list.items[0] = MR_STR("closed");
		out->after.is_there = true;
	}
}

/* What a new or closed user's rows say is said by create and close already. */
static bool is_noise(const struct gathering *gathering, const struct gathered *gathered)
{
	bool is_lone = gathering->parts->action == MR_UPDATE;

	if (!mr_str_is(gathered->word.name, "mail") && !mr_str_is(gathered->word.name, "senders"))
		return false;
	if (!mr_str_starts(gathering->parts->object, MR_STR("user/")))
		return false;
	mr_vec_each (other, &gathering->list)
		if (mr_str_is(other->word.name, "state") && !is_same(gathering->parts->plan, other))
			is_lone = false;
	return !is_lone;
}

/* A row of the list may have changed without leaving the list. */
static bool is_same_list(const struct mr_doc_attribute *attribute)
{
	const struct mr_strs *before = &attribute->before.list, *after = &attribute->after.list;
	bool is_same = attribute->is_list && before->n == after->n;

	for (size_t i = 0; is_same && i < before->n; i++)
		is_same = mr_str_eq(before->items[i], after->items[i]);
	return is_same;
}

static int by_name(const void *a, const void *b)
{
	const struct mr_doc_attribute *left = a, *right = b;

	return mr_str_cmp(left->name, right->name);
}

void mr_object_attributes(const struct mr_object_parts *parts, struct mr_doc_object *out)
{
	struct gathering gathering = {.parts = parts};

	for (size_t i = 0; i < parts->n; i++) {
		const struct mr_change *change =
		        &parts->plan->diff.changes.list.items[parts->changes[i]];
		if (change->reason == MR_REASON_DRIFT && parts->reason != MR_REASON_DRIFT)
			continue; /* listed as drift, apart from intent */
		gather_body(&gathering, parts->changes[i], false);
		gather_body(&gathering, parts->changes[i], true);
	}
	drop_aliases(&gathering);
	out->attributes = mr_alloc_n(parts->arena, gathering.list.n + 1, sizeof *out->attributes);
	mr_vec_each (gathered, &gathering.list) {
		struct mr_doc_attribute *next = &out->attributes[out->n_attributes];
		if (is_same(parts->plan, gathered) || is_noise(&gathering, gathered))
			continue;
		*next = (struct mr_doc_attribute){0};
		show(parts, gathered, next);
		out->n_attributes += !is_same_list(next);
	}
	mr_vec_each (gathered, &gathering.list) {
		mr_vec_done(&gathered->added);
		mr_vec_done(&gathered->removed);
	}
	mr_vec_done(&gathering.list);
	if (out->n_attributes > 1)
		qsort(out->attributes, out->n_attributes, sizeof *out->attributes, by_name);
}
