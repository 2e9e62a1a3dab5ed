/*
 * A backend of lines: collections whose desired and live items are texts (bodies.h). It judges
 * nothing and changes nothing; what a plan is made of, and nothing of a server, is in it.
 */
#ifndef MR_TESTS_PLAN_SHELF_H
#define MR_TESTS_PLAN_SHELF_H

#include "bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "plan/plan.h"
#include "store/state.h"

enum { SHELF_MAX = 12 };

struct shelf_board {
	struct mr_collection in;
	const char *desired, *live;
	bool is_unreadable;
	size_t n_read; /* how often all of it was */
};

struct mr_backend {
	struct mr_arena arena;
	struct shelf_board boards[SHELF_MAX];
	size_t n;
	struct mr_collection described[SHELF_MAX];
	struct mr_diags *diags;
};

static inline struct shelf_board *shelf_find(struct mr_backend *backend, mr_str name)
{
	for (size_t i = 0; i < backend->n; i++)
		if (mr_str_eq(backend->boards[i].in.name, name))
			return &backend->boards[i];
	return NULL;
}

static inline int shelf_describe(struct mr_backend *backend, struct mr_live_info *out)
{
	(void)backend;
	*out = (struct mr_live_info){.version = MR_STR("3.7.11"), .read = MR_READ_COMPLETE};
	return 0;
}

/* A board without desired lines is one that is declared no longer. */
static inline int shelf_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out)
{
	(void)desired;
	*out = (struct mr_collections){.items = backend->described};
	for (size_t i = 0; i < backend->n; i++)
		if (backend->boards[i].desired)
			backend->described[out->n++] = backend->boards[i].in;
	return 0;
}

static inline int shelf_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out)
{
	(void)desired;
	test_cursor(&backend->arena, shelf_find(backend, in->name)->desired, false,
	        "domains/example.org.yaml", out);
	return 0;
}

static inline int shelf_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	struct shelf_board *board = shelf_find(backend, in->name);
	mr_str rest = mr_str_from(board->live);
	struct mr_buf kept = MR_BUF_INIT;

	board->n_read += !only;
	if (board->is_unreadable)
		return mr_fail(
		        backend->diags, MR_E_UNREADABLE, "cannot read '%.*s'", MR_FMT(in->name));
	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n'),
		       key = mr_str_take(line, mr_str_find(line, ' '));
		bool is_kept = !only;
		for (size_t i = 0; only && i < only->n; i++)
			is_kept |= mr_str_eq(only->items[i], key);
		if (is_kept)
			mr_buf_printf(&kept, "%.*s\n", MR_FMT(line));
	}
	test_cursor(&backend->arena, kept.data ? kept.data : "", false, NULL, out);
	mr_buf_done(&kept);
	return 0;
}

static inline enum mr_activation shelf_activation(
        struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	(void)backend;
	for (size_t i = 0; i < n; i++)
		if (mr_str_is(changes[i]->in->name, "postfix.main"))
			return MR_ACTIVATE_RELOAD;
	return MR_ACTIVATE_NOTHING;
}

static inline mr_str shelf_revert_to(
        struct mr_backend *backend, const struct mr_collection *in, mr_str key, mr_str pre_image)
{
	(void)backend;
	(void)in;
	(void)key;
	return pre_image;
}

static const struct mr_provider shelf_provider = {
        .name = "postfix",
        .describe = shelf_describe,
        .collections = shelf_collections,
        .project = shelf_project,
        .observe = shelf_observe,
        .activation = shelf_activation,
        .revert_to = shelf_revert_to,
};

/* One test's world: the shelf, a real state directory, what a plan is asked with. */
struct shelf {
	struct mr_backend backend;
	struct mr_plan_server server;
	struct mr_diags diags;
	struct mr_host host;
	struct mr_state *state;
	struct mr_plan_input input;
	char directory[64];
};

static inline void shelf_add(struct shelf *shelf, const char *name, const char *target,
        unsigned flags, enum mr_rank rank)
{
	struct shelf_board *board = &shelf->backend.boards[shelf->backend.n++];

	*board = (struct shelf_board){.desired = "", .live = ""};
	board->in = (struct mr_collection){.name = mr_str_from(name),
	        .target = mr_str_from(target),
	        .provider = "postfix",
	        .flags = flags,
	        .rank = rank};
	if (flags & MR_COLLECTION_PARTIAL)
		board->in.scope = MR_STR("dc=example,dc=org");
}

