/*
 * Fault injection: points that the environment turns into a crash, a halt or an error, in test
 * builds only.
 */
#include "apply/fault.h"

#include "apply/apply.h"

#ifdef MR_FAULT_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* "POINT" or "POINT:n": whether this passing of point is the one that is meant. *passed counts. */
static bool is_meant(const char *variable, const char *point, unsigned long *passed)
{
	const char *wanted = getenv(variable);
	size_t size = strlen(point);
	unsigned long at = 1;

	if (!wanted || strncmp(wanted, point, size) != 0)
		return false;
	if (wanted[size] == ':')
		at = strtoul(wanted + size + 1, NULL, 10);
	else if (wanted[size])
		return false;
	return at > 0 && ++*passed == at;
}

void mr_fault_point(const char *step)
{
	static unsigned long passed, passed_to_stop;

	if (is_meant("MAILREEVE_CRASH_AT", step, &passed))
		(void)raise(SIGKILL);
	if (is_meant("MAILREEVE_STOP_AT", step, &passed_to_stop))
		(void)raise(SIGSTOP);
}

int mr_fault(struct mr_diags *diags, const char *point)
{
	static unsigned long passed;

	mr_fault_point(point);
	if (is_meant("MAILREEVE_FAIL_AT", point, &passed))
		return mr_fail(diags, MR_E_FAILED, "stopped at '%s': a fault was asked for", point);
	return 0;
}

#else

void mr_fault_point(const char *step)
{
	(void)step;
}

int mr_fault(struct mr_diags *diags, const char *point)
{
	(void)diags;
	(void)point;
	return 0;
}

#endif
