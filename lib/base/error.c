/*
 * Error codes: what the table in error.h says of each.
 */
#include "base/error.h"

#include <stddef.h>

struct error_entry {
	int code;
	int status;
	const char *name;
	const char *text;
};

static const struct error_entry errors[] = {
#define ERROR_ENTRY(name, status, text) {MR_E_##name, status, #name, text},
        MR_ERRORS(ERROR_ENTRY)
#undef ERROR_ENTRY
};

static const struct error_entry success = {0, 0, "OK", "success"};

static const struct error_entry *error_get(int code)
{
	if (code >= 0)
		return &success;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].code == code)
			return &errors[i];
	return &errors[0];
}

int mr_error_status(int code)
{
	return error_get(code)->status;
}

const char *mr_error_name(int code)
{
	return error_get(code)->name;
}

const char *mr_error_text(int code)
{
	return error_get(code)->text;
}
