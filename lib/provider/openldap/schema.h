/*
 * The server's own schema: attribute types and object classes by any of their names.
 */
#ifndef MR_OPENLDAP_SCHEMA_H
#define MR_OPENLDAP_SCHEMA_H

#include "base/arena.h"
#include "openldap/connection.h"

/* How two values are compared. Rules that are not known compare bytes. */
enum mr_ldap_rule {
	MR_LDAP_BYTES,
	MR_LDAP_CASE_IGNORE,
	MR_LDAP_CASE_EXACT,
	MR_LDAP_NUMERIC,
	MR_LDAP_TELEPHONE,
	MR_LDAP_DN,
	MR_LDAP_DN_AND_UID,
	MR_LDAP_OID,
	MR_LDAP_TIME,
	MR_LDAP_UUID,
	MR_LDAP_RULE_COUNT
};

struct mr_ldap_type {
	mr_str name; /* as the server writes it */
	mr_str oid;
	mr_str sup;
	mr_str equality; /* inherited; empty: none, only whole replacement works */
	mr_str syntax;   /* inherited; without a length */
	enum mr_ldap_rule rule;
	bool is_single;
	bool is_read_only; /* operational, or users may not modify it */
	bool is_sensitive;
	bool is_binary;
	bool is_object_class;
};

enum mr_ldap_class_kind { MR_LDAP_ABSTRACT, MR_LDAP_STRUCTURAL, MR_LDAP_AUXILIARY };

struct mr_ldap_types {
	const struct mr_ldap_type **items;
	size_t n;
};

struct mr_ldap_class {
	mr_str name;
	mr_str oid;
	enum mr_ldap_class_kind kind;
	struct mr_strs sup;             /* as the server writes them: look each up */
	struct mr_ldap_types must, may; /* its own, without those of superiors */
	bool allows_all;                /* extensibleObject */
};

struct mr_ldap_schema;

/* Views live in arena. MR_E_UNREADABLE. */
MR_CHECK int mr_ldap_schema_read(struct mr_ldap *ldap, mr_str subschema_dn, struct mr_arena *arena,
        struct mr_ldap_schema **out);

/* By any name or OID, in any case; options ("cn;lang-en") do not count. NULL: unknown. */
struct mr_ldap_type *mr_ldap_type_find(const struct mr_ldap_schema *schema, mr_str name);
const struct mr_ldap_class *mr_ldap_class_find(const struct mr_ldap_schema *schema, mr_str name);
/* Adds the names of all types that are secret. */
struct mr_hash;
void mr_ldap_schema_hash_secrets(const struct mr_ldap_schema *schema, struct mr_hash *hash);
/* The known name nearest to what was written; empty when nothing is near. */
mr_str mr_ldap_type_nearest(const struct mr_ldap_schema *schema, mr_str name);
mr_str mr_ldap_class_nearest(const struct mr_ldap_schema *schema, mr_str name);

/* The class and all its superiors, each once; at most MR_LDAP_CLASS_LIMIT in all. Adds to classes.
 */
#define MR_LDAP_CLASS_LIMIT 128
struct mr_ldap_classes {
	const struct mr_ldap_class *items[MR_LDAP_CLASS_LIMIT];
	size_t n;
};
void mr_ldap_class_closure(const struct mr_ldap_schema *schema, const struct mr_ldap_class *start,
        struct mr_ldap_classes *classes);

#endif
