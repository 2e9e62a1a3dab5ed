/*
 * Values, sections and groups for people.
 */
#include "plan/view.h"

#include <stdlib.h>

#include "base/text.h"
#include "plan/words.h"

enum { LONGEST_VALUE = 200, LONGEST_LIST = 12 };

const char *mr_view_title(enum mr_view_section section)
{
	static const char *const titles[MR_VIEW_SECTION_COUNT] = {
	        [MR_VIEW_LOST] = "Closed or deleted",
	        [MR_VIEW_RENAMED] = "Renamed",
	        [MR_VIEW_CREATED] = "Created",
	        [MR_VIEW_CHANGED] = "Changed",
	        [MR_VIEW_DRIFT] = "Put back (others changed it)",
	};

	return titles[section];
}

char mr_view_mark(const struct mr_doc_object *object)
{
	static const char marks[MR_ACTION_COUNT] = {
	        [MR_CREATE] = '+', [MR_UPDATE] = '~', [MR_RENAME] = '>', [MR_DELETE] = '-'};

	return marks[object->action];
}

static enum mr_view_section section_of(const struct mr_doc_object *object)
{
	static const enum mr_view_section sections[MR_ACTION_COUNT] = {
	        [MR_CREATE] = MR_VIEW_CREATED,
	        [MR_UPDATE] = MR_VIEW_CHANGED,
	        [MR_RENAME] = MR_VIEW_RENAMED,
	        [MR_DELETE] = MR_VIEW_LOST,
	};

	return object->reason == MR_REASON_DRIFT ? MR_VIEW_DRIFT : sections[object->action];
}

size_t mr_view_n_attributes(const struct mr_doc_object *object)
{
	bool is_closed =
	        object->action == MR_DELETE && mr_str_starts(object->object, MR_STR("user/"));

	return is_closed ? 0 : object->n_attributes;
}

static void add_value(mr_str value, struct mr_buf *out)
{
	bool needs_quotes = value.size == 0 || mr_str_trim(value).size != value.size;

	if (needs_quotes)
		mr_buf_add_char(out, '"');
	/* never cut inside a character: the rest of it would show as bytes */
	size_t n = value.size <= LONGEST_VALUE ? value.size : LONGEST_VALUE;
	while (n < value.size && n > 0 && ((unsigned char)value.data[n] & 0xc0) == 0x80)
		n--;
	mr_text_harmless(mr_str_take(value, n), out);
	if (n < value.size)
		mr_buf_printf(out, "… (%zu bytes)", value.size);
	if (needs_quotes)
		mr_buf_add_char(out, '"');
}

static void add_values(const struct mr_strs *list, bool is_list, struct mr_buf *out)
{
	if (!is_list && list->n <= 1) {
		if (list->n == 0)
			mr_buf_add_text(out, "(none)");
		else
			add_value(list->items[0], out);
		return;
	}
	mr_buf_add_char(out, '[');
	for (size_t i = 0; i < list->n && i < LONGEST_LIST; i++) {
		if (i > 0)
			mr_buf_add_text(out, ", ");
		add_value(list->items[i], out);
	}
	if (list->n > LONGEST_LIST)
		mr_buf_printf(out, ", and %zu more", list->n - LONGEST_LIST);
	mr_buf_add_char(out, ']');
}

void mr_view_attribute(const struct mr_doc_attribute *attribute, struct mr_buf *out)
{
	const struct mr_strs *before = &attribute->before.list, *after = &attribute->after.list;

	mr_text_harmless(attribute->name, out);
	mr_buf_add_char(out, ' ');
	if (attribute->is_sensitive) {
		mr_buf_add_text(out, "(secret changed");
		if (attribute->fingerprint.size > 0) {
			mr_buf_add_text(out, ", ");
			mr_text_harmless(attribute->fingerprint, out);
		}
		mr_buf_add_char(out, ')');
		return;
	}
	if (before->n > 0 || !after->n) {
		add_values(before, attribute->is_list, out);
		mr_buf_add_text(out, " -> ");
	}
	add_values(after, attribute->is_list, out);
}

/* What is known alone: a file's owner need not be who wrote it, and is not said to be. */
static void add_trace(const struct mr_trace *trace, struct mr_buf *out)
{
	bool is_file = trace->file.size > 0;

	if (!is_file && trace->by.size == 0 && trace->since.size == 0)
		return;
	mr_buf_add_text(out, " (");
	if (is_file) {
		mr_text_harmless(trace->file, out);
		mr_buf_add_text(out, " of ");
		mr_text_harmless(trace->owner, out);
		mr_buf_add_text(out, ", ");
	}
	mr_buf_add_text(out, "last changed");
	if (trace->by.size > 0) {
		mr_buf_add_text(out, " by ");
		mr_text_harmless(trace->by, out);
	}
	if (trace->since.size > 0) {
		mr_buf_add_text(out, " at ");
		mr_text_harmless(trace->since, out);
	}
	mr_buf_add_char(out, ')');
}

void mr_view_drift(const struct mr_doc_drift *drift, struct mr_buf *out)
{
	mr_text_harmless(drift->object, out);
	mr_buf_add_text(out, ": ");
	mr_text_harmless(drift->attribute, out);
	if (drift->is_sensitive) {
		mr_buf_add_text(out, " (secret changed)");
	} else {
		mr_buf_add_text(out, " applied ");
		add_values(&drift->applied, false, out);
		mr_buf_add_text(out, ", live ");
		add_values(&drift->live, false, out);
	}
	add_trace(&drift->trace, out);
}

