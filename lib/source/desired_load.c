/*
 * What a desired state keeps in memory: the view of the host, accounts, defaults, facts of the
 * domains, the policy.
 */
#include <string.h>

#include "base/text.h"
#include "source/load.h"
#include "source/state.h"

#define DEFAULT_HOME     "/var/vmail/%d/%n"
#define DEFAULT_PATH     "maildir:~/Maildir"
#define DEFAULT_OWNER    "vmail"
#define DEFAULT_DELIVERY "lmtp:unix:private/dovecot-lmtp"

static struct mr_merged_leaf copy_leaf(
        struct mr_arena *arena, const struct mr_merged_leaf *leaf, unsigned id)
{
	struct mr_merged_leaf copy = *leaf;

	copy.leaf.id = (uint8_t)id;
	copy.leaf.items = mr_str_copy(arena, leaf->leaf.items);
	copy.layer = mr_str_copy(arena, leaf->layer);
	return copy;
}

/* Begins a kind that is read as a whole. */
static int begin(struct mr_desired *desired, struct mr_diags *diags, enum mr_kind_id kind,
        struct mr_objects *out)
{
	int error = mr_objects_begin(mr_layers_of(desired), kind, (mr_str){0}, false, out);

	out->diags = diags;
	return error;
}

static mr_str text_or(
        struct mr_arena *arena, const struct mr_object *object, unsigned id, const char *otherwise)
{
	mr_str text = object ? mr_object_text(object, id) : (mr_str){0};

	return text.size ? mr_str_copy(arena, text) : mr_str_from(otherwise);
}

static void fill_home(struct mr_desired *desired, const struct mr_object *object)
{
	struct mr_accounts *accounts = &desired->accounts;
	const struct mr_merged_leaf *leaf =
	        object ? mr_object_leaf(object, MR_F_ACCOUNTS_MAIL_HOME) : NULL;

	accounts->mail_home = MR_STR(DEFAULT_HOME);
	accounts->is_home_sensitive = leaf && mr_leaf_is_sensitive(&leaf->leaf);
	if (leaf)
		accounts->mail_home = mr_str_copy(
		        &desired->arena, mr_leaf_value(desired, &desired->arena, &leaf->leaf));
}

static void fill_accounts(struct mr_desired *desired, const struct mr_object *object)
{
	struct mr_accounts *accounts = &desired->accounts;
	mr_str owner = text_or(
	        &desired->arena, object, MR_F_ACCOUNTS_OWNER, DEFAULT_OWNER ":" DEFAULT_OWNER);

	fill_home(desired, object);
	accounts->mail_path =
	        text_or(&desired->arena, object, MR_F_ACCOUNTS_MAIL_PATH, DEFAULT_PATH);
	accounts->delivery =
	        text_or(&desired->arena, object, MR_F_ACCOUNTS_DELIVERY, DEFAULT_DELIVERY);
	accounts->owner_user = mr_str_split(&owner, ':');
	accounts->owner_group = owner;
	if (!object)
		return;
	accounts->is_declared = true;
	accounts->loc = mr_object_loc(object, &desired->paths);
}

static int load_accounts(struct mr_desired *desired, struct mr_diags *diags)
{
	const struct mr_object *object = NULL;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_accounts, &objects);

	if (!result)
		result = mr_objects_next(&objects, &object);
	if (result >= 0)
		fill_accounts(desired, result > 0 ? object : NULL);
	mr_objects_end(&objects);
	if (result < 0 || desired->accounts.is_declared)
		return result < 0 ? result : 0;
	result = begin(desired, NULL, MR_KIND_user, &objects);
	if (!result)
		result = mr_objects_next(&objects, &object);
	desired->accounts.is_declared = result > 0;
	mr_objects_end(&objects);
	return result < 0 ? result : 0;
}

