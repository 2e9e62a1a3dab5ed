/*
 * Attribute sets: reading and comparing of canonical bodies. Building is in attrs_build.c.
 *
 * An attribute is: size of name, name, flags, number of values, size of values, values; a value is:
 * size, bytes. Numbers are of seven bits a byte, least significant first, the high bit says that
 * more follow, and never longer than needed: so the same content has the same bytes.
 */
#include "base/attrs.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

/* Returns false at a number that is cut off, too long or longer than needed. */
static bool number_get(mr_str *rest, size_t *out)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 5 && i < rest->size; i++) {
		uint8_t byte = (uint8_t)rest->data[i];

		number |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (byte == 0 && i > 0)
			return false;
		*rest = mr_str_skip(*rest, i + 1);
		*out = (size_t)number;
		return true;
	}
	return false;
}

static bool bytes_get(mr_str *rest, mr_str *out)
{
	size_t size;

	if (!number_get(rest, &size) || size > rest->size)
		return false;
	*out = mr_str_take(*rest, size);
	*rest = mr_str_skip(*rest, size);
	return true;
}

int mr_attrs_next(mr_str *rest, struct mr_attr *out)
{
	struct mr_attr attr;
	size_t flags;

	if (rest->size == 0)
		return 0;
	if (!bytes_get(rest, &attr.name) || !number_get(rest, &flags) ||
	        !number_get(rest, &attr.n_values) || !bytes_get(rest, &attr.encoded_values))
		return MR_E_INVALID;
	attr.flags = (unsigned)flags;
	if (attr.n_values > attr.encoded_values.size)
		return MR_E_INVALID;
	*out = attr;
	return 1;
}

int mr_attr_value_next(mr_str *rest, mr_str *out)
{
	if (rest->size == 0)
		return 0;
	return bytes_get(rest, out) ? 1 : MR_E_INVALID;
}

mr_str mr_attr_first(const struct mr_attr *attr)
{
	mr_str rest = attr->encoded_values;
	mr_str value;

	return mr_attr_value_next(&rest, &value) > 0 ? value : (mr_str){NULL, 0};
}

bool mr_attrs_find(mr_str body, mr_str name, struct mr_attr *out)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) > 0) {
		int order = mr_str_cmp(attr.name, name);

		if (order > 0)
			return false;
		if (order < 0)
			continue;
		*out = attr;
		return true;
	}
	return false;
}

mr_str mr_attrs_get(mr_str body, mr_str name)
{
	struct mr_attr attr;

	return mr_attrs_find(body, name, &attr) ? mr_attr_first(&attr) : (mr_str){NULL, 0};
}

/* Digests are compared as a body would hold them: one attribute of each, built alike. */
static bool sealed_same(
        const struct mr_attr *sealed, const struct mr_attr *clear, const uint8_t key[32])
{
	struct mr_attrs_builder builder;
	struct mr_attr again;
	mr_str rest = clear->encoded_values;
	mr_str value;
	bool is_same;

	mr_attrs_builder_init(&builder);
	mr_attrs_begin(&builder, sealed->name, sealed->flags);
	while (mr_attr_value_next(&rest, &value) > 0) {
		struct mr_digest digest = mr_digest_keyed(value, key);
		struct mr_buf hex = MR_BUF_INIT;

		mr_digest_format(&digest, &hex);
		mr_attrs_value(&builder, mr_buf_str(&hex));
		mr_buf_done(&hex);
	}
	rest = mr_attrs_finish(&builder);
	is_same = mr_attrs_next(&rest, &again) > 0 &&
	          mr_str_eq(again.encoded_values, sealed->encoded_values);
	mr_attrs_builder_done(&builder);
	return is_same;
}

bool mr_attr_same(const struct mr_attr *a, const struct mr_attr *b, const uint8_t key[32])
{
	bool is_a_sealed = a->flags & MR_ATTR_SEALED;
	bool is_b_sealed = b->flags & MR_ATTR_SEALED;

	if (a->n_values != b->n_values)
		return false;
	if (is_a_sealed == is_b_sealed)
		return mr_str_eq(a->encoded_values, b->encoded_values);
	if (!key)
		return false;
	return is_a_sealed ? sealed_same(a, b, key) : sealed_same(b, a, key);
}
