/*
 * The table of healths, and which one it is.
 */
#include "session/health.h"

#include "apply/apply.h"
#include "session/contending.h"
#include "session/pausing.h"

static const struct {
	const char *word;
	int64_t delay_seconds;
} healths[MR_HEALTH_COUNT] = {
#define HEALTH(id, word, delay, meaning) [MR_HEALTH_##id] = {word, delay},
        MR_HEALTHS(HEALTH)
#undef HEALTH
};

static const struct {
	int status;
	enum mr_health health;
} of_status[] = {
        {MAILREEVE_OK, MR_HEALTH_HEALTHY},
        {MAILREEVE_REFUSED, MR_HEALTH_REFUSED},
        {MAILREEVE_STALE, MR_HEALTH_REFUSED},
        {MAILREEVE_STUCK, MR_HEALTH_STUCK},
        {MAILREEVE_BUSY, MR_HEALTH_WAITING},
};

const char *mr_health_word(enum mr_health health)
{
	return healths[health].word;
}

int64_t mr_health_delay_seconds(enum mr_health health)
{
	return healths[health].delay_seconds;
}

enum mr_health mr_health_of_status(int status)
{
	for (size_t i = 0; i < sizeof of_status / sizeof of_status[0]; i++)
		if (of_status[i].status == status)
			return of_status[i].health;
	return MR_HEALTH_FAILED;
}

int mr_session_is_paused(struct mailreeve *session)
{
	struct mr_pause pause;

	return mr_pause_find(session, &pause);
}

/* What the last run on record says, for what was never observed. */
static enum mr_health of_history(struct mailreeve *session)
{
	struct mr_record last = {0};

	if (mr_state_find_record(session->state, 0, &session->arena, &last))
		return MR_HEALTH_NEVER_APPLIED;
	return mr_health_of_status(last.exit_status);
}

enum mr_health mr_session_health(struct mailreeve *session, const struct mr_observed *observed)
{
	struct mr_applied applied = {0};
	struct mr_contended *contended;
	size_t n_contended;
	enum mr_health health = observed->ended > 0 ? mr_health_of_status((int)observed->status)
	                                            : of_history(session);
	bool is_open = false;

	if (!mr_state_is_trusted(session->state))
		return MR_HEALTH_UNTRUSTED;
	if (health == MR_HEALTH_STUCK)
		return health;
	if (mr_apply_is_open(session->state, &is_open) == 0 && is_open)
		return MR_HEALTH_INTERRUPTED;
	if (mr_session_is_paused(session) > 0)
		return MR_HEALTH_PAUSED;
	mr_contended_find(session, observed, &contended, &n_contended);
	if (health == MR_HEALTH_HEALTHY && n_contended > 0)
		return MR_HEALTH_CONTENDED;
	if (health == MR_HEALTH_HEALTHY &&
	        mr_state_applied(session->state, &session->arena, &applied) == 0 &&
	        applied.run == 0)
		return MR_HEALTH_NEVER_APPLIED;
	return health;
}
