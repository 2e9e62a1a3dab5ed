/*
 * Checks of doctor: whether the repository can be fetched, and its branch read.
 */
#include "session/doctor.h"

#include <unistd.h>

#define FETCH_TIMEOUT_MS 60000

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
	mr_doctor_say(doctor, MR_HEALTH_OK, "branch '%.*s' is at %.*s",
	        MR_FMT(session->host.repository_branch), MR_FMT(mr_str_take(commit, 12)));
}
