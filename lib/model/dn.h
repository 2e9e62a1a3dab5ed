/*
 * Distinguished names (RFC 4514) without a server: keys to sort and match by.
 */
#ifndef MR_MODEL_DN_H
#define MR_MODEL_DN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* A canonical key of a DN: RDNs in reverse order (suffix first, so that parents sort before
 * children and a subtree is one run), attribute types lower case by their short well-known name
 * (commonName -> cn), values unescaped, case folded, blanks collapsed, AVAs of one RDN sorted, each
 * RDN ended by \x01. MR_E_INVALID when text is no DN; the empty text is none here, since it names
 * no entry of a tree. */
MR_CHECK int mr_dn_key(struct mr_arena *arena, mr_str text, mr_str *out);
/* Adds one value as keys have it: case folded, blanks collapsed, key bytes escaped. MR_E_INVALID
 * for bad UTF-8. */
MR_CHECK int mr_dn_value_fold(mr_str value, struct mr_buf *out);
/* The name that keys use for an attribute type, lower case: "commonName" -> "cn".
 * Adds it to out. */
void mr_dn_type_fold(mr_str type, struct mr_buf *out);
/* Whether key is that of the tree's root or below it. */
bool mr_dn_key_is_within(mr_str key, mr_str tree_key);
/* Number of RDNs in a key. */
size_t mr_dn_key_depth(mr_str key);
/* The key of the entry above, a view of key; empty above a single RDN. */
mr_str mr_dn_key_parent(mr_str key);

#endif
