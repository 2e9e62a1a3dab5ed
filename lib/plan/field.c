/*
 * Names of values: an attribute has no ':' in its name, an object may.
 */
#include "plan/field.h"

void mr_field_name(mr_str object, mr_str attribute, struct mr_buf *out)
{
	mr_buf_add_str(out, object);
	mr_buf_add_text(out, ": ");
	mr_buf_add_str(out, attribute);
}

void mr_field_parts(mr_str name, mr_str *out_object, mr_str *out_attribute)
{
	size_t colon = mr_str_rfind(name, ':');

	*out_object = mr_str_take(name, colon);
	*out_attribute = mr_str_trim(mr_str_skip(name, colon + 1));
}

bool mr_field_is(mr_str name, mr_str object, mr_str attribute)
{
	mr_str its_object, its_attribute;

	if (name.size != object.size + attribute.size + 2)
		return false;
	mr_field_parts(name, &its_object, &its_attribute);
	return mr_str_eq(its_object, object) && mr_str_eq(its_attribute, attribute);
}

bool mr_field_among(const struct mr_strs *fields, mr_str object, mr_str attribute)
{
	for (size_t i = 0; fields && i < fields->n; i++)
		if (mr_field_is(fields->items[i], object, attribute))
			return true;
	return false;
}

bool mr_field_has_server(const struct mr_strs *fields, mr_str server)
{
	for (size_t i = 0; fields && i < fields->n; i++)
		if (mr_str_eq(fields->items[i], server))
			return true;
	return false;
}
