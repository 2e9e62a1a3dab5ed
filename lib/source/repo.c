/*
 * The bare mirror: opening, making it anew when damaged, names of commits, what is kept in it.
 */
#include "base/file.h"
#include "source/glance.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 120000
#define SHORTEST_ID        7

static int make_mirror(struct mr_diags *diags, struct mr_repo *repo)
{
	git_repository_init_options options;
	int result = mr_dir_make(diags, repo->mirror, 0700);

	if (result < 0)
		return result;
	(void)git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
	options.mode = GIT_REPOSITORY_INIT_SHARED_UMASK;
	if (git_repository_init_ext(&repo->git, repo->mirror, &options) < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot make mirror '%s': %s", repo->mirror,
		        mr_git_reason());
	return 0;
}

/* The old one is kept beside it, since commits of folders (mr_repo_store_tree) are nowhere else. */
static int put_aside(struct mr_diags *diags, const struct mr_repo *repo)
{
	struct mr_buf aside = MR_BUF_INIT;
	int result;

	mr_buf_printf(&aside, "%s.damaged", repo->mirror);
	result = mr_dir_remove(diags, aside.data);
	if (result == 0 && rename(repo->mirror, aside.data) < 0)
		result = mr_fail(diags, MR_E_FAILED, "cannot rename '%s': %s", repo->mirror,
		        strerror(errno));
	mr_buf_done(&aside);
	return result;
}

static bool is_there(const struct mr_repo *repo, const char *name)
{
	struct mr_buf path = MR_BUF_INIT;
	bool result;

	mr_buf_printf(&path, "%s/%s", repo->mirror, name);
	result = access(path.data, F_OK) == 0;
	mr_buf_done(&path);
	return result;
}

/* A folder of that name that is no repository and has something in it is not ours to remove. */
static bool looks_like_mirror(const struct mr_repo *repo)
{
	return is_there(repo, "objects") || is_there(repo, "HEAD") || is_there(repo, "refs") ||
	       rmdir(repo->mirror) == 0;
}

static int open_mirror(struct mr_diags *diags, struct mr_repo *repo)
{
	int result;

	if (access(repo->mirror, F_OK) < 0 && errno == ENOENT)
		return make_mirror(diags, repo);
	if (!is_there(repo, "mailreeve-damaged") &&
	        git_repository_open_bare(&repo->git, repo->mirror) == 0)
		return 0;
	if (!looks_like_mirror(repo))
		return mr_fail(diags, MR_E_CONFIG,
		        "cannot use '%s' as the mirror: it holds something else", repo->mirror);
	result = access(repo->mirror, F_OK) == 0 ? put_aside(diags, repo) : 0;
	return result < 0 ? result : make_mirror(diags, repo);
}

static const char *keep(struct mr_repo *repo, mr_str s)
{
	return mr_str_copy(&repo->arena, s).data;
}

/* Only a fetch needs a good URL, and reports a bad one: the mirror can be read without. */
static void judge_url(struct mr_repo *repo)
{
	struct mr_diags silent = {0};

	(void)!mr_repo_check_url(&silent, repo);
	mr_diags_done(&silent);
}

int mr_repo_ready(struct mr_diags *diags, struct mr_repo *repo)
{
	if (repo->git)
		return 0;
	mr_git_start();
	return open_mirror(diags, repo);
}

int mr_repo_open(
        struct mr_diags *diags, const struct mr_repo_options *options, struct mr_repo **out)
{
	struct mr_repo *repo = mr_xrealloc(NULL, 1, sizeof *repo);
	int result;

	*repo = (struct mr_repo){0};
	repo->mirror = keep(repo, mr_str_from(options->mirror));
	repo->url = keep(repo, options->url);
	repo->branch = keep(repo, options->branch.size ? options->branch : MR_STR("main"));
	repo->ssh_key = keep(repo, options->ssh_key);
	repo->known_hosts = keep(repo, options->known_hosts);
	repo->ca_file = keep(repo, options->ca_file);
	repo->is_wary = options->is_wary;
	repo->timeout_ms = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
	judge_url(repo);
	result = mr_glance_look(repo) ? 0 : mr_repo_ready(diags, repo);
	if (result < 0) {
		mr_repo_close(repo);
		return result;
	}
	*out = repo;
	return 0;
}

