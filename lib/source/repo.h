/*
 * The repository: a bare mirror in the state directory, fetched from a path, ssh:// or https://
 * (libgit2).
 */
#ifndef MR_SOURCE_REPO_H
#define MR_SOURCE_REPO_H

#include "base/arena.h"
#include "base/diag.h"

struct mr_repo;

struct mr_repo_options {
	const char *mirror; /* folder of the bare mirror; made when absent */
	mr_str url;
	mr_str branch;
	mr_str ssh_key;     /* private key file; .pub beside it */
	mr_str known_hosts; /* OpenSSH format; required for ssh:// */
	mr_str ca_file;
	bool is_wary;        /* of what was noted beside the mirror: only its objects count, which
	                        are what their ids say */
	unsigned timeout_ms; /* of a fetch; 0: 120 s. The fetch runs in a child of its own that can
	                        be killed */
};

/* Needs no good url: a bad one, or one that lacks its keys, is MR_E_CONFIG at mr_repo_fetch. */
MR_CHECK int mr_repo_open(
        struct mr_diags *diags, const struct mr_repo_options *options, struct mr_repo **out);
void mr_repo_close(struct mr_repo *repo);
/* Brings the mirror up to date. A remote that cannot be reached is MR_E_BUSY with the reason; one
 * whose branch is gone or that does not hold the objects it promises is MR_E_UNREADABLE. Nothing
 * new costs one round. */
MR_CHECK int mr_repo_fetch(struct mr_diags *diags, struct mr_repo *repo);
/* ref: NULL or empty for the branch's head; else a branch, tag, refs/… or (abbreviated, at least 7)
 * commit id. */
MR_CHECK int mr_repo_resolve(struct mr_diags *diags, struct mr_repo *repo, mr_str ref,
        struct mr_arena *arena, mr_str *out_commit);
/* Whether newer has older among its ancestors (or is it). */
MR_CHECK int mr_repo_is_descendant(
        struct mr_diags *diags, struct mr_repo *repo, mr_str newer, mr_str older, bool *out);
/* Author and subject line of a commit. */
MR_CHECK int mr_repo_describe(struct mr_diags *diags, struct mr_repo *repo, mr_str commit,
        struct mr_arena *arena, mr_str *out_author, mr_str *out_subject);
/* Whose signatures count. */
struct mr_signers {
	const char *allowed; /* file, see ALLOWED SIGNERS in ssh-keygen(1) */
	const char *folder;  /* for a file of a moment; nobody else may write there */
};
/* Whether the commit has an SSH signature (gpgsig, namespace git) that holds by that file at the
 * committer's date: as 'git verify-commit' says. *out_signer is the name that the file has for the
 * key. MR_E_DENIED when not; MR_E_CONFIG without ssh-keygen(1). */
MR_CHECK int mr_repo_verify(struct mr_diags *diags, struct mr_repo *repo, mr_str commit,
        const struct mr_signers *signers, struct mr_arena *arena, mr_str *out_signer);
/* Keeps the commit in the mirror under refs/mailreeve/runs/RUN. */
MR_CHECK int mr_repo_keep(struct mr_diags *diags, struct mr_repo *repo, mr_str commit, int64_t run);
/* Stores the files of a folder as a commit of the mirror, so that an apply of a folder can be
 * rolled back. */
struct mr_tree;
MR_CHECK int mr_repo_store_tree(struct mr_diags *diags, struct mr_repo *repo, struct mr_tree *tree,
        struct mr_arena *arena, mr_str *out_commit);

#endif
