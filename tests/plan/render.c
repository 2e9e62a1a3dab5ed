/*
 * The plan's forms: JSON that can be read back, text, markdown and HTML against golden texts, and
 * nothing that a value could turn into control sequences or markup.
 *
 * With MR_GOLDEN_WRITE set in the environment the golden texts are written anew instead of
 * compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/run.h"
#include "plan/doc.h"

struct world {
	struct mr_arena arena;
	struct mr_diags diags;
	struct mr_plan_doc doc;
	struct mr_buf json;
};

static void path_of(const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/tests/plan/golden/%s", MR_SOURCE_DIR, name);
}

static void load(struct world *world, const char *name)
{
	char path[512];

	*world = (struct world){0};
	mr_diags_init(&world->diags);
	path_of(name, path, sizeof path);
	assert_int_equal(mr_file_read(&world->diags, path, 1 << 20, &world->json), 0);
	assert_int_equal(
	        mr_doc_parse(&world->diags, &world->arena, mr_buf_str(&world->json), &world->doc),
	        0);
}

static void unload(struct world *world)
{
	mr_plan_doc_done(&world->doc);
	mr_buf_done(&world->json);
	mr_diags_done(&world->diags);
	mr_arena_done(&world->arena);
}

static void compare(struct world *world, const char *name, const struct mr_render_options *options)
{
	struct mr_buf got = MR_BUF_INIT, golden = MR_BUF_INIT;
	char path[512];

	path_of(name, path, sizeof path);
	mr_doc_render(&world->doc, options, &got);
	if (getenv("MR_GOLDEN_WRITE")) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		assert_int_equal(fwrite(got.data, 1, got.size, file), got.size);
		assert_int_equal(fclose(file), 0);
	}
	assert_int_equal(mr_file_read(&world->diags, path, 1 << 20, &golden), 0);
	if (!mr_str_eq(mr_buf_str(&got), mr_buf_str(&golden)))
		print_error("%s differs, got:\n%.*s\n", name, MR_FMT(mr_buf_str(&got)));
	assert_true(mr_str_eq(mr_buf_str(&got), mr_buf_str(&golden)));
	mr_buf_done(&got);
	mr_buf_done(&golden);
}

static void json_is_the_same_again__read_and_written(void **state)
{
	struct world world;

	(void)state;
	load(&world, "full.json");
	compare(&world, "full.json", &(struct mr_render_options){.format = MR_FORMAT_JSON});
	unload(&world);
}

static void text_is_as_agreed__grouped_and_in_full(void **state)
{
	struct world world;

	(void)state;
	load(&world, "full.json");
	compare(&world, "full.txt", &(struct mr_render_options){.format = MR_FORMAT_TEXT});
	compare(&world, "verbose.txt",
	        &(struct mr_render_options){.format = MR_FORMAT_TEXT, .is_verbose = true});
	compare(&world, "color.txt",
	        &(struct mr_render_options){.format = MR_FORMAT_TEXT, .has_color = true});
	unload(&world);
}

static void markdown_and_html_are_as_agreed(void **state)
{
	struct world world;

	(void)state;
	load(&world, "full.json");
	compare(&world, "full.md", &(struct mr_render_options){.format = MR_FORMAT_MARKDOWN});
	compare(&world, "full.html", &(struct mr_render_options){.format = MR_FORMAT_HTML});
	unload(&world);
}

static void values_stay_harmless__in_every_form_for_people(void **state)
{
	static const enum mr_format formats[] = {
	        MR_FORMAT_TEXT, MR_FORMAT_MARKDOWN, MR_FORMAT_HTML};
	struct world world;

	(void)state;
	load(&world, "full.json");
	/* what only a forged plan holds: words that mailreeve itself writes */
	mr_vec_each (action, &world.doc.actions)
		action->service = MR_STR("post\033[2Jfix<b>**bold**@x");
	mr_vec_each (warning, &world.doc.warnings)
		warning->rule = MR_STR("MR-\033[2J<b>");
	mr_vec_each (server, &world.doc.servers)
		server->read = MR_STR("partial\033[2J<b>");
	for (size_t i = 0; i < 3; i++) {
		struct mr_buf out = MR_BUF_INIT;
		mr_doc_render(&world.doc, &(struct mr_render_options){.format = formats[i]}, &out);
		assert_null(strchr(out.data, '\033'));
		assert_null(strstr(out.data, "Zoe\n"));
		if (formats[i] != MR_FORMAT_TEXT) {
			assert_null(strstr(out.data, "<script>"));
			assert_null(strstr(out.data, "<b>"));
		}
		if (formats[i] == MR_FORMAT_MARKDOWN) {
			assert_null(strstr(out.data, "**bold**"));
			assert_null(strstr(out.data, "@x"));
		}
		mr_buf_done(&out);
	}
	unload(&world);
}

