/*
 * A message that goes the whole way: SMTP, delivery, IMAP.
 */
#include "apply/travel.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "apply/imap.h"
#include "apply/said.h"
#include "apply/smtp.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/wait.h"

enum { POLL_MS = 100, PASSWORD_LIMIT = 4096 };

void mr_travel_token(char token[40])
{
	uint64_t bits = 0;

	if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
		bits = (uint64_t)mr_clock_ms(); /* unique is enough */
	(void)snprintf(token, 40, "mailreeve-probe-%016llx", (unsigned long long)bits);
}

static bool log_in(const struct mr_host *host, struct mr_imap *imap)
{
	struct mr_buf password = MR_BUF_INIT;
	struct mr_diags ignored MR_DONE(diags);
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const char *path = mr_str_copy(&arena, host->probe_password_file).data;

	mr_diags_init(&ignored);
	int code = mr_file_read(&ignored, path, PASSWORD_LIMIT, &password);
	if (code)
		(void)snprintf(imap->text, sizeof imap->text, "cannot read probes.password_file");
	else
		code = mr_imap_login(imap, host->probe_mailbox, mr_str_trim(mr_buf_str(&password)));
	mr_buf_done_secret(&password);
	return code == 0;
}

static bool send_message(
        const struct mr_host *host, const char *token, int64_t timeout_ms, char text[200])
{
	struct mr_buf message = MR_BUF_INIT, date = MR_BUF_INIT;
	struct mr_smtp smtp;
	const mr_str hello = host->name.size ? host->name : MR_STR("localhost");

	mr_time_format(time(NULL), &date);
	mr_buf_printf(&message,
	        "From: mailreeve <%.*s>\r\nTo: <%.*s>\r\nSubject: %s\r\nMessage-ID: <%s@%.*s>\r\n"
	        "Auto-Submitted: auto-generated\r\n\r\nSent %.*s to see whether mail arrives; "
	        "removed at once.\r\n",
	        MR_FMT(host->probe_mailbox), MR_FMT(host->probe_mailbox), token, token,
	        MR_FMT(hello), MR_FMT(mr_buf_str(&date)));
	int code = mr_smtp_open(&smtp, host->probe_smtp, hello, timeout_ms);
	if (!code)
		code = mr_smtp_send(&smtp, host->probe_mailbox, mr_buf_str(&message));
	(void)snprintf(text, 200, "%.199s", smtp.text);
	mr_smtp_close(&smtp);
	mr_buf_done(&message);
	mr_buf_done(&date);
	return code == 0;
}

static bool arrives(struct mr_imap *imap, const char *token)
{
	/* A search in a selected mailbox also tells the client of new mail (RFC 3501, 7.3.1) only
	 * after a command. */
	while (mr_imap_find(imap, mr_str_from(token)) == 0) {
		if (imap->n_found > 0)
			return true;
		mr_wait_ms(POLL_MS); /* the wire's deadline ends the loop */
	}
	if (!imap->text[0])
		(void)snprintf(imap->text, sizeof imap->text, "it was not there in time");
	return false;
}

static enum mr_travel travel_on(
        const struct mr_host *host, struct mr_imap *imap, int64_t timeout_ms, char text[200])
{
	char token[40];

	if (!host->probe_mailbox.size || !host->probe_password_file.size)
		return MR_TRAVEL_ARRIVED;
	if (!log_in(host, imap))
		return MR_TRAVEL_NO_LOGIN;
	if (!host->probe_smtp.size)
		return MR_TRAVEL_ARRIVED;
	mr_travel_token(token);
	if (!send_message(host, token, timeout_ms, text))
		return MR_TRAVEL_NOT_SENT;
	if (!arrives(imap, token))
		return MR_TRAVEL_NOT_ARRIVED;
	mr_said_enough(mr_imap_remove(imap)); /* a message left over harms nobody */
	return MR_TRAVEL_ARRIVED;
}

enum mr_travel mr_travel(const struct mr_host *host, int64_t timeout_ms, char text[200])
{
	struct mr_imap imap;
	enum mr_travel seen = MR_TRAVEL_NO_GREETING;

	text[0] = '\0';
	if (!host->probe_imap.size)
		return MR_TRAVEL_NOT_ASKED;
	if (mr_imap_open(&imap, host->probe_imap, timeout_ms) == 0)
		seen = travel_on(host, &imap, timeout_ms, text);
	if (!text[0] || seen == MR_TRAVEL_NOT_ARRIVED)
		(void)snprintf(text, 200, "%.199s", imap.text);
	mr_imap_close(&imap);
	return seen;
}
