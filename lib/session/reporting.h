/*
 * Times as status and history write them.
 */
#ifndef MR_SESSION_REPORTING_H
#define MR_SESSION_REPORTING_H

#include "base/json.h"
#include "session/session.h"

/* "-" and null for 0: never. */
void mr_report_time(struct mr_buf *out, int64_t seconds);
void mr_report_json_time(struct mr_json *json, const char *name, int64_t seconds);

#endif
