/*
 * Printing a result, as every verb does it.
 */
#ifndef AGENT_CLI_PRINT_H
#define AGENT_CLI_PRINT_H

#include <stdint.h>

#include "verbs.h"

/* Writes and releases text. --quiet leaves a text result of success out; machine formats are always
 * written. */
void print_result(const struct request *request, struct mailreeve_text *text, int status);
/* The source that --dir, --ref or an operand names. */
struct mailreeve_source source_of(const struct request *request);

/* Whether the one operand that the verb needs was given; says so on standard error when not. */
bool has_operand(const struct request *request);
/* The number of a run; says on standard error when it is none. */
bool parse_run(const char *text, int64_t *out);

#endif
