/*
 * Editing main.cf: a value that was set is read back, every other parameter stays, and taking out
 * what was appended brings the old bytes back. The first line is the name, the second the value,
 * the rest the file.
 */
#include "fuzz.h"

#include "base/text.h"
#include "postfix/maincf.h"

#include <string.h>

static bool is_name(mr_str name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.data[i]) || !name.data[i])
			return false;
	return name.size > 0;
}

static void others_stay(const struct mr_maincf *before, const struct mr_maincf *after, mr_str name)
{
	mr_vec_each (entry, &before->entries) {
		const struct mr_maincf_entry *was = mr_maincf_find(before, entry->name);
		const struct mr_maincf_entry *is = mr_maincf_find(after, entry->name);

		if (mr_str_eq(entry->name, name))
			continue;
		PROMISE(is && mr_str_eq(is->value, was->value));
	}
}

static void set(const struct mr_maincf *before, mr_str name, mr_str value)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf out = MR_BUF_INIT, back = MR_BUF_INIT;
	struct mr_maincf after;
	size_t line;

	mr_maincf_edit(before, name, value, &out);
	PROMISE(mr_maincf_parse(mr_buf_str(&out), &after, &line) == 0);
	PROMISE(mr_maincf_find(&after, name) != NULL);
	PROMISE(mr_str_eq(mr_maincf_find(&after, name)->value, mr_maincf_normal(&arena, value)));
	others_stay(before, &after, name);
	if (!mr_maincf_find(before, name)) {
		mr_maincf_edit(&after, name, (mr_str){0}, &back);
		/* a line end that was missing may stay */
		PROMISE(mr_str_starts(mr_buf_str(&back), before->text) &&
		        back.size <= before->text.size + 1);
	}
	mr_maincf_done(&after);
	mr_buf_done(&out);
	mr_buf_done(&back);
	mr_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mr_str rest = {(const char *)data, size};
	mr_str name = mr_str_split(&rest, '\n');
	mr_str value = rest.data ? mr_str_split(&rest, '\n') : rest;
	struct mr_maincf before;
	size_t line = 0;

	if (!rest.data || !is_name(name) || mr_text_check(value, false) < value.size)
		return 0;
	if (mr_maincf_parse(rest, &before, &line) == 0)
		set(&before, name, value);
	else
		PROMISE(line > 0);
	mr_maincf_done(&before);
	return 0;
}
