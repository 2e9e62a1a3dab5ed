/*
 * Attribute bodies: damaged bytes never lead outside, and rebuilding a body is stable.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/attrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name may be begun once only: bodies with a repeated or unsorted name are walked, not built. */
static int is_buildable(mr_str body)
{
	mr_str last = {NULL, 0};
	struct mr_attr attr;
	int result;

	while ((result = mr_attrs_next(&body, &attr)) > 0) {
		mr_str rest = attr.encoded_values;
		mr_str value;

		if (last.data && mr_str_cmp(last, attr.name) >= 0)
			return 0;
		last = attr.name;
		while ((result = mr_attr_value_next(&rest, &value)) > 0)
			continue;
		if (result < 0)
			return 0;
	}
	return result == 0;
}

static mr_str rebuild(struct mr_attrs_builder *builder, mr_str body)
{
	struct mr_attr attr;

	while (mr_attrs_next(&body, &attr) > 0)
		mr_attrs_add_attr(builder, &attr);
	return mr_attrs_finish(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = {7};
	mr_str body = {(const char *)data, size};
	struct mr_attrs_builder a, b;

	mr_attrs_builder_init(&a);
	mr_attrs_builder_init(&b);
	if (is_buildable(body)) {
		mr_str once = rebuild(&a, body);

		if (!mr_str_eq(once, rebuild(&b, once)))
			abort();
		(void)mr_attrs_seal(&b, once, key);
	}
	mr_attrs_builder_done(&a);
	mr_attrs_builder_done(&b);
	return 0;
}
