/*
 * Files: read whole, replace atomically, make folders, identify.
 *
 * All opens carry O_CLOEXEC. Replacing keeps owner and mode of the old file unless told otherwise,
 * by: new file beside it, write, fsync, rename, fsync of the folder (rename(2), fsync(2)).
 */
#ifndef MR_BASE_FILE_H
#define MR_BASE_FILE_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/digest.h"

#include <sys/types.h>

void mr_fd_done(int *fd);
#define MR_CLOSE __attribute__((cleanup(mr_fd_done)))

/* Appends the file's bytes. MR_E_NOT_FOUND without a diagnostic when it is not there; else
 * reported. */
MR_CHECK int mr_file_read(
        struct mr_diags *diags, const char *path, size_t limit_bytes, struct mr_buf *out);

struct mr_file_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* owner == NULL: as the old file has it, else root:root 0644. Symbolic links as target are refused.
 */
MR_CHECK int mr_file_replace(struct mr_diags *diags, const char *path, mr_str content,
        const struct mr_file_owner *owner);
/* The same for what others read and nobody needs after a power cut: no fsync. A reader sees the old
 * content or the new one. */
MR_CHECK int mr_file_publish(struct mr_diags *diags, const char *path, mr_str content, mode_t mode);
/* Writes and fsyncs a new file (O_EXCL, replaced when there), without renaming anything. */
MR_CHECK int mr_file_write_new(struct mr_diags *diags, const char *path, mr_str content,
        const struct mr_file_owner *owner);
/* rename(2) + fsync of the target's folder. */
MR_CHECK int mr_file_rename(struct mr_diags *diags, const char *from, const char *to);
MR_CHECK int mr_file_remove(struct mr_diags *diags, const char *path); /* absent is fine */
MR_CHECK int mr_dir_make(struct mr_diags *diags, const char *path, mode_t mode); /* with parents */
MR_CHECK int mr_dir_sync(struct mr_diags *diags, const char *path);
/* Gives a folder and what is in it to a user and group. Links are given, not followed; a file that
 * has a second name is left alone, since the other name may stand anywhere. Depth at most 16. */
MR_CHECK int mr_dir_give(struct mr_diags *diags, const char *path, uid_t uid, gid_t gid);
/* Removes a folder and what is in it; never follows links; depth at most 16. */
MR_CHECK int mr_dir_remove(struct mr_diags *diags, const char *path);

/* What tells cheaply that a file is the same as before. All zero when it is not there. */
struct mr_file_identity {
	uint64_t device, inode, size, mtime_ns, ctime_ns;
};
void mr_file_identify(const char *path, struct mr_file_identity *out);

#endif
