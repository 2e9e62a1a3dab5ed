/*
 * A commit as the source: its tree is walked in the object database, there is no checkout.
 */
#include "source/glance.h"

#define MODE_TYPE      0170000
#define MODE_FILE      0100000
#define MODE_LINK      0120000
#define MODE_SUBMODULE 0160000
#define MODE_TREE      0040000

static int damaged(struct mr_tree *tree, mr_str path)
{
	const char *what =
	        mr_str_printf(&tree->arena, "read '%.*s' from the mirror", MR_FMT(path)).data;

	return mr_git_damaged(tree->diags, tree->repo, what);
}

static mr_str join(struct mr_arena *arena, mr_str folder, const char *name)
{
	if (!folder.size)
		return mr_str_copy(arena, mr_str_from(name));
	return mr_str_printf(arena, "%.*s/%s", MR_FMT(folder), name);
}

static int add_blob(struct mr_tree *tree, git_odb *odb, const git_tree_entry *entry, mr_str path)
{
	git_object_t type;
	size_t size;

	if (git_odb_read_header(&size, &type, odb, git_tree_entry_id(entry)) < 0)
		return damaged(tree, path);
	if (size > MR_TREE_LARGEST_BYTES) {
		mr_tree_refuse(tree, "MR-TREE-SIZE", path, "the file is larger than 16 MiB");
		return 0;
	}
	mr_tree_add(tree, path, mr_git_format_id(&tree->arena, git_tree_entry_id(entry)), size);
	return 0;
}

static int walk(
        struct mr_tree *tree, git_odb *odb, const git_tree *folder, mr_str path, unsigned depth);

static int enter(struct mr_tree *tree, git_odb *odb, const git_tree_entry *entry, mr_str path,
        unsigned depth)
{
	git_tree *inner = NULL;
	int result;

	if (depth > MR_TREE_DEEPEST) {
		mr_tree_refuse(tree, "MR-TREE-DEPTH", path, "folders are nested deeper than 32");
		return 0;
	}
	if (git_tree_lookup(&inner, tree->repo->git, git_tree_entry_id(entry)) < 0)
		return damaged(tree, path);
	result = walk(tree, odb, inner, path, depth);
	git_tree_free(inner);
	return result;
}

static int visit(struct mr_tree *tree, git_odb *odb, const git_tree_entry *entry, mr_str folder,
        unsigned depth)
{
	const char *name = git_tree_entry_name(entry);
	mr_str path;

	if (mr_tree_is_hidden(mr_str_from(name)))
		return 0;
	if (!mr_tree_count_entry(tree))
		return MR_E_INVALID;
	path = join(&tree->arena, folder, name);
	switch ((unsigned)git_tree_entry_filemode_raw(entry) & MODE_TYPE) {
	case MODE_LINK:
		mr_tree_refuse(tree, "MR-TREE-SYMLINK", path, "symbolic links are not followed");
		return 0;
	case MODE_SUBMODULE:
		mr_tree_refuse(tree, "MR-TREE-SUBMODULE", path, "submodules are not followed");
		return 0;
	case MODE_TREE:
		return enter(tree, odb, entry, path, depth + 1);
	default:
		return mr_tree_is_wanted(mr_str_from(name)) ? add_blob(tree, odb, entry, path) : 0;
	}
}

static int walk(
        struct mr_tree *tree, git_odb *odb, const git_tree *folder, mr_str path, unsigned depth)
{
	size_t n = git_tree_entrycount(folder);
	int result = 0;

	for (size_t i = 0; result == 0 && i < n; i++)
		result = visit(tree, odb, git_tree_entry_byindex(folder, i), path, depth);
	return result;
}

static int open_root(struct mr_tree *tree, mr_str commit)
{
	git_commit *object = NULL;
	git_oid id;

	if (!mr_git_parse_id(commit, &id))
		return mr_fail(tree->diags, MR_E_USAGE, "'%.*s' is no commit id", MR_FMT(commit));
	if (git_commit_lookup(&object, tree->repo->git, &id) < 0 ||
	        git_commit_tree(&tree->root, object) < 0) {
		git_commit_free(object);
		return damaged(tree, commit);
	}
	git_commit_free(object);
	tree->id = mr_git_format_id(&tree->arena, git_tree_id(tree->root));
	return 0;
}

/* The root of a tree that was opened by a glance. */
static int need_root(struct mr_tree *tree)
{
	int result = mr_repo_ready(tree->diags, tree->repo);

	return result < 0 || tree->root ? result : open_root(tree, tree->commit);
}

static bool is_root(mr_str subpath)
{
	return subpath.size == 0 || mr_str_is(subpath, ".");
}

