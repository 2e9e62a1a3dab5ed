/*
 * The files of one desired state: blobs of a commit's tree, or a plain folder. Never a checkout.
 */
#ifndef MR_SOURCE_TREE_H
#define MR_SOURCE_TREE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"

struct mr_repo;
struct mr_tree;

struct mr_tree_file {
	mr_str path; /* relative to the configured path, '/' separated */
	mr_str blob; /* identity of the content: 40 hex of git's blob id (computed likewise for a
	                folder) */
	uint64_t size_bytes;
};

/* Problems of the calls below go to the diags given at open, which must outlive the tree.
 *
 * Reads the list of *.yaml and *.yml files, sorted by path bytewise; names and folders that begin
 * with a dot are passed over. Symbolic links, submodules and files over 16 MiB are diagnostics
 * (MR-TREE-SYMLINK, MR-TREE-SUBMODULE, MR-TREE-SIZE) with their path; all of them are reported,
 * then MR_E_INVALID. A folder that is not there is MR_E_USAGE. */
MR_CHECK int mr_tree_open_dir(struct mr_diags *diags, const char *path, struct mr_tree **out);
/* commit: 40 hex. subpath "." for the root. */
MR_CHECK int mr_tree_open_commit(struct mr_diags *diags, struct mr_repo *repo, mr_str commit,
        mr_str subpath, struct mr_tree **out);
void mr_tree_close(struct mr_tree *tree);

const struct mr_tree_file *mr_tree_files(const struct mr_tree *tree, size_t *out_n);
MR_CHECK int mr_tree_read(struct mr_tree *tree, size_t index, struct mr_buf *out);
/* Any file inside the tree by path from the repository's root (for attributes that name one).
 * MR_E_NOT_FOUND when it is not there and MR_E_INVALID for a path that leaves the tree, a link or a
 * file over 16 MiB, without a diagnostic: the caller knows the line. */
MR_CHECK int mr_tree_read_path(struct mr_tree *tree, mr_str path, struct mr_buf *out);
/* git's id of the whole tree for a commit; a digest over (path, blob) for a folder. */
mr_str mr_tree_id(const struct mr_tree *tree);

#endif