static int load_defaults(struct mr_desired *desired, struct mr_diags *diags)
{
	const struct mr_object *object = NULL;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_defaults, &objects);

	if (!result)
		result = mr_objects_next(&objects, &object);
	desired->n_defaults = 0;
	if (result > 0 && object) {
		desired->defaults = mr_alloc_n(
		        &desired->arena, object->leaves.n + 1, sizeof *desired->defaults);
		mr_vec_each (leaf, &object->leaves)
			desired->defaults[desired->n_defaults++] =
			        copy_leaf(&desired->arena, leaf, leaf->leaf.id);
	}
	mr_objects_end(&objects);
	return result < 0 ? result : 0;
}

static struct mr_domain_facts facts_of(struct mr_desired *desired, const struct mr_object *object)
{
	struct mr_arena *arena = &desired->arena;
	struct mr_domain domain;
	struct mr_domain_facts facts = {.name = mr_str_copy(arena, object->key)};

	mr_domain_from(desired, object, arena, &domain);
	facts.kind = domain.kind;
	facts.state = domain.state;
	facts.recipients = domain.recipients;
	facts.has_catch_all = domain.catch_all.n > 0;
	facts.alias_of = domain.alias_of.size ? mr_str_copy(arena, domain.alias_of) : (mr_str){0};
	mr_vec_each (leaf, &object->leaves)
		facts.n_defaults +=
		        leaf->leaf.id >= MR_DOMAIN_DEFAULTS && leaf->leaf.id < MR_LEAF_FREE;
	facts.defaults = mr_alloc_n(arena, facts.n_defaults + 1, sizeof *facts.defaults);
	facts.n_defaults = 0;
	mr_vec_each (leaf, &object->leaves)
		if (leaf->leaf.id >= MR_DOMAIN_DEFAULTS && leaf->leaf.id < MR_LEAF_FREE)
			facts.defaults[facts.n_defaults++] =
			        copy_leaf(arena, leaf, leaf->leaf.id - MR_DOMAIN_DEFAULTS);
	return facts;
}

static int load_domains(struct mr_desired *desired, struct mr_diags *diags)
{
	MR_VEC(struct mr_domain_facts) found = {0};
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_domain, &objects);

	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0)
		mr_vec_push(&found, facts_of(desired, object));
	mr_objects_end(&objects);
	desired->domains = mr_alloc_n(&desired->arena, found.n + 1, sizeof *desired->domains);
	if (found.n)
		memcpy(desired->domains, found.items, found.n * sizeof *found.items);
	desired->n_domains = found.n;
	mr_vec_done(&found);
	return result < 0 ? result : 0;
}

/* The roles of the host; *out_is_listed and *out_has_hosts say whether hosts knows it, and whether
 * there is any. */
static int load_view(struct mr_desired *desired, struct mr_diags *diags, mr_str host)
{
	const struct mr_object *object = NULL;
	struct mr_objects objects;
	int result;

	if (!host.size)
		return 0;
	result = mr_objects_begin(mr_layers_of(desired), MR_KIND_host, host, true, &objects);
	objects.diags = diags;
	if (!result)
		result = mr_objects_next(&objects, &object);
	if (result > 0 && object) {
		struct mr_strs roles = mr_leaf_strs(desired, &desired->arena,
		        mr_object_leaf(object, MR_F_HOST_ROLES), (mr_str){0}, true);

		for (size_t i = 0; i < roles.n; i++)
			roles.items[i] = mr_str_copy(&desired->arena, roles.items[i]);
		desired->view.host = mr_str_copy(&desired->arena, host);
		desired->view.roles.items = roles.items;
		desired->view.roles.n = roles.n;
	}
	mr_objects_end(&objects);
	return result < 0 ? result : 0;
}

/* Copies a list leaf into the arena of the state. */
static struct mr_strs keep_strs(
        struct mr_desired *desired, const struct mr_object *object, unsigned id)
{
	struct mr_strs strs = mr_leaf_strs(
	        desired, &desired->arena, mr_object_leaf(object, id), (mr_str){0}, true);

