/*
 * A private slapd in a throw-away folder, reached over its socket as the user who runs the test.
 */
#ifndef TESTS_OPENLDAP_DIRECTORY_H
#define TESTS_OPENLDAP_DIRECTORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/run.h"

#define SUFFIX "dc=example,dc=org"

struct directory {
	char path[64];
	char uri[256];
	char urls[320]; /* all that it listens on */
	struct mr_diags diags;
	pid_t guardian;
	int lifeline;
};

/* Runs a program and fails the test unless it ends with 0. */
static inline void run_program(struct directory *directory, const char *const *argv,
        const char *input, bool is_daemon_starter)
{
	struct mr_run run = {
	        .argv = argv, .input = mr_str_from(input), .is_daemon_starter = is_daemon_starter};

	if (mr_run(&directory->diags, &run) || run.status)
		fail_msg("%s: status %d: %s%s", argv[0], run.status,
		        run.err.data ? run.err.data : "", run.out.data ? run.out.data : "");
	mr_run_done(&run);
}

static inline void directory_ldif(struct directory *directory, const char *ldif)
{
	const char *const argv[] = {
	        "ldapmodify", "-Q", "-Y", "EXTERNAL", "-a", "-H", directory->uri, NULL};

	run_program(directory, argv, ldif, false);
}

/* What ldapsearch shows of one entry: "dn: …" and the attributes; empty when it is not there. */
static inline void directory_show(
        struct directory *directory, const char *dn, const char *attribute, struct mr_buf *out)
{
	const char *const argv[] = {"ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y",
	        "EXTERNAL", "-H", directory->uri, "-s", "base", "-b", dn, "(objectClass=*)",
	        attribute, NULL};
	struct mr_run run = {.argv = argv};

	assert_int_equal(mr_run(&directory->diags, &run), 0);
	mr_buf_clear(out);
	mr_buf_add_str(out, run.status ? MR_STR("") : mr_buf_str(&run.out));
	mr_buf_add_text(out, "");
	mr_run_done(&run);
}

static inline bool directory_has(
        struct directory *directory, const char *dn, const char *attribute, const char *line)
{
	struct mr_buf shown = MR_BUF_INIT;
	bool has;

	directory_show(directory, dn, attribute, &shown);
	mr_buf_add_char(&shown, '\n');
	has = strstr(shown.data, line);
	mr_buf_done(&shown);
	return has;
}

