/*
 * Asking postconf(1), and keeping its answers.
 */
#include "postfix/postconf.h"

#include "base/file.h"
#include "base/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_TIMEOUT_MS 20000

/* The files that decide an answer, besides the program itself. */
struct question {
	const char *name;
	const char *option;
	const char *const *files; /* below the configuration directory */
};

static const char *const type_files[] = {"dynamicmaps.cf", "dynamicmaps.cf.d", NULL};
static const char *const service_files[] = {"master.cf", NULL};
static const char *const no_files[] = {NULL};
static const struct question ask_defaults = {"postfix/defaults", "-d", no_files};
static const struct question ask_types = {"postfix/types", "-m", type_files};
static const struct question ask_services = {"postfix/services", "-M", service_files};

static void add_identity(const char *path, struct mr_buf *out)
{
	struct mr_file_identity id;

	mr_file_identify(path, &id);
	mr_buf_printf(out, "%s %lx %lx %lx %lx %lx;", path, (unsigned long)id.device,
	        (unsigned long)id.inode, (unsigned long)id.size, (unsigned long)id.mtime_ns,
	        (unsigned long)id.ctime_ns);
}

static void identify(const struct question *question, const char *directory, struct mr_arena *arena,
        struct mr_buf *out)
{
	static const char *const programs[] = {"/usr/sbin/postconf", "/usr/bin/postconf"};
	static const char *const shared = "/etc/postfix";

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		add_identity(programs[i], out);
	for (const char *const *file = question->files; *file; file++) {
		add_identity(mr_str_printf(arena, "%s/%s", directory, *file).data, out);
		add_identity(mr_str_printf(arena, "%s/%s", shared, *file).data, out);
	}
	mr_buf_add_char(out, '\n');
}

int mr_postconf_ask(struct mr_diags *diags, const char *config_directory, const char *option,
        struct mr_buf *out, struct mr_buf *out_words)
{
	const char *const argv[] = {"postconf", "-c", config_directory, option, NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = ASK_TIMEOUT_MS};
	int code = mr_run(diags, &run);
	mr_str words = mr_str_trim(mr_buf_str(&run.err));

	if (!code && run.status)
		code = mr_fail(diags, MR_E_UNREADABLE, "postconf %s for '%s' failed: %.*s", option,
		        config_directory, MR_FMT(words));
	if (!code) {
		mr_buf_add_str(out, mr_buf_str(&run.out));
		if (out_words)
			mr_buf_add_str(out_words, words);
	}
	mr_run_done(&run);
	return code;
}

/* The answer, from the cache when nothing that decides it has changed. Lives in the arena. */
static int ask(struct mr_diags *diags, struct mr_cache *cache, const char *directory,
        const struct question *question, struct mr_arena *arena, mr_str *out)
{
	struct mr_buf answer = MR_BUF_INIT;
	mr_str known, identity;
	int code;

	identify(question, directory, arena, &answer);
	identity = mr_str_copy(arena, mr_buf_str(&answer));
	if (cache && cache->get(cache, mr_str_from(question->name), arena, &known) &&
	        mr_str_starts(known, identity)) {
		*out = mr_str_skip(known, identity.size);
		mr_buf_done(&answer);
		return 0;
	}
	code = mr_postconf_ask(diags, directory, question->option, &answer, NULL);
	if (!code) {
		if (cache)
			cache->put(cache, mr_str_from(question->name), mr_buf_str(&answer));
		*out = mr_str_skip(mr_str_copy(arena, mr_buf_str(&answer)), identity.size);
	}
	mr_buf_done(&answer);
	return code;
}

static int parameter_cmp(const void *a, const void *b)
{
	return mr_str_cmp(((const struct mr_postconf_parameter *)a)->name,
	        ((const struct mr_postconf_parameter *)b)->name);
}

static void parse_defaults(struct mr_postconf *postconf, mr_str text)
{
	while (text.size) {
		mr_str line = mr_str_split(&text, '\n');
		mr_str value = line, name = mr_str_trim(mr_str_split(&value, '='));

		if (name.size)
			mr_vec_push(&postconf->defaults,
			        (struct mr_postconf_parameter){name, mr_str_trim(value)});
	}
	if (postconf->defaults.n)
		qsort(postconf->defaults.items, postconf->defaults.n,
		        sizeof *postconf->defaults.items, parameter_cmp);
}

static void parse_types(struct mr_postconf *postconf, mr_str text)
{
	while (text.size) {
		mr_str type = mr_str_trim(mr_str_split(&text, '\n'));

		if (type.size)
			mr_vec_push(&postconf->types, type);
	}
}

void mr_postconf_parse_services(struct mr_postconf *postconf, mr_str text)
{
	while (text.size) {
		struct mr_postfix_service service = {.line = mr_str_split(&text, '\n')};
		mr_str rest = service.line;

		service.name = mr_str_word(&rest);
		service.type = mr_str_word(&rest);
		for (int column = 0; column < 5;
		        column++) /* private, unprivileged, chroot, wakeup, processes */
			(void)mr_str_word(&rest);
		service.command = mr_str_word(&rest);
		service.arguments = mr_str_trim(rest);
		if (service.command.size)
			mr_vec_push(&postconf->services, service);
	}
}

int mr_postconf_load(struct mr_diags *diags, struct mr_cache *cache, const char *config_directory,
        struct mr_postconf *out)
{
	mr_str defaults = {0}, types = {0}, services = {0};
	const mr_str *version;
	int code;

	*out = (struct mr_postconf){0};
	mr_arena_init(&out->arena);
	if ((code = ask(diags, cache, config_directory, &ask_defaults, &out->arena, &defaults)) ||
	        (code = ask(diags, cache, config_directory, &ask_types, &out->arena, &types)) ||
	        (code = ask(diags, cache, config_directory, &ask_services, &out->arena, &services)))
		return code;
	parse_defaults(out, defaults);
	parse_types(out, types);
	mr_postconf_parse_services(out, services);
	version = mr_postconf_default(out, MR_STR("mail_version"));
	if (!version || !out->types.n)
		return mr_fail(
		        diags, MR_E_UNREADABLE, "postconf names no version or no table types");
	out->version = *version;
	return 0;
}

void mr_postconf_done(struct mr_postconf *postconf)
{
	mr_vec_done(&postconf->defaults);
	mr_vec_done(&postconf->types);
	mr_vec_done(&postconf->services);
	mr_arena_done(&postconf->arena);
}

const mr_str *mr_postconf_default(const struct mr_postconf *postconf, mr_str name)
{
	struct mr_postconf_parameter key = {.name = name};
	struct mr_postconf_parameter *found;

	if (!postconf->defaults.n)
		return NULL;
	found = bsearch(
	        &key, postconf->defaults.items, postconf->defaults.n, sizeof key, parameter_cmp);
	return found ? &found->value : NULL;
}

bool mr_postconf_has_type(const struct mr_postconf *postconf, mr_str type)
{
	for (size_t i = 0; i < postconf->types.n; i++)
		if (mr_str_eq(postconf->types.items[i], type))
			return true;
	return false;
}

const struct mr_postfix_service *mr_postconf_service(
        const struct mr_postconf *postconf, mr_str name)
{
	for (size_t i = 0; i < postconf->services.n; i++)
		if (mr_str_eq(postconf->services.items[i].name, name))
			return &postconf->services.items[i];
	return NULL;
}
