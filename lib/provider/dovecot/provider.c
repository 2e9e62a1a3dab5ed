/*
 * The Dovecot backend: users in a passwd-file, settings in a file of our own.
 */
#include "dovecot/dovecot.h"
#include "fileset/newest.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const struct mr_collection collections[] = {
	{.name = MR_STR_INIT("dovecot.passwd"), .target = MR_STR_INIT("dovecot.passwd"), .provider = "dovecot",
	 .flags = MR_COLLECTION_EXCLUSIVE, .rank = MR_RANK_MAILBOX},
	{.name = MR_STR_INIT("dovecot.settings"), .target = MR_STR_INIT("dovecot.settings"), .provider = "dovecot",
	 .rank = MR_RANK_MAILBOX_SETTINGS},
};
static const char *const deny_names[MR_DENY_COUNT] = {
	[MR_DENY_ALL] = "denied", [MR_DENY_IMAP] = "denied.imap", [MR_DENY_POP3] = "denied.pop3",
	[MR_DENY_SMTP] = "denied.smtp", [MR_DENY_SUBMISSION] = "denied.submission", [MR_DENY_SIEVE] = "denied.sieve",
};
/* clang-format on */

bool mr_dovecot_is_rows(const struct mr_collection *in)
{
	return mr_str_eq(in->name, collections[0].name);
}

static const char *below(struct mr_backend *backend, const char *folder, const char *name)
{
	return mr_str_printf(&backend->arena, "%s/%s", folder, name).data;
}

static void set_paths(struct mr_backend *backend)
{
	mr_str config = mr_str_copy(&backend->arena, backend->options->host->dovecot.config);
	size_t slash = mr_str_rfind(config, '/');

	backend->config = config.data;
	backend->directory =
	        slash == config.size
	                ? "."
	                : mr_str_copy(&backend->arena, mr_str_take(config, slash ? slash : 1)).data;
	backend->own_directory = below(backend, backend->directory, "mailreeve");
	backend->settings_path = below(backend, backend->own_directory, "mailreeve.conf");
	backend->users_path = below(backend, backend->own_directory, "users");
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		backend->denied_path[i] = below(backend, backend->own_directory, deny_names[i]);
}

/* Password hashes are for root and Dovecot's own processes. */
static void set_owner(struct mr_backend *backend)
{
	struct group *group = getgrnam("dovecot");

	backend->secret_owner = (struct mr_file_owner){geteuid(), getegid(), 0640};
	if (geteuid() == 0 && group)
		backend->secret_owner.gid = group->gr_gid;
}

static int provider_open(const struct mr_provider_options *options, struct mr_backend **out)
{
	struct mr_backend *backend = mr_xrealloc(NULL, 1, sizeof *backend);

	*backend = (struct mr_backend){.options_copy = *options, .diags = options->diags};
	backend->options = &backend->options_copy;
	mr_arena_init(&backend->arena);
	mr_arena_init(&backend->live_arena);
	set_paths(backend);
	set_owner(backend);
	*out = backend;
	return 0;
}

static void provider_close(struct mr_backend *backend)
{
	if (!backend)
		return;
	mr_dovecot_settings_done(&backend->desired);
	mr_dovecot_settings_done(&backend->live);
	mr_dovecot_settings_done(&backend->base);
	mr_dovecot_settings_done(&backend->defaults);
	mr_arena_done(&backend->live_arena);
	mr_arena_done(&backend->arena);
	free(backend);
}

static int provider_describe(struct mr_backend *backend, struct mr_live_info *out)
{
	int code = mr_dovecot_learn_version(backend);

	*out = (struct mr_live_info){.version = backend->version_text,
	        .read = backend->has_read_failed ? MR_READ_FAILED : MR_READ_COMPLETE};
	return code;
}

static int provider_collections(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_collections *out)
{
	int code = mr_dovecot_judge(backend, desired);

	if (code)
		return code;
	for (size_t i = 0; i < sizeof collections / sizeof *collections; i++)
		backend->collections[i] = collections[i];
	*out = (struct mr_collections){
	        backend->collections, sizeof collections / sizeof *collections};
	return 0;
}

static int provider_project(struct mr_backend *backend, const struct mr_collection *in,
        struct mr_desired *desired, struct mr_cursor *out)
{
	if (mr_dovecot_is_rows(in))
		return mr_dovecot_rows_project(backend, desired, out);
	return mr_dovecot_settings_project(backend, out);
}

