/*
 * Fetching, the child's side: everything arrives under refs/incoming/; only when the configured
 * branch is complete there does refs/heads/BRANCH follow, so that the last good state stays
 * whatever the remote does.
 */
#include "base/file.h"
#include "source/git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct attempt {
	struct mr_diags *diags;
	const struct mr_repo *repo;
	unsigned n_credentials;
	bool is_refused;
};

static int fail_fetch(
        struct mr_diags *diags, const struct mr_repo *repo, int code, const char *reason)
{
	return mr_fail(diags, code, "cannot fetch '%s': %s", repo->shown_url, reason);
}

static int fail_no_branch(struct mr_diags *diags, const struct mr_repo *repo)
{
	(void)mr_fail(diags, MR_E_UNREADABLE, "repository '%s' has no branch '%s'", repo->shown_url,
	        repo->branch);
	mr_diags_hint(
	        diags, "the last good state stays; set repository.branch when it was renamed");
	return MR_E_UNREADABLE;
}

/* A remote on this machine that cannot be opened is away or broken: libgit2's class of error. */
static int code_of_error(int result)
{
	const git_error *error = git_error_last();

	if (result == GIT_EAUTH || result == GIT_ECERTIFICATE)
		return MR_E_DENIED;
	switch (error ? error->klass : GIT_ERROR_NONE) {
	case GIT_ERROR_ODB:
	case GIT_ERROR_ZLIB:
	case GIT_ERROR_OBJECT:
	case GIT_ERROR_TREE:
	case GIT_ERROR_INDEXER:
	case GIT_ERROR_REFERENCE:
	case GIT_ERROR_CONFIG:
	case GIT_ERROR_SHA1:
		return MR_E_UNREADABLE;
	default:
		return MR_E_BUSY;
	}
}

static int open_remote(struct mr_diags *diags, const struct mr_repo *repo, git_repository **out)
{
	int result = git_repository_open_ext(out, repo->url, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (result == 0)
		return 0;
	if (access(repo->url, F_OK) < 0)
		return fail_fetch(diags, repo, MR_E_BUSY, strerror(errno));
	return fail_fetch(diags, repo, MR_E_UNREADABLE, mr_git_reason());
}

static const char *ref_name(struct mr_buf *buf, const char *prefix, const char *name)
{
	mr_buf_clear(buf);
	mr_buf_printf(buf, "%s%s", prefix, name);
	return buf->data;
}

static bool same_ref(git_repository *mirror, const char *name, const git_oid *wanted)
{
	git_oid id;

	return git_reference_name_to_id(&id, mirror, name) == 0 && git_oid_equal(&id, wanted);
}

/* Every branch and tag of the remote is in the mirror. One that went away there is pruned by the
 * next fetch. */
static bool same_refs(git_repository *remote, git_repository *mirror)
{
	static const char heads[] = "refs/heads/";
	struct mr_buf name = MR_BUF_INIT;
	git_strarray theirs = {NULL, 0};
	git_oid id;
	bool is_same = git_reference_list(&theirs, remote) == 0;

	for (size_t i = 0; is_same && i < theirs.count; i++) {
		const char *full = theirs.strings[i];
		bool is_branch = strncmp(full, heads, strlen(heads)) == 0;

		if (!is_branch && strncmp(full, "refs/tags/", 10) != 0)
			continue;
		if (git_reference_name_to_id(&id, remote, full) < 0)
			is_same = false;
		else
			is_same = same_ref(mirror,
			        is_branch ? ref_name(&name, "refs/incoming/", full + strlen(heads))
			                  : full,
			        &id);
	}
	git_strarray_dispose(&theirs);
	mr_buf_done(&name);
	return is_same;
}

int mr_fetch_is_current(struct mr_diags *diags, struct mr_repo *repo, bool *out)
{
	struct mr_buf name = MR_BUF_INIT;
	git_repository *remote = NULL;
	git_oid id;
	int result = open_remote(diags, repo, &remote);

	if (result < 0)
		return result;
	result =
	        git_reference_name_to_id(&id, remote, ref_name(&name, "refs/heads/", repo->branch));
	if (result == GIT_ENOTFOUND)
		result = fail_no_branch(diags, repo);
	else if (result < 0)
		result = fail_fetch(diags, repo, MR_E_UNREADABLE, mr_git_reason());
	else
		*out = same_ref(repo->git, name.data, &id) && same_refs(remote, repo->git);
	git_repository_free(remote);
	mr_buf_done(&name);
	return result;
}

static int give_credentials(
        git_credential **out, const char *url, const char *user, unsigned allowed, void *payload)
{
	struct attempt *attempt = payload;
	const char *name = user ? user : "git";
	struct mr_buf public = MR_BUF_INIT;
	int result;

	(void)url;
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, name);
	if (!(allowed & GIT_CREDENTIAL_SSH_KEY) || attempt->n_credentials++ > 0) {
		attempt->is_refused = true;
		return GIT_EAUTH;
	}
	mr_buf_printf(&public, "%s.pub", attempt->repo->ssh_key);
	result = git_credential_ssh_key_new(out, name,
	        access(public.data, R_OK) == 0 ? public.data : NULL, attempt->repo->ssh_key, "");
	mr_buf_done(&public);
	return result;
}

