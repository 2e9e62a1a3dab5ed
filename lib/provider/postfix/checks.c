/*
 * Judging what is staged: each table is opened by Postfix's own programs, and where parameters
 * change, the staged main.cf is read by postconf and tried out by a twin.
 *
 * Everything that is said on standard error counts, whatever the exit status; what the live
 * configuration has always said does not count against the staged one.
 */
#include "postfix/checks.h"

#include "postfix/observe.h"

#include "base/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MASTER_LIMIT_BYTES ((size_t)4 << 20)
#define PROBE_KEY          "mailreeve-probe@invalid"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Equal but for numbers: process ids, ports and queue ids differ from run to run. */
static bool same_but_numbers(mr_str a, mr_str b)
{
	size_t i = 0, k = 0;

	while (i < a.size && k < b.size) {
		if (is_digit(a.data[i]) && is_digit(b.data[k])) {
			while (i < a.size && is_digit(a.data[i]))
				i++;
			while (k < b.size && is_digit(b.data[k]))
				k++;
		} else if (a.data[i++] != b.data[k++]) {
			return false;
		}
	}
	return i == a.size && k == b.size;
}

static bool has_part(mr_str text, mr_str part)
{
	for (size_t i = 0; i + part.size <= text.size; i++)
		if (mr_str_starts(mr_str_skip(text, i), part))
			return true;
	return false;
}

bool mr_postfix_complaints_has(const struct mr_postfix_complaints *complaints, mr_str line)
{
	for (size_t i = 0; i < complaints->lines.n; i++)
		if (same_but_numbers(complaints->lines.items[i], line))
			return true;
	return false;
}

void mr_postfix_complaints_add(struct mr_postfix_complaints *complaints, mr_str line)
{
	line = mr_str_trim(line);
	if (line.size && !mr_postfix_complaints_has(complaints, line))
		mr_vec_push(&complaints->lines, mr_str_copy(&complaints->arena, line));
}

void mr_postfix_complaints_done(struct mr_postfix_complaints *complaints)
{
	mr_vec_done(&complaints->lines);
	mr_arena_done(&complaints->arena);
}

static void replace_all(mr_str text, mr_str from, mr_str to, struct mr_buf *out)
{
	for (size_t i = 0; i < text.size;) {
		if (from.size && mr_str_starts(mr_str_skip(text, i), from)) {
			mr_buf_add_str(out, to);
			i += from.size;
		} else {
			mr_buf_add_char(out, text.data[i++]);
		}
	}
}

/* The lines of a program's words, as if it had spoken of the live configuration. Entries that stand
 * in main.cf twice are complained of by every program; postconf alone is listened to there. */
static void add_words(struct mr_backend *backend, struct mr_postfix_complaints *out, mr_str words,
        const char *directory, bool skips_main)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest;

	replace_all(words, mr_str_from(directory), mr_str_from(backend->config_directory), &text);
	rest = mr_buf_str(&text);
	while (rest.size) {
		mr_str line = mr_str_split(&rest, '\n');

		if (!skips_main || !has_part(line, MR_STR("/main.cf, line ")))
			mr_postfix_complaints_add(out, line);
	}
	mr_buf_done(&text);
}

static void fix_directory(struct mr_backend *backend, mr_str text, struct mr_buf *out)
{
	struct mr_buf once = MR_BUF_INIT;
	mr_str live = mr_str_from(backend->config_directory);

	replace_all(text, MR_STR("${config_directory}"), live, &once);
	replace_all(mr_buf_str(&once), MR_STR("$config_directory"), live, out);
	mr_buf_done(&once);
}

/* Every Postfix program reads a file of this very second again and again until the second is over.
 */
static void look_old(const char *path)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 60}};

	(void)utimensat(AT_FDCWD, path, times, 0); /* only speed is lost */
}

int mr_postfix_write_old(struct mr_backend *backend, const char *path, mr_str text)
{
	int code = mr_file_replace(backend->diags, path, text, NULL);

	if (!code)
		look_old(path);
	return code;
}

static int write_fixed(struct mr_backend *backend, mr_str text, const char *path)
{
	struct mr_buf fixed = MR_BUF_INIT;
	int code;

	fix_directory(backend, text, &fixed);
	code = mr_postfix_write_old(backend, path, mr_buf_str(&fixed));
	mr_buf_done(&fixed);
	return code;
}

