/*
 * A plain folder as the source: walked by openat without ever following a link, so that it cannot
 * be left.
 */
#include "base/digest.h"
#include "base/file.h"
#include "source/git.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void mr_tree_blob_id(mr_str content, struct mr_arena *arena, mr_str *out)
{
	git_oid id;

	if (git_odb_hash(&id, content.data ? content.data : "", content.size, GIT_OBJECT_BLOB) < 0)
		abort();
	*out = mr_git_format_id(arena, &id);
}

static int fail_read(struct mr_tree *tree, mr_str path)
{
	return mr_fail(tree->diags, MR_E_FAILED, "cannot read '%s/%.*s': %s", tree->root_path,
	        MR_FMT(path), strerror(errno));
}

static mr_str join(struct mr_arena *arena, mr_str folder, const char *name)
{
	if (!folder.size)
		return mr_str_copy(arena, mr_str_from(name));
	return mr_str_printf(arena, "%.*s/%s", MR_FMT(folder), name);
}

/* 1 read, 0 larger than allowed, -1 errno. */
static int read_whole(int fd, struct mr_buf *out)
{
	size_t before = out->size;

	for (;;) {
		char *end = mr_buf_reserve(out, 16384);
		ssize_t n = read(fd, end, 16384);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			out->data[out->size] = '\0';
			return n < 0 ? -1 : 1;
		}
		out->size += (size_t)n;
		if (out->size - before > MR_TREE_LARGEST_BYTES)
			return 0;
	}
}

static int add_file(
        struct mr_tree *tree, int folder_fd, const char *name, mr_str path, struct mr_buf *content)
{
	MR_CLOSE int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	mr_str blob;
	int result;

	if (fd < 0 || fstat(fd, &status) < 0)
		return fail_read(tree, path);
	if (!S_ISREG(status.st_mode)) {
		mr_tree_refuse(tree, "MR-TREE-FILE", path, "neither a file nor a folder");
		return 0;
	}
	mr_buf_clear(content);
	result = status.st_size > (off_t)MR_TREE_LARGEST_BYTES ? 0 : read_whole(fd, content);
	if (result < 0)
		return fail_read(tree, path);
	if (result == 0) {
		mr_tree_refuse(tree, "MR-TREE-SIZE", path, "the file is larger than 16 MiB");
		return 0;
	}
	mr_tree_blob_id(mr_buf_str(content), &tree->arena, &blob);
	mr_tree_add(tree, path, blob, content->size);
	return 0;
}

static int walk(struct mr_tree *tree, int fd, mr_str path, unsigned depth, struct mr_buf *content);

static int enter(struct mr_tree *tree, int folder_fd, const char *name, mr_str path, unsigned depth,
        struct mr_buf *content)
{
	int fd;

	if (depth > MR_TREE_DEEPEST) {
		mr_tree_refuse(tree, "MR-TREE-DEPTH", path, "folders are nested deeper than 32");
		return 0;
	}
	fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_read(tree, path);
	return walk(tree, fd, path, depth, content);
}

static unsigned char type_of(int folder_fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(folder_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(status.st_mode);
}

static int visit(struct mr_tree *tree, int folder_fd, const struct dirent *entry, mr_str folder,
        unsigned depth, struct mr_buf *content)
{
	mr_str name = mr_str_from(entry->d_name);
	mr_str path;

	if (mr_str_is(name, ".git") && depth > 0)
		mr_tree_refuse(tree, "MR-TREE-SUBMODULE", folder, "submodules are not followed");
	if (mr_tree_is_hidden(name))
		return 0;
	if (!mr_tree_count_entry(tree))
		return MR_E_INVALID;
	path = join(&tree->arena, folder, entry->d_name);
	switch (type_of(folder_fd, entry)) {
	case DT_LNK:
		mr_tree_refuse(tree, "MR-TREE-SYMLINK", path, "symbolic links are not followed");
		return 0;
	case DT_DIR:
		return enter(tree, folder_fd, entry->d_name, path, depth + 1, content);
	default:
		return mr_tree_is_wanted(name)
		               ? add_file(tree, folder_fd, entry->d_name, path, content)
		               : 0;
	}
}

/* Takes the descriptor. */
static int walk(struct mr_tree *tree, int fd, mr_str path, unsigned depth, struct mr_buf *content)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		result = fail_read(tree, path);
		mr_fd_done(&fd);
		return result;
	}
	while (result == 0 && (errno = 0, entry = readdir(dir)))
		result = visit(tree, fd, entry, path, depth, content);
	if (result == 0 && errno)
		result = fail_read(tree, path);
	(void)closedir(dir);
	return result;
}

