/*
 * Error codes: one table of what can go wrong, and with which exit status a command then ends.
 *
 * Functions that can fail return 0 or a negative code. The text for people goes into diagnostics
 * (base/diag.h), reported once where the cause is known.
 */
#ifndef MR_BASE_ERROR_H
#define MR_BASE_ERROR_H

#define MR_CHECK __attribute__((warn_unused_result))

/* X(name, exit status, meaning) */
#define MR_ERRORS(X)                                                                               \
	X(FAILED, 1, "unexpected error")                                                           \
	X(REFUSED, 3, "refused by a rail, a policy or for want of consent")                        \
	X(STALE, 4, "the saved plan is stale")                                                     \
	X(ROLLED_BACK, 5, "the apply failed and everything was rolled back")                       \
	X(STUCK, 6, "the apply failed and the rollback is incomplete")                             \
	X(USAGE, 64, "wrong usage")                                                                \
	X(INVALID, 65, "the desired state is invalid")                                             \
	X(UNREADABLE, 69, "a server could not be read completely")                                 \
	X(BUSY, 75, "try again later")                                                             \
	X(DENIED, 77, "signature or right missing")                                                \
	X(CONFIG, 78, "the host's configuration is wrong")                                         \
	X(NOT_FOUND, 1, "not there")                                                               \
	X(CONFLICT, 1, "somebody else changed it")                                                 \
	X(TIMEOUT, 1, "a deadline passed")                                                         \
	X(REJECTED, 1, "a server's own check refused what was staged")                             \
	X(STOPPED, 1, "the caller asked to stop")

enum mr_error {
	MR_E_NONE_ = 0,
#define MR_E_ORDINAL(name, status, text) MR_E_ORDINAL_##name,
	MR_ERRORS(MR_E_ORDINAL)
#undef MR_E_ORDINAL
#define MR_E_VALUE(name, status, text) MR_E_##name = -MR_E_ORDINAL_##name,
	        MR_ERRORS(MR_E_VALUE)
#undef MR_E_VALUE
};

/* The exit status of a command that ends with this code; 0 for 0. */
int mr_error_status(int code);
const char *mr_error_name(int code);
const char *mr_error_text(int code);

#endif
