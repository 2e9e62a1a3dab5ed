/*
 * What no file of a repository may hold, looked for byte by byte before any parser sees it: bad
 * UTF-8, control characters, odd line breaks, and characters that a reviewer cannot see.
 */
#include "base/text.h"
#include "source/reader.h"

#define REPORT_LIMIT 20

struct scan {
	struct mr_diags *diags;
	mr_str path;
	mr_str bytes;
	size_t at;
	size_t line_start;
	uint32_t line;
	unsigned n_reported;
};

static void report(struct scan *scan, const char *rule, const char *what, unsigned code)
{
	struct mr_loc loc = {scan->path, scan->line, 1};

	for (size_t i = scan->line_start; i < scan->at; i++)
		loc.column += ((unsigned char)scan->bytes.data[i] & 0xC0) != 0x80;
	if (scan->n_reported++ < REPORT_LIMIT)
		mr_diags_at(scan->diags, MR_ERROR, rule, &loc, "%s%0*X is refused", what,
		        scan->at < scan->bytes.size ? 4 : 2, code);
}

/* The code point that starts at data; the text is known to be well-formed. */
static unsigned decode(const unsigned char *data, size_t *out_size)
{
	if (data[0] < 0xE0) {
		*out_size = 2;
		return (data[0] & 0x1FU) << 6 | (data[1] & 0x3FU);
	}
	if (data[0] < 0xF0) {
		*out_size = 3;
		return (data[0] & 0x0FU) << 12 | (data[1] & 0x3FU) << 6 | (data[2] & 0x3FU);
	}
	*out_size = 4;
	return (data[0] & 0x07U) << 18 | (data[1] & 0x3FU) << 12 | (data[2] & 0x3FU) << 6 |
	       (data[3] & 0x3FU);
}

static bool is_invisible(unsigned code)
{
	return code == 0x00AD || code == 0x061C || code == 0x180E ||
	       (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
	       (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
	       (code >= 0xE0000 && code <= 0xE007F);
}

static size_t scan_wide(struct scan *scan)
{
	size_t size;
	unsigned code = decode((const unsigned char *)scan->bytes.data + scan->at, &size);

	if (code == 0x85 || code == 0x2028 || code == 0x2029)
		report(scan, "MR-YAML-LINE-BREAK", "line break U+", code);
	else if (code < 0xA0)
		report(scan, "MR-YAML-CONTROL", "control character U+", code);
	else if (is_invisible(code))
		report(scan, "MR-YAML-INVISIBLE", "invisible character U+", code);
	return size;
}

static void scan_control(struct scan *scan, unsigned char c)
{
	if (c == '\n') {
		scan->line++;
		scan->line_start = scan->at + 1;
	} else if (c == '\r') {
		if (scan->at + 1 == scan->bytes.size || scan->bytes.data[scan->at + 1] != '\n')
			report(scan, "MR-YAML-LINE-BREAK", "carriage return without line feed, U+",
			        c);
	} else if (c != '\t') {
		report(scan, "MR-YAML-CONTROL", "control character U+", c);
	}
}

bool mr_prescan(struct mr_diags *diags, mr_str path, mr_str bytes)
{
	size_t good = mr_utf8_check(bytes);
	struct scan scan = {
	        .diags = diags, .path = path, .bytes = mr_str_take(bytes, good), .line = 1};

	while (scan.at < good) {
		unsigned char c = (unsigned char)bytes.data[scan.at];

		if (c >= 0x80) {
			scan.at += scan_wide(&scan);
			continue;
		}
		if (c < 0x20 || c == 0x7F)
			scan_control(&scan, c);
		scan.at++;
	}
	if (good < bytes.size)
		report(&scan, "MR-YAML-ENCODING", "the file is not UTF-8: byte 0x",
		        (unsigned char)bytes.data[good]);
	return !scan.n_reported;
}

bool mr_scalar_check(mr_str text, bool is_escaped, bool *out_has_lines)
{
	bool has_control = false;

	*out_has_lines = false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == '\n' || c == '\t')
			*out_has_lines = true;
		else if (c < 0x20 || c == 0x7F)
			has_control = true;
	}
	return !has_control && (!is_escaped || mr_text_check(text, true) == text.size);
}
