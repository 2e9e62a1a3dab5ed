/*
 * Comparing one item: LIVE attributes stay the user's, PARTIAL items are compared only in what they
 * name, and what others changed is told apart from what git wants.
 */
#include "plan/compare.h"

#include "plan/field.h"
#include "plan/words.h"

static const struct mr_attr absent;

struct job {
	struct mr_diff *diff;
	const struct mr_diff_options *options;
	const struct mr_item *desired, *live, *owned;
	mr_str pre_image; /* asked for only where it decides */
	bool has_pre_image;
	bool is_asked;
	bool is_ours; /* of the attribute in hand: what we own of it is what is desired */
	struct mr_comparison *out;
};

void mr_comparison_init(struct mr_comparison *comparison)
{
	*comparison = (struct mr_comparison){0};
	mr_attrs_builder_init(&comparison->before);
	mr_attrs_builder_init(&comparison->after);
}

void mr_comparison_done(struct mr_comparison *comparison)
{
	mr_attrs_builder_done(&comparison->before);
	mr_attrs_builder_done(&comparison->after);
}

static void clear(struct mr_comparison *comparison)
{
	mr_attrs_builder_clear(&comparison->before);
	mr_attrs_builder_clear(&comparison->after);
	comparison->has_intent = comparison->has_drift = comparison->is_changing = false;
}

static int damaged(const struct mr_diff_options *options, mr_str key)
{
	return mr_fail(options->diags, MR_E_FAILED,
	        "cannot compare '%.*s' of %.*s: its bytes are no attribute set", MR_FMT(key),
	        MR_FMT(options->in->name));
}

static bool is_partial(const struct mr_diff_options *options)
{
	return options->in->flags & MR_COLLECTION_PARTIAL;
}

static size_t count_of(const struct mr_attr *attr)
{
	return attr ? attr->n_values : 0;
}

static bool plainly_same(
        const struct mr_diff_options *options, const struct mr_attr *a, const struct mr_attr *b)
{
	if (count_of(a) == 0 || count_of(b) == 0)
		return count_of(a) == count_of(b);
	return mr_attr_same(a, b, options->key);
}

static bool live_same(const struct mr_diff_options *options, const struct mr_attr *desired,
        const struct mr_attr *live)
{
	if (plainly_same(options, desired, live))
		return true;
	if (count_of(desired) == 0 || count_of(live) == 0 || (live->flags & MR_ATTR_SEALED))
		return false;
	if (!options->provider || !options->provider->same)
		return false;
	return options->provider->same(options->backend, options->in, desired, live);
}

/* Set once by git, the user's ever since, until git's own value changes. */
static bool live_wins(const struct job *job, const struct mr_attr_row *row)
{
	const struct mr_attr *desired = row->side[MR_SIDE_DESIRED];

	if (!desired || !(desired->flags & MR_ATTR_LIVE) || count_of(row->side[MR_SIDE_LIVE]) == 0)
		return false;
	if (!job->owned || (!row->side[MR_SIDE_OWNED] && is_partial(job->options)))
		return true;
	return job->is_ours;
}

static void add(
        struct mr_attrs_builder *builder, mr_str name, const struct mr_attr *attr, bool keeps_empty)
{
	if (count_of(attr) > 0)
		mr_attrs_add_attr(builder, attr);
	else if (keeps_empty)
		mr_attrs_begin(builder, name, 0);
}

static mr_str copy(struct mr_diff *diff, mr_str s)
{
	return mr_str_copy(&diff->changes.arena, s);
}

static struct mr_attr copy_attr(struct mr_diff *diff, const struct mr_attr *attr)
{
	struct mr_attr result = attr ? *attr : absent;

	result.name = copy(diff, result.name);
	result.encoded_values = copy(diff, result.encoded_values);
	return result;
}

static void record(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_item *item, mr_str object, const struct mr_attr_row *row)
{
	const struct mr_attr *applied = row->side[MR_SIDE_DESIRED], *live = row->side[MR_SIDE_LIVE];

	mr_vec_push(&diff->drift, (struct mr_drift){
	                                  .in = options->in,
	                                  .key = copy(diff, item->key),
	                                  .object = copy(diff, object),
	                                  .attribute = copy(diff, row->name),
	                                  .applied = copy_attr(diff, applied),
	                                  .live = copy_attr(diff, live),
	                          });
}

