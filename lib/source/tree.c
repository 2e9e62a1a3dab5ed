/*
 * The files of one desired state: what folders and commits have in common.
 */
#include "source/git.h"

#include <assert.h>
#include <stdlib.h>

#include "base/file.h"

struct mr_tree *mr_tree_new(struct mr_diags *diags, enum tree_kind kind)
{
	struct mr_tree *tree = mr_xrealloc(NULL, 1, sizeof *tree);

	if (kind == TREE_OF_DIR)
		mr_git_start(); /* it names blobs; a commit's repository is made ready by whoever
		                   needs it */
	*tree = (struct mr_tree){.diags = diags, .kind = kind, .root_fd = -1};
	return tree;
}

void mr_tree_close(struct mr_tree *tree)
{
	if (!tree)
		return;
	git_tree_free(tree->root);
	mr_fd_done(&tree->root_fd);
	mr_vec_done(&tree->files);
	mr_vec_done(&tree->read_paths);
	mr_arena_done(&tree->arena);
	free(tree);
}

bool mr_tree_is_wanted(mr_str name)
{
	return mr_str_ends(name, MR_STR(".yaml")) || mr_str_ends(name, MR_STR(".yml"));
}

bool mr_tree_is_hidden(mr_str name)
{
	return mr_str_starts(name, MR_STR("."));
}

void mr_tree_refuse(struct mr_tree *tree, const char *rule, mr_str path, const char *text)
{
	struct mr_loc loc = {path, 1, 1};

	mr_diags_at(tree->diags, MR_ERROR, rule, &loc, "%s", text);
}

void mr_tree_add(struct mr_tree *tree, mr_str path, mr_str blob, uint64_t size_bytes)
{
	struct mr_tree_file file = {path, blob, size_bytes};

	mr_vec_push(&tree->files, file);
}

bool mr_tree_count_entry(struct mr_tree *tree)
{
	if (++tree->n_entries == MR_TREE_MOST_FILES + 1)
		mr_tree_refuse(
		        tree, "MR-TREE-SIZE", MR_STR("."), "more than 1000000 files and folders");
	return tree->n_entries <= MR_TREE_MOST_FILES;
}

static int file_cmp(const void *left, const void *right)
{
	return mr_str_cmp(((const struct mr_tree_file *)left)->path,
	        ((const struct mr_tree_file *)right)->path);
}

void mr_tree_sort(struct mr_tree *tree)
{
	for (size_t i = 1; i < tree->files.n; i++) {
		if (file_cmp(&tree->files.items[i - 1], &tree->files.items[i]) < 0)
			continue;
		qsort(tree->files.items, tree->files.n, sizeof *tree->files.items, file_cmp);
		return;
	}
}

bool mr_tree_is_path(mr_str path)
{
	if (path.size == 0 || path.size > 4096 || mr_str_find(path, '\0') < path.size)
		return false;
	while (path.data) {
		mr_str part = mr_str_split(&path, '/');

		if (part.size == 0 || part.size > 255 || mr_str_is(part, ".") ||
		        mr_str_is(part, ".."))
			return false;
	}
	return true;
}

const struct mr_tree_file *mr_tree_files(const struct mr_tree *tree, size_t *out_n)
{
	*out_n = tree->files.n;
	return tree->files.items;
}

mr_str mr_tree_id(const struct mr_tree *tree)
{
	return tree->id;
}

static int read_listed(struct mr_tree *tree, const struct mr_tree_file *file, struct mr_buf *out)
{
	size_t before = out->size;
	mr_str blob;
	int result;

	if (tree->kind == TREE_OF_COMMIT)
		return mr_tree_git_read(tree, file, out);
	result = mr_tree_dir_read(tree, file->path, out);
	if (result == 0) {
		mr_tree_blob_id(
		        (mr_str){out->data + before, out->size - before}, &tree->arena, &blob);
		if (mr_str_eq(blob, file->blob))
			return 0;
		result = MR_E_CONFLICT;
	}
	out->size = before;
	(void)mr_fail(tree->diags, MR_E_INVALID, "cannot read '%.*s': it %s meanwhile",
	        MR_FMT(file->path), result == MR_E_NOT_FOUND ? "went away" : "changed");
	mr_diags_hint(tree->diags, "run again");
	return MR_E_INVALID;
}

int mr_tree_read(struct mr_tree *tree, size_t index, struct mr_buf *out)
{
	assert(index < tree->files.n);
	return read_listed(tree, &tree->files.items[index], out);
}

int mr_tree_read_path(struct mr_tree *tree, mr_str path, struct mr_buf *out)
{
	int result;

	if (!mr_tree_is_path(path))
		return MR_E_INVALID;
	if (tree->kind == TREE_OF_COMMIT)
		return mr_tree_git_read_path(tree, path, out);
	result = mr_tree_dir_read(tree, path, out);
	if (result == 0)
		mr_vec_push(&tree->read_paths, mr_str_copy(&tree->arena, path));
	return result;
}
