/*
 * Names of settings: 2.4's, which the language speaks, against those of Dovecot 2.3.
 */
#ifndef MR_DOVECOT_NAMES_H
#define MR_DOVECOT_NAMES_H

#include "dovecot/dovecot.h"

enum mr_name_kind {
	MR_NAME_SAME,     /* another name, the same value */
	MR_NAME_INVERTED, /* yes is no */
	MR_NAME_FILE,     /* 2.3 has the content: "<file" */
	MR_NAME_SERVER,   /* "server" is yes, "client" is no */
};

struct mr_name_pair {
	const char *new_name; /* 2.4 */
	const char *old_name; /* 2.3 */
	enum mr_name_kind kind;
	const char *within; /* first word of the section that it must stand in; NULL: anywhere */
};
/* NULL when the name is the same in both. */
const struct mr_name_pair *mr_name_find_new(mr_str name, mr_str section);
const struct mr_name_pair *mr_name_find_old(mr_str name, mr_str section);

/* 2.4's settings that are parts of 2.3's mail_location: "mail_path" -> "" , "mail_index_path" ->
 * "INDEX". NULL: none. */
const char *mr_name_location_part(mr_str name);
mr_str mr_name_location_get(struct mr_arena *arena, mr_str location, mr_str name);
/* The mail_location that the parts among these settings of one scope ("" or "protocol x/") make;
 * empty: none. */
mr_str mr_name_location_join(
        struct mr_arena *arena, const struct mr_dovecot_settings *settings, mr_str scope);
mr_str mr_name_location_nth(size_t i); /* the names of the parts; empty behind the last */

/* "%{user | domain}" <-> "%d". */
mr_str mr_name_variables_old(struct mr_arena *arena, mr_str value);
mr_str mr_name_variables_new(struct mr_arena *arena, mr_str value);

mr_str mr_name_value_old(struct mr_arena *arena, const struct mr_name_pair *pair, mr_str value);
mr_str mr_name_value_new(struct mr_arena *arena, const struct mr_name_pair *pair, mr_str value);

/* place.c. A path of 2.4 taken apart: the sections it stands in, the innermost of them, and the
 * setting's own name. */
struct mr_place {
	mr_str parts[MR_DOVECOT_DEPTH];
	size_t n;
	mr_str scope;   /* "service lmtp/inet_listener x/", or empty */
	mr_str section; /* "inet_listener x", or empty */
	mr_str name;
};
bool mr_place_parse(mr_str path, struct mr_place *out);
/* Sections that hold for some sessions only: protocol, local, remote, local_name. */
bool mr_place_is_filter(mr_str section);
bool mr_place_is_below_home(mr_str value); /* names the user's home */
bool mr_dovecot_has_word(mr_str list, mr_str word);

/* print.c: settings by path as a configuration; a value stands in the file as it stands here.
 * names_databases: passdb and userdb blocks have names, as in 2.4. */
void mr_dovecot_print(
        const struct mr_dovecot_settings *texts, bool names_databases, struct mr_buf *out);

extern const struct mr_dovecot_version mr_dovecot_version_23, mr_dovecot_version_24;

#endif
