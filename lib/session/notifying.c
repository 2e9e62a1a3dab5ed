/*
 * Each receiver is told of a change of health and of drift, once. What it was told last is kept, so
 * that nothing is said twice, and what could not be said is said later, if it still is so.
 */
#include "session/notifying.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "notify/notify.h"
#include "session/health.h"
#include "session/observed.h"

enum { COMMIT_DIGITS = 12 };

/* What is so now, of one thing that receivers are told about. */
struct topic {
	const char *event;
	mr_str state; /* in words */
	mr_str key;   /* the same key again is no news */
	bool is_well;
	bool is_due; /* not yet: it may pass by itself */
	mr_str reason;
	int64_t since;
	int64_t n_drift;
};

struct telling {
	struct mailreeve *session;
	struct mr_observed observed; /* a copy without its lock */
	int64_t now;
};

/* These are the commit's own fault: another commit is another fact. */
static bool is_of_commit(int64_t status)
{
	return status == MAILREEVE_REFUSED || status == MAILREEVE_ROLLED_BACK ||
	       status == MAILREEVE_INVALID;
}

static int64_t total_drift(const struct mr_observed *observed)
{
	int64_t n = 0;

	mr_vec_each (entry, &observed->drift)
		n += entry->n;
	return n;
}

static void health_topic(const struct telling *telling, struct topic *out)
{
	const struct mr_observed *observed = &telling->observed;
	enum mr_health health = mr_session_health(telling->session, observed);
	bool is_same = mr_str_is(observed->health, mr_health_word(health));
	mr_str head = mr_str_take(observed->head, COMMIT_DIGITS);

	*out = (struct topic){.event = "health",
	        .state = mr_str_from(mr_health_word(health)),
	        .is_well = health == MR_HEALTH_HEALTHY || health == MR_HEALTH_NEVER_APPLIED,
	        .reason = observed->reason,
	        .since = is_same ? observed->changed : telling->now,
	        .n_drift = total_drift(observed)};
	out->key = out->state;
	if (is_of_commit(observed->status) && head.size > 0)
		out->key = mr_str_printf(
		        &telling->session->arena, "%.*s %.*s", MR_FMT(out->state), MR_FMT(head));
	out->is_due = telling->now - out->since >= mr_health_delay_seconds(health);
}

static void drift_topic(const struct telling *telling, struct topic *out)
{
	const struct mr_observed *observed = &telling->observed;
	int64_t n = total_drift(observed);

	*out = (struct topic){.event = "drift",
	        .state = mr_str_from(n > 0 ? "drift" : "no drift"),
	        .is_well = n == 0,
	        .is_due = true,
	        .since = n > 0 ? observed->drifted : observed->looked,
	        .n_drift = n};
	out->key = out->state;
}

