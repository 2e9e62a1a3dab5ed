/*
 * The rails: the table of limits, what they allow, and how a policy is kept between runs.
 */
#include "model/policy.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* Every limit a policy may name, with the built-in one that holds when it does not; by id. */
#define LIMITS(X)                                                                                  \
	X("domains.close", "5 or 10%", 5, 1000)                                                    \
	X("ldap.delete", "10 or 5%", 10, 500)                                                      \
	X("postfix.table.shrink", "20 or 20%", 20, 2000)                                           \
	X("users.close", "5 or 10%", 5, 1000)

static const char *const limit_ids[] = {
#define ID(id, text, count, percent) id,
        LIMITS(ID)
#undef ID
                NULL};

static struct mr_limit builtin_limits[] = {
#define LIMIT(id, text, count, percent) {MR_STR_INIT(id), MR_STR_INIT(text), count, percent},
        LIMITS(LIMIT)
#undef LIMIT
};

static const struct mr_policy builtin = {
        builtin_limits, sizeof builtin_limits / sizeof *builtin_limits, {0}, {0}, {0}, NULL, 0};

const char *const *mr_policy_limit_ids(void)
{
	return limit_ids;
}

bool mr_policy_limit_is_known(mr_str id)
{
	for (size_t i = 0; limit_ids[i]; i++)
		if (mr_str_is(id, limit_ids[i]))
			return true;
	return false;
}

uint64_t mr_limit_allows(const struct mr_limit *limit, uint64_t total)
{
	uint64_t share;

	if (__builtin_mul_overflow(total, limit->percent_hundredths, &share))
		return total;
	share /= 10000;
	return share > limit->count ? share : limit->count;
}

/* "2%" or "2.5%" in hundredths. */
static int parse_percent(mr_str text, uint64_t *out)
{
	mr_str rest = mr_str_take(text, text.size - 1);
	mr_str whole = mr_str_split(&rest, '.');
	uint64_t number, fraction = 0;

	if (mr_number_parse(whole, 100, &number) < 0)
		return MR_E_INVALID;
	if (rest.data && (rest.size < 1 || rest.size > 2))
		return MR_E_INVALID;
	for (size_t i = 0; rest.data && i < rest.size; i++) {
		if (rest.data[i] < '0' || rest.data[i] > '9')
			return MR_E_INVALID;
		fraction += (uint64_t)(rest.data[i] - '0') * (i ? 1 : 10);
	}
	*out = number * 100 + fraction;
	return *out > 10000 ? MR_E_INVALID : 0;
}

int mr_limit_parse(mr_str text, struct mr_limit *out)
{
	struct mr_limit limit = {.text = text};
	mr_str rest = mr_str_trim(text);
	size_t blank = mr_str_find(rest, ' ');
	mr_str count = mr_str_take(rest, blank), share = {0};

	if (blank < rest.size) {
		share = mr_str_trim(mr_str_skip(rest, blank));
		if (!mr_str_starts(share, MR_STR("or ")))
			return MR_E_INVALID;
		share = mr_str_trim(mr_str_skip(share, 3));
	} else if (mr_str_ends(rest, MR_STR("%"))) {
		share = rest;
		count = (mr_str){0};
	}
	if (count.size && mr_number_parse(count, UINT32_MAX, &limit.count) < 0)
		return MR_E_INVALID;
	if (share.size && (!mr_str_ends(share, MR_STR("%")) ||
	                          parse_percent(share, &limit.percent_hundredths) < 0))
		return MR_E_INVALID;
	if (!count.size && !share.size)
		return MR_E_INVALID;
	limit.id = out->id;
	*out = limit;
	return 0;
}

const struct mr_policy *mr_policy_builtin(void)
{
	return &builtin;
}

bool mr_policy_is_waived(const struct mr_policy *policy, mr_str rule, mr_str object)
{
	for (size_t i = 0; i < policy->waived.n; i++) {
		mr_str rest = policy->waived.items[i];

		if (mr_str_eq(mr_str_split(&rest, ' '), rule) && mr_str_eq(rest, object))
			return true;
	}
	return false;
}

