/*
 * The verbs pause and resume.
 */
#include <stdio.h>

#include "print.h"

int cli_pause(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status;

	if (!request->values[OPT_REASON] || !request->values[OPT_UNTIL]) {
		fprintf(stderr, "mailreeve: pause needs --reason and --until  (hint: %s)\n",
		        request->verb->example);
		return MAILREEVE_USAGE;
	}
	status = mailreeve_pause(
	        session, request->values[OPT_REASON], request->values[OPT_UNTIL], &text);
	print_result(request, &text, status);
	return status;
}

int cli_resume(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_resume(session, &text);

	print_result(request, &text, status);
	return status;
}
