/*
 * mailreeve.conf: what we want in comments, a digest, and what follows from that for the installed
 * version. The digest tells whether somebody else edited the file.
 */
#include "dovecot/names.h"

#include "base/digest.h"

#define OWN_LIMIT ((size_t)16 << 20)

static const mr_str head =
        MR_STR_INIT("# Written by mailreeve from its repository: changes made here are undone.\n");
static const mr_str plain_mark = MR_STR_INIT("#: ");
static const mr_str secret_mark = MR_STR_INIT("#* ");
static const mr_str digest_mark = MR_STR_INIT("#= ");
static const mr_str between = MR_STR_INIT(" = ");

bool mr_dovecot_is_database(mr_str path)
{
	return mr_str_starts(path, MR_STR("passdb ")) || mr_str_starts(path, MR_STR("userdb "));
}

static size_t find_between(mr_str line)
{
	for (size_t i = 0; i < line.size; i++)
		if (mr_str_starts(mr_str_skip(line, i), between))
			return i;
	return line.size;
}

static void read_comment(struct mr_arena *arena, mr_str line, struct mr_dovecot_own *out)
{
	bool is_secret = mr_str_starts(line, secret_mark);
	mr_str rest = mr_str_skip(line, plain_mark.size);
	size_t at = find_between(rest);

	if ((!is_secret && !mr_str_starts(line, plain_mark)) || at == rest.size) {
		out->is_edited = true;
		return;
	}
	mr_dovecot_settings_set(&out->settings,
	        &(struct mr_dovecot_setting){.path = mr_str_copy(arena, mr_str_take(rest, at)),
	                .value = mr_str_copy(arena, mr_str_skip(rest, at + between.size)),
	                .is_sensitive = is_secret});
}

static bool digest_holds(mr_str line, mr_str rendered)
{
	struct mr_digest digest = mr_digest_of(rendered);
	struct mr_buf hex = MR_BUF_INIT;
	bool is_same;

	mr_digest_format(&digest, &hex);
	is_same = mr_str_eq(mr_str_skip(line, digest_mark.size), mr_buf_str(&hex));
	mr_buf_done(&hex);
	return is_same;
}

void mr_dovecot_own_parse(struct mr_arena *arena, mr_str text, struct mr_dovecot_own *out)
{
	bool is_whole = false;

	*out = (struct mr_dovecot_own){.is_there = true};
	if (mr_str_starts(text, head))
		text = mr_str_skip(text, head.size);
	while (!is_whole && text.size > 0 && text.data[0] == '#') {
		mr_str line = mr_str_split(&text, '\n');

		is_whole = mr_str_starts(line, digest_mark);
		if (is_whole)
			out->is_edited |= !digest_holds(line, text);
		else
			read_comment(arena, line, out);
	}
	out->is_edited |= !is_whole;
}

int mr_dovecot_own_read(
        struct mr_backend *backend, struct mr_arena *arena, struct mr_dovecot_own *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_file_read(backend->diags, backend->settings_path, OWN_LIMIT, &text);

	*out = (struct mr_dovecot_own){0};
	if (!code)
		mr_dovecot_own_parse(arena, mr_buf_str(&text), out);
	mr_buf_done_secret(&text);
	return code && code != MR_E_NOT_FOUND ? MR_E_UNREADABLE : 0;
}

/* The parts of 2.3's mail_location that we do not set are those of the others. */
static int complete_location(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_settings *from, struct mr_dovecot_settings *out)
{
	bool is_needed = false;
	int code;

	mr_vec_each (setting, &from->list) {
		mr_dovecot_settings_set(out, setting);
		is_needed |= mr_name_location_part(setting->path) != NULL;
	}
	if (!is_needed || !backend->version->has_one_location)
		return 0;
	code = mr_dovecot_learn_base(backend);
	for (size_t i = 0; !code && mr_name_location_nth(i).size; i++) {
		struct mr_dovecot_setting part = {.path = mr_name_location_nth(i)};

		if (!mr_dovecot_settings_find(out, part.path) &&
		        backend->version->value_in(arena, &backend->base, part.path, &part.value))
			mr_dovecot_settings_set(out, &part);
	}
	return code;
}

int mr_dovecot_own_format(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_settings *settings, struct mr_buf *out)
{
	struct mr_dovecot_settings whole = {0};
	struct mr_buf rendered = MR_BUF_INIT;
	struct mr_digest digest;
	int code = mr_dovecot_learn_version(backend);

	if (!code)
		code = complete_location(backend, arena, settings, &whole);
	if (!code) {
		backend->version->render(arena, &whole, &rendered);
		mr_buf_add_str(out, head);
		mr_vec_each (setting, &settings->list) {
			mr_buf_add_str(out, setting->is_sensitive ? secret_mark : plain_mark);
			mr_buf_add_str(out, setting->path);
			mr_buf_add_str(out, between);
			mr_buf_add_str(out, setting->value);
			mr_buf_add_char(out, '\n');
		}
		digest = mr_digest_of(mr_buf_str(&rendered));
		mr_buf_add_str(out, digest_mark);
		mr_digest_format(&digest, out);
		mr_buf_add_char(out, '\n');
		mr_buf_add_str(out, mr_buf_str(&rendered));
	}
	mr_buf_done_secret(&rendered);
	mr_dovecot_settings_done(&whole);
	return code;
}
