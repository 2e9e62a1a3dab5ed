/*
 * Removing the files of a store of rows.
 */
#include "source/rows.h"

#include <stdio.h>
#include <unistd.h>

void mr_rows_remove(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[4096];

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffixes[i]) < sizeof name)
			(void)unlink(name); /* absent is fine */
}
