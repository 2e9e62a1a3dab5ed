/*
 * Digests of a plan: over the desired state, the policy and the effects; not over time, wording or
 * places.
 */
#include "plan/parts.h"

static void add_side(const struct mr_plan *plan, struct mr_attrs_builder *seal, mr_str body,
        struct mr_hash *hash)
{
	mr_hash_add_sized(hash, body.data ? MR_STR("is") : MR_STR("none"));
	if (!body.data)
		return;
	mr_hash_add_sized(hash, mr_attrs_seal(seal, body, plan->key));
}

/* Without a key of this host a secret leaves no trace at all, not even a digest that can be guessed
 * against. */
static void add_side_unkeyed(mr_str body, struct mr_hash *hash)
{
	struct mr_attr attr;

	mr_hash_add_sized(hash, body.data ? MR_STR("is") : MR_STR("none"));
	while (body.size > 0 && mr_attrs_next(&body, &attr) == 1) {
		bool is_secret = attr.flags & (MR_ATTR_SENSITIVE | MR_ATTR_SEALED);
		mr_hash_add_sized(hash, attr.name);
		mr_hash_add_sized(hash, is_secret ? MR_STR("") : attr.encoded_values);
	}
}

void mr_digest_change(const struct mr_plan *plan, struct mr_attrs_builder *seal,
        const struct mr_change *change, struct mr_hash *hash)
{
	mr_hash_add_sized(hash, change->in->name);
	mr_hash_add_sized(hash, change->key);
	if (plan->is_keyed) {
		add_side(plan, seal, change->before, hash);
		add_side(plan, seal, change->after, hash);
	} else {
		add_side_unkeyed(change->before, hash);
		add_side_unkeyed(change->after, hash);
	}
}

static mr_str format(struct mr_plan *plan, struct mr_hash *hash)
{
	struct mr_digest digest = mr_hash_final(hash);
	struct mr_buf text = MR_BUF_INIT;

	mr_buf_add_text(&text, "sha256:");
	mr_digest_format(&digest, &text);
	mr_str result = mr_str_copy(&plan->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

void mr_plan_digests(struct mr_plan *plan)
{
	struct mr_attrs_builder seal;
	struct mr_buf policy = MR_BUF_INIT;
	struct mr_hash hash;

	mr_attrs_builder_init(&seal);
	mr_hash_init(&hash);
	mr_vec_each (change, &plan->diff.changes.list)
		mr_digest_change(plan, &seal, change, &hash);
	plan->doc.effects_digest = format(plan, &hash);
	mr_attrs_builder_done(&seal);

	mr_hash_init(&hash);
	if (plan->input.desired) {
		struct mr_digest desired = mr_desired_digest(plan->input.desired);
		mr_hash_add_sized(
		        &hash, (mr_str){(const char *)desired.bytes, sizeof desired.bytes});
	}
	if (plan->input.policy)
		mr_policy_format(plan->input.policy, &policy);
	mr_hash_add_sized(&hash, mr_buf_str(&policy));
	mr_hash_add_sized(&hash, plan->doc.effects_digest);
	plan->doc.digest = format(plan, &hash);
	mr_buf_done(&policy);
}
