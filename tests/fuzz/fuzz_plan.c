/*
 * Saved plans: damaged ones are refused with a word; what is read is written and read again as the
 * same, and no form for people lets a control character through, nor markdown any markup.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct mr_plan_doc *doc, enum mr_format format)
{
	struct mr_render_options options = {.format = format};
	struct mr_buf out = MR_BUF_INIT;

	mr_doc_render(doc, &options, &out);
	for (size_t i = 0; i < out.size; i++)
		if ((unsigned char)out.data[i] < ' ' && out.data[i] != '\n')
			abort();
	/* the one '<' opens the marker by which a bot finds its comment */
	if (format == MR_FORMAT_MARKDOWN &&
	        (out.size >= 60000 || memrchr(out.data, '<', out.size) != out.data))
		abort();
	mr_buf_done(&out);
}

/* Reads, writes into out; false when the bytes are no plan. */
static bool read_and_write(mr_str text, struct mr_buf *out, bool is_shown)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_plan_doc doc = {0};
	struct mr_diags diags;

	mr_diags_init(&diags);
	int result = mr_doc_parse(&diags, &arena, text, &doc);
	if (result < 0 && diags.n_errors == 0)
		abort();
	if (result == 0) {
		mr_doc_json(&doc, out);
		for (int format = 0; is_shown && format <= MR_FORMAT_HTML; format++)
			if (format != MR_FORMAT_JSON)
				show(&doc, (enum mr_format)format);
	}
	mr_plan_doc_done(&doc);
	mr_diags_done(&diags);
	mr_arena_done(&arena);
	return result == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_buf once = MR_BUF_INIT, twice = MR_BUF_INIT;

	if (read_and_write((mr_str){(const char *)data, size}, &once, true)) {
		if (!read_and_write(mr_buf_str(&once), &twice, false))
			abort();
		if (!mr_str_eq(mr_buf_str(&once), mr_buf_str(&twice)))
			abort();
	}
	mr_buf_done(&once);
	mr_buf_done(&twice);
	return 0;
}
