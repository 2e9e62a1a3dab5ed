/*
 * Making changes live: our files by rename, one after the other so that nobody who is denied can
 * log in between.
 */
#include "dovecot/dovecot.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fileset/fileset.h"

static const char head[] =
        "# Written by mailreeve from its repository: changes made here are undone.\n";

struct writer {
	struct mr_backend *backend;
	struct mr_fileset set;
	bool is_undo;
};

static const char *deny_name(const struct mr_backend *backend, unsigned i)
{
	mr_str path = mr_str_from(backend->denied_path[i]);

	return backend->denied_path[i] + mr_str_rfind(path, '/') + 1;
}

static struct mr_fileset_file users_file(const struct mr_backend *backend)
{
	return (struct mr_fileset_file){"users", backend->users_path, &backend->secret_owner, true};
}

static struct mr_fileset_file deny_file(const struct mr_backend *backend, unsigned i)
{
	return (struct mr_fileset_file){
	        deny_name(backend, i), backend->denied_path[i], &backend->secret_owner, true};
}

/* The next line that says something. */
static bool next_line(mr_str *rest, mr_str *out)
{
	while (rest->size > 0) {
		*out = mr_str_split(rest, '\n');
		if (out->size && out->data[0] != '#')
			return true;
	}
	return false;
}

static bool same_lines(mr_str a, mr_str b)
{
	mr_str left = {0}, right = {0};

	for (;;) {
		bool has_left = next_line(&a, &left), has_right = next_line(&b, &right);

		if (!has_left || !has_right)
			return has_left == has_right;
		if (!mr_str_eq(left, right))
			return false;
	}
}

/* An undo that comes out at what was there before puts back those very bytes, or no file where
 * there was none. */
static int put(struct writer *writer, const struct mr_fileset_file *file, mr_str content)
{
	struct mr_buf before = MR_BUF_INIT;
	int code = 0, was_there = writer->is_undo
	                                  ? mr_fileset_before(&writer->set, file->name, &before)
	                                  : MR_E_NOT_FOUND;

	if (was_there == 1 && same_lines(mr_buf_str(&before), content))
		content = before.size ? mr_buf_str(&before) : MR_STR("");
	else if (was_there == 0 && same_lines(content, MR_STR("")))
		content = (mr_str){0};
	else if (was_there < 0 && was_there != MR_E_NOT_FOUND)
		code = was_there;
	if (!code && (content.data || !access(file->path, F_OK)))
		code = mr_fileset_put(&writer->set, file, content);
	mr_buf_done_secret(&before);
	return code;
}

/* First who is denied from now on, those still denied included; then the users; then who no longer
 * is. */
static int write_rows(struct writer *writer, struct mr_dovecot_edit *edit)
{
	struct mr_backend *backend = writer->backend;
	struct mr_fileset_file users = users_file(backend);
	int code = 0;

	for (unsigned i = 0; !code && i < MR_DENY_COUNT; i++) {
		struct mr_fileset_file file = deny_file(backend, i);
		size_t size = edit->denied[i].size;

		if (!edit->adds_denied[i])
			continue;
		mr_buf_add_str(&edit->denied[i], mr_buf_str(&edit->dropped[i]));
		code = put(writer, &file, mr_buf_str(&edit->denied[i]));
		edit->denied[i].size = size;
	}
	if (!code)
		code = put(writer, &users, mr_buf_str(&edit->users));
	for (unsigned i = 0; !code && i < MR_DENY_COUNT; i++) {
		struct mr_fileset_file file = deny_file(backend, i);

		if (edit->drops_denied[i])
			code = put(writer, &file, mr_buf_str(&edit->denied[i]));
	}
	return code;
}

/* Dovecot fails every log-in when a file that its configuration names is missing. */
static int make_named_files(struct writer *writer)
{
	struct mr_fileset_file files[] = {
	        users_file(writer->backend), deny_file(writer->backend, MR_DENY_ALL)};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof files / sizeof *files; i++)
		if (access(files[i].path, F_OK))
			code = mr_fileset_put(&writer->set, &files[i], MR_STR(head));
	return code;
}

