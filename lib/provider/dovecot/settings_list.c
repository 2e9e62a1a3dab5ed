/*
 * Lists of settings in path order, and the parts of a path.
 */
#include "dovecot/dovecot.h"

#include <string.h>

void mr_dovecot_settings_done(struct mr_dovecot_settings *settings)
{
	mr_vec_done(&settings->list);
}

/* Where the path is or belongs. */
static size_t place_of(const struct mr_dovecot_settings *settings, mr_str path, bool *out_is_there)
{
	size_t low = 0, high = settings->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = mr_str_cmp(settings->list.items[middle].path, path);

		if (order == 0) {
			*out_is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*out_is_there = false;
	return low;
}

void mr_dovecot_settings_set(
        struct mr_dovecot_settings *settings, const struct mr_dovecot_setting *setting)
{
	struct mr_dovecot_setting copy = *setting;
	bool is_there;
	size_t at = place_of(settings, copy.path, &is_there);

	if (!is_there) {
		mr_vec_push(&settings->list, copy);
		memmove(settings->list.items + at + 1, settings->list.items + at,
		        (settings->list.n - 1 - at) * sizeof *settings->list.items);
	}
	settings->list.items[at] = copy;
}

void mr_dovecot_settings_remove(struct mr_dovecot_settings *settings, mr_str path)
{
	bool is_there;
	size_t at = place_of(settings, path, &is_there);

	if (!is_there)
		return;
	settings->list.n--;
	memmove(settings->list.items + at, settings->list.items + at + 1,
	        (settings->list.n - at) * sizeof *settings->list.items);
}

const struct mr_dovecot_setting *mr_dovecot_settings_find(
        const struct mr_dovecot_settings *settings, mr_str path)
{
	bool is_there;
	size_t at = place_of(settings, path, &is_there);

	return is_there ? &settings->list.items[at] : NULL;
}

/* Sections whose names may hold slashes: a socket's path, a network. */
static bool has_slashed_name(mr_str part)
{
	return mr_str_starts(part, MR_STR("unix_listener ")) ||
	       mr_str_starts(part, MR_STR("fifo_listener ")) ||
	       mr_str_starts(part, MR_STR("mailbox "));
}

static bool is_network(mr_str part)
{
	return mr_str_starts(part, MR_STR("local ")) || mr_str_starts(part, MR_STR("remote "));
}

size_t mr_dovecot_path_split(mr_str path, mr_str *parts, size_t limit)
{
	size_t n = 0;

	while (path.size > 0) {
		size_t end = mr_str_find(path, '/');

		if (n == limit)
			return 0;
		if (has_slashed_name(path) && mr_str_rfind(path, '/') < path.size) {
			end = mr_str_rfind(path, '/');
		} else if (is_network(path) && end < path.size) {
			mr_str rest = mr_str_skip(path, end + 1);
			size_t more = mr_str_find(rest, '/');

			if (more < rest.size && rest.data[0] >= '0' && rest.data[0] <= '9')
				end += 1 + more;
		}
		parts[n++] = mr_str_take(path, end);
		path = mr_str_skip(path, end + 1);
	}
	return n;
}
