/*
 * Counting how often an object was put back.
 */
#include "session/contending.h"

#include <inttypes.h>
#include <time.h>

#include "session/observing.h"

enum { WINDOW_SECONDS = 3600 };

static bool is_contended(const struct mailreeve *session, int64_t heals)
{
	return session->host.drift_heals > 0 && heals >= (int64_t)session->host.drift_heals;
}

static int64_t number_of(const struct mr_entries *entries, mr_str name)
{
	mr_vec_each (entry, entries)
		if (mr_str_eq(entry->name, name))
			return entry->n;
	return 0;
}

void mr_contended_find(struct mailreeve *session, const struct mr_observed *observed,
        struct mr_contended **out, size_t *out_n)
{
	*out = mr_alloc_n(&session->arena, observed->heals.n + 1, sizeof **out);
	*out_n = 0;
	mr_vec_each (entry, &observed->heals)
		if (is_contended(session, entry->n))
			(*out)[(*out_n)++] = (struct mr_contended){.object = entry->name,
			        .heals = entry->n,
			        .since = number_of(&observed->heals_since, entry->name)};
}

const struct mr_strs *mr_contended_names(struct mailreeve *session)
{
	struct mr_strs *names = mr_alloc(&session->arena, sizeof *names);
	struct mr_contended *contended;
	struct mr_observed observed;
	size_t n = 0;

	mr_observed_read(session, &observed);
	mr_contended_find(session, &observed, &contended, &n);
	*names = (struct mr_strs){0};
	names->items = mr_alloc_n(&session->arena, n + 1, sizeof *names->items);
	for (size_t i = 0; i < n; i++) {
		names->items[names->n++] = contended[i].object;
		mr_diags_at(&session->diags, MR_WARNING, "MR-CONTENDED", NULL,
		        "contended: '%.*s' was put back %" PRId64
		        " times and changed again each time: it is left as it is",
		        MR_FMT(contended[i].object), contended[i].heals);
		mr_diags_hint(&session->diags, "'mailreeve drift' tells who, as far as that is "
		                               "known; 'mailreeve apply' puts it "
		                               "back");
	}
	mr_observed_done(&observed);
	return names;
}

static void drop(struct mr_entries *entries, mr_str name)
{
	for (size_t i = 0; i < entries->n; i++)
		if (mr_str_eq(entries->items[i].name, name)) {
			entries->items[i] = entries->items[--entries->n];
			return;
		}
}

static bool has_row(const struct mr_plan *plan, mr_str wanted)
{
	for (size_t i = 0; i < mr_plan_drift_count(plan); i++)
		if (mr_str_eq(mr_plan_drift_object(plan, i), wanted))
			return true;
	return false;
}

static void count(struct mailreeve *session, struct mr_observed *observed, mr_str object)
{
	int64_t now = time(NULL);
	int64_t *heals = mr_entry_of(&session->arena, &observed->heals, object);
	int64_t *since = mr_entry_of(&session->arena, &observed->heals_since, object);

	if (is_contended(session, *heals))
		return;
	if (*heals == 0 || now - *since > WINDOW_SECONDS) {
		*heals = 0;
		*since = now;
	}
	(*heals)++;
}

/* Each object once, however many of its attributes were changed: rows of an object are neighbours.
 */
static void count_rows(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, const struct mr_planning *how)
{
	mr_str before = {0};

	for (size_t i = 0; i < mr_plan_drift_count(plan); i++) {
		mr_str object = mr_plan_drift_object(plan, i);

		if (!mr_str_eq(object, before) &&
		        mr_session_heals(session, how, mr_plan_drift_server(plan, i)))
			count(session, observed, object);
		before = object;
	}
}

void mr_contended_note(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, const struct mr_planning *how)
{
	int64_t now = time(NULL);

	for (size_t i = observed->heals.n; i > 0; i--) {
		mr_str object = observed->heals.items[i - 1].name;
		bool is_left = is_contended(session, observed->heals.items[i - 1].n);
		bool is_old = now - number_of(&observed->heals_since, object) > WINDOW_SECONDS;

		if (is_left ? has_row(plan, object) : !is_old)
			continue;
		drop(&observed->heals, object);
		drop(&observed->heals_since, object);
	}
	count_rows(session, observed, plan, how);
}

void mr_contended_forget(struct mr_observed *observed)
{
	observed->heals.n = observed->heals_since.n = 0;
}
