/*
 * Located diagnostics: collecting, sorting and formatting.
 */
#include "base/diag.h"

#include "base/buf.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_names[] = {
        [MR_ERROR] = "error",
        [MR_WARNING] = "warning",
        [MR_NOTE] = "note",
};

__attribute__((format(printf, 2, 0))) static mr_str format_copy(
        struct mr_arena *arena, const char *format, va_list arguments)
{
	va_list again;
	int size;
	char *text;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0)
		abort();
	text = mr_alloc(arena, (size_t)size + 1);
	(void)vsnprintf(text, (size_t)size + 1, format, arguments);
	return (mr_str){text, (size_t)size};
}

static mr_str copy_unless_empty(struct mr_arena *arena, mr_str s)
{
	return s.size ? mr_str_copy(arena, s) : (mr_str){NULL, 0};
}

static void count(struct mr_diags *diags, enum mr_severity severity)
{
	diags->n_errors += severity == MR_ERROR;
	diags->n_warnings += severity == MR_WARNING;
}

static int loc_cmp(const struct mr_loc *a, const struct mr_loc *b)
{
	int order = mr_str_cmp(a->path, b->path);

	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static int diag_cmp(const void *left, const void *right)
{
	const struct mr_diag *a = left;
	const struct mr_diag *b = right;
	int order = loc_cmp(&a->loc, &b->loc);

	return order ? order : (int)a->severity - (int)b->severity;
}

static bool diag_same(const struct mr_diag *a, const struct mr_diag *b)
{
	return diag_cmp(a, b) == 0 && mr_str_eq(a->rule, b->rule) && mr_str_eq(a->text, b->text) &&
	       mr_str_eq(a->object, b->object) && mr_str_eq(a->hint, b->hint);
}

/* Exact repetitions may be apart within one place: looks back over the run of equal places. */
static bool is_repetition(const struct mr_diag *items, size_t n, const struct mr_diag *diag)
{
	for (size_t back = 1; back <= n && back <= 64; back++) {
		if (diag_cmp(&items[n - back], diag) != 0)
			return false;
		if (diag_same(&items[n - back], diag))
			return true;
	}
	return false;
}

void mr_diags_init(struct mr_diags *diags)
{
	*diags = (struct mr_diags){0};
}

void mr_diags_done(struct mr_diags *diags)
{
	mr_vec_done(&diags->list);
	mr_arena_done(&diags->arena);
	mr_diags_init(diags);
}

void mr_diags_clear(struct mr_diags *diags)
{
	diags->list.n = 0;
	diags->n_errors = diags->n_warnings = 0;
	mr_arena_reset(&diags->arena);
}

void mr_diags_add(struct mr_diags *diags, const struct mr_diag *diag)
{
	struct mr_diag copy = *diag;

	copy.rule = copy_unless_empty(&diags->arena, diag->rule);
	copy.loc.path = copy_unless_empty(&diags->arena, diag->loc.path);
	copy.object = copy_unless_empty(&diags->arena, diag->object);
	copy.text = copy_unless_empty(&diags->arena, diag->text);
	copy.hint = copy_unless_empty(&diags->arena, diag->hint);
	mr_vec_push(&diags->list, copy);
	count(diags, diag->severity);
}

void mr_diags_at(struct mr_diags *diags, enum mr_severity severity, const char *rule,
        const struct mr_loc *loc, const char *format, ...)
{
	struct mr_diag diag = {.severity = severity};
	va_list arguments;

	diag.rule = copy_unless_empty(&diags->arena, mr_str_from(rule));
	if (loc) {
		diag.loc = *loc;
		diag.loc.path = copy_unless_empty(&diags->arena, loc->path);
	}
	va_start(arguments, format);
	diag.text = format_copy(&diags->arena, format, arguments);
	va_end(arguments);
	mr_vec_push(&diags->list, diag);
	count(diags, severity);
}

void mr_diags_hint(struct mr_diags *diags, const char *format, ...)
{
	va_list arguments;

	assert(diags->list.n > 0);
	va_start(arguments, format);
	diags->list.items[diags->list.n - 1].hint = format_copy(&diags->arena, format, arguments);
	va_end(arguments);
}

void mr_diags_object(struct mr_diags *diags, mr_str object)
{
	assert(diags->list.n > 0);
	diags->list.items[diags->list.n - 1].object = copy_unless_empty(&diags->arena, object);
}

int mr_fail(struct mr_diags *diags, int code, const char *format, ...)
{
	struct mr_diag diag = {.severity = MR_ERROR};
	va_list arguments;

	assert(code < 0);
	va_start(arguments, format);
	diag.text = format_copy(&diags->arena, format, arguments);
	va_end(arguments);
	mr_vec_push(&diags->list, diag);
	count(diags, MR_ERROR);
	return code;
}

/* glibc's qsort is a merge sort only while memory lasts: the original position makes it stable. */
struct ranked {
	struct mr_diag diag;
	size_t position;
};

static int ranked_cmp(const void *left, const void *right)
{
	const struct ranked *a = left;
	const struct ranked *b = right;
	int order = diag_cmp(&a->diag, &b->diag);

	return order ? order : (a->position > b->position) - (a->position < b->position);
}

void mr_diags_sort(struct mr_diags *diags)
{
	size_t n = diags->list.n;
	struct ranked *ranked;

	if (n < 2)
		return;
	ranked = mr_xrealloc(NULL, n, sizeof *ranked);
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){diags->list.items[i], i};
	qsort(ranked, n, sizeof *ranked, ranked_cmp);
	diags->list.n = diags->n_errors = diags->n_warnings = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_repetition(diags->list.items, diags->list.n, &ranked[i].diag))
			continue;
		diags->list.items[diags->list.n++] = ranked[i].diag;
		count(diags, ranked[i].diag.severity);
	}
	free(ranked);
}

void mr_diag_format_place(const struct mr_diag *diag, struct mr_buf *out)
{
	if (!diag->loc.path.size)
		return;
	mr_text_harmless(diag->loc.path, out);
	if (diag->loc.line)
		mr_buf_printf(out, ":%u", diag->loc.line);
	if (diag->loc.line && diag->loc.column)
		mr_buf_printf(out, ":%u", diag->loc.column);
	mr_buf_add_text(out, ": ");
}

void mr_diag_format(const struct mr_diag *diag, struct mr_buf *out)
{
	mr_diag_format_place(diag, out);
	mr_buf_printf(out, "%s: ", severity_names[diag->severity]);
	mr_text_harmless(diag->text, out);
	if (diag->rule.size)
		mr_buf_printf(out, " [%.*s]", MR_FMT(diag->rule));
	if (diag->hint.size) {
		mr_buf_add_text(out, "  (hint: ");
		mr_text_harmless(diag->hint, out);
		mr_buf_add_text(out, ")");
	}
}
