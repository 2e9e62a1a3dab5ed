/*
 * The catalogue of bad repositories: tests/source/bad. One file a case: first a line with the
 * number of errors and the first of them, then the files, each behind "--- PATH". %%HH is the byte
 * HH.
 */
#include "repository.h"

#include <ctype.h>
#include <dirent.h>

#define FOLDER MR_SOURCE_DIR "/tests/source/bad"

static mr_str decode(struct mr_arena *arena, mr_str text)
{
	char *out = mr_alloc(arena, text.size + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '%' && i + 3 < text.size && text.data[i + 1] == '%' &&
		        isxdigit((unsigned char)text.data[i + 2])) {
			char hex[3] = {text.data[i + 2], text.data[i + 3], '\0'};

			out[n++] = (char)strtoul(hex, NULL, 16);
			i += 3;
		} else {
			out[n++] = text.data[i];
		}
	}
	return (mr_str){out, n};
}

static void write_files(struct repository *r, mr_str rest)
{
	while (rest.size) {
		mr_str name = mr_str_skip(mr_str_split(&rest, '\n'), 4);
		char *end = memmem(rest.data, rest.size, "--- ", 4);
		mr_str content = mr_str_take(rest, end && (end == rest.data || end[-1] == '\n')
		                                           ? (size_t)(end - rest.data)
		                                           : rest.size);

		repository_write(r, mr_str_printf(&r->arena, "tree/%.*s", MR_FMT(name)).data,
		        decode(&r->arena, content));
		rest = mr_str_skip(rest, content.size);
	}
}

static const char *first_error(struct repository *r)
{
	for (size_t i = 0; i < r->diags.list.n; i++)
		if (r->diags.list.items[i].severity == MR_ERROR)
			return repository_diag(r, i);
	return "";
}

/* Returns whether the case is as it says. */
static bool judge(const char *name)
{
	void *state;
	struct repository *r;
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest, expected;
	size_t count;
	bool is_good;

	(void)repository_setup(&state);
	r = state;
	assert_int_equal(mr_file_read(&r->diags, mr_str_printf(&r->arena, FOLDER "/%s", name).data,
	                         1U << 20, &text),
	        0);
	rest = mr_buf_str(&text);
	expected = mr_str_split(&rest, '\n');
	count = strtoul(mr_str_split(&expected, ' ').data, NULL, 10);
	write_files(r, rest);
	is_good = repository_compile(r) == MR_E_INVALID && r->diags.n_errors == count &&
	          mr_str_is(expected, first_error(r));
	if (!is_good) {
		print_error("%s: expected %zu errors, the first\n  %.*s\n", name, count,
		        MR_FMT(expected));
		for (size_t i = 0; i < r->diags.list.n; i++)
			print_error("  has %s\n", repository_diag(r, i));
	}
	mr_buf_done(&text);
	(void)repository_teardown(&state);
	return is_good;
}

static void every_mistake_is_named_with_its_place__when_a_repository_is_bad(void **state)
{
	DIR *folder = opendir(FOLDER);
	size_t n = 0, n_wrong = 0;

	(void)state;
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		n_wrong += !judge(entry->d_name);
	}
	closedir(folder);
	assert_true(n >= 60);
	assert_int_equal(n_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_mistake_is_named_with_its_place__when_a_repository_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
