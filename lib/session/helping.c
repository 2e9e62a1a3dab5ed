/*
 * The verbs that need no desired state: schema, hash-password, init.
 */
#include <string.h>
#include <sys/stat.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/run.h"
#include "model/schema.h"
#include "session/host.h"
#include "session/session.h"

int mailreeve_schema(struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;

	mr_model_write_schema(&text);
	mr_session_give(&text, out);
	return MAILREEVE_OK;
}

/* doveadm reads the password twice from standard input, so it is in no argument list. */
static int run_doveadm(
        struct mailreeve *session, const char *scheme, const char *password, struct mr_buf *out)
{
	const char *const argv[] = {"doveadm", "pw", "-s", scheme, NULL};
	struct mr_buf input = MR_BUF_INIT;
	struct mr_run run = {.argv = argv};
	int code;

	mr_buf_printf(&input, "%s\n%s\n", password, password);
	run.input = mr_buf_str(&input);
	code = mr_run(&session->diags, &run);
	mr_buf_done_secret(&input);
	if (!code && run.status != 0)
		code = mr_fail(&session->diags, MR_E_USAGE,
		        "doveadm cannot hash by scheme '%s' (hint: 'doveadm pw -l' lists them)",
		        scheme);
	if (!code)
		mr_buf_add_str(out, mr_str_trim(mr_buf_str(&run.out)));
	mr_run_done(&run);
	return code;
}

int mailreeve_hash_password(struct mailreeve *session, const char *scheme, const char *password,
        struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	int code = 0;

	if (password[0] == '\0' || strchr(password, '\n'))
		code = mr_fail(&session->diags, MR_E_USAGE,
		        "the password is empty or has a line break in it");
	if (!code)
		code = run_doveadm(session, scheme ? scheme : "ARGON2ID", password, &text);
	mr_buf_add_char(&text, '\n');
	mr_session_give(&text, out);
	return mr_error_status(code);
}

static const char root_file[] =
        "# The desired state of this mail host. 'mailreeve validate' checks it, 'mailreeve plan' "
        "compares it with the\n"
        "# live servers, 'mailreeve apply' carries it out. Any file *.yaml may hold any section "
        "but these two.\n"
        "mailreeve: 1\n"
        "\n"
        "policy:\n"
        "  # Rails: a change that closes more than this is refused until somebody allows it by "
        "name.\n"
        "  max_change: {users.close: \"5 or 10%\"}\n"
        "\n"
        "accounts:\n"
        "  store: files                # Postfix tables and a Dovecot passwd-file\n"
        "  mail_home: /var/vmail/%d/%n # %d domain, %n local part\n"
        "  mail_path: maildir:~/Maildir\n"
        "  owner: vmail:vmail          # user and group that own the mail\n"
        "  delivery: lmtp:unix:private/dovecot-lmtp\n"
        "\n"
        "defaults:\n"
        "  user: {quota: 2G, services: [imap, submission]}\n";

static const char domain_file[] =
        "# One domain a file keeps reviews small; names of files mean nothing.\n"
        "domains:\n"
        "  example.org:\n"
        "    users:\n"
        "      alice:\n"
        "        name: Alice Liddell\n"
        "        # made by 'mailreeve hash-password'; or {secret: alice}, a file of the host's "
        "secrets directory\n"
        "        password: {secret: alice}\n"
        "    aliases:\n"
        "      postmaster: [alice]       # every domain that takes mail has one\n";

struct skeleton_file {
	const char *name;
	const char *text; /* NULL: the template of agent.yaml */
};

/* agent.yaml belongs on the host and not in the repository: its name ends so that no repository
 * reads it. */
static const struct skeleton_file skeleton[] = {
        {"mailreeve.yaml", root_file},
        {"domains/example.org.yaml", domain_file},
        {"agent.yaml.example", NULL},
};

enum { N_SKELETON = sizeof skeleton / sizeof skeleton[0] };

static int write_skeleton_file(
        struct mailreeve *session, const char *directory, const struct skeleton_file *file)
{
	const char *path = mr_str_printf(&session->arena, "%s/%s", directory, file->name).data;
	const char *folder = mr_str_printf(&session->arena, "%s/domains", directory).data;
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_dir_make(&session->diags, folder, 0755);

	if (file->text)
		mr_buf_add_text(&text, file->text);
	else
		mr_host_write_template(&text);
	if (!code)
		code = mr_file_replace(&session->diags, path, mr_buf_str(&text), NULL);
	mr_buf_done(&text);
	return code;
}

int mailreeve_init(struct mailreeve *session, const char *directory, struct mailreeve_text *out)
{
	struct mr_buf text = MR_BUF_INIT;
	struct stat status;
	int code = 0;

	for (size_t i = 0; i < N_SKELETON; i++) {
		const char *path =
		        mr_str_printf(&session->arena, "%s/%s", directory, skeleton[i].name).data;

		if (lstat(path, &status) == 0)
			code = mr_fail(&session->diags, MR_E_USAGE,
			        "'%s' is there already: nothing was written", path);
	}
	for (size_t i = 0; i < N_SKELETON && !code; i++) {
		code = write_skeleton_file(session, directory, &skeleton[i]);
		if (!code)
			mr_buf_printf(&text, "wrote %s/%s\n", directory, skeleton[i].name);
	}
	if (!code)
		mr_buf_printf(&text,
		        "Next: mailreeve validate %s; put agent.yaml.example to "
		        "/etc/mailreeve/agent.yaml.\n",
		        directory);
	mr_session_give(&text, out);
	return mr_error_status(code);
}

/* What is live stands: an undo that somebody's edit stopped is not tried again. */
static int accept_live(struct mailreeve *session, struct mr_buf *text)
{
	bool is_open = false;
	int code = mr_session_open_state(session, true, "trust");

	if (!code)
		code = mr_apply_is_open(session->state, &is_open);
	if (code || !is_open)
		return code;
	code = mr_session_open_servers(session);
	if (!code)
		code = mr_recover_accept(&session->diags, &session->host, session->state,
		        session->servers, session->n_servers, mr_session_who(session));
	if (!code)
		mr_buf_add_text(text,
		        "The apply that could not be undone is closed: what is live stands.\n");
	return code;
}

int mailreeve_trust(struct mailreeve *session, struct mailreeve_text *out)
{
	struct mr_state_options options = {.is_writer = true,
	        .lock_timeout_ms = session->options.lock_timeout_ms,
	        .purpose = "trust"};
	struct mr_buf text = MR_BUF_INIT;
	int code;

	options.directory = mr_session_text_or_null(session, session->host.state_directory);
	code = mr_state_trust(&session->diags, &options);
	if (!code)
		mr_buf_printf(&text,
		        "The state in %s is trusted again. Look at 'mailreeve plan' before "
		        "anything is applied.\n",
		        options.directory);
	if (!code)
		code = accept_live(session, &text);
	mr_session_give(&text, out);
	return mr_error_status(code);
}
