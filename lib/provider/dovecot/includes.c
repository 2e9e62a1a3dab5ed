/*
 * The files that dovecot.conf draws in: a digest over all of them, and dovecot.conf made fit to be
 * read from elsewhere.
 */
#include "dovecot/dovecot.h"

#include <glob.h>
#include <string.h>

#include "base/digest.h"

#define CONF_LIMIT    ((size_t)16 << 20)
#define INCLUDE_DEPTH 16
#define INCLUDE_FILES 1000

struct scan {
	struct mr_backend *backend;
	struct mr_arena arena;
	struct mr_hash live, base;
	size_t n_files;
	/* Told of each place where a file is looked for; may be NULL. */
	void (*each)(void *arg, const char *folder, const char *name);
	void *arg;
};

static int scan_file(struct scan *scan, const char *path, unsigned depth);

/* The operand of "!include X" or "!include_try X"; data == NULL for any other line. */
static mr_str include_operand(mr_str line)
{
	static const mr_str words[] = {MR_STR_INIT("!include_try"), MR_STR_INIT("!include")};

	line = mr_str_trim(line);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		mr_str rest = mr_str_skip(line, words[i].size);

		if (mr_str_starts(line, words[i]) && rest.size &&
		        (rest.data[0] == ' ' || rest.data[0] == '\t'))
			return mr_str_trim(rest);
	}
	return (mr_str){0};
}

static const char *folder_of(struct mr_arena *arena, const char *path)
{
	mr_str all = mr_str_from(path);
	size_t slash = mr_str_rfind(all, '/');

	return mr_str_copy(
	        arena, slash == all.size ? MR_STR(".") : mr_str_take(all, slash ? slash : 1))
	        .data;
}

static const char *absolute(struct mr_arena *arena, const char *folder, mr_str name)
{
	if (name.size && name.data[0] == '/')
		return mr_str_copy(arena, name).data;
	return mr_str_printf(arena, "%s/%.*s", folder, MR_FMT(name)).data;
}

static bool is_pattern(const char *text)
{
	return strpbrk(text, "*?[{");
}

static void tell_place(struct scan *scan, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (scan->each)
		scan->each(
		        scan->arg, folder_of(&scan->arena, path), is_pattern(name) ? NULL : name);
}

static int scan_include(struct scan *scan, const char *pattern, unsigned depth)
{
	glob_t found = {0};
	int code = 0;

	/* a file that is not there yet may come */
	if (!is_pattern(folder_of(&scan->arena, pattern)))
		tell_place(scan, pattern);

	mr_hash_add_sized(&scan->live, mr_str_from(pattern));
	if (strcmp(pattern, scan->backend->settings_path) != 0)
		mr_hash_add_sized(&scan->base, mr_str_from(pattern));
	if (glob(pattern, GLOB_BRACE, NULL, &found) == 0)
		for (size_t i = 0; !code && i < found.gl_pathc; i++)
			code = scan_file(scan, found.gl_pathv[i], depth + 1);
	globfree(&found);
	return code;
}

static int scan_text(struct scan *scan, const char *path, mr_str text, unsigned depth)
{
	const char *folder = folder_of(&scan->arena, path);
	int code = 0;

	while (!code && text.size > 0) {
		mr_str operand = include_operand(mr_str_split(&text, '\n'));

		if (operand.size)
			code = scan_include(scan, absolute(&scan->arena, folder, operand), depth);
	}
	return code;
}

static int scan_file(struct scan *scan, const char *path, unsigned depth)
{
	struct mr_diags *diags = scan->backend->diags;
	struct mr_buf text = MR_BUF_INIT, reduced = MR_BUF_INIT;
	int code;

	tell_place(scan, path);
	if (depth > INCLUDE_DEPTH || ++scan->n_files > INCLUDE_FILES)
		return mr_fail(diags, MR_E_UNREADABLE,
		        "cannot read '%s': too many files include each other", path);
	code = mr_file_read(diags, path, CONF_LIMIT, &text);
	if (code == MR_E_NOT_FOUND && depth > 0)
		return 0; /* between glob and open, or !include_try */
	if (code)
		return code == MR_E_NOT_FOUND ? mr_fail(diags, MR_E_UNREADABLE,
		                                        "cannot read '%s': it is not there", path)
		                              : MR_E_UNREADABLE;
	mr_hash_add_sized(&scan->live, mr_str_from(path));
	mr_hash_add_sized(&scan->live, mr_buf_str(&text));
	if (strcmp(path, scan->backend->settings_path) != 0) {
		mr_dovecot_main_with_line(mr_buf_str(&text), false, &reduced);
		mr_hash_add_sized(&scan->base, mr_str_from(path));
		mr_hash_add_sized(&scan->base, mr_buf_str(&reduced));
		code = scan_text(scan, path, mr_buf_str(&text), depth);
	}
	mr_buf_done_secret(&text);
	mr_buf_done_secret(&reduced);
	return code;
}

