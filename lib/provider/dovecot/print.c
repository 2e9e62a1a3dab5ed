/*
 * A list of settings as text: sections that follow one another share their braces.
 */
#include "dovecot/names.h"

static void indent(struct mr_buf *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		mr_buf_add_text(out, "  ");
}

static void close_to(struct mr_buf *out, size_t *depth, size_t target)
{
	while (*depth > target) {
		indent(out, --*depth);
		mr_buf_add_text(out, "}\n");
	}
}

/* 2.4 takes a name for one word unless it is quoted. */
static void add_name(mr_str name, struct mr_buf *out)
{
	size_t start = out->size;

	mr_dovecot_conf_quote(name, out);
	if (mr_str_find(name, ' ') == name.size || out->data[start] == '"')
		return;
	out->size = start;
	mr_buf_printf(out, "\"%.*s\"", MR_FMT(name));
}

static void open_section(struct mr_buf *out, size_t depth, mr_str section, bool is_named)
{
	size_t blank = mr_str_find(section, ' ');
	mr_str name = mr_str_skip(section, blank + 1);

	indent(out, depth);
	mr_buf_add_str(out, mr_str_take(section, blank));
	if (name.size && is_named) {
		mr_buf_add_char(out, ' ');
		add_name(name, out);
	}
	mr_buf_add_text(out, " {\n");
}

void mr_dovecot_print(
        const struct mr_dovecot_settings *texts, bool names_databases, struct mr_buf *out)
{
	mr_str open[MR_DOVECOT_DEPTH];
	size_t depth = 0;

	mr_vec_each (setting, &texts->list) {
		mr_str parts[MR_DOVECOT_DEPTH];
		size_t n = mr_dovecot_path_split(setting->path, parts, MR_DOVECOT_DEPTH), same = 0;

		if (n == 0)
			continue;
		while (same < depth && same + 1 < n && mr_str_eq(open[same], parts[same]))
			same++;
		close_to(out, &depth, same);
		for (; depth + 1 < n; depth++) {
			open[depth] = parts[depth];
			open_section(out, depth, parts[depth],
			        names_databases || !mr_dovecot_is_database(parts[depth]));
		}
		indent(out, depth);
		mr_buf_printf(out, "%.*s = %.*s\n", MR_FMT(parts[n - 1]), MR_FMT(setting->value));
	}
	close_to(out, &depth, 0);
}
