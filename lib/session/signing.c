/*
 * Which signatures are asked for, and whether the file that decides over them can be relied on.
 */
#include "session/signing.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_required(const struct mailreeve *session)
{
	return session->has_host && session->host.signatures_required;
}

bool mr_session_is_wary(const struct mailreeve *session)
{
	return is_required(session) && !session->is_unprivileged;
}

int mr_session_check_signers(struct mailreeve *session)
{
	const char *path = mr_session_text_or_null(session, session->host.allowed_signers);
	struct stat status;

	if (stat(path, &status) < 0)
		return mr_fail(&session->diags, MR_E_CONFIG,
		        "signatures: cannot read '%s': %s (hint: one line a signer: NAME "
		        "namespaces=\"git\" KEY)",
		        path, strerror(errno));
	if (status.st_mode & 0022 || (status.st_uid != 0 && status.st_uid != geteuid()))
		return mr_fail(&session->diags, MR_E_CONFIG,
		        "signatures: '%s' decides whose changes are applied, and others may write "
		        "to it (hint: chown root: %s; chmod go-w %s)",
		        path, path, path);
	return 0;
}

int mr_session_check_signature(struct mailreeve *session, mr_str commit)
{
	struct mr_signers signers = {0};
	mr_str signer = {0};
	int code;

	if (!is_required(session) || !session->wants_signature)
		return 0;
	code = mr_session_check_signers(session);
	signers.allowed = mr_session_text_or_null(session, session->host.allowed_signers);
	signers.folder = mr_session_text_or_null(session, session->host.state_directory);
	if (!code)
		code = mr_repo_verify(
		        &session->diags, session->repo, commit, &signers, &session->arena, &signer);
	if (!code && session->options.is_verbose)
		mr_diags_at(&session->diags, MR_NOTE, "MR-SIGNED", NULL,
		        "commit %.12s is signed by '%.*s'", commit.data, MR_FMT(signer));
	return code;
}

int mr_session_check_folder(struct mailreeve *session)
{
	if (!is_required(session) || !session->wants_signature)
		return 0;
	return mr_fail(&session->diags, MR_E_DENIED,
	        "signatures are required, and a folder carries none (hint: commit, sign and push "
	        "it)");
}
