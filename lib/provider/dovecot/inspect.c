/*
 * Dovecot as it stands: version, TLS files, whether its master process runs.
 */
#include "dovecot/dovecot.h"

#include "base/run.h"

#define PROGRAM_TIMEOUT_MS 20000

/* By the names of 2.3 and of 2.4. */
static const struct {
	const char *name;
	bool is_key;
} tls_settings[] = {
        {"ssl_cert", false},
        {"ssl_key", true},
        {"ssl_server_cert_file", false},
        {"ssl_server_key_file", true},
};

/* A file that a value names, "</path" or "/path"; empty for a key that stands in the value. */
static mr_str file_of(mr_str value)
{
	if (mr_str_starts(value, MR_STR("<")))
		value = mr_str_trim(mr_str_skip(value, 1));
	return mr_str_starts(value, MR_STR("/")) ? value : (mr_str){0};
}

/* doveconf -a hides it, since it may be the key itself. */
static mr_str key_file(struct mr_backend *backend, const char *name)
{
	const char *const argv[] = {"doveconf", "-c", backend->config, "-P", "-h", name, NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};
	struct mr_diags ignored;
	mr_str path = {0};

	mr_diags_init(&ignored);
	if (!mr_run(&ignored, &run) && run.status == 0)
		path = mr_str_copy(&backend->arena, file_of(mr_str_trim(mr_buf_str(&run.out))));
	mr_buf_done_secret(&run.out);
	mr_run_done(&run);
	mr_diags_done(&ignored);
	return path;
}

static void add_tls(struct mr_backend *backend, struct mr_inspection *out)
{
	for (size_t i = 0; i < sizeof tls_settings / sizeof *tls_settings; i++) {
		const struct mr_dovecot_setting *found =
		        mr_dovecot_settings_find(&backend->live, mr_str_from(tls_settings[i].name));
		mr_str path = {0};

		if (found)
			path = tls_settings[i].is_key
			               ? key_file(backend, tls_settings[i].name)
			               : mr_str_copy(&backend->arena, file_of(found->value));
		if (path.size)
			out->tls[out->n_tls++] = (struct mr_tls_file){
			        tls_settings[i].name, path, tls_settings[i].is_key};
	}
}

int mr_dovecot_inspect(struct mr_backend *backend, struct mr_inspection *out)
{
	const struct mr_dovecot_setting *ssl;
	int code = mr_dovecot_learn_version(backend);

	*out = (struct mr_inspection){.version = backend->version_text, .must_run = true};
	if (!code)
		code = mr_dovecot_learn_live(backend);
	if (code)
		return code;
	out->is_running = mr_dovecot_master(backend) != 0;
	out->folders[out->n_folders++] = mr_str_from(backend->directory);
	out->folders[out->n_folders++] = mr_str_from(backend->own_directory);
	ssl = mr_dovecot_settings_find(&backend->live, MR_STR("ssl"));
	if (ssl && !mr_str_is(ssl->value, "no"))
		add_tls(backend, out);
	return 0;
}
