/*
 * Of several files the one that was written last.
 */
#include "fileset/newest.h"

#include <pwd.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"

/* A file of ours may carry a time up to a second later than it was written. */
enum { OWN_SECONDS = 1 };

void mr_fileset_newest_add(struct mr_fileset_newest *newest, const char *path)
{
	struct stat status;

	if (lstat(path, &status) || (newest->path.data && status.st_mtime <= newest->mtime))
		return;
	newest->path = mr_str_copy(newest->arena, mr_str_from(path));
	newest->mtime = status.st_mtime;
	newest->uid = status.st_uid;
}

void mr_fileset_newest_trace(
        const struct mr_fileset_newest *newest, int64_t applied_at, struct mr_trace *out)
{
	const struct passwd *user;
	struct mr_buf since = MR_BUF_INIT;

	if (!newest->path.data || newest->mtime <= applied_at + OWN_SECONDS)
		return;
	user = getpwuid(newest->uid);
	mr_time_format(newest->mtime, &since);
	out->file = newest->path;
	out->since = mr_str_copy(newest->arena, mr_buf_str(&since));
	out->owner = user ? mr_str_copy(newest->arena, mr_str_from(user->pw_name))
	                  : mr_str_printf(newest->arena, "uid %u", newest->uid);
	mr_buf_done(&since);
}
