/*
 * Objects: the rows of all files for one key, merged leaf by leaf and overlaid for one host.
 *
 * Precedence: host over role over common. Within one layer a leaf may stand once only; that is
 * reported when diagnostics are given, else the first wins.
 */
#ifndef MR_SOURCE_MERGE_H
#define MR_SOURCE_MERGE_H

#include "source/row.h"
#include "source/rows.h"

#define MR_LEAF_IDS 128

/* A leaf of an object: where it came from as well. */
struct mr_merged_leaf {
	struct mr_leaf leaf;
	mr_str layer;
	uint32_t file;
};

struct mr_object {
	enum mr_kind_id kind;
	mr_str key;
	uint32_t file; /* where it was declared first */
	uint32_t line, column;
	MR_VEC(struct mr_merged_leaf) leaves;
	uint8_t by_id[MR_LEAF_IDS]; /* 1 + index into leaves; 0: absent */
};

/* Which layers count. */
struct mr_view {
	mr_str host; /* canonical; empty: only common ones */
	struct mr_strs_view {
		mr_str *items;
		size_t n;
	} roles;
};

/* Paths of files by id. */
struct mr_paths {
	mr_str *items;
	size_t n;
};
mr_str mr_path_of(const struct mr_paths *paths, uint32_t file);
struct mr_loc mr_object_loc(const struct mr_object *object, const struct mr_paths *paths);
struct mr_loc mr_leaf_loc(const struct mr_merged_leaf *leaf, const struct mr_paths *paths);

/* Where objects come from: the rows, which of their layers count, and the names of the files. */
struct mr_layers {
	struct mr_rows *rows;
	const struct mr_view *view;
	const struct mr_paths *paths;
};

/* A stream of objects of one kind in key order. The storage is the caller's. */
struct mr_objects {
	struct mr_scan scan;
	const struct mr_view *view;
	const struct mr_paths *paths;
	struct mr_diags *diags; /* may be NULL */
	struct mr_arena arena;  /* of the current object */
	struct mr_object object;
	struct mr_buf next_key, next_body; /* the row that begins the next object */
	bool has_next;
	bool is_at_end;
};

MR_CHECK int mr_objects_begin(struct mr_layers layers, enum mr_kind_id kind, mr_str prefix,
        bool is_exact, struct mr_objects *out);
/* 1 object (valid until the next call), 0 end, <0. */
MR_CHECK int mr_objects_next(struct mr_objects *objects, const struct mr_object **out);
void mr_objects_end(struct mr_objects *objects);

/* NULL when absent. */
const struct mr_merged_leaf *mr_object_leaf(const struct mr_object *object, unsigned id);
/* Text of the leaf's first item; the empty view when absent or a secret. */
mr_str mr_object_text(const struct mr_object *object, unsigned id);

#endif
