/*
 * The anchor: a small file beside the database that says which database it was and how far it had
 * come, so that one that was deleted, exchanged or put back from an old copy is found out.
 */
#include "base/file.h"
#include "base/text.h"
#include "store/private.h"

#include <inttypes.h>
#include <unistd.h>

#define LARGEST_BYTES 4096

static const mr_str heading = MR_STR_INIT("mailreeve-anchor 1");

static bool take_field(mr_str *rest, const char *name, mr_str *out)
{
	mr_str line = mr_str_split(rest, '\n');
	mr_str word = mr_str_split(&line, ' ');

	*out = line;
	return mr_str_is(word, name) && line.data;
}

static bool parse(mr_str text, struct mr_anchor *out)
{
	mr_str generation, run;
	uint64_t number;

	if (!mr_str_eq(mr_str_split(&text, '\n'), heading))
		return false;
	if (!take_field(&text, "database", &out->uuid) ||
	        !take_field(&text, "generation", &generation) || !take_field(&text, "run", &run) ||
	        !take_field(&text, "commit", &out->commit))
		return false;
	if (mr_number_parse(generation, INT64_MAX, &out->generation) < 0 ||
	        mr_number_parse(run, INT64_MAX, &number) < 0)
		return false;
	out->run = (int64_t)number;
	return text.data && text.size == 0; /* the last line is complete, and nothing follows */
}

int mr_anchor_read(
        struct mr_diags *diags, const char *path, struct mr_arena *arena, struct mr_anchor *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int result = mr_file_read(diags, path, LARGEST_BYTES, &text);

	if (result == 0 && !parse(mr_str_copy(arena, mr_buf_str(&text)), out))
		result = MR_E_INVALID;
	mr_buf_done(&text);
	return result;
}

int mr_anchor_write(struct mr_diags *diags, const char *path, const struct mr_anchor *anchor)
{
	struct mr_file_owner owner = {geteuid(), getegid(), 0600};
	struct mr_buf text = MR_BUF_INIT;
	int result;

	mr_buf_printf(&text,
	        "%.*s\ndatabase %.*s\ngeneration %" PRIu64 "\nrun %" PRId64 "\ncommit %.*s\n",
	        MR_FMT(heading), MR_FMT(anchor->uuid), anchor->generation, anchor->run,
	        MR_FMT(anchor->commit));
	result = mr_file_replace(diags, path, mr_buf_str(&text), &owner);
	mr_buf_done(&text);
	return result;
}
