/*
 * The verbs that change servers: apply, sync, rollback.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/client.h"
#include "print.h"
#include "stop.h"
#include "terminal.h"

enum { LONGEST_SYNC_SECONDS = 3 * 3600 };

/* A person at a terminal is asked; elsewhere only --yes is consent. */
static bool consent(void *arg, const char *plan)
{
	(void)arg;
	if (!terminal_can_ask())
		return false;
	return terminal_ask(plan, "Apply this?");
}

static struct mailreeve_apply_options options_of(const struct request *request)
{
	return (struct mailreeve_apply_options){.source = source_of(request),
	        .format = request->format,
	        .only = request->values[OPT_ONLY],
	        .allow = request->allow,
	        .confirm_within_seconds = request->confirm_within_seconds,
	        .consent = request->values[OPT_YES] ? NULL : consent};
}

int cli_apply(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_apply_options options = options_of(request);
	struct mailreeve_text text = {0};
	int status;

	stop_on_signals();
	options.plan_file = request->operands[0];
	if (options.plan_file && (options.source.directory || options.source.ref)) {
		fputs("mailreeve: a saved plan says itself what it was made from  (hint: leave out "
		      "--dir and --ref)\n",
		        stderr);
		return MAILREEVE_USAGE;
	}
	status = mailreeve_apply(session, &options, &text);
	print_result(request, &text, status);
	return status;
}

static int complain_no_agent(int code)
{
	if (code == -ENOENT || code == -ECONNREFUSED)
		fputs("mailreeve: no agent runs on this state directory  (hint: systemctl start "
		      "mailreeve; or 'mailreeve sync' without --now does it itself)\n",
		        stderr);
	else
		fprintf(stderr, "mailreeve: the agent cannot be asked: %s\n", strerror(-code));
	return code == -EACCES ? MAILREEVE_DENIED : MAILREEVE_FAILED;
}

/* The agent does it; its exit status is ours. */
static int sync_now(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_facts facts;
	struct message answer;
	int code = mailreeve_get_facts(session, &facts) ? 0 : -EINVAL;

	if (code == 0)
		code = client_sync(facts.state_directory, LONGEST_SYNC_SECONDS, &answer);
	if (code < 0)
		return complain_no_agent(code);
	if (answer.status)
		fprintf(stderr, "error: %s\n", answer.text);
	else if (!request->values[OPT_QUIET])
		printf("The agent synced: %.12s is live%s.\n", answer.commit,
		        answer.is_changed ? ", applied just now" : ", nothing was to do");
	return answer.status;
}

int cli_sync(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status;

	if (request->values[OPT_NOW])
		return sync_now(request, session);
	stop_on_signals();
	status = mailreeve_sync(session, request->format, &text);

	print_result(request, &text, status);
	return status;
}

int cli_rollback(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_apply_options options = options_of(request);
	struct mailreeve_text text = {0};
	int64_t run = 0;
	int status;

	if (request->operands[0] && !parse_run(request->operands[0], &run))
		return MAILREEVE_USAGE;
	stop_on_signals();
	status = mailreeve_rollback(session, run, &options, &text);
	print_result(request, &text, status);
	return status;
}

int cli_confirm(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int64_t run = 0;
	int status;

	if (!has_operand(request) || !parse_run(request->operands[0], &run))
		return MAILREEVE_USAGE;
	status = mailreeve_confirm(session, run, &text);
	print_result(request, &text, status);
	return status;
}
