/*
 * The passwd-file and the deny files as sorted streams. We write them sorted; one that somebody
 * else disordered is sorted into a file in memory first.
 */
#include "dovecot/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct place {
	struct mr_backend *backend;
	const char *path;
	bool holds_rows;
};

struct line {
	mr_str text;
	size_t number;
};

static mr_str key_of(mr_str line)
{
	return mr_str_take(line, mr_str_find(line, ':'));
}

static bool is_comment(mr_str line)
{
	return line.size == 0 || line.data[0] == '#';
}

static int unreadable(const struct place *place, size_t line, const char *why)
{
	return mr_fail(place->backend->diags, MR_E_UNREADABLE, "%s:%zu: cannot read: %s",
	        place->path, line, why);
}

static int check_line(const struct place *place, mr_str text, size_t number)
{
	struct mr_dovecot_row row;

	if (!mr_dovecot_conf_can_hold(text))
		return unreadable(place, number, "the line has a control character");
	if (place->holds_rows && !mr_dovecot_row_parse(text, &row))
		return unreadable(place, number, "the line is no row of a passwd-file");
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	return mr_str_cmp(key_of(left->text), key_of(right->text));
}

/* One line against the key before it, which it then becomes. */
static int check_rise(const struct place *place, mr_str text, size_t number, struct mr_buf *before,
        bool *is_sorted)
{
	int order = before->size ? mr_str_cmp(mr_buf_str(before), key_of(text)) : -1;

	if (order == 0)
		return unreadable(place, number, "the address stands twice");
	*is_sorted &= order < 0;
	mr_buf_clear(before);
	mr_buf_add_str(before, key_of(text));
	return 0;
}

/* Every line checked; whether they rise. */
static int check_order(const struct place *place, struct mr_lines *lines, bool *out_is_sorted)
{
	struct mr_buf before = MR_BUF_INIT;
	bool is_sorted = true;
	mr_str text;
	int more, code = 0;

	while (!code && (more = mr_lines_next(lines, &text)) != 0) {
		if (more < 0)
			code = unreadable(
			        place, lines->line + 1, "an input error, or the line is too long");
		else if (!is_comment(text))
			code = check_line(place, text, lines->line);
		if (!code && !is_comment(text))
			code = check_rise(place, text, lines->line, &before, &is_sorted);
	}
	mr_buf_done(&before);
	*out_is_sorted = is_sorted;
	return code;
}

static int write_sorted(const struct place *place, struct line *lines, size_t n, struct mr_buf *out)
{
	qsort(lines, n, sizeof *lines, compare_lines);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && mr_str_eq(key_of(lines[i - 1].text), key_of(lines[i].text)))
			return unreadable(place, lines[i].number, "the address stands twice");
		mr_buf_add_str(out, lines[i].text);
		mr_buf_add_char(out, '\n');
	}
	return 0;
}

static int memory_file(const struct place *place, mr_str content)
{
	int fd = memfd_create("mailreeve-sorted", MFD_CLOEXEC);

	while (fd >= 0 && content.size > 0) {
		ssize_t n = write(fd, content.data, content.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)close(fd);
			fd = -1;
			break;
		}
		content = mr_str_skip(content, (size_t)n);
	}
	return fd >= 0 ? fd
	               : mr_fail(place->backend->diags, MR_E_FAILED, "cannot sort '%s': %s",
	                         place->path, strerror(errno));
}

static int sort(const struct place *place, struct mr_lines *lines)
{
	struct mr_buf text = MR_BUF_INIT, sorted = MR_BUF_INIT;
	MR_VEC(struct line) list = {0};
	size_t number = 0;
	mr_str rest;
	int fd, code = mr_file_read(
	                place->backend->diags, place->path, MR_DOVECOT_FILE_LIMIT, &text);

	rest = mr_buf_str(&text);
	while (!code && rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');

		number++;
		if (!is_comment(line))
			mr_vec_push(&list, ((struct line){line, number}));
	}
	if (!code)
		code = write_sorted(place, list.items, list.n, &sorted);
	if (!code) {
		fd = memory_file(place, mr_buf_str(&sorted));
		code = fd < 0 ? fd : 0;
	}
	if (!code) {
		mr_lines_done(lines);
		mr_lines_init(lines, fd);
	}
	mr_vec_done(&list);
	mr_buf_done_secret(&text);
	mr_buf_done_secret(&sorted);
	return code;
}

/* A file that was found in order is not looked through again. */
struct order {
	struct mr_file_identity identity;
	mr_str name;
};

static struct order order_of(struct mr_arena *arena, const char *path)
{
	struct order order = {.name = mr_str_printf(arena, "dovecot/ordered/%s", path)};

	mr_file_identify(path, &order.identity);
	return order;
}

static bool is_known_order(struct mr_backend *backend, const struct order *order)
{
	struct mr_cache *cache = backend->options->cache;
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str kept;
	bool is_known =
	        cache && cache->get(cache, order->name, &arena, &kept) &&
	        mr_str_eq(kept, (mr_str){(const char *)&order->identity, sizeof order->identity});

	mr_arena_done(&arena);
	return is_known;
}

