/*
 * Rows of lookup tables: a line of an ordered table that is taken is written back as a line that
 * reads the same, and a folded key folds to itself. The first byte chooses the kind, the rest is
 * the line.
 */
#include "fuzz.h"

#include "postfix/postconf.h"
#include "postfix/table.h"

static void ordered_line(mr_str line, enum mr_table_kind kind)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str pattern, value, again_pattern, again_value, written;
	const char *why = NULL;

	if (mr_ordered_row_parse(line, kind, &pattern, &value, &why)) {
		PROMISE(why != NULL);
	} else {
		PROMISE(pattern.size > 0);
		written = mr_str_printf(&arena, "%.*s%s%.*s", MR_FMT(pattern),
		        value.size ? " " : "", MR_FMT(value));
		PROMISE(!mr_ordered_row_parse(written, kind, &again_pattern, &again_value, &why));
		PROMISE(mr_str_eq(pattern, again_pattern) && mr_str_eq(value, again_value));
	}
	mr_arena_done(&arena);
}

static void key(mr_str text)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str folded, again;
	const char *why = NULL;

	if (mr_table_fold_key(&arena, text, &folded, &why)) {
		PROMISE(why != NULL);
	} else {
		PROMISE(folded.size > 0 && folded.size <= 510);
		PROMISE(!mr_table_fold_key(&arena, folded, &again, &why) &&
		        mr_str_eq(folded, again));
	}
	mr_arena_done(&arena);
}

static void services(mr_str text)
{
	struct mr_postconf postconf = {0};

	mr_postconf_parse_services(&postconf, text);
	mr_vec_each (service, &postconf.services)
		PROMISE(service->name.size && service->command.size);
	mr_postconf_done(&postconf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mr_str text = {(const char *)data, size};

	if (!size)
		return 0;
	text = mr_str_skip(text, 1);
	switch (data[0] % 5) {
	case 0:
		key(text);
		break;
	case 1:
		services(text);
		break;
	default:
		ordered_line(text, (enum mr_table_kind)(MR_TABLE_CIDR + data[0] % 5 - 2));
	}
	return 0;
}
