/*
 * Glances: fingerprints of references, and the file in the mirror that holds the last one.
 *
 * The file is a list of texts, each ended by NUL: the fingerprint, commit, tree, author, subject,
 * path; then blob, size and path of each file.
 */
#include "source/glance.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fingerprint.h"
#include "base/text.h"

#define NAME          "mailreeve-glance"
#define LARGEST_BYTES ((size_t)256 << 20)
#define DEEPEST       8

static const char *path_in(struct mr_arena *arena, const char *folder, const char *name)
{
	return mr_str_printf(arena, "%s/%s", folder, name).data;
}

/* The folder that holds the references: the repository's own, or its .git. NULL for kinds that keep
 * them elsewhere. */
static const char *folder_of(struct mr_arena *arena, const char *url)
{
	const char *inner = path_in(arena, url, ".git");
	const char *folder = access(inner, F_OK) == 0 ? inner : url;

	if (access(path_in(arena, folder, "refs/heads"), F_OK) < 0 ||
	        access(path_in(arena, folder, "commondir"), F_OK) == 0 ||
	        access(path_in(arena, folder, "reftable"), F_OK) == 0)
		return NULL;
	return folder;
}

static void add_repository(struct mr_fingerprint *print, struct mr_arena *arena, const char *folder)
{
	static const char *const files[] = {
	        "HEAD", "config", "packed-refs", "refs/heads", "mailreeve-damaged"};
	static const char *const folders[] = {"refs/heads", "refs/incoming", "refs/tags"};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		mr_fingerprint_file(print, path_in(arena, folder, files[i]));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		mr_fingerprint_folder(print, path_in(arena, folder, folders[i]), DEEPEST);
}

/* Hex of what is there now, or the empty view. */
static mr_str fingerprint(const struct mr_repo *repo, struct mr_arena *arena, bool *out_is_settled)
{
	struct mr_fingerprint print;
	struct mr_buf hex = MR_BUF_INIT;
	struct mr_digest digest;
	const char *remote = repo->is_local ? folder_of(arena, repo->url) : NULL;
	mr_str text;

	if (!remote)
		return (mr_str){0};
	mr_fingerprint_init(&print);
	mr_fingerprint_file(&print, "/proc/self/exe"); /* another build may list other files */
	mr_hash_add_sized(&print.hash, mr_str_from(repo->branch));
	add_repository(&print, arena, remote);
	add_repository(&print, arena, repo->mirror);
	*out_is_settled = mr_fingerprint_is_settled(&print);
	digest = mr_hash_final(&print.hash);
	mr_digest_format(&digest, &hex);
	text = mr_str_copy(arena, mr_buf_str(&hex));
	mr_buf_done(&hex);
	return text;
}

static bool read_kept(struct mr_repo *repo, mr_str print)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags ignored = {0};
	mr_str rest;
	bool is_known = mr_file_read(&ignored, path_in(&arena, repo->mirror, NAME), LARGEST_BYTES,
	                        &text) == 0;

	rest = mr_buf_str(&text);
	is_known = is_known && mr_str_eq(mr_str_split(&rest, '\0'), print);
	if (is_known) {
		rest = mr_str_copy(&repo->arena, rest);
		repo->glance.commit = mr_str_split(&rest, '\0');
		repo->glance.tree = mr_str_split(&rest, '\0');
		repo->glance.author = mr_str_split(&rest, '\0');
		repo->glance.subject = mr_str_split(&rest, '\0');
		repo->glance.subpath = mr_str_split(&rest, '\0');
		repo->glance.files = rest;
	}
	mr_buf_done(&text);
	mr_diags_done(&ignored);
	return is_known && repo->glance.commit.size > 0;
}

bool mr_glance_look(struct mr_repo *repo)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	bool is_settled = false;
	mr_str print;

	repo->glance = (struct mr_glance){0};
	if (repo->is_wary)
		return false;
	print = fingerprint(repo, &arena, &is_settled);
	if (!is_settled)
		return false;
	repo->glance.print = mr_str_copy(&repo->arena, print);
	repo->glance.is_known = read_kept(repo, print);
	return repo->glance.is_known;
}

static void add_text(struct mr_buf *out, mr_str text)
{
	mr_buf_add_str(out, text);
	mr_buf_add_char(out, '\0');
}

void mr_glance_keep(struct mr_repo *repo, mr_str commit, mr_str subpath, const struct mr_tree *tree)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_file_owner owner = {.uid = geteuid(), .gid = getegid(), .mode = 0600};
	struct mr_diags ignored = {0};
	struct mr_buf text = MR_BUF_INIT;
	bool is_settled = false;
	mr_str head, author, subject;

	if (!repo->glance.is_current || !repo->glance.print.size || repo->glance.is_known ||
	        mr_repo_resolve(&ignored, repo, (mr_str){0}, &arena, &head) ||
	        !mr_str_eq(head, commit) ||
	        !mr_str_eq(fingerprint(repo, &arena, &is_settled), repo->glance.print) ||
	        mr_repo_describe(&ignored, repo, commit, &arena, &author, &subject)) {
		mr_diags_done(&ignored);
		return;
	}
	add_text(&text, repo->glance.print);
	add_text(&text, commit);
	add_text(&text, tree->id);
	add_text(&text, author);
	add_text(&text, subject);
	add_text(&text, subpath);
	mr_vec_each (file, &tree->files) {
		add_text(&text, file->blob);
		add_text(
		        &text, mr_str_printf(&arena, "%llu", (unsigned long long)file->size_bytes));
		add_text(&text, file->path);
	}
	(void)!mr_file_replace(
	        &ignored, path_in(&arena, repo->mirror, NAME), mr_buf_str(&text), &owner);
	mr_buf_done(&text);
	mr_diags_done(&ignored);
}

bool mr_glance_list(const struct mr_repo *repo, mr_str commit, mr_str subpath, struct mr_tree *tree)
{
	mr_str rest = repo->glance.files;

	if (!repo->glance.is_known || !mr_str_eq(commit, repo->glance.commit) ||
	        !mr_str_eq(subpath, repo->glance.subpath))
		return false;
	while (rest.size) {
		mr_str blob = mr_str_split(&rest, '\0'), number = mr_str_split(&rest, '\0');
		mr_str path = mr_str_split(&rest, '\0');
		uint64_t size_bytes;

		if (mr_number_parse(number, MR_TREE_LARGEST_BYTES, &size_bytes) < 0) {
			tree->files.n = 0;
			return false;
		}
		mr_tree_add(tree, path, blob, size_bytes);
	}
	tree->id = repo->glance.tree;
	return true;
}
