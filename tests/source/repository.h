/*
 * A repository in a scratch folder and what compiling it gives: shared by the tests of the
 * language.
 */
#ifndef TESTS_SOURCE_REPOSITORY_H
#define TESTS_SOURCE_REPOSITORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "source/compile.h"

#define TODAY 20780 /* 2026-11-23 */

struct repository {
	char root[64];
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_compile_options options;
	struct mr_compile_stats stats;
	struct mr_desired *desired;
};

static inline const char *repository_path(struct repository *r, const char *name)
{
	return mr_str_printf(&r->arena, "%s/%s", r->root, name).data;
}

static inline void repository_write(struct repository *r, const char *name, mr_str content)
{
	const char *path = repository_path(r, name);
	char *folder = strdup(path);

	*strrchr(folder, '/') = '\0';
	assert_int_equal(mr_dir_make(&r->diags, folder, 0700), 0);
	free(folder);
	assert_int_equal(mr_file_write_new(&r->diags, path, content, NULL), 0);
}

static inline void repository_text(struct repository *r, const char *name, const char *content)
{
	repository_write(r, mr_str_printf(&r->arena, "tree/%s", name).data, mr_str_from(content));
}

static inline int repository_compile(struct repository *r)
{
	struct mr_tree *tree;
	int error;

	mr_desired_close(r->desired);
	r->desired = NULL;
	mr_diags_clear(&r->diags);
	error = mr_tree_open_dir(&r->diags, repository_path(r, "tree"), &tree);
	if (error)
		return error;
	error = mr_compile(&r->diags, tree, &r->options, &r->desired, &r->stats);
	mr_tree_close(tree);
	return error;
}

/* The nth diagnostic as a line; empty when there is none. */
static inline const char *repository_diag(struct repository *r, size_t n)
{
	struct mr_buf line = MR_BUF_INIT;
	const char *copy;

	if (n >= r->diags.list.n)
		return "";
	mr_diag_format(&r->diags.list.items[n], &line);
	copy = mr_str_copy(&r->arena, mr_buf_str(&line)).data;
	mr_buf_done(&line);
	return copy;
}

static inline bool repository_has(struct repository *r, const char *part)
{
	for (size_t i = 0; i < r->diags.list.n; i++)
		if (strstr(repository_diag(r, i), part))
			return true;
	return false;
}

static inline void repository_must_compile(struct repository *r)
{
	int error = repository_compile(r);

	for (size_t i = 0; error && i < r->diags.list.n; i++)
		print_error("%s\n", repository_diag(r, i));
	assert_int_equal(error, 0);
}

static inline int repository_setup(void **state)
{
	struct repository *r = calloc(1, sizeof *r);

	strcpy(r->root, "/tmp/mr-language-XXXXXX");
	assert_non_null(mkdtemp(r->root));
	mr_diags_init(&r->diags);
	r->options.today_days = TODAY;
	*state = r;
	return 0;
}

static inline int repository_teardown(void **state)
{
	struct repository *r = *state;

	mr_desired_close(r->desired);
	assert_int_equal(mr_dir_remove(&r->diags, r->root), 0);
	mr_diags_done(&r->diags);
	mr_arena_done(&r->arena);
	free(r);
	return 0;
}

#define ROOT "mailreeve: 1\n"

static inline struct mr_user user_of(struct repository *r, const char *address)
{
	struct mr_user user;

	assert_true(mr_desired_find_user(r->desired, mr_str_from(address), &user));
	return user;
}

static inline void assert_str(mr_str actual, const char *expected)
{
	if (!mr_str_is(actual, expected))
		fail_msg("'%.*s' is not '%s'", MR_FMT(actual), expected);
}

static inline void assert_strs(struct mr_strs actual, const char *expected)
{
	struct mr_buf joined = MR_BUF_INIT;

	for (size_t i = 0; i < actual.n; i++)
		mr_buf_printf(&joined, "%s%.*s", i ? " " : "", MR_FMT(actual.items[i]));
	assert_str(mr_buf_str(&joined), expected);
	mr_buf_done(&joined);
}

static inline mr_str parameter_of(struct repository *r, const char *name)
{
	struct mr_iter iter;
	struct mr_parameter parameter;
	mr_str value = {0};

	assert_int_equal(mr_desired_begin_parameter(r->desired, &iter), 0);
	while (mr_desired_next_parameter(&iter, &parameter) > 0)
		if (mr_str_is(parameter.name, name))
			value = mr_str_copy(&r->arena, parameter.value);
	return value;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, repository_setup, repository_teardown)

#endif
