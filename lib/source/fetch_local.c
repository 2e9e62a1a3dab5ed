/*
 * Fetching from a repository on this machine: the few objects that new commits brought are copied
 * one by one before libgit2 fetches, which then finds nothing to transfer. Its own way looks at
 * every commit that is kept and at the whole tree of each new one.
 *
 * Files are written before the folders that name them and those before their commit: what is in the
 * mirror is always whole, wherever this stops. It may stop anywhere; libgit2 does the rest.
 */
#include "source/git.h"

#include <string.h>

#define MOST_OBJECTS 1000

struct copying {
	git_repository *from, *to;
	git_odb *from_odb, *to_odb;
	unsigned n_copied;
};

static int copy_object(struct copying *copying, const git_oid *id)
{
	git_odb_object *object = NULL;
	git_oid written;
	int result = copying->n_copied++ < MOST_OBJECTS
	                     ? git_odb_read(&object, copying->from_odb, id)
	                     : -1;

	if (result == 0)
		result = git_odb_write(&written, copying->to_odb, git_odb_object_data(object),
		        git_odb_object_size(object), git_odb_object_type(object));
	if (result == 0 && !git_oid_equal(&written, id))
		result = -1;
	git_odb_object_free(object);
	return result;
}

static int copy_tree(struct copying *copying, const git_oid *id, unsigned depth)
{
	git_tree *tree = NULL;
	int result = 0;

	if (git_odb_exists(copying->to_odb, id))
		return 0;
	if (depth > MR_TREE_DEEPEST || git_tree_lookup(&tree, copying->from, id) < 0)
		return -1;
	for (size_t i = 0; result == 0 && i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		const git_oid *child = git_tree_entry_id(entry);

		if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
			result = copy_tree(copying, child, depth + 1);
		else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
		         !git_odb_exists(copying->to_odb, child))
			result = copy_object(copying, child);
	}
	git_tree_free(tree);
	return result < 0 ? result : copy_object(copying, id);
}

static int copy_commit(struct copying *copying, const git_oid *id)
{
	git_commit *commit = NULL;
	int result;

	if (git_odb_exists(copying->to_odb, id))
		return 0;
	result = git_commit_lookup(&commit, copying->from, id);
	if (result == 0)
		result = copy_tree(copying, git_commit_tree_id(commit), 0);
	git_commit_free(commit);
	return result < 0 ? result : copy_object(copying, id);
}

/* What came since the last fetch of the branch, oldest first. Without a last one there is too much
 * to copy. */
static int copy_branch(struct copying *copying, const char *branch)
{
	struct mr_buf name = MR_BUF_INIT;
	git_revwalk *walk = NULL;
	git_oid theirs, ours, id;
	int result;

	mr_buf_printf(&name, "refs/heads/%s", branch);
	result = git_reference_name_to_id(&theirs, copying->from, name.data);
	mr_buf_clear(&name);
	mr_buf_printf(&name, "refs/incoming/%s", branch);
	if (result == 0)
		result = git_reference_name_to_id(&ours, copying->to, name.data);
	if (result == 0)
		result = git_revwalk_new(&walk, copying->from);
	if (result == 0)
		result = git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
	if (result == 0)
		result = git_revwalk_push(walk, &theirs);
	if (result == 0)
		result = git_revwalk_hide(walk, &ours);
	while (result == 0 && git_revwalk_next(&id, walk) == 0)
		result = copy_commit(copying, &id);
	git_revwalk_free(walk);
	mr_buf_done(&name);
	return result;
}

void mr_fetch_copy_local(const struct mr_repo *repo, git_repository *mirror)
{
	struct copying copying = {.to = mirror};

	if (git_repository_open_ext(
	            &copying.from, repo->url, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) == 0 &&
	        git_repository_odb(&copying.from_odb, copying.from) == 0 &&
	        git_repository_odb(&copying.to_odb, mirror) == 0)
		(void)copy_branch(&copying,
		        repo->branch); /* libgit2 does what is missing, and says what fails */
	git_odb_free(copying.to_odb);
	git_odb_free(copying.from_odb);
	git_repository_free(copying.from);
}