int mr_postfix_write_trial(struct mr_backend *backend, mr_str main_text, const char *directory)
{
	const char *master = mr_postfix_path(backend, "%s/master.cf", backend->config_directory);
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_dir_make(backend->diags, directory, 0755);

	if (!code)
		code = write_fixed(
		        backend, main_text, mr_postfix_path(backend, "%s/main.cf", directory));
	if (!code && (code = mr_file_read(backend->diags, master, MASTER_LIMIT_BYTES, &text)) ==
	                     MR_E_NOT_FOUND)
		code = mr_fail(backend->diags, MR_E_UNREADABLE, "cannot read '%s': it is not there",
		        master);
	if (!code)
		code = write_fixed(backend, mr_buf_str(&text),
		        mr_postfix_path(backend, "%s/master.cf", directory));
	mr_buf_done(&text);
	return code;
}

/* postconf reads both files in all of these; each says other things. */
static int ask_postconf(
        struct mr_backend *backend, const char *directory, struct mr_postfix_complaints *out)
{
	static const char *const options[] = {"-n", "-M", "-P"};
	int code = 0;

	for (size_t i = 0; i < sizeof options / sizeof *options && !code; i++) {
		const char *const argv[] = {"postconf", "-c", directory, options[i], NULL};
		struct mr_run run = {.argv = argv};

		if (!(code = mr_run(backend->diags, &run))) {
			add_words(backend, out, mr_buf_str(&run.err), directory, false);
			if (run.status && !mr_str_trim(mr_buf_str(&run.err)).size)
				mr_postfix_complaints_add(
				        out, mr_str_printf(&backend->arena,
				                     "postconf %s ended with status %d", options[i],
				                     run.status));
		}
		mr_run_done(&run);
	}
	return code;
}

/* postmap -q ends with 1 for "not found" and for every error alike: only its words tell. */
static int open_table(struct mr_backend *backend, const char *directory, mr_str table,
        struct mr_postfix_complaints *out)
{
	const char *name = mr_str_copy(&backend->arena, table).data;
	const char *const argv[] = {"postmap", "-c", directory, "-q", PROBE_KEY, name, NULL};
	struct mr_run run = {.argv = argv};
	int code = mr_run(backend->diags, &run);

	if (!code)
		add_words(backend, out, mr_buf_str(&run.err), directory, true);
	mr_run_done(&run);
	return code;
}

static int open_own_tables(struct mr_backend *backend, const struct mr_postfix_trial *trial,
        struct mr_postfix_complaints *out)
{
	int code = 0;

	for (size_t i = 0; i < backend->tables.n && trial->generation.size && !code; i++) {
		mr_str name = backend->tables.items[i].name;
		enum mr_table_kind kind;

		if (!backend->tables.items[i].is_desired ||
		        !mr_postfix_find_live_kind(backend, trial->generation, name,
		                (int)backend->tables.items[i].kind, &kind))
			continue;
		code = open_table(backend, backend->config_directory,
		        mr_str_printf(&backend->arena, "%s:%.*s/%.*s", mr_table_kind_name(kind),
		                MR_FMT(trial->generation), MR_FMT(name)),
		        out);
	}
	return code;
}

/* Opens one word of a changed value when it is "type:/path". Our own tables have been opened
 * already. */
static int open_named_table(struct mr_backend *backend, mr_str word, const char *directory,
        struct mr_postfix_complaints *out)
{
	mr_str type = mr_str_starts(word, MR_STR("proxy:")) ? mr_str_skip(word, 6) : word, path;

	path = mr_str_skip(type, mr_str_find(type, ':') + 1);
	type = mr_str_take(type, mr_str_find(type, ':'));
	if (!path.size || path.data[0] != '/' || mr_str_is(type, "unix") ||
	        !mr_postconf_has_type(&backend->postconf, type))
		return 0;
	return open_table(backend, directory,
	        mr_str_printf(&backend->arena, "%.*s:%.*s", MR_FMT(type), MR_FMT(path)), out);
}

