/*
 * What is written out of the tables: the JSON Schema of the language and the reference page.
 */
#ifndef MR_MODEL_SCHEMA_H
#define MR_MODEL_SCHEMA_H

#include "base/buf.h"

/* schema/mailreeve.schema.json (draft 2020-12), for one file of a repository. */
void mr_model_write_schema(struct mr_buf *out);
/* docs/reference.md: every section, attribute, type and rule. */
void mr_model_write_reference(struct mr_buf *out);

#endif
