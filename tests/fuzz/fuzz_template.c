/*
 * Templates of the operator's, filled in with words of strangers: what is checked is filled in
 * without a rest, what is made for JSON is JSON, and no URL leaves its form.
 */
#include "fuzz.h"

#include "base/json.h"
#include "notify/template.h"
#include "notify/ways.h"

static void check(mr_str text)
{
	struct mr_diags diags;

	mr_diags_init(&diags);
	(void)!mr_template_check(&diags, MR_STR("x"), text);
	mr_vec_each (diag, &diags.list)
		PROMISE(diag->loc.line >= 1 && diag->loc.column >= 1);
	mr_diags_done(&diags);
}

/* The input as a value: the built-in event stays JSON and gives the value back. */
static void fill(struct mr_arena *arena, mr_str text)
{
	struct mr_notice notice = {.values = {[MR_NOTICE_run] = MR_STR("1"),
	                                   [MR_NOTICE_drift] = MR_STR("2"),
	                                   [MR_NOTICE_reason] = text}};
	struct mr_buf out = MR_BUF_INIT, line = MR_BUF_INIT;
	struct mr_json_value *root = NULL;

	mr_template_expand(
	        mr_str_from(mr_template_builtin(MR_WAY_WEBHOOK)), &notice, MR_ESCAPE_JSON, &out);
	PROMISE(mr_json_parse(arena, mr_buf_str(&out), &root, NULL) == 0);
	PROMISE(mr_json_get_int(root, "run", 0) == 1 && mr_json_get_int(root, "drift", 0) == 2);
	mr_template_expand(MR_STR("Subject: {{reason}}"), &notice, MR_ESCAPE_LINE, &line);
	PROMISE(mr_str_find(mr_buf_str(&line), '\n') == line.size);
	mr_buf_done(&out);
	mr_buf_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str text = mr_str_copy(&arena, (mr_str){(const char *)data, size});
	struct mr_notice notice = {.values = {[MR_NOTICE_host] = MR_STR("{{host}}")}};
	struct mr_buf out = MR_BUF_INIT;
	mr_str subject, body;

	check(text);
	fill(&arena, text);
	mr_template_expand(text, &notice, MR_ESCAPE_LINES, &out);
	if (mr_template_split_mail(text, &subject, &body))
		PROMISE(mr_str_find(subject, '\n') == subject.size);
	if (mr_webhook_is_url(text))
		PROMISE(mr_str_starts(text, MR_STR("https://")) ||
		        mr_str_starts(text, MR_STR("http://")));
	mr_buf_done(&out);
	mr_arena_done(&arena);
	return 0;
}
