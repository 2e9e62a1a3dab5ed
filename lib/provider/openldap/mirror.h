/*
 * Mirrors: the items of a tree as last read, kept between runs while the server can prove that
 * nothing moved.
 */
#ifndef MR_OPENLDAP_MIRROR_H
#define MR_OPENLDAP_MIRROR_H

#include "base/cursor.h"
#include "openldap/backend.h"

/* The entry at the top of the naming context that holds a tree. */
struct mr_ldap_suffix {
	mr_str dn;
	mr_str uuid;
	mr_str csn; /* contextCSN; empty: the server keeps none, so nothing can be proved */
	bool is_there;
};
/* Views live in arena. MR_E_UNREADABLE when an entry that was there before is gone. */
MR_CHECK int mr_ldap_suffix_read(struct mr_backend *backend, mr_str tree_key,
        struct mr_arena *arena, struct mr_ldap_suffix *out);

/* What must be unchanged for a mirror to hold: the suffix, the layout of trees, what is secret.
 * Empty: never. */
mr_str mr_ldap_mirror_stamp(const struct mr_backend *backend, const struct mr_ldap_tree_info *tree,
        const struct mr_ldap_suffix *suffix, struct mr_arena *arena);
/* Whether the mirror of space carries the stamp. */
bool mr_ldap_mirror_holds(struct mr_backend *backend, mr_str space, mr_str stamp);
/* An item as the mirror keeps it, secrets sealed. uuid as text. */
MR_CHECK int mr_ldap_mirror_put(struct mr_backend *backend, const struct mr_item *item, mr_str uuid,
        struct mr_attrs_builder *builder);
/* The UUID of a row as its 16 bytes; false when the row has none. */
bool mr_ldap_mirror_uuid(mr_str row, uint8_t out[16]);
/* Brings an older mirror up to stamp by asking the server what moved since. MR_E_NOT_FOUND without
 * a diagnostic when that cannot be done surely: then the whole must be read. */
MR_CHECK int mr_ldap_mirror_refresh(struct mr_backend *backend,
        const struct mr_ldap_tree_info *tree, mr_str space, mr_str stamp);
MR_CHECK int mr_ldap_mirror_open(struct mr_backend *backend, mr_str space, struct mr_cursor *out);

#endif
