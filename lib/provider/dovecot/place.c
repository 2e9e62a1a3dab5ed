/*
 * Where a setting stands: its path taken apart, and words in its value.
 */
#include "dovecot/names.h"

#include <string.h>

bool mr_place_parse(mr_str path, struct mr_place *out)
{
	out->n = mr_dovecot_path_split(path, out->parts, MR_DOVECOT_DEPTH);
	if (out->n == 0)
		return false;
	out->name = out->parts[out->n - 1];
	out->section = out->n > 1 ? out->parts[out->n - 2] : (mr_str){0};
	out->scope = mr_str_take(path, path.size - out->name.size);
	return true;
}

bool mr_place_is_filter(mr_str section)
{
	static const mr_str words[] = {MR_STR_INIT("protocol "), MR_STR_INIT("local "),
	        MR_STR_INIT("remote "), MR_STR_INIT("local_name ")};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (mr_str_starts(section, words[i]))
			return true;
	return false;
}

bool mr_dovecot_has_word(mr_str list, mr_str word)
{
	while (list.size > 0)
		if (mr_str_eq(mr_str_split(&list, ' '), word))
			return true;
	return false;
}

bool mr_place_is_below_home(mr_str value)
{
	static const char *const words[] = {"~", "%h", "%{home}"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (memmem(value.data ? value.data : "", value.size, words[i], strlen(words[i])))
			return true;
	return false;
}
