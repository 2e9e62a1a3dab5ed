/*
 * The plan as one comment on a change request: bounded, and with nothing in it that a value could
 * make into markup.
 */
#include "plan/doc.h"

#include "base/text.h"
#include "plan/view.h"
#include "plan/words.h"

enum {
	LARGEST = 58000,
	LISTED_NAMES = 6,
	LISTED_IMPACT = 25,
	LISTED_ROUTES = 50,
	LONGEST_HOST = 255
};

struct comment {
	const struct mr_plan_doc *doc;
	struct mr_buf *out;
	size_t start;
	size_t n_left_out;
};

/* Every character that means something to markdown or HTML stands as a numeric reference. */
static void add_escaped(struct mr_buf *out, mr_str text)
{
	static const char special[] = "\\`*_{}[]()<>#+!|@~&:$\n\r";
	struct mr_buf harmless = MR_BUF_INIT;

	mr_text_harmless(text, &harmless);
	for (size_t i = 0; i < harmless.size; i++) {
		char c = harmless.data[i];
		if (mr_str_find(MR_STR(special), c) < sizeof special - 1)
			mr_buf_printf(out, "&#%d;", c);
		else
			mr_buf_add_char(out, c);
	}
	mr_buf_done(&harmless);
}

static bool has_room(struct comment *comment, size_t needed)
{
	if (comment->out->size - comment->start + needed <= LARGEST)
		return true;
	comment->n_left_out++;
	return false;
}

/* Adds a line whole or not at all. */
static void add_line(struct comment *comment, const struct mr_buf *line)
{
	if (has_room(comment, line->size))
		mr_buf_add_str(comment->out, mr_buf_str(line));
}

static void add_summary(struct comment *comment)
{
	const struct mr_plan_doc *doc = comment->doc;
	mr_str host = mr_str_take(doc->host, LONGEST_HOST);
	struct mr_buf closing = MR_BUF_INIT;

	mr_buf_add_text(comment->out, "<!-- mailreeve-plan ");
	/* a host name holds no "--"; whatever else it holds must not end the marker */
	for (size_t i = 0; i < host.size; i++)
		if (mr_str_find(MR_STR("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
		                       "789.-"),
		            host.data[i]) < 64 &&
		        !(host.data[i] == '-' && i > 0 && host.data[i - 1] == '-'))
			mr_buf_add_char(comment->out, host.data[i]);
	mr_buf_add_text(comment->out, " -->\n### Mail plan for ");
	add_escaped(comment->out, host);
	if (doc->commit.size > 0) {
		mr_buf_add_text(comment->out, " at ");
		add_escaped(comment->out, mr_str_take(doc->commit, 12));
	}
	mr_buf_add_text(comment->out, "\n\n**");
	mr_view_closing(doc, &closing);
	mr_buf_add_str(comment->out, mr_buf_str(&closing));
	mr_buf_add_text(comment->out, "**\n");
	mr_buf_done(&closing);
}

static void add_refusals(struct comment *comment)
{
	mr_vec_each (rail, &comment->doc->rails) {
		struct mr_buf line = MR_BUF_INIT;
		if (rail->is_passed)
			continue;
		mr_buf_add_text(&line, "\n**Refused** ");
		add_escaped(&line, rail->id);
		mr_buf_add_text(&line, ": ");
		add_escaped(&line, rail->text);
		mr_buf_add_char(&line, '\n');
		add_line(comment, &line);
		mr_buf_done(&line);
	}
}

static void add_impact_list(struct comment *comment, enum mr_impact_kind kind)
{
	size_t n = comment->doc->impact.lists[kind].n, shown = 0;
	struct mr_buf line = MR_BUF_INIT;
	char mark;

	if (n == 0)
		return;
	mr_buf_printf(&line, "- %s (%zu): ", mr_view_impact(kind, &mark), n);
	mr_vec_each (address, &comment->doc->impact.lists[kind]) {
		if (shown == LISTED_IMPACT)
			break;
		if (shown++ > 0)
			mr_buf_add_text(&line, ", ");
		add_escaped(&line, address->address);
	}
	if (shown < n)
		mr_buf_printf(&line, ", and %zu more", n - shown);
	mr_buf_add_char(&line, '\n');
	add_line(comment, &line);
	mr_buf_done(&line);
}

static void add_route(struct comment *comment, const struct mr_doc_route *route)
{
	struct mr_buf line = MR_BUF_INIT;

	mr_buf_add_text(&line, "- route of ");
	add_escaped(&line, route->address);
	mr_buf_add_text(&line, ": ");
	add_escaped(&line, route->before.size > 0 ? route->before : MR_STR("(none)"));
	mr_buf_add_text(&line, " → ");
	add_escaped(&line, route->after.size > 0 ? route->after : MR_STR("(none)"));
	mr_buf_add_char(&line, '\n');
	add_line(comment, &line);
	mr_buf_done(&line);
}

static void add_impact(struct comment *comment)
{
	static const enum mr_impact_kind order[] = {MR_IMPACT_LOGIN_LOST, MR_IMPACT_MAIL_REFUSED,
	        MR_IMPACT_LOGIN_GAINED, MR_IMPACT_MAIL_ACCEPTED};
	const struct mr_impact *impact = &comment->doc->impact;
	size_t total = impact->routes.n, shown = 0;

	for (int kind = 0; kind < MR_IMPACT_COUNT; kind++)
		total += impact->lists[kind].n;
	if (total == 0)
		return;
	mr_buf_add_text(comment->out, "\n#### What people notice\n");
	for (size_t i = 0; i < MR_IMPACT_COUNT; i++)
		add_impact_list(comment, order[i]);
	mr_vec_each (route, &impact->routes)
		if (shown++ < LISTED_ROUTES)
			add_route(comment, route);
	if (impact->routes.n > LISTED_ROUTES)
		mr_buf_printf(
		        comment->out, "- and %zu more routes\n", impact->routes.n - LISTED_ROUTES);
}

