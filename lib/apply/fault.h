/*
 * Fault injection: places where a test may kill the program or make it fail.
 */
#ifndef MR_APPLY_FAULT_H
#define MR_APPLY_FAULT_H

#include "base/diag.h"

/* As mr_fault_point (apply/apply.h), and MR_E_FAILED where MAILREEVE_FAIL_AT=POINT[:n] names this
 * passing. Without MR_FAULT_POINTS always 0. */
MR_CHECK int mr_fault(struct mr_diags *diags, const char *point);

#endif
