/*
 * Effective values: merged leaves and the defaults behind them as typed users, aliases and domains.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/values.h"
#include "source/load.h"
#include "source/state.h"

mr_str mr_address_domain(mr_str address)
{
	return mr_str_skip(address, mr_str_rfind(address, '@') + 1);
}

const struct mr_domain_facts *mr_domain_facts_find(const struct mr_desired *desired, mr_str name)
{
	size_t low = 0, high = desired->n_domains;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = mr_str_cmp(desired->domains[middle].name, name);

		if (!order)
			return &desired->domains[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct mr_merged_leaf *find_default(
        const struct mr_merged_leaf *leaves, size_t n, unsigned id)
{
	for (size_t i = 0; i < n; i++)
		if (leaves[i].leaf.id == id)
			return &leaves[i];
	return NULL;
}

const struct mr_merged_leaf *mr_user_leaf(const struct mr_desired *desired,
        const struct mr_domain_facts *domain, const struct mr_object *object, unsigned id,
        const char **out_origin)
{
	const struct mr_merged_leaf *leaf = object ? mr_object_leaf(object, id) : NULL;
	const char *origin = "declared";

	if (!leaf && domain) {
		origin = "default of the domain";
		leaf = find_default(domain->defaults, domain->n_defaults, id);
	}
	if (!leaf) {
		origin = "default of the repository";
		leaf = find_default(desired->defaults, desired->n_defaults, id);
	}
	if (out_origin)
		*out_origin = leaf ? origin : "built in";
	return leaf;
}

static int compare_strs(const void *a, const void *b)
{
	return mr_str_cmp(*(const mr_str *)a, *(const mr_str *)b);
}

bool mr_leaf_is_sensitive(const struct mr_leaf *leaf)
{
	struct mr_leaf_item item;
	mr_str rest = leaf->items;

	while (mr_leaf_next_item(&rest, &item) > 0)
		if (item.form == MR_ITEM_SECRET)
			return true;
	return false;
}

mr_str mr_leaf_value(
        const struct mr_desired *desired, struct mr_arena *arena, const struct mr_leaf *leaf)
{
	struct mr_buf joined = MR_BUF_INIT;
	struct mr_leaf_item item;
	mr_str rest = leaf->items, value = {0};
	bool is_whole = true;

	if (leaf->n_items == 1 && !mr_leaf_is_sensitive(leaf))
		return mr_leaf_text(leaf);
	while (is_whole && mr_leaf_next_item(&rest, &item) > 0) {
		value = item.text;
		is_whole =
		        item.form != MR_ITEM_SECRET || mr_secret_find(desired, item.text, &value);
		mr_buf_add_str(&joined, value);
	}
	value = is_whole ? mr_str_copy(arena, mr_buf_str(&joined)) : (mr_str){0};
	mr_buf_done_secret(&joined);
	return value;
}

/* One item of a list; false when it is a secret that is not resolved, or not what it should be. */
static bool item_text(const struct mr_desired *desired, struct mr_arena *arena,
        const struct mr_leaf_item *item, mr_str domain, mr_str *out)
{
	struct mr_complaint complaint;

	*out = item->text;
	if (item->form == MR_ITEM_SECRET)
		return mr_secret_find(desired, item->text, out) &&
		       (!domain.size ||
		               mr_address_parse(arena, *out, domain, true, out, &complaint) == 0);
	if (domain.size && mr_str_find(item->text, '@') == item->text.size)
		*out = mr_str_printf(arena, "%.*s@%.*s", MR_FMT(item->text), MR_FMT(domain));
	return true;
}

