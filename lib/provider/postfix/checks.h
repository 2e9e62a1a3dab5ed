/*
 * Judging a staged configuration: Postfix's own programs, and a throw-away instance that is spoken
 * to.
 */
#ifndef MR_POSTFIX_CHECKS_H
#define MR_POSTFIX_CHECKS_H

#include "postfix/backend.h"

/* Said of a configuration that takes mail for anybody from anybody: never accepted, even if it
 * always was so. */
#define MR_OPEN_RELAY "it would be an open relay"

/* What a staged main.cf is judged with. */
struct mr_postfix_trial {
	mr_str main_text;                       /* the staged main.cf */
	mr_str generation;                      /* the generation that it names; empty: none */
	const struct mr_change *const *changes; /* of this transaction */
	size_t n;
	bool has_main; /* parameters change: the twin is worth its time */
};

/* MR_E_REJECTED with what the checkers say that they do not say of the live configuration. */
MR_CHECK int mr_postfix_check(struct mr_backend *backend, const struct mr_postfix_trial *trial);

/* Lines of complaint, each once. */
struct mr_postfix_complaints {
	struct mr_arena arena;
	MR_VEC(mr_str) lines;
};
void mr_postfix_complaints_add(struct mr_postfix_complaints *complaints, mr_str line);
void mr_postfix_complaints_done(struct mr_postfix_complaints *complaints);
bool mr_postfix_complaints_has(const struct mr_postfix_complaints *complaints, mr_str line);

/* Writes main.cf and master.cf of a trial into directory; $config_directory in them keeps meaning
 * the live one. */
MR_CHECK int mr_postfix_write_trial(
        struct mr_backend *backend, mr_str main_text, const char *directory);
/* Writes a configuration file that Postfix's programs read without waiting for its second to pass.
 */
MR_CHECK int mr_postfix_write_old(struct mr_backend *backend, const char *path, mr_str text);
/* Starts a twin of main_text in its own directory, speaks to it, stops and removes it. */
MR_CHECK int mr_postfix_run_twin(struct mr_backend *backend, const struct mr_postfix_trial *trial,
        struct mr_postfix_complaints *out);

#endif
