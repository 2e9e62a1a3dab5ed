/*
 * Attribute sets: building canonical bodies. What is added is kept raw in the order it came; finish
 * sorts attributes by name and the values of sets, and writes the canonical form.
 */
#include "base/attrs.h"

#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Header of an attribute in the raw buffer; the name and then each value with its size follow. */
struct raw_attr {
	size_t size; /* of all of it */
	size_t name_size;
	size_t n_values;
	unsigned flags;
};

struct raw_ref {
	mr_str name;
	size_t at;
};

static struct raw_attr raw_get(const struct mr_attrs_builder *builder, size_t at)
{
	struct raw_attr raw;

	memcpy(&raw, builder->raw.data + at, sizeof raw);
	return raw;
}

static void number_add(struct mr_buf *buf, size_t number)
{
	assert(number <= UINT32_MAX);
	while (number >= 0x80) {
		mr_buf_add_char(buf, (char)(0x80 | (number & 0x7f)));
		number >>= 7;
	}
	mr_buf_add_char(buf, (char)number);
}

static size_t number_size(size_t number)
{
	size_t size = 1;

	while (number >= 0x80) {
		number >>= 7;
		size++;
	}
	return size;
}

static void bytes_add(struct mr_buf *buf, mr_str bytes)
{
	number_add(buf, bytes.size);
	mr_buf_add_str(buf, bytes);
}

static int ref_cmp(const void *left, const void *right)
{
	return mr_str_cmp(
	        ((const struct raw_ref *)left)->name, ((const struct raw_ref *)right)->name);
}

static int value_cmp(const void *left, const void *right)
{
	return mr_str_cmp(*(const mr_str *)left, *(const mr_str *)right);
}

/* Most bodies come in order already, and most are short: no call of qsort for those. */
static void sort_unless_sorted(
        void *items, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	const char *at = items;

	for (size_t i = 1; i < n; i++, at += size) {
		if (cmp(at, at + size) <= 0)
			continue;
		qsort(items, n, size, cmp);
		return;
	}
}

static size_t values_unique(mr_str *values, size_t n)
{
	size_t kept = n > 0;

	for (size_t i = 1; i < n; i++)
		if (!mr_str_eq(values[i], values[kept - 1]))
			values[kept++] = values[i];
	return kept;
}

/* Views of the raw values, in the index buffer behind what is there. */
static mr_str *values_collect(struct mr_attrs_builder *builder, const char *at, size_t n)
{
	mr_str *values =
	        (mr_str *)(void *)mr_buf_reserve(&builder->index, (n + 1) * sizeof *values);

	for (size_t i = 0; i < n; i++) {
		size_t size;

		memcpy(&size, at, sizeof size);
		values[i] = (mr_str){at + sizeof size, size};
		at += sizeof size + size;
	}
	return values;
}

static void attr_write(struct mr_attrs_builder *builder, size_t at)
{
	struct raw_attr raw = raw_get(builder, at);
	const char *name = builder->raw.data + at + sizeof raw;
	mr_str *values = values_collect(builder, name + raw.name_size, raw.n_values);
	size_t n = raw.n_values;
	size_t size = 0;

	if (!(raw.flags & MR_ATTR_ORDERED)) {
		sort_unless_sorted(values, n, sizeof *values, value_cmp);
		n = values_unique(values, n);
	}
	for (size_t i = 0; i < n; i++)
		size += number_size(values[i].size) + values[i].size;
	bytes_add(&builder->sorted, (mr_str){name, raw.name_size});
	number_add(&builder->sorted, raw.flags);
	number_add(&builder->sorted, n);
	number_add(&builder->sorted, size);
	for (size_t i = 0; i < n; i++)
		bytes_add(&builder->sorted, values[i]);
}

void mr_attrs_builder_init(struct mr_attrs_builder *builder)
{
	*builder = (struct mr_attrs_builder){0};
}

void mr_attrs_builder_done(struct mr_attrs_builder *builder)
{
	mr_buf_done_secret(&builder->raw);
	mr_buf_done_secret(&builder->sorted);
	mr_buf_done(&builder->index);
	mr_attrs_builder_init(builder);
}

