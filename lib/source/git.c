/*
 * libgit2: starting it without outside configuration, its errors, object ids.
 */
#include "source/git.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define CACHED_OBJECT_BYTES ((ssize_t)16 << 20)

void mr_git_start(void)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
	        GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};

	if (git_libgit2_init() < 0)
		abort();
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		(void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	(void)git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
	(void)git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, CACHED_OBJECT_BYTES);
	/* Whom the configured repository belongs to is the operator's choice: its path stands in
	 * the host's configuration, and nothing of it is run. */
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

const char *mr_git_reason(void)
{
	const git_error *error = git_error_last();

	return error && error->message ? error->message : "unknown reason";
}

int mr_git_damaged(struct mr_diags *diags, const struct mr_repo *repo, const char *what)
{
	struct mr_buf marker = MR_BUF_INIT;
	int fd;

	(void)mr_fail(diags, MR_E_UNREADABLE, "cannot %s: %s", what, mr_git_reason());
	mr_diags_hint(diags, "the mirror '%s' is made anew at the next run", repo->mirror);
	mr_buf_printf(&marker, "%s/mailreeve-damaged", repo->mirror);
	fd = open(marker.data, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	mr_fd_done(&fd);
	mr_buf_done(&marker);
	return MR_E_UNREADABLE;
}

bool mr_git_parse_id(mr_str hex, git_oid *out)
{
	return hex.size == GIT_OID_HEXSZ && git_oid_fromstrn(out, hex.data, hex.size) == 0;
}

mr_str mr_git_format_id(struct mr_arena *arena, const git_oid *id)
{
	char *hex = mr_alloc(arena, GIT_OID_HEXSZ + 1);

	(void)git_oid_fmt(hex, id);
	return (mr_str){hex, GIT_OID_HEXSZ};
}
