/*
 * The table of metrics, and what each is made of.
 */
#include "session/metrics.h"

#include <time.h>

#include "session/health.h"
#include "session/observed.h"

/* What all of them are made of, gathered before anything is written. */
struct writing {
	struct mailreeve *session;
	struct mr_metrics metrics;
	const struct mr_metric *metric; /* the one that is being written */
	struct mr_observed observed;
	struct mr_applied applied;
	int64_t now;
};

static void add(struct writing *writing, int64_t value)
{
	mr_metrics_add(&writing->metrics, writing->metric, NULL, 0, value);
}

static void add_labelled(struct writing *writing, const char *name, mr_str value, int64_t n)
{
	const struct mr_label label = {name, value};

	mr_metrics_add(&writing->metrics, writing->metric, &label, 1, n);
}

static void add_time(struct writing *writing, int64_t seconds)
{
	if (seconds > 0)
		add(writing, seconds);
}

static void write_build(struct writing *writing)
{
	add_labelled(writing, "version", MR_STR(MR_VERSION), 1);
}

static void write_written(struct writing *writing)
{
	add(writing, writing->now);
}

static void write_health(struct writing *writing)
{
	enum mr_health now = mr_session_health(writing->session, &writing->observed);

	for (int i = 0; i < MR_HEALTH_COUNT; i++)
		add_labelled(writing, writing->metric->name,
		        mr_str_from(mr_health_word((enum mr_health)i)), i == (int)now);
}

static void write_changed(struct writing *writing)
{
	add_time(writing, writing->observed.changed);
}

static void write_synced(struct writing *writing)
{
	add_time(writing, writing->observed.synced);
}

static void write_sync_status(struct writing *writing)
{
	if (writing->observed.synced > 0)
		add(writing, writing->observed.sync_status);
}

static void write_succeeded(struct writing *writing)
{
	add_time(writing, writing->observed.succeeded);
}

static void write_applied(struct writing *writing)
{
	const struct mr_label labels[] = {
	        {"commit", writing->applied.commit}, {"ref", writing->applied.ref}};

	if (writing->applied.run > 0)
		mr_metrics_add(&writing->metrics, writing->metric, labels, 2, 1);
}

static void write_applied_at(struct writing *writing)
{
	add_time(writing, writing->applied.when);
}

static void write_applied_run(struct writing *writing)
{
	add_time(writing, writing->applied.run);
}

static void write_head(struct writing *writing)
{
	if (writing->observed.head.size > 0)
		add_labelled(writing, "commit", writing->observed.head, 1);
}

static void write_lag(struct writing *writing)
{
	const struct mr_observed *observed = &writing->observed;

	if (observed->head.size == 0)
		return;
	add(writing, mr_str_eq(observed->head, writing->applied.commit)
	                     ? 0
	                     : writing->now - observed->head_seen);
}

static void write_drift(struct writing *writing)
{
	mr_vec_each (entry, &writing->observed.drift)
		add_labelled(writing, "server", entry->name, entry->n);
}

static void write_looked(struct writing *writing)
{
	add_time(writing, writing->observed.looked);
}

static void write_quarantined(struct writing *writing)
{
	uint64_t n = 0;

	if (mr_state_quarantined_count(writing->session->state, &n) == 0)
		add(writing, (int64_t)n);
}

static void write_paused(struct writing *writing)
{
	int is_paused = mr_session_is_paused(writing->session);

	if (is_paused >= 0)
		add(writing, is_paused);
}

/* A name of two words, each a label. */
static void add_pair(
        struct writing *writing, const struct mr_entry *entry, const char *one, const char *other)
{
	mr_str rest = entry->name;
	mr_str first = mr_str_split(&rest, ' ');
	const struct mr_label labels[] = {{one, first}, {other, rest}};

	mr_metrics_add(&writing->metrics, writing->metric, labels, 2, entry->n);
}

static void write_runs(struct writing *writing)
{
	mr_vec_each (entry, &writing->observed.runs)
		add_pair(writing, entry, "verb", "result");
}

static void write_changes(struct writing *writing)
{
	mr_vec_each (entry, &writing->observed.changes)
		add_pair(writing, entry, "action", "kind");
}

static void write_duration(struct writing *writing)
{
	if (writing->observed.ended > 0 || writing->observed.runs.n > 0)
		mr_metrics_add_milli(
		        &writing->metrics, writing->metric, NULL, 0, writing->observed.duration_ms);
}

static void write_steps(struct writing *writing)
{
	mr_vec_each (entry, &writing->observed.steps_ms) {
		const struct mr_label label = {"step", entry->name};

		mr_metrics_add_milli(&writing->metrics, writing->metric, &label, 1, entry->n);
	}
}

static void tell_queue(void *arg, const char *name, uint64_t value)
{
	add_labelled(arg, "queue", mr_str_from(name), (int64_t)value);
}

static void write_queue(struct writing *writing)
{
	const struct mailreeve *session = writing->session;

	for (size_t i = 0; i < session->n_servers; i++)
		if (session->servers[i].provider->measure)
			session->servers[i].provider->measure(
			        session->servers[i].backend, tell_queue, writing);
}

static const struct {
	struct mr_metric metric;
	const char *labels;
	void (*write)(struct writing *writing);
} table[] = {
#define METRIC(id, name, type, unit, labels, help)                                                 \
	{{name, MR_METRIC_##type, unit, help}, labels, write_##id},
#include "session/metrics.def"
#undef METRIC
};

enum { N_METRICS = sizeof table / sizeof table[0] };

int mr_session_metrics(
        struct mailreeve *session, enum mr_metrics_dialect dialect, struct mr_buf *out)
{
	struct writing writing = {
	        .session = session, .metrics = {.out = out, .dialect = dialect}, .now = time(NULL)};
	int code = mr_state_applied(session->state, &session->arena, &writing.applied);

	if (code)
		return code;
	mr_observed_read(session, &writing.observed);
	for (size_t i = 0; i < N_METRICS; i++) {
		writing.metric = &table[i].metric;
		table[i].write(&writing);
	}
	mr_metrics_end(&writing.metrics);
	mr_observed_done(&writing.observed);
	return 0;
}

void mr_metrics_write_table(struct mr_buf *out)
{
	mr_buf_add_text(out, "| metric | type | labels | what it tells |\n|---|---|---|---|\n");
	for (size_t i = 0; i < N_METRICS; i++)
		mr_buf_printf(out, "| `%s%s` | %s | %s | %s |\n", table[i].metric.name,
		        mr_metric_suffix(table[i].metric.type),
		        mr_metric_type_word(table[i].metric.type), table[i].labels,
		        table[i].metric.help);
}
