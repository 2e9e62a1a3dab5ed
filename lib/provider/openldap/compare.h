/*
 * When two values mean the same to the server (RFC 4517 4.2).
 */
#ifndef MR_OPENLDAP_COMPARE_H
#define MR_OPENLDAP_COMPARE_H

#include "base/attrs.h"
#include "openldap/schema.h"

/* Adds the form of a value that is bytewise equal for equal values. A value that its rule cannot
 * read is added as it is. */
void mr_ldap_value_canonical(const struct mr_ldap_schema *schema, const struct mr_ldap_type *type,
        mr_str value, struct mr_buf *out);

/* One value with its canonical form. */
struct mr_ldap_value {
	mr_str text;
	mr_str canonical;
};
struct mr_ldap_values {
	struct mr_ldap_value *items; /* sorted by canonical, no two equal */
	size_t n;
	size_t n_given; /* before values that equal another were left out */
};
/* The values of an attribute; those of attr == NULL are none. Object classes: as given, without
 * superiors. */
MR_CHECK int mr_ldap_values_read(const struct mr_ldap_schema *schema,
        const struct mr_ldap_type *type, const struct mr_attr *attr, struct mr_arena *arena,
        struct mr_ldap_values *out);
bool mr_ldap_values_has(const struct mr_ldap_values *values, mr_str canonical);

/* The whole attribute: as sets; object classes with all that they imply. key: for sealed values. */
bool mr_ldap_attr_same(const struct mr_ldap_schema *schema, const struct mr_attr *a,
        const struct mr_attr *b, const uint8_t key[32]);

#endif