static void ask_pre_image(struct job *job)
{
	const struct mr_diff_options *options = job->options;

	if (job->is_asked || !job->owned || !options->pre_image)
		return;
	job->is_asked = true;
	job->has_pre_image = options->pre_image(options->pre_image_arg, options->in->name,
	                             job->owned->key, &job->diff->changes.arena, &job->pre_image) &&
	                     job->pre_image.data;
}

/* What git wants an attribute to be that only the owned body names any more (PARTIAL). false: leave
 * it alone. */
static bool find_former(struct job *job, const struct mr_attr_row *row, struct mr_attr *former)
{
	const struct mr_attr *owned = row->side[MR_SIDE_OWNED];

	if (!owned || (owned->flags & MR_ATTR_LIVE))
		return false;
	*former = absent;
	former->name = row->name;
	ask_pre_image(job);
	if (!job->has_pre_image)
		return true;
	(void)mr_attrs_find(job->pre_image, row->name, former);
	/* a secret is not kept in clear, so it cannot be put back */
	return !(former->flags & MR_ATTR_SEALED);
}

static bool has_contended(const struct mr_diff_options *options)
{
	return options->drift_mode == MR_DRIFT_HEAL && options->contended &&
	       options->contended->n > 0;
}

static struct mr_word word_of(const struct mr_diff_options *options, const struct mr_item *item,
        const struct mr_attr *attr)
{
	struct mr_word word;

	mr_words_of(options->in, item->object, item->key, (mr_str){0}, attr, &word);
	return word;
}

/* What becomes of drift of one attribute of an item. */
static enum mr_drift_mode drift_mode_of(const struct mr_diff_options *options,
        const struct mr_item *item, const struct mr_attr *attr)
{
	if (has_contended(options) &&
	        mr_field_among(options->contended, item->object, word_of(options, item, attr).name))
		return MR_DRIFT_REPORT;
	return options->drift_mode;
}

/* The one that names it, as make_drift of the document does. */
static const struct mr_attr *any_side(const struct mr_attr_row *row)
{
	const struct mr_attr *live = row->side[MR_SIDE_LIVE];

	return live && live->n_values > 0 ? live : row->side[MR_SIDE_DESIRED];
}

/* The attribute differs: decides whose change it is and what it shall be. */
static void differ(struct job *job, const struct mr_attr_row *row, const struct mr_attr *wanted,
        bool is_revert)
{
	const struct mr_attr *live = row->side[MR_SIDE_LIVE];
	struct mr_comparison *out = job->out;
	bool is_drift = job->owned && !is_revert && job->is_ours;
	bool is_kept = is_drift &&
	               drift_mode_of(job->options, job->desired, any_side(row)) != MR_DRIFT_HEAL;

	if (is_drift) {
		if (job->options->drift_mode != MR_DRIFT_OFF) {
			record(job->diff, job->options, job->desired, job->desired->object, row);
			out->has_drift = true;
		}
	} else {
		out->has_intent = true;
	}
	if (!is_kept)
		out->is_changing = true;
	if (is_partial(job->options)) {
		if (is_kept)
			return;
		add(&out->before, row->name, live, true);
		add(&out->after, row->name, wanted, true);
		return;
	}
	add(&out->before, row->name, live, false);
	add(&out->after, row->name, is_kept ? live : wanted, false);
}

/* One keyed digest an attribute at most: the answer serves all questions of it. */
static void compare_with_owned(struct job *job, const struct mr_attr_row *row)
{
	const struct mr_attr *desired = row->side[MR_SIDE_DESIRED],
	                     *owned = row->side[MR_SIDE_OWNED];

	if (!job->owned)
		return;
	job->is_ours = plainly_same(job->options, owned, desired);
	/* "must be absent" and "not named" are not the same to a PARTIAL item */
	if (!job->is_ours || (is_partial(job->options) && !owned != !desired))
		job->out->is_owned_same = false;
}

