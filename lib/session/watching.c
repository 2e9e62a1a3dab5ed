/*
 * Looking on for an agent that stays: what moves in the directory, and which files to look at.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "session/session.h"

#define NOTHING_PAUSE_MS 10000 /* how soon the first tree that we own is noticed */

struct looking_on {
	struct mailreeve *session;
	const struct mailreeve_watch *watch;
	const char *state_directory;
	struct mr_arena arena; /* of trees */
	struct mr_strs trees;
	struct mr_buf object, who;
	bool is_in_trouble;
};

/* The state is opened for this look alone: it may be made, trusted or replaced meanwhile. */
static int read_trees(const struct looking_on *looking, struct mr_arena *arena, struct mr_strs *out)
{
	static const mr_str prefix = MR_STR_INIT("ldap/");
	struct mr_state_options options = {
	        .directory = looking->state_directory, .purpose = "watch"};
	struct mr_strs names = {0};
	struct mr_state *state = NULL;
	int code = mr_state_open(&looking->session->diags, &options, &state);

	*out = (struct mr_strs){0};
	if (!code)
		code = mr_state_owned_collections(state, arena, &names);
	mr_state_close(state);
	out->items = mr_alloc_n(arena, names.n + 1, sizeof *out->items);
	for (size_t i = 0; i < names.n; i++)
		if (mr_str_starts(names.items[i], prefix))
			out->items[out->n++] = mr_str_skip(names.items[i], prefix.size);
	return code;
}

static bool is_same(const struct mr_strs *a, const struct mr_strs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!mr_str_eq(a->items[i], b->items[i]))
			return false;
	return true;
}

/* An apply may have brought other trees. */
static bool is_over(void *arg)
{
	struct looking_on *looking = arg;
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_strs now;
	bool is = !read_trees(looking, &arena, &now) && !is_same(&looking->trees, &now);

	mr_diags_clear(&looking->session->diags);
	mr_arena_done(&arena);
	return is;
}

static const char *text_or_null(struct mr_buf *buf, mr_str text)
{
	mr_buf_clear(buf);
	mr_buf_add_str(buf, text);
	mr_buf_add_char(buf, '\0');
	return text.size > 0 ? buf->data : NULL;
}

static void moved(void *arg, mr_str object, mr_str who)
{
	struct looking_on *looking = arg;

	looking->is_in_trouble = false;
	looking->watch->moved(looking->watch->arg, text_or_null(&looking->object, object),
	        text_or_null(&looking->who, who));
}

/* Said once an outage; what is found later is found by the next look. */
static void trouble(void *arg)
{
	struct looking_on *looking = arg;
	struct mailreeve *session = looking->session;

	if (!looking->is_in_trouble && session->options.notice) {
		mr_str why = mr_session_reasons(session);
		struct mr_buf text = MR_BUF_INIT;

		mr_buf_printf(&text, "the directory cannot be watched: %.*s", MR_FMT(why));
		session->options.notice(session->options.arg, text.data);
		mr_buf_done(&text);
	}
	looking->is_in_trouble = true;
	mr_diags_clear(&session->diags);
}

static bool is_stopped(const struct looking_on *looking, int timeout_ms)
{
	struct pollfd fd = {.fd = looking->watch->stop_fd, .events = POLLIN};

	return (poll(&fd, 1, timeout_ms) < 0 && errno != EINTR) || fd.revents != 0;
}

static int look_on(struct looking_on *looking)
{
	const struct mr_provider *directory = &mr_provider_openldap;
	struct mailreeve *session = looking->session;
	struct mr_provider_options options = {.host = &session->host, .diags = &session->diags};
	struct mr_provider_watch watch = {.trees = &looking->trees,
	        .interval_seconds = session->host.interval_seconds,
	        .stop_fd = looking->watch->stop_fd,
	        .moved = moved,
	        .trouble = trouble,
	        .is_over = is_over,
	        .arg = looking};
	struct mr_backend *backend = NULL;
	int code = directory->open(&options, &backend);

	if (!code)
		code = directory->watch(backend, &watch);
	directory->close(backend);
	return code;
}

int mailreeve_watch_directory(struct mailreeve *session, const struct mailreeve_watch *watch)
{
	struct looking_on looking = {.session = session, .watch = watch};
	bool is_managed = session->host.ldap.is_managed;
	int code = 0;

	if (!session->has_host)
		return mr_error_status(
		        mr_fail(&session->diags, MR_E_CONFIG, "no host configuration was read"));
	looking.state_directory = mr_session_text_or_null(session, session->host.state_directory);
	do {
		mr_arena_reset(&looking.arena);
		if (is_managed)
			code = read_trees(&looking, &looking.arena, &looking.trees);
		if (!code && looking.trees.n > 0)
			code = look_on(&looking);
	} while (!code && !is_stopped(&looking, looking.trees.n > 0 ? 0
	                                        : is_managed        ? NOTHING_PAUSE_MS
	                                                            : -1));
	mr_arena_done(&looking.arena);
	mr_buf_done(&looking.object);
	mr_buf_done(&looking.who);
	return mr_error_status(code);
}

struct telling {
	void (*each)(void *arg, const char *server, const char *path, const char *name);
	void *arg;
	const char *server;
};

static void tell_path(void *arg, const char *folder, const char *name)
{
	const struct telling *telling = arg;

	telling->each(telling->arg, telling->server, folder, name);
}

int mailreeve_watch_paths(struct mailreeve *session,
        void (*each)(void *arg, const char *server, const char *path, const char *name), void *arg)
{
	struct telling telling = {.each = each, .arg = arg};
	int first = mr_session_open_servers(session);

	for (size_t i = 0; i < session->n_servers; i++) {
		const struct mr_plan_server *server = &session->servers[i];
		int code = 0;

		telling.server = server->provider->name;
		if (server->provider->watched)
			code = server->provider->watched(server->backend, tell_path, &telling);
		first = first ? first : code;
	}
	return mr_error_status(first);
}
