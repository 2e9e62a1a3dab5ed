/*
 * The versions of Dovecot that can be managed, and what is the same in all of them.
 */
#include "dovecot/names.h"

#include <string.h>

#include "base/text.h"

static const struct mr_dovecot_version *const versions[] = {
        &mr_dovecot_version_23, &mr_dovecot_version_24};

const struct mr_dovecot_version *mr_dovecot_version_find(mr_str text)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (mr_str_starts(text, mr_str_from(versions[i]->prefix)))
			return versions[i];
	return NULL;
}

/* clang-format off */
static const struct {
	mr_str unit;
	uint64_t factor;
	char kind; /* what may be compared with what: size, time */
} units[] = {
	{MR_STR_INIT("B"), 1, 's'},          {MR_STR_INIT("k"), 1024, 's'},        {MR_STR_INIT("kB"), 1024, 's'},
	{MR_STR_INIT("K"), 1024, 's'},       {MR_STR_INIT("M"), 1048576, 's'},     {MR_STR_INIT("MB"), 1048576, 's'},
	{MR_STR_INIT("G"), 1073741824, 's'}, {MR_STR_INIT("GB"), 1073741824, 's'}, {MR_STR_INIT("T"), 1099511627776, 's'},
	{MR_STR_INIT("ms"), 1, 't'},         {MR_STR_INIT("msecs"), 1, 't'},       {MR_STR_INIT("s"), 1000, 't'},
	{MR_STR_INIT("sec"), 1000, 't'},     {MR_STR_INIT("secs"), 1000, 't'},     {MR_STR_INIT("m"), 60000, 't'},
	{MR_STR_INIT("min"), 60000, 't'},    {MR_STR_INIT("mins"), 60000, 't'},    {MR_STR_INIT("h"), 3600000, 't'},
	{MR_STR_INIT("hour"), 3600000, 't'}, {MR_STR_INIT("hours"), 3600000, 't'}, {MR_STR_INIT("d"), 86400000, 't'},
	{MR_STR_INIT("days"), 86400000, 't'}, {MR_STR_INIT("w"), 604800000, 't'},  {MR_STR_INIT("weeks"), 604800000, 't'},
};
/* clang-format on */

/* A number with a unit; kind 'n' without one. */
static bool quantity(mr_str value, uint64_t *out, char *out_kind)
{
	size_t digits = 0;
	uint64_t number;
	mr_str unit;

	while (digits < value.size && value.data[digits] >= '0' && value.data[digits] <= '9')
		digits++;
	if (digits == 0 || mr_number_parse(mr_str_take(value, digits), UINT64_MAX, &number))
		return false;
	unit = mr_str_trim(mr_str_skip(value, digits));
	*out = number;
	*out_kind = 'n';
	for (size_t i = 0; unit.size && i < sizeof units / sizeof *units; i++) {
		if (!mr_str_eq(unit, units[i].unit))
			continue;
		*out_kind = units[i].kind;
		return !__builtin_mul_overflow(number, units[i].factor, out);
	}
	return unit.size == 0;
}

static bool same_words(mr_str a, mr_str b)
{
	while (a.size > 0 || b.size > 0) {
		mr_str left = mr_str_trim(a), right = mr_str_trim(b);

		a = left;
		b = right;
		if (!mr_str_eq(mr_str_split(&a, ' '), mr_str_split(&b, ' ')))
			return false;
	}
	return true;
}

bool mr_dovecot_value_same(mr_str a, mr_str b)
{
	struct mr_arena arena = MR_ARENA_INIT;
	uint64_t left, right;
	char left_kind, right_kind;
	bool is_same = mr_str_eq(a, b) || same_words(a, b);

	if (!is_same && quantity(a, &left, &left_kind) && quantity(b, &right, &right_kind))
		/* a bare number: bytes against a size; what it counts of a time depends on the
		 * setting */
		is_same = left == right &&
		          (left_kind == right_kind || (left_kind != 't' && right_kind != 't'));
	if (!is_same)
		is_same = same_words(
		        mr_name_variables_old(&arena, a), mr_name_variables_old(&arena, b));
	mr_arena_done(&arena);
	return is_same;
}
