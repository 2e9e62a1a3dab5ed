/*
 * From argv to a request, by the tables of verbs.h.
 */
#ifndef AGENT_PARSE_H
#define AGENT_PARSE_H

#include "verbs.h"

/* Options may stand anywhere; "--" ends them; "--name value" and "--name=value" are the same.
 * Returns 0, or MAILREEVE_USAGE after it said on standard error what is wrong and what was meant.
 */
int parse_request(int argc, char **argv, struct request *out);
/* The host's configuration that this request needs: as named, the default one, or NULL for none. */
const char *request_config(const struct request *request);

#endif
