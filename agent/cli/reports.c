/*
 * The verbs that only tell: status, history, show, why, validate, schema, doctor.
 */
#include "print.h"

int cli_status(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_get_status(session, request->format, &text);

	print_result(request, &text, status);
	return status;
}

int cli_history(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int64_t run = 0;
	int status;

	if (request->operands[0] && !parse_run(request->operands[0], &run))
		return MAILREEVE_USAGE;
	status = mailreeve_history(session, run, request->format, &text);
	print_result(request, &text, status);
	return status;
}

int cli_show(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status;

	if (!has_operand(request))
		return MAILREEVE_USAGE;
	status = mailreeve_show(session, request->operands[0], request->format, &text);
	print_result(request, &text, status);
	return status;
}

int cli_why(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_source source = source_of(request);
	struct mailreeve_text text = {0};
	int status;

	if (!has_operand(request))
		return MAILREEVE_USAGE;
	status = mailreeve_why(session, &source, request->operands[0], request->format, &text);
	print_result(request, &text, status);
	return status;
}

int cli_validate(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_source source = source_of(request);
	struct mailreeve_text text = {0};
	int status;

	if (!source.ref)
		source.directory = request->operands[0] ? request->operands[0] : ".";
	status = mailreeve_validate(session, &source, request->format, &text);
	print_result(request, &text, status);
	return status;
}

int cli_schema(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_schema(&text);

	(void)session;
	print_result(request, &text, status);
	return status;
}

int cli_doctor(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_doctor(session, request->format, &text);

	print_result(request, &text, status);
	return status;
}
