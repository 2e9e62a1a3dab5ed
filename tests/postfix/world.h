/*
 * For the backend's tests: a real private Postfix, and a run of plan, stage, apply, activate and
 * verification over the public contract.
 */
#ifndef MR_TESTS_POSTFIX_WORLD_H
#define MR_TESTS_POSTFIX_WORLD_H

#include "base/file.h"
#include "base/run.h"
#include "desired.h"
#include "postfix/smtp.h"
#include "provider/provider.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* A private instance below one folder. */
struct world {
	char directory[64];
	const char *etc;
	unsigned port;
	struct mr_host host;
	struct mr_diags diags;
	struct mr_arena arena;
	struct mr_backend *backend; /* of the run in hand */
	struct mr_changes changes;
	unsigned n_runs;
	const char *work;
	struct mr_collections collections;
};

static const char main_cf[] =
        "# kept as it is\ncompatibility_level = 3.6\nqueue_directory = %s/spool\ndata_directory = "
        "%s/data\n"
        "maillog_file = %s/mail.log\nmaillog_file_prefixes = %s\nmyhostname = mx.test.example\n"
        "mydestination = localhost\n\ninet_interfaces = loopback-only\ninet_protocols = "
        "ipv4\nalias_maps =\n"
        "alias_database =\nsyslog_name = pf-test\nmynetworks = 127.0.0.99/32\n"
        "smtpd_relay_restrictions = permit_mynetworks,\n# why\n    "
        "reject_unauth_destination\nsmtpd_error_sleep_time = 0\n"
        "# the end\n";
static const char master_cf[] =
        "127.0.0.1:%u inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 "
        "cleanup\n"
        "qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - "
        "trivial-rewrite\n"
        "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
        "verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - "
        "proxymap\n"
        "smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nshowq unix n - n - - showq\n"
        "error unix - - n - - error\nretry unix - - n - - error\ndiscard unix - - n - - discard\n"
        "local unix - n n - - local\nvirtual unix - n n - - virtual\nlmtp unix - - n - - lmtp\n"
        "anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 "
        "postlogd\n";

static inline unsigned world_port(void)
{
	struct sockaddr_in where = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof where;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &size), 0);
	close(fd);
	return ntohs(where.sin_port);
}

static inline int world_postfix(struct world *world, const char *verb)
{
	const char *const argv[] = {"postfix", "-c", world->etc, verb, NULL};
	struct mr_run run = {.argv = argv, .is_daemon_starter = true};
	int status = mr_run(&world->diags, &run) ? -1 : run.status;

	mr_run_done(&run);
	return status;
}

static inline void world_write(struct world *world, const char *name, mr_str text)
{
	const char *path = mr_str_printf(&world->arena, "%s/%s", world->etc, name).data;
	struct timespec old = {
	        .tv_sec = time(NULL) -
	                  60}; /* a fresh file makes Postfix wait for its second to pass */

	assert_int_equal(mr_file_replace(&world->diags, path, text, NULL), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){old, old}, 0), 0);
}

static inline mr_str world_read(struct world *world, const char *name)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str copy;

	assert_int_equal(mr_file_read(&world->diags,
	                         mr_str_printf(&world->arena, "%s/%s", world->etc, name).data,
	                         1 << 20, &text),
	        0);
	copy = mr_str_copy(&world->arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return copy;
}