	for (size_t i = 0; i < strs.n; i++)
		strs.items[i] = mr_str_copy(&desired->arena, strs.items[i]);
	return strs;
}

static int load_limits(struct mr_desired *desired, struct mr_diags *diags)
{
	struct mr_policy *policy = &desired->policy;
	MR_VEC(struct mr_limit) limits = {0};
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_limit, &objects);

	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0) {
		struct mr_limit limit = {.id = mr_str_copy(&desired->arena, object->key)};

		if (mr_limit_parse(mr_str_copy(&desired->arena, mr_object_text(object, MR_F_VALUE)),
		            &limit) == 0)
			mr_vec_push(&limits, limit);
	}
	mr_objects_end(&objects);
	policy->limits = limits.items;
	policy->n_limits = limits.n;
	mr_policy_complete(&desired->arena, policy);
	mr_vec_done(&limits);
	return result < 0 ? result : 0;
}

static int load_windows(struct mr_desired *desired, struct mr_diags *diags)
{
	struct mr_policy *policy = &desired->policy;
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_window, &objects);

	/* One a known action: restart and apply. */
	policy->windows = mr_alloc_n(&desired->arena, 2, sizeof *policy->windows);
	policy->n_windows = 0;
	while (result >= 0 && policy->n_windows < 2 &&
	        (result = mr_objects_next(&objects, &object)) > 0) {
		struct mr_window *window = &policy->windows[policy->n_windows];

		if (mr_window_parse(
		            mr_str_copy(&desired->arena, mr_object_text(object, MR_F_VALUE)),
		            window) == 0) {
			window->action = mr_str_copy(&desired->arena, object->key);
			policy->n_windows++;
		}
	}
	mr_objects_end(&objects);
	return result < 0 ? result : 0;
}

static int load_waivers(struct mr_desired *desired, struct mr_diags *diags)
{
	MR_VEC(mr_str) waived = {0};
	const struct mr_object *object;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_waiver, &objects);

	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0) {
		int64_t until;

		if (mr_date_parse(mr_object_text(object, MR_F_WAIVER_UNTIL), &until) == 0 &&
		        until >= desired->today_days)
			mr_vec_push(&waived, mr_str_copy(&desired->arena, object->key));
	}
	mr_objects_end(&objects);
	desired->policy.waived.items =
	        mr_alloc_n(&desired->arena, waived.n + 1, sizeof *waived.items);
	if (waived.n)
		memcpy(desired->policy.waived.items, waived.items, waived.n * sizeof *waived.items);
	desired->policy.waived.n = waived.n;
	mr_vec_done(&waived);
	return result < 0 ? result : 0;
}

static int load_policy(struct mr_desired *desired, struct mr_diags *diags)
{
	const struct mr_object *object = NULL;
	struct mr_objects objects;
	int result = begin(desired, diags, MR_KIND_policy, &objects);

	if (!result)
		result = mr_objects_next(&objects, &object);
	if (result > 0 && object) {
		desired->policy.protect = keep_strs(desired, object, MR_F_POLICY_PROTECT);
		desired->policy.allowed_schemes = keep_strs(desired, object, MR_F_POLICY_SCHEMES);
	}
	mr_objects_end(&objects);
	if (result >= 0)
		result = load_limits(desired, diags);
	if (result >= 0)
		result = load_windows(desired, diags);
	if (result >= 0)
		result = load_waivers(desired, diags);
	return result;
}

int mr_desired_load(struct mr_desired *desired, struct mr_diags *diags, mr_str host)
{
	int error = load_view(desired, diags, host);

	if (!error)
		error = load_accounts(desired, diags);
	if (!error)
		error = load_defaults(desired, diags);
	if (!error)
		error = load_domains(desired, diags);
	if (!error)
		error = load_policy(desired, diags);
	return error;
}
