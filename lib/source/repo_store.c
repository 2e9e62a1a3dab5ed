/*
 * Storing a folder's files as a commit of the mirror, so that an apply of a folder can be rolled
 * back like any other.
 */
#include "source/git.h"

#include <stdlib.h>

typedef MR_VEC(git_tree_update) update_list;

static int store_blob(struct mr_tree *tree, struct mr_repo *repo, mr_str path, mr_str content,
        update_list *updates)
{
	git_tree_update update = {.action = GIT_TREE_UPDATE_UPSERT, .filemode = GIT_FILEMODE_BLOB};

	update.path = mr_str_copy(&tree->arena, path).data;
	if (git_blob_create_from_buffer(&update.id, repo->git, content.data, content.size) < 0)
		return mr_fail(tree->diags, MR_E_FAILED, "cannot store '%.*s' in '%s': %s",
		        MR_FMT(path), repo->mirror, mr_git_reason());
	mr_vec_push(updates, update);
	return 0;
}

static int store_files(
        struct mr_tree *tree, struct mr_repo *repo, struct mr_buf *content, update_list *updates)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < tree->files.n; i++) {
		mr_buf_clear(content);
		result = mr_tree_read(tree, i, content);
		if (result == 0)
			result = store_blob(tree, repo, tree->files.items[i].path,
			        mr_buf_str(content), updates);
	}
	return result;
}

static int path_cmp(const void *left, const void *right)
{
	return mr_str_cmp(*(const mr_str *)left, *(const mr_str *)right);
}

static bool is_listed(const struct mr_tree *tree, mr_str path)
{
	struct mr_tree_file wanted = {.path = path};

	return bsearch(&wanted, tree->files.items, tree->files.n, sizeof wanted, path_cmp) != NULL;
}

/* Those that attributes named; a file may be named more than once. */
static int store_named(
        struct mr_tree *tree, struct mr_repo *repo, struct mr_buf *content, update_list *updates)
{
	size_t n = tree->read_paths.n;
	mr_str last = {NULL, 0};
	int result = 0;

	if (n > 1)
		qsort(tree->read_paths.items, n, sizeof(mr_str), path_cmp);
	for (size_t i = 0; result == 0 && i < n; i++) {
		mr_str path = tree->read_paths.items[i];

		if (mr_str_eq(path, last) || is_listed(tree, path))
			continue;
		last = path;
		mr_buf_clear(content);
		result = mr_tree_dir_read(tree, path, content);
		if (result == 0)
			result = store_blob(tree, repo, path, mr_buf_str(content), updates);
		else
			result = mr_fail(tree->diags, MR_E_INVALID, "cannot read '%.*s' again",
			        MR_FMT(path));
	}
	return result;
}

static int commit_tree(struct mr_repo *repo, const git_oid *tree_id, git_oid *out)
{
	git_signature *author = NULL;
	git_tree *tree = NULL;
	int result = git_signature_now(&author, "mailreeve", "mailreeve@localhost");

	if (result == 0)
		result = git_tree_lookup(&tree, repo->git, tree_id);
	if (result == 0)
		result = git_commit_create(out, repo->git, NULL, author, author, NULL,
		        "files of a folder, as applied\n", tree, 0, NULL);
	git_tree_free(tree);
	git_signature_free(author);
	return result;
}

/* A name that no fetch writes: tells such commits apart from those of the repository. */
static int mark(struct mr_repo *repo, mr_str commit, const git_oid *id)
{
	git_reference *reference = NULL;
	struct mr_buf name = MR_BUF_INIT;
	int result;

	mr_buf_printf(&name, "refs/mailreeve/folders/%.*s", MR_FMT(commit));
	result = git_reference_create(&reference, repo->git, name.data, id, 1, NULL);
	git_reference_free(reference);
	mr_buf_done(&name);
	return result;
}

bool mr_repo_is_folder(struct mr_repo *repo, mr_str commit)
{
	struct mr_buf name = MR_BUF_INIT;
	git_oid id;
	bool is_there;

	mr_buf_printf(&name, "refs/mailreeve/folders/%.*s", MR_FMT(commit));
	is_there = git_reference_name_to_id(&id, repo->git, name.data) == 0;
	mr_buf_done(&name);
	return is_there;
}

int mr_repo_store_tree(struct mr_diags *diags, struct mr_repo *repo, struct mr_tree *tree,
        struct mr_arena *arena, mr_str *out_commit)
{
	update_list updates = {0};
	struct mr_buf content = MR_BUF_INIT;
	git_oid tree_id, commit_id;
	int result = mr_repo_ready(diags, repo);

	if (result == 0)
		result = store_files(tree, repo, &content, &updates);
	if (result == 0 && tree->kind == TREE_OF_DIR)
		result = store_named(tree, repo, &content, &updates);
	mr_buf_done(&content);
	if (result == 0 &&
	        (git_tree_create_updated(&tree_id, repo->git, NULL, updates.n, updates.items) < 0 ||
	                commit_tree(repo, &tree_id, &commit_id) < 0))
		result = mr_fail(diags, MR_E_FAILED, "cannot store the folder in '%s': %s",
		        repo->mirror, mr_git_reason());
	mr_vec_done(&updates);
	if (result == 0) {
		*out_commit = mr_git_format_id(arena, &commit_id);
		if (mark(repo, *out_commit, &commit_id) < 0)
			result = mr_fail(diags, MR_E_FAILED, "cannot keep the folder in '%s': %s",
			        repo->mirror, mr_git_reason());
	}
	return result;
}
