/*
 * The name of one value that others can change: "OBJECT: ATTRIBUTE"; a server's name stands for all
 * that it holds. A list of them is what a plan leaves as it is.
 */
#ifndef MR_PLAN_FIELD_H
#define MR_PLAN_FIELD_H

#include "base/buf.h"
#include "model/desired.h"

void mr_field_name(mr_str object, mr_str attribute, struct mr_buf *out);
/* Parts of a name, in its memory; a server has no attribute. */
void mr_field_parts(mr_str name, mr_str *out_object, mr_str *out_attribute);
bool mr_field_is(mr_str name, mr_str object, mr_str attribute);
/* Whether one of them is that value, or that server; fields may be NULL. */
bool mr_field_among(const struct mr_strs *fields, mr_str object, mr_str attribute);
bool mr_field_has_server(const struct mr_strs *fields, mr_str server);

#endif
