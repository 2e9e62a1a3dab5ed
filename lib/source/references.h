/*
 * Every address that the repository declares, and every one that it refers to, as one stream.
 */
#ifndef MR_SOURCE_REFERENCES_H
#define MR_SOURCE_REFERENCES_H

#include "source/checks.h"

enum mr_reference_use {
	MR_USE_DECLARED, /* owner has this address */
	MR_USE_TARGET,   /* mail to owner goes to this address */
};

struct mr_reference {
	enum mr_reference_use use;
	enum mr_kind_id kind; /* of the owner: user, alias, domain */
	mr_str owner; /* address, or "@domain" for a catch-all, or the domain for relay addresses */
	mr_str address;                    /* complete and canonical */
	const struct mr_merged_leaf *leaf; /* NULL: the owner's own key */
	struct mr_loc loc;
};

struct mr_references {
	struct mr_check *check;
	bool is_first; /* merge errors are reported and objects digested and checked only once */
	void (*on_reference)(void *arg, const struct mr_reference *reference);
	void (*on_user)(void *arg, const struct mr_object *object,
	        const struct mr_user *user);                         /* may be NULL */
	void (*on_alias)(void *arg, const struct mr_object *object); /* may be NULL */
	void *arg;
};

MR_CHECK int mr_references_each(const struct mr_references *references);

#endif
