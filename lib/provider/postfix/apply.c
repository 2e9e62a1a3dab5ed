/*
 * Making a batch live, undoing it, and clearing up.
 */
#include "postfix/apply.h"

#include "postfix/flip.h"
#include "postfix/generation.h"
#include "postfix/tables.h"
#include "postfix/twin.h"

#include <string.h>

/* A table that is not there: fine when nothing shall be in it. */
static int apply_without_table(
        struct mr_backend *backend, mr_str name, const struct mr_change *const *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (changes[i]->after.data)
			return mr_fail(backend->diags, MR_E_CONFLICT,
			        "table '%.*s' is no longer there", MR_FMT(name));
	return 0;
}

static int apply_rows(struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	mr_str name = mr_postfix_table_name(changes[0]->in->name);
	const struct mr_postfix_table *table;
	int code = mr_postfix_read_main(backend);

	if (code)
		return code;
	mr_postfix_gather_live(backend);
	table = mr_postfix_find_table(backend, name);
	if (!table || !table->is_live)
		return apply_without_table(backend, name, changes, n);
	if (table->live_kind != MR_TABLE_LMDB)
		return mr_table_check(backend->diags,
		        mr_table_path(&backend->arena, backend->generation, name, table->live_kind),
		        table->live_kind, changes, n);
	return mr_lmdb_apply(backend->diags,
	        mr_table_path(&backend->arena, backend->generation, name, MR_TABLE_LMDB), changes,
	        n);
}

/* Parameters without a staged flip: only in an undo of something that was never staged to its end.
 */
static int apply_parameters(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	struct mr_postfix_flip none = {0};
	int code = mr_postfix_read_main(backend);

	return code ? code : mr_postfix_flip_back(backend, &none, changes, n);
}

int mr_postfix_apply(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory, bool is_undo)
{
	struct mr_postfix_flip flip;
	int code;

	if (!n)
		return 0;
	code = mr_postfix_flip_load(backend, work_directory, &flip);
	if (code == MR_E_NOT_FOUND && mr_postfix_table_name(changes[0]->in->name).size)
		return apply_rows(backend, changes, n);
	if (code == MR_E_NOT_FOUND)
		return apply_parameters(backend, changes, n);
	if (code)
		return code;
	if (is_undo)
		return mr_postfix_flip_back(backend, &flip, changes, n);
	/* All of the transaction goes live with one rename; the other batches have nothing to do.
	 */
	if (!mr_str_eq(changes[0]->in->name, flip.last))
		return 0;
	return mr_postfix_flip_forward(backend, &flip);
}

int mr_postfix_finish(struct mr_backend *backend, const char *work_directory, bool was_applied)
{
	static const char *const leftovers[] = {"main.cf.next", "main.cf.previous"};
	struct mr_postfix_flip flip = {0};
	struct mr_postfix_twin twin;
	int code = mr_postfix_flip_load(backend, work_directory, &flip);

	backend->is_flip_staged = false;
	if (code == MR_E_NOT_FOUND)
		return 0;
	if (code || (code = mr_postfix_read_main(backend)))
		return code;
	mr_postfix_init_twin(backend, &twin);
	code = mr_postfix_clear_twin(&twin);
	for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers && !code; i++)
		code = mr_file_remove(backend->diags,
		        mr_postfix_path(backend, "%s/%s", backend->own_directory, leftovers[i]));
	/* Daemons may still have the previous tables open for a while, and a person may want to
	 * look. */
	if (!code && flip.new_generation.size)
		code = mr_postfix_sweep_generations(
		        backend, was_applied ? flip.old_generation : (mr_str){0});
	return code;
}
