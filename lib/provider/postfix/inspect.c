/*
 * Postfix as it stands: version, table types, TLS files, whether master(8) runs.
 */
#include "postfix/inspect.h"

#include "postfix/control.h"

/* Of the server side. A chain file holds both; its key is looked at as strictly. */
static const struct {
	const char *name;
	bool is_key;
} tls_parameters[] = {
        {"smtpd_tls_cert_file", false},
        {"smtpd_tls_key_file", true},
        {"smtpd_tls_eccert_file", false},
        {"smtpd_tls_eckey_file", true},
        {"smtpd_tls_chain_files", true},
};

/* The value in force, variables replaced, in the backend's arena. */
static mr_str value_of(struct mr_backend *backend, const char *name)
{
	struct mr_buf text = MR_BUF_INIT;
	mr_str value = {0};

	if (!mr_postfix_expand(backend, mr_postfix_value(backend, mr_str_from(name)), &text))
		value = mr_str_copy(&backend->arena, mr_str_trim(mr_buf_str(&text)));
	mr_buf_done(&text);
	return value;
}

static bool offers_tls(struct mr_backend *backend)
{
	mr_str level = value_of(backend, "smtpd_tls_security_level");

	if (level.size)
		return !mr_str_is(level, "none");
	return mr_str_is(value_of(backend, "smtpd_use_tls"), "yes") ||
	       mr_str_is(value_of(backend, "smtpd_enforce_tls"), "yes");
}

/* The first file of a list is enough: Postfix reads them as one. */
static void add_tls(struct mr_backend *backend, struct mr_inspection *out)
{
	for (size_t i = 0; i < sizeof tls_parameters / sizeof *tls_parameters; i++) {
		mr_str value = value_of(backend, tls_parameters[i].name);
		size_t end = 0;

		while (end < value.size && value.data[end] != ',' && value.data[end] != ' ')
			end++;
		value = mr_str_take(value, end);
		if (value.size && !mr_str_is(value, "none"))
			out->tls[out->n_tls++] = (struct mr_tls_file){tls_parameters[i].name,
			        mr_str_copy(&backend->arena, value), tls_parameters[i].is_key};
	}
}

int mr_postfix_inspect(struct mr_backend *backend, struct mr_inspection *out)
{
	int code = mr_postfix_read_main(backend);

	*out = (struct mr_inspection){.has_tables = true};
	if (!code)
		code = mr_postfix_know_host(backend);
	if (code)
		return code;
	out->version = backend->postconf.version;
	if (!mr_str_starts(out->version, MR_STR("3.")))
		out->supported = "Postfix 3";
	out->is_running = mr_postfix_master(backend) != 0;
	out->folders[out->n_folders++] = mr_str_from(backend->config_directory);
	out->folders[out->n_folders++] = mr_str_from(backend->own_directory);
	if (backend->has_keyed_kind)
		out->keyed_table = mr_str_from(mr_table_kind_name(backend->keyed_kind));
	if (offers_tls(backend))
		add_tls(backend, out);
	return 0;
}
