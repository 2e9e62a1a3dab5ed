/*
 * Opening and closing what the public calls share.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "notify/notify.h"
#include "session/host.h"
#include "session/signing.h"

/* In the order in which their diagnostics shall be read; the order of writing is the collections'
 * rank. */
static const struct {
	const struct mr_provider *provider;
	size_t is_managed_offset;
} known_servers[MR_SESSION_SERVERS] = {
        {&mr_provider_postfix, offsetof(struct mr_host, postfix.is_managed)},
        {&mr_provider_dovecot, offsetof(struct mr_host, dovecot.is_managed)},
        {&mr_provider_openldap, offsetof(struct mr_host, ldap.is_managed)},
};

void mailreeve_text_done(struct mailreeve_text *text)
{
	free(text->data);
	*text = (struct mailreeve_text){0};
}

const char *mailreeve_version(void)
{
	return MR_VERSION;
}

int mailreeve_open(const struct mailreeve_options *options, struct mailreeve **out)
{
	struct mailreeve *session = mr_xrealloc(NULL, 1, sizeof *session);
	int code = 0;

	memset(session, 0, sizeof *session);
	session->options = *options;
	mr_arena_init(&session->arena);
	mr_diags_init(&session->diags);
	*out = session;
	if (options->config) {
		code = mr_host_load(
		        &session->diags, &session->arena, options->config, &session->host);
		if (!code)
			code = mr_notify_check(&session->diags, &session->host);
		session->has_host = code == 0;
	}
	return mr_error_status(code);
}

void mailreeve_close(struct mailreeve *session)
{
	if (!session)
		return;
	for (size_t i = session->n_servers; i > 0; i--)
		session->servers[i - 1].provider->close(session->servers[i - 1].backend);
	if (session->state)
		mr_state_close(session->state);
	if (session->repo)
		mr_repo_close(session->repo);
	if (session->state && geteuid() == 0)
		(void)mailreeve_share_source(session); /* the next fetch says what it lacks */
	mr_diags_done(&session->diags);
	mr_arena_done(&session->arena);
	free(session);
}

void mailreeve_diagnostics(const struct mailreeve *session, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;

	mr_diags_sort(
	        (struct mr_diags *)&session->diags); /* order only: what is said stays the same */
	mr_vec_each (diag, &session->diags.list) {
		mr_diag_format(diag, &text);
		mr_buf_add_char(&text, '\n');
	}
	mr_session_give(&text, out);
}

void mr_session_give(struct mr_buf *from, struct mailreeve_text *out)
{
	mr_buf_add_char(from, '\0');
	out->data = from->data;
	out->size = from->size - 1;
	*from = (struct mr_buf)MR_BUF_INIT;
}

const char *mr_session_path(struct mailreeve *session, const char *name)
{
	return mr_str_printf(
	        &session->arena, "%.*s/%s", MR_FMT(session->host.state_directory), name)
	        .data;
}

const char *mr_session_source_path(struct mailreeve *session, const char *name)
{
	const char *folder = mr_session_path(session, "source");

	(void)mkdir(folder, 0700); /* whoever needs a file there says that it cannot be had */
	return mr_str_printf(&session->arena, "%s/%s", folder, name).data;
}

const char *mr_session_text_or_null(struct mailreeve *session, mr_str s)
{
	return s.size > 0 ? mr_str_copy(&session->arena, s).data : NULL;
}

void mr_session_progress(struct mailreeve *session, const char *what)
{
	if (session->options.progress)
		session->options.progress(session->options.arg, what, 0, 0);
}

static int need_host(struct mailreeve *session)
{
	if (session->has_host)
		return 0;
	return mr_fail(&session->diags, MR_E_CONFIG, "no host configuration was read");
}

int mr_session_open_state(struct mailreeve *session, bool is_writer, const char *purpose)
{
	struct mr_state_options options = {.is_writer = is_writer,
	        .lock_timeout_ms = session->options.lock_timeout_ms,
	        .lets_pass = session->host.run_as_user.size > 0,
	        .purpose = purpose};
	int code = need_host(session);

	if (code || session->state)
		return code;
	options.directory = mr_session_text_or_null(session, session->host.state_directory);
	return mr_state_open(&session->diags, &options, &session->state);
}

int mr_session_open_repo(struct mailreeve *session)
{
	const struct mr_host *host = &session->host;
	struct mr_repo_options options = {.url = host->repository_url,
	        .branch = host->repository_branch,
	        .ssh_key = host->ssh_key,
	        .known_hosts = host->known_hosts,
	        .ca_file = host->repository_ca_file,
	        .is_wary = mr_session_is_wary(session),
	        .timeout_ms = session->fetch_timeout_ms};
	int code = need_host(session);

	if (code || session->repo)
		return code;
	if (host->repository_url.size == 0)
		return mr_fail(&session->diags, MR_E_CONFIG,
		        "agent.yaml names no repository (hint: set repository: {url: …}, or use "
		        "--dir)");
	options.mirror = mr_session_source_path(session, "repository.git");
	return mr_repo_open(&session->diags, &options, &session->repo);
}

