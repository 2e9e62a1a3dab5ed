/*
 * The text of metrics: both dialects, escapes; and that docs/monitoring.md has the table.
 */
#include "session/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

static const struct mr_metric mails = {"x_mails", MR_METRIC_COUNTER, "", "Mails that went."};
static const struct mr_metric took = {
        "x_took_seconds", MR_METRIC_GAUGE, "seconds", "How long it took."};
static const struct mr_metric build = {"x_build", MR_METRIC_INFO, "", "The build."};
static const struct mr_metric mood = {"x_mood", MR_METRIC_STATESET, "", "The mood."};

static void write_all(enum mr_metrics_dialect dialect, struct mr_buf *out)
{
	struct mr_metrics metrics = {.out = out, .dialect = dialect};
	const struct mr_label labels[] = {
	        {"to", MR_STR("a\"b\\c\nd")}, {"from", MR_STR("\xc3\xa4\xff")}};

	mr_metrics_add(&metrics, &mails, labels, 2, 3);
	mr_metrics_add(&metrics, &mails, labels, 1, 4);
	mr_metrics_add_milli(&metrics, &took, NULL, 0, 12034);
	mr_metrics_add(&metrics, &build, labels + 1, 1, 1);
	mr_metrics_add(&metrics, &mood, &(struct mr_label){"x_mood", MR_STR("good")}, 1, 1);
	mr_metrics_end(&metrics);
	mr_buf_add_char(out, '\0');
}

static void openmetrics_has_units_types_and_an_end(void **state)
{
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	write_all(MR_OPENMETRICS, &out);
	assert_string_equal(out.data,
	        "# TYPE x_mails counter\n"
	        "# HELP x_mails Mails that went.\n"
	        "x_mails_total{to=\"a\\\"b\\\\c\\\\x0ad\",from=\"\xc3\xa4\\\\xff\"} 3\n"
	        "x_mails_total{to=\"a\\\"b\\\\c\\\\x0ad\"} 4\n"
	        "# TYPE x_took_seconds gauge\n"
	        "# UNIT x_took_seconds seconds\n"
	        "# HELP x_took_seconds How long it took.\n"
	        "x_took_seconds 12.034\n"
	        "# TYPE x_build info\n"
	        "# HELP x_build The build.\n"
	        "x_build_info{from=\"\xc3\xa4\\\\xff\"} 1\n"
	        "# TYPE x_mood stateset\n"
	        "# HELP x_mood The mood.\n"
	        "x_mood{x_mood=\"good\"} 1\n"
	        "# EOF\n");
	mr_buf_done(&out);
}

static void the_older_format_has_only_what_it_knows(void **state)
{
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	write_all(MR_PROMETHEUS_TEXT, &out);
	assert_non_null(strstr(out.data, "# TYPE x_mails_total counter\n# HELP x_mails_total "));
	assert_non_null(strstr(out.data, "# TYPE x_build_info gauge\n"));
	assert_non_null(strstr(out.data, "# TYPE x_mood gauge\n"));
	assert_null(strstr(out.data, "# UNIT"));
	assert_null(strstr(out.data, "# EOF"));
	mr_buf_done(&out);
}

static void the_page_has_the_table(void **state)
{
	struct mr_buf table = MR_BUF_INIT, page = MR_BUF_INIT;
	struct mr_diags diags;

	(void)state;
	mr_diags_init(&diags);
	mr_metrics_write_table(&table);
	mr_buf_add_char(&table, '\0');
	assert_int_equal(
	        mr_file_read(&diags, MR_SOURCE_DIR "/docs/monitoring.md", 1 << 20, &page), 0);
	if (!strstr(page.data, table.data))
		fail_msg("docs/monitoring.md is to have this table:\n%s", table.data);
	mr_buf_done(&table);
	mr_buf_done(&page);
	mr_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(openmetrics_has_units_types_and_an_end),
	        cmocka_unit_test(the_older_format_has_only_what_it_knows),
	        cmocka_unit_test(the_page_has_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