struct mr_strs mr_leaf_strs(const struct mr_desired *desired, struct mr_arena *arena,
        const struct mr_merged_leaf *leaf, mr_str domain, bool is_set)
{
	struct mr_strs strs = {0};
	struct mr_leaf_item item;
	mr_str rest;
	size_t n = 0;

	if (!leaf || !leaf->leaf.n_items)
		return strs;
	strs.items = mr_alloc_n(arena, leaf->leaf.n_items, sizeof *strs.items);
	rest = leaf->leaf.items;
	while (strs.n < leaf->leaf.n_items && mr_leaf_next_item(&rest, &item) > 0)
		strs.n += item_text(desired, arena, &item, domain, &strs.items[strs.n]);
	if (!is_set || strs.n < 2)
		return strs;
	qsort(strs.items, strs.n, sizeof *strs.items, compare_strs);
	for (size_t i = 0; i < strs.n; i++)
		if (!n || !mr_str_eq(strs.items[n - 1], strs.items[i]))
			strs.items[n++] = strs.items[i];
	strs.n = n;
	return strs;
}

static bool is_past(const struct mr_desired *desired, mr_str date)
{
	int64_t days;

	return date.size && mr_date_parse(date, &days) == 0 && days < desired->today_days;
}

/* What the state of a domain leaves of a user's. */
static enum mr_user_state state_in_force(const struct mr_desired *desired,
        const struct mr_domain_facts *domain, enum mr_user_state declared, mr_str expires)
{
	if (is_past(desired, expires) || (domain && domain->state == MR_DOMAIN_CLOSED))
		return MR_USER_CLOSED;
	if (!domain || domain->state != MR_DOMAIN_SUSPENDED)
		return declared;
	return declared == MR_USER_SEND_ONLY || declared == MR_USER_CLOSED ? MR_USER_CLOSED
	                                                                   : MR_USER_NO_LOGIN;
}

/* What reading one user needs at hand. */
struct user_source {
	const struct mr_desired *desired;
	const struct mr_domain_facts *domain;
	const struct mr_object *object;
	struct mr_arena *arena;
};

static const struct mr_merged_leaf *leaf_of(const struct user_source *source, unsigned id)
{
	return mr_user_leaf(source->desired, source->domain, source->object, id, NULL);
}

static mr_str text_of(const struct user_source *source, unsigned id)
{
	const struct mr_merged_leaf *leaf = leaf_of(source, id);

	return leaf ? mr_leaf_value(source->desired, source->arena, &leaf->leaf) : (mr_str){0};
}

/* Position of the leaf's word in its table of words. */
static unsigned word_of(enum mr_kind_id kind, unsigned id, mr_str word)
{
	int at = word.size ? mr_words_find(mr_kind_get(kind)->fields[id].words, word, NULL) : 0;

	return at > 0 ? (unsigned)at : 0;
}

static void read_password(const struct user_source *source, struct mr_user *out)
{
	const struct mr_merged_leaf *leaf = leaf_of(source, MR_F_USER_PASSWORD);
	struct mr_leaf_item item;
	mr_str rest;

	if (!leaf)
		return;
	rest = leaf->leaf.items;
	if (mr_leaf_next_item(&rest, &item) <= 0)
		return;
	out->password.is_set = true;
	out->password.is_secret_reference = item.form == MR_ITEM_SECRET;
	if (item.form == MR_ITEM_SECRET)
		(void)mr_secret_find(source->desired, item.text, &out->password.text);
	else
		out->password.text = item.text;
}

static void read_services(const struct user_source *source, struct mr_user *out)
{
	const struct mr_merged_leaf *leaf = leaf_of(source, MR_F_USER_SERVICES);
	struct mr_leaf_item item;
	mr_str rest;

	out->services = leaf ? 0 : MR_SERVICE_ALL;
	if (!leaf)
		return;
	rest = leaf->leaf.items;
	while (mr_leaf_next_item(&rest, &item) > 0)
		out->services |= 1U << word_of(MR_KIND_user, MR_F_USER_SERVICES, item.text);
}

