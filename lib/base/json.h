/*
 * A streaming JSON writer (RFC 8259) and a small reader for the documents this program wrote
 * itself.
 *
 * Text that is not UTF-8 is written with U+FFFD in place of each bad byte.
 */
#ifndef MR_BASE_JSON_H
#define MR_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct mr_json {
	struct mr_buf *out;
	unsigned depth;
	bool is_pretty; /* two blanks a level; else one line */
	bool needs_comma;
	bool after_name;
};

void mr_json_init(struct mr_json *json, struct mr_buf *out, bool is_pretty);
void mr_json_begin_object(struct mr_json *json);
void mr_json_end_object(struct mr_json *json);
void mr_json_begin_array(struct mr_json *json);
void mr_json_end_array(struct mr_json *json);
void mr_json_name(struct mr_json *json, const char *name);
void mr_json_str(struct mr_json *json, mr_str value);
void mr_json_text(struct mr_json *json, const char *value);
void mr_json_int(struct mr_json *json, int64_t value);
void mr_json_bool(struct mr_json *json, bool value);
void mr_json_null(struct mr_json *json);
/* name + value in one call. */
void mr_json_member_str(struct mr_json *json, const char *name, mr_str value);
void mr_json_member_int(struct mr_json *json, const char *name, int64_t value);
void mr_json_member_bool(struct mr_json *json, const char *name, bool value);

/* Reading: a tree in the arena. Caps: depth 64, 256 MiB. */
enum mr_json_type {
	MR_JSON_NULL,
	MR_JSON_BOOL,
	MR_JSON_NUMBER,
	MR_JSON_STRING,
	MR_JSON_ARRAY,
	MR_JSON_OBJECT
};

struct mr_json_value {
	enum mr_json_type type;
	mr_str name; /* when a member of an object */
	mr_str text; /* STRING (decoded), NUMBER (as written), BOOL ("true" / "false") */
	struct mr_json_value *first_child;
	struct mr_json_value *next;
	size_t n_children;
};

/* MR_E_INVALID with *out_offset (may be NULL) where it went wrong. */
MR_CHECK int mr_json_parse(
        struct mr_arena *arena, mr_str text, struct mr_json_value **out, size_t *out_offset);
/* NULL when absent or when value is no object. */
const struct mr_json_value *mr_json_find(const struct mr_json_value *value, const char *name);
mr_str mr_json_get_str(const struct mr_json_value *value, const char *name);
int64_t mr_json_get_int(const struct mr_json_value *value, const char *name, int64_t otherwise);

#endif
