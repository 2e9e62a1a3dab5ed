/*
 * Probation: waiting for a person, and the person's word.
 */
#include "apply/probation.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apply/apply.h"
#include "base/file.h"
#include "base/text.h"

enum { POLL_MS = 200, NUMBER_LIMIT = 64 };

static const char waiting_name[] = "probation";
static const char confirmed_name[] = "confirmed";

static const char *path_of(struct mr_arena *arena, const char *directory, const char *name)
{
	return mr_str_printf(arena, "%s/%s", directory, name).data;
}

/* The run that a file names, or 0. */
static int64_t run_in(struct mr_diags *diags, const char *path)
{
	struct mr_buf text = MR_BUF_INIT;
	uint64_t run = 0;

	if (mr_file_read(diags, path, NUMBER_LIMIT, &text) ||
	        mr_number_parse(mr_str_trim(mr_buf_str(&text)), INT64_MAX, &run))
		run = 0;
	mr_buf_done(&text);
	return (int64_t)run;
}

static int write_run(struct mr_diags *diags, const char *path, int64_t run)
{
	struct mr_file_owner owner = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0600};
	char text[32];

	(void)snprintf(text, sizeof text, "%" PRId64 "\n", run);
	return mr_file_replace(diags, path, mr_str_from(text), &owner);
}

static int64_t boot_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A signal to end is a "no", told at once instead of at the deadline. */
static int wait_until(struct mr_diags *diags, const char *path, int64_t run, int64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	sigset_t ending;
	sigset_t before;
	int code = MR_E_TIMEOUT;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &before);
	while (code == MR_E_TIMEOUT && boot_ms() < deadline_ms) {
		if (run_in(diags, path) == run)
			code = 0;
		else if (sigtimedwait(&ending, NULL, &pause) > 0)
			code = MR_E_STOPPED;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return code;
}

static int outcome(struct mr_diags *diags, int code)
{
	if (code == MR_E_TIMEOUT)
		return mr_fail(
		        diags, code, "nobody confirmed the change in time: it is taken back");
	if (code == MR_E_STOPPED)
		return mr_fail(diags, code,
		        "asked to end before the change was confirmed: it is taken back");
	return code;
}

int mr_probation_forget(const struct mr_world *world)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const char *directory = mr_state_directory(world->state);
	int code = mr_file_remove(world->diags, path_of(&arena, directory, waiting_name));

	return code ? code
	            : mr_file_remove(world->diags, path_of(&arena, directory, confirmed_name));
}

/* The number that the history will give to this run: the lock is ours, so nobody else takes it. */
static int64_t next_run(const struct mr_world *world, struct mr_arena *arena)
{
	struct mr_record last = {0};

	return mr_state_find_record(world->state, 0, arena, &last) ? 1 : last.id + 1;
}

int mr_probation_wait(const struct mr_world *world, uint64_t seconds,
        void (*notice)(void *arg, const char *text), void *notice_arg)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	int64_t run = next_run(world, &arena);
	const char *directory = mr_state_directory(world->state);
	const char *waiting = path_of(&arena, directory, waiting_name);
	const char *confirmed = path_of(&arena, directory, confirmed_name);
	int64_t deadline_ms = boot_ms() + (int64_t)seconds * 1000;
	int code = mr_file_remove(world->diags, confirmed);

	if (!code)
		code = write_run(world->diags, waiting, run);
	if (code)
		return code;
	if (notice)
		notice(notice_arg,
		        mr_str_printf(&arena,
		                "Run %" PRId64 " is on probation: 'mailreeve confirm %" PRId64
		                "' within %" PRIu64 " s keeps it, silence takes it back.",
		                run, run, seconds)
		                .data);
	code = outcome(world->diags, wait_until(world->diags, confirmed, run, deadline_ms));
	if (mr_probation_forget(world))
		return code ? code : MR_E_FAILED;
	return code;
}

int mr_confirm(struct mr_diags *diags, const char *directory, int64_t run)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	int64_t waiting = run_in(diags, path_of(&arena, directory, waiting_name));

	if (waiting == 0)
		return mr_fail(diags, MR_E_USAGE, "no change is on probation");
	if (run != waiting)
		return mr_fail(diags, MR_E_USAGE,
		        "run %" PRId64 " is not on probation, run %" PRId64 " is", run, waiting);
	return write_run(diags, path_of(&arena, directory, confirmed_name), run);
}