static inline int world_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct passwd *owner = getpwnam("postfix");
	const char *data;

	assert_non_null(owner);
	strcpy(world->directory, "/tmp/mr-postfix.XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	assert_int_equal(chmod(world->directory, 0755), 0);
	mr_diags_init(&world->diags);
	mr_arena_init(&world->arena);
	world->etc = mr_str_printf(&world->arena, "%s/etc", world->directory).data;
	data = mr_str_printf(&world->arena, "%s/data", world->directory).data;
	assert_int_equal(mr_dir_make(&world->diags, world->etc, 0755), 0);
	assert_int_equal(
	        mr_dir_make(&world->diags,
	                mr_str_printf(&world->arena, "%s/spool", world->directory).data, 0755),
	        0);
	assert_int_equal(mr_dir_make(&world->diags, data, 0700), 0);
	assert_int_equal(chown(data, owner->pw_uid, owner->pw_gid), 0);
	world->port = world_port();
	world_write(world, "main.cf",
	        mr_str_printf(&world->arena, main_cf, world->directory, world->directory,
	                world->directory, world->directory));
	world_write(world, "master.cf", mr_str_printf(&world->arena, master_cf, world->port));
	world->host.postfix.is_managed = true;
	world->host.postfix.config_directory = mr_str_from(world->etc);
	world->host.services_are_direct = true;
	*state = world;
	return 0;
}

static inline int world_up_running(void **state)
{
	(void)world_up(state);
	assert_int_equal(world_postfix(*state, "start"), 0);
	return 0;
}

static inline void world_end_run(struct world *world)
{
	if (!world->backend)
		return;
	mr_provider_postfix.close(world->backend);
	mr_vec_done(&world->changes.list);
	mr_arena_done(&world->changes.arena);
	world->backend = NULL;
}

static inline int world_down(void **state)
{
	struct world *world = *state;

	world_end_run(world);
	(void)world_postfix(world, "stop");
	assert_int_equal(mr_dir_remove(&world->diags, world->directory), 0);
	mr_diags_done(&world->diags);
	mr_arena_done(&world->arena);
	free(world);
	return 0;
}

static inline void world_print(struct world *world)
{
	struct mr_buf text = MR_BUF_INIT;

	for (size_t i = 0; i < world->diags.list.n; i++) {
		mr_buf_clear(&text);
		mr_diag_format(&world->diags.list.items[i], &text);
		print_message("  %s\n", text.data);
	}
	mr_buf_done(&text);
}

static inline bool world_says(struct world *world, const char *part)
{
	for (size_t i = 0; i < world->diags.list.n; i++) {
		struct mr_buf text = MR_BUF_INIT;
		bool found;

		mr_diag_format(&world->diags.list.items[i], &text);
		found = strstr(text.data, part);
		mr_buf_done(&text);
		if (found)
			return true;
	}
	return false;
}

static inline void world_push(struct world *world, const struct mr_collection *in,
        const struct mr_item *live, const struct mr_item *desired)
{
	struct mr_arena *arena = &world->changes.arena;
	const struct mr_item *any = desired ? desired : live;
	struct mr_change change = {.in = in,
	        .key = mr_str_copy(arena, any->key),
	        .object = mr_str_copy(arena, any->object)};

	if (live)
		change.before = mr_str_copy(arena, live->body);
	if (desired)
		change.after = mr_str_copy(arena, desired->body);
	mr_vec_push(&world->changes.list, change);
}

/* Desired against live of one collection; live-only items go when it is exclusive. */
static inline int world_compare(
        struct world *world, const struct mr_collection *in, struct mr_desired *desired)
{
	struct mr_cursor wanted = {0}, there = {0};
	struct mr_item want = {0}, live = {0};
	int has_want, has_live,
	        code = mr_provider_postfix.project(world->backend, in, desired, &wanted);

	if (!code)
		code = mr_provider_postfix.observe(world->backend, in, NULL, &there);
	if (code)
		return mr_cursor_close(&wanted), code;
	has_want = mr_cursor_next(&wanted, &want);
	has_live = mr_cursor_next(&there, &live);
	while (has_want > 0 || has_live > 0) {
		int order = has_want <= 0 ? 1 : has_live <= 0 ? -1 : mr_str_cmp(want.key, live.key);

		if (order < 0)
			world_push(world, in, NULL, &want);
		else if (order > 0 && (in->flags & MR_COLLECTION_EXCLUSIVE))
			world_push(world, in, &live, NULL);
		else if (!order && !mr_str_eq(want.body, live.body))
			world_push(world, in, &live, &want);
		if (order <= 0)
			has_want = mr_cursor_next(&wanted, &want);
		if (order >= 0)
			has_live = mr_cursor_next(&there, &live);
	}
	mr_cursor_close(&wanted);
	mr_cursor_close(&there);
	return has_want < 0 ? has_want : has_live;
}