static void read_quota(const struct user_source *source, struct mr_user *out)
{
	mr_str quota = text_of(source, MR_F_USER_QUOTA),
	       messages = text_of(source, MR_F_USER_QUOTA_MESSAGES);

	out->has_quota = quota.size > 0;
	out->is_quota_unlimited = mr_str_is(quota, "unlimited");
	if (out->has_quota && !out->is_quota_unlimited &&
	        mr_size_parse(quota, &out->quota_bytes) < 0)
		out->has_quota = false;
	if (messages.size && mr_number_parse(messages, INT64_MAX, &out->quota_messages) < 0)
		out->quota_messages = 0;
}

/* Whether mail to the address comes back to the user: it is his own, in an alias domain or with an
 * extension as well. */
static bool is_own(const struct mr_desired *desired, const struct mr_user *user, mr_str address)
{
	mr_str name = mr_address_domain(address);
	mr_str local = mr_str_take(address, address.size - name.size - 1);
	const struct mr_domain_facts *facts = mr_domain_facts_find(desired, name);

	if (facts && facts->kind == MR_DOMAIN_ALIAS)
		name = facts->alias_of;
	return mr_str_eq(name, user->domain) &&
	       mr_str_eq(mr_str_take(local, mr_str_find(local, '+')), user->local);
}

/* The own address among the targets means "keep a copy". */
static void read_forward(const struct user_source *source, struct mr_user *out)
{
	struct mr_strs to = mr_leaf_strs(source->desired, source->arena,
	        leaf_of(source, MR_F_USER_FORWARD_TO), out->domain, true);
	size_t n = 0;

	out->forward_keep = mr_str_is(text_of(source, MR_F_USER_FORWARD_KEEP), "true");
	for (size_t i = 0; i < to.n; i++) {
		if (is_own(source->desired, out, to.items[i]))
			out->forward_keep = true;
		else
			to.items[n++] = to.items[i];
	}
	to.n = n;
	out->forward_to = to;
}

static void read_home(const struct user_source *source, struct mr_user *out)
{
	mr_str home = text_of(source, MR_F_USER_MAIL_HOME),
	       from = text_of(source, MR_F_USER_RENAMED_FROM);
	mr_str local = out->local, domain = out->domain;

	if (from.size && mr_str_find(from, '@') == from.size)
		from = mr_str_printf(source->arena, "%.*s@%.*s", MR_FMT(from), MR_FMT(out->domain));
	out->renamed_from = from;
	if (from.size) {
		local = mr_str_take(from, mr_str_rfind(from, '@'));
		domain = mr_address_domain(from);
	}
	if (!home.size)
		home = source->desired->accounts.mail_home;
	out->mail_home = mr_mail_home_expand(source->arena, home, local, domain, out->id);
}

static uint64_t sensitive_of_user(const struct user_source *source)
{
	static const uint64_t home = UINT64_C(1) << MR_F_USER_MAIL_HOME | UINT64_C(1)
	                                                                          << MR_F_USER_ID;
	uint64_t bits = 0;

	for (unsigned id = 0; id < MR_USER_FIELDS; id++) {
		const struct mr_merged_leaf *leaf = leaf_of(source, id);

		if (leaf && mr_leaf_is_sensitive(&leaf->leaf))
			bits |= UINT64_C(1) << id;
	}
	if ((bits & home) || (source->desired->accounts.is_home_sensitive &&
	                             !leaf_of(source, MR_F_USER_MAIL_HOME)))
		bits |= UINT64_C(1) << MR_F_USER_MAIL_HOME;
	return bits;
}

