/*
 * The one switch of a structural change: a prepared main.cf renamed over the live one.
 */
#ifndef MR_POSTFIX_FLIP_H
#define MR_POSTFIX_FLIP_H

#include "postfix/backend.h"

/* What a staged flip is, kept in the transaction's work directory. Digests are hex. */
struct mr_postfix_flip {
	mr_str old_generation; /* empty: none */
	mr_str new_generation; /* empty: the transaction makes none and the old one stays */
	mr_str before;         /* digest of main.cf as it was */
	mr_str after;          /* and as it is staged */
	mr_str last;           /* the collection whose batch makes the switch */
};

MR_CHECK int mr_postfix_flip_save(
        struct mr_backend *backend, const char *work_directory, const struct mr_postfix_flip *flip);
/* MR_E_NOT_FOUND without a diagnostic when the transaction has no flip. */
MR_CHECK int mr_postfix_flip_load(
        struct mr_backend *backend, const char *work_directory, struct mr_postfix_flip *out);

/* Writes both prepared files beside the tables: the next main.cf and a copy of the present one. */
MR_CHECK int mr_postfix_prepare_main(struct mr_backend *backend, mr_str next);
/* Makes the staged main.cf live; done already is fine. MR_E_CONFLICT when main.cf is neither. */
MR_CHECK int mr_postfix_flip_forward(
        struct mr_backend *backend, const struct mr_postfix_flip *flip);
/* Puts the old main.cf back byte for byte; when somebody changed it since, only our own parameters
 * (those of the reversed changes, and `mailreeve`). */
MR_CHECK int mr_postfix_flip_back(struct mr_backend *backend, const struct mr_postfix_flip *flip,
        const struct mr_change *const *changes, size_t n);
/* Applies parameter changes to a main.cf text. MR_E_CONFLICT when one is neither before nor after.
 */
MR_CHECK int mr_postfix_edit_main(struct mr_backend *backend, mr_str text,
        const struct mr_change *const *changes, size_t n, struct mr_buf *out);
/* The text with one parameter set (data == NULL: taken out). */
MR_CHECK int mr_postfix_set_in_main(mr_str text, mr_str name, mr_str value, struct mr_buf *out);
mr_str mr_postfix_digest(struct mr_backend *backend, mr_str text);

#endif
