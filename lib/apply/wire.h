/*
 * A line-based conversation over TCP with an overall deadline and bounded input: what the probes
 * speak through.
 */
#ifndef MR_APPLY_WIRE_H
#define MR_APPLY_WIRE_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

enum { MR_WIRE_LINE = 8192 };

struct mr_wire {
	int fd;              /* -1: closed */
	int64_t deadline_ms; /* on the monotonic clock */
	size_t start, end;   /* what was received and not handed out yet */
	char why[160];       /* what went wrong, for a diagnostic */
	char buffer[MR_WIRE_LINE];
};

/* address: "127.0.0.1:25", "[::1]:25", "localhost:25". No names are looked up. */
MR_CHECK int mr_wire_open(struct mr_wire *wire, mr_str address, int64_t timeout_ms);
void mr_wire_close(struct mr_wire *wire);
MR_CHECK int mr_wire_send(struct mr_wire *wire, mr_str bytes);
/* The next line without its end; valid until the next call. A line that is too long is MR_E_FAILED.
 */
MR_CHECK int mr_wire_line(struct mr_wire *wire, mr_str *out);
/* A line as text for a diagnostic: what is not printable ASCII as '?', cut to size_bytes - 1. */
void mr_wire_keep_text(mr_str line, char *out, size_t size_bytes);
/* Cuts "HOST:PORT": both as NUL-terminated text. MR_E_CONFIG for anything else. */
MR_CHECK int mr_wire_split(mr_str address, char host[64], char port[8]);

#endif