static int fail_host_key(struct attempt *attempt, const char *host)
{
	if (!attempt->diags->list.n) {
		(void)fail_fetch(attempt->diags, attempt->repo, MR_E_DENIED,
		        "the server's host key is not the one known");
		mr_diags_hint(attempt->diags,
		        "compare the fingerprint on the server, then put the line of "
		        "ssh-keyscan -t ed25519 %s into '%s'",
		        host, attempt->repo->known_hosts);
	}
	return GIT_ECERTIFICATE;
}

/* libgit2 has looked the host up in the copy that we gave it; that the key stands in the operator's
 * own file is looked up once more here. */
static int check_certificate(git_cert *certificate, int is_valid, const char *host, void *payload)
{
	struct attempt *attempt = payload;
	const git_cert_hostkey *key = (const git_cert_hostkey *)(const void *)certificate;

	if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2) {
		if (is_valid)
			return 0;
		(void)fail_fetch(attempt->diags, attempt->repo, MR_E_DENIED,
		        "the server's certificate is not trusted");
		mr_diags_hint(
		        attempt->diags, "set repository.ca_file to the authority that signed it");
		return GIT_ECERTIFICATE;
	}
	if (!is_valid || !(key->type & GIT_CERT_SSH_RAW))
		return fail_host_key(attempt, host);
	if (!mr_known_hosts_has_key(
	            attempt->repo->known_hosts, (mr_str){key->hostkey, key->hostkey_len}))
		return fail_host_key(attempt, host);
	return 0;
}

static int fail_transfer(struct attempt *attempt, int result)
{
	struct mr_diags *diags = attempt->diags;
	int code = code_of_error(result);

	if (diags->list.n) /* a callback knew better */
		return MR_E_DENIED;
	if (!attempt->is_refused && code != MR_E_DENIED)
		return fail_fetch(diags, attempt->repo, code, mr_git_reason());
	if (!attempt->repo->is_ssh)
		return fail_fetch(diags, attempt->repo, MR_E_DENIED, mr_git_reason());
	(void)fail_fetch(diags, attempt->repo, MR_E_DENIED, "the server did not accept the key");
	mr_diags_hint(diags,
	        "is the public half of '%s' known to it, and the key without a passphrase",
	        attempt->repo->ssh_key);
	return MR_E_DENIED;
}

/* Older libgit2 signs with SHA-1 for RSA keys, which servers refuse with words that help nobody. */
static int check_key(struct mr_diags *diags, const struct mr_repo *repo)
{
	struct mr_buf path = MR_BUF_INIT, text = MR_BUF_INIT;
	int major, minor, revision, result;
	bool is_rsa;

	(void)git_libgit2_version(&major, &minor, &revision);
	mr_buf_printf(&path, "%s.pub", repo->ssh_key);
	result = mr_file_read(diags, path.data, 65536, &text);
	is_rsa = result == 0 && mr_str_starts(mr_buf_str(&text), MR_STR("ssh-rsa "));
	mr_buf_done(&path);
	mr_buf_done(&text);
	if (access(repo->ssh_key, R_OK) < 0)
		return mr_fail(
		        diags, MR_E_CONFIG, "cannot read '%s': %s", repo->ssh_key, strerror(errno));
	if (result < 0 && result != MR_E_NOT_FOUND)
		return result;
	if (!is_rsa || major > 1 || minor > 8)
		return 0;
	(void)mr_fail(diags, MR_E_CONFIG,
	        "cannot use '%s': libgit2 %d.%d has no RSA signatures that servers accept",
	        repo->ssh_key, major, minor);
	mr_diags_hint(diags, "make an ed25519 key: ssh-keygen -t ed25519");
	return MR_E_CONFIG;
}

/* Starts libgit2 again before anything secret is spoken: its random numbers must not be those of
 * the parent, nor its HOME. */
static int prepare(struct mr_diags *diags, const struct mr_repo *repo)
{
	struct mr_buf home = MR_BUF_INIT;
	int result = 0;

	mr_buf_printf(&home, "%s/mailreeve-home", repo->mirror);
	(void)setenv("HOME", home.data, 1);
	while (!repo->is_local && git_libgit2_shutdown() > 0)
		continue;
	mr_git_start();
	if (repo->is_ssh) {
		result = check_key(diags, repo);
		if (result == 0)
			result = mr_known_hosts_prepare(diags, repo, home.data);
	}
	if (result == 0 && repo->ca_file[0] &&
	        git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, repo->ca_file, NULL) < 0)
		result = mr_fail(
		        diags, MR_E_CONFIG, "cannot use '%s': %s", repo->ca_file, mr_git_reason());
	mr_buf_done(&home);
	return result;
}