static void nothing_is_said_in_one_line__empty_plan(void **state)
{
	struct mr_plan_doc doc = {.host = MR_STR("mx1.example.org")};
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	mr_doc_render(&doc, &(struct mr_render_options){.format = MR_FORMAT_TEXT}, &out);
	assert_non_null(strstr(out.data, "No changes.\n"));
	mr_buf_done(&out);
}

static void a_comment_stays_under_its_limit__many_different_changes(void **state)
{
	struct mr_plan_doc doc = {.host = MR_STR("mx1.example.org")};
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf out = MR_BUF_INIT;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct mr_doc_object object = {.action = MR_UPDATE, .n_attributes = 1};
		object.object =
		        mr_str_printf(&arena, "user/somebody-with-a-name-%u@example.org", i);
		object.attributes = mr_alloc(&arena, sizeof *object.attributes);
		object.attributes->name = MR_STR("name");
		object.attributes->after.list =
		        (struct mr_strs){mr_alloc(&arena, sizeof(mr_str)), 1};
		object.attributes->after.list.items[0] = mr_str_printf(&arena, "Name|%u", i);
		if (i == 4999)
			object.action = MR_DELETE;
		mr_vec_push(&doc.objects, object);
		doc.counts[object.action]++;
	}
	mr_doc_render(&doc, &(struct mr_render_options){.format = MR_FORMAT_MARKDOWN}, &out);
	assert_true(out.size < 60000);
	assert_true(out.size > 50000);
	/* the worst is there, the rest is counted */
	assert_non_null(strstr(out.data, "somebody-with-a-name-4999"));
	assert_non_null(strstr(out.data, "further lines are left out"));
	assert_non_null(strstr(out.data, "<!-- mailreeve-plan mx1.example.org -->"));
	mr_buf_done(&out);
	mr_plan_doc_done(&doc);
	mr_arena_done(&arena);
}

static void the_schema_holds__and_can_fail(void **state)
{
	struct mr_diags diags;
	char good[512], bad[] = "/tmp/mr-plan-XXXXXX";
	int fd = mkstemp(bad);

	(void)state;
	mr_diags_init(&diags);
	path_of("full.json", good, sizeof good);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"format\": \"mailreeve.plan/1\"}", 30), 30);
	const char *files[] = {good, bad};
	for (int i = 0; i < 2; i++) {
		const char *argv[] = {"python3", "-m", "jsonschema", "-i", files[i],
		        MR_SOURCE_DIR "/schema/plan.schema.json", NULL};
		struct mr_run run = {.argv = argv};
		assert_int_equal(mr_run(&diags, &run), 0);
		if (i == 0 && run.status != 0)
			print_error("%.*s\n", MR_FMT(mr_buf_str(&run.err)));
		assert_int_equal(run.status != 0, i);
		mr_run_done(&run);
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(bad), 0);
	mr_diags_done(&diags);
}

static void a_damaged_file_is_refused__never_half_read(void **state)
{
	static const char *const damaged[] = {"", "{", "[]", "{\"format\": \"mailreeve.plan/2\"}",
	        "{\"format\": \"mailreeve.plan/1\"}",
	        "{\"format\": \"mailreeve.plan/10\", \"changes\": []}"};

	(void)state;
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		struct mr_arena arena = MR_ARENA_INIT;
		struct mr_plan_doc doc = {0};
		struct mr_diags diags;
		mr_diags_init(&diags);
		assert_int_equal(
		        mr_doc_parse(&diags, &arena, mr_str_from(damaged[i]), &doc), MR_E_INVALID);
		assert_int_equal(diags.n_errors, 1);
		mr_plan_doc_done(&doc);
		mr_arena_done(&arena);
		mr_diags_done(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(json_is_the_same_again__read_and_written),
	        cmocka_unit_test(text_is_as_agreed__grouped_and_in_full),
	        cmocka_unit_test(markdown_and_html_are_as_agreed),
	        cmocka_unit_test(values_stay_harmless__in_every_form_for_people),
	        cmocka_unit_test(nothing_is_said_in_one_line__empty_plan),
	        cmocka_unit_test(a_comment_stays_under_its_limit__many_different_changes),
	        cmocka_unit_test(the_schema_holds__and_can_fail),
	        cmocka_unit_test(a_damaged_file_is_refused__never_half_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