static inline int world_plan(struct world *world, struct mr_desired *desired)
{
	struct mr_provider_options options = {.host = &world->host, .diags = &world->diags};
	int code;

	world_end_run(world);
	mr_diags_clear(&world->diags);
	mr_arena_init(&world->changes.arena);
	assert_int_equal(mr_provider_postfix.open(&options, &world->backend), 0);
	world->work =
	        mr_str_printf(&world->arena, "%s/work%u", world->directory, world->n_runs++).data;
	assert_int_equal(mr_dir_make(&world->diags, world->work, 0700), 0);
	code = mr_provider_postfix.collections(world->backend, desired, &world->collections);
	for (size_t i = 0; i < world->collections.n && !code; i++)
		code = world_compare(world, &world->collections.items[i], desired);
	return code;
}

static inline const struct mr_change **world_list(struct world *world, bool is_reversed)
{
	size_t n = world->changes.list.n;
	const struct mr_change **list = mr_alloc_n(&world->arena, n + 1, sizeof *list);

	for (size_t i = 0; i < n; i++) {
		struct mr_change *change = mr_alloc(&world->arena, sizeof *change);

		*change = is_reversed ? mr_change_reversed(&world->changes.list.items[i])
		                      : world->changes.list.items[i];
		list[i] = change;
	}
	return list;
}

static inline int world_stage(struct world *world)
{
	return mr_provider_postfix.stage(
	        world->backend, world_list(world, false), world->changes.list.n, world->work);
}

/* All batches; in the order of the contract forwards, the other way round for an undo. */
static inline int world_apply(struct world *world, bool is_undo)
{
	const struct mr_change **list = world_list(world, is_undo);
	size_t n = world->changes.list.n;
	int code = 0;

	for (int rank = 0; rank <= MR_RANK_MAIN && !code; rank++)
		for (size_t i = 0, end; i < n && !code; i = end) {
			int wanted = is_undo ? MR_RANK_MAIN - rank : rank;

			for (end = i + 1; end < n && list[end]->in == list[i]->in;)
				end++;
			if ((int)list[i]->in->rank == wanted)
				code = mr_provider_postfix.apply(
				        world->backend, list + i, end - i, world->work, is_undo);
		}
	return code;
}

static inline int world_activate(struct world *world, bool is_undo)
{
	const struct mr_change **list = world_list(world, is_undo);
	size_t n = world->changes.list.n;

	return mr_provider_postfix.activate(world->backend, list, n,
	        mr_provider_postfix.activation(world->backend, list, n), is_undo);
}

/* Plan, stage, apply, activate, finish; a second plan must be empty. */
static inline void world_converge(struct world *world, struct mr_desired *desired)
{
	int code = world_plan(world, desired);

	if (!code && world->changes.list.n && !(code = world_stage(world)) &&
	        !(code = world_apply(world, false)) && !(code = world_activate(world, false)))
		code = mr_provider_postfix.finish(world->backend, world->work, true);
	if (!code)
		code = world_plan(world, desired);
	if (code)
		world_print(world);
	assert_int_equal(code, 0);
	assert_int_equal(world->changes.list.n, 0);
}

/* The code that RCPT gets from the live server, as a client outside. */
static inline int world_rcpt(struct world *world, const char *address)
{
	struct mr_postfix_smtp smtp;
	int code = mr_postfix_smtp_open(&smtp, "127.0.0.1", world->port, 8000);

	if (code == 220)
		code = mr_postfix_smtp_command(&smtp, "EHLO localhost");
	if (code == 250)
		code = mr_postfix_smtp_command(&smtp, "MAIL FROM:<>");
	if (code == 250)
		code = mr_postfix_smtp_command(&smtp, "RCPT TO:<%s>", address);
	mr_postfix_smtp_close(&smtp);
	return code;
}

#endif
