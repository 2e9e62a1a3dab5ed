/*
 * One connection to the directory.
 *
 * Nothing is taken from the environment or from libldap's own files; referrals are not followed,
 * aliases not resolved, and every wait ends.
 */
#include "openldap/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"

#define NETWORK_TIMEOUT_S    5
#define ANSWER_TIMEOUT_S     10
#define PASSWORD_LIMIT_BYTES 4096

bool mr_ldap_is_transient(int result)
{
	return result == LDAP_SERVER_DOWN || result == LDAP_TIMEOUT || result == LDAP_BUSY ||
	       result == LDAP_UNAVAILABLE || result == LDAP_OTHER;
}

bool mr_ldap_pause(unsigned n_tries, int64_t deadline_ms)
{
	long wait_ms = 50L << (n_tries < 4 ? n_tries : 4);

	if (mr_clock_ms() + wait_ms > deadline_ms)
		return false;
	mr_wait_ms((unsigned)wait_ms);
	return true;
}

int mr_ldap_fail(
        struct mr_ldap *ldap, int code, const char *what, mr_str dn, int result, const char *words)
{
	bool has_words = words && *words;

	return mr_fail(ldap->diags, code, "cannot %s%s%.*s%s on '%.*s': %s (%d)%s%s", what,
	        dn.size ? " '" : "", MR_FMT(dn), dn.size ? "'" : "", MR_FMT(ldap->host->uri),
	        ldap_err2string(result), result, has_words ? ": " : "", has_words ? words : "");
}

void mr_ldap_result_read(struct mr_ldap *ldap, LDAPMessage *message, struct mr_arena *arena,
        struct mr_ldap_result *out)
{
	char *matched = NULL;
	char *words = NULL;

	memset(out, 0, sizeof *out);
	if (ldap_parse_result(
	            ldap->handle, message, &out->code, &matched, &words, NULL, &out->controls, 0))
		out->code = LDAP_DECODING_ERROR;
	out->words = mr_str_copy(arena, mr_str_from(words));
	out->matched = mr_str_copy(arena, mr_str_from(matched));
	ldap_memfree(matched);
	ldap_memfree(words);
}

void mr_ldap_result_done(struct mr_ldap_result *result)
{
	ldap_controls_free(result->controls);
	result->controls = NULL;
}

static bool uses_tls(const struct mr_host_ldap *host)
{
	return host->start_tls || mr_str_starts(host->uri, MR_STR("ldaps://"));
}

/* A password in clear may travel inside the machine only. */
static bool is_local(mr_str uri)
{
	static const mr_str LOCAL[] = {MR_STR_INIT("ldapi://"), MR_STR_INIT("ldap://127.0.0.1"),
	        MR_STR_INIT("ldap://[::1]"), MR_STR_INIT("ldap://localhost")};

	for (size_t i = 0; i < sizeof LOCAL / sizeof LOCAL[0]; i++) {
		mr_str rest = mr_str_skip(uri, LOCAL[i].size);

		if (mr_str_starts(uri, LOCAL[i]) &&
		        (!i || !rest.size || rest.data[0] == ':' || rest.data[0] == '/'))
			return true;
	}
	return false;
}

static int set_options(LDAP *handle)
{
	const int version = LDAP_VERSION3;
	const int deref = LDAP_DEREF_NEVER;
	const struct timeval network = {.tv_sec = NETWORK_TIMEOUT_S};
	const struct timeval answer = {.tv_sec = ANSWER_TIMEOUT_S};

	if (ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version) ||
	        ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) ||
	        ldap_set_option(handle, LDAP_OPT_DEREF, &deref) ||
	        ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &network) ||
	        ldap_set_option(handle, LDAP_OPT_TIMEOUT, &answer) ||
	        ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_ON))
		return LDAP_PARAM_ERROR;
	return 0;
}

static int set_tls_options(LDAP *handle, const struct mr_host_ldap *host)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	const int demand = LDAP_OPT_X_TLS_DEMAND;
	const int protocol = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const int is_server = 0;
	mr_str ca_file = mr_str_copy(&arena, host->ca_file);

	if (ldap_set_option(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) ||
	        ldap_set_option(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, &protocol))
		return LDAP_PARAM_ERROR;
	if (ca_file.size && ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, ca_file.data))
		return LDAP_PARAM_ERROR;
	return ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &is_server) ? LDAP_PARAM_ERROR : 0;
}

/* The password without its line end. Nobody but its owner may be able to read the file. */
static int read_password(struct mr_ldap *ldap, struct mr_buf *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str path = mr_str_copy(&arena, ldap->host->password_file);
	MR_CLOSE int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat facts;
	ssize_t n;

	if (fd < 0 || fstat(fd, &facts))
		return mr_fail(ldap->diags, MR_E_CONFIG, "cannot read password file '%s': %s",
		        path.data, strerror(errno));
	if (!S_ISREG(facts.st_mode) || (facts.st_mode & (S_IRWXG | S_IRWXO)) ||
	        (facts.st_uid && facts.st_uid != geteuid()))
		return mr_fail(ldap->diags, MR_E_CONFIG,
		        "password file '%s' is open to others (mode %03o): it must be a file of "
		        "mode 0600 or less",
		        path.data, facts.st_mode & 0777U);
	n = read(fd, mr_buf_reserve(out, PASSWORD_LIMIT_BYTES), PASSWORD_LIMIT_BYTES);
	if (n < 0)
		return mr_fail(ldap->diags, MR_E_CONFIG, "cannot read password file '%s': %s",
		        path.data, strerror(errno));
	out->size = (size_t)n;
	while (out->size && (out->data[out->size - 1] == '\n' || out->data[out->size - 1] == '\r'))
		out->size--;
	if (!out->size)
		return mr_fail(ldap->diags, MR_E_CONFIG, "password file '%s' is empty", path.data);
	return 0;
}