static inline void directory_start(struct directory *directory)
{
	char conf[128];
	const char *const argv[] = {"slapd", "-h", directory->urls, "-F", conf, NULL};
	const char *const ping[] = {"ldapsearch", "-Q", "-Y", "EXTERNAL", "-H", directory->uri,
	        "-s", "base", "-b", "", "1.1", NULL};
	int status = 1;

	snprintf(conf, sizeof conf, "%s/conf", directory->path);
	run_program(directory, argv, NULL, true);
	for (size_t i = 0; i < 200 && status; i++) {
		struct mr_run run = {.argv = ping};

		assert_int_equal(mr_run(&directory->diags, &run), 0);
		status = run.status;
		mr_run_done(&run);
		if (status)
			nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	assert_int_equal(status, 0);
}

static inline pid_t directory_pid(struct directory *directory)
{
	char path[128];
	struct mr_buf text = MR_BUF_INIT;
	pid_t pid = 0;

	snprintf(path, sizeof path, "%s/slapd.pid", directory->path);
	if (!mr_file_read(&directory->diags, path, 64, &text) && text.size)
		pid = (pid_t)strtol(text.data, NULL, 10);
	mr_buf_done(&text);
	return pid;
}

static inline void directory_signal(struct directory *directory, int number)
{
	pid_t pid = directory_pid(directory);

	assert_true(pid > 1);
	assert_int_equal(kill(pid, number), 0);
	for (size_t i = 0; number != SIGSTOP && i < 500 && !kill(pid, 0); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* A test that is ended by a sanitizer runs no teardown: a guardian notices by its pipe and ends
 * slapd then. */
static inline void directory_guard(struct directory *directory)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	directory->guardian = fork();
	assert_true(directory->guardian >= 0);
	if (!directory->guardian) {
		(void)setsid(); /* what ends the test's group must leave this */
		close(ends[1]);
		while (read(ends[0], &byte, 1) > 0) {
		}
		if (!access(directory->path, F_OK)) {
			pid_t pid = directory_pid(directory);

			if (pid > 1)
				(void)kill(pid, SIGKILL);
			_exit(mr_dir_remove(&directory->diags, directory->path) != 0);
		}
		_exit(0);
	}
	close(ends[0]);
	directory->lifeline = ends[1];
}

/* database: further lines of the database's configuration. */
static inline void directory_config(
        struct directory *directory, const char *database, struct mr_buf *out)
{
	const char *d = directory->path;

	mr_buf_printf(out,
	        "dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcPidFile: %s/slapd.pid\n"
	        "olcAuthzRegexp: "
	        "{0}\"gidNumber=%u\\+uidNumber=%u,cn=peercred,cn=external,cn=auth\" "
	        "\"cn=root,cn=ext\"\n\n"
	        "dn: cn=module{0},cn=config\nobjectClass: olcModuleList\ncn: "
	        "module{0}\nolcModulePath: /usr/lib/ldap\n"
	        "olcModuleLoad: {0}back_mdb\nolcModuleLoad: {1}syncprov\n\n"
	        "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n",
	        d, getegid(), geteuid());
	for (size_t i = 0; i < 4; i++)
		mr_buf_printf(out, "include: file:///etc/ldap/schema/%s.ldif\n\n",
		        (const char *const[]){"core", "cosine", "inetorgperson", "nis"}[i]);
	mr_buf_printf(out,
	        "dn: olcDatabase={0}config,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: "
	        "{0}config\n"
	        "olcRootDN: cn=root,cn=ext\n\n"
	        "dn: olcDatabase={1}mdb,cn=config\nobjectClass: olcDatabaseConfig\nobjectClass: "
	        "olcMdbConfig\n"
	        "olcDatabase: {1}mdb\nolcDbDirectory: %s/db\nolcSuffix: " SUFFIX "\n"
	        "olcRootDN: cn=root,cn=ext\nolcDbMaxSize: 1073741824\nolcDbNoSync: TRUE\n"
	        "olcDbIndex: objectClass,uid,entryUUID,entryCSN eq\n%s\n"
	        "dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config\nobjectClass: "
	        "olcOverlayConfig\n"
	        "objectClass: olcSyncProvConfig\nolcOverlay: {0}syncprov\nolcSpCheckpoint: 1 1\n\n",
	        d, database);
}

static inline void directory_open(struct directory *directory, const char *database)
{
	char conf[128];
	char db[128];
	struct mr_buf config = MR_BUF_INIT;
	const char *const argv[] = {"slapadd", "-n0", "-F", conf, NULL};

	memset(directory, 0, sizeof *directory);
	mr_diags_init(&directory->diags);
	strcpy(directory->path, "/tmp/mr-ldap.XXXXXX");
	assert_non_null(mkdtemp(directory->path));
	snprintf(conf, sizeof conf, "%s/conf", directory->path);
	snprintf(db, sizeof db, "%s/db", directory->path);
	snprintf(directory->uri, sizeof directory->uri, "ldapi://%%2Ftmp%%2F%s%%2Fldapi",
	        directory->path + 5);
	snprintf(directory->urls, sizeof directory->urls, "%s", directory->uri);
	assert_int_equal(mkdir(conf, 0700), 0);
	assert_int_equal(mkdir(db, 0700), 0);
	directory_config(directory, database, &config);
	run_program(directory, argv, config.data, false);
	mr_buf_done(&config);
	directory_guard(directory);
	directory_start(directory);
	directory_ldif(directory,
	        "dn: " SUFFIX "\nobjectClass: dcObject\nobjectClass: organization\ndc: example\n"
	        "o: Example\n\ndn: ou=people," SUFFIX
	        "\nobjectClass: organizationalUnit\nou: people\n\n"
	        "dn: ou=groups," SUFFIX "\nobjectClass: organizationalUnit\nou: groups\n");
}

static inline void directory_close(struct directory *directory)
{
	if (directory_pid(directory) > 1)
		directory_signal(directory, SIGTERM);
	assert_int_equal(mr_dir_remove(&directory->diags, directory->path), 0);
	close(directory->lifeline);
	(void)waitpid(directory->guardian, NULL, 0);
	mr_diags_done(&directory->diags);
}

#endif