static mr_str time_text(struct mr_arena *arena, int64_t seconds)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str result;

	mr_time_format(seconds, &text);
	result = mr_str_copy(arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

static mr_str random_id(struct mr_arena *arena)
{
	uint64_t bits[2] = {0};

	(void)!getrandom(bits, sizeof bits, GRND_NONBLOCK); /* the time is in the notice too */
	return mr_str_printf(arena, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
}

static mr_str summary(
        const struct telling *telling, const struct topic *topic, mr_str previous, mr_str reason)
{
	struct mr_arena *arena = &telling->session->arena;
	const struct mr_host *host = &telling->session->host;

	if (mr_str_is(topic->state, "drift"))
		return mr_str_printf(arena, "%.*s: drift: others changed %" PRId64 " value%s",
		        MR_FMT(host->name), topic->n_drift, topic->n_drift == 1 ? "" : "s");
	return mr_str_printf(arena, "%.*s: %.*s%s%.*s%s%s%.*s", MR_FMT(host->name),
	        MR_FMT(topic->state), previous.size ? " (was " : "", MR_FMT(previous),
	        previous.size ? ")" : "", reason.size ? ": " : "",
	        MR_FMT(mr_str_take(reason, 200)));
}

/* Of a key: the commit at its end, or the empty view. */
static mr_str commit_of(mr_str key)
{
	mr_str last = mr_str_skip(key, mr_str_rfind(key, ' ') + 1);

	for (size_t i = 0; i < last.size; i++)
		if (!strchr("0123456789abcdef", last.data[i]))
			return (mr_str){0};
	return last.size == COMMIT_DIGITS ? last : (mr_str){0};
}

static mr_str state_of(mr_str key)
{
	mr_str commit = commit_of(key);

	return commit.size ? mr_str_take(key, key.size - commit.size - 1) : key;
}

/* A commit that failed and is refused from then on is one story. */
static bool is_old_news(mr_str told, mr_str key)
{
	mr_str commit = commit_of(key);

	return mr_str_eq(told, key) || (commit.size && mr_str_eq(commit_of(told), commit));
}

static void fill(const struct telling *telling, const struct topic *topic, mr_str told,
        struct mr_notice *out)
{
	struct mr_arena *arena = &telling->session->arena;
	mr_str previous = state_of(told);
	struct mr_record last = {0};

	if (mr_state_find_record(telling->session->state, 0, arena, &last) ||
	        !mr_str_eq(last.commit, telling->observed.head))
		last = (struct mr_record){0};
	*out = (struct mr_notice){
	        .values = {
	                [MR_NOTICE_id] = random_id(arena),
	                [MR_NOTICE_time] = time_text(arena, telling->now),
	                [MR_NOTICE_host] = telling->session->host.name,
	                [MR_NOTICE_event] = mr_str_from(topic->event),
	                [MR_NOTICE_state] = topic->state,
	                [MR_NOTICE_previous] = previous,
	                [MR_NOTICE_summary] = summary(telling, topic, previous, topic->reason),
	                [MR_NOTICE_reason] = topic->reason,
	                [MR_NOTICE_commit] = telling->observed.head,
	                [MR_NOTICE_subject] = last.subject,
	                [MR_NOTICE_run] = mr_str_printf(arena, "%" PRId64, last.id),
	                [MR_NOTICE_since] = time_text(arena, topic->since),
	                [MR_NOTICE_drift] = mr_str_printf(arena, "%" PRId64, topic->n_drift),
	                [MR_NOTICE_objects] = telling->observed.objects,
	                [MR_NOTICE_version] = MR_STR(MR_VERSION),
	        }};
}

static bool send(
        const struct telling *telling, enum mr_way way, const struct topic *topic, mr_str told)
{
	struct mailreeve *session = telling->session;
	struct mr_notice notice;
	struct mr_diags problems;
	int code;

	fill(telling, topic, told, &notice);
	mr_diags_init(&problems);
	code = mr_notify_send(&problems, &session->host, way, &notice);
	mr_session_warn(session, &problems, "MR-NOTIFY");
	mr_diags_done(&problems);
	return code == 0;
}

/* Kept after each, so that a crash in between repeats one at most. */
static void keep(struct mailreeve *session, mr_str name, mr_str key)
{
	struct mr_observed observed;

	if (!mr_observed_begin(session, &observed))
		return;
	mr_told_set(&session->arena, &observed, name, key);
	mr_observed_keep(session, &observed);
}

/* False: this receiver takes nothing now. */
static bool tell(const struct telling *telling, enum mr_way way, const struct topic *topic)
{
	struct mailreeve *session = telling->session;
	mr_str name = mr_str_printf(&session->arena, "%s %s", mr_way_name(way), topic->event);
	mr_str told = mr_told_get(&telling->observed, name);
	bool is_first = told.size == 0;

	if (is_old_news(told, topic->key) || !topic->is_due)
		return true;
	/* that all is well is no news to whom nothing else was told */
	if (!(is_first && topic->is_well) && !send(telling, way, topic, told))
		return false;
	keep(session, name, topic->key);
	return true;
}

static void tell_all(const struct telling *telling)
{
	struct topic topics[2];

	health_topic(telling, &topics[0]);
	drift_topic(telling, &topics[1]);
	for (int way = 0; way < MR_WAY_COUNT; way++) {
		if (!mr_way_is_wanted(&telling->session->host, (enum mr_way)way))
			continue;
		for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
			if (!tell(telling, (enum mr_way)way, &topics[i]))
				break;
	}
}

static bool has_receiver(const struct mr_host *host)
{
	for (int way = 0; way < MR_WAY_COUNT; way++)
		if (mr_way_is_wanted(host, (enum mr_way)way))
			return true;
	return false;
}

void mr_session_notify(struct mailreeve *session)
{
	struct telling telling = {.session = session, .now = time(NULL)};
	MR_CLOSE int lock = -1;

	if (!has_receiver(&session->host))
		return;
	lock = open(mr_session_path(session, "notify.lock"),
	        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* who holds it tells; what it does not know yet is told by the next run */
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return;
	mr_observed_read(session, &telling.observed);
	tell_all(&telling);
	mr_observed_done(&telling.observed);
}
