/*
 * SMTP as a client: one command, one answer, never more than asked for.
 */
#include "apply/smtp.h"

#include <stdio.h>
#include <string.h>

#include "apply/said.h"
#include "base/buf.h"

enum { MAX_LINES = 100 };

int mr_smtp_parse(mr_str line, int *out_code, bool *out_is_last, mr_str *out_text)
{
	int code = 0;

	if (line.size < 3 || (line.size > 3 && line.data[3] != ' ' && line.data[3] != '-'))
		return MR_E_INVALID;
	for (size_t i = 0; i < 3; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return MR_E_INVALID;
		code = code * 10 + (line.data[i] - '0');
	}
	if (code < 200 || code > 599)
		return MR_E_INVALID;
	*out_code = code;
	*out_is_last = line.size == 3 || line.data[3] == ' ';
	*out_text = mr_str_skip(line, 4);
	return 0;
}

bool mr_smtp_can_carry(mr_str address)
{
	for (size_t i = 0; i < address.size; i++) {
		unsigned char c = (unsigned char)address.data[i];
		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>')
			return false;
	}
	return address.size > 0 && address.size <= 320;
}

static int broken(struct mr_smtp *smtp, int code)
{
	(void)snprintf(smtp->text, sizeof smtp->text, "%s", smtp->wire.why);
	return code;
}

/* The code of the whole answer, or <0. */
static int answer(struct mr_smtp *smtp)
{
	mr_str line, text;
	bool is_last = false;
	int code = 0;

	for (int n = 0; !is_last; n++) {
		int failed = mr_wire_line(&smtp->wire, &line);
		if (failed)
			return broken(smtp, failed);
		mr_wire_keep_text(line, smtp->text, sizeof smtp->text);
		if (n >= MAX_LINES || mr_smtp_parse(line, &code, &is_last, &text))
			return MR_E_INVALID;
		if (mr_str_starts(text, MR_STR("XCLIENT")))
			smtp->has_xclient = true;
	}
	return code;
}

static int command(struct mr_smtp *smtp, const char *verb, mr_str argument, const char *end)
{
	struct mr_buf line = MR_BUF_INIT;

	mr_buf_printf(&line, "%s%.*s%s\r\n", verb, MR_FMT(argument), end);
	int failed = mr_wire_send(&smtp->wire, mr_buf_str(&line));
	mr_buf_done(&line);
	return failed ? broken(smtp, failed) : answer(smtp);
}

static int expect(int code, int class)
{
	return code < 0 ? code : code / 100 == class ? 0 : MR_E_FAILED;
}

int mr_smtp_open(struct mr_smtp *smtp, mr_str address, mr_str hello, int64_t timeout_ms)
{
	smtp->n_asked = 0;
	smtp->has_xclient = false;
	smtp->text[0] = '\0';
	int code = mr_wire_open(&smtp->wire, address, timeout_ms);
	if (code)
		return broken(smtp, code);
	code = expect(answer(smtp), 2);
	if (!code)
		code = expect(command(smtp, "EHLO ", hello, ""), 2);
	if (code)
		mr_wire_close(&smtp->wire);
	return code;
}

void mr_smtp_close(struct mr_smtp *smtp)
{
	if (smtp->wire.fd >= 0)
		mr_said_enough(mr_wire_send(&smtp->wire, MR_STR("QUIT\r\n"))); /* only polite */
	mr_wire_close(&smtp->wire);
}

int mr_smtp_ask(struct mr_smtp *smtp, mr_str recipient)
{
	if (!mr_smtp_can_carry(recipient))
		return MR_E_INVALID;
	smtp->n_asked++;
	int code = command(smtp, "MAIL FROM:<>", (mr_str){0}, "");
	if (code / 100 == 2)
		code = command(smtp, "RCPT TO:<", recipient, ">");
	if (code < 0)
		return code;
	char text[MR_SMTP_TEXT];
	memcpy(text, smtp->text, sizeof text);
	int reset = command(smtp, "RSET", (mr_str){0}, "");
	memcpy(smtp->text, text, sizeof text);
	return reset < 0 && code != 421 ? reset : code;
}

int mr_smtp_become(struct mr_smtp *smtp, mr_str client, mr_str hello)
{
	int code = expect(command(smtp, "XCLIENT NAME=[UNAVAILABLE] ADDR=", client, ""), 2);

	return code ? code : expect(command(smtp, "EHLO ", hello, ""), 2);
}

int mr_smtp_send(struct mr_smtp *smtp, mr_str recipient, mr_str text)
{
	if (!mr_smtp_can_carry(recipient))
		return MR_E_INVALID;
	int code = expect(command(smtp, "MAIL FROM:<>", (mr_str){0}, ""), 2);

	if (!code)
		code = expect(command(smtp, "RCPT TO:<", recipient, ">"), 2);
	if (!code)
		code = expect(command(smtp, "DATA", (mr_str){0}, ""), 3);
	if (code)
		return code;
	return expect(command(smtp, "", text, "."), 2);
}
