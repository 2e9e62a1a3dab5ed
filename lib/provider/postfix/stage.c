/*
 * Staging: what the changes amount to, and building and judging it aside.
 */
#include "postfix/apply.h"

#include "postfix/checks.h"
#include "postfix/control.h"
#include "postfix/flip.h"
#include "postfix/generation.h"
#include "postfix/observe.h"
#include "postfix/tables.h"

#include <string.h>
#include <unistd.h>

/* Whether rows of this table can be changed while it is in use. */
static bool is_changed_in_place(struct mr_backend *backend, mr_str name)
{
	const struct mr_postfix_table *table = mr_postfix_find_table(backend, name);

	if (!table || !table->is_live || table->live_kind != MR_TABLE_LMDB)
		return false;
	return !table->is_desired || table->kind == MR_TABLE_LMDB;
}

static bool decides_class(mr_str name)
{
	for (int i = 0; i < MR_WIRED_COUNT; i++)
		if (mr_str_eq(mr_wirings[i].name, name))
			return mr_wirings[i].decides_class;
	return false;
}

/* A parameter may begin to name a table that has no row yet, or change the type of all. */
static bool is_table_missing(const struct mr_backend *backend)
{
	for (size_t i = 0; i < backend->tables.n; i++) {
		const struct mr_postfix_table *table = &backend->tables.items[i];

		if (table->is_desired && (!table->is_live || table->live_kind != table->kind))
			return true;
	}
	return false;
}

void mr_postfix_shape_of(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, struct mr_postfix_shape *out)
{
	mr_str seen = {0};

	*out = (struct mr_postfix_shape){0};
	for (size_t i = 0; i < n; i++) {
		mr_str name = mr_postfix_table_name(changes[i]->in->name);

		if (!name.size) {
			out->has_main = true;
			if (mr_str_is(changes[i]->key, "inet_interfaces") ||
			        mr_str_is(changes[i]->key, "inet_protocols"))
				out->needs_restart = true;
		} else if (!mr_str_eq(name, seen)) {
			seen = name;
			out->has_rows = true;
			if (decides_class(name) || !is_changed_in_place(backend, name))
				out->needs_generation = true;
		}
	}
	if (out->has_main && (out->has_rows || is_table_missing(backend)))
		out->needs_generation = true;
	out->needs_reload = out->has_main || out->needs_generation;
}

/* Rows must be as the plan saw them before anything is built on them. */
static int check_rows(struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	int code = 0;

	for (size_t i = 0, end; i < n && !code; i = end) {
		mr_str name = mr_postfix_table_name(changes[i]->in->name);
		const struct mr_postfix_table *table = mr_postfix_find_table(backend, name);

		for (end = i + 1; end < n && changes[end]->in == changes[i]->in;)
			end++;
		if (!name.size)
			continue;
		if (table && table->is_live)
			code = mr_table_check(backend->diags,
			        mr_table_path(&backend->arena, backend->generation, name,
			                table->live_kind),
			        table->live_kind, changes + i, end - i);
		for (size_t k = i; k < end && (!table || !table->is_live) && !code; k++)
			if (changes[k]->before.data)
				code = mr_fail(backend->diags, MR_E_CONFLICT,
				        "table '%.*s' is no longer there", MR_FMT(name));
	}
	return code;
}

/* The batch that comes last when something is added and first when something goes makes the switch.
 */
static mr_str switch_collection(const struct mr_change *const *changes, size_t n)
{
	const struct mr_collection *last = changes[0]->in;

	for (size_t i = 1; i < n; i++)
		if (changes[i]->in->rank > last->rank ||
		        (changes[i]->in->rank == last->rank &&
		                mr_str_cmp(changes[i]->in->name, last->name) > 0))
			last = changes[i]->in;
	return last->name;
}

static int stage_generation(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, struct mr_buf *text, struct mr_postfix_flip *flip)
{
	struct mr_maincf staged;
	struct mr_buf named = MR_BUF_INIT;
	size_t line;
	int code = mr_maincf_parse(mr_buf_str(text), &staged, &line);

	if (!code)
		code = mr_postfix_build_generation(
		        backend, changes, n, &staged, &flip->new_generation);
	if (!code) {
		mr_maincf_edit(&staged, MR_STR("mailreeve"),
		        flip->new_generation.size ? flip->new_generation : (mr_str){0}, &named);
		mr_buf_clear(text);
		mr_buf_add_str(text, mr_buf_str(&named));
	}
	mr_buf_done(&named);
	mr_maincf_done(&staged);
	return code;
}

static int stage_flip(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const struct mr_postfix_shape *shape, const char *work_directory)
{
	struct mr_postfix_flip flip = {.old_generation = backend->generation};
	struct mr_postfix_trial trial = {.changes = changes, .n = n, .has_main = shape->has_main};
	struct mr_buf text = MR_BUF_INIT;
	int code =
	        mr_postfix_edit_main(backend, mr_buf_str(&backend->main_text), changes, n, &text);

	if (!code)
		code = mr_dir_make(backend->diags, backend->own_directory, 0755);
	if (!code && shape->needs_generation)
		code = stage_generation(backend, changes, n, &text, &flip);
	if (!code)
		code = mr_postfix_prepare_main(backend, mr_buf_str(&text));
	if (!code) {
		flip.before = mr_postfix_digest(backend, mr_buf_str(&backend->main_text));
		flip.after = mr_postfix_digest(backend, mr_buf_str(&text));
		flip.last = switch_collection(changes, n);
		trial.main_text = mr_buf_str(&text);
		trial.generation =
		        shape->needs_generation ? flip.new_generation : backend->generation;
		code = mr_postfix_flip_save(backend, work_directory, &flip);
	}
	if (!code)
		code = mr_postfix_check(backend, &trial);
	mr_buf_done(&text);
	return code;
}

int mr_postfix_stage(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory)
{
	struct mr_postfix_shape shape;
	int code;

	backend->is_flip_staged = false;
	if (!n)
		return 0;
	if ((code = mr_postfix_read_main(backend)) || (code = mr_postfix_know_host(backend)))
		return code;
	backend->was_running = mr_postfix_master(backend) != 0;
	mr_postfix_gather_live(backend);
	mr_postfix_shape_of(backend, changes, n, &shape);
	if ((code = check_rows(backend, changes, n)))
		return code;
	if (!shape.has_main && !shape.needs_generation)
		return 0;
	code = stage_flip(backend, changes, n, &shape, work_directory);
	backend->is_flip_staged = !code;
	return code;
}
