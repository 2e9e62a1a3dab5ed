/*
 * Metrics of this host, out of what is kept.
 */
#ifndef MR_SESSION_METRICS_H
#define MR_SESSION_METRICS_H

#include "session/openmetrics.h"
#include "session/session.h"

/* Appends all that is known. The state must be open. */
MR_CHECK int mr_session_metrics(
        struct mailreeve *session, enum mr_metrics_dialect dialect, struct mr_buf *out);
/* Writes metrics.prom into the state directory, and the textfile where one is configured. What
 * cannot be written is a warning. */
void mr_session_publish(struct mailreeve *session);
/* The rows of the table for docs/monitoring.md. */
void mr_metrics_write_table(struct mr_buf *out);

#endif
