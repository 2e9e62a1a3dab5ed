/*
 * Judging the rows of declared tables: what Postfix would drop with a warning, or not at all.
 */
#include "postfix/judge.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

/* Postfix passes over a network that it cannot read, with a warning that few will see. */
static const char *network_problem(mr_str pattern)
{
	unsigned char address[16] = {0};
	size_t slash = mr_str_find(pattern, '/');
	mr_str host = mr_str_take(pattern, slash);
	bool is_v6 = mr_str_find(host, ':') < host.size;
	uint64_t width = is_v6 ? 128 : 32, bits = width;
	char plain[INET6_ADDRSTRLEN];

	if (host.size >= sizeof plain)
		return "its pattern is no network";
	memcpy(plain, host.data, host.size);
	plain[host.size] = '\0';
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, plain, address) != 1)
		return "its pattern is no network";
	if (slash < pattern.size &&
	        mr_number_parse(mr_str_skip(pattern, slash + 1), width, &bits) < 0)
		return "its pattern is no network";
	for (uint64_t i = bits; i < width; i++)
		if (address[i / 8] & (0x80U >> (i % 8)))
			return "its network has bits behind its length";
	return NULL;
}

static bool is_network(mr_str pattern)
{
	return pattern.size && strchr("0123456789abcdefABCDEF:", pattern.data[0]) &&
	       (mr_str_find(pattern, '.') < pattern.size ||
	               mr_str_find(pattern, ':') < pattern.size);
}

static const char *row_problem(const struct mr_postfix_table *table, const struct mr_table_row *row,
        struct mr_arena *arena)
{
	mr_str line, pattern, value;
	const char *why = NULL;

	if (!mr_table_is_ordered(table->kind)) {
		if (mr_table_fold_key(arena, row->key, &line, &why))
			return why;
		return mr_str_trim(row->value).size ? NULL : "its value is empty";
	}
	line = mr_str_printf(arena, "%.*s %.*s", MR_FMT(row->key), MR_FMT(row->value));
	if (mr_ordered_row_parse(line, table->kind, &pattern, &value, &why))
		return why;
	/* conditions and negations are Postfix's to judge */
	return table->kind == MR_TABLE_CIDR && is_network(pattern) ? network_problem(pattern)
	                                                           : NULL;
}

int mr_postfix_judge_rows(struct mr_backend *backend, struct mr_desired *desired,
        const struct mr_postfix_table *table)
{
	struct mr_arena arena;
	struct mr_iter iter;
	struct mr_table_row row;
	int code = mr_desired_begin_table_row(desired, table->name, &iter);

	if (code)
		return code;
	mr_arena_init(&arena);
	while ((code = mr_desired_next_table_row(&iter, &row)) > 0) {
		const char *why = row_problem(table, &row, &arena);

		if (why)
			mr_diags_at(backend->diags, MR_ERROR, "MR-TABLE-ROW", &row.loc,
			        "row '%.*s' of table '%.*s' cannot be written: %s",
			        MR_FMT(row.is_key_sensitive ? MR_STR("(secret)") : row.key),
			        MR_FMT(table->name), why);
		mr_arena_reset(&arena);
	}
	mr_arena_done(&arena);
	mr_desired_end(&iter);
	return code;
}
