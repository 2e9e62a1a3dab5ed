/*
 * The shell of the tests that make repositories.
 */
#ifndef MR_TESTS_SOURCE_SHELL_H
#define MR_TESTS_SOURCE_SHELL_H

#include "base/run.h"

/* What a script prints, trimmed; it must succeed. $R is the scratch folder, which it starts in, and
 * "git" knows an author. */
static inline const char *run_shell(
        struct mr_diags *diags, struct mr_arena *arena, const char *root, const char *script)
{
	static const char prelude[] = "set -e; cd \"$1\"; R=$1; export HOME=$1 GIT_AUTHOR_NAME=Ann "
	                              "GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=Ann "
	                              "GIT_COMMITTER_EMAIL=a@example.org; ";
	const char *full = mr_str_printf(arena, "%s%s", prelude, script).data;
	struct mr_run run = {.argv = (const char *const[]){"sh", "-c", full, "sh", root, NULL}};
	const char *out;

	assert_int_equal(mr_run(diags, &run), 0);
	if (run.status)
		print_error("%s\n", run.err.data);
	assert_int_equal(run.status, 0);
	out = mr_str_copy(arena, mr_str_trim(mr_buf_str(&run.out))).data;
	mr_run_done(&run);
	return out;
}

#endif