static int bind_simple(struct mr_ldap *ldap, LDAP *handle, int *out_result)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str dn = mr_str_copy(&arena, ldap->host->bind_dn);
	struct mr_buf password = MR_BUF_INIT;
	int code;

	if (!uses_tls(ldap->host) && !is_local(ldap->host->uri))
		return mr_fail(ldap->diags, MR_E_CONFIG,
		        "refusing to send a password to '%.*s' in clear: set start_tls or use "
		        "ldaps://",
		        MR_FMT(ldap->host->uri));
	code = read_password(ldap, &password);
	if (!code) {
		struct berval credentials = {.bv_len = password.size, .bv_val = password.data};

		*out_result = ldap_sasl_bind_s(
		        handle, dn.data, LDAP_SASL_SIMPLE, &credentials, NULL, NULL, NULL);
	}
	mr_buf_done_secret(&password);
	return code;
}

static int bind_external(LDAP *handle)
{
	struct berval empty = {.bv_len = 0, .bv_val = (char[]){""}};

	return ldap_sasl_bind_s(handle, NULL, "EXTERNAL", &empty, NULL, NULL, NULL);
}

/* One try. *out_result is the protocol's result; the return value is our own fault. */
static int try_connect(struct mr_ldap *ldap, LDAP **out, int *out_result, const char **out_what)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str uri = mr_str_copy(&arena, ldap->host->uri);

	*out_what = "connect";
	*out_result = ldap_initialize(out, uri.data);
	if (*out_result)
		return mr_fail(ldap->diags, MR_E_CONFIG, "cannot use LDAP address '%s': %s",
		        uri.data, ldap_err2string(*out_result));
	*out_result = set_options(*out);
	if (!*out_result && uses_tls(ldap->host))
		*out_result = set_tls_options(*out, ldap->host);
	if (!*out_result && ldap->host->start_tls) {
		*out_what = "start TLS";
		*out_result = ldap_start_tls_s(*out, NULL, NULL);
	}
	if (*out_result)
		return 0;
	*out_what = "bind";
	if (ldap->host->bind_dn.size && !ldap->host->is_external_bind)
		return bind_simple(ldap, *out, out_result);
	*out_result = bind_external(*out);
	return 0;
}

static int report_connect(struct mr_ldap *ldap, LDAP *handle, const char *what, int result)
{
	char *words = NULL;
	mr_str who = ldap->host->is_external_bind ? MR_STR("EXTERNAL") : ldap->host->bind_dn;

	(void)ldap_get_option(
	        handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words); /* NULL when there is none */
	mr_ldap_fail(ldap, MR_E_UNREADABLE, what, who, result, words);
	ldap_memfree(words);
	if (!uses_tls(ldap->host))
		mr_diags_hint(ldap->diags, "is slapd running, and may this user bind there");
	else
		mr_diags_hint(ldap->diags,
		        "check the server's certificate against ca_file '%.*s'; the name in the "
		        "address must be the certificate's",
		        MR_FMT(ldap->host->ca_file));
	return MR_E_UNREADABLE;
}

/* libldap would read ./ldaprc and LDAPTLS_REQCERT. It also writes to sockets as if they were files:
 * a server that dies would end this process by SIGPIPE. */
static void prepare_process(void)
{
	struct sigaction action;

	(void)setenv("LDAPNOINIT", "1", 1);
	if (!sigaction(SIGPIPE, NULL, &action) && action.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
}

int mr_ldap_connect(struct mr_ldap *ldap)
{
	int64_t deadline_ms = mr_clock_ms() + MR_LDAP_RETRY_MS;

	if (ldap->handle)
		return 0;
	prepare_process();
	for (unsigned n_tries = 0;; n_tries++) {
		LDAP *handle = NULL;
		const char *what;
		int result;
		int code = try_connect(ldap, &handle, &result, &what);

		if (!code && !result) {
			ldap->handle = handle;
			return 0;
		}
		if (!code && (ldap->tries_once || !mr_ldap_is_transient(result) ||
		                     !mr_ldap_pause(n_tries, deadline_ms)))
			code = report_connect(ldap, handle, what, result);
		if (handle)
			(void)ldap_unbind_ext_s(handle, NULL, NULL);
		if (code)
			return code;
	}
}

void mr_ldap_disconnect(struct mr_ldap *ldap)
{
	if (ldap->handle)
		(void)ldap_unbind_ext_s(ldap->handle, NULL, NULL); /* it is gone either way */
	ldap->handle = NULL;
}
