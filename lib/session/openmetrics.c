/*
 * Families, samples, labels, and their escapes.
 */
#include "session/openmetrics.h"

#include <inttypes.h>

#include "base/text.h"

static const struct {
	const char *word;
	const char *suffix;
	const char *older_word; /* in the format of Prometheus */
} types[] = {
        [MR_METRIC_GAUGE] = {"gauge", "", "gauge"},
        [MR_METRIC_COUNTER] = {"counter", "_total", "counter"},
        [MR_METRIC_INFO] = {"info", "_info", "gauge"},
        [MR_METRIC_STATESET] = {"stateset", "", "gauge"},
};

const char *mr_metric_type_word(enum mr_metric_type type)
{
	return types[type].word;
}

const char *mr_metric_suffix(enum mr_metric_type type)
{
	return types[type].suffix;
}

/* The older format names a family as its samples. */
static void begin_family(struct mr_metrics *metrics, const struct mr_metric *metric)
{
	bool is_older = metrics->dialect == MR_PROMETHEUS_TEXT;
	const char *end = is_older ? types[metric->type].suffix : "";

	metrics->family = metric;
	mr_buf_printf(metrics->out, "# TYPE %s%s %s\n", metric->name, end,
	        is_older ? types[metric->type].older_word : types[metric->type].word);
	if (metric->unit[0] && !is_older)
		mr_buf_printf(metrics->out, "# UNIT %s %s\n", metric->name, metric->unit);
	mr_buf_printf(metrics->out, "# HELP %s%s %s\n", metric->name, end, metric->help);
}

/* Labels are UTF-8; what is not becomes readable text, and what controls a terminal too. */
static void add_value(mr_str value, struct mr_buf *out)
{
	struct mr_buf harmless = MR_BUF_INIT;

	mr_text_harmless(value, &harmless);
	for (size_t i = 0; i < harmless.size; i++) {
		char c = harmless.data[i];

		if (c == '\\' || c == '"')
			mr_buf_add_char(out, '\\');
		mr_buf_add_char(out, c);
	}
	mr_buf_done(&harmless);
}

static void begin_sample(struct mr_metrics *metrics, const struct mr_metric *metric,
        const struct mr_label *labels, size_t n_labels)
{
	struct mr_buf *out = metrics->out;

	if (metrics->family != metric)
		begin_family(metrics, metric);
	mr_buf_printf(out, "%s%s", metric->name, types[metric->type].suffix);
	for (size_t i = 0; i < n_labels; i++) {
		mr_buf_printf(out, "%s%s=\"", i > 0 ? "," : "{", labels[i].name);
		add_value(labels[i].value, out);
		mr_buf_add_char(out, '"');
	}
	if (n_labels > 0)
		mr_buf_add_char(out, '}');
}

void mr_metrics_add(struct mr_metrics *metrics, const struct mr_metric *metric,
        const struct mr_label *labels, size_t n_labels, int64_t value)
{
	begin_sample(metrics, metric, labels, n_labels);
	mr_buf_printf(metrics->out, " %" PRId64 "\n", value);
}

void mr_metrics_add_milli(struct mr_metrics *metrics, const struct mr_metric *metric,
        const struct mr_label *labels, size_t n_labels, int64_t thousandths)
{
	if (thousandths < 0)
		thousandths = 0; /* of clocks that only go on */
	begin_sample(metrics, metric, labels, n_labels);
	mr_buf_printf(metrics->out, " %" PRId64 ".%03" PRId64 "\n", thousandths / 1000,
	        thousandths % 1000);
}

void mr_metrics_end(struct mr_metrics *metrics)
{
	if (metrics->dialect == MR_OPENMETRICS)
		mr_buf_add_text(metrics->out, "# EOF\n");
}
