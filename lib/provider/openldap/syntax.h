/*
 * The syntaxes of attribute values.
 */
#ifndef MR_OPENLDAP_SYNTAX_H
#define MR_OPENLDAP_SYNTAX_H

#include "base/str.h"

/* NULL when value fits the syntax (by OID), or when the syntax is not known; else what it asks for.
 */
const char *mr_ldap_syntax_wants(mr_str syntax, mr_str value);

#endif
