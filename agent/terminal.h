/*
 * The terminal: colour, progress, questions, passwords.
 */
#ifndef AGENT_TERMINAL_H
#define AGENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* when: "auto", "always", "never" or NULL for auto: a terminal, and NO_COLOR not set. */
bool terminal_has_color(const char *when);

/* A line on standard error that is drawn only on a terminal and only once a second has passed. */
void terminal_progress(void *arg, const char *what, uint64_t done, uint64_t total);
void terminal_progress_end(void);

/* A line on standard error, at once. */
void terminal_notice(void *arg, const char *text);

/* Whether a person can be asked: standard input and standard error are terminals. */
bool terminal_can_ask(void);
/* Shows text and asks; only "yes" is yes. */
bool terminal_ask(const char *text, const char *question);

/* One line without its end, from the terminal without echo or from standard input. False when there
 * is none or it is too long. The caller wipes it. */
bool terminal_read_password(char *out, size_t size);

#endif
