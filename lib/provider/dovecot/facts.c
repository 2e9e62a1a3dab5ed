/*
 * What the installed programs say of themselves and of the configuration. Answers are kept in the
 * cache under a stamp of everything they depend on, so that an unchanged server is read without
 * starting a program.
 */
#include "dovecot/names.h"

#include "base/digest.h"
#include "base/run.h"

#define PROGRAM_TIMEOUT_MS 20000

/* What the programs are: a new package gives new answers. */
static void add_programs(struct mr_hash *hash)
{
	static const char *const paths[] = {"/usr/sbin/dovecot", "/usr/bin/doveconf",
	        "/usr/bin/doveadm", "/usr/lib/dovecot", "/usr/lib/dovecot/modules",
	        "/usr/lib/dovecot/modules/settings"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct mr_file_identity identity;

		mr_file_identify(paths[i], &identity);
		mr_hash_add(hash, (mr_str){(const char *)&identity, sizeof identity});
	}
}

static struct mr_digest stamp_of(const struct mr_digest *more)
{
	struct mr_hash hash;

	mr_hash_init(&hash);
	add_programs(&hash);
	if (more)
		mr_hash_add(&hash, (mr_str){(const char *)more->bytes, sizeof more->bytes});
	return mr_hash_final(&hash);
}

/* An answer is kept as its stamp's 32 bytes and then the program's words. */
static bool recall(struct mr_backend *backend, const char *name, const struct mr_digest *stamp,
        struct mr_arena *arena, mr_str *out)
{
	struct mr_cache *cache = backend->options->cache;
	mr_str kept, head = {(const char *)stamp->bytes, sizeof stamp->bytes};

	if (!cache || !cache->get(cache, mr_str_from(name), arena, &kept) ||
	        !mr_str_starts(kept, head))
		return false;
	*out = mr_str_skip(kept, head.size);
	return true;
}

static void keep(
        struct mr_backend *backend, const char *name, const struct mr_digest *stamp, mr_str answer)
{
	struct mr_cache *cache = backend->options->cache;
	struct mr_buf value = MR_BUF_INIT;

	if (!cache)
		return;
	mr_buf_add(&value, stamp->bytes, sizeof stamp->bytes);
	mr_buf_add_str(&value, answer);
	cache->put(cache, mr_str_from(name), mr_buf_str(&value));
	mr_buf_done_secret(&value);
}

struct question {
	const char *name; /* in the cache, of the config's path as well */
	const char *const *argv;
	mr_str input;
	const struct mr_digest *depends_on; /* besides the programs; NULL: nothing */
};

static int failed(struct mr_backend *backend, const struct mr_run *run)
{
	mr_str words = mr_str_trim(mr_buf_str(&run->err));

	return mr_fail(backend->diags, MR_E_UNREADABLE, "%s ended with status %d: %.*s",
	        run->argv[0], run->status, MR_FMT(words));
}

static int ask(struct mr_backend *backend, const struct question *question, struct mr_arena *arena,
        mr_str *out)
{
	struct mr_digest stamp = stamp_of(question->depends_on);
	struct mr_run run = {
	        .argv = question->argv, .input = question->input, .timeout_ms = PROGRAM_TIMEOUT_MS};
	int code;

	if (recall(backend, question->name, &stamp, arena, out))
		return 0;
	code = mr_run(backend->diags, &run);
	if (code)
		code = MR_E_UNREADABLE;
	else if (run.status)
		code = failed(backend, &run);
	if (!code) {
		*out = mr_str_copy(arena, mr_buf_str(&run.out));
		keep(backend, question->name, &stamp, *out);
	}
	mr_run_done(&run);
	return code;
}

int mr_dovecot_learn_version(struct mr_backend *backend)
{
	static const char *const argv[] = {"dovecot", "--version", NULL};
	struct question question = {.name = "dovecot/version", .argv = argv};
	mr_str text;
	int code;

	if (backend->version)
		return 0;
	code = ask(backend, &question, &backend->arena, &text);
	if (code)
		return code;
	text = mr_str_trim(text);
	backend->version_text = mr_str_take(text, mr_str_find(text, ' '));
	backend->version = mr_dovecot_version_find(backend->version_text);
	if (backend->version)
		return 0;
	mr_fail(backend->diags, MR_E_CONFIG, "Dovecot '%.*s' is not supported",
	        MR_FMT(backend->version_text));
	mr_diags_hint(backend->diags, "this version of mailreeve manages Dovecot 2.3 and 2.4");
	return MR_E_CONFIG;
}

static int parse(struct mr_backend *backend, mr_str text, struct mr_arena *arena,
        struct mr_dovecot_settings *out)
{
	size_t line;

	if (!mr_dovecot_conf_parse(arena, text, out, &line))
		return 0;
	return mr_fail(backend->diags, MR_E_UNREADABLE,
	        "doveconf printed a line that is not understood: line %zu", line);
}

