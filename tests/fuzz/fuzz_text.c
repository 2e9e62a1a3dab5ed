/*
 * Names, sizes and text of strangers: normal forms are fixed points, and what is shown on a
 * terminal is harmless.
 */
#include "fuzz.h"

#include "base/text.h"

static void host(struct mr_arena *arena, mr_str text)
{
	const char *why = NULL;
	mr_str once, twice;

	if (mr_host_parse(arena, text, 1, &once, &why) != 0) {
		PROMISE(why != NULL);
		return;
	}
	PROMISE(once.size > 0 && once.size <= 253);
	PROMISE(mr_host_parse(arena, once, 1, &twice, &why) == 0);
	PROMISE(mr_str_eq(once, twice));
}

static void fold(struct mr_arena *arena, mr_str text)
{
	mr_str once, twice;

	if (mr_text_fold(arena, text, &once) != 0) {
		PROMISE(mr_utf8_check(text) < text.size);
		return;
	}
	PROMISE(mr_utf8_check(once) == once.size);
	PROMISE(mr_text_fold(arena, once, &twice) == 0);
	PROMISE(mr_str_eq(once, twice));
}

static void harmless(mr_str text)
{
	struct mr_buf out = MR_BUF_INIT;

	mr_text_harmless(text, &out);
	for (size_t i = 0; i < out.size; i++)
		PROMISE((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n' ||
		        out.data[i] == '\t');
	PROMISE(mr_utf8_check(mr_buf_str(&out)) == out.size);
	mr_buf_done(&out);
}

static void numbers(mr_str text)
{
	struct mr_buf out = MR_BUF_INIT;
	uint64_t bytes, again;
	int64_t days, days_again;

	if (mr_size_parse(text, &bytes) == 0) {
		mr_size_format(bytes, &out);
		PROMISE(mr_size_parse(mr_buf_str(&out), &again) == 0 && again == bytes);
	}
	mr_buf_clear(&out);
	if (mr_date_parse(text, &days) == 0) {
		mr_date_format(days, &out);
		PROMISE(mr_date_parse(mr_buf_str(&out), &days_again) == 0 && days_again == days);
	}
	mr_buf_done(&out);
	(void)!mr_duration_parse(text, &bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str text = {(const char *)data, size}, decoded;

	host(&arena, text);
	fold(&arena, text);
	harmless(text);
	numbers(text);
	(void)!mr_base64_decode(&arena, text, &decoded);
	PROMISE(mr_text_check(text, true) >= mr_text_check(text, false));
	mr_arena_done(&arena);
	return 0;
}
