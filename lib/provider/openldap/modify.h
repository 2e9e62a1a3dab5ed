/*
 * From changes of items to LDAP modifications.
 */
#ifndef MR_OPENLDAP_MODIFY_H
#define MR_OPENLDAP_MODIFY_H

#include <ldap.h>

#include "openldap/backend.h"

/* NULL-terminated modifications in arena that turn live into what after names; the list is empty
 * when nothing differs. wants_spelling: values that mean the same but are written otherwise are put
 * right too. */
MR_CHECK int mr_ldap_modifications(struct mr_backend *backend, mr_str live, mr_str after,
        bool wants_spelling, struct mr_arena *arena, LDAPMod ***out);
/* A new entry, with the attribute values that its name demands. */
MR_CHECK int mr_ldap_addition(struct mr_backend *backend, mr_str dn, mr_str after,
        struct mr_arena *arena, LDAPMod ***out);

#endif
