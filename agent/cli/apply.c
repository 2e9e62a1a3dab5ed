/*
 * The verbs that change servers: apply, sync, rollback.
 */
#include <stdio.h>

#include "print.h"
#include "terminal.h"

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

int cli_sync(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_sync(session, request->format, &text);

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
