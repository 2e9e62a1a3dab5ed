/*
 * Changes made live, in waves.
 *
 * Entries of one depth make a wave: parents before children, deletions the other way round and
 * last. Within a wave every entry is read and judged before anything is written, and read again
 * whenever an answer leaves a doubt.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "model/dn.h"
#include "openldap/request.h"

#define WAVE_LIMIT  512
#define TRIES       2
#define ROUND_LIMIT 64

static int by_wave(const void *a, const void *b)
{
	const struct mr_ldap_operation *left = a;
	const struct mr_ldap_operation *right = b;
	bool is_left_delete = mr_change_is_delete(left->change);
	bool is_right_delete = mr_change_is_delete(right->change);

	if (is_left_delete != is_right_delete)
		return is_left_delete ? 1 : -1;
	if (left->depth != right->depth)
		return (left->depth < right->depth) != is_left_delete ? -1 : 1;
	return mr_str_cmp(left->change->key, right->change->key);
}

static bool is_same_wave(const struct mr_ldap_operation *a, const struct mr_ldap_operation *b)
{
	return a->depth == b->depth &&
	       mr_change_is_delete(a->change) == mr_change_is_delete(b->change);
}

/* What the look has shown. The number left to do goes to *out_n_todo. */
static int judge_all(struct mr_ldap_wave *wave, size_t *out_n_todo)
{
	int code = 0;

	*out_n_todo = 0;
	for (size_t i = 0; i < wave->n; i++) {
		struct mr_ldap_operation *operation = &wave->operations[i];
		enum mr_ldap_verdict verdict;
		mr_str attribute = {0};

		if (operation->state != MR_LDAP_TODO && operation->state != MR_LDAP_UNSURE)
			continue;
		verdict = mr_ldap_judge(wave->backend, operation->change, operation->dn,
		        operation->live, &attribute);
		operation->state = verdict == MR_LDAP_AS_AFTER    ? MR_LDAP_DONE
		                   : verdict == MR_LDAP_AS_BEFORE ? MR_LDAP_TODO
		                                                  : MR_LDAP_CONFLICT;
		*out_n_todo += operation->state == MR_LDAP_TODO;
		if (operation->state == MR_LDAP_CONFLICT)
			code = mr_ldap_report_conflict(
			        wave->backend, operation->change, operation->dn, attribute);
	}
	return code;
}

static int report_refusal(struct mr_ldap_wave *wave, const struct mr_ldap_operation *operation)
{
	const char *what = mr_change_is_create(operation->change)   ? "add"
	                   : mr_change_is_delete(operation->change) ? "delete"
	                                                            : "change";
	int code = operation->result == LDAP_NOT_ALLOWED_ON_NONLEAF ? MR_E_CONFLICT : MR_E_FAILED;

	mr_ldap_fail(&wave->backend->ldap, code, what, operation->dn, operation->result,
	        operation->words.data);
	mr_diags_object(wave->backend->diags, operation->change->object);
	return code;
}

/* After a round: those refused for good are reported, and those that were tried often enough. */
static int judge_answers(struct mr_ldap_wave *wave, bool *out_is_lost)
{
	int code = 0;

	*out_is_lost = false;
	for (size_t i = 0; i < wave->n; i++) {
		struct mr_ldap_operation *operation = &wave->operations[i];

		if (operation->state != MR_LDAP_UNSURE)
			continue;
		if (mr_ldap_is_transient(operation->result))
			*out_is_lost = true;
		else if (!mr_ldap_is_for_a_look(operation->result))
			code = report_refusal(wave, operation);
	}
	return code;
}

/* A change that keeps being turned down though the entry is as before. */
static int judge_tries(struct mr_ldap_wave *wave)
{
	int code = 0;

	for (size_t i = 0; i < wave->n; i++) {
		struct mr_ldap_operation *operation = &wave->operations[i];

		if (operation->state == MR_LDAP_TODO && operation->n_tries >= TRIES &&
		        !mr_ldap_is_transient(operation->result))
			code = report_refusal(wave, operation);
	}
	return code;
}

static int report_lost(struct mr_ldap_wave *wave)
{
	for (size_t i = 0; i < wave->n; i++)
		if (wave->operations[i].state == MR_LDAP_TODO ||
		        wave->operations[i].state == MR_LDAP_UNSURE)
			return report_refusal(wave, &wave->operations[i]);
	return MR_E_FAILED;
}

/* What is left to do. An undo goes on past conflicts: what can be put back is put back. */
static int look_and_judge(struct mr_ldap_wave *wave, size_t *out_todo, int *conflict)
{
	int code = mr_ldap_look(wave->backend, wave->operations, wave->n, wave->arena);

	if (!code) {
		int judged = judge_all(wave, out_todo);

		*conflict = judged ? judged : *conflict;
		code = wave->is_undo ? 0 : judged;
	}
	return code ? code : judge_tries(wave);
}

/* Rounds of look, judge and send until nothing is left to do. */
static int run_wave(struct mr_ldap_wave *wave)
{
	int64_t deadline_ms = 0;
	int conflict = 0;

	for (unsigned round = 0; round < ROUND_LIMIT; round++) {
		size_t n_todo = 0;
		bool is_lost = false;
		int code = look_and_judge(wave, &n_todo, &conflict);

		if (code || !n_todo)
			return code ? code : conflict;
		code = mr_ldap_wave_send(wave);
		if (!code)
			code = judge_answers(wave, &is_lost);
		if (code)
			return code;
		deadline_ms = deadline_ms ? deadline_ms : mr_clock_ms() + MR_LDAP_RETRY_MS;
		if (is_lost && !mr_ldap_pause(round, deadline_ms))
			return report_lost(wave);
	}
	return report_lost(wave);
}

static int run_all(
        struct mr_backend *backend, struct mr_ldap_operation *operations, size_t n, bool is_undo)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	int first = 0;

	for (size_t start = 0; start < n;) {
		struct mr_ldap_wave wave = {.backend = backend,
		        .operations = operations + start,
		        .arena = &arena,
		        .is_undo = is_undo};
		int code;

		while (start + wave.n < n && wave.n < WAVE_LIMIT &&
		        is_same_wave(wave.operations, wave.operations + wave.n))
			wave.n++;
		start += wave.n;
		mr_arena_reset(&arena);
		code = run_wave(&wave);
		first = first ? first : code;
		if (code && !(is_undo && code == MR_E_CONFLICT))
			return first;
	}
	return first;
}

int mr_ldap_apply(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory, bool is_undo)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_ldap_operation *operations = mr_alloc_n(&arena, n, sizeof *operations);
	int code = mr_ldap_ready(backend);

	(void)work_directory; /* nothing is built aside */
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		operations[i].change = changes[i];
		operations[i].dn = mr_ldap_dn_of_change(backend, &arena, changes[i]);
		operations[i].depth = mr_dn_key_depth(changes[i]->key);
	}
	qsort(operations, n, sizeof *operations, by_wave);
	return run_all(backend, operations, n, is_undo);
}
