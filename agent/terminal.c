/*
 * What is only drawn or asked where a person sits.
 */
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* The one piece of state that outlives a call: when work began and whether a line stands. */
static struct {
	struct timespec begun;
	bool is_begun;
	bool is_drawn;
} progress;

bool terminal_has_color(const char *when)
{
	const char *no_color = getenv("NO_COLOR");

	if (when && strcmp(when, "always") == 0)
		return true;
	if (when && strcmp(when, "never") == 0)
		return false;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

static double seconds_since(const struct timespec *begun)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

void terminal_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	if (!isatty(STDERR_FILENO))
		return;
	if (!progress.is_begun) {
		(void)clock_gettime(CLOCK_MONOTONIC, &progress.begun);
		progress.is_begun = true;
	}
	if (seconds_since(&progress.begun) < 1)
		return;
	progress.is_drawn = true;
	if (total > 0)
		fprintf(stderr, "\r\033[K%s %" PRIu64 "/%" PRIu64, what, done, total);
	else
		fprintf(stderr, "\r\033[K%s", what);
	(void)fflush(stderr);
}

void terminal_progress_end(void)
{
	if (progress.is_drawn)
		fputs("\r\033[K", stderr);
	progress.is_drawn = false;
	progress.is_begun = false;
}

void terminal_notice(void *arg, const char *text)
{
	(void)arg;
	terminal_progress_end();
	fprintf(stderr, "%s\n", text);
}

bool terminal_can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool terminal_ask(const char *text, const char *question)
{
	char answer[16] = "";

	terminal_progress_end();
	fprintf(stderr, "%s\n%s [yes/no] ", text, question);
	(void)fflush(stderr);
	if (!fgets(answer, sizeof answer, stdin))
		return false;
	return strcmp(answer, "yes\n") == 0;
}

static bool read_line(char *out, size_t size)
{
	size_t length;

	if (!fgets(out, (int)size, stdin))
		return false;
	length = strlen(out);
	if (length > 0 && out[length - 1] == '\n')
		out[length - 1] = '\0';
	else if (length + 1 == size)
		return false;
	return true;
}

bool terminal_read_password(char *out, size_t size)
{
	struct termios before;
	struct termios silent;
	bool is_read;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return read_line(out, size);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs("Password: ", stderr);
	(void)fflush(stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	is_read = read_line(out, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return is_read;
}
