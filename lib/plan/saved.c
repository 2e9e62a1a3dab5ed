/*
 * Saved plans: read back, compared with the world as it is now, shown.
 */
#include "plan/parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct mr_saved_plan {
	struct mr_arena arena;
	struct mr_plan_doc doc;
	struct mr_strs objects; /* sorted */
};

static int by_object(const void *a, const void *b)
{
	const struct mr_doc_object *left = a, *right = b;

	return mr_str_cmp(left->object, right->object);
}

static int index_objects(struct mr_diags *diags, struct mr_saved_plan *saved)
{
	size_t n = saved->doc.objects.n;

	if (n > 0)
		qsort(saved->doc.objects.items, n, sizeof *saved->doc.objects.items, by_object);
	saved->objects = (struct mr_strs){mr_alloc_n(&saved->arena, n + 1, sizeof(mr_str)), n};
	for (size_t i = 0; i < n; i++) {
		saved->objects.items[i] = saved->doc.objects.items[i].object;
		if (i > 0 && mr_str_eq(saved->objects.items[i], saved->objects.items[i - 1]))
			return mr_fail(diags, MR_E_INVALID,
			        "cannot read the saved plan: '%.*s' stands in it twice",
			        MR_FMT(saved->objects.items[i]));
	}
	return 0;
}

int mr_saved_plan_parse(struct mr_diags *diags, mr_str json, struct mr_saved_plan **out)
{
	struct mr_saved_plan *saved = mr_xrealloc(NULL, 1, sizeof *saved);
	int result;

	memset(saved, 0, sizeof *saved);
	mr_arena_init(&saved->arena);
	/* the caller's text may go before the plan does */
	result = mr_doc_parse(diags, &saved->arena, mr_str_copy(&saved->arena, json), &saved->doc);
	if (result == 0)
		result = index_objects(diags, saved);
	if (result < 0) {
		mr_saved_plan_free(saved);
		return result;
	}
	*out = saved;
	return 0;
}

void mr_saved_plan_free(struct mr_saved_plan *saved)
{
	if (!saved)
		return;
	mr_plan_doc_done(&saved->doc);
	mr_arena_done(&saved->arena);
	free(saved);
}

mr_str mr_saved_plan_ref(const struct mr_saved_plan *saved)
{
	return saved->doc.ref;
}

mr_str mr_saved_plan_commit(const struct mr_saved_plan *saved)
{
	return saved->doc.commit;
}

mr_str mr_saved_plan_tree(const struct mr_saved_plan *saved)
{
	return saved->doc.tree;
}

mr_str mr_saved_plan_directory(const struct mr_saved_plan *saved)
{
	return saved->doc.directory;
}

static int stale(struct mr_diags *diags, const struct mr_doc_object *saved,
        const struct mr_doc_object *fresh)
{
	if (fresh && fresh->action != saved->action)
		return mr_fail(diags, MR_E_STALE,
		        "cannot apply the saved plan: '%.*s' was planned as %s, now it is %s",
		        MR_FMT(saved->object), mr_action_word(saved->action, saved->object),
		        mr_action_word(fresh->action, fresh->object));
	if (fresh)
		return mr_fail(diags, MR_E_STALE,
		        "cannot apply the saved plan: '%.*s' changed meanwhile",
		        MR_FMT(saved->object));
	return mr_fail(diags, MR_E_STALE,
	        "cannot apply the saved plan: nothing is left to do for '%.*s'",
	        MR_FMT(saved->object));
}

static const struct mr_doc_object *find(const struct mr_plan_doc *doc, mr_str object)
{
	struct mr_doc_object wanted = {.object = object};

	if (doc->objects.n == 0)
		return NULL;
	return bsearch(&wanted, doc->objects.items, doc->objects.n, sizeof wanted, by_object);
}

static void shown(const struct mr_plan_doc *doc, struct mr_buf *out)
{
	mr_doc_changes_json(doc, out);
	for (int i = 0; i < MR_ACTION_COUNT; i++)
		mr_buf_printf(out, "%" PRIu64 "\n", doc->counts[i]);
}

/* What people read in the saved plan is what will be done: nobody edited it. The fresh one takes
 * the same way through JSON, so that only what was written counts. */
static int check_shown(
        struct mr_diags *diags, const struct mr_saved_plan *saved, const struct mr_plan *fresh)
{
	struct mr_buf json = MR_BUF_INIT, was = MR_BUF_INIT, is = MR_BUF_INIT;
	struct mr_saved_plan *again = NULL;
	int result;

	mr_doc_json(&fresh->doc, &json);
	result = mr_saved_plan_parse(diags, mr_buf_str(&json), &again);
	if (result == 0) {
		shown(&saved->doc, &was);
		shown(&again->doc, &is);
		if (!mr_str_eq(mr_buf_str(&was), mr_buf_str(&is)))
			result = mr_fail(diags, MR_E_STALE,
			        "cannot apply the saved plan: it shows other changes than those it "
			        "was made with");
	}
	mr_saved_plan_free(again);
	mr_buf_done(&json);
	mr_buf_done(&was);
	mr_buf_done(&is);
	return result;
}

int mr_saved_plan_check(
        struct mr_diags *diags, const struct mr_saved_plan *saved, struct mr_plan *fresh)
{
	int result = 0;

	if (!mr_str_eq(saved->doc.host, fresh->doc.host))
		return mr_fail(diags, MR_E_STALE,
		        "cannot apply the saved plan: it is for host '%.*s', this is '%.*s'",
		        MR_FMT(saved->doc.host), MR_FMT(fresh->doc.host));
	mr_vec_each (object, &saved->doc.objects) {
		const struct mr_doc_object *now = find(&fresh->doc, object->object);
		if (!now || !mr_str_eq(now->effect, object->effect))
			result = stale(diags, object, now);
	}
	if (result < 0) {
		mr_diags_hint(diags, "make and read a new plan");
		return result;
	}
	mr_plan_narrow(fresh, &saved->objects);
	if (!mr_str_eq(fresh->doc.effects_digest, saved->doc.effects_digest))
		return mr_fail(diags, MR_E_STALE,
		        "cannot apply the saved plan: its changes are not those it was made with");
	if (!mr_str_eq(fresh->doc.digest, saved->doc.digest))
		return mr_fail(diags, MR_E_STALE,
		        "cannot apply the saved plan: the policy is not the one it was made under");
	return check_shown(diags, saved, fresh);
}

int mr_saved_plan_render(const struct mr_saved_plan *saved, const struct mr_render_options *options,
        struct mr_buf *out)
{
	mr_doc_render(&saved->doc, options, out);
	return 0;
}
