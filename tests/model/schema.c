/*
 * What is written out of the tables stands in the repository as it is written now, and says yes to
 * the examples. With MR_UPDATE=1 in the environment the files are written instead of compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/run.h"
#include "model/rules.h"
#include "model/schema.h"

static void compare(const char *path, void (*write)(struct mr_buf *))
{
	struct mr_diags diags;
	struct mr_buf now = MR_BUF_INIT, then = MR_BUF_INIT;

	mr_diags_init(&diags);
	write(&now);
	if (getenv("MR_UPDATE"))
		assert_int_equal(mr_file_write_new(&diags, path, mr_buf_str(&now), NULL), 0);
	assert_int_equal(mr_file_read(&diags, path, 16U << 20, &then), 0);
	if (!mr_str_eq(mr_buf_str(&now), mr_buf_str(&then)))
		fail_msg("%s is stale: run this test with MR_UPDATE=1", path);
	mr_buf_done(&now);
	mr_buf_done(&then);
	mr_diags_done(&diags);
}

static void the_schema_is_fresh__when_tables_change(void **state)
{
	(void)state;
	compare(MR_SOURCE_DIR "/schema/mailreeve.schema.json", mr_model_write_schema);
}

static void the_reference_is_fresh__when_tables_change(void **state)
{
	(void)state;
	compare(MR_SOURCE_DIR "/docs/reference.md", mr_model_write_reference);
}

static void a_public_validator_agrees__when_it_reads_examples_and_mistakes(void **state)
{
	struct mr_diags diags;
	struct mr_run run = {.argv = (const char *const[]){"python3",
	                             MR_SOURCE_DIR "/tests/model/schema.py", MR_SOURCE_DIR, NULL}};

	(void)state;
	mr_diags_init(&diags);
	assert_int_equal(mr_run(&diags, &run), 0);
	if (run.status)
		print_error("%s%s\n", run.out.data ? run.out.data : "",
		        run.err.data ? run.err.data : "");
	assert_int_equal(run.status, 0);
	mr_run_done(&run);
	mr_diags_done(&diags);
}

static void every_rule_has_one_line__when_looked_up(void **state)
{
	size_t n;
	const struct mr_rule *rules = mr_rules(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(mr_rule_find(mr_str_from(rules[i].id)), &rules[i]);
	assert_null(mr_rule_find(MR_STR("MR-NO-SUCH")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_schema_is_fresh__when_tables_change),
	        cmocka_unit_test(the_reference_is_fresh__when_tables_change),
	        cmocka_unit_test(a_public_validator_agrees__when_it_reads_examples_and_mistakes),
	        cmocka_unit_test(every_rule_has_one_line__when_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