int mr_dovecot_places(struct mr_backend *backend,
        void (*each)(void *arg, const char *folder, const char *name), void *arg)
{
	struct scan scan = {.backend = backend, .arena = MR_ARENA_INIT, .each = each, .arg = arg};
	int code;

	mr_hash_init(&scan.live);
	mr_hash_init(&scan.base);
	code = scan_file(&scan, backend->config, 0);
	mr_arena_done(&scan.arena);
	return code;
}

int mr_dovecot_stamp(struct mr_backend *backend, struct mr_dovecot_stamps *out)
{
	struct scan scan = {.backend = backend, .arena = MR_ARENA_INIT};
	int code;

	mr_hash_init(&scan.live);
	mr_hash_init(&scan.base);
	code = scan_file(&scan, backend->config, 0);
	mr_arena_done(&scan.arena);
	if (code)
		return code;
	out->live = mr_hash_final(&scan.live);
	out->base = mr_hash_final(&scan.base);
	return 0;
}

static bool is_our_line(mr_str line)
{
	return mr_str_is(mr_str_trim(line), MR_DOVECOT_INCLUDE_LINE);
}

void mr_dovecot_main_with_line(mr_str text, bool wants_line, struct mr_buf *out)
{
	while (text.size > 0) {
		mr_str from = text;
		mr_str line = mr_str_split(&text, '\n');
		mr_str whole = mr_str_take(from, line.size + (line.size < from.size ? 1 : 0));

		if (!is_our_line(line))
			mr_buf_add_str(out, whole);
	}
	if (!wants_line)
		return;
	if (out->size && out->data[out->size - 1] != '\n')
		mr_buf_add_char(out, '\n');
	mr_buf_add_text(out, MR_DOVECOT_INCLUDE_LINE "\n");
}

/* One line of dovecot.conf with its relative file names made absolute. */
static void add_elsewhere(
        struct mr_arena *arena, const char *folder, mr_str line, struct mr_buf *out)
{
	mr_str operand = include_operand(line);
	size_t equals = mr_str_find(line, '=');
	mr_str value = mr_str_trim(mr_str_skip(line, equals + 1));

	if (operand.size) {
		mr_buf_add_str(out, mr_str_take(line, (size_t)(operand.data - line.data)));
		mr_buf_add_text(out, absolute(arena, folder, operand));
	} else if (equals < line.size && value.size > 1 && value.data[0] == '<' &&
	           value.data[1] != '/') {
		mr_buf_add_str(out, mr_str_take(line, equals + 1));
		mr_buf_printf(
		        out, " <%s", absolute(arena, folder, mr_str_trim(mr_str_skip(value, 1))));
	} else {
		mr_buf_add_str(out, line);
	}
	mr_buf_add_char(out, '\n');
}

int mr_dovecot_main_elsewhere(struct mr_backend *backend, const char *own_path, struct mr_buf *out)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_file_read(backend->diags, backend->config, CONF_LIMIT, &text);
	mr_str rest;

	if (code) {
		mr_buf_done_secret(&text);
		return mr_fail(
		        backend->diags, MR_E_UNREADABLE, "cannot read '%s'", backend->config);
	}
	rest = mr_buf_str(&text);
	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');

		if (!is_our_line(line))
			add_elsewhere(&arena, backend->directory, line, out);
	}
	if (own_path)
		mr_buf_printf(out, "!include %s\n", own_path);
	mr_buf_done_secret(&text);
	mr_arena_done(&arena);
	return 0;
}
