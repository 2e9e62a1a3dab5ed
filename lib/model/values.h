/*
 * What a single value must look like, and its canonical form. No positions, no files: just text.
 */
#ifndef MR_MODEL_VALUES_H
#define MR_MODEL_VALUES_H

#include "base/arena.h"
#include "base/error.h"
#include "model/kinds.h"

/* Why a value was refused: a rule of model/rules.def and static text. */
struct mr_complaint {
	const char *rule;
	const char *why;
};

/* A local part as lower-case dot-atom of at most 64 octets. The recipient delimiter '+' is refused
 * unless allows_delimiter. */
MR_CHECK int mr_local_parse(struct mr_arena *arena, mr_str text, bool allows_delimiter, mr_str *out,
        const char **out_why);
/* A domain name in canonical form (base/text.h). A domain that is *known already is returned
 * without looking closer. */
MR_CHECK int mr_domain_parse(
        struct mr_arena *arena, mr_str text, mr_str known, mr_str *out, const char **out_why);
/* "local@domain", or "local" completed with domain unless that is empty (then it stays a local
 * part). */
MR_CHECK int mr_address_parse(struct mr_arena *arena, mr_str text, mr_str domain,
        bool allows_delimiter, mr_str *out, struct mr_complaint *out_complaint);
/* The key of a transport table: "*", "example.org", ".example.org" or an address. */
MR_CHECK int mr_transport_key_parse(
        struct mr_arena *arena, mr_str text, mr_str *out, const char **out_why);
/* "{SCHEME}hash" -> SCHEME as written, without an encoding suffix (.B64, .HEX); the empty view when
 * there is none. */
mr_str mr_password_scheme(mr_str password);
bool mr_password_scheme_is_weak(mr_str scheme);
bool mr_secret_name_is_good(mr_str name);

/* The canonical form of one value of the field's type (one element of it for lists). domain
 * completes local parts. MR_E_INVALID and *out_complaint when it is none. */
MR_CHECK int mr_value_parse(struct mr_arena *arena, const struct mr_field *field, mr_str text,
        mr_str domain, mr_str *out, struct mr_complaint *out_complaint);

/* Puts %d, %n and %i into a mail_home. */
mr_str mr_mail_home_expand(
        struct mr_arena *arena, mr_str home, mr_str local, mr_str domain, mr_str id);

#endif
