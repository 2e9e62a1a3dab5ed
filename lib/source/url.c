/*
 * The repository's URL: a local path, ssh:// or https://; everything else is refused with what to
 * write instead.
 */
#include "source/git.h"

#include <string.h>

static const struct {
	const char *scheme;
	const char *hint;
} refused[] = {
        {"git://", "its transport is not authenticated: use https:// or ssh://"},
        {"http://", "its transport is not authenticated: use https://"},
        {"ftp://", "use https:// or ssh://"},
        {"ext::", "use https:// or ssh://"},
};

static int fail_url(
        struct mr_diags *diags, const struct mr_repo *repo, const char *why, const char *hint)
{
	(void)mr_fail(diags, MR_E_CONFIG, "cannot use repository '%s': %s", repo->shown_url, why);
	mr_diags_hint(diags, "%s", hint);
	return MR_E_CONFIG;
}

/* "scheme://user:password@host/…" is shown without what stands before the host when that holds a
 * password. */
static const char *without_password(struct mr_arena *arena, mr_str url)
{
	size_t colon = mr_str_find(url, ':');
	mr_str rest = mr_str_skip(url, colon + 3);
	mr_str authority = mr_str_take(rest, mr_str_find(rest, '/'));
	size_t at = mr_str_rfind(authority, '@');

	if (at == authority.size || mr_str_find(mr_str_take(authority, at), ':') == at)
		return mr_str_copy(arena, url).data;
	return mr_str_printf(arena, "%.*s://%.*s", MR_FMT(mr_str_take(url, colon)),
	        MR_FMT(mr_str_skip(rest, at + 1)))
	        .data;
}

static int check_ssh(struct mr_diags *diags, const struct mr_repo *repo)
{
	if (!repo->known_hosts[0])
		return fail_url(diags, repo, "known_hosts is not set",
		        "set repository.known_hosts to a file with the server's ed25519 or ecdsa "
		        "key");
	if (!repo->ssh_key[0])
		return fail_url(diags, repo, "ssh_key is not set",
		        "set repository.ssh_key to a private key file");
	return 0;
}

static bool is_scp_like(mr_str url)
{
	size_t colon = mr_str_find(url, ':');

	return colon < url.size && colon < mr_str_find(url, '/');
}

int mr_repo_check_url(struct mr_diags *diags, struct mr_repo *repo)
{
	mr_str url = mr_str_from(repo->url);

	repo->shown_url = repo->url;
	if (!url.size)
		return fail_url(diags, repo, "it is empty", "set repository.url");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (mr_str_starts(url, mr_str_from(refused[i].scheme)))
			return fail_url(
			        diags, repo, "its scheme is not supported", refused[i].hint);
	if (mr_str_starts(url, MR_STR("file:///")))
		repo->url = url.data + strlen("file://");
	repo->is_ssh = mr_str_starts(url, MR_STR("ssh://"));
	if (repo->is_ssh || mr_str_starts(url, MR_STR("https://"))) {
		repo->shown_url = without_password(&repo->arena, url);
		return repo->is_ssh ? check_ssh(diags, repo) : 0;
	}
	if (strstr(repo->url, "://"))
		return fail_url(diags, repo, "its scheme is not supported",
		        "use a path, https:// or ssh://");
	if (is_scp_like(mr_str_from(repo->url)))
		return fail_url(diags, repo, "it is neither a path nor a URL",
		        "write ssh://user@host/path");
	repo->is_local = true;
	return 0;
}
