/*
 * What the files that use libgit2 share. No other file of the program includes its headers.
 */
#ifndef MR_SOURCE_GIT_H
#define MR_SOURCE_GIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "source/repo.h"
#include "source/tree.h"

#include <git2.h>
#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h> /* from libgit2 1.8 on: git_error_set_str */
#endif

#define MR_TREE_DEEPEST       32
#define MR_TREE_LARGEST_BYTES ((uint64_t)16 << 20)
#define MR_TREE_MOST_FILES    1000000

/* See source/glance.h. Views into the repository's arena. */
struct mr_glance {
	mr_str print; /* of the references; empty: not settled, or no remote of this machine */
	bool is_known;
	bool is_current; /* the remote was asked since, and the mirror lacks nothing */
	mr_str commit, tree, author, subject, subpath;
	mr_str files; /* packed */
};

struct mr_repo {
	struct mr_arena arena;
	const char *mirror;
	const char *url;       /* as libgit2 takes it */
	const char *shown_url; /* without a password */
	const char *branch;
	const char *ssh_key; /* or empty, as the two below */
	const char *known_hosts;
	const char *ca_file;
	bool is_local;
	bool is_ssh;
	bool is_wary; /* see source/repo.h */
	unsigned timeout_ms;
	git_repository *git; /* after mr_repo_ready */
	struct mr_glance glance;
};

enum tree_kind { TREE_OF_DIR, TREE_OF_COMMIT };

struct mr_tree {
	struct mr_arena arena;
	struct mr_diags *diags;
	enum tree_kind kind;
	MR_VEC(struct mr_tree_file) files;
	MR_VEC(mr_str) read_paths; /* read by mr_tree_read_path; of the tree's own paths */
	mr_str id;
	size_t n_entries; /* looked at, for the cap */
	/* of a folder */
	int root_fd;
	const char *root_path;
	/* of a commit */
	struct mr_repo *repo; /* must outlive the tree */
	git_tree *root;       /* or NULL: only its list was needed so far */
	mr_str commit;
};

/* git.c: libgit2 without any configuration of the host or the user. Counted; never undone. */
void mr_git_start(void);
/* repo.c: starts libgit2 and opens the mirror, which is put off as long as a glance will do. */
MR_CHECK int mr_repo_ready(struct mr_diags *diags, struct mr_repo *repo);
/* The text of libgit2's last error. */
const char *mr_git_reason(void);
/* "cannot WHAT: REASON", then the mirror is marked to be made anew at the next open. Returns
 * MR_E_UNREADABLE. */
int mr_git_damaged(struct mr_diags *diags, const struct mr_repo *repo, const char *what);
bool mr_git_parse_id(mr_str hex, git_oid *out);
mr_str mr_git_format_id(struct mr_arena *arena, const git_oid *id);

/* url.c: classifies and checks repository_url and what it needs. */
MR_CHECK int mr_repo_check_url(struct mr_diags *diags, struct mr_repo *repo);

/* repo_store.c: whether the commit holds a folder, whose root is the configured path. */
bool mr_repo_is_folder(struct mr_repo *repo, mr_str commit);

/* fetch_child.c: in the child, which has to _exit with what comes back: reports into diags. */
MR_CHECK int mr_fetch_work(struct mr_diags *diags, const struct mr_repo *repo);
/* fetch_local.c: copies what the branch has got since the last fetch, as far as that is little. */
void mr_fetch_copy_local(const struct mr_repo *repo, git_repository *mirror);
/* fetch_child.c: the remote's branch read directly; local repositories only. */
MR_CHECK int mr_fetch_is_current(struct mr_diags *diags, struct mr_repo *repo, bool *out);

/* known_hosts.c: writes a HOME whose known_hosts holds the usable lines of the configured file. */
MR_CHECK int mr_known_hosts_prepare(
        struct mr_diags *diags, const struct mr_repo *repo, const char *home);
/* Whether a line of the file names this key (raw), for whatever host. */
bool mr_known_hosts_has_key(const char *path, mr_str key);

/* tree.c */
struct mr_tree *mr_tree_new(struct mr_diags *diags, enum tree_kind kind);
bool mr_tree_is_wanted(mr_str name);
bool mr_tree_is_hidden(mr_str name);
/* An error of a rule at a path of the tree. */
void mr_tree_refuse(struct mr_tree *tree, const char *rule, mr_str path, const char *text);
void mr_tree_add(struct mr_tree *tree, mr_str path, mr_str blob, uint64_t size_bytes);
/* False once, with a diagnostic, when the tree has too many entries. */
bool mr_tree_count_entry(struct mr_tree *tree);
void mr_tree_sort(struct mr_tree *tree);
/* Relative, of plain names: no "..", no empty part. */
bool mr_tree_is_path(mr_str path);

/* tree_dir.c and tree_git.c */
MR_CHECK int mr_tree_dir_read(struct mr_tree *tree, mr_str path, struct mr_buf *out);
MR_CHECK int mr_tree_git_read(
        struct mr_tree *tree, const struct mr_tree_file *file, struct mr_buf *out);
MR_CHECK int mr_tree_git_read_path(struct mr_tree *tree, mr_str path, struct mr_buf *out);
void mr_tree_blob_id(mr_str content, struct mr_arena *arena, mr_str *out);

#endif