static void compare_row(struct job *job, const struct mr_attr_row *row)
{
	const struct mr_attr *desired = row->side[MR_SIDE_DESIRED], *live = row->side[MR_SIDE_LIVE];
	struct mr_attr former;
	bool is_revert = false;

	compare_with_owned(job, row);
	if (!desired && is_partial(job->options)) {
		if (!find_former(job, row, &former))
			return;
		desired = &former;
		is_revert = true;
	}
	bool keeps_live = live_wins(job, row);
	if (!keeps_live && !live_same(job->options, desired, live)) {
		differ(job, row, desired, is_revert);
		return;
	}
	if (is_partial(job->options))
		return;
	add(&job->out->before, row->name, live, false);
	/* equal values in the server's own form stay as they are, so that after differs only where
	 * something happens */
	bool is_clear_here = desired && !keeps_live && live && (live->flags & MR_ATTR_SEALED);
	add(&job->out->after, row->name, is_clear_here ? desired : live, false);
}

int mr_compare(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_item *desired, const struct mr_item *live, const struct mr_item *owned,
        struct mr_comparison *out)
{
	struct job job = {.diff = diff,
	        .options = options,
	        .desired = desired,
	        .live = live,
	        .owned = owned,
	        .out = out};
	struct mr_attr_walk walk;
	struct mr_attr_row row;
	int result;

	clear(out);
	out->is_owned_same = owned;
	mr_attr_walk_init(&walk, desired->body, live->body, owned ? owned->body : (mr_str){0});
	while ((result = mr_attr_walk_next(&walk, &row)) > 0)
		compare_row(&job, &row);
	return result < 0 ? damaged(options, desired->key) : 0;
}

int mr_compare_revert(const struct mr_diff_options *options, const struct mr_item *live,
        const struct mr_item *owned, mr_str pre_image, struct mr_comparison *out)
{
	struct job job = {.options = options,
	        .live = live,
	        .owned = owned,
	        .pre_image = pre_image,
	        .has_pre_image = true,
	        .is_asked = true,
	        .out = out};
	struct mr_attr_walk walk;
	struct mr_attr_row row;
	struct mr_attr former;
	int result;

	clear(out);
	mr_attr_walk_init(&walk, (mr_str){0}, live->body, owned->body);
	while ((result = mr_attr_walk_next(&walk, &row)) > 0)
		if (find_former(&job, &row, &former) &&
		        !live_same(options, &former, row.side[MR_SIDE_LIVE]))
			differ(&job, &row, &former, true);
	return result < 0 ? damaged(options, live->key) : 0;
}

int mr_compare_owned(const struct mr_diff_options *options, mr_str desired, mr_str owned, bool *out)
{
	struct mr_attr_walk walk;
	struct mr_attr_row row;
	bool is_same = true;
	int result = 0;

	if (!mr_str_eq(desired, owned)) {
		mr_attr_walk_init(&walk, desired, (mr_str){0}, owned);
		while (is_same && (result = mr_attr_walk_next(&walk, &row)) > 0) {
			const struct mr_attr *ours = row.side[MR_SIDE_OWNED],
			                     *wanted = row.side[MR_SIDE_DESIRED];
			/* "must be absent" and "not named" are not the same to a PARTIAL item */
			is_same = plainly_same(options, ours, wanted) &&
			          (!is_partial(options) || !ours == !wanted);
		}
	}
	if (result < 0)
		return damaged(options, MR_STR("owned"));
	*out = is_same;
	return 0;
}

int mr_compare_lone(struct mr_diff *diff, const struct mr_diff_options *options,
        const struct mr_item *item, bool is_live)
{
	struct mr_attr_walk walk;
	struct mr_attr_row row;
	int result;

	mr_attr_walk_init(&walk, is_live ? (mr_str){0} : item->body,
	        is_live ? item->body : (mr_str){0}, (mr_str){0});
	while ((result = mr_attr_walk_next(&walk, &row)) > 0)
		record(diff, options, item, item->object, &row);
	return result < 0 ? damaged(options, item->key) : 0;
}

enum mr_drift_mode mr_drift_mode_of_lone(
        const struct mr_diff_options *options, const struct mr_item *item)
{
	struct mr_attr_walk walk;
	struct mr_attr_row row;
	enum mr_drift_mode mode = options->drift_mode;

	mr_attr_walk_init(&walk, item->body, (mr_str){0}, (mr_str){0});
	while (has_contended(options) && mr_attr_walk_next(&walk, &row) > 0) {
		const struct mr_attr *attr = row.side[MR_SIDE_DESIRED];

		if (word_of(options, item, attr).kind == MR_WORD_HIDDEN)
			continue;
		mode = drift_mode_of(options, item, attr);
		if (mode == MR_DRIFT_HEAL)
			break;
	}
	return mode;
}
