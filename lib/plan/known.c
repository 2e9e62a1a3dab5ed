/*
 * Recognises a world that was found in order before.
 */
#include "plan/known.h"

static void add_flag(struct mr_hash *hash, bool flag)
{
	mr_hash_add_sized(hash, flag ? MR_STR("1") : MR_STR("0"));
}

/* The program itself: another build may see things otherwise. */
static void add_program(struct mr_fingerprint *print, const struct mr_plan *plan)
{
	mr_hash_add_sized(&print->hash, mr_str_from(plan->input.version));
	mr_fingerprint_file(print, "/proc/self/exe");
	mr_fingerprint_file(print, "/etc/passwd");
	mr_fingerprint_file(print, "/etc/group");
}

static void add_desired(struct mr_fingerprint *print, const struct mr_plan *plan)
{
	struct mr_digest desired = mr_desired_digest(plan->input.desired);

	mr_hash_add_sized(
	        &print->hash, (mr_str){(const char *)desired.bytes, sizeof desired.bytes});
}

/* What decides how differences are judged. */
static void add_judgement(struct mr_fingerprint *print, const struct mr_plan *plan)
{
	struct mr_buf policy = MR_BUF_INIT;

	if (plan->input.policy)
		mr_policy_format(plan->input.policy, &policy);
	mr_hash_add_sized(&print->hash, mr_buf_str(&policy));
	mr_buf_done(&policy);
	mr_hash_add_sized(&print->hash, plan->input.only);
	for (size_t i = 0; plan->input.allow && i < plan->input.allow->n; i++)
		mr_hash_add_sized(&print->hash, plan->input.allow->items[i]);
	for (size_t i = 0; plan->input.contended && i < plan->input.contended->n; i++)
		mr_hash_add_sized(&print->hash, plan->input.contended->items[i]);
	add_flag(&print->hash, plan->input.heals_drift);
	add_flag(&print->hash, plan->input.follows_drift_mode);
	mr_hash_add_sized(&print->hash, plan->input.host->drift_mode_postfix);
	mr_hash_add_sized(&print->hash, plan->input.host->drift_mode_dovecot);
	mr_hash_add_sized(&print->hash, plan->input.host->drift_mode_ldap);
}

/* What we own moves with every run that is applied; secrets with their files. */
static bool add_kept(struct mr_fingerprint *print, const struct mr_plan *plan)
{
	const struct mr_host *host = plan->input.host;
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_applied applied = {0};
	int code = mr_state_applied(plan->input.state, &arena, &applied);

	mr_hash_add(&print->hash, (mr_str){(const char *)&applied.run, sizeof applied.run});
	mr_hash_add_sized(&print->hash, applied.digest);
	if (host->secrets_directory.size > 0)
		mr_fingerprint_folder(print, mr_str_copy(&arena, host->secrets_directory).data, 0);
	mr_arena_done(&arena);
	return code == 0 && mr_state_is_trusted(plan->input.state);
}

void mr_known_look(struct mr_plan *plan, struct mr_known *out)
{
	struct mr_fingerprint print;

	*out = (struct mr_known){0};
	if (!plan->input.state || !plan->input.desired || !plan->input.host || !plan->is_keyed)
		return;
	mr_fingerprint_init(&out->base);
	add_program(&out->base, plan);
	add_desired(&out->base, plan);
	out->has_base = add_kept(&out->base, plan);
	if (!out->has_base)
		return;
	print = out->base;
	add_judgement(&print, plan);
	for (size_t i = 0; i < plan->input.n_servers; i++) {
		const struct mr_plan_server *server = &plan->input.servers[i];

		mr_hash_add_sized(&print.hash, mr_str_from(server->provider->name));
		if (!server->provider->fingerprint ||
		        !server->provider->fingerprint(server->backend, &print))
			return;
	}
	out->stamp = mr_hash_final(&print.hash);
	out->is_settled = mr_fingerprint_is_settled(&print);
	out->is_possible = true;
}

/* One name for all: only the newest is kept. */
static const char cache_name[] = "plan/empty";

static mr_str hex_of(const struct mr_known *known, struct mr_buf *buf)
{
	mr_digest_format(&known->stamp, buf);
	return mr_buf_str(buf);
}

bool mr_known_recall(struct mr_plan *plan, const struct mr_known *known)
{
	struct mr_cache *cache = mr_state_cache(plan->input.state);
	struct mr_buf stamp = MR_BUF_INIT;
	struct mr_diags ignored;
	mr_str kept = {0};
	bool is_known;

	mr_diags_init(&ignored);
	is_known = cache->get(cache, mr_str_from(cache_name), &plan->arena, &kept) &&
	           mr_str_starts(kept, hex_of(known, &stamp)) &&
	           mr_doc_parse(
	                   &ignored, &plan->arena, mr_str_skip(kept, stamp.size), &plan->doc) == 0;
	mr_diags_done(&ignored);
	mr_buf_done(&stamp);
	return is_known;
}

static bool is_worth_keeping(const struct mr_plan *plan)
{
	return plan->diff.changes.list.n == 0 && plan->diff.adoptions.list.n == 0 &&
	       plan->doc.drift.n == 0 && plan->doc.warnings.n == 0 && !mr_plan_is_refused(plan);
}

void mr_known_keep(struct mr_plan *plan, const struct mr_known *known)
{
	struct mr_cache *cache = mr_state_cache(plan->input.state);
	struct mr_buf kept = MR_BUF_INIT;
	struct mr_known now;

	if (!known->is_settled || !is_worth_keeping(plan))
		return;
	mr_known_look(plan, &now);
	if (!now.is_possible || !mr_digest_eq(&now.stamp, &known->stamp))
		return;
	(void)hex_of(known, &kept);
	mr_doc_json(&plan->doc, &kept);
	cache->put(cache, mr_str_from(cache_name), mr_buf_str(&kept));
	mr_buf_done(&kept);
}
