/*
 * STATE/observed.json: read, changed and replaced under a lock of its own that is held for a
 * moment.
 */
#include "session/observed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/wait.h"

#define LIMIT_BYTES ((size_t)1 << 20)
enum { LOCK_WAIT_MS = 2000, POLL_MS = 5, MOST_ENTRIES = 500 };

static const char *file_path(struct mailreeve *session)
{
	return mr_session_path(session, "observed.json");
}

int64_t *mr_entry_of(struct mr_arena *arena, struct mr_entries *entries, mr_str name)
{
	mr_vec_each (entry, entries)
		if (mr_str_eq(entry->name, name))
			return &entry->n;
	mr_vec_push(entries, (struct mr_entry){.name = mr_str_copy(arena, name)});
	return &entries->items[entries->n - 1].n;
}

mr_str mr_told_get(const struct mr_observed *observed, mr_str name)
{
	mr_vec_each (told, &observed->told)
		if (mr_str_eq(told->name, name))
			return told->value;
	return (mr_str){0};
}

void mr_told_set(struct mr_arena *arena, struct mr_observed *observed, mr_str name, mr_str value)
{
	mr_str copy = mr_str_copy(arena, value);

	mr_vec_each (told, &observed->told) {
		if (mr_str_eq(told->name, name)) {
			told->value = copy;
			return;
		}
	}
	mr_vec_push(&observed->told, (struct mr_told){mr_str_copy(arena, name), copy});
}

static void read_entries(
        struct mr_arena *arena, const struct mr_json_value *from, struct mr_entries *out)
{
	const struct mr_json_value *child = from ? from->first_child : NULL;

	for (; child && out->n < MOST_ENTRIES; child = child->next)
		*mr_entry_of(arena, out, child->name) =
		        mr_json_get_int(from, mr_str_copy(arena, child->name).data, 0);
}

static void parse(struct mr_arena *arena, mr_str text, struct mr_observed *out)
{
	struct mr_json_value *root = NULL;
	const struct mr_json_value *told, *child;

	if (text.size == 0 || mr_json_parse(arena, text, &root, NULL))
		return;
#define READ_NUMBER(name, meaning) out->name = mr_json_get_int(root, #name, 0);
#define READ_TEXT(name, meaning)   out->name = mr_str_copy(arena, mr_json_get_str(root, #name));
#define READ_COUNTS(name, meaning) read_entries(arena, mr_json_find(root, #name), &out->name);
	MR_OBSERVED_NUMBERS(READ_NUMBER)
	MR_OBSERVED_TEXTS(READ_TEXT)
	MR_OBSERVED_COUNTS(READ_COUNTS)
#undef READ_NUMBER
#undef READ_TEXT
#undef READ_COUNTS
	told = mr_json_find(root, "told");
	for (child = told ? told->first_child : NULL; child && out->told.n < MOST_ENTRIES;
	        child = child->next)
		mr_told_set(arena, out, child->name, child->text);
}

void mr_observed_read(struct mailreeve *session, struct mr_observed *out)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags ignored;

	*out = (struct mr_observed){.lock = -1};
	mr_diags_init(&ignored);
	if (mr_file_read(&ignored, file_path(session), LIMIT_BYTES, &text) == 0)
		parse(&session->arena, mr_buf_str(&text), out);
	mr_diags_done(&ignored);
	mr_buf_done(&text);
}

static bool take_lock(int fd)
{
	int64_t deadline_ms = mr_clock_ms() + LOCK_WAIT_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || mr_clock_ms() > deadline_ms)
			return false;
		mr_wait_ms(POLL_MS);
	}
	return true;
}

bool mr_observed_begin(struct mailreeve *session, struct mr_observed *out)
{
	int fd = open(mr_session_path(session, "observed.lock"),
	        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	*out = (struct mr_observed){.lock = -1};
	if (fd < 0 || !take_lock(fd)) {
		mr_fd_done(&fd);
		return false;
	}
	mr_observed_read(session, out);
	out->lock = fd;
	return true;
}

static void write_entries(struct mr_json *json, const char *name, const struct mr_entries *entries)
{
	mr_json_name(json, name);
	mr_json_begin_object(json);
	mr_vec_each (entry, entries) {
		mr_json_name(json, entry->name.data);
		mr_json_int(json, entry->n);
	}
	mr_json_end_object(json);
}

static void format(const struct mr_observed *observed, struct mr_buf *out)
{
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.observed/1"));
#define WRITE_NUMBER(name, meaning) mr_json_member_int(&json, #name, observed->name);
#define WRITE_TEXT(name, meaning)   mr_json_member_str(&json, #name, observed->name);
#define WRITE_COUNTS(name, meaning) write_entries(&json, #name, &observed->name);
	MR_OBSERVED_NUMBERS(WRITE_NUMBER)
	MR_OBSERVED_TEXTS(WRITE_TEXT)
	MR_OBSERVED_COUNTS(WRITE_COUNTS)
#undef WRITE_NUMBER
#undef WRITE_TEXT
#undef WRITE_COUNTS
	mr_json_name(&json, "told");
	mr_json_begin_object(&json);
	mr_vec_each (told, &observed->told)
		mr_json_member_str(&json, told->name.data, told->value);
	mr_json_end_object(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

void mr_session_warn(struct mailreeve *session, const struct mr_diags *problems, const char *rule)
{
	mr_vec_each (problem, &problems->list)
		mr_diags_at(&session->diags, MR_WARNING, rule, NULL, "%.*s", MR_FMT(problem->text));
}

void mr_observed_keep(struct mailreeve *session, struct mr_observed *observed)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags problems;

	mr_diags_init(&problems);
	format(observed, &text);
	if (mr_file_publish(&problems, file_path(session), mr_buf_str(&text), 0600))
		mr_session_warn(session, &problems, "MR-METRICS");
	mr_diags_done(&problems);
	mr_buf_done(&text);
	mr_observed_done(observed);
}

void mr_observed_done(struct mr_observed *observed)
{
#define FREE_COUNTS(name, meaning) mr_vec_done(&observed->name);
	MR_OBSERVED_COUNTS(FREE_COUNTS)
#undef FREE_COUNTS
	mr_vec_done(&observed->told);
	mr_fd_done(&observed->lock);
}
