/*
 * A process apart: its word comes back, its deadline holds, it has no right and no descriptor of
 * ours. And which URLs a webhook may have.
 */
#include "notify/apart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "notify/ways.h"

static struct mr_apart apart_of(bool (*work)(void *arg, struct mr_buf *why))
{
	return (struct mr_apart){.what = "the test", .timeout_ms = 5000, .work = work};
}

static void ends(struct mr_apart apart, int wanted, const char *text)
{
	struct mr_diags diags;

	mr_diags_init(&diags);
	assert_int_equal(mr_apart(&diags, &apart), wanted);
	assert_int_equal(diags.list.n, wanted ? 1 : 0);
	if (wanted)
		assert_non_null(strstr(diags.list.items[0].text.data, text));
	mr_diags_done(&diags);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static bool works(void *arg, struct mr_buf *why)
{
	(void)arg;
	(void)why;
	return true;
}

static bool complains(void *arg, struct mr_buf *why)
{
	(void)arg;
	mr_buf_add_text(why, "no such thing");
	return false;
}

static bool hangs(void *arg, struct mr_buf *why)
{
	(void)arg;
	(void)why;
	(void)pause();
	return true;
}

static bool dies(void *arg, struct mr_buf *why)
{
	(void)arg;
	(void)why;
	_exit(9);
}

static bool has_no_descriptor(void *arg, struct mr_buf *why)
{
	const int *fd = arg;

	(void)why;
	return fcntl(*fd, F_GETFD) < 0;
}

static bool is_nobody(void *arg, struct mr_buf *why)
{
	(void)arg;
	mr_buf_printf(why, "uid %u", (unsigned)geteuid());
	return getuid() == 65534 && geteuid() == 65534 && setresuid(0, 0, 0) < 0 &&
	       access("/etc/shadow", R_OK) < 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void its_word_comes_back(void **state)
{
	(void)state;
	ends(apart_of(works), 0, NULL);
	ends(apart_of(complains), MR_E_FAILED, "the test: no such thing");
	ends(apart_of(dies), MR_E_FAILED, "status 9");
}

static void the_deadline_holds(void **state)
{
	struct mr_apart apart = apart_of(hangs);
	int64_t began_ms = mr_clock_ms();

	(void)state;
	apart.timeout_ms = 200;
	ends(apart, MR_E_TIMEOUT, "no answer within 0.2 s");
	assert_in_range(mr_clock_ms() - began_ms, 200, 3000);
}

static void no_descriptor_is_passed_on(void **state)
{
	struct mr_apart apart = apart_of(has_no_descriptor);
	int fd = open("/dev/null", O_RDONLY); /* no O_CLOEXEC, on purpose */

	(void)state;
	assert_int_equal(dup2(fd, 77), 77);
	apart.arg = &(int){77};
	ends(apart, 0, NULL);
	(void)close(77);
	(void)close(fd);
}

static void root_gives_up_its_rights(void **state)
{
	struct mr_apart apart = apart_of(is_nobody);

	(void)state;
	if (geteuid() != 0)
		skip();
	apart.user = MR_STR("nobody");
	apart.bars_rights = true;
	ends(apart, 0, NULL);
	apart.user = MR_STR("no-such-account");
	ends(apart, MR_E_CONFIG, "no-such-account");
}

static void urls_are_https_or_stay_here(void **state)
{
	static const char *const good[] = {"https://hooks.example.org/x?y",
	        "https://[2001:db8::1]/", "http://127.0.0.1:8080/x", "http://localhost/x",
	        "http://[::1]:80"};
	static const char *const bad[] = {"", "https://", "http://hooks.example.org/",
	        "ftp://127.0.0.1/", "http://127.0.0.1.example.org/",
	        "http://localhost.example.org/", "https://user:word@example.org/",
	        "http://127.0.0.1@example.org/", "https://example.org/a b", "https:///x",
	        "file:///etc/passwd", "http://127.0.0.1\\@example.org/"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!mr_webhook_is_url(mr_str_from(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (mr_webhook_is_url(mr_str_from(bad[i])))
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(its_word_comes_back),
	        cmocka_unit_test(the_deadline_holds),
	        cmocka_unit_test(no_descriptor_is_passed_on),
	        cmocka_unit_test(root_gives_up_its_rights),
	        cmocka_unit_test(urls_are_https_or_stay_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
