/*
 * Writing metrics: OpenMetrics 1.0 for who scrapes, and the older text format of Prometheus for
 * node_exporter's textfile collector, which knows no other.
 */
#ifndef MR_SESSION_OPENMETRICS_H
#define MR_SESSION_OPENMETRICS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

enum mr_metrics_dialect { MR_OPENMETRICS, MR_PROMETHEUS_TEXT };
enum mr_metric_type { MR_METRIC_GAUGE, MR_METRIC_COUNTER, MR_METRIC_INFO, MR_METRIC_STATESET };

struct mr_metric {
	const char *name; /* of the family: without _total and _info */
	enum mr_metric_type type;
	const char *unit; /* the end of the name, or empty */
	const char *help;
};
const char *mr_metric_type_word(enum mr_metric_type type);
/* What the samples' names have behind the family's. */
const char *mr_metric_suffix(enum mr_metric_type type);

struct mr_metrics {
	struct mr_buf *out;
	enum mr_metrics_dialect dialect;
	const struct mr_metric *family; /* whose samples are being written */
};

struct mr_label {
	const char *name;
	mr_str value;
};

/* All samples of a family follow each other.. */
void mr_metrics_add(struct mr_metrics *metrics, const struct mr_metric *metric,
        const struct mr_label *labels, size_t n_labels, int64_t value);
void mr_metrics_add_milli(struct mr_metrics *metrics, const struct mr_metric *metric,
        const struct mr_label *labels, size_t n_labels, int64_t thousandths);
void mr_metrics_end(struct mr_metrics *metrics);

#endif
