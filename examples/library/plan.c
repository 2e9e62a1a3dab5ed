/*
 * A program of one's own over libmailreeve: plans a folder against the live servers and prints the
 * plan as JSON.
 *
 * Build: cc plan.c $(pkg-config --cflags --libs mailreeve) -o plan
 * Use:   ./plan /etc/mailreeve/agent.yaml FOLDER
 */
#include <mailreeve.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	struct mailreeve_options options = {.config = argc > 1 ? argv[1] : NULL};
	struct mailreeve_plan_options plan = {.format = MAILREEVE_JSON};
	struct mailreeve_text result = {0};
	struct mailreeve_text said = {0};
	struct mailreeve *session = NULL;
	int status;

	if (argc != 3) {
		fputs("usage: plan AGENT.YAML FOLDER\n", stderr);
		return MAILREEVE_USAGE;
	}
	plan.source.directory = argv[2];
	status = mailreeve_open(&options, &session);
	if (status == MAILREEVE_OK)
		status = mailreeve_plan(session, &plan, &result);
	if (result.data)
		fputs(result.data, stdout);
	mailreeve_diagnostics(session, &said);
	fputs(said.data, stderr);
	mailreeve_text_done(&said);
	mailreeve_text_done(&result);
	mailreeve_close(session);
	return status;
}
