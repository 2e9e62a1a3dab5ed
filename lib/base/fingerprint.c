/*
 * Fingerprints of files and folders.
 */
#include "base/fingerprint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

enum { SETTLED_NS = 50000000, MAX_PATH = 4096 }; /* a kernel tick is 10 ms at most */

void mr_fingerprint_init(struct mr_fingerprint *fingerprint)
{
	*fingerprint = (struct mr_fingerprint){0};
	mr_hash_init(&fingerprint->hash);
}

void mr_fingerprint_file(struct mr_fingerprint *fingerprint, const char *path)
{
	struct mr_file_identity identity;

	mr_file_identify(path, &identity);
	mr_hash_add_sized(&fingerprint->hash, mr_str_from(path));
	mr_hash_add(&fingerprint->hash, (mr_str){(const char *)&identity, sizeof identity});
	if ((int64_t)identity.mtime_ns > fingerprint->newest_ns)
		fingerprint->newest_ns = (int64_t)identity.mtime_ns;
	if ((int64_t)identity.ctime_ns > fingerprint->newest_ns)
		fingerprint->newest_ns = (int64_t)identity.ctime_ns;
}

static int is_shown(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void mr_fingerprint_folder(struct mr_fingerprint *fingerprint, const char *path, unsigned depth)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_shown, alphasort);
	char inner[MAX_PATH];

	mr_hash_add_sized(&fingerprint->hash, n < 0 ? MR_STR("none") : MR_STR("folder"));
	for (int i = 0; i < n; i++) {
		int size = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);

		if (size > 0 && size < MAX_PATH) {
			mr_fingerprint_file(fingerprint, inner);
			if (depth > 0 && entries[i]->d_type == DT_DIR)
				mr_fingerprint_folder(fingerprint, inner, depth - 1);
		}
		free(entries[i]);
	}
	free(entries);
}

bool mr_fingerprint_is_settled(const struct mr_fingerprint *fingerprint)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return false;
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - fingerprint->newest_ns > SETTLED_NS;
}