static int open_named_tables(struct mr_backend *backend, const struct mr_change *change,
        const char *directory, struct mr_postfix_complaints *out)
{
	struct mr_buf value = MR_BUF_INIT, word = MR_BUF_INIT;
	mr_str rest;
	int code = 0;

	mr_buf_add_str(&value, mr_attrs_get(change->after, MR_STR("value")));
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] == ',' || value.data[i] == '\t')
			value.data[i] = ' ';
	rest = mr_buf_str(&value);
	while (rest.size && !code) {
		mr_str raw = mr_str_split(&rest, ' ');

		mr_buf_clear(&word);
		if (!has_part(raw, MR_STR("mailreeve")) && !mr_postfix_expand(backend, raw, &word))
			code = open_named_table(backend, mr_buf_str(&word), directory, out);
	}
	mr_buf_done(&value);
	mr_buf_done(&word);
	return code;
}

static int check_static(struct mr_backend *backend, const struct mr_postfix_trial *trial,
        struct mr_postfix_complaints *out)
{
	const char *directory = mr_postfix_path(backend, "%s/trial", backend->own_directory);
	int code = mr_postfix_write_trial(backend, trial->main_text, directory);

	if (!code)
		code = ask_postconf(backend, directory, out);
	for (size_t i = 0; i < trial->n && !code; i++)
		if (!mr_postfix_table_name(trial->changes[i]->in->name).size &&
		        trial->changes[i]->after.data)
			code = open_named_tables(backend, trial->changes[i], directory, out);
	return code;
}

/* Complaints that the live configuration does not cause. `mailreeve` may be named by no parameter
 * as long as declared tables are not used yet. */
static size_t report_new(struct mr_backend *backend, const struct mr_postfix_complaints *staged,
        const struct mr_postfix_complaints *live)
{
	size_t n = 0;

	for (size_t i = 0; i < staged->lines.n; i++) {
		mr_str line = staged->lines.items[i];
		bool is_own = has_part(line, MR_STR("unused parameter: mailreeve="));

		if (is_own || (mr_postfix_complaints_has(live, line) &&
		                      !mr_str_starts(line, MR_STR(MR_OPEN_RELAY))))
			continue;
		(void)mr_fail(backend->diags, MR_E_REJECTED,
		        "Postfix refuses the staged configuration: %.*s",
		        MR_FMT(line)); /* all of them are told, then the code is returned once */
		n++;
	}
	return n;
}

typedef int (*judge_fn)(struct mr_backend *backend, const struct mr_postfix_trial *trial,
        struct mr_postfix_complaints *out);

/* Judges the staged configuration, and the live one only when there is something to compare. */
static int judge(struct mr_backend *backend, const struct mr_postfix_trial *trial, judge_fn fn)
{
	struct mr_postfix_trial live_trial = *trial;
	struct mr_postfix_complaints staged = {0}, live = {0};
	size_t n = 0;
	int code;

	mr_arena_init(&staged.arena);
	mr_arena_init(&live.arena);
	live_trial.main_text = mr_buf_str(&backend->main_text);
	live_trial.generation = backend->generation;
	live_trial.n = 0;
	code = fn(backend, trial, &staged);
	if (!code && staged.lines.n)
		code = fn(backend, &live_trial, &live);
	/* where no table is live yet, postmap has said nothing of main.cf itself */
	if (!code && staged.lines.n)
		code = open_table(backend, backend->config_directory, MR_STR("static:all"), &live);
	if (!code)
		n = report_new(backend, &staged, &live);
	mr_postfix_complaints_done(&staged);
	mr_postfix_complaints_done(&live);
	return code ? code : n ? MR_E_REJECTED : 0;
}

int mr_postfix_check(struct mr_backend *backend, const struct mr_postfix_trial *trial)
{
	const char *directory = mr_postfix_path(backend, "%s/trial", backend->own_directory);
	int code = judge(backend, trial, open_own_tables), cleared;

	if (!code && trial->has_main && !(code = judge(backend, trial, check_static)))
		code = judge(backend, trial, mr_postfix_run_twin);
	cleared = mr_dir_remove(backend->diags, directory);
	return code ? code : cleared == MR_E_NOT_FOUND ? 0 : cleared;
}
