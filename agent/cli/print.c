/*
 * Printing a result.
 */
#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "terminal.h"

void print_result(const struct request *request, struct mailreeve_text *text, int status)
{
	bool is_left_out =
	        request->values[OPT_QUIET] && status == 0 && request->format == MAILREEVE_TEXT;

	terminal_progress_end();
	if (text->size > 0 && !is_left_out)
		(void)fwrite(
		        text->data, 1, text->size, stdout); /* main checks the stream at the end */
	mailreeve_text_done(text);
}

struct mailreeve_source source_of(const struct request *request)
{
	return (struct mailreeve_source){
	        .directory = request->values[OPT_DIR], .ref = request->values[OPT_REF]};
}

bool has_operand(const struct request *request)
{
	if (request->n_operands > 0)
		return true;
	fprintf(stderr, "mailreeve: %s needs %s  (hint: %s)\n", request->verb->name,
	        request->verb->operands, request->verb->example);
	return false;
}

bool parse_run(const char *text, int64_t *out)
{
	char *end = NULL;
	long long run;

	errno = 0;
	run = strtoll(text, &end, 10);
	if (errno || end == text || *end || run <= 0) {
		fprintf(stderr,
		        "mailreeve: '%s' is not the number of a run  (hint: mailreeve history "
		        "lists them)\n",
		        text);
		return false;
	}
	*out = run;
	return true;
}