void mr_view_closing(const struct mr_plan_doc *doc, struct mr_buf *out)
{
	uint64_t changes = 0;

	for (int action = 0; action < MR_ACTION_COUNT; action++)
		changes += doc->counts[action];
	if (changes == 0) {
		mr_buf_add_text(out, "No changes.");
		if (doc->drift.n > 0)
			mr_buf_printf(out, " %zu drifted, left as %s.", doc->drift.n,
			        doc->drift.n == 1 ? "it is" : "they are");
		return;
	}
	mr_buf_printf(out,
	        "Plan: %llu to create, %llu to update, %llu to rename, %llu to close or delete, "
	        "%llu unchanged.",
	        (unsigned long long)doc->counts[MR_CREATE],
	        (unsigned long long)doc->counts[MR_UPDATE],
	        (unsigned long long)doc->counts[MR_RENAME],
	        (unsigned long long)doc->counts[MR_DELETE], (unsigned long long)doc->unchanged);
}

const char *mr_view_impact(enum mr_impact_kind kind, char *out_mark)
{
	static const char *const words[MR_IMPACT_COUNT] = {
	        [MR_IMPACT_LOGIN_LOST] = "log-in lost",
	        [MR_IMPACT_LOGIN_GAINED] = "log-in gained",
	        [MR_IMPACT_MAIL_REFUSED] = "mail refused",
	        [MR_IMPACT_MAIL_ACCEPTED] = "mail accepted",
	};

	*out_mark = kind == MR_IMPACT_LOGIN_LOST || kind == MR_IMPACT_MAIL_REFUSED ? '-' : '+';
	return words[kind];
}

/* One object on its way into a group. */
struct line {
	const struct mr_doc_object *object;
	mr_str signature; /* what two objects must share to stand in one group */
	mr_str attributes;
};

static mr_str attributes_line(struct mr_arena *arena, const struct mr_doc_object *object)
{
	struct mr_buf text = MR_BUF_INIT;

	for (size_t i = 0; i < mr_view_n_attributes(object); i++) {
		if (i > 0)
			mr_buf_add_text(&text, "; ");
		mr_view_attribute(&object->attributes[i], &text);
	}
	mr_str result = mr_str_copy(arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return result;
}

static int by_signature(const void *a, const void *b)
{
	const struct line *left = a, *right = b;
	int order = mr_str_cmp(left->signature, right->signature);

	return order != 0 ? order : mr_str_cmp(left->object->object, right->object->object);
}

static int by_weight(const void *a, const void *b)
{
	const struct mr_view_group *left = a, *right = b;

	if (left->objects[0]->risk != right->objects[0]->risk)
		return left->objects[0]->risk > right->objects[0]->risk ? -1 : 1;
	if (left->n != right->n)
		return left->n > right->n ? -1 : 1;
	return mr_str_cmp(left->objects[0]->object, right->objects[0]->object);
}

static mr_str signature_of(struct mr_arena *arena, const struct line *line)
{
	/* a rename is of one person; a create says little about others */
	return mr_str_printf(arena, "%s %d %d %d %.*s %.*s", mr_words_plural(line->object->object),
	        (int)line->object->action, (int)line->object->reason, (int)line->object->risk,
	        MR_FMT(line->object->means), MR_FMT(line->attributes));
}

static void make_groups(struct mr_view *view, enum mr_view_section section, struct line *lines,
        size_t n, bool is_grouping)
{
	struct mr_view_group *groups = mr_alloc_n(&view->arena, n + 1, sizeof *groups);
	const struct mr_doc_object **all = mr_alloc_n(&view->arena, n + 1, sizeof *all);
	size_t n_groups = 0;

	if (n > 0 && is_grouping)
		qsort(lines, n, sizeof *lines, by_signature);
	for (size_t i = 0; i < n; i++) {
		struct mr_view_group *last = n_groups > 0 ? &groups[n_groups - 1] : NULL;
		if (!is_grouping || !last ||
		        !mr_str_eq(lines[i].signature, lines[i - 1].signature)) {
			last = &groups[n_groups++];
			last->objects = all + i;
			last->attributes = lines[i].attributes;
		}
		all[i] = lines[i].object;
		last->n++;
	}
	if (n_groups > 0 && is_grouping)
		qsort(groups, n_groups, sizeof *groups, by_weight);
	view->groups[section] = groups;
	view->n_groups[section] = n_groups;
	view->n_objects[section] = n;
}

void mr_view_init(struct mr_view *view, const struct mr_plan_doc *doc, bool is_grouping)
{
	struct line *lines = mr_xrealloc(NULL, doc->objects.n + 1, sizeof *lines);

	*view = (struct mr_view){0};
	mr_arena_init(&view->arena);
	for (int section = 0; section < MR_VIEW_SECTION_COUNT; section++) {
		size_t n = 0;
		mr_vec_each (object, &doc->objects) {
			if (section_of(object) != (enum mr_view_section)section)
				continue;
			lines[n] = (struct line){.object = object};
			lines[n].attributes = attributes_line(&view->arena, object);
			lines[n].signature = signature_of(&view->arena, &lines[n]);
			n++;
		}
		make_groups(view, (enum mr_view_section)section, lines, n, is_grouping);
	}
	free(lines);
}

void mr_view_done(struct mr_view *view)
{
	mr_arena_done(&view->arena);
}
