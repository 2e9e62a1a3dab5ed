/*
 * Reads agent.yaml by libyaml events into (section, key, value) pairs with their places.
 */
#include "session/host_yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/file.h"

enum { LIMIT_BYTES = 1 << 20, LIMIT_PAIRS = 1000 };

struct reader {
	struct mr_diags *diags;
	struct mr_arena *arena;
	mr_str path;
	struct mr_host_pairs *out;
	unsigned depth;
	bool wants_value;
	mr_str section;
	mr_str key;
	struct mr_loc key_loc;
};

static struct mr_loc place_of(const struct reader *reader, yaml_mark_t mark)
{
	return (struct mr_loc){reader->path, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static void complain(struct reader *reader, yaml_mark_t mark, const char *what, const char *hint)
{
	struct mr_loc loc = place_of(reader, mark);

	mr_diags_at(reader->diags, MR_ERROR, "MR-AGENT-YAML", &loc, "%s", what);
	mr_diags_hint(reader->diags, "%s", hint);
}

static void take_pair(struct reader *reader, mr_str value, bool is_section, bool is_plain)
{
	struct mr_host_pair pair = {.section = reader->section,
	        .key = reader->key,
	        .value = value,
	        .is_section = is_section,
	        .is_plain = is_plain,
	        .loc = reader->key_loc};

	if (reader->out->list.n < LIMIT_PAIRS)
		mr_vec_push(&reader->out->list, pair);
}

static void take_scalar(struct reader *reader, const yaml_event_t *event)
{
	mr_str text = mr_str_copy(reader->arena,
	        (mr_str){(const char *)event->data.scalar.value, event->data.scalar.length});
	bool is_plain = event->data.scalar.plain_implicit;

	if (reader->depth == 0) {
		if (text.size > 0)
			complain(reader, event->start_mark, "agent.yaml is not a mapping",
			        "write KEY: VALUE lines");
		return;
	}
	if (memchr(text.data, '\0', text.size) || memchr(text.data, '\n', text.size))
		complain(reader, event->start_mark, "line break or NUL in a value",
		        "write it on one line");
	if (!reader->wants_value) {
		reader->key = text;
		reader->key_loc = place_of(reader, event->start_mark);
		reader->wants_value = true;
		return;
	}
	reader->wants_value = false;
	take_pair(reader, text, reader->depth == 1 && is_plain && text.size == 0, is_plain);
}

static void enter_mapping(struct reader *reader, const yaml_event_t *event)
{
	if (reader->depth == 1 && reader->wants_value) {
		take_pair(reader, (mr_str){0}, true, false);
		reader->section = reader->key;
	} else if (reader->depth >= 1) {
		complain(reader, event->start_mark, "mapping where a value is expected",
		        "see mailreeve-agent.yaml(5)");
	}
	reader->wants_value = false;
	reader->depth++;
}

static void leave_mapping(struct reader *reader)
{
	reader->depth--;
	if (reader->depth == 1)
		reader->section = (mr_str){0};
	reader->wants_value = false;
}

/* Returns false at the end of the stream. */
static bool take_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return false;
	case YAML_SCALAR_EVENT:
		take_scalar(reader, event);
		return true;
	case YAML_MAPPING_START_EVENT:
		enter_mapping(reader, event);
		return true;
	case YAML_MAPPING_END_EVENT:
		leave_mapping(reader);
		return true;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_ALIAS_EVENT:
		complain(reader, event->start_mark, "list or alias where a value is expected",
		        "see mailreeve-agent.yaml(5)");
		reader->wants_value = false;
		return event->type == YAML_ALIAS_EVENT;
	default:
		return true;
	}
}

static void read_events(struct reader *reader, yaml_parser_t *parser)
{
	for (bool is_open = true; is_open;) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			complain(reader, parser->problem_mark,
			        parser->problem ? parser->problem : "bad YAML",
			        "agent.yaml is plain YAML: KEY: VALUE lines");
			return;
		}
		is_open = reader->depth <= 8 && take_event(reader, &event);
		yaml_event_delete(&event);
	}
}

int mr_host_pairs_load(
        struct mr_diags *diags, struct mr_arena *arena, const char *path, struct mr_host_pairs *out)
{
	struct mr_buf text = MR_BUF_INIT;
	struct reader reader = {
	        .diags = diags, .arena = arena, .path = mr_str_from(path), .out = out};
	size_t n_errors = diags->n_errors;
	yaml_parser_t parser;
	int code = mr_file_read(diags, path, LIMIT_BYTES, &text);

	if (code) {
		mr_buf_done(&text);
		return mr_fail(diags, MR_E_CONFIG,
		        "cannot read the host's configuration '%s' (hint: write one with "
		        "'mailreeve init', or name "
		        "it with --config)",
		        path);
	}
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
	read_events(&reader, &parser);
	yaml_parser_delete(&parser);
	mr_buf_done(&text);
	return diags->n_errors > n_errors ? MR_E_CONFIG : 0;
}
