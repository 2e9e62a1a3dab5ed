/*
 * Records of checks: a digest, then for each warning its place and its texts.
 */
#include "source/record.h"

#include <string.h>

static void put_text(struct mr_buf *out, mr_str text)
{
	uint32_t size = (uint32_t)text.size;

	mr_buf_add(out, &size, sizeof size);
	mr_buf_add_str(out, text);
}

static bool get(mr_str *rest, void *out, size_t size)
{
	if (rest->size < size)
		return false;
	memcpy(out, rest->data, size);
	*rest = mr_str_skip(*rest, size);
	return true;
}

static bool get_text(mr_str *rest, mr_str *out)
{
	uint32_t size;

	if (!get(rest, &size, sizeof size) || rest->size < size)
		return false;
	*out = mr_str_take(*rest, size);
	*rest = mr_str_skip(*rest, size);
	return true;
}

void mr_record_write(
        const struct mr_digest *digest, const struct mr_diags *diags, struct mr_buf *out)
{
	mr_buf_add(out, digest->bytes, sizeof digest->bytes);
	mr_vec_each (diag, &diags->list) {
		uint32_t place[2] = {diag->loc.line, diag->loc.column};

		if (diag->severity != MR_WARNING || !diag->rule.size)
			continue;
		mr_buf_add(out, place, sizeof place);
		put_text(out, diag->loc.path);
		put_text(out, diag->rule);
		put_text(out, diag->object);
		put_text(out, diag->text);
		put_text(out, diag->hint);
	}
}

static bool get_warning(mr_str *rest, struct mr_diag *out)
{
	uint32_t place[2];

	*out = (struct mr_diag){.severity = MR_WARNING};
	if (!get(rest, place, sizeof place) || !get_text(rest, &out->loc.path) ||
	        !get_text(rest, &out->rule) || !get_text(rest, &out->object) ||
	        !get_text(rest, &out->text) || !get_text(rest, &out->hint))
		return false;
	out->loc.line = place[0];
	out->loc.column = place[1];
	return true;
}

int mr_record_read(mr_str record, struct mr_digest *out_digest, struct mr_diags *diags)
{
	struct mr_diag warning;
	struct mr_digest digest;
	mr_str rest = record;

	if (!get(&rest, digest.bytes, sizeof digest.bytes))
		return MR_E_FAILED;
	for (mr_str trial = rest; trial.size;)
		if (!get_warning(&trial, &warning))
			return MR_E_FAILED;
	while (rest.size && get_warning(&rest, &warning))
		mr_diags_add(diags, &warning);
	*out_digest = digest;
	return 0;
}
