/*
 * Fingerprints of what is on this machine: whether files are the same as at another time, told
 * without reading them.
 */
#ifndef MR_BASE_FINGERPRINT_H
#define MR_BASE_FINGERPRINT_H

#include "base/digest.h"

struct mr_fingerprint {
	struct mr_hash hash;
	int64_t newest_ns; /* the newest change that was seen, since the epoch */
};

void mr_fingerprint_init(struct mr_fingerprint *fingerprint);
/* Device, inode, size and times; a file that is not there counts as well. */
void mr_fingerprint_file(struct mr_fingerprint *fingerprint, const char *path);
/* All files of a folder by name, and of its folders down to depth. */
void mr_fingerprint_folder(struct mr_fingerprint *fingerprint, const char *path, unsigned depth);
/* False while a change is so young that a second one could carry the same time: the clock of files
 * is coarse. */
bool mr_fingerprint_is_settled(const struct mr_fingerprint *fingerprint);

#endif