/* *out when the file is as this transaction left it, *out_touched when it touched it at all. */
static int look_at(
        struct writer *writer, const struct mr_fileset_file *file, bool *out_touched, bool *out)
{
	*out_touched = mr_fileset_has(&writer->set, file->name);
	*out = false;
	return *out_touched ? mr_fileset_is_ours(&writer->set, file, out) : 0;
}

/* Files that all are as this transaction left them need no check for conflicts: a step may have
 * been cut short. */
static int is_own_work(struct writer *writer, bool *out)
{
	struct mr_fileset_file file = users_file(writer->backend);
	bool is_touched, is_ours, has_begun = false, is_all_ours = true;
	int code = 0;

	for (unsigned i = 0; !code && i <= MR_DENY_COUNT; i++) {
		if (i > 0)
			file = deny_file(writer->backend, i - 1);
		code = look_at(writer, &file, &is_touched, &is_ours);
		has_begun |= is_touched;
		is_all_ours &= is_ours || !is_touched;
	}
	*out = has_begun && is_all_ours;
	return code;
}

/* Not time(): it may be a tick behind the clock that Dovecot reads. */
static time_t second_of_the_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* this clock always exists */
	return now.tv_sec;
}

static int apply_rows(struct writer *writer, const struct mr_change *const *changes, size_t n)
{
	struct mr_backend *backend = writer->backend;
	struct mr_dovecot_edit edit;
	bool is_trusted;
	int code = is_own_work(writer, &is_trusted);

	if (!code)
		code = mr_dir_make(backend->diags, backend->own_directory, 0755);
	if (code)
		return code;
	code = mr_dovecot_rows_edit(backend, changes, n, is_trusted, &edit);
	if (!code && edit.changes_users)
		code = write_rows(writer, &edit);
	if (edit.changes_users)
		backend->rows_written = second_of_the_clock();
	if (!code && !writer->is_undo)
		code = make_named_files(writer);
	mr_dovecot_edit_done(&edit);
	return code;
}

static bool same_settings(const struct mr_dovecot_settings *a, const struct mr_dovecot_settings *b)
{
	if (a->list.n != b->list.n)
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (!mr_str_eq(a->list.items[i].path, b->list.items[i].path) ||
		        !mr_str_eq(a->list.items[i].value, b->list.items[i].value))
			return false;
	return true;
}

/* Whether the settings are those of our file as it was before the transaction, whose bytes are then
 * in *out. */
static bool was_before(struct writer *writer, struct mr_arena *arena,
        const struct mr_dovecot_settings *settings, struct mr_buf *out)
{
	struct mr_dovecot_own before = {0};
	bool is_same = false;

	if (writer->is_undo && mr_fileset_before(&writer->set, "mailreeve.conf", out) == 1) {
		mr_dovecot_own_parse(arena, mr_buf_str(out), &before);
		is_same = same_settings(&before.settings, settings);
	}
	if (!is_same)
		mr_buf_clear(out);
	mr_dovecot_settings_done(&before.settings);
	return is_same;
}

static int write_own(
        struct writer *writer, struct mr_arena *arena, const struct mr_dovecot_settings *settings)
{
	struct mr_backend *backend = writer->backend;
	static const struct mr_file_owner open_owner = {0, 0, 0644};
	struct mr_fileset_file file = {"mailreeve.conf", backend->settings_path, &open_owner, true};
	struct mr_buf text = MR_BUF_INIT;
	int code = 0;

	mr_vec_each (setting, &settings->list)
		if (setting->is_sensitive)
			file.owner = &backend->secret_owner;
	if (geteuid() != 0)
		file.owner = &backend->secret_owner; /* nobody else can be its owner then */
	if (!was_before(writer, arena, settings, &text) && settings->list.n)
		code = mr_dovecot_own_format(backend, arena, settings, &text);
	if (!code && (text.size || !access(file.path, F_OK)))
		code = mr_fileset_put(
		        &writer->set, &file, text.size ? mr_buf_str(&text) : (mr_str){0});
	mr_buf_done_secret(&text);
	return code;
}