void mr_policy_complete(struct mr_arena *arena, struct mr_policy *policy)
{
	struct mr_limit *limits = mr_alloc_n(arena, builtin.n_limits, sizeof *limits);

	memcpy(limits, builtin.limits, builtin.n_limits * sizeof *limits);
	for (size_t i = 0; i < builtin.n_limits; i++)
		for (size_t j = 0; j < policy->n_limits; j++)
			if (mr_str_eq(limits[i].id, policy->limits[j].id))
				limits[i] = policy->limits[j];
	policy->limits = limits;
	policy->n_limits = builtin.n_limits;
}

static void write_strs(struct mr_json *json, const char *name, const struct mr_strs *strs)
{
	mr_json_name(json, name);
	mr_json_begin_array(json);
	for (size_t i = 0; i < strs->n; i++)
		mr_json_str(json, strs->items[i]);
	mr_json_end_array(json);
}

void mr_policy_format(const struct mr_policy *policy, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, false);
	mr_json_begin_object(&json);
	mr_json_name(&json, "limits");
	mr_json_begin_object(&json);
	for (size_t i = 0; i < policy->n_limits; i++) {
		char id[64] = "";

		if (policy->limits[i].id.size < sizeof id)
			memcpy(id, policy->limits[i].id.data, policy->limits[i].id.size);
		mr_json_member_str(&json, id, policy->limits[i].text);
	}
	mr_json_end_object(&json);
	write_strs(&json, "protect", &policy->protect);
	write_strs(&json, "allowed_schemes", &policy->allowed_schemes);
	write_strs(&json, "waived", &policy->waived);
	mr_json_name(&json, "windows");
	mr_json_begin_array(&json);
	for (size_t i = 0; i < policy->n_windows; i++) {
		mr_json_begin_object(&json);
		mr_json_member_str(&json, "action", policy->windows[i].action);
		mr_json_member_str(&json, "window", policy->windows[i].text);
		mr_json_end_object(&json);
	}
	mr_json_end_array(&json);
	mr_json_end_object(&json);
}

static void read_strs(
        struct mr_arena *arena, const struct mr_json_value *value, struct mr_strs *out)
{
	out->items = mr_alloc_n(arena, value ? value->n_children + 1 : 1, sizeof *out->items);
	for (value = value ? value->first_child : NULL; value; value = value->next)
		out->items[out->n++] = value->text;
}

static int read_limits(
        struct mr_arena *arena, const struct mr_json_value *value, struct mr_policy *out)
{
	out->limits = mr_alloc_n(arena, value ? value->n_children + 1 : 1, sizeof *out->limits);
	for (value = value ? value->first_child : NULL; value; value = value->next) {
		out->limits[out->n_limits].id = value->name;
		if (mr_limit_parse(value->text, &out->limits[out->n_limits]) < 0)
			return MR_E_INVALID;
		out->n_limits++;
	}
	return 0;
}

static int read_windows(
        struct mr_arena *arena, const struct mr_json_value *value, struct mr_policy *out)
{
	out->windows = mr_alloc_n(arena, value ? value->n_children + 1 : 1, sizeof *out->windows);
	for (value = value ? value->first_child : NULL; value; value = value->next) {
		if (mr_window_parse(
		            mr_json_get_str(value, "window"), &out->windows[out->n_windows]) < 0)
			return MR_E_INVALID;
		out->windows[out->n_windows++].action = mr_json_get_str(value, "action");
	}
	return 0;
}

int mr_policy_parse(struct mr_arena *arena, mr_str json, struct mr_policy *out)
{
	struct mr_policy policy = {0};
	struct mr_json_value *root;
	int error = mr_json_parse(arena, json, &root, NULL);

	if (error)
		return error;
	read_strs(arena, mr_json_find(root, "protect"), &policy.protect);
	read_strs(arena, mr_json_find(root, "allowed_schemes"), &policy.allowed_schemes);
	read_strs(arena, mr_json_find(root, "waived"), &policy.waived);
	error = read_limits(arena, mr_json_find(root, "limits"), &policy);
	if (!error)
		error = read_windows(arena, mr_json_find(root, "windows"), &policy);
	if (error)
		return error;
	mr_policy_complete(arena, &policy);
	*out = policy;
	return 0;
}