static int provider_observe(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_strs *only, struct mr_cursor *out)
{
	int code = mr_dovecot_is_rows(in) ? mr_dovecot_rows_observe(backend, only, out)
	                                  : mr_dovecot_settings_observe(backend, only, out);

	backend->has_read_failed |= code != 0;
	return code;
}

static bool provider_same(struct mr_backend *backend, const struct mr_collection *in,
        const struct mr_attr *desired, const struct mr_attr *live)
{
	if (mr_attr_same(desired, live, backend->options->seal_key))
		return true;
	if (mr_dovecot_is_rows(in) || ((desired->flags | live->flags) & MR_ATTR_SEALED) ||
	        !desired->n_values || !live->n_values)
		return false;
	return mr_dovecot_value_same(mr_attr_first(desired), mr_attr_first(live));
}

static mr_str provider_revert_to(
        struct mr_backend *backend, const struct mr_collection *in, mr_str key, mr_str pre_image)
{
	if (mr_dovecot_is_rows(in))
		return (mr_str){0};
	return mr_dovecot_settings_revert(backend, key, pre_image);
}

/* Every byte of the configuration, our files, the program. */
static bool provider_fingerprint(struct mr_backend *backend, struct mr_fingerprint *print)
{
	struct mr_dovecot_stamps stamps;

	if (mr_dovecot_stamp(backend, &stamps))
		return false;
	mr_hash_add(
	        &print->hash, (mr_str){(const char *)stamps.live.bytes, sizeof stamps.live.bytes});
	mr_fingerprint_file(print, backend->users_path);
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		mr_fingerprint_file(print, backend->denied_path[i]);
	mr_fingerprint_file(print, "/usr/sbin/dovecot");
	return true;
}

/* How a row is written is decided by the whole configuration; the settings are few. */
static bool provider_fingerprint_of(
        struct mr_backend *backend, const struct mr_collection *in, struct mr_fingerprint *print)
{
	return mr_dovecot_is_rows(in) && provider_fingerprint(backend, print);
}

static int provider_watched(struct mr_backend *backend,
        void (*each)(void *arg, const char *folder, const char *name), void *arg)
{
	each(arg, backend->own_directory, strrchr(backend->settings_path, '/') + 1);
	each(arg, backend->own_directory, strrchr(backend->users_path, '/') + 1);
	for (size_t i = 0; i < MR_DENY_COUNT; i++)
		each(arg, backend->own_directory, deny_names[i]);
	return mr_dovecot_places(backend, each, arg);
}

static void add_place(void *arg, const char *folder, const char *name)
{
	struct mr_fileset_newest *newest = arg;

	if (name)
		mr_fileset_newest_add(
		        newest, mr_str_printf(newest->arena, "%s/%s", folder, name).data);
}

/* A row may have changed in the users' file or in one of those that deny; a setting in any file of
 * the configuration. */
static void provider_who(struct mr_backend *backend, const struct mr_trace_of *of,
        struct mr_arena *arena, struct mr_trace *out)
{
	struct mr_fileset_newest newest = {.arena = arena};

	if (mr_dovecot_is_rows(of->in)) {
		mr_fileset_newest_add(&newest, backend->users_path);
		for (size_t i = 0; i < MR_DENY_COUNT; i++)
			mr_fileset_newest_add(&newest, backend->denied_path[i]);
	} else if (mr_dovecot_places(backend, add_place, &newest)) {
		return; /* which of them it is cannot be told */
	}
	mr_fileset_newest_trace(&newest, of->applied_at, out);
}

const struct mr_provider mr_provider_dovecot = {
        .name = "dovecot",
        .open = provider_open,
        .close = provider_close,
        .describe = provider_describe,
        .inspect = mr_dovecot_inspect,
        .fingerprint = provider_fingerprint,
        .fingerprint_of = provider_fingerprint_of,
        .watched = provider_watched,
        .who = provider_who,
        .collections = provider_collections,
        .project = provider_project,
        .observe = provider_observe,
        .same = provider_same,
        .revert_to = provider_revert_to,
        .stage = mr_dovecot_stage,
        .apply = mr_dovecot_apply,
        .activation = mr_dovecot_activation,
        .activate = mr_dovecot_activate,
        .probe = mr_dovecot_probe,
        .finish = mr_dovecot_finish,
};
