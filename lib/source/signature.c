/*
 * Whether a commit is signed by one who may: its SSH signature, judged by ssh-keygen(1) as 'git
 * verify-commit' has it judged.
 */
#include "source/git.h"

#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/run.h"

#define JUDGE_TIMEOUT_MS 10000

struct signature {
	struct mr_diags *diags;
	const struct mr_signers *signers;
	const char *commit;  /* for people: its first digits and who made it */
	const char *path;    /* of the file that holds the signature while it is judged */
	const char *at;      /* ssh-keygen's verify-time */
	git_buf text, bytes; /* the signature, and what was signed */
};

static int refuse(const struct signature *signature, const char *why, mr_str words)
{
	(void)mr_fail(signature->diags, MR_E_DENIED, "commit %s %s%s%.*s", signature->commit, why,
	        words.size > 0 ? ": " : "", MR_FMT(words));
	mr_diags_hint(signature->diags,
	        "signatures in agent.yaml: only what is signed with a key of '%s' is applied",
	        signature->signers->allowed);
	return MR_E_DENIED;
}

/* Its words are said where it refuses. */
static int ask(const struct signature *signature, struct mr_run *run)
{
	int code;

	run->timeout_ms = JUDGE_TIMEOUT_MS;
	code = mr_run(signature->diags, run);
	if (code == MR_E_NOT_FOUND) {
		mr_diags_hint(signature->diags, "install the package openssh-client");
		return MR_E_CONFIG;
	}
	return code;
}

/* The names that the file has for the key; no key in it is no error of ssh-keygen. */
static int find_principals(const struct signature *signature, struct mr_arena *arena, mr_str *out)
{
	const char *const argv[] = {"ssh-keygen", "-Y", "find-principals", "-f",
	        signature->signers->allowed, "-s", signature->path, "-O", signature->at, NULL};
	struct mr_run run = {.argv = argv};
	int code = ask(signature, &run);

	if (!code && run.status != 0)
		code = refuse(signature, "is not signed by a key that is allowed now",
		        mr_str_trim(mr_buf_str(&run.err)));
	*out = mr_str_copy(arena, mr_buf_str(&run.out));
	mr_run_done(&run);
	return code;
}

/* 1 it verifies, 0 not, <0 reported. The last words of ssh-keygen go to words. */
static int verify_as(const struct signature *signature, const char *principal, struct mr_buf *words)
{
	const char *const argv[] = {"ssh-keygen", "-Y", "verify", "-f", signature->signers->allowed,
	        "-I", principal, "-n", "git", "-s", signature->path, "-O", signature->at, NULL};
	struct mr_run run = {.argv = argv, .input = {signature->bytes.ptr, signature->bytes.size}};
	int code = ask(signature, &run);
	int result = code ? code : run.status == 0;

	mr_buf_clear(words);
	mr_buf_add_str(words, mr_str_trim(mr_buf_str(&run.err)));
	mr_run_done(&run);
	return result;
}

/* A line of the file may name several, and a key may stand in several lines. */
static int verify(const struct signature *signature, struct mr_arena *arena, mr_str *out_signer)
{
	struct mr_buf words MR_DONE(buf) = MR_BUF_INIT;
	mr_str lines;
	int result = find_principals(signature, arena, &lines);

	if (result)
		return result;
	while (lines.size > 0) {
		mr_str line = mr_str_trim(mr_str_split(&lines, '\n'));

		while (line.size > 0) {
			*out_signer = mr_str_copy(arena, mr_str_trim(mr_str_split(&line, ',')));
			result = verify_as(signature, out_signer->data, &words);
			if (result)
				return result < 0 ? result : 0;
		}
	}
	return refuse(signature, "has a signature that does not hold", mr_buf_str(&words));
}

/* At the date that the commit bears, as git does: a key is taken away by its line. */
static const char *verify_time(struct mr_arena *arena, const git_commit *commit)
{
	time_t at = (time_t)git_commit_time(commit);
	char text[32] = "";
	struct tm when;

	if (gmtime_r(&at, &when))
		(void)strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &when);
	return mr_str_printf(arena, "verify-time=%s", text).data;
}

static int describe(struct signature *signature, struct mr_repo *repo, struct mr_arena *arena,
        const git_oid *id)
{
	git_commit *commit = NULL;
	const git_signature *committer;

	if (git_commit_lookup(&commit, repo->git, id) < 0)
		return mr_git_damaged(signature->diags, repo, "read a commit of the mirror");
	committer = git_commit_committer(commit);
	signature->commit = mr_str_printf(arena, "%.12s by %s <%s>",
	        mr_git_format_id(arena, id).data, committer->name, committer->email)
	                            .data;
	signature->at = verify_time(arena, commit);
	git_commit_free(commit);
	return 0;
}

static int extract(struct signature *signature, struct mr_repo *repo, git_oid *id)
{
	static const char head[] = "-----BEGIN SSH SIGNATURE-----";
	int result = git_commit_extract_signature(
	        &signature->text, &signature->bytes, repo->git, id, NULL);

	if (result == GIT_ENOTFOUND)
		return refuse(signature, "is not signed", (mr_str){0});
	if (result < 0)
		return mr_git_damaged(signature->diags, repo, "read a commit of the mirror");
	if (!mr_str_starts((mr_str){signature->text.ptr, signature->text.size}, mr_str_from(head)))
		return refuse(signature, "is not signed by SSH, but in another way", (mr_str){0});
	return 0;
}

int mr_repo_verify(struct mr_diags *diags, struct mr_repo *repo, mr_str commit,
        const struct mr_signers *signers, struct mr_arena *arena, mr_str *out_signer)
{
	struct mr_file_owner owner = {geteuid(), getegid(), 0600};
	struct signature signature = {.diags = diags,
	        .signers = signers,
	        .path = mr_str_printf(arena, "%s/signature-%ld", signers->folder, (long)getpid())
	                        .data};
	git_oid id;
	int result = mr_repo_ready(diags, repo);

	if (result == 0 && !mr_git_parse_id(commit, &id))
		result = mr_fail(diags, MR_E_USAGE, "'%.*s' is no commit id", MR_FMT(commit));
	if (result == 0)
		result = describe(&signature, repo, arena, &id);
	if (result == 0)
		result = extract(&signature, repo, &id);
	if (result == 0)
		result = mr_file_replace(diags, signature.path,
		        (mr_str){signature.text.ptr, signature.text.size}, &owner);
	if (result == 0)
		result = verify(&signature, arena, out_signer);
	(void)unlink(signature.path);
	git_buf_dispose(&signature.text);
	git_buf_dispose(&signature.bytes);
	return result;
}
