/*
 * What the host's Postfix is: version, known parameters with their defaults, table types, services.
 *
 * Asked of postconf(1) once and kept in the cache under the identity of the files that decide the
 * answer, so that a plan against an unchanged host starts no process.
 */
#ifndef MR_POSTFIX_POSTCONF_H
#define MR_POSTFIX_POSTCONF_H

#include "base/arena.h"
#include "base/vec.h"
#include "provider/provider.h"

struct mr_postconf_parameter {
	mr_str name;
	mr_str value;
};

struct mr_postfix_service {
	mr_str line;    /* as postconf -M prints it */
	mr_str name;    /* "smtp", "127.0.0.1:10025", "cleanup" */
	mr_str type;    /* "inet", "unix", "pass", "unix-dgram" */
	mr_str command; /* "smtpd" */
	mr_str arguments;
};

struct mr_postconf {
	struct mr_arena arena;
	mr_str version;
	MR_VEC(struct mr_postconf_parameter) defaults; /* by name */
	MR_VEC(mr_str) types;                          /* by name */
	MR_VEC(struct mr_postfix_service) services;    /* in master.cf's order */
};

/* cache may be NULL. MR_E_UNREADABLE with postconf's words. Release with done in any case. */
MR_CHECK int mr_postconf_load(struct mr_diags *diags, struct mr_cache *cache,
        const char *config_directory, struct mr_postconf *out);
void mr_postconf_done(struct mr_postconf *postconf);

/* The built-in default, or NULL when there is no such parameter. */
const mr_str *mr_postconf_default(const struct mr_postconf *postconf, mr_str name);
bool mr_postconf_has_type(const struct mr_postconf *postconf, mr_str type);
const struct mr_postfix_service *mr_postconf_service(
        const struct mr_postconf *postconf, mr_str name);

/* Reads "postconf -M" output. */
void mr_postconf_parse_services(struct mr_postconf *postconf, mr_str text);

/* Asks postconf -c DIRECTORY with one option; its standard output into *out, whatever it says on
 * standard error into *out_words (may be NULL: then words are an error). */
MR_CHECK int mr_postconf_ask(struct mr_diags *diags, const char *config_directory,
        const char *option, struct mr_buf *out, struct mr_buf *out_words);

#endif