void mr_attrs_builder_clear(struct mr_attrs_builder *builder)
{
	mr_buf_clear(&builder->raw);
	builder->n = 0;
	builder->last = 0;
}

void mr_attrs_begin(struct mr_attrs_builder *builder, mr_str name, unsigned flags)
{
	struct raw_attr raw = {sizeof raw + name.size, name.size, 0, flags};

	builder->last = builder->raw.size;
	builder->n++;
	mr_buf_add(&builder->raw, &raw, sizeof raw);
	mr_buf_add_str(&builder->raw, name);
}

void mr_attrs_value(struct mr_attrs_builder *builder, mr_str value)
{
	struct raw_attr raw;

	assert(builder->n > 0);
	mr_buf_add(&builder->raw, &value.size, sizeof value.size);
	mr_buf_add_str(&builder->raw, value);
	raw = raw_get(builder, builder->last);
	raw.n_values++;
	raw.size += sizeof value.size + value.size;
	memcpy(builder->raw.data + builder->last, &raw, sizeof raw);
}

void mr_attrs_add(struct mr_attrs_builder *builder, mr_str name, unsigned flags, mr_str value)
{
	mr_attrs_begin(builder, name, flags);
	mr_attrs_value(builder, value);
}

void mr_attrs_add_attr(struct mr_attrs_builder *builder, const struct mr_attr *attr)
{
	mr_str rest = attr->encoded_values;
	mr_str value;

	mr_attrs_begin(builder, attr->name, attr->flags);
	while (mr_attr_value_next(&rest, &value) > 0)
		mr_attrs_value(builder, value);
}

mr_str mr_attrs_finish(struct mr_attrs_builder *builder)
{
	size_t n = builder->n;
	size_t at = 0;

	mr_buf_clear(&builder->index);
	mr_buf_clear(&builder->sorted);
	(void)mr_buf_reserve(&builder->index, (n + 1) * sizeof(struct raw_ref));
	for (size_t i = 0; i < n; i++) {
		struct raw_attr raw = raw_get(builder, at);
		struct raw_ref ref = {{builder->raw.data + at + sizeof raw, raw.name_size}, at};

		mr_buf_add(&builder->index, &ref, sizeof ref);
		at += raw.size;
	}
	sort_unless_sorted(builder->index.data, n, sizeof(struct raw_ref), ref_cmp);
	for (size_t i = 0; i < n; i++) {
		/* read anew each time: writing an attribute may move the index buffer */
		const struct raw_ref *refs = (const struct raw_ref *)(void *)builder->index.data;

		assert(i == 0 || ref_cmp(&refs[i - 1], &refs[i]) < 0);
		attr_write(builder, refs[i].at);
	}
	mr_attrs_builder_clear(builder);
	return mr_buf_str(&builder->sorted);
}

static void seal_attr(
        struct mr_attrs_builder *builder, const struct mr_attr *attr, const uint8_t key[32])
{
	mr_str rest = attr->encoded_values;
	mr_str value;

	mr_attrs_begin(builder, attr->name, attr->flags | MR_ATTR_SEALED);
	while (mr_attr_value_next(&rest, &value) > 0) {
		struct mr_digest digest = mr_digest_keyed(value, key);
		struct mr_buf hex = MR_BUF_INIT;

		mr_digest_format(&digest, &hex);
		mr_attrs_value(builder, mr_buf_str(&hex));
		mr_buf_done(&hex);
	}
}

mr_str mr_attrs_seal(struct mr_attrs_builder *builder, mr_str body, const uint8_t key[32])
{
	struct mr_attr attr;

	mr_attrs_builder_clear(builder);
	while (mr_attrs_next(&body, &attr) > 0) {
		if ((attr.flags & MR_ATTR_SENSITIVE) && !(attr.flags & MR_ATTR_SEALED))
			seal_attr(builder, &attr, key);
		else
			mr_attrs_add_attr(builder, &attr);
	}
	return mr_attrs_finish(builder);
}
