/*
 * IMAP as a client: one command at a time, answers read up to the tagged line.
 */
#include "apply/imap.h"

#include <stdio.h>

#include "apply/said.h"
#include "base/buf.h"
#include "base/text.h"

enum { MAX_LINES = 10000 };

bool mr_imap_parse_search(mr_str line, uint32_t *out_n, uint32_t *out_last)
{
	const mr_str head = MR_STR("* SEARCH");
	uint64_t number = 0;
	uint32_t n = 0;

	if (!mr_str_starts(line, head) || (line.size > head.size && line.data[head.size] != ' '))
		return false;
	mr_str rest = mr_str_trim(mr_str_skip(line, head.size));
	while (rest.size > 0) {
		if (mr_number_parse(mr_str_split(&rest, ' '), UINT32_MAX, &number))
			return false;
		n++;
	}
	*out_n = n;
	*out_last = (uint32_t)number;
	return true;
}

bool mr_imap_quote(mr_str text, struct mr_buf *out)
{
	mr_buf_add_char(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < ' ' || c >= 0x7f)
			return false;
		if (c == '"' || c == '\\')
			mr_buf_add_char(out, '\\');
		mr_buf_add_char(out, text.data[i]);
	}
	mr_buf_add_char(out, '"');
	return true;
}

static int broken(struct mr_imap *imap, int code)
{
	(void)snprintf(imap->text, sizeof imap->text, "%s", imap->wire.why);
	return code;
}

static void take_untagged(struct mr_imap *imap, mr_str line)
{
	uint32_t n, last;

	if (mr_imap_parse_search(line, &n, &last)) {
		imap->n_found = n;
		imap->uid = last;
	}
	if (mr_str_starts(line, MR_STR("* CAPABILITY "))) {
		while (line.size > 0)
			imap->has_uidplus =
			        mr_str_is(mr_str_split(&line, ' '), "UIDPLUS") || imap->has_uidplus;
	}
}

/* 0 for OK, MR_E_DENIED for NO and BAD. */
static int answer(struct mr_imap *imap)
{
	char tag[16];
	mr_str line;

	int size = snprintf(tag, sizeof tag, "m%u ", imap->n_sent);
	for (int n = 0; n < MAX_LINES; n++) {
		int code = mr_wire_line(&imap->wire, &line);
		if (code)
			return broken(imap, code);
		if (!mr_str_starts(line, (mr_str){tag, (size_t)size})) {
			take_untagged(imap, line);
			continue;
		}
		line = mr_str_skip(line, (size_t)size);
		mr_wire_keep_text(line, imap->text, sizeof imap->text);
		return mr_str_starts(line, MR_STR("OK")) ? 0 : MR_E_DENIED;
	}
	return MR_E_INVALID;
}

/* Sends "TAG BODY" and wipes it: it may hold a password. */
static int command(struct mr_imap *imap, mr_str body)
{
	struct mr_buf line = MR_BUF_INIT;

	mr_buf_printf(&line, "m%u %.*s\r\n", ++imap->n_sent, MR_FMT(body));
	int code = mr_wire_send(&imap->wire, mr_buf_str(&line));
	mr_buf_done_secret(&line);
	return code ? broken(imap, code) : answer(imap);
}

int mr_imap_open(struct mr_imap *imap, mr_str address, int64_t timeout_ms)
{
	mr_str line;

	imap->n_sent = 0;
	imap->has_uidplus = false;
	imap->text[0] = '\0';
	int code = mr_wire_open(&imap->wire, address, timeout_ms);
	if (!code)
		code = mr_wire_line(&imap->wire, &line);
	if (code) {
		mr_wire_close(&imap->wire);
		return broken(imap, code);
	}
	mr_wire_keep_text(line, imap->text, sizeof imap->text);
	if (mr_str_starts(line, MR_STR("* OK")))
		return 0;
	mr_wire_close(&imap->wire);
	return MR_E_FAILED;
}

void mr_imap_close(struct mr_imap *imap)
{
	if (imap->wire.fd >= 0)
		mr_said_enough(mr_wire_send(
		        &imap->wire, MR_STR("z LOGOUT\r\n"))); /* the answer is not awaited */
	mr_wire_close(&imap->wire);
}

int mr_imap_login(struct mr_imap *imap, mr_str user, mr_str password)
{
	struct mr_buf body = MR_BUF_INIT;
	int code = MR_E_INVALID;

	mr_buf_add_text(&body, "LOGIN ");
	bool is_fine = mr_imap_quote(user, &body);
	mr_buf_add_char(&body, ' ');
	if (is_fine && mr_imap_quote(password, &body))
		code = command(imap, mr_buf_str(&body));
	else
		(void)snprintf(imap->text, sizeof imap->text, "the password is not plain ASCII");
	mr_buf_done_secret(&body);
	if (!code)
		code = command(imap, MR_STR("CAPABILITY"));
	return code ? code : command(imap, MR_STR("SELECT INBOX"));
}

int mr_imap_find(struct mr_imap *imap, mr_str subject)
{
	struct mr_buf body = MR_BUF_INIT;

	imap->n_found = 0;
	mr_buf_printf(&body, "UID SEARCH HEADER Subject \"%.*s\"", MR_FMT(subject));
	int code = command(imap, mr_buf_str(&body));
	mr_buf_done(&body);
	return code;
}

int mr_imap_remove(struct mr_imap *imap)
{
	struct mr_buf body = MR_BUF_INIT;

	mr_buf_printf(&body, "UID STORE %u +FLAGS.SILENT (\\Deleted)", imap->uid);
	int code = command(imap, mr_buf_str(&body));
	mr_buf_clear(&body);
	if (imap->has_uidplus)
		mr_buf_printf(&body, "UID EXPUNGE %u", imap->uid);
	else
		mr_buf_add_text(&body, "EXPUNGE");
	if (!code)
		code = command(imap, mr_buf_str(&body));
	mr_buf_done(&body);
	return code;
}