static int open_root(struct mr_tree *tree, const char *path)
{
	tree->root_path = mr_str_copy(&tree->arena, mr_str_from(path)).data;
	tree->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->root_fd >= 0)
		return 0;
	return mr_fail(
	        tree->diags, MR_E_USAGE, "cannot open folder '%s': %s", path, strerror(errno));
}

static int walk_root(struct mr_tree *tree)
{
	struct mr_buf content = MR_BUF_INIT;
	size_t n_errors = tree->diags->n_errors;
	int fd = openat(tree->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result =
	        fd < 0 ? fail_read(tree, MR_STR(".")) : walk(tree, fd, MR_STR(""), 0, &content);

	mr_buf_done(&content);
	if (result < 0)
		return result;
	return tree->diags->n_errors > n_errors ? MR_E_INVALID : 0;
}

static mr_str digest_files(struct mr_tree *tree)
{
	struct mr_buf hex = MR_BUF_INIT;
	struct mr_digest digest;
	struct mr_hash hash;
	mr_str id;

	mr_hash_init(&hash);
	mr_vec_each (file, &tree->files) {
		mr_hash_add_sized(&hash, file->path);
		mr_hash_add_sized(&hash, file->blob);
	}
	digest = mr_hash_final(&hash);
	mr_digest_format(&digest, &hex);
	id = mr_str_copy(&tree->arena, mr_buf_str(&hex));
	mr_buf_done(&hex);
	return id;
}

int mr_tree_open_dir(struct mr_diags *diags, const char *path, struct mr_tree **out)
{
	struct mr_tree *tree = mr_tree_new(diags, TREE_OF_DIR);
	int result = open_root(tree, path);

	if (result == 0)
		result = walk_root(tree);
	if (result < 0) {
		mr_tree_close(tree);
		return result;
	}
	mr_tree_sort(tree);
	tree->id = digest_files(tree);
	*out = tree;
	return 0;
}

/* The folder that holds the path's last part, opened part by part; <0 with errno. */
static int open_parent(struct mr_tree *tree, mr_str path, mr_str *out_name)
{
	int fd = openat(tree->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mr_str part = mr_str_split(&path, '/');

	while (fd >= 0 && path.data) {
		const char *name = mr_str_copy(&tree->arena, part).data;
		int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		mr_fd_done(&fd);
		fd = inner;
		part = mr_str_split(&path, '/');
	}
	*out_name = part;
	return fd;
}

static int code_of_errno(void)
{
	if (errno == ENOENT)
		return MR_E_NOT_FOUND;
	return errno == ELOOP || errno == ENOTDIR ? MR_E_INVALID : MR_E_FAILED;
}

int mr_tree_dir_read(struct mr_tree *tree, mr_str path, struct mr_buf *out)
{
	mr_str name;
	MR_CLOSE int parent = open_parent(tree, path, &name);
	MR_CLOSE int fd = -1;
	size_t before = out->size;
	struct stat status;
	int result;

	if (parent >= 0)
		fd = openat(parent, mr_str_copy(&tree->arena, name).data,
		        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return code_of_errno() == MR_E_FAILED ? fail_read(tree, path) : code_of_errno();
	if (!S_ISREG(status.st_mode))
		return MR_E_INVALID;
	result = read_whole(fd, out);
	if (result > 0)
		return 0;
	out->size = before;
	return result < 0 ? fail_read(tree, path) : MR_E_INVALID;
}
