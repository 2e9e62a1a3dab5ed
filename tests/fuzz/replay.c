/*
 * Runs a fuzz target over the files of a folder, each whole and cut off at up to 64 places: for
 * builds without libFuzzer. An empty or missing corpus is a failure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1); /* of its own, so that a sanitizer sees the end */

	if (!copy)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rbe");
	size_t size, step;

	if (!file)
		return -1;
	size = fread(data, 1, sizeof data, file);
	(void)fclose(file);
	step = size / 64 + 1;
	for (size_t cut = 0; cut < size; cut += step)
		run_copy(data, cut);
	run_copy(data, size);
	return 0;
}

static int run_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int n = 0;

	while (folder && (entry = readdir(folder))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (run_file(name) == 0)
			n++;
	}
	if (folder)
		(void)closedir(folder);
	return n;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int n = run_folder(argv[i]);

		if (n == 0) {
			(void)fprintf(stderr, "no corpus in %s\n", argv[i]);
			return 1;
		}
		(void)printf("%d files\n", n);
	}
	return 0;
}