static int transfer(struct mr_diags *diags, const struct mr_repo *repo, git_repository *mirror)
{
	struct attempt attempt = {diags, repo, 0, false};
	char *specs[] = {
	        (char *)"+refs/heads/*:refs/incoming/*", (char *)"+refs/tags/*:refs/tags/*"};
	git_strarray list = {specs, 2};
	git_fetch_options options;
	git_remote *remote = NULL;
	int result = git_remote_create_anonymous(&remote, mirror, repo->url);

	(void)git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.credentials = give_credentials;
	options.callbacks.certificate_check = check_certificate;
	options.callbacks.payload = &attempt;
	options.prune = GIT_FETCH_PRUNE;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE; /* the second spec has them */
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options.update_fetchhead = 0;
	if (result == 0)
		result = git_remote_fetch(remote, &list, &options, "fetch");
	result = result < 0 ? fail_transfer(&attempt, result) : 0;
	git_remote_free(remote);
	return result;
}

static int check_tree(git_repository *mirror, git_odb *odb, const git_oid *id, unsigned depth);

static int check_entry(
        git_repository *mirror, git_odb *odb, const git_tree_entry *entry, unsigned depth)
{
	const git_oid *id = git_tree_entry_id(entry);

	switch (git_tree_entry_type(entry)) {
	case GIT_OBJECT_TREE:
		return check_tree(mirror, odb, id, depth + 1);
	case GIT_OBJECT_BLOB:
		if (git_odb_exists(odb, id))
			return 0;
		git_error_set_str(GIT_ERROR_ODB, "a file of the commit is missing");
		return -1;
	default:
		return 0;
	}
}

/* Deeper than the language allows is judged by whoever reads the tree. */
static int check_tree(git_repository *mirror, git_odb *odb, const git_oid *id, unsigned depth)
{
	git_tree *tree = NULL;
	int result = depth > MR_TREE_DEEPEST ? 0 : git_tree_lookup(&tree, mirror, id);
	size_t n = tree ? git_tree_entrycount(tree) : 0;

	for (size_t i = 0; result == 0 && i < n; i++)
		result = check_entry(mirror, odb, git_tree_entry_byindex(tree, i), depth);
	git_tree_free(tree);
	return result;
}

static int check_commit(git_repository *mirror, const git_oid *id)
{
	git_commit *commit = NULL;
	git_odb *odb = NULL;
	int result = git_commit_lookup(&commit, mirror, id);

	if (result == 0)
		result = git_repository_odb(&odb, mirror);
	if (result == 0)
		result = check_tree(mirror, odb, git_commit_tree_id(commit), 0);
	git_odb_free(odb);
	git_commit_free(commit);
	return result;
}

/* The step that makes the new state the good one. */
static int advance(struct mr_diags *diags, const struct mr_repo *repo, git_repository *mirror)
{
	struct mr_buf name = MR_BUF_INIT;
	git_reference *reference = NULL;
	git_oid id;
	int result = git_reference_name_to_id(
	        &id, mirror, ref_name(&name, "refs/incoming/", repo->branch));

	if (result < 0) {
		mr_buf_done(&name);
		return result == GIT_ENOTFOUND
		               ? fail_no_branch(diags, repo)
		               : fail_fetch(diags, repo, MR_E_UNREADABLE, mr_git_reason());
	}
	if (!same_ref(mirror, ref_name(&name, "refs/heads/", repo->branch), &id)) {
		result = check_commit(mirror, &id);
		if (result == 0)
			result = git_reference_create(&reference, mirror, name.data, &id, 1, NULL);
	}
	if (result < 0)
		result = fail_fetch(diags, repo, MR_E_UNREADABLE, mr_git_reason());
	git_reference_free(reference);
	mr_buf_done(&name);
	return result;
}

/* Two processes of one host may fetch at once: one after the other. The deadline is the parent's,
 * and the descriptor stays open until this process ends. */
static int lock_mirror(struct mr_diags *diags, const struct mr_repo *repo)
{
	struct mr_buf path = MR_BUF_INIT;
	int result = 0;
	int fd;

	mr_buf_printf(&path, "%s/mailreeve.lock", repo->mirror);
	fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		result = mr_fail(
		        diags, MR_E_FAILED, "cannot lock '%s': %s", path.data, strerror(errno));
	mr_buf_done(&path);
	return result;
}

int mr_fetch_work(struct mr_diags *diags, const struct mr_repo *repo)
{
	git_repository *mirror = NULL;
	int result = lock_mirror(diags, repo);

	if (result == 0)
		result = prepare(diags, repo);
	if (result < 0)
		return result;
	if (git_repository_open_bare(&mirror, repo->mirror) < 0)
		return mr_git_damaged(diags, repo, "open the mirror");
	if (repo->is_local)
		mr_fetch_copy_local(repo, mirror);
	result = transfer(diags, repo, mirror);
	if (result == 0)
		result = advance(diags, repo, mirror);
	git_repository_free(mirror);
	return result;
}
