/*
 * Reading, checking and filling in templates.
 */
#include "notify/template.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define LIMIT_BYTES ((size_t)64 << 10)

static const mr_str names[MR_NOTICE_COUNT] = {
#define NAME(name, meaning) MR_STR_INIT(#name),
        MR_NOTICE_FIELDS(NAME)
#undef NAME
};

/* They are shipped in examples/notifications too; a test says so. */
#define EVENT_TEMPLATE                                                                             \
	"{\"format\": \"mailreeve.event/1\", \"id\": \"{{id}}\", \"time\": \"{{time}}\",\n"        \
	" \"host\": \"{{host}}\", \"version\": \"{{version}}\", \"event\": \"{{event}}\",\n"       \
	" \"state\": \"{{state}}\", \"previous\": \"{{previous}}\", \"since\": \"{{since}}\",\n"   \
	" \"summary\": \"{{summary}}\", \"reason\": \"{{reason}}\",\n"                             \
	" \"commit\": \"{{commit}}\", \"subject\": \"{{subject}}\", \"run\": {{run}},\n"           \
	" \"drift\": {{drift}}, \"objects\": \"{{objects}}\"}\n"

static const struct {
	const char *file;
	const char *text;
} templates[MR_WAY_COUNT] = {
        [MR_WAY_MAIL] = {"mail.txt",
                "Subject: [mailreeve] {{summary}}\n"
                "\n"
                "{{host}}: {{event}} is {{state}} since {{since}}.\n"
                "Before: {{previous}}\n"
                "\n"
                "{{reason}}\n"
                "\n"
                "{{objects}}\n"
                "\n"
                "Commit:  {{commit}} {{subject}}\n"
                "Run:     {{run}}\n"
                "Drift:   {{drift}}\n"
                "\n"
                "What is live, and what to do: mailreeve status, mailreeve history, mailreeve "
                "drift.\n"},
        [MR_WAY_COMMAND] = {"command.json", EVENT_TEMPLATE},
        [MR_WAY_WEBHOOK] = {"webhook.json", EVENT_TEMPLATE},
};

const char *mr_template_builtin(enum mr_way way)
{
	return templates[way].text;
}

const char *mr_template_file_name(enum mr_way way)
{
	return templates[way].file;
}

int mr_template_load(struct mr_diags *diags, const struct mr_host *host, enum mr_way way,
        struct mr_arena *arena, mr_str *out)
{
	struct mr_buf text = MR_BUF_INIT;
	const char *path;
	int code;

	*out = mr_str_from(templates[way].text);
	if (host->notify_templates.size == 0)
		return 0;
	path = mr_str_printf(arena, "%.*s/%s", MR_FMT(host->notify_templates), templates[way].file)
	               .data;
	code = mr_file_read(diags, path, LIMIT_BYTES, &text);
	if (!code)
		*out = mr_str_copy(arena, mr_buf_str(&text));
	mr_buf_done(&text);
	return code == MR_E_NOT_FOUND ? 0 : code ? MR_E_CONFIG : 0;
}

/* The next placeholder: what is before it, its name, and what follows. False: none that is closed;
 * then *out_before is all of the rest up to one that is not. */
static bool next(mr_str text, mr_str *out_before, mr_str *out_name, mr_str *out_rest)
{
	const char *open = text.size ? memmem(text.data, text.size, "{{", 2) : NULL;
	const char *close;
	size_t at;

	*out_before = text;
	*out_name = *out_rest = (mr_str){0};
	if (!open)
		return false;
	at = (size_t)(open - text.data);
	*out_before = mr_str_take(text, at);
	*out_rest = mr_str_skip(text, at);
	close = memmem(out_rest->data, out_rest->size, "}}", 2);
	if (!close)
		return false;
	*out_name = (mr_str){open + 2, (size_t)(close - open) - 2};
	*out_rest = mr_str_skip(*out_rest, (size_t)(close - open) + 2);
	return true;
}

static size_t find_field(mr_str name)
{
	size_t i = 0;

	while (i < MR_NOTICE_COUNT && !mr_str_eq(names[i], name))
		i++;
	return i;
}

static struct mr_loc place_of(mr_str path, mr_str text, const char *at)
{
	struct mr_loc loc = {.path = path, .line = 1, .column = 1};

	for (const char *c = text.data; c < at; c++) {
		loc.column = *c == '\n' ? 1 : loc.column + 1;
		loc.line += *c == '\n';
	}
	return loc;
}

static void hint_names(struct mr_diags *diags)
{
	struct mr_buf list = MR_BUF_INIT;

	for (size_t i = 0; i < MR_NOTICE_COUNT; i++)
		mr_buf_printf(&list, "%s%.*s", i ? ", " : "", MR_FMT(names[i]));
	mr_diags_hint(diags, "known are %s", list.data);
	mr_buf_done(&list);
}

int mr_template_check(struct mr_diags *diags, mr_str path, mr_str text)
{
	size_t n_errors = diags->n_errors;
	mr_str rest = text, before, name, after;
	struct mr_loc loc;

	while (next(rest, &before, &name, &after)) {
		if (find_field(name) == MR_NOTICE_COUNT) {
			loc = place_of(path, text, name.data - 2);
			mr_diags_at(diags, MR_ERROR, "MR-AGENT-TEMPLATE", &loc,
			        "unknown placeholder '%.*s'", MR_FMT(mr_str_take(name, 40)));
			hint_names(diags);
		}
		rest = after;
	}
	if (after.size > 0) {
		loc = place_of(path, text, after.data);
		mr_diags_at(diags, MR_ERROR, "MR-AGENT-TEMPLATE", &loc,
		        "a placeholder that is not closed");
		mr_diags_hint(diags, "write {{name}}");
	}
	return diags->n_errors > n_errors ? MR_E_CONFIG : 0;
}

/* The writer's own quotes are taken off again. */
static void add_json(mr_str value, struct mr_buf *out)
{
	struct mr_buf quoted = MR_BUF_INIT;
	struct mr_json json;

	mr_json_init(&json, &quoted, false);
	mr_json_str(&json, value);
	mr_buf_add(out, quoted.data + 1, quoted.size - 2);
	mr_buf_done(&quoted);
}

static void add_lines(mr_str value, const char *between, struct mr_buf *out)
{
	for (bool is_first = true; value.data; is_first = false) {
		mr_str line = mr_str_split(&value, '\n');

		if (!is_first)
			mr_buf_add_text(out, between);
		mr_text_harmless(line, out);
	}
}

void mr_template_expand(mr_str text, const struct mr_notice *notice, enum mr_template_escape escape,
        struct mr_buf *out)
{
	mr_str before, name, rest;

	while (next(text, &before, &name, &rest)) {
		size_t field = find_field(name);
		mr_str value = field < MR_NOTICE_COUNT ? notice->values[field] : (mr_str){0};

		mr_buf_add_str(out, before);
		if (escape == MR_ESCAPE_JSON)
			add_json(value, out);
		else
			add_lines(value, escape == MR_ESCAPE_LINE ? "; " : "\n", out);
		text = rest;
	}
	mr_buf_add_str(out, text);
}

bool mr_template_split_mail(mr_str text, mr_str *out_subject, mr_str *out_body)
{
	const mr_str subject = MR_STR("Subject:");
	mr_str line = mr_str_split(&text, '\n');

	if (!mr_str_starts(line, subject))
		return false;
	*out_subject = mr_str_trim(mr_str_skip(line, subject.size));
	line = mr_str_split(&text, '\n');
	*out_body = text;
	return mr_str_trim(line).size == 0;
}
