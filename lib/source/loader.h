/*
 * What the walkers of one file share: the reader, the row in hand, and reporting.
 */
#ifndef MR_SOURCE_LOADER_H
#define MR_SOURCE_LOADER_H

#include "model/kinds.h"
#include "model/values.h"
#include "source/load.h"
#include "source/reader.h"
#include "source/row.h"
#include "source/rows.h"

struct mr_loader {
	struct mr_diags *diags;
	struct mr_reader *reader;
	struct mr_spool *spool;
	struct mr_buf *keys;
	uint32_t file;
	bool is_root;
	mr_str layer;           /* "" common, "1ROLE", "2HOST" */
	struct mr_arena names;  /* keys of outer mappings */
	struct mr_arena object; /* reset for every object */
	struct mr_buf *body;    /* the row in hand */
	struct mr_buf small;    /* a row beside it */
	struct mr_buf row_key;
	int error;
};

void mr_loader_error(struct mr_loader *loader, const char *rule, uint32_t line, uint32_t column,
        const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Reports an unknown key with the nearest of the known ones: words are separated by blanks. */
void mr_loader_unknown(
        struct mr_loader *loader, const struct mr_node *key, const char *what, const char *words);

/* A row: begin, leaves, end. */
void mr_loader_begin(struct mr_loader *loader, const struct mr_node *key);
void mr_loader_end(struct mr_loader *loader, enum mr_kind_id kind, mr_str key);
/* A leaf with one text. */
void mr_loader_leaf(struct mr_loader *loader, unsigned id, const struct mr_node *at,
        enum mr_item_form form, mr_str text);

/* Whether node is {secret: NAME}: *out_name is then the name, also noted as needed for a value
 * of that type. A bad one is reported and gives an empty name. */
bool mr_loader_secret(
        struct mr_loader *loader, const struct mr_node *node, enum mr_type type, mr_str *out_name);
/* One line of text; false and reported when node is something else. */
bool mr_loader_line(
        struct mr_loader *loader, const struct mr_node *node, const char *what, mr_str *out);

/* Where fields are read from and to. */
struct mr_fields_at {
	enum mr_kind_id kind;
	unsigned id_base;
	mr_str domain;     /* completes local parts; may be empty */
	const char *extra; /* further keys that are known here, for "did you mean" */
};
/* Adds the leaves of a mapping's fields to the row in hand. */
void mr_loader_fields(
        struct mr_loader *loader, const struct mr_fields_at *at, const struct mr_node *map);
/* One key of such a mapping. */
void mr_loader_field(struct mr_loader *loader, const struct mr_fields_at *at, mr_str prefix,
        const struct mr_node *node);
/* The value of a field that is known to be right here. */
void mr_loader_value(struct mr_loader *loader, const struct mr_fields_at *at, size_t index,
        const struct mr_node *node);

/* The sections; each takes the value of the key that was read last. */
void mr_load_domains(struct mr_loader *loader);
void mr_load_transports(struct mr_loader *loader);
void mr_load_postfix(struct mr_loader *loader);
void mr_load_dovecot(struct mr_loader *loader);
void mr_load_ldap(struct mr_loader *loader);
void mr_load_policy(struct mr_loader *loader);

#endif
