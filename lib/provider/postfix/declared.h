/*
 * The declared parameters as one set, and which names of parameters mean something beside them.
 */
#ifndef MR_POSTFIX_DECLARED_H
#define MR_POSTFIX_DECLARED_H

#include "postfix/backend.h"

/* The declared parameters by name, kept for references among them. */
struct mr_declared {
	struct mr_arena arena;
	MR_VEC(struct mr_parameter) list;
	mr_str classes;       /* smtpd_restriction_classes in force */
	struct mr_buf values; /* all values that may refer to a parameter: main.cf's, declared ones,
	                         master.cf's arguments */
};

/* Copies the declared parameters, values in main.cf's normal form, into the set; the names of
 * sensitive ones go to the backend. The set is zero before, but for its arena. */
MR_CHECK int mr_declared_gather(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_declared *declared);
/* Adds what the host itself says: it may refer to a declared parameter as well. */
void mr_declared_add_host(struct mr_backend *backend, struct mr_declared *declared);
void mr_declared_done(struct mr_declared *declared);
/* The declared parameter of that name, or NULL. */
const struct mr_parameter *mr_declared_find(const struct mr_declared *declared, mr_str name);
/* Whether a parameter of that name does something: Postfix has it, or some value refers to it. */
bool mr_declared_knows(
        const struct mr_backend *backend, const struct mr_declared *declared, mr_str name);
/* Whether text holds name as a whole word. */
bool mr_has_word(mr_str text, mr_str name);
/* Whether c may stand in the name of a parameter. */
bool mr_is_name_char(char c);

#endif
