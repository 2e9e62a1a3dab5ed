/*
 * The plan on a terminal: what destroys and what people notice first, then equal changes together.
 */
#include "plan/doc.h"

#include "base/text.h"
#include "plan/view.h"
#include "plan/words.h"

enum { LISTED_NAMES = 4, LISTED_IMPACT = 20, LISTED_DRIFT = 50 };

struct page {
	const struct mr_plan_doc *doc;
	const struct mr_render_options *options;
	struct mr_buf *out;
};

static const char *color_of(char mark)
{
	switch (mark) {
	case '+':
		return "32";
	case '-':
		return "31";
	case '!':
		return "1;31";
	case '~':
		return "33";
	default:
		return "36";
	}
}

static void add_mark(const struct page *page, char mark)
{
	if (page->options->has_color)
		mr_buf_printf(page->out, "  \033[%sm%c\033[0m ", color_of(mark), mark);
	else
		mr_buf_printf(page->out, "  %c ", mark);
}

static void add_title(const struct page *page, const char *title)
{
	if (page->options->has_color)
		mr_buf_printf(page->out, "\n\033[1m%s\033[0m\n", title);
	else
		mr_buf_printf(page->out, "\n%s\n", title);
}

static void add_harmless(const struct page *page, mr_str text)
{
	mr_text_harmless(text, page->out);
}

static void add_head(const struct page *page)
{
	const struct mr_plan_doc *doc = page->doc;

	mr_buf_add_text(page->out, "Plan for ");
	add_harmless(page, doc->host);
	if (doc->directory.size > 0) {
		mr_buf_add_text(page->out, ", folder ");
		add_harmless(page, doc->directory);
	} else if (doc->commit.size > 0) {
		mr_buf_add_text(page->out, ", ");
		add_harmless(page, doc->ref);
		mr_buf_add_text(page->out, doc->ref.size > 0 ? " at " : "commit ");
		add_harmless(page, mr_str_take(doc->commit, 12));
	}
	mr_buf_add_char(page->out, '\n');
	mr_vec_each (server, &doc->servers) {
		if (mr_str_is(server->read, "complete"))
			continue;
		add_mark(page, '!');
		add_harmless(page, server->name);
		mr_buf_add_text(page->out, " was read only in part (");
		add_harmless(page, server->read);
		mr_buf_add_text(page->out, ")\n");
	}
}

