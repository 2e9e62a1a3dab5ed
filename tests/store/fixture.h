/*
 * What the tests of the state directory share: a scratch folder and states in it.
 */
#ifndef MR_TESTS_STORE_FIXTURE_H
#define MR_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/state.h"

struct fixture {
	char root[64];
	char directory[96];
	struct mr_diags diags;
	struct mr_arena arena;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->root, "/tmp/mr-store-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	(void)snprintf(f->directory, sizeof f->directory, "%s/state", f->root);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mr_dir_remove(&f->diags, f->root), 0);
	mr_diags_done(&f->diags);
	mr_arena_done(&f->arena);
	free(f);
	return 0;
}

static inline const char *path(struct fixture *f, const char *name)
{
	return mr_str_printf(&f->arena, "%s/%s", f->directory, name).data;
}

static inline int open_as(struct fixture *f, bool is_writer, struct mr_state **out)
{
	struct mr_state_options options = {
	        .directory = f->directory, .is_writer = is_writer, .purpose = "test"};

	return mr_state_open(&f->diags, &options, out);
}

static inline struct mr_state *writer(struct fixture *f)
{
	struct mr_state *state = NULL;

	assert_int_equal(open_as(f, true, &state), 0);
	return state;
}

static inline struct mr_state *reader(struct fixture *f)
{
	struct mr_state *state = NULL;

	assert_int_equal(open_as(f, false, &state), 0);
	return state;
}

static inline void own(struct mr_state *state, const char *key, const char *body, mr_str pre_image)
{
	struct mr_item item = {
	        .key = mr_str_from(key), .body = mr_str_from(body), .object = MR_STR("user/x")};

	assert_int_equal(mr_state_own(state, MR_STR("dovecot.passwd"), &item, pre_image), 0);
}

/* A decided run: something owned, applied, anchored. */
static inline void apply_run(struct mr_state *state, int64_t run, const char *key)
{
	struct mr_applied applied = {
	        .run = run, .commit = MR_STR("c0ffee"), .policy_json = MR_STR("{}")};

	assert_int_equal(mr_state_begin(state), 0);
	own(state, key, "body", MR_STR("before"));
	assert_int_equal(mr_state_set_applied(state, &applied), 0);
	assert_int_equal(mr_state_commit(state), 0);
	assert_int_equal(mr_state_write_anchor(state), 0);
}

static inline uint64_t count(struct mr_state *state)
{
	uint64_t n = 99;

	assert_int_equal(mr_state_owned_count(state, MR_STR("dovecot.passwd"), &n), 0);
	return n;
}

#endif
