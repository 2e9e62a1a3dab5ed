/*
 * Mail through the Postfix that is managed here: its sendmail(1) takes the message into the queue
 * even while nothing else of it runs.
 */
#include "notify/ways.h"

#include <string.h>

#include "base/buf.h"
#include "base/run.h"
#include "base/text.h"

/* RFC 2047: 75 characters a word, of which the frame takes 12; 45 bytes are 60 of base64. */
enum { WORD_BYTES = 45 };

static bool is_ascii(mr_str s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return false;
	return true;
}

/* A whole number of characters. */
static size_t word_size(mr_str s)
{
	size_t n = s.size > WORD_BYTES ? WORD_BYTES : s.size;

	while (n < s.size && n > 1 && ((unsigned char)s.data[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void add_subject(mr_str subject, struct mr_buf *out)
{
	mr_buf_add_text(out, "Subject: ");
	if (is_ascii(subject)) {
		mr_buf_add_str(out, mr_str_take(subject, 900));
		mr_buf_add_char(out, '\n');
		return;
	}
	for (bool is_first = true; subject.size > 0; is_first = false) {
		size_t n = word_size(subject);

		mr_buf_add_text(out, is_first ? "=?utf-8?B?" : "\n =?utf-8?B?");
		mr_base64_encode(mr_str_take(subject, n), out);
		mr_buf_add_text(out, "?=");
		subject = mr_str_skip(subject, n);
	}
	mr_buf_add_char(out, '\n');
}

/* No character of the host's name gets out of the address. */
static mr_str sender(const struct mr_host *host, struct mr_arena *arena)
{
	if (host->notify_mail_from.size > 0)
		return mr_str_copy(arena, host->notify_mail_from);
	return mr_str_printf(arena, "mailreeve@%.*s", MR_FMT(host->name));
}

static void compose(const struct mr_message *message, mr_str from, struct mr_buf *out)
{
	mr_buf_printf(out, "From: mailreeve <%.*s>\nTo: <%.*s>\n", MR_FMT(from),
	        MR_FMT(message->host->notify_mail));
	add_subject(message->subject, out);
	mr_buf_add_text(out, "Auto-Submitted: auto-generated\n"
	                     "MIME-Version: 1.0\n"
	                     "Content-Type: text/plain; charset=utf-8\n"
	                     "Content-Transfer-Encoding: 8bit\n\n");
	mr_buf_add_str(out, message->body);
}

static int judge(struct mr_diags *diags, const struct mr_run *run)
{
	mr_str words = mr_str_trim(mr_buf_str(&run->err));

	if (run->status == 0)
		return 0;
	return mr_fail(diags, MR_E_FAILED, "cannot notify by mail: sendmail ended with %d: %.*s",
	        run->status, MR_FMT(mr_str_take(words, 200)));
}

int mr_send_mail(struct mr_diags *diags, const struct mr_message *message)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_host *host = message->host;
	mr_str from = sender(host, &arena);
	struct mr_buf text = MR_BUF_INIT;
	const char *directory = mr_str_copy(&arena, host->postfix.config_directory).data;
	bool is_other = host->postfix.is_managed && strcmp(directory, "/etc/postfix") != 0;
	const char *argv[] = {"sendmail", "-i", "-f", from.data, is_other ? "-C" : "--",
	        is_other ? directory : NULL, is_other ? "--" : NULL, NULL, NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = message->timeout_ms};
	int code;

	argv[is_other ? 7 : 5] = mr_str_copy(&arena, host->notify_mail).data;
	compose(message, from, &text);
	run.input = mr_buf_str(&text);
	code = mr_run(diags, &run);
	if (!code)
		code = judge(diags, &run);
	mr_run_done(&run);
	mr_buf_done(&text);
	return code;
}
