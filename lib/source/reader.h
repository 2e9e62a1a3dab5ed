/*
 * Reading one YAML file as a stream of keys and small trees, with positions, and without what the
 * language refuses.
 *
 * Outer mappings are walked key by key; the value of a key is entered, read as a tree of nodes, or
 * skipped. Everything that is refused outright (anchors, aliases, tags, merge keys, duplicate keys,
 * control characters, more than one document, depth over 32) is reported here, so that the walker
 * sees clean trees only. After a mistake in the syntax the rest of the file is lost: is_broken.
 */
#ifndef MR_SOURCE_READER_H
#define MR_SOURCE_READER_H

#include "base/arena.h"
#include "base/diag.h"

enum mr_node_type { MR_NODE_SCALAR, MR_NODE_LIST, MR_NODE_MAP, MR_NODE_BAD };

struct mr_node {
	enum mr_node_type type;
	bool is_plain;  /* a scalar without quotes */
	bool has_lines; /* a scalar with line breaks or tabs */
	mr_str text;    /* scalar */
	mr_str key;     /* when a member of a mapping */
	uint32_t line, column;
	uint32_t key_line, key_column;
	struct mr_node *first, *next;
	size_t n;
};

struct mr_reader;

/* bytes and path must outlive the reader. Reports bytes that are refused; the reader is then
 * broken. */
struct mr_reader *mr_reader_new(struct mr_diags *diags, mr_str path, mr_str bytes);
void mr_reader_free(struct mr_reader *reader);
bool mr_reader_is_broken(const struct mr_reader *reader);
mr_str mr_reader_path(const struct mr_reader *reader);

/* Enters the top-level mapping. False when the file holds nothing or something else (reported). */
bool mr_reader_begin(struct mr_reader *reader);
/* The next key of the mapping that was entered last; only key, key_line and key_column of *out are
 * set. The key lives until the arena is reset. False at the mapping's end (which is then left) or
 * when the file is broken. After true the value must be taken by exactly one of the three calls
 * below. */
bool mr_reader_next_key(struct mr_reader *reader, struct mr_arena *arena, struct mr_node *out);
/* Enters the value, which must be a mapping; what names it in a message. False without a mapping:
 * reported, unless there is no value at all. *out_is_list (may be NULL): true, and nothing was
 * taken or reported, when it is a list. */
bool mr_reader_enter(struct mr_reader *reader, const char *what, bool *out_is_list);
/* The whole value as a tree in the arena; its key fields are those of *key. Never NULL. */
struct mr_node *mr_reader_value(
        struct mr_reader *reader, struct mr_arena *arena, const struct mr_node *key);
void mr_reader_skip(struct mr_reader *reader);

/* Whether a node is the absence of a value: nothing, ~ or null, unquoted. */
bool mr_node_is_null(const struct mr_node *node);
/* The same for the text of an unquoted scalar. */
bool mr_scalar_is_null(mr_str text);

/* Byte level (prescan.c): reports what no file may hold. False when there was something. */
bool mr_prescan(struct mr_diags *diags, mr_str path, mr_str bytes);
/* One scalar after escapes were undone: false when it holds what may not be. */
bool mr_scalar_check(mr_str text, bool is_escaped, bool *out_has_lines);

#endif
