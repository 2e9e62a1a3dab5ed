/*
 * Running a helper program: no shell, clean environment, closed descriptors, a deadline, its own
 * process group that is killed as a whole when the deadline passes.
 */
#ifndef MR_BASE_RUN_H
#define MR_BASE_RUN_H

#include "base/buf.h"
#include "base/diag.h"

struct mr_run {
	const char *const
	        *argv;          /* argv[0] absolute or looked up in /usr/sbin:/usr/bin:/sbin:/bin */
	mr_str input;           /* standard input; empty: /dev/null */
	const char *directory;  /* working folder; NULL: / */
	unsigned timeout_ms;    /* 0: 30 s */
	bool is_daemon_starter; /* the program leaves daemons behind: output goes through files, not
	                           pipes */
	bool wants_terminal; /* standard error is a pseudo terminal (postfix is silent without one)
	                      */
	size_t limit_bytes;  /* of each output; 0: 16 MiB */
	struct mr_buf out;   /* results; released by mr_run_done */
	struct mr_buf err;
	int status; /* exit status, or 128 + signal */
};

/* 0 when the program ran and ended, whatever its status. MR_E_TIMEOUT, MR_E_NOT_FOUND or
 * MR_E_FAILED with a diagnostic otherwise. */
MR_CHECK int mr_run(struct mr_diags *diags, struct mr_run *run);
void mr_run_done(struct mr_run *run);

#endif