void mr_user_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_user *out)
{
	mr_str name = mr_address_domain(object->key);
	const struct mr_domain_facts *domain = mr_domain_facts_find(desired, name);
	struct user_source source = {desired, domain, object, arena};

	*out = (struct mr_user){.address = object->key, .domain = name};
	out->local = mr_str_take(object->key, object->key.size - name.size - 1);
	out->loc = mr_object_loc(object, &desired->paths);
	out->id = text_of(&source, MR_F_USER_ID);
	out->name = text_of(&source, MR_F_USER_NAME);
	out->password_owner_is_git = mr_str_is(text_of(&source, MR_F_USER_PASSWORD_OWNER), "git");
	out->state = state_in_force(desired, domain,
	        (enum mr_user_state)word_of(
	                MR_KIND_user, MR_F_USER_STATE, text_of(&source, MR_F_USER_STATE)),
	        text_of(&source, MR_F_USER_EXPIRES));
	out->aliases =
	        mr_leaf_strs(desired, arena, leaf_of(&source, MR_F_USER_ALIASES), name, true);
	out->send_as =
	        mr_leaf_strs(desired, arena, leaf_of(&source, MR_F_USER_SEND_AS), name, true);
	out->allow_nets = mr_leaf_strs(
	        desired, arena, leaf_of(&source, MR_F_USER_ALLOW_NETS), (mr_str){0}, true);
	read_password(&source, out);
	read_services(&source, out);
	read_quota(&source, out);
	read_forward(&source, out);
	read_home(&source, out);
	out->sensitive = sensitive_of_user(&source);
}

static mr_str value_of(const struct mr_desired *desired, struct mr_arena *arena,
        const struct mr_object *object, unsigned id)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, id);

	return leaf ? mr_leaf_value(desired, arena, &leaf->leaf) : (mr_str){0};
}

/* A bit for each attribute that holds a secret. */
static uint64_t sensitive_of(const struct mr_object *object)
{
	uint64_t bits = 0;

	mr_vec_each (leaf, &object->leaves)
		if (leaf->leaf.id < 64 && mr_leaf_is_sensitive(&leaf->leaf))
			bits |= UINT64_C(1) << leaf->leaf.id;
	return bits;
}

void mr_alias_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_alias *out)
{
	*out = (struct mr_alias){
	        .address = object->key, .loc = mr_object_loc(object, &desired->paths)};
	out->to = mr_leaf_strs(desired, arena, mr_object_leaf(object, MR_F_ALIAS_TO),
	        mr_address_domain(object->key), true);
	out->is_sensitive = sensitive_of(object) & (UINT64_C(1) << MR_F_ALIAS_TO);
	out->is_expired = is_past(desired, value_of(desired, arena, object, MR_F_ALIAS_EXPIRES));
}

void mr_domain_from(const struct mr_desired *desired, const struct mr_object *object,
        struct mr_arena *arena, struct mr_domain *out)
{
	*out = (struct mr_domain){
	        .name = object->key, .loc = mr_object_loc(object, &desired->paths)};
	out->kind = (enum mr_domain_kind)word_of(
	        MR_KIND_domain, MR_F_DOMAIN_KIND, mr_object_text(object, MR_F_DOMAIN_KIND));
	out->state = (enum mr_domain_state)word_of(
	        MR_KIND_domain, MR_F_DOMAIN_STATE, mr_object_text(object, MR_F_DOMAIN_STATE));
	out->recipients = (enum mr_recipients)word_of(MR_KIND_domain, MR_F_DOMAIN_RECIPIENTS,
	        mr_object_text(object, MR_F_DOMAIN_RECIPIENTS));
	out->description = value_of(desired, arena, object, MR_F_DOMAIN_DESCRIPTION);
	out->alias_of = mr_object_text(object, MR_F_DOMAIN_ALIAS_OF);
	out->transport = value_of(desired, arena, object, MR_F_DOMAIN_TRANSPORT);
	out->sensitive = sensitive_of(object);
	out->catch_all = mr_leaf_strs(
	        desired, arena, mr_object_leaf(object, MR_F_DOMAIN_CATCH_ALL), object->key, true);
	out->addresses = mr_leaf_strs(
	        desired, arena, mr_object_leaf(object, MR_F_DOMAIN_ADDRESSES), object->key, true);
}
