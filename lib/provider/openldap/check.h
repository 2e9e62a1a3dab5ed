/*
 * Entries judged by the server's schema, without asking the server.
 */
#ifndef MR_OPENLDAP_CHECK_H
#define MR_OPENLDAP_CHECK_H

#include "base/attrs.h"
#include "openldap/backend.h"

/* The attribute values that a DN's first RDN demands. */
#define MR_LDAP_NAMING_LIMIT 16
struct mr_ldap_naming {
	struct {
		const struct mr_ldap_type *type;
		mr_str value;
	} items[MR_LDAP_NAMING_LIMIT];
	size_t n;
};
/* MR_E_INVALID without a diagnostic: no DN, or an attribute that the server does not know. */
MR_CHECK int mr_ldap_naming_read(const struct mr_backend *backend, mr_str dn,
        struct mr_arena *arena, struct mr_ldap_naming *out);

/* The body under the server's own attribute names. MR_E_INVALID when an attribute is not known or
 * stands there under two names: *out_name is then the one. */
MR_CHECK int mr_ldap_body_convert(struct mr_backend *backend, mr_str body,
        struct mr_attrs_builder *builder, mr_str *out, mr_str *out_name);

/* What was declared, which may be a part of an entry: names, syntax, single and equal values,
 * naming. All that is wrong goes to the diagnostics with the entry's place; then MR_E_INVALID. */
MR_CHECK int mr_ldap_check_declared(struct mr_backend *backend, const struct mr_ldap_entry *entry);

/* The object classes of a body with their superiors; false when there is none or one is not known.
 */
bool mr_ldap_body_classes(struct mr_backend *backend, mr_str body, struct mr_ldap_classes *out);
/* The first attribute with values that no class allows. */
bool mr_ldap_find_forbidden(struct mr_backend *backend, const struct mr_ldap_classes *classes,
        mr_str body, mr_str *out);

/* A whole entry as it will be: structural class, mandatory and allowed attributes. MR_E_REJECTED.
 */
MR_CHECK int mr_ldap_check_whole(
        struct mr_backend *backend, const struct mr_change *change, mr_str dn, mr_str body);

#endif
