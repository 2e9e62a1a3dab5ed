/*
 * Checks of doctor: whether the repository can be fetched, and its branch read, also by the account
 * that does so for the agent; and whether it is signed, where it must be.
 */
#include "session/doctor.h"
#include "session/signing.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "notify/apart.h"

#define FETCH_TIMEOUT_MS 60000
#define READ_TIMEOUT_MS  10000

/* git's newer way to keep references, which libgit2 does not read. */
static bool is_reftable(struct mailreeve *session, const char *url)
{
	return url[0] == '/' &&
	       (access(mr_str_printf(&session->arena, "%s/reftable", url).data, F_OK) == 0 ||
	               access(mr_str_printf(&session->arena, "%s/.git/reftable", url).data, F_OK) ==
	                       0);
}

static const char *url_of(struct mailreeve *session)
{
	mr_str url = session->host.repository_url, prefix = MR_STR("file://");

	return mr_session_text_or_null(
	        session, mr_str_starts(url, prefix) ? mr_str_skip(url, prefix.size) : url);
}

struct wanted {
	const char *paths[8]; /* some may not be there */
	size_t n;
};

static void want(struct wanted *wanted, const char *path)
{
	if (path)
		wanted->paths[wanted->n++] = path;
}

/* Of a repository the files that every fetch begins with: the rest has the same owner. */
static void want_repository(struct mailreeve *session, const char *url, struct wanted *wanted)
{
	static const char *const parts[] = {"HEAD", "packed-refs", "refs", "objects"};
	const char *folder = mr_str_printf(&session->arena, "%s/.git", url).data;

	if (access(folder, F_OK) < 0)
		folder = url;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		want(wanted, mr_str_printf(&session->arena, "%s/%s", folder, parts[i]).data);
}

static bool can_read(void *arg, struct mr_buf *why)
{
	const struct wanted *wanted = arg;

	for (size_t i = 0; i < wanted->n; i++)
		if (access(wanted->paths[i], R_OK) < 0 && errno != ENOENT) {
			mr_buf_printf(
			        why, "cannot read '%s': %s", wanted->paths[i], strerror(errno));
			return false;
		}
	return true;
}

/* Root, as which doctor runs, can read everything. */
static void check_user(struct mr_doctor *doctor, const char *url)
{
	struct mailreeve *session = doctor->session;
	const struct mr_host *host = &session->host;
	struct wanted wanted = {0};
	struct mr_apart apart = {.what = mr_str_printf(&session->arena, "user '%.*s' of the agent",
	                                 MR_FMT(host->run_as_user))
	                                         .data,
	        .user = host->run_as_user,
	        .timeout_ms = READ_TIMEOUT_MS,
	        .work = can_read,
	        .arg = &wanted};

	if (host->run_as_user.size == 0 || geteuid() != 0)
		return;
	if (url && url[0] == '/')
		want_repository(session, url, &wanted);
	want(&wanted, mr_session_text_or_null(session, host->ssh_key));
	want(&wanted, mr_session_text_or_null(session, host->known_hosts));
	want(&wanted, mr_session_text_or_null(session, host->repository_ca_file));
	if (mr_apart(&session->diags, &apart) && mr_doctor_take(doctor, MR_HEALTH_ERROR))
		mr_doctor_remedy(doctor,
		        "let '%.*s' read it, by its group or setfacl(1); or leave 'user' out of "
		        "agent.yaml",
		        MR_FMT(host->run_as_user));
}

void mr_doctor_repository(struct mr_doctor *doctor)
{
	struct mailreeve *session = doctor->session;
	const char *url = url_of(session);
	mr_str commit = {0};
	int code;

	if (url && is_reftable(session, url)) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "repository '%s' keeps its references as reftable, which is not read", url);
		mr_doctor_remedy(
		        doctor, "make it anew: git clone --mirror --ref-format=files %s NEW", url);
		return;
	}
	session->fetch_timeout_ms = FETCH_TIMEOUT_MS;
	code = mr_session_open_repo(session);
	if (!code)
		code = mr_repo_fetch(&session->diags, session->repo);
	if (!code)
		code = mr_repo_resolve(
		        &session->diags, session->repo, (mr_str){0}, &session->arena, &commit);
	/* what root fetched stays in the hands of the user who fetches for the agent */
	if (geteuid() == 0)
		(void)mailreeve_share_source(session);
	if (mr_doctor_take(doctor, MR_HEALTH_ERROR) || code)
		return;
	check_user(doctor, url);
	mr_doctor_say(doctor, MR_HEALTH_OK, "branch '%.*s' is at %.*s",
	        MR_FMT(session->host.repository_branch), MR_FMT(mr_str_take(commit, 12)));
}

/* After the fetch: the newest commit is the one that a sync would apply. */
void mr_doctor_signatures(struct mr_doctor *doctor)
{
	struct mailreeve *session = doctor->session;
	mr_str commit = {0};
	int code;

	if (!session->host.signatures_required) {
		mr_doctor_say(doctor, MR_HEALTH_OK, "none is asked for");
		return;
	}
	code = mr_session_check_signers(session);
	if (!code && session->repo)
		code = mr_repo_resolve(
		        &session->diags, session->repo, (mr_str){0}, &session->arena, &commit);
	session->wants_signature = true;
	if (!code && commit.size > 0)
		code = mr_session_check_signature(session, commit);
	if (mr_doctor_take(doctor, MR_HEALTH_ERROR) || code)
		return;
	if (commit.size == 0) {
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED, "there is no commit to look at");
		return;
	}
	mr_doctor_say(doctor, MR_HEALTH_OK, "commit %.*s is signed by one of '%.*s'",
	        MR_FMT(mr_str_take(commit, 12)), MR_FMT(session->host.allowed_signers));
}
