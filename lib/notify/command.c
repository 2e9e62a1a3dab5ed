/*
 * A program of the operator's: no shell, a clean environment, the event on its standard input.
 */
#include "notify/ways.h"

#include "base/buf.h"
#include "base/run.h"
#include "base/text.h"
#include "notify/apart.h"

/* The program's own deadline ends first, and takes what it started with it. */
enum { GRACE_MS = 2000, MOST_OUTPUT = 1 << 20, SHOWN_OUTPUT = 200 };

struct work {
	const char *path;
	mr_str body;
	unsigned timeout_ms;
};

static bool run_command(void *arg, struct mr_buf *why)
{
	const struct work *work = arg;
	const char *const argv[] = {work->path, NULL};
	struct mr_run run = {.argv = argv,
	        .input = work->body,
	        .timeout_ms = work->timeout_ms,
	        .limit_bytes = MOST_OUTPUT};
	struct mr_diags diags;
	int code;

	mr_diags_init(&diags);
	code = mr_run(&diags, &run);
	if (code && diags.list.n > 0)
		mr_buf_add_str(why, diags.list.items[0].text);
	if (!code && run.status) {
		mr_buf_printf(why, "it ended with status %d: ", run.status);
		mr_text_harmless(mr_str_take(mr_str_trim(mr_buf_str(&run.err)), SHOWN_OUTPUT), why);
	}
	mr_run_done(&run);
	mr_diags_done(&diags);
	return !code && run.status == 0;
}

int mr_send_command(struct mr_diags *diags, const struct mr_message *message)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct work work = {.path = mr_str_copy(&arena, message->host->notify_command).data,
	        .body = message->body,
	        .timeout_ms = message->timeout_ms};
	const struct mr_apart apart = {
	        .what = mr_str_printf(&arena, "cannot notify by command '%s'", work.path).data,
	        .user = message->host->run_as_user,
	        .timeout_ms = message->timeout_ms + GRACE_MS,
	        .work = run_command,
	        .arg = &work};

	return mr_apart(diags, &apart);
}
