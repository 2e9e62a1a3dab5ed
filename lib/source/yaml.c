/*
 * The only place that knows libyaml: its events as keys and trees of nodes, less what is refused.
 */
#include "source/reader.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "source/seen.h"

#define DEPTH_LIMIT 32

struct mr_reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	bool is_broken;
	struct mr_diags *diags;
	mr_str path;
	unsigned depth;
	uint64_t mapping; /* serial number of the mapping that was begun last */
	uint64_t open[DEPTH_LIMIT + 2];
	struct mr_seen seen; /* keys of all mappings of the file */
};

static struct mr_loc loc_at(const struct mr_reader *reader, const yaml_mark_t *mark)
{
	return (struct mr_loc){reader->path, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

static void refuse(
        struct mr_reader *reader, const char *rule, const yaml_mark_t *mark, const char *text)
{
	struct mr_loc loc = loc_at(reader, mark);

	mr_diags_at(reader->diags, MR_ERROR, rule, &loc, "%s", text);
}

static void drop_event(struct mr_reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = false;
}

static void report_syntax(struct mr_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct mr_loc loc = loc_at(reader, &parser->problem_mark);

	mr_diags_at(reader->diags, MR_ERROR, "MR-YAML-SYNTAX", &loc, "%s%s%s",
	        parser->problem ? parser->problem : "no YAML", parser->context ? " " : "",
	        parser->context ? parser->context : "");
	reader->is_broken = true;
}

static void check_properties(
        struct mr_reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		refuse(reader, "MR-YAML-ANCHOR", &reader->event.start_mark,
		        "anchors are refused: write the value out");
	if (tag)
		refuse(reader, "MR-YAML-TAG", &reader->event.start_mark,
		        "tags are refused: types come from the language");
}

/* Opens a list or mapping; false when that is too deep. */
static bool descend(struct mr_reader *reader)
{
	if (reader->depth >= DEPTH_LIMIT) {
		refuse(reader, "MR-YAML-DEPTH", &reader->event.start_mark,
		        "nesting is deeper than 32");
		reader->is_broken = true;
		return false;
	}
	reader->open[++reader->depth] = ++reader->mapping;
	return true;
}

/* The next event, checked; false when the file is broken. Stays until drop_event. */
static bool peek(struct mr_reader *reader)
{
	yaml_event_t *event = &reader->event;

	if (reader->has_event || reader->is_broken)
		return !reader->is_broken;
	if (!yaml_parser_parse(&reader->parser, event)) {
		report_syntax(reader);
		return false;
	}
	reader->has_event = true;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		check_properties(reader, event->data.scalar.anchor, event->data.scalar.tag);
		return true;
	case YAML_SEQUENCE_START_EVENT:
		check_properties(
		        reader, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		return descend(reader);
	case YAML_MAPPING_START_EVENT:
		check_properties(
		        reader, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return descend(reader);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		reader->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		refuse(reader, "MR-YAML-ALIAS", &event->start_mark,
		        "aliases are refused: write the value out");
		return true;
	default:
		return true;
	}
}

static mr_str scalar_text(const yaml_event_t *event)
{
	return (mr_str){(const char *)event->data.scalar.value, event->data.scalar.length};
}

static bool is_plain(const yaml_event_t *event)
{
	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* Escapes in double quotes can bring in what the bytes of the file do not show. */
static bool check_scalar(struct mr_reader *reader, mr_str text, bool *out_has_lines)
{
	bool is_escaped = reader->event.data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	if (mr_scalar_check(text, is_escaped, out_has_lines))
		return true;
	refuse(reader, "MR-YAML-CONTROL", &reader->event.start_mark,
	        "the value holds control or invisible characters (written as escapes)");
	return false;
}

static void skip_value(struct mr_reader *reader)
{
	unsigned outside;

	if (!peek(reader))
		return;
	outside = reader->depth - (reader->event.type == YAML_MAPPING_START_EVENT ||
	                                  reader->event.type == YAML_SEQUENCE_START_EVENT);
	drop_event(reader);
	while (reader->depth > outside && peek(reader))
		drop_event(reader);
}

/* Takes the key whose event is there; false when it is none that can be used (reported). */
static bool take_key(struct mr_reader *reader, struct mr_arena *arena, struct mr_node *out)
{
	yaml_mark_t mark = reader->event.start_mark;
	struct mr_loc loc = loc_at(reader, &mark);
	bool has_lines;
	uint32_t first;
	mr_str text;

	if (reader->event.type != YAML_SCALAR_EVENT) {
		if (reader->event.type != YAML_ALIAS_EVENT)
			refuse(reader, "MR-YAML-KEY", &mark, "a key must be text");
		skip_value(reader);
		return false;
	}
	text = scalar_text(&reader->event);
	if (is_plain(&reader->event) && mr_str_is(text, "<<")) {
		refuse(reader, "MR-YAML-MERGE-KEY", &mark,
		        "merge keys are refused: write the values out");
		drop_event(reader);
		return false;
	}
	*out = (struct mr_node){
	        .key = mr_str_copy(arena, text), .key_line = loc.line, .key_column = loc.column};
	if (check_scalar(reader, text, &has_lines) && has_lines)
		refuse(reader, "MR-TYPE-LINES", &mark, "a key must be one line without tabs");
	drop_event(reader);
	first = mr_seen_add(&reader->seen, reader->open[reader->depth], out->key, loc.line);
	if (!first)
		return true;
	mr_diags_at(reader->diags, MR_ERROR, "MR-YAML-DUPLICATE", &loc,
	        "key '%.*s' stands in this mapping already, in line %u", MR_FMT(out->key), first);
	return false;
}

static struct mr_node *read_node(struct mr_reader *reader, struct mr_arena *arena);

static void add_child(struct mr_node *parent, struct mr_node **last, struct mr_node *child)
{
	if (*last)
		(*last)->next = child;
	else
		parent->first = child;
	*last = child;
	parent->n++;
}

/* Depth is bounded by DEPTH_LIMIT: peek() breaks the reader beyond it. */
static void read_children(struct mr_reader *reader, struct mr_arena *arena, struct mr_node *node)
{
	struct mr_node *last = NULL;

	while (peek(reader)) {
		struct mr_node key = {0};
		struct mr_node *child;

		if (reader->event.type == YAML_MAPPING_END_EVENT ||
		        reader->event.type == YAML_SEQUENCE_END_EVENT) {
			drop_event(reader);
			return;
		}
		if (node->type == MR_NODE_MAP && !take_key(reader, arena, &key)) {
			skip_value(reader);
			continue;
		}
		child = read_node(reader, arena);
		child->key = key.key;
		child->key_line = key.key_line;
		child->key_column = key.key_column;
		add_child(node, &last, child);
	}
}

static struct mr_node *read_node(struct mr_reader *reader, struct mr_arena *arena)
{
	struct mr_node *node = mr_alloc(arena, sizeof *node);
	struct mr_loc loc;

	node->type = MR_NODE_BAD;
	if (!peek(reader))
		return node;
	loc = loc_at(reader, &reader->event.start_mark);
	node->line = loc.line;
	node->column = loc.column;
	switch (reader->event.type) {
	case YAML_SCALAR_EVENT:
		node->is_plain = is_plain(&reader->event);
		node->text = mr_str_copy(arena, scalar_text(&reader->event));
		if (check_scalar(reader, node->text, &node->has_lines))
			node->type = MR_NODE_SCALAR;
		drop_event(reader);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		node->type =
		        reader->event.type == YAML_MAPPING_START_EVENT ? MR_NODE_MAP : MR_NODE_LIST;
		drop_event(reader);
		read_children(reader, arena, node);
		break;
	default:
		drop_event(reader);
	}
	return node;
}

struct mr_reader *mr_reader_new(struct mr_diags *diags, mr_str path, mr_str bytes)
{
	struct mr_reader *reader = mr_xrealloc(NULL, 1, sizeof *reader);
	mr_str text = mr_str_starts(bytes, MR_STR("\xEF\xBB\xBF")) ? mr_str_skip(bytes, 3) : bytes;

	memset(reader, 0, sizeof *reader);
	reader->diags = diags;
	reader->path = path;
	reader->is_broken = !mr_prescan(diags, path, text);
	if (!yaml_parser_initialize(&reader->parser))
		abort();
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	        &reader->parser, (const unsigned char *)(text.size ? text.data : ""), text.size);
	return reader;
}

void mr_reader_free(struct mr_reader *reader)
{
	drop_event(reader);
	yaml_parser_delete(&reader->parser);
	mr_seen_done(&reader->seen);
	free(reader);
}

bool mr_reader_is_broken(const struct mr_reader *reader)
{
	return reader->is_broken;
}

mr_str mr_reader_path(const struct mr_reader *reader)
{
	return reader->path;
}

static void check_directives(struct mr_reader *reader)
{
	const yaml_event_t *event = &reader->event;

	if (event->data.document_start.version_directive ||
	        event->data.document_start.tag_directives.start !=
	                event->data.document_start.tag_directives.end)
		refuse(reader, "MR-YAML-DIRECTIVE", &event->start_mark, "directives are refused");
}

bool mr_reader_begin(struct mr_reader *reader)
{
	while (peek(reader)) {
		switch (reader->event.type) {
		case YAML_STREAM_START_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			check_directives(reader);
			break;
		case YAML_STREAM_END_EVENT:
			return false;
		default:
			return mr_reader_enter(reader, "the file", NULL);
		}
		drop_event(reader);
	}
	return false;
}

/* Behind the top-level mapping: nothing else may follow. */
static void read_end(struct mr_reader *reader)
{
	while (peek(reader) && reader->event.type != YAML_STREAM_END_EVENT) {
		if (reader->event.type == YAML_DOCUMENT_START_EVENT) {
			refuse(reader, "MR-YAML-DOCUMENTS", &reader->event.start_mark,
			        "a file may hold one document only");
			reader->is_broken = true;
		}
		drop_event(reader);
	}
}

bool mr_reader_next_key(struct mr_reader *reader, struct mr_arena *arena, struct mr_node *out)
{
	while (peek(reader)) {
		if (reader->event.type == YAML_MAPPING_END_EVENT) {
			drop_event(reader);
			if (!reader->depth)
				read_end(reader);
			return false;
		}
		if (take_key(reader, arena, out))
			return true;
		skip_value(reader);
	}
	return false;
}

static bool is_null_event(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT && is_plain(event) &&
	       mr_scalar_is_null(scalar_text(event));
}

bool mr_reader_enter(struct mr_reader *reader, const char *what, bool *out_is_list)
{
	struct mr_loc loc;

	if (out_is_list)
		*out_is_list = false;
	if (!peek(reader))
		return false;
	if (reader->event.type == YAML_MAPPING_START_EVENT) {
		drop_event(reader);
		return true;
	}
	if (out_is_list && reader->event.type == YAML_SEQUENCE_START_EVENT) {
		*out_is_list = true;
		return false;
	}
	loc = loc_at(reader, &reader->event.start_mark);
	if (!is_null_event(&reader->event) && reader->event.type != YAML_ALIAS_EVENT)
		mr_diags_at(reader->diags, MR_ERROR, "MR-TYPE-MAPPING", &loc,
		        "%s must be a mapping", what);
	skip_value(reader);
	return false;
}

struct mr_node *mr_reader_value(
        struct mr_reader *reader, struct mr_arena *arena, const struct mr_node *key)
{
	struct mr_node *node = read_node(reader, arena);

	if (reader->is_broken) /* a part of a value is none: what is missing was not left out */
		*node = (struct mr_node){
		        .type = MR_NODE_BAD, .line = key->key_line, .column = key->key_column};
	node->key = key->key;
	node->key_line = key->key_line;
	node->key_column = key->key_column;
	return node;
}

void mr_reader_skip(struct mr_reader *reader)
{
	skip_value(reader);
}