static void add_names(struct mr_buf *line, const struct mr_view_group *group)
{
	const struct mr_doc_object *first = group->objects[0];

	if (group->n == 1) {
		if (first->renamed_from.size > 0) {
			add_escaped(line, first->renamed_from);
			mr_buf_add_text(line, " → ");
		}
		add_escaped(line, first->object);
		return;
	}
	mr_buf_printf(line, "%zu %s: ", group->n, mr_words_plural(first->object));
	for (size_t i = 0; i < group->n && i < LISTED_NAMES; i++) {
		if (i > 0)
			mr_buf_add_text(line, ", ");
		add_escaped(line, mr_words_name(group->objects[i]->object));
	}
	if (group->n > LISTED_NAMES)
		mr_buf_printf(line, ", and %zu more", group->n - LISTED_NAMES);
}

static void add_group(struct comment *comment, const struct mr_view_group *group)
{
	const struct mr_doc_object *first = group->objects[0];
	struct mr_buf line = MR_BUF_INIT;

	mr_buf_printf(&line, "| `%c` | ", mr_view_mark(first));
	add_names(&line, group);
	mr_buf_add_text(&line, " | ");
	add_escaped(&line, group->attributes);
	if (first->means.size > 0 && first->action != MR_CREATE) {
		mr_buf_add_text(&line, " — ");
		add_escaped(&line, first->means);
	}
	mr_buf_printf(&line, " | %s | ", mr_risk_word(first->risk));
	if (group->n == 1)
		add_escaped(&line, first->at);
	mr_buf_add_text(&line, " |\n");
	add_line(comment, &line);
	mr_buf_done(&line);
}

static void add_changes(struct comment *comment)
{
	struct mr_view view;

	mr_view_init(&view, comment->doc, true);
	for (int section = 0; section < MR_VIEW_SECTION_COUNT; section++) {
		struct mr_buf head = MR_BUF_INIT;
		if (view.n_groups[section] == 0)
			continue;
		mr_buf_printf(&head,
		        "\n#### %s (%zu)\n\n| | object | what | risk | at "
		        "|\n|---|---|---|---|---|\n",
		        mr_view_title((enum mr_view_section)section), view.n_objects[section]);
		add_line(comment, &head);
		mr_buf_done(&head);
		for (size_t i = 0; i < view.n_groups[section]; i++)
			add_group(comment, &view.groups[section][i]);
	}
	mr_view_done(&view);
}

static void add_drift(struct comment *comment)
{
	if (comment->doc->drift.n == 0)
		return;
	mr_buf_printf(
	        comment->out, "\n#### Drift: others changed it (%zu)\n", comment->doc->drift.n);
	mr_vec_each (drift, &comment->doc->drift) {
		struct mr_buf text = MR_BUF_INIT, line = MR_BUF_INIT;
		mr_view_drift(drift, &text);
		mr_buf_add_text(&line, "- ");
		add_escaped(&line, mr_buf_str(&text));
		mr_buf_add_char(&line, '\n');
		add_line(comment, &line);
		mr_buf_done(&line);
		mr_buf_done(&text);
	}
}

static void add_tail(struct comment *comment)
{
	mr_vec_each (action, &comment->doc->actions) {
		struct mr_buf line = MR_BUF_INIT;
		mr_buf_add_text(&line, "\nThen: ");
		add_escaped(&line, action->action);
		mr_buf_add_char(&line, ' ');
		add_escaped(&line, action->service);
		mr_buf_add_char(&line, '\n');
		add_line(comment, &line);
		mr_buf_done(&line);
	}
	mr_vec_each (warning, &comment->doc->warnings) {
		struct mr_buf line = MR_BUF_INIT;
		mr_buf_add_text(&line, "\nWarning ");
		add_escaped(&line, warning->at);
		mr_buf_add_char(&line, ' ');
		add_escaped(&line, warning->text);
		mr_buf_add_char(&line, '\n');
		add_line(comment, &line);
		mr_buf_done(&line);
	}
	if (comment->n_left_out > 0)
		mr_buf_printf(comment->out,
		        "\n*%zu further lines are left out; the plan as JSON holds them all.*\n",
		        comment->n_left_out);
}

void mr_doc_markdown(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out)
{
	struct comment comment = {.doc = doc, .out = out, .start = out->size};

	add_summary(&comment);
	if (options->summary_only.size > 0)
		return;
	add_refusals(&comment);
	add_impact(&comment);
	add_changes(&comment);
	add_drift(&comment);
	add_tail(&comment);
}

/* The text, as a page of its own: no script, no reference to anything else. */
void mr_doc_html(
        const struct mr_plan_doc *doc, const struct mr_render_options *options, struct mr_buf *out)
{
	struct mr_render_options plain = *options;
	struct mr_buf text = MR_BUF_INIT;

	plain.has_color = false;
	mr_doc_text(doc, &plain, &text);
	mr_buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta "
	                     "charset=\"utf-8\">\n<title>Mail plan</title>\n<pre>\n");
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			mr_buf_printf(out, "&#%d;", c);
		else
			mr_buf_add_char(out, c);
	}
	mr_buf_add_text(out, "</pre>\n</html>\n");
	mr_buf_done(&text);
}