int mr_session_open_servers(struct mailreeve *session)
{
	struct mr_provider_options options = {.host = &session->host, .diags = &session->diags};
	int code = 0;

	if (session->n_servers > 0)
		return 0;
	options.cache = session->state ? mr_state_cache(session->state) : NULL;
	options.seal_key = session->state ? mr_state_seal_key(session->state) : NULL;
	for (size_t i = 0; i < MR_SESSION_SERVERS && !code; i++) {
		struct mr_plan_server server = {.provider = known_servers[i].provider};
		const char *host = (const char *)&session->host;

		if (!*(const bool *)(host + known_servers[i].is_managed_offset))
			continue;
		code = server.provider->open(&options, &server.backend);
		if (!code)
			session->servers[session->n_servers++] = server;
	}
	if (!code && session->n_servers == 0)
		return mr_fail(&session->diags, MR_E_CONFIG,
		        "agent.yaml names no server to manage (hint: add a section postfix, "
		        "dovecot or ldap)");
	return code;
}

void mr_wanted_done(struct mr_wanted *wanted)
{
	if (wanted->desired)
		mr_desired_close(wanted->desired);
	if (wanted->tree)
		mr_tree_close(wanted->tree);
	*wanted = (struct mr_wanted){0};
}

/* Never NULL: a secret that is asked for where there is no folder is reported as missing. */
static const char *secrets_directory(struct mailreeve *session)
{
	const char *directory = mr_session_text_or_null(session, session->host.secrets_directory);

	return directory ? directory : "";
}

static int compile(struct mailreeve *session, struct mr_wanted *out)
{
	struct mr_compile_options options = {.host = session->host.name,
	        .today_days = time(NULL) / 86400,
	        .is_host_bound = true};
	struct mr_compile_stats stats = {0};
	int code;

	if (session->state && mr_session_is_wary(session))
		options.cache_path = mr_session_path(session, "desired.db");
	else if (session->state || session->is_unprivileged)
		options.cache_path = mr_session_source_path(session, "desired.db");
	if (!session->is_unprivileged)
		options.secrets_directory = secrets_directory(session);
	mr_session_progress(session, "reading the desired state");
	out->tree_id = mr_str_copy(&session->arena, mr_tree_id(out->tree));
	code = mr_compile(&session->diags, out->tree, &options, &out->desired, &stats);
	if (!code && session->options.is_verbose)
		mr_diags_at(&session->diags, MR_NOTE, "MR-STATS", NULL,
		        "%zu files: %zu parsed, %zu from the cache", stats.n_files, stats.n_parsed,
		        stats.n_cached);
	return code;
}

static int want_directory(struct mailreeve *session, const char *path, struct mr_wanted *out)
{
	int code = mr_session_check_folder(session);
	char *real;

	if (code)
		return code;
	real = realpath(path, NULL);
	if (!real)
		return mr_fail(&session->diags, MR_E_USAGE, "cannot open folder '%s'", path);
	out->directory = mr_str_copy(&session->arena, mr_str_from(real));
	free(real);
	code = mr_tree_open_dir(&session->diags, out->directory.data, &out->tree);
	return code ? code : compile(session, out);
}

int mr_session_want_commit(struct mailreeve *session, mr_str commit, struct mr_wanted *out)
{
	mr_str author;
	int code = 0;

	if (commit.size == 0)
		return mr_desired_open_empty(&session->diags, &out->desired);
	out->commit = mr_str_copy(&session->arena, commit);
	code = mr_session_open_repo(session);
	if (!code)
		code = mr_session_check_signature(session, out->commit);
	if (!code)
		code = mr_tree_open_commit(&session->diags, session->repo, out->commit,
		        session->host.repository_path, &out->tree);
	if (!code)
		code = mr_repo_describe(&session->diags, session->repo, out->commit,
		        &session->arena, &author, &out->subject);
	return code ? code : compile(session, out);
}

static int want_ref(struct mailreeve *session, const char *ref, struct mr_wanted *out)
{
	mr_str commit = {0};
	int code = mr_session_open_repo(session);

	mr_session_progress(session, "fetching the repository");
	if (!code)
		code = mr_repo_fetch(&session->diags, session->repo);
	if (!code)
		code = mr_repo_resolve(
		        &session->diags, session->repo, mr_str_from(ref), &session->arena, &commit);
	if (ref && code == MR_E_NOT_FOUND)
		code = MR_E_USAGE; /* a name that was typed */
	out->ref = ref ? mr_str_copy(&session->arena, mr_str_from(ref))
	               : session->host.repository_branch;
	return code ? code : mr_session_want_commit(session, commit, out);
}

int mr_session_want(
        struct mailreeve *session, const struct mailreeve_source *source, struct mr_wanted *out)
{
	if (source->directory)
		return want_directory(session, source->directory, out);
	return want_ref(session, source->ref, out);
}
