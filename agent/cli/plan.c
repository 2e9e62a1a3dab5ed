/*
 * The verbs plan and drift.
 */
#include "print.h"

static struct mailreeve_plan_options options_of(const struct request *request)
{
	return (struct mailreeve_plan_options){.source = source_of(request),
	        .format = request->format,
	        .out_file = request->values[OPT_OUT],
	        .only = request->values[OPT_ONLY],
	        .fail_on = request->fail_on,
	        .allow = request->allow,
	        .has_detailed_status = request->values[OPT_DETAILED_EXITCODE] != NULL};
}

int cli_plan(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_plan_options options = options_of(request);
	struct mailreeve_text text = {0};
	int status = mailreeve_plan(session, &options, &text);

	print_result(request, &text, status);
	return status;
}

int cli_drift(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_plan_options options = options_of(request);
	struct mailreeve_text text = {0};
	int status = mailreeve_drift(session, &options, &text);

	print_result(request, &text, status);
	return status;
}
