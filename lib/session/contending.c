/*
 * Counting how often a value was put back. Where others change so many at once that no list of them
 * is of use (a table written anew by another program), the whole server is counted as one.
 */
#include "session/contending.h"

#include <inttypes.h>
#include <time.h>

#include "session/observing.h"

enum { WINDOW_SECONDS = 3600, MOST_AT_ONCE = 100, MOST_COUNTED = 400 };

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
			(*out)[(*out_n)++] = (struct mr_contended){.name = entry->name,
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
		names->items[names->n++] = contended[i].name;
		mr_diags_at(&session->diags, MR_WARNING, "MR-CONTENDED", NULL,
		        "contended: '%.*s' was put back %" PRId64
		        " times and changed again each time: it is left as it is",
		        MR_FMT(contended[i].name), contended[i].heals);
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
		if (mr_plan_drift_is(plan, i, wanted))
			return true;
	return false;
}

static void count(struct mailreeve *session, struct mr_observed *observed, mr_str name)
{
	int64_t now = time(NULL);
	int64_t *heals = mr_entry_of(&session->arena, &observed->heals, name);
	int64_t *since = mr_entry_of(&session->arena, &observed->heals_since, name);

	if (is_contended(session, *heals))
		return;
	if (*heals == 0 || now - *since > WINDOW_SECONDS) {
		*heals = 0;
		*since = now;
	}
	(*heals)++;
}

/* Each value once, however many rows it has: they are neighbours. */
static void count_fields(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, mr_str server)
{
	struct mr_buf name = MR_BUF_INIT, before = MR_BUF_INIT;

	for (size_t i = 0; i < mr_plan_drift_count(plan); i++) {
		if (!mr_plan_drift_is(plan, i, server))
			continue;
		mr_buf_clear(&name);
		mr_plan_drift_field(plan, i, &name);
		if (mr_str_eq(mr_buf_str(&name), mr_buf_str(&before)))
			continue;
		count(session, observed, mr_buf_str(&name));
		mr_buf_clear(&before);
		mr_buf_add_str(&before, mr_buf_str(&name));
	}
	mr_buf_done(&name);
	mr_buf_done(&before);
}

static void count_server(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, mr_str server)
{
	size_t n = 0;

	if (is_contended(session, number_of(&observed->heals, server)))
		return;
	for (size_t i = 0; i < mr_plan_drift_count(plan); i++)
		n += mr_plan_drift_is(plan, i, server);
	if (n > MOST_AT_ONCE || observed->heals.n + n > MOST_COUNTED)
		count(session, observed, server);
	else
		count_fields(session, observed, plan, server);
}

void mr_contended_note(struct mailreeve *session, struct mr_observed *observed,
        const struct mr_plan *plan, const struct mr_planning *how)
{
	int64_t now = time(NULL);

	for (size_t i = observed->heals.n; i > 0; i--) {
		mr_str name = observed->heals.items[i - 1].name;
		bool is_left = is_contended(session, observed->heals.items[i - 1].n);
		bool is_old = now - number_of(&observed->heals_since, name) > WINDOW_SECONDS;

		if (is_left ? has_row(plan, name) : !is_old)
			continue;
		drop(&observed->heals, name);
		drop(&observed->heals_since, name);
	}
	for (size_t i = 0; i < session->n_servers; i++) {
		const char *server = session->servers[i].provider->name;

		if (mr_session_heals(session, how, server))
			count_server(session, observed, plan, mr_str_from(server));
	}
}

bool mr_contended_has(const struct mr_contended *contended, size_t n, const struct mr_plan *plan,
        size_t drift_index)
{
	for (size_t i = 0; i < n; i++)
		if (mr_plan_drift_is(plan, drift_index, contended[i].name))
			return true;
	return false;
}

void mr_contended_forget(struct mr_observed *observed)
{
	observed->heals.n = observed->heals_since.n = 0;
}
