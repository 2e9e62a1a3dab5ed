/*
 * The files of a store of rows: made for their owner alone, and removed.
 */
#include "source/rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Password hashes stand in it: it is made for its owner alone before SQLite would make it for
 * everyone to read. */
void mr_rows_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd); /* nothing was written; what is wrong with it SQLite will say */
}

void mr_rows_remove(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[4096];

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffixes[i]) < sizeof name)
			(void)unlink(name); /* absent is fine */
}
