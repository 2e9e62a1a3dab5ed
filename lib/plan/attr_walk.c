/*
 * Walking the attributes of three bodies in step.
 */
#include "plan/compare.h"

void mr_attr_walk_init(struct mr_attr_walk *walk, mr_str desired, mr_str live, mr_str owned)
{
	*walk = (struct mr_attr_walk){.rest = {desired, live, owned}};
}

static int advance(struct mr_attr_walk *walk, int side)
{
	int result = 0;

	if (walk->rest[side].size > 0)
		result = mr_attrs_next(&walk->rest[side], &walk->at[side]);
	walk->has[side] = result == 1;
	return result < 0 ? result : 0;
}

static const struct mr_attr *least(const struct mr_attr_walk *walk)
{
	const struct mr_attr *first = NULL;

	for (int side = 0; side < MR_SIDE_COUNT; side++)
		if (walk->has[side] && (!first || mr_str_cmp(walk->at[side].name, first->name) < 0))
			first = &walk->at[side];
	return first;
}

/* A side that was handed out is moved on only at the next call, so that the row stays valid. */
static int leave(struct mr_attr_walk *walk)
{
	const struct mr_attr *gone = least(walk);
	mr_str name = gone ? gone->name : (mr_str){0};

	for (int side = 0; side < MR_SIDE_COUNT; side++) {
		if (walk->is_started && !(walk->has[side] && mr_str_eq(walk->at[side].name, name)))
			continue;
		int result = advance(walk, side);
		if (result < 0)
			return result;
	}
	walk->is_started = true;
	return 0;
}

int mr_attr_walk_next(struct mr_attr_walk *walk, struct mr_attr_row *out)
{
	int result = leave(walk);
	const struct mr_attr *first;

	if (result < 0)
		return result;
	first = least(walk);
	if (!first)
		return 0;
	*out = (struct mr_attr_row){.name = first->name};
	for (int side = 0; side < MR_SIDE_COUNT; side++)
		if (walk->has[side] && mr_str_eq(walk->at[side].name, first->name))
			out->side[side] = &walk->at[side];
	return 1;
}
