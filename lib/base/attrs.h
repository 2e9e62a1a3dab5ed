/*
 * Attribute sets: the body of every item, declared or live.
 *
 * A body is a canonical byte string: attributes in bytewise order of their names, each with flags
 * and a list of values. Two bodies of the same content are the same bytes, so most comparisons are
 * a memcmp. An attribute without values means "must be absent" on the desired side.
 */
#ifndef MR_BASE_ATTRS_H
#define MR_BASE_ATTRS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum mr_attr_flags {
	MR_ATTR_SENSITIVE = 1, /* never shown; stored outside the process only as a keyed digest */
	MR_ATTR_SEALED = 2,    /* the values are keyed digests (mr_attrs_seal) */
	MR_ATTR_LIVE = 4,      /* set once; a later change by others is no drift */
	MR_ATTR_ORDERED = 8,   /* the order of the values means something; else they are a set */
	MR_ATTR_BINARY = 16,   /* not text */
	MR_ATTR_SILENT =
	        32, /* follows from another attribute: compared and applied, not displayed */
};

struct mr_attr {
	mr_str name;
	unsigned flags;
	size_t n_values;
	mr_str encoded_values; /* opaque; read with mr_attr_value_next */
};

/* Building: add in any order, finish sorts. One builder makes one body at a time. */
struct mr_attrs_builder {
	struct mr_buf raw;
	struct mr_buf sorted;
	struct mr_buf index; /* scratch of finish */
	size_t n;
	size_t last; /* offset in raw of the attribute that was begun last */
};

void mr_attrs_builder_init(struct mr_attrs_builder *builder);
void mr_attrs_builder_done(struct mr_attrs_builder *builder);
void mr_attrs_builder_clear(struct mr_attrs_builder *builder);
/* Starts an attribute; its values follow by mr_attrs_value. A name may be begun once only. */
void mr_attrs_begin(struct mr_attrs_builder *builder, mr_str name, unsigned flags);
void mr_attrs_value(struct mr_attrs_builder *builder, mr_str value);
/* begin + one value. */
void mr_attrs_add(struct mr_attrs_builder *builder, mr_str name, unsigned flags, mr_str value);
/* begin + copies all values of an attribute. */
void mr_attrs_add_attr(struct mr_attrs_builder *builder, const struct mr_attr *attr);
/* The canonical body; a set's values are sorted bytewise and unique. Valid until the builder is
 * used again; the next begin starts a new body. */
mr_str mr_attrs_finish(struct mr_attrs_builder *builder);

/* Reading. *rest starts as the body and moves on: 1 attribute, 0 end, <0 the bytes are no body. */
MR_CHECK int mr_attrs_next(mr_str *rest, struct mr_attr *out);
/* *rest starts as attr->encoded_values: 1 value, 0 end, <0 damaged. */
MR_CHECK int mr_attr_value_next(mr_str *rest, mr_str *out);
/* The first value, or the empty view. */
mr_str mr_attr_first(const struct mr_attr *attr);
bool mr_attrs_find(mr_str body, mr_str name, struct mr_attr *out);
/* The first value of the named attribute, or the empty view. */
mr_str mr_attrs_get(mr_str body, mr_str name);
/* Same number of values and the same bytes, as a set unless one is ORDERED. Flags do not count, but
 * when exactly one side is SEALED its values are compared with the other's keyed digests. */
bool mr_attr_same(const struct mr_attr *a, const struct mr_attr *b, const uint8_t key[32]);

/* The body with the values of sensitive attributes replaced by keyed digests (hex, 64 characters).
 */
mr_str mr_attrs_seal(struct mr_attrs_builder *builder, mr_str body, const uint8_t key[32]);

#endif
