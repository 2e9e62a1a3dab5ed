/*
 * The program: reads the command line, opens a session, runs one verb, tells what went wrong.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "mailreeve.h"
#include "parse.h"
#include "stop.h"
#include "terminal.h"

static void tell_diagnostics(const struct mailreeve *session)
{
	struct mailreeve_text text = {0};

	mailreeve_diagnostics(session, &text);
	if (text.size > 0)
		(void)fwrite(text.data, 1, text.size, stderr);
	mailreeve_text_done(&text);
}

static int run_verb(const struct request *request)
{
	struct mailreeve_options options = {.config = request_config(request),
	        .lock_timeout_ms = request->lock_timeout_ms,
	        .has_color = request->has_color,
	        .is_verbose = request->values[OPT_VERBOSE] != NULL,
	        .progress = request->values[OPT_QUIET] ? NULL : terminal_progress,
	        .notice = terminal_notice,
	        .is_stopping = stop_is_wanted};
	struct mailreeve *session = NULL;
	int status = mailreeve_open(&options, &session);

	bool is_told = !status && request->verb->ways & HAS_OWN_LOG;

	if (!status || request->verb->ways & JUDGES_CONFIG)
		status = request->verb->run(request, session);
	terminal_progress_end();
	if (!is_told)
		tell_diagnostics(session);
	mailreeve_close(session);
	return status;
}

int main(int argc, char **argv)
{
	struct request request;
	int status = parse_request(argc, argv, &request);

	if (status)
		return status;
	if (request.values[OPT_VERSION]) {
		printf("mailreeve %s\n", mailreeve_version());
		return 0;
	}
	if (request.values[OPT_HELP]) {
		if (request.verb)
			help_verb(stdout, request.verb);
		else
			help_program(stdout);
		return 0;
	}
	status = run_verb(&request);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("mailreeve: cannot write the result to standard output\n", stderr);
		return status ? status : MAILREEVE_FAILED;
	}
	return status;
}
