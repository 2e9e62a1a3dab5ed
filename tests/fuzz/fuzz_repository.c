/*
 * A hostile repository of one file: it compiles, or it is refused with at least one error that has
 * a place. Nothing else.
 */
#include "fuzz.h"

#include "source/compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void remove_folder(void)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/mailreeve.yaml", folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

/* One folder a process, in memory where there is such a file system. */
static void write_file(const uint8_t *data, size_t size)
{
	char path[128];
	int fd;

	if (!folder[0]) {
		(void)snprintf(folder, sizeof folder, "%s/mr-fuzz.%d",
		        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
		PROMISE(mkdir(folder, 0700) == 0);
		PROMISE(atexit(remove_folder) == 0);
	}
	(void)snprintf(path, sizeof path, "%s/mailreeve.yaml", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_compile_options options = {
	        .host = MR_STR("mx1.example.org"), .today_days = 20000};
	struct mr_desired *desired = NULL;
	struct mr_compile_stats stats;
	struct mr_tree *tree = NULL;
	struct mr_diags diags;
	int code;

	write_file(data, size);
	mr_diags_init(&diags);
	code = mr_tree_open_dir(&diags, folder, &tree);
	if (!code)
		code = mr_compile(&diags, tree, &options, &desired, &stats);
	PROMISE((code == 0) == (diags.n_errors == 0));
	PROMISE(code == 0 || code == MR_E_INVALID);
	if (desired)
		mr_desired_close(desired);
	if (tree)
		mr_tree_close(tree);
	mr_diags_done(&diags);
	return 0;
}
