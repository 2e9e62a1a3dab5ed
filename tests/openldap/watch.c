/*
 * Looking on while others write: what moves is told with its name and who wrote it, at once where
 * the server can tell, by scans where it cannot; an outage is waited out.
 */
#include "declared.h"

#include <poll.h>

#include "base/clock.h"

#define PEOPLE "ou=people," SUFFIX
#define NEW    "ou=new," SUFFIX

struct eye {
	struct bench bench;
	int stop, told; /* our ends of the pipes */
	pid_t pid;
};

/* Told by the server itself comes well before a scan would find it: they are SELDOM_S apart. */
enum { SELDOM_S = 300, OFTEN_S = 1, AT_ONCE_MS = 4000, FOUND_MS = 10000 };

static void on_moved(void *arg, mr_str object, mr_str who)
{
	dprintf(*(int *)arg, "%.*s by %.*s\n", MR_FMT(object), MR_FMT(who));
}

static void on_trouble(void *arg)
{
	dprintf(*(int *)arg, "trouble\n");
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

/* The watch blocks, so it is a process of its own. */
static void look_on(struct eye *eye, uint64_t interval_seconds)
{
	mr_str trees[] = {MR_STR_INIT(PEOPLE), MR_STR_INIT(NEW)};
	struct mr_strs list = {trees, 2};
	int stop[2], told[2];

	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	eye->pid = fork();
	assert_true(eye->pid >= 0);
	if (!eye->pid) {
		struct mr_provider_watch watch = {.trees = &list,
		        .interval_seconds = interval_seconds,
		        .stop_fd = stop[0],
		        .moved = on_moved,
		        .trouble = on_trouble,
		        .is_over = never,
		        .arg = &told[1]};

		close(stop[1]);
		close(eye->bench.directory.lifeline);
		_exit(mr_provider_openldap.watch(eye->bench.backend, &watch) ? 1 : 0);
	}
	close(stop[0]);
	close(told[1]);
	eye->stop = stop[1];
	eye->told = told[0];
}

static int open_eye(void **state)
{
	struct eye *eye = malloc(sizeof *eye);

	bench_open(&eye->bench, "olcAccess: {0}to * by * read\n");
	*state = eye;
	return 0;
}

static int close_eye(void **state)
{
	struct eye *eye = *state;

	bench_close(&eye->bench);
	free(eye);
	return 0;
}

/* Ends it by its descriptor, which must do at once. */
static void stop(struct eye *eye)
{
	int64_t begun_ms = mr_clock_ms();
	int status = 1;

	close(eye->stop);
	assert_int_equal(waitpid(eye->pid, &status, 0), eye->pid);
	assert_int_equal(status, 0);
	assert_true(mr_clock_ms() - begun_ms < AT_ONCE_MS);
	close(eye->told);
}

/* Waits for that line and leaves out others. */
static void await(struct eye *eye, const char *line, int64_t within_ms)
{
	int64_t end_ms = mr_clock_ms() + within_ms;
	char seen[4096] = "", one[256];
	size_t n = 0;

	while (mr_clock_ms() < end_ms) {
		struct pollfd fd = {.fd = eye->told, .events = POLLIN};

		if (poll(&fd, 1, (int)(end_ms - mr_clock_ms())) < 1 ||
		        read(eye->told, one + n, 1) != 1)
			break;
		if (one[n] != '\n' && n < sizeof one - 2) {
			n++;
			continue;
		}
		one[n] = '\0';
		if (!strcmp(one, line))
			return;
		if (strlen(seen) + n + 2 < sizeof seen)
			strcat(strcat(seen, one), "; ");
		n = 0;
	}
	fail_msg("not told within %d ms: '%s', but: %s", (int)within_ms, line, seen);
}

static void expect_move(struct eye *eye, const char *ldif, const char *line, int64_t within_ms)
{
	directory_ldif(&eye->bench.directory, ldif);
	await(eye, line, within_ms);
}

#define ANN      "dn: uid=ann," PEOPLE "\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann\nsn: Lee\n"
#define TOLD_ANN "ldap/uid=ann," PEOPLE " by cn=root,cn=ext"

static void every_write_is_told_at_once__where_the_server_can_tell(void **state)
{
	struct eye *eye = *state;

	look_on(eye, SELDOM_S);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, ANN, TOLD_ANN, AT_ONCE_MS);
	expect_move(eye, "dn: uid=ann," PEOPLE "\nchangetype: modify\nreplace: sn\nsn: Roe\n",
	        TOLD_ANN, AT_ONCE_MS);
	expect_move(eye, "dn: uid=ann," PEOPLE "\nchangetype: delete\n",
	        "ldap/uid=ann," PEOPLE " by ", AT_ONCE_MS);
	stop(eye);
}