static void add_refusals(const struct page *page)
{
	bool has_any = false;

	mr_vec_each (rail, &page->doc->rails) {
		if (rail->is_passed)
			continue;
		if (!has_any)
			add_title(page, "Refused");
		has_any = true;
		add_mark(page, '!');
		add_harmless(page, rail->id);
		mr_buf_add_text(page->out, ": ");
		add_harmless(page, rail->text);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_impact_list(const struct page *page, enum mr_impact_kind kind)
{
	char mark;
	const char *word = mr_view_impact(kind, &mark);
	size_t n = page->doc->impact.lists[kind].n, shown = 0;

	if (n == 0)
		return;
	add_mark(page, mark);
	mr_buf_printf(page->out, "%s (%zu): ", word, n);
	mr_vec_each (address, &page->doc->impact.lists[kind]) {
		if (shown == LISTED_IMPACT && !page->options->is_verbose)
			break;
		if (shown++ > 0)
			mr_buf_add_text(page->out, ", ");
		add_harmless(page, address->address);
	}
	if (shown < n)
		mr_buf_printf(page->out, ", and %zu more", n - shown);
	mr_buf_add_char(page->out, '\n');
}

static void add_routes(const struct page *page)
{
	size_t shown = 0, n = page->doc->impact.routes.n;

	mr_vec_each (route, &page->doc->impact.routes) {
		if (shown++ == LISTED_IMPACT && !page->options->is_verbose) {
			mr_buf_printf(page->out, "    and %zu more routes\n", n - LISTED_IMPACT);
			break;
		}
		add_mark(page, '>');
		mr_buf_add_text(page->out, "route of ");
		add_harmless(page, route->address);
		mr_buf_add_text(page->out, ": ");
		add_harmless(page, route->before.size > 0 ? route->before : MR_STR("(none)"));
		mr_buf_add_text(page->out, " -> ");
		add_harmless(page, route->after.size > 0 ? route->after : MR_STR("(none)"));
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_impact(const struct page *page)
{
	static const enum mr_impact_kind order[] = {MR_IMPACT_LOGIN_LOST, MR_IMPACT_MAIL_REFUSED,
	        MR_IMPACT_LOGIN_GAINED, MR_IMPACT_MAIL_ACCEPTED};
	size_t total = page->doc->impact.routes.n;

	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++)
		total += page->doc->impact.lists[kind].n;
	if (total == 0)
		return;
	add_title(page, "What people notice");
	for (size_t i = 0; i < MR_IMPACT_COUNT; i++)
		add_impact_list(page, order[i]);
	add_routes(page);
}

static void add_notes(const struct page *page, const struct mr_doc_object *object)
{
	static const char *const reasons[MR_REASON_COUNT] = {
	        [MR_REASON_NOT_IN_REPOSITORY] = "not in the repository",
	        [MR_REASON_ADOPTED] = "was there before"};

	if (reasons[object->reason])
		mr_buf_printf(page->out, ", %s", reasons[object->reason]);
	if (object->risk != MR_RISK_SAFE)
		mr_buf_printf(page->out, " [%s]", mr_risk_word(object->risk));
}

/* What a group has in common: its attributes, and what a state means. */
static void add_details(const struct page *page, const struct mr_doc_object *object)
{
	for (size_t i = 0; i < mr_view_n_attributes(object); i++) {
		mr_buf_add_text(page->out, "      ");
		mr_view_attribute(&object->attributes[i], page->out);
		mr_buf_add_char(page->out, '\n');
	}
	if (object->means.size > 0 && object->action != MR_CREATE) {
		mr_buf_add_text(page->out, "      means: ");
		add_harmless(page, object->means);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_object(const struct page *page, const struct mr_doc_object *object)
{
	add_mark(page, mr_view_mark(object));
	if (object->renamed_from.size > 0) {
		add_harmless(page, object->renamed_from);
		mr_buf_add_text(page->out, " -> ");
	}
	add_harmless(page, object->object);
	mr_buf_printf(page->out, " %s", mr_action_word(object->action, object->object));
	add_notes(page, object);
	if (object->at.size > 0) {
		mr_buf_add_text(page->out, "  (");
		add_harmless(page, object->at);
		mr_buf_add_char(page->out, ')');
	}
	mr_buf_add_char(page->out, '\n');
	add_details(page, object);
}

static void add_group(const struct page *page, const struct mr_view_group *group)
{
	const struct mr_doc_object *first = group->objects[0];

	if (group->n == 1) {
		add_object(page, first);
		return;
	}
	add_mark(page, mr_view_mark(first));
	mr_buf_printf(page->out, "%zu %s", group->n, mr_words_plural(first->object));
	if (group->attributes.size > 0)
		mr_buf_printf(page->out, ": %.*s", MR_FMT(group->attributes));
	else
		mr_buf_printf(page->out, ": %s", mr_action_word(first->action, first->object));
	add_notes(page, first);
	mr_buf_add_text(page->out, "\n      ");
	for (size_t i = 0; i < group->n && i < LISTED_NAMES; i++) {
		if (i > 0)
			mr_buf_add_text(page->out, ", ");
		add_harmless(page, mr_words_name(group->objects[i]->object));
	}
	if (group->n > LISTED_NAMES)
		mr_buf_printf(page->out, ", and %zu more", group->n - LISTED_NAMES);
	mr_buf_add_char(page->out, '\n');
	if (first->means.size > 0 && first->action != MR_CREATE) {
		mr_buf_add_text(page->out, "      means: ");
		add_harmless(page, first->means);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_changes(const struct page *page)
{
	struct mr_view view;

	mr_view_init(&view, page->doc, !page->options->is_verbose);
	for (int section = 0; section < MR_VIEW_SECTION_COUNT; section++) {
		if (view.n_groups[section] == 0)
			continue;
		add_title(page, mr_view_title((enum mr_view_section)section));
		for (size_t i = 0; i < view.n_groups[section]; i++)
			add_group(page, &view.groups[section][i]);
	}
	mr_view_done(&view);
}

static void add_drift(const struct page *page)
{
	size_t shown = 0, n = page->doc->drift.n;

	if (n == 0)
		return;
	add_title(page, page->doc->heals_drift ? "Drift (others changed it; it is put back)"
	                                       : "Drift (others changed it)");
	mr_vec_each (drift, &page->doc->drift) {
		if (shown++ == LISTED_DRIFT && !page->options->is_verbose) {
			mr_buf_printf(page->out, "    and %zu more\n", n - LISTED_DRIFT);
			break;
		}
		add_mark(page, '~');
		mr_view_drift(drift, page->out);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_actions(const struct page *page)
{
	if (page->doc->actions.n == 0)
		return;
	add_title(page, "Then");
	mr_vec_each (action, &page->doc->actions) {
		add_mark(page, '>');
		add_harmless(page, action->action);
		mr_buf_add_char(page->out, ' ');
		add_harmless(page, action->service);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_allowed(const struct page *page)
{
	mr_vec_each (rail, &page->doc->rails) {
		if (!rail->is_passed || rail->text.size == 0)
			continue;
		mr_buf_add_text(page->out, "\nAllowed by hand: ");
		add_harmless(page, rail->id);
		mr_buf_add_text(page->out, ", ");
		add_harmless(page, rail->text);
		mr_buf_add_char(page->out, '\n');
	}
}

static void add_warnings(const struct page *page)
{
	if (page->doc->warnings.n == 0)
		return;
	add_title(page, "Warnings");
	mr_vec_each (warning, &page->doc->warnings) {
		add_mark(page, '!');
		if (warning->at.size > 0) {
			add_harmless(page, warning->at);
			mr_buf_add_text(page->out, ": ");
		}
		add_harmless(page, warning->text);
		if (warning->rule.size > 0) {
			mr_buf_add_text(page->out, " [");
			add_harmless(page, warning->rule);
			mr_buf_add_char(page->out, ']');
		}
		mr_buf_add_char(page->out, '\n');
	}
}

void mr_doc_text(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out)
{
	struct page page = {doc, options, out};

	if (options->summary_only.size == 0) {
		add_head(&page);
		add_refusals(&page);
		add_impact(&page);
		add_changes(&page);
		add_drift(&page);
		add_actions(&page);
		add_allowed(&page);
		add_warnings(&page);
		mr_buf_add_char(out, '\n');
	}
	mr_view_closing(doc, out);
	mr_buf_add_char(out, '\n');
}
