/*
 * StartTLS to a private slapd: the certificate must be right, whatever the environment says.
 */
#include "declared.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Makes a key and a certificate NAME.pem signed by CA.pem, or a CA of its own when ca is NULL. */
static void make_certificate(struct bench *bench, const char *name, const char *ca)
{
	struct directory *directory = &bench->directory;
	const char *key = mr_str_printf(&bench->arena, "%s/%s.key", directory->path, name).data;
	const char *pem = mr_str_printf(&bench->arena, "%s/%s.pem", directory->path, name).data;
	const char *subject = mr_str_printf(&bench->arena, "/CN=%s", name).data;
	const char *argv[24] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
	        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", pem,
	        "-subj", subject, "-addext",
	        ca ? "subjectAltName=IP:127.0.0.1" : "keyUsage=critical,keyCertSign", NULL};

	if (ca) {
		argv[18] = "-CA";
		argv[19] = mr_str_printf(&bench->arena, "%s/%s.pem", directory->path, ca).data;
		argv[20] = "-CAkey";
		argv[21] = mr_str_printf(&bench->arena, "%s/%s.key", directory->path, ca).data;
	}
	run_program(directory, argv, NULL, false);
}

static unsigned free_port(void)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);
	struct directory *directory = &bench->directory;
	struct mr_file_owner owner = {.uid = geteuid(), .gid = getegid(), .mode = 0600};
	struct mr_buf ldif = MR_BUF_INIT;
	unsigned port = free_port();

	bench_open(bench, "");
	make_certificate(bench, "ca", NULL);
	make_certificate(bench, "other", NULL);
	make_certificate(bench, "server", "ca");
	mr_buf_printf(&ldif,
	        "dn: cn=config\nchangetype: modify\nadd: "
	        "olcTLSCertificateFile\nolcTLSCertificateFile: %s/server.pem\n-\n"
	        "add: olcTLSCertificateKeyFile\nolcTLSCertificateKeyFile: %s/server.key\n\n"
	        "dn: cn=admin," SUFFIX "\nchangetype: add\nobjectClass: organizationalRole\n"
	        "objectClass: simpleSecurityObject\ncn: admin\nuserPassword: secret\n",
	        directory->path, directory->path);
	directory_ldif(directory, ldif.data);
	mr_buf_done(&ldif);
	directory_signal(directory, SIGTERM);
	snprintf(directory->urls, sizeof directory->urls, "%s ldap://127.0.0.1:%u/", directory->uri,
	        port);
	directory_start(directory);
	bench->host.ldap = (struct mr_host_ldap){
	        .uri = mr_str_printf(&bench->arena, "ldap://127.0.0.1:%u/", port),
	        .bind_dn = MR_STR("cn=admin," SUFFIX),
	        .password_file = mr_str_printf(&bench->arena, "%s/password", directory->path),
	        .start_tls = true,
	};
	assert_int_equal(mr_file_write_new(&bench->diags, bench->host.ldap.password_file.data,
	                         MR_STR("secret\n"), &owner),
	        0);
	declare_tree(&bench->desired, SUFFIX, false);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

static void connect_by(struct bench *bench, const char *ca, int expected)
{
	bench_disconnect(bench);
	bench->host.ldap.ca_file =
	        mr_str_printf(&bench->arena, "%s/%s.pem", bench->directory.path, ca);
	bench_connect(bench, NULL);
	bench_collections(bench, expected);
}

static void the_server_is_trusted__by_its_certificate(void **state)
{
	connect_by(*state, "ca", 0);
}

static void a_strange_certificate_is_refused__and_the_remedy_told(void **state)
{
	struct bench *bench = *state;

	connect_by(bench, "other", MR_E_UNREADABLE);
	assert_true(is_said(bench, "start TLS"));
	assert_true(is_said(bench, "other.pem"));
}

static void the_environment_cannot_turn_the_check_off(void **state)
{
	struct bench *bench = *state;
	char *old = getcwd(NULL, 0);
	mr_str rc = mr_str_printf(&bench->arena, "%s/ldaprc", bench->directory.path);

	assert_non_null(old);
	assert_int_equal(
	        mr_file_write_new(&bench->diags, rc.data, MR_STR("TLS_REQCERT never\n"), NULL), 0);
	assert_int_equal(chdir(bench->directory.path), 0);
	assert_int_equal(setenv("LDAPTLS_REQCERT", "never", 1), 0);
	connect_by(bench, "other", MR_E_UNREADABLE);
	assert_int_equal(unsetenv("LDAPTLS_REQCERT"), 0);
	assert_int_equal(chdir(old), 0);
	free(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_environment_cannot_turn_the_check_off),
	        cmocka_unit_test(the_server_is_trusted__by_its_certificate),
	        cmocka_unit_test(a_strange_certificate_is_refused__and_the_remedy_told),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