static void a_tree_is_seen_when_it_is_made__and_then_what_is_in_it(void **state)
{
	struct eye *eye = *state;

	look_on(eye, SELDOM_S);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, "dn: " NEW "\nobjectClass: organizationalUnit\nou: new\n",
	        "ldap/" NEW " by cn=root,cn=ext", AT_ONCE_MS);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, "dn: cn=x," NEW "\nobjectClass: organizationalRole\ncn: x\n",
	        "ldap/cn=x," NEW " by cn=root,cn=ext", AT_ONCE_MS);
	/* what moves elsewhere is no business of ours: the next line is of ours again */
	directory_ldif(&eye->bench.directory,
	        "dn: cn=y,ou=groups," SUFFIX "\nobjectClass: organizationalRole\ncn: y\n");
	/* the tree leaves: its search begins again, and sees it come back */
	expect_move(eye, "dn: " NEW "\nchangetype: modrdn\nnewrdn: ou=old\ndeleteoldrdn: 1\n",
	        " by ", AT_ONCE_MS);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, "dn: " NEW "\nobjectClass: organizationalUnit\nou: new\n",
	        "ldap/" NEW " by cn=root,cn=ext", AT_ONCE_MS);
	stop(eye);
}

static void an_outage_is_waited_out__killed_and_restarted(void **state)
{
	struct eye *eye = *state;

	look_on(eye, SELDOM_S);
	await(eye, " by ", FOUND_MS);
	directory_signal(&eye->bench.directory, SIGKILL);
	await(eye, "trouble", FOUND_MS);
	directory_start(&eye->bench.directory);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, ANN, TOLD_ANN, AT_ONCE_MS);
	stop(eye);
}

static void it_ends_when_told__server_away(void **state)
{
	struct eye *eye = *state;

	directory_signal(&eye->bench.directory, SIGKILL);
	look_on(eye, SELDOM_S);
	await(eye, "trouble", FOUND_MS);
	stop(eye);
	directory_start(&eye->bench.directory);
}

static void writes_are_found_by_scans__without_syncprov(void **state)
{
	struct eye *eye = *state;

	directory_ldif(&eye->bench.directory,
	        "dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config\nchangetype: delete\n");
	look_on(eye, OFTEN_S);
	await(eye, " by ", FOUND_MS);
	expect_move(eye, ANN, TOLD_ANN, FOUND_MS);
	expect_move(eye, "dn: uid=ann," PEOPLE "\nchangetype: modify\nreplace: sn\nsn: Roe\n",
	        TOLD_ANN, FOUND_MS);
	expect_move(eye, "dn: uid=ann," PEOPLE "\nchangetype: delete\n", " by ", FOUND_MS);
	stop(eye);
}

int main(void)
{
#define EYE_TEST(name) cmocka_unit_test_setup_teardown(name, open_eye, close_eye)
	const struct CMUnitTest tests[] = {
	        EYE_TEST(every_write_is_told_at_once__where_the_server_can_tell),
	        EYE_TEST(a_tree_is_seen_when_it_is_made__and_then_what_is_in_it),
	        EYE_TEST(an_outage_is_waited_out__killed_and_restarted),
	        EYE_TEST(it_ends_when_told__server_away),
	        EYE_TEST(writes_are_found_by_scans__without_syncprov),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
