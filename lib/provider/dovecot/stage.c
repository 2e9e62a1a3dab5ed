/*
 * Judging changes before anything live moves: rows by writing and reading them, settings by
 * Dovecot's own checker and a throw-away twin.
 */
#include "dovecot/dovecot.h"

#include <stdio.h>
#include <string.h>

#include "base/run.h"

#define PROGRAM_TIMEOUT_MS 20000

static const struct mr_file_owner PRIVATE = {0, 0, 0600};

static bool is_known_line(mr_str text, mr_str line)
{
	while (text.size > 0)
		if (mr_str_eq(mr_str_split(&text, '\n'), line))
			return true;
	return false;
}

/* That a setting of ours does not reach an earlier block is worth a word but may be meant. */
static bool is_only_remark(mr_str line)
{
	static const char remark[] = "won't change the setting inside an earlier filter";

	return memmem(line.data ? line.data : "", line.size, remark, sizeof remark - 1) != NULL;
}

/* What doveconf -n -x says on standard error of the configuration as it is: old faults are not
 * ours. */
static void live_complaints(struct mr_backend *backend, struct mr_buf *out)
{
	const char *const argv[] = {"doveconf", "-c", backend->config, "-n", "-x", NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};

	if (!mr_run(backend->diags, &run))
		mr_buf_add_str(out, mr_buf_str(&run.err));
	mr_run_done(&run);
}

static int judge_complaints(struct mr_backend *backend, mr_str complaints)
{
	struct mr_buf old = MR_BUF_INIT;
	int code = 0;

	if (complaints.size)
		live_complaints(backend, &old);
	while (complaints.size > 0) {
		mr_str line = mr_str_split(&complaints, '\n');

		if (line.size == 0 || is_known_line(mr_buf_str(&old), line))
			continue;
		if (is_only_remark(line))
			mr_diags_at(backend->diags, MR_WARNING, "", NULL,
			        "Dovecot's checker says: %.*s", MR_FMT(line));
		else
			code = mr_fail(backend->diags, MR_E_REJECTED,
			        "Dovecot's checker refuses the settings: %.*s", MR_FMT(line));
	}
	mr_buf_done(&old);
	return code;
}

static int check(struct mr_backend *backend, const char *path)
{
	const char *const argv[] = {"doveconf", "-c", path, "-n", "-x", NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};
	int code = mr_run(backend->diags, &run);

	if (!code) {
		code = judge_complaints(backend, mr_buf_str(&run.err));
		if (!code && run.status)
			code = mr_fail(backend->diags, MR_E_REJECTED,
			        "Dovecot's checker refuses the settings: status %d", run.status);
	}
	mr_run_done(&run);
	return code;
}

/* Our file and dovecot.conf as they will be, in the transaction's folder. */
static int write_staged(struct mr_backend *backend, struct mr_arena *arena,
        const struct mr_dovecot_settings *settings, const char *folder, const char **out_main)
{
	struct mr_buf own = MR_BUF_INIT, whole = MR_BUF_INIT;
	const char *own_path = mr_str_printf(arena, "%s/staged-mailreeve.conf", folder).data;
	const char *main_path = mr_str_printf(arena, "%s/staged-dovecot.conf", folder).data;
	int code = mr_dir_make(backend->diags, folder, 0700);

	if (!code)
		code = mr_dovecot_own_format(backend, arena, settings, &own);
	if (!code)
		code = mr_dovecot_main_elsewhere(backend, own_path, &whole);
	if (!code)
		code = mr_file_replace(backend->diags, own_path, mr_buf_str(&own), &PRIVATE);
	if (!code)
		code = mr_file_replace(backend->diags, main_path, mr_buf_str(&whole), &PRIVATE);
	mr_buf_done_secret(&own);
	mr_buf_done_secret(&whole);
	*out_main = main_path;
	return code;
}

/* A file that is there but holds something else makes every TLS handshake fail, and nothing says so
 * before. */
static int check_pem(
        struct mr_backend *backend, const struct mr_dovecot_setting *setting, const char *word)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_file_read(
	        backend->diags, mr_str_copy(&arena, setting->value).data, (size_t)1 << 20, &text);

	if (code == MR_E_NOT_FOUND)
		code = 0; /* the checker says that, with its words */
	else if (!code && (!text.size || !memmem(text.data, text.size, word, strlen(word))))
		code = mr_fail(backend->diags, MR_E_REJECTED, "file '%.*s' of '%.*s' holds no %s",
		        MR_FMT(setting->value), MR_FMT(setting->path), word);
	mr_buf_done_secret(&text);
	mr_arena_done(&arena);
	return code;
}

static int check_files(struct mr_backend *backend, const struct mr_dovecot_settings *settings)
{
	int code = 0;

	for (size_t i = 0; !code && i < settings->list.n; i++) {
		const struct mr_dovecot_setting *setting = &settings->list.items[i];

		if (setting->value.size &&
		        mr_str_ends(setting->path, MR_STR("ssl_server_cert_file")))
			code = check_pem(backend, setting, "BEGIN CERTIFICATE");
		else if (setting->value.size &&
		         mr_str_ends(setting->path, MR_STR("ssl_server_key_file")))
			code = check_pem(backend, setting, "PRIVATE KEY");
	}
	return code;
}

static int stage_settings(struct mr_backend *backend, const struct mr_change *const *changes,
        size_t n, const char *folder)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_dovecot_settings settings = {0};
	const char *main_path;
	int code = mr_dovecot_settings_edit(backend, &arena, changes, n, false, &settings);

	if (!code)
		code = write_staged(backend, &arena, &settings, folder, &main_path);
	if (!code)
		code = check(backend, main_path);
	if (!code)
		code = check_files(backend, &settings);
	if (!code)
		code = mr_dovecot_twin(backend, &settings);
	mr_dovecot_settings_done(&settings);
	mr_arena_done(&arena);
	return code;
}

static int stage_rows(struct mr_backend *backend, const struct mr_change *const *changes, size_t n)
{
	struct mr_dovecot_edit edit;
	int code = mr_dovecot_rows_edit(backend, changes, n, false, &edit);

	mr_dovecot_edit_done(&edit);
	return code;
}

int mr_dovecot_stage(struct mr_backend *backend, const struct mr_change *const *changes, size_t n,
        const char *work_directory)
{
	char folder[4096];
	int size = snprintf(folder, sizeof folder, "%s/dovecot", work_directory);
	size_t n_rows = 0;
	int code = 0;

	if (size < 0 || (size_t)size >= sizeof folder)
		return mr_fail(
		        backend->diags, MR_E_FAILED, "path '%s' is too long", work_directory);
	/* the changes come by collection and key: rows before settings */
	while (n_rows < n && mr_dovecot_is_rows(changes[n_rows]->in))
		n_rows++;
	if (n_rows)
		code = stage_rows(backend, changes, n_rows);
	if (!code && n_rows < n)
		code = stage_settings(backend, changes + n_rows, n - n_rows, folder);
	return code;
}