/* The configured folder below the root; the root itself gets a second handle. */
static int open_folder(struct mr_tree *tree, mr_str commit, mr_str subpath, git_tree **out)
{
	git_tree_entry *entry = NULL;
	int result;

	while (mr_str_starts(subpath, MR_STR("./")))
		subpath = mr_str_skip(subpath, 2);
	while (mr_str_ends(subpath, MR_STR("/")))
		subpath.size--;
	if (is_root(subpath) || mr_repo_is_folder(tree->repo, commit))
		return git_tree_dup(out, tree->root) < 0 ? damaged(tree, commit) : 0;
	if (!mr_tree_is_path(subpath))
		return mr_fail(tree->diags, MR_E_CONFIG,
		        "repository path '%.*s' is no path inside the repository", MR_FMT(subpath));
	result = git_tree_entry_bypath(&entry, tree->root, mr_str_copy(&tree->arena, subpath).data);
	if (result == 0 && git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
		result = git_tree_lookup(out, tree->repo->git, git_tree_entry_id(entry));
		git_tree_entry_free(entry);
		return result < 0 ? damaged(tree, subpath) : 0;
	}
	git_tree_entry_free(entry);
	if (result < 0 && result != GIT_ENOTFOUND)
		return damaged(tree, subpath);
	return mr_fail(tree->diags, MR_E_INVALID, "commit %.*s has no folder '%.*s'",
	        MR_FMT(commit), MR_FMT(subpath));
}

static int list(struct mr_tree *tree, const git_tree *folder)
{
	size_t n_errors = tree->diags->n_errors;
	git_odb *odb = NULL;
	int result = git_repository_odb(&odb, tree->repo->git) < 0 ? damaged(tree, MR_STR(".")) : 0;

	if (result == 0)
		result = walk(tree, odb, folder, MR_STR(""), 0);
	git_odb_free(odb);
	if (result == 0 && tree->diags->n_errors > n_errors)
		result = MR_E_INVALID;
	return result;
}

int mr_tree_open_commit(struct mr_diags *diags, struct mr_repo *repo, mr_str commit, mr_str subpath,
        struct mr_tree **out)
{
	struct mr_tree *tree = mr_tree_new(diags, TREE_OF_COMMIT);
	git_tree *folder = NULL;
	int result;

	tree->repo = repo;
	tree->commit = mr_str_copy(&tree->arena, commit);
	if (mr_glance_list(repo, commit, subpath, tree)) {
		*out = tree;
		return 0;
	}
	result = need_root(tree);
	if (result == 0)
		result = open_folder(tree, commit, subpath, &folder);
	if (result == 0)
		result = list(tree, folder);
	git_tree_free(folder);
	if (result < 0) {
		mr_tree_close(tree);
		return result;
	}
	mr_tree_sort(tree);
	mr_glance_keep(repo, commit, subpath, tree);
	*out = tree;
	return 0;
}

static int read_blob(struct mr_tree *tree, const git_oid *id, mr_str path, struct mr_buf *out)
{
	git_blob *blob = NULL;

	if (git_blob_lookup(&blob, tree->repo->git, id) < 0)
		return damaged(tree, path);
	mr_buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return 0;
}

int mr_tree_git_read(struct mr_tree *tree, const struct mr_tree_file *file, struct mr_buf *out)
{
	git_oid id;
	int result = mr_repo_ready(tree->diags, tree->repo);

	if (result < 0)
		return result;
	if (!mr_git_parse_id(file->blob, &id))
		return mr_fail(
		        tree->diags, MR_E_FAILED, "'%.*s' is no blob id", MR_FMT(file->blob));
	return read_blob(tree, &id, file->path, out);
}

/* A plain file of the tree, unless it is larger than files may be. */
static int read_entry(
        struct mr_tree *tree, const git_tree_entry *entry, mr_str path, struct mr_buf *out)
{
	git_odb *odb = NULL;
	git_object_t type;
	size_t size = 0;
	bool is_there;

	if (((unsigned)git_tree_entry_filemode_raw(entry) & MODE_TYPE) != MODE_FILE)
		return MR_E_INVALID;
	is_there = git_repository_odb(&odb, tree->repo->git) == 0 &&
	           git_odb_read_header(&size, &type, odb, git_tree_entry_id(entry)) == 0;
	git_odb_free(odb);
	if (!is_there)
		return damaged(tree, path);
	if (size > MR_TREE_LARGEST_BYTES)
		return MR_E_INVALID;
	return read_blob(tree, git_tree_entry_id(entry), path, out);
}

int mr_tree_git_read_path(struct mr_tree *tree, mr_str path, struct mr_buf *out)
{
	git_tree_entry *entry = NULL;
	const char *name = mr_str_copy(&tree->arena, path).data;
	int result = need_root(tree);

	if (result < 0)
		return result;
	result = git_tree_entry_bypath(&entry, tree->root, name);
	if (result == GIT_ENOTFOUND)
		return MR_E_NOT_FOUND;
	if (result < 0)
		return damaged(tree, path);
	result = read_entry(tree, entry, path, out);
	git_tree_entry_free(entry);
	return result;
}