static int put_in_order(const struct place *place, struct mr_lines *lines)
{
	struct mr_cache *cache = place->backend->options->cache;
	struct mr_arena arena = MR_ARENA_INIT;
	struct order order = order_of(&arena, place->path);
	bool is_known = is_known_order(place->backend, &order), is_sorted = true;
	int code = is_known ? 0 : check_order(place, lines, &is_sorted);

	if (!code && !is_sorted)
		code = sort(place, lines);
	else if (!code && !is_known && cache)
		cache->put(cache, order.name,
		        (mr_str){(const char *)&order.identity, sizeof order.identity});
	mr_arena_done(&arena);
	return code;
}

int mr_dovecot_source_open(struct mr_backend *backend, const char *path, bool holds_rows,
        struct mr_dovecot_source *out)
{
	struct place place = {backend, path, holds_rows};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int code;

	*out = (struct mr_dovecot_source){.is_there = fd >= 0};
	if (fd < 0 && errno != ENOENT) {
		mr_lines_init(&out->lines, -1);
		return mr_fail(backend->diags, MR_E_UNREADABLE, "cannot open '%s': %s", path,
		        strerror(errno));
	}
	mr_lines_init(&out->lines, fd);
	code = put_in_order(&place, &out->lines);
	if (!code && mr_lines_rewind(&out->lines))
		code = mr_fail(backend->diags, MR_E_UNREADABLE, "cannot read '%s'", path);
	if (code)
		mr_dovecot_source_close(out);
	return code;
}

int mr_dovecot_source_next(
        struct mr_backend *backend, struct mr_dovecot_source *source, mr_str *out_line)
{
	int code;

	do
		code = mr_lines_next(&source->lines, out_line);
	while (code > 0 && is_comment(*out_line));
	source->has_line = code > 0;
	if (code > 0)
		source->key = key_of(*out_line);
	if (code < 0)
		return mr_fail(backend->diags, MR_E_UNREADABLE, "cannot read on in '%s'",
		        backend->own_directory);
	return code;
}

void mr_dovecot_source_close(struct mr_dovecot_source *source)
{
	mr_lines_done(&source->lines);
	source->has_line = false;
}

static int check_named(struct mr_backend *backend)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_dovecot_own own = {0};
	int code = mr_dovecot_own_read(backend, &arena, &own);

	if (!code && mr_dovecot_settings_find(
	                     &own.settings, MR_STR("userdb mailreeve-users/passwd_file_path"))) {
		code = mr_fail(backend->diags, MR_E_UNREADABLE, "cannot read '%s': it is not there",
		        backend->users_path);
		mr_diags_hint(backend->diags,
		        "Dovecot is told to use it; put it back from a backup, or remove '%s'",
		        backend->settings_path);
	}
	mr_dovecot_settings_done(&own.settings);
	mr_arena_done(&arena);
	return code;
}

int mr_dovecot_reader_open(struct mr_backend *backend, struct mr_dovecot_reader *out)
{
	mr_str line;
	int code;

	*out = (struct mr_dovecot_reader){.backend = backend};
	mr_lines_init(&out->users.lines, -1);
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		mr_lines_init(&out->denied[i].lines, -1);
	code = mr_dovecot_source_open(backend, backend->users_path, true, &out->users);
	if (!code && !out->users.is_there)
		code = check_named(backend);
	for (size_t i = 0; !code && i < MR_DENY_COUNT; i++) {
		code = mr_dovecot_source_open(
		        backend, backend->denied_path[i], false, &out->denied[i]);
		if (!code)
			code = mr_dovecot_source_next(backend, &out->denied[i], &line);
		if (code > 0)
			code = 0;
	}
	if (code)
		mr_dovecot_reader_close(out);
	return code;
}

/* Whether this file names the current address; moves on in it. */
static int is_denied(struct mr_dovecot_reader *reader, struct mr_dovecot_source *source, bool *out)
{
	mr_str line;
	int order = -1;

	*out = false;
	while (source->has_line) {
		int code;

		order = mr_str_cmp(source->key, reader->row.address);
		if (order > 0)
			return 0;
		*out |= order == 0;
		code = mr_dovecot_source_next(reader->backend, source, &line);
		if (code < 0)
			return code;
	}
	return 0;
}

int mr_dovecot_reader_next(struct mr_dovecot_reader *reader)
{
	int code = mr_dovecot_source_next(reader->backend, &reader->users, &reader->line);

	if (code <= 0)
		return code;
	(void)mr_dovecot_row_parse(
	        reader->line, &reader->row); /* it was checked when the file was opened */
	reader->row_denied = 0;
	for (unsigned i = 0; i < MR_DENY_COUNT; i++) {
		bool is_named;

		code = is_denied(reader, &reader->denied[i], &is_named);
		if (code)
			return code;
		if (is_named)
			reader->row_denied |= 1U << i;
	}
	return 1;
}

void mr_dovecot_reader_close(struct mr_dovecot_reader *reader)
{
	mr_dovecot_source_close(&reader->users);
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		mr_dovecot_source_close(&reader->denied[i]);
}
