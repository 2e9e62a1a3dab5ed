/*
 * Recognises a collection that was found in order before: where others change one thing, or the
 * directory moves, the rows of a hundred thousand users are not compared again for it.
 */
#include "plan/known.h"

#include <inttypes.h>

#include "base/text.h"

/* One name a collection: only the newest is kept. */
static mr_str name_of(struct mr_arena *arena, const struct mr_plan_collection *from)
{
	return mr_str_printf(arena, "plan/in-order/%.*s", MR_FMT(from->in.name));
}

static void look(const struct mr_plan *plan, const struct mr_known *known,
        const struct mr_plan_collection *from, struct mr_known_collection *out)
{
	const struct mr_provider *provider = from->server->provider;
	struct mr_fingerprint print = known->base;

	*out = (struct mr_known_collection){0};
	/* a part of a plan has not looked at all of it */
	if (!known->has_base || from->is_former || plan->input.only.size > 0 ||
	        !provider->fingerprint_of)
		return;
	mr_hash_add_sized(&print.hash, from->in.name);
	mr_hash_add(&print.hash,
	        (mr_str){(const char *)&from->is_handed_over, sizeof from->is_handed_over});
	if (!provider->fingerprint_of(from->server->backend, &from->in, &print))
		return;
	out->is_possible = true;
	out->is_settled = mr_fingerprint_is_settled(&print);
	out->stamp = mr_hash_final(&print.hash);
}

/* As add_counts writes them. */
static bool read_counts(mr_str text, struct mr_diff_counts *out)
{
	uint64_t *const numbers[] = {&out->desired, &out->live, &out->owned, &out->primary};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (mr_number_parse(mr_str_word(&text), INT64_MAX, numbers[i]) < 0)
			return false;
	return true;
}

static void add_counts(struct mr_buf *out, const struct mr_diff_counts *counts)
{
	mr_buf_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, counts->desired,
	        counts->live, counts->owned, counts->primary);
}

bool mr_known_recall_collection(const struct mr_plan *plan, const struct mr_known *known,
        struct mr_plan_collection *from, struct mr_known_collection *out)
{
	struct mr_cache *cache;
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_buf stamp MR_DONE(buf) = MR_BUF_INIT;
	mr_str kept = {0};

	look(plan, known, from, out);
	if (!out->is_possible)
		return false;
	cache = mr_state_cache(plan->input.state);
	mr_digest_format(&out->stamp, &stamp);
	return cache->get(cache, name_of(&arena, from), &arena, &kept) &&
	       mr_str_starts(kept, mr_buf_str(&stamp)) &&
	       read_counts(mr_str_skip(kept, stamp.size), &from->counts);
}

void mr_known_keep_collection(const struct mr_plan *plan, const struct mr_known *known,
        const struct mr_plan_collection *from, const struct mr_known_collection *seen)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_buf kept MR_DONE(buf) = MR_BUF_INIT;
	struct mr_known_collection now;
	struct mr_cache *cache;

	if (!seen->is_possible || !seen->is_settled)
		return;
	look(plan, known, from, &now);
	if (!now.is_possible || !mr_digest_eq(&now.stamp, &seen->stamp))
		return;
	mr_digest_format(&seen->stamp, &kept);
	add_counts(&kept, &from->counts);
	cache = mr_state_cache(plan->input.state);
	cache->put(cache, name_of(&arena, from), mr_buf_str(&kept));
}