int mr_dovecot_learn_defaults(struct mr_backend *backend)
{
	static const char *const argv[] = {"doveconf", "-c", "/dev/null", "-d", NULL};
	struct question question = {.name = "dovecot/defaults", .argv = argv};
	mr_str text;
	int code = mr_dovecot_learn_version(backend);

	if (code || backend->has_defaults)
		return code;
	code = ask(backend, &question, &backend->arena, &text);
	if (!code)
		code = parse(backend, text, &backend->arena, &backend->defaults);
	if (!code && backend->version->more_defaults) {
		question.name = "dovecot/more-defaults";
		question.argv = backend->version->more_defaults;
		code = ask(backend, &question, &backend->arena, &text);
		if (!code)
			code = parse(backend, text, &backend->arena, &backend->defaults);
	}
	backend->has_defaults = !code;
	return code;
}

/* What may stand among a program's arguments without being taken for an option. */
static bool is_plain_name(mr_str name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!(name.data[i] >= 'a' && name.data[i] <= 'z') && name.data[i] != '_' &&
		        !(i > 0 && name.data[i] >= '0' && name.data[i] <= '9'))
			return false;
	return name.size > 0;
}

int mr_dovecot_learn_default_of(struct mr_backend *backend, mr_str path)
{
	const char *argv[] = {"doveconf", "-c", "/dev/null", "-d", NULL, NULL, NULL};
	struct question question = {.argv = argv};
	struct mr_place place;
	mr_str text, word;
	int code;

	if (!mr_place_parse(path, &place) || !is_plain_name(place.name))
		return 0;
	word = mr_str_take(place.section, mr_str_find(place.section, ' '));
	argv[4] = mr_str_copy(&backend->arena, place.name).data;
	if (is_plain_name(word))
		argv[5] = mr_str_printf(&backend->arena, "%.*s_%s", MR_FMT(word), argv[4]).data;
	question.name =
	        mr_str_printf(&backend->arena, "dovecot/default/%s", argv[5] ? argv[5] : argv[4])
	                .data;
	code = ask(backend, &question, &backend->arena, &text);
	return code ? code : parse(backend, text, &backend->arena, &backend->defaults);
}

int mr_dovecot_complete(struct mr_backend *backend, struct mr_dovecot_settings *settings)
{
	int code = mr_dovecot_learn_defaults(backend);

	if (code || !backend->version->hides_defaults)
		return code;
	mr_vec_each (setting, &backend->defaults.list)
		if ((mr_str_starts(setting->path, MR_STR("service ")) ||
		            mr_str_find(setting->path, '/') == setting->path.size) &&
		        !mr_dovecot_settings_find(settings, setting->path))
			mr_dovecot_settings_set(settings, setting);
	return 0;
}

int mr_dovecot_learn_base(struct mr_backend *backend)
{
	static const char *const argv[] = {"doveconf", "-c", "/dev/stdin", "-a", NULL};
	struct question question = {.name = "dovecot/base", .argv = argv};
	struct mr_buf elsewhere = MR_BUF_INIT;
	struct mr_dovecot_stamps stamps;
	mr_str text = {0};
	int code;

	if (backend->has_base)
		return 0;
	code = mr_dovecot_stamp(backend, &stamps);
	if (!code)
		code = mr_dovecot_main_elsewhere(backend, NULL, &elsewhere);
	if (!code) {
		question.input = mr_buf_str(&elsewhere);
		question.depends_on = &stamps.base;
		code = ask(backend, &question, &backend->arena, &text);
	}
	mr_buf_done_secret(&elsewhere);
	if (!code)
		code = parse(backend, text, &backend->arena, &backend->base);
	if (!code)
		code = mr_dovecot_complete(backend, &backend->base);
	backend->has_base = !code;
	return code;
}

int mr_dovecot_learn_live(struct mr_backend *backend)
{
	const char *argv[] = {"doveconf", "-c", backend->config, "-a", NULL};
	struct question question = {.name = "dovecot/live", .argv = argv};
	struct mr_dovecot_stamps stamps;
	mr_str text;
	int code;

	if (backend->has_live)
		return 0;
	code = mr_dovecot_stamp(backend, &stamps);
	if (code)
		return code;
	question.depends_on = &stamps.live;
	code = ask(backend, &question, &backend->live_arena, &text);
	if (!code)
		code = parse(backend, text, &backend->live_arena, &backend->live);
	if (!code)
		code = mr_dovecot_complete(backend, &backend->live);
	backend->has_live = !code;
	return code;
}

void mr_dovecot_forget_live(struct mr_backend *backend)
{
	mr_dovecot_settings_done(&backend->live);
	mr_arena_reset(&backend->live_arena);
	backend->has_live = false;
}

int mr_dovecot_schemes(struct mr_backend *backend, struct mr_arena *arena, mr_str *out)
{
	struct question question = {.name = "dovecot/schemes"};
	mr_str text;
	int code = mr_dovecot_learn_version(backend);

	if (!code) {
		question.argv = backend->version->list_schemes;
		code = ask(backend, &question, arena, &text);
	}
	if (code)
		return code;
	*out = mr_str_printf(arena, " %.*s ", MR_FMT(mr_str_trim(text)));
	return 0;
}