static inline void shelf_open(struct shelf *shelf)
{
	struct mr_state_options options = {
	        .directory = shelf->directory, .is_writer = true, .purpose = "test"};

	*shelf = (struct shelf){0};
	mr_diags_init(&shelf->diags);
	strcpy(shelf->directory, "/tmp/mr-plan-XXXXXX");
	assert_non_null(mkdtemp(shelf->directory));
	options.directory = shelf->directory;
	assert_int_equal(mr_state_open(&shelf->diags, &options, &shelf->state), 0);
	shelf->backend.diags = &shelf->diags;
	shelf->server = (struct mr_plan_server){&shelf_provider, &shelf->backend};
	shelf->host = (struct mr_host){.name = MR_STR("mx1.example.org")};
	shelf->input = (struct mr_plan_input){.diags = &shelf->diags,
	        .host = &shelf->host,
	        .state = shelf->state,
	        .policy = mr_policy_builtin(),
	        .servers = &shelf->server,
	        .n_servers = 1,
	        .ref = MR_STR("main"),
	        .commit = MR_STR("3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f"),
	        .tree = MR_STR("9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e"),
	        .heals_drift = true,
	        .version = "0.1.0"};
	shelf_add(shelf, "dovecot.passwd", "dovecot.passwd", MR_COLLECTION_EXCLUSIVE,
	        MR_RANK_MAILBOX);
	shelf_add(shelf, "postfix.table/virtual_mailbox_domains", "postfix.virtual_mailbox_domains",
	        MR_COLLECTION_EXCLUSIVE, MR_RANK_OTHER_MAP);
	shelf_add(shelf, "postfix.table/virtual_mailbox_maps", "postfix.virtual_mailbox_maps",
	        MR_COLLECTION_EXCLUSIVE, MR_RANK_MAILBOX_MAP);
	shelf_add(shelf, "postfix.table/virtual_alias_maps", "postfix.virtual_alias_maps",
	        MR_COLLECTION_EXCLUSIVE, MR_RANK_ALIAS_MAP);
	shelf_add(shelf, "postfix.main", "postfix.main", 0, MR_RANK_MAIN);
	shelf_add(shelf, "ldap/dc=example,dc=org", "ldap",
	        MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE, MR_RANK_DIRECTORY);
}

static inline void shelf_close(struct shelf *shelf)
{
	mr_state_close(shelf->state);
	assert_int_equal(mr_dir_remove(&shelf->diags, shelf->directory), 0);
	mr_diags_done(&shelf->diags);
	mr_arena_done(&shelf->backend.arena);
}

static inline struct shelf_board *shelf_board(struct shelf *shelf, const char *name)
{
	struct shelf_board *board = shelf_find(&shelf->backend, mr_str_from(name));

	assert_non_null(board);
	return board;
}

static inline struct mr_plan *shelf_plan(struct shelf *shelf)
{
	struct mr_plan *plan = NULL;

	mr_diags_clear(&shelf->diags);
	assert_int_equal(mr_plan_make(&shelf->input, &plan), 0);
	return plan;
}

/* The decision: the bookkeeping of the plan, as an apply does it. */
static inline void shelf_settle(struct shelf *shelf, const struct mr_plan *plan)
{
	const struct mr_changes *rows = mr_plan_adoptions(plan);

	assert_int_equal(mr_state_begin(shelf->state), 0);
	for (size_t i = 0; i < rows->list.n; i++) {
		const struct mr_change *row = &rows->list.items[i];
		struct mr_item sealed = {
		        .key = row->key, .body = row->after, .object = row->object};
		if (row->after.data)
			assert_int_equal(
			        mr_state_own(shelf->state, row->in->name, &sealed, row->before), 0);
		else
			assert_int_equal(mr_state_disown(shelf->state, row->in->name, row->key), 0);
	}
	assert_int_equal(mr_state_commit(shelf->state), 0);
}

/* Plans, settles and makes live what is desired. */
static inline void shelf_apply(struct shelf *shelf)
{
	struct mr_plan *plan = shelf_plan(shelf);

	shelf_settle(shelf, plan);
	for (size_t i = 0; i < shelf->backend.n; i++)
		shelf->backend.boards[i].live =
		        shelf->backend.boards[i].desired ? shelf->backend.boards[i].desired : "";
	mr_plan_free(plan);
}

static inline const struct mr_rail *shelf_rail(
        const struct mr_plan *plan, const char *id, bool is_passed)
{
	size_t n;
	const struct mr_rail *rails = mr_plan_rails(plan, &n);

	for (size_t i = 0; i < n; i++)
		if (mr_str_is(rails[i].id, id) && rails[i].is_passed == is_passed)
			return &rails[i];
	return NULL;
}

#endif