static int write_main(struct writer *writer, bool wants_line)
{
	struct mr_backend *backend = writer->backend;
	struct mr_fileset_file file = {.name = "dovecot.conf", .path = backend->config};
	struct mr_buf now = MR_BUF_INIT, then = MR_BUF_INIT, before = MR_BUF_INIT,
	              again = MR_BUF_INIT;
	int code = mr_file_read(backend->diags, backend->config, MR_DOVECOT_FILE_LIMIT, &now);
	mr_str content;

	if (code == MR_E_NOT_FOUND)
		code = mr_fail(backend->diags, MR_E_FAILED, "cannot read '%s': it is not there",
		        backend->config);
	if (!code) {
		mr_dovecot_main_with_line(mr_buf_str(&now), wants_line, &then);
		content = mr_buf_str(&then);
		/* the very bytes when nobody else changed anything since */
		if (writer->is_undo && mr_fileset_before(&writer->set, file.name, &before) == 1) {
			mr_dovecot_main_with_line(mr_buf_str(&before), wants_line, &again);
			if (mr_str_eq(mr_buf_str(&again), content))
				content = mr_buf_str(&before);
		}
		if (!mr_str_eq(content, mr_buf_str(&now)))
			code = mr_fileset_put(&writer->set, &file, content);
	}
	mr_buf_done_secret(&now);
	mr_buf_done_secret(&then);
	mr_buf_done_secret(&before);
	mr_buf_done_secret(&again);
	return code;
}

/* What make_named_files made for this transaction, and holds nothing. */
static int remove_empty_files(struct writer *writer)
{
	struct mr_fileset_file files[] = {
	        users_file(writer->backend), deny_file(writer->backend, MR_DENY_ALL)};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof files / sizeof *files; i++) {
		struct mr_buf before = MR_BUF_INIT, now = MR_BUF_INIT;

		if (mr_fileset_before(&writer->set, files[i].name, &before) == 0 &&
		        !mr_file_read(writer->backend->diags, files[i].path, MR_DOVECOT_FILE_LIMIT,
		                &now) &&
		        same_lines(mr_buf_str(&now), MR_STR("")))
			code = mr_fileset_put(&writer->set, &files[i], (mr_str){0});
		mr_buf_done_secret(&before);
		mr_buf_done_secret(&now);
	}
	return code;
}

static int apply_settings(struct writer *writer, const struct mr_change *const *changes, size_t n)
{
	struct mr_backend *backend = writer->backend;
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_dovecot_settings settings = {0};
	int code =
	        mr_dovecot_settings_edit(backend, &arena, changes, n, writer->is_undo, &settings);
	bool wants_line = settings.list.n > 0;
	bool names_users = mr_dovecot_settings_find(&settings,
	                           MR_STR("userdb mailreeve-users/passwd_file_path")) != NULL;

	if (!code)
		code = mr_dir_make(backend->diags, backend->own_directory, 0755);
	if (!code && names_users)
		code = make_named_files(writer);
	if (!code && !wants_line)
		code = write_main(writer, false);
	if (!code)
		code = write_own(writer, &arena, &settings);
	if (!code && wants_line)
		code = write_main(writer, true);
	if (!code && writer->is_undo && !names_users)
		code = remove_empty_files(writer);
	mr_dovecot_forget_live(backend);
	mr_dovecot_settings_done(&settings);
	mr_arena_done(&arena);
	return code;
}

int mr_dovecot_apply(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory, bool is_undo)
{
	struct writer writer = {.backend = backend, .is_undo = is_undo};
	char work[4096];
	int size = snprintf(work, sizeof work, "%s/dovecot", work_directory);

	if (n == 0)
		return 0;
	if (size < 0 || (size_t)size >= sizeof work)
		return mr_fail(
		        backend->diags, MR_E_FAILED, "path '%s' is too long", work_directory);
	writer.set = (struct mr_fileset){backend->diags, work};
	if (mr_dovecot_is_rows(changes[0]->in))
		return apply_rows(&writer, changes, n);
	return apply_settings(&writer, changes, n);
}

int mr_dovecot_finish(struct mr_backend *backend, const char *work_directory, bool was_applied)
{
	char path[4096];
	int size = snprintf(path, sizeof path, "%s/dovecot", work_directory);

	if (size < 0 || (size_t)size >= sizeof path)
		return mr_fail(
		        backend->diags, MR_E_FAILED, "path '%s' is too long", work_directory);
	if (!was_applied)
		(void)rmdir(backend->own_directory); /* only when it is empty: it was made for this
		                                        transaction */
	return mr_dir_remove(backend->diags, path);
}
