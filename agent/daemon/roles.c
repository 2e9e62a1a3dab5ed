/*
 * The table of the agent's parts, and what they share: giving up rights, saying what is wrong.
 */
#include "daemon/roles.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"

enum { MOST_LINES = 20 };

const struct role roles[ROLE_COUNT] = {
#define ROLE_ROW(id, name, what, deadline, run) [ROLE_##id] = {name, what, deadline, run},
        ROLES(ROLE_ROW)
#undef ROLE_ROW
};

static bool is_channel(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int role_main(struct mailreeve *session, const char *name, const char *commit, const char *told)
{
	const struct role_call call = {.channel = ROLE_CHANNEL,
	        .commit = commit,
	        .told = told ? strtoull(told, NULL, 10) : 0};

	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0 && is_channel(ROLE_CHANNEL))
			return roles[i].run(session, &call);
	fprintf(stderr,
	        "mailreeve: '%s' is a part of the agent, which starts it itself  (hint: mailreeve "
	        "agent)\n",
	        name);
	return MAILREEVE_USAGE;
}

static int complain(const char *what, const char *name)
{
	log_event(&(struct event){.id = EVENT_PART_FAILED}, "cannot %s of '%s': %s", what, name,
	        strerror(errno));
	return MAILREEVE_CONFIG;
}

static int become(const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (!user) {
		errno = ENOENT;
		return complain("find the account", name);
	}
	if (geteuid() == user->pw_uid)
		return 0;
	if (initgroups(name, user->pw_gid) < 0 ||
	        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return complain("take the rights", name);
	/* the kernel forgets this at a change of user */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

int role_drop(struct mailreeve *session)
{
	struct mailreeve_facts facts;
	int status = 0;

	if (mailreeve_get_facts(session, &facts) && facts.user)
		status = become(facts.user);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && !status)
		return complain("bar new rights", "this process");
	return status;
}

uint64_t role_digest(uint64_t digest, const char *text)
{
	for (; *text; text++)
		digest = (digest ^ (unsigned char)*text) * 1099511628211U;
	return digest;
}

static void tell_lines(char *rest, const char *commit)
{
	const char *line;
	int n = 0;

	while (rest && n++ < MOST_LINES && (line = strsep(&rest, "\n")) != NULL)
		if (line[0])
			log_event(&(struct event){.id = EVENT_DIAGNOSTIC, .commit = commit}, "%s",
			        line);
	if (rest && rest[0])
		log_event(&(struct event){.id = EVENT_DIAGNOSTIC, .commit = commit},
		        "and more: mailreeve validate shows all");
}

uint64_t role_tell(struct mailreeve *session, const struct role_call *call)
{
	struct mailreeve_text text = {0};
	uint64_t digest;

	mailreeve_diagnostics(session, &text);
	digest = role_digest(ROLE_DIGEST, text.data);
	if (digest != call->told)
		tell_lines(text.data, call->commit);
	mailreeve_text_done(&text);
	return digest;
}
