/*
 * The passwd-file and the deny files with changes carried out: one pass over what is there, rows
 * that do not change are copied byte for byte.
 */
#include "dovecot/dovecot.h"

#include "dovecot/reader.h"

static const char head[] =
        "# Written by mailreeve from its repository: changes made here are undone.\n";

struct editor {
	struct mr_backend *backend;
	struct mr_dovecot_reader reader;
	struct mr_attrs_builder builder;
	struct mr_attrs_builder again;
	bool is_trusted;
	struct mr_dovecot_edit *out;
};

void mr_dovecot_edit_done(struct mr_dovecot_edit *edit)
{
	mr_buf_done_secret(&edit->users);
	for (size_t i = 0; i < MR_DENY_COUNT; i++) {
		mr_buf_done(&edit->denied[i]);
		mr_buf_done(&edit->dropped[i]);
	}
}

/* Whole bodies: the same attributes with the same values. */
static bool body_same(const struct editor *editor, mr_str a, mr_str b)
{
	struct mr_attr left, right;
	int more_left, more_right;

	if (!a.data || !b.data)
		return !a.data && !b.data;
	for (;;) {
		more_left = mr_attrs_next(&a, &left);
		more_right = mr_attrs_next(&b, &right);
		if (more_left <= 0 || more_right <= 0)
			return more_left == 0 && more_right == 0;
		if (!mr_str_eq(left.name, right.name) ||
		        !mr_attr_same(&left, &right, editor->backend->options->seal_key))
			return false;
	}
}

static void note_denied(struct mr_dovecot_edit *out, mr_str address, unsigned now, unsigned then)
{
	for (unsigned i = 0; i < MR_DENY_COUNT; i++) {
		if (then & 1U << i) {
			mr_buf_add_str(&out->denied[i], address);
			mr_buf_add_char(&out->denied[i], '\n');
		}
		if (now & ~then & 1U << i) {
			mr_buf_add_str(&out->dropped[i], address);
			mr_buf_add_char(&out->dropped[i], '\n');
		}
		out->adds_denied[i] |= (then & ~now & 1U << i) != 0;
		out->drops_denied[i] |= (now & ~then & 1U << i) != 0;
	}
}

static void keep_row(struct editor *editor)
{
	mr_buf_add_str(&editor->out->users, editor->reader.line);
	mr_buf_add_char(&editor->out->users, '\n');
	note_denied(editor->out, editor->reader.row.address, editor->reader.row_denied,
	        editor->reader.row_denied);
}

/* The row a body stands for, read again at once: what Dovecot will see must be what was meant. */
static int write_row(struct editor *editor, const struct mr_change *change)
{
	struct mr_buf *users = &editor->out->users;
	size_t start = users->size;
	struct mr_dovecot_row row;
	mr_str line;

	if (mr_dovecot_row_format(editor->backend->version, change->key, change->after, users))
		return MR_E_REJECTED;
	line = (mr_str){users->data + start, users->size - start - 1};
	if (!mr_dovecot_row_parse(line, &row) || !mr_str_eq(row.address, change->key) ||
	        !body_same(editor,
	                mr_dovecot_row_body(editor->backend->version, &editor->again, &row,
	                        mr_dovecot_row_denied(change->after)),
	                change->after))
		return MR_E_REJECTED;
	return 0;
}

/* The change against what is live (live.data == NULL: no row; denied: of the live row). */
static int change_row(
        struct editor *editor, const struct mr_change *change, mr_str live, unsigned denied)
{
	struct mr_diags *diags = editor->backend->diags;
	unsigned then = change->after.data ? mr_dovecot_row_denied(change->after) : 0;

	if (body_same(editor, live, change->after)) {
		if (live.data)
			keep_row(editor);
		return 0;
	}
	if (!editor->is_trusted && !body_same(editor, live, change->before))
		return mr_fail(diags, MR_E_CONFLICT,
		        "cannot change '%.*s' in '%s': somebody else changed it",
		        MR_FMT(change->key), editor->backend->users_path);
	editor->out->changes_users = true;
	note_denied(editor->out, change->key, denied, then);
	if (!change->after.data)
		return 0;
	if (write_row(editor, change))
		return mr_fail(diags, MR_E_REJECTED,
		        "cannot write '%.*s' to '%s': a passwd-file cannot hold its values",
		        MR_FMT(change->key), editor->backend->users_path);
	return 0;
}

static int merge(struct editor *editor, const struct mr_change *const *changes, size_t n)
{
	struct mr_dovecot_reader *reader = &editor->reader;
	size_t at = 0;
	int code;

	while ((code = mr_dovecot_reader_next(reader)) > 0) {
		int order = 1;

		for (; at < n && (order = mr_str_cmp(changes[at]->key, reader->row.address)) < 0;
		        at++) {
			code = change_row(editor, changes[at], (mr_str){0}, 0);
			if (code < 0)
				return code;
		}
		if (at == n || order > 0) {
			keep_row(editor);
			continue;
		}
		code = change_row(editor, changes[at++],
		        mr_dovecot_row_body(editor->backend->version, &editor->builder,
		                &reader->row, reader->row_denied),
		        reader->row_denied);
		if (code < 0)
			return code;
	}
	for (; code == 0 && at < n; at++)
		code = change_row(editor, changes[at], (mr_str){0}, 0);
	return code;
}

int mr_dovecot_rows_edit(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, bool is_trusted, struct mr_dovecot_edit *out)
{
	struct editor editor = {.backend = backend, .is_trusted = is_trusted, .out = out};
	int code = mr_dovecot_learn_version(backend);

	*out = (struct mr_dovecot_edit){0};
	mr_buf_add_text(&out->users, head);
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		mr_buf_add_text(&out->denied[i], head);
	if (!code)
		code = mr_dovecot_reader_open(backend, &editor.reader);
	if (code)
		return code;
	mr_attrs_builder_init(&editor.builder);
	mr_attrs_builder_init(&editor.again);
	code = merge(&editor, changes, n);
	mr_attrs_builder_done(&editor.builder);
	mr_attrs_builder_done(&editor.again);
	mr_dovecot_reader_close(&editor.reader);
	return code;
}