void mr_repo_close(struct mr_repo *repo)
{
	if (!repo)
		return;
	git_repository_free(repo->git);
	mr_arena_done(&repo->arena);
	free(repo);
}

/* Peels tags. 1 a commit, 0 not there, <0 reported. */
static int find_ref(struct mr_diags *diags, struct mr_repo *repo, const char *name, git_oid *out)
{
	git_reference *reference = NULL;
	git_object *commit = NULL;
	int result = git_reference_lookup(&reference, repo->git, name);

	if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC)
		return 0;
	if (result == 0)
		result = git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT);
	if (result == 0)
		*out = *git_object_id(commit);
	git_object_free(commit);
	git_reference_free(reference);
	return result == 0 ? 1 : mr_git_damaged(diags, repo, "read a reference of the mirror");
}

static int find_named(struct mr_diags *diags, struct mr_repo *repo, const char *format_prefix,
        mr_str name, git_oid *out)
{
	struct mr_buf full = MR_BUF_INIT;
	int result;

	mr_buf_add_text(&full, format_prefix);
	mr_buf_add_str(&full, name);
	result = find_ref(diags, repo, full.data, out);
	mr_buf_done(&full);
	return result;
}

/* The configured branch as last verified; others as last fetched. */
static int find_branch(struct mr_diags *diags, struct mr_repo *repo, mr_str name, git_oid *out)
{
	bool is_ours = mr_str_is(name, repo->branch);

	return find_named(diags, repo, is_ours ? "refs/heads/" : "refs/incoming/", name, out);
}

static bool is_hex(mr_str text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!memchr("0123456789abcdef", text.data[i], 16))
			return false;
	return true;
}

static int find_id(struct mr_diags *diags, struct mr_repo *repo, mr_str hex, git_oid *out)
{
	git_commit *commit = NULL;
	git_oid prefix;
	int result;

	if (hex.size < SHORTEST_ID || hex.size > GIT_OID_HEXSZ || !is_hex(hex))
		return 0;
	if (git_oid_fromstrn(&prefix, hex.data, hex.size) < 0)
		return 0;
	result = git_commit_lookup_prefix(&commit, repo->git, &prefix, hex.size);
	if (result == GIT_EAMBIGUOUS)
		return mr_fail(
		        diags, MR_E_USAGE, "'%.*s' stands for more than one commit", MR_FMT(hex));
	if (result == GIT_ENOTFOUND)
		return 0;
	if (result < 0)
		return mr_git_damaged(diags, repo, "read a commit of the mirror");
	*out = *git_commit_id(commit);
	git_commit_free(commit);
	return 1;
}

static int find_any(struct mr_diags *diags, struct mr_repo *repo, mr_str ref, git_oid *out)
{
	static const mr_str heads = MR_STR_INIT("refs/heads/");
	int result;

	if (mr_str_starts(ref, heads))
		return find_branch(diags, repo, mr_str_skip(ref, heads.size), out);
	if (mr_str_starts(ref, MR_STR("refs/")))
		return find_named(diags, repo, "", ref, out);
	result = find_branch(diags, repo, ref, out);
	if (result == 0)
		result = find_named(diags, repo, "refs/tags/", ref, out);
	return result == 0 ? find_id(diags, repo, ref, out) : result;
}

static int fail_unknown(struct mr_diags *diags, const struct mr_repo *repo, mr_str ref)
{
	if (!ref.size)
		return mr_fail(diags, MR_E_UNREADABLE, "repository '%s' has no branch '%s'",
		        repo->shown_url, repo->branch);
	(void)mr_fail(diags, MR_E_NOT_FOUND, "repository '%s' has no branch, tag or commit '%.*s'",
	        repo->shown_url, MR_FMT(ref));
	mr_diags_hint(diags, "a commit id needs at least %d digits", SHORTEST_ID);
	return MR_E_NOT_FOUND;
}

int mr_repo_resolve(struct mr_diags *diags, struct mr_repo *repo, mr_str ref,
        struct mr_arena *arena, mr_str *out_commit)
{
	git_oid id;
	int result;

	if (!ref.size && repo->glance.is_known) {
		*out_commit = mr_str_copy(arena, repo->glance.commit);
		return 0;
	}
	if ((result = mr_repo_ready(diags, repo)) < 0)
		return result;
	if (mr_str_find(ref, '\0') < ref.size || ref.size > 1024)
		return fail_unknown(diags, repo, mr_str_take(ref, 64));
	result = ref.size ? find_any(diags, repo, ref, &id)
	                  : find_branch(diags, repo, mr_str_from(repo->branch), &id);
	if (result < 0)
		return result;
	if (result == 0)
		return fail_unknown(diags, repo, ref);
	*out_commit = mr_git_format_id(arena, &id);
	return 0;
}

int mr_repo_is_descendant(
        struct mr_diags *diags, struct mr_repo *repo, mr_str newer, mr_str older, bool *out)
{
	git_oid newer_id, older_id;
	git_commit *commit = NULL;
	int result;

	if (!mr_git_parse_id(newer, &newer_id) || !mr_git_parse_id(older, &older_id))
		return mr_fail(diags, MR_E_USAGE, "'%.*s' or '%.*s' is no commit id", MR_FMT(newer),
		        MR_FMT(older));
	if (git_oid_equal(&newer_id, &older_id)) { /* of most runs: for them libgit2 stays off */
		*out = true;
		return 0;
	}
	result = mr_repo_ready(diags, repo);
	if (result < 0)
		return result;
	/* history that was rewritten may be gone from a mirror that was made anew */
	result = git_commit_lookup(&commit, repo->git, &older_id);
	git_commit_free(commit);
	if (result == GIT_ENOTFOUND) {
		*out = false;
		return 0;
	}
	result = result < 0 ? result : git_graph_descendant_of(repo->git, &newer_id, &older_id);
	if (result < 0)
		return mr_git_damaged(diags, repo, "walk the history of the mirror");
	*out = result == 1;
	return 0;
}

int mr_repo_describe(struct mr_diags *diags, struct mr_repo *repo, mr_str commit,
        struct mr_arena *arena, mr_str *out_author, mr_str *out_subject)
{
	git_commit *object = NULL;
	const git_signature *author;
	git_oid id;
	int result;

	if (repo->glance.is_known && mr_str_eq(commit, repo->glance.commit)) {
		*out_author = mr_str_copy(arena, repo->glance.author);
		*out_subject = mr_str_copy(arena, repo->glance.subject);
		return 0;
	}
	if ((result = mr_repo_ready(diags, repo)) < 0)
		return result;
	if (!mr_git_parse_id(commit, &id))
		return mr_fail(diags, MR_E_USAGE, "'%.*s' is no commit id", MR_FMT(commit));
	if (git_commit_lookup(&object, repo->git, &id) < 0)
		return mr_git_damaged(diags, repo, "read a commit of the mirror");
	author = git_commit_author(object);
	*out_author = mr_str_printf(arena, "%s <%s>", author->name, author->email);
	*out_subject = mr_str_copy(arena, mr_str_from(git_commit_summary(object)));
	git_commit_free(object);
	return 0;
}

/* By the reference's own file: a run that changes nothing is spared to start libgit2. */
static bool is_kept(const struct mr_repo *repo, const char *name, mr_str commit)
{
	struct mr_diags ignored MR_DONE(diags);
	struct mr_buf path = MR_BUF_INIT, text = MR_BUF_INIT;
	bool result;

	mr_diags_init(&ignored);
	mr_buf_printf(&path, "%s/%s", repo->mirror, name);
	result = !mr_file_read(&ignored, path.data, GIT_OID_HEXSZ + 1, &text) &&
	         mr_str_eq(mr_str_trim(mr_buf_str(&text)), commit);
	mr_buf_done(&text);
	mr_buf_done(&path);
	return result;
}

int mr_repo_keep(struct mr_diags *diags, struct mr_repo *repo, mr_str commit, int64_t run)
{
	git_reference *reference = NULL;
	char name[64];
	git_oid id;
	int result;

	if (!mr_git_parse_id(commit, &id))
		return mr_fail(diags, MR_E_USAGE, "'%.*s' is no commit id", MR_FMT(commit));
	(void)snprintf(name, sizeof name, "refs/mailreeve/runs/%" PRId64, run);
	if (is_kept(repo, name, commit))
		return 0;
	result = mr_repo_ready(diags, repo);
	if (result < 0)
		return result;
	if (git_reference_create(&reference, repo->git, name, &id, 1, NULL) < 0)
		return mr_fail(diags, MR_E_FAILED, "cannot keep commit '%.*s' in '%s': %s",
		        MR_FMT(commit), repo->mirror, mr_git_reason());
	git_reference_free(reference);
	return 0;
}
