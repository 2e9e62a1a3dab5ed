/*
 * Speaking to the twin: every listener greets, known users are taken, unknown ones refused, and no
 * stranger may relay; then its log is read.
 */
#include "base/clock.h"
#include "base/wait.h"
#include "postfix/checks.h"
#include "postfix/smtp.h"
#include "postfix/twin.h"

#include <stdio.h>
#include <string.h>

#define GREETING_MS     6000
#define POSTSCREEN_MS   12000
#define PATIENCE_MS     20000
#define DIALOGUE_MS     20000
#define LOG_LIMIT_BYTES ((size_t)8 << 20)
#define LOG_QUIET_MS    250
#define NOBODY          "mailreeve-no-such-user-4c1f"
#define STRANGER        "192.0.2.77"
#define FOREIGN         "someone@mailreeve-foreign.example"

struct probe {
	struct mr_postfix_twin *twin;
	struct mr_postfix_complaints *out;
	mr_str known;   /* a user of the staged tables; empty: none */
	mr_str unknown; /* nobody of a domain without catch-all; empty: none */
};

static const char *address_of(const struct mr_postfix_twin *twin)
{
	return twin->is_six ? "::1" : "127.0.0.1";
}

static void complain(struct probe *probe, const struct mr_postfix_listener *listener,
        const char *what, mr_str reply)
{
	mr_str line = mr_str_printf(&probe->twin->backend->arena, "service '%.*s' %s: %.*s",
	        MR_FMT(listener->service->name), what, MR_FMT(reply));

	mr_postfix_complaints_add(probe->out, line);
}

static bool has(mr_str text, const char *part)
{
	mr_str wanted = mr_str_from(part);

	for (size_t i = 0; i + wanted.size <= text.size; i++)
		if (mr_str_starts(mr_str_skip(text, i), wanted))
			return true;
	return false;
}

/* The service itself is broken, whoever asks. */
static bool is_broken(int code, mr_str reply)
{
	return code < 0 || code == 421 || has(reply, " 4.3.0 ") || has(reply, " 4.3.5 ");
}

static int ask_recipient(struct probe *probe, const struct mr_postfix_listener *listener,
        struct mr_postfix_smtp *smtp, const char *address)
{
	int code = mr_postfix_smtp_command(smtp, "RCPT TO:<%s>", address);

	if (is_broken(code, mr_buf_str(&smtp->reply)))
		complain(probe, listener, "fails at RCPT", mr_buf_str(&smtp->reply));
	return code;
}

/* "Nov 22 13:35:47 mx mailreeve-twin/smtpd[122]: warning: …" without what comes before the
 * program's name. */
static mr_str message_of(mr_str line)
{
	mr_str name = MR_STR("mailreeve-twin/");

	for (size_t i = 0; i + name.size <= line.size; i++)
		if (mr_str_starts(mr_str_skip(line, i), name))
			return mr_str_skip(line, i + name.size);
	return line;
}

/* "bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting …": Postfix helps
 * itself. */
static bool is_harmless(mr_str line)
{
	return has(line, " - adjusting ");
}

static void read_log(const struct probe *probe, struct mr_postfix_complaints *out)
{
	static const char *const bad[] = {": fatal: ", ": panic: ", ": error: ", ": warning: "};
	struct mr_backend *backend = probe->twin->backend;
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest;

	if (!mr_file_read(backend->diags,
	            mr_postfix_path(backend, "%s/mail.log", probe->twin->directory),
	            LOG_LIMIT_BYTES, &text)) {
		rest = mr_buf_str(&text);
		while (rest.size) {
			mr_str line = mr_str_split(&rest, '\n');

			for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
				if (has(line, bad[i]) && !is_harmless(line))
					mr_postfix_complaints_add(out, message_of(line));
		}
	}
	mr_buf_done(&text);
}

static bool has_complained(const struct probe *probe)
{
	struct mr_postfix_complaints found = {0};
	bool has_any;

	read_log(probe, &found);
	has_any = found.lines.n > 0;
	mr_postfix_complaints_done(&found);
	return has_any;
}

/* A service that died of what is staged says so in the log; one that says nothing is slow: on a
 * busy machine, or because it was told to let clients wait. */
static int open_patiently(const struct probe *probe, const struct mr_postfix_listener *listener,
        struct mr_postfix_smtp *smtp)
{
	bool is_postscreen = mr_str_is(listener->service->command, "postscreen");
	int code = mr_postfix_smtp_open(smtp, address_of(probe->twin), listener->port,
	        is_postscreen ? POSTSCREEN_MS : GREETING_MS);

	if (code == MR_E_TIMEOUT && !has_complained(probe))
		code = mr_postfix_smtp_await_greeting(smtp, PATIENCE_MS);
	return code;
}

/* Up to MAIL FROM; false when the dialogue is over. */
static bool begin(struct probe *probe, const struct mr_postfix_listener *listener,
        struct mr_postfix_smtp *smtp, bool is_stranger)
{
	int code = open_patiently(probe, listener, smtp);

	if (code != 220) {
		complain(probe, listener, "does not greet", mr_buf_str(&smtp->reply));
		return false;
	}
	smtp->deadline_ms = mr_clock_ms() + DIALOGUE_MS;
	if (is_stranger && (mr_postfix_smtp_command(smtp, "EHLO localhost") != 250 ||
	                           mr_postfix_smtp_command(smtp, "XCLIENT ADDR=" STRANGER
	                                                         " NAME=[UNAVAILABLE]") != 220)) {
		complain(probe, listener, "takes no XCLIENT", mr_buf_str(&smtp->reply));
		return false;
	}
	code = mr_postfix_smtp_command(smtp, "EHLO localhost");
	if (code == 250)
		code = mr_postfix_smtp_command(smtp, "MAIL FROM:<>");
	if (is_broken(code, mr_buf_str(&smtp->reply)))
		complain(probe, listener, "fails at MAIL", mr_buf_str(&smtp->reply));
	return code == 250;
}

/* smtpd_tls_wrappermode: nothing is said before the handshake. */
static bool is_wrapped(const struct mr_postfix_listener *listener)
{
	return has(listener->service->arguments, "smtpd_tls_wrappermode=yes");
}

static bool is_public(const struct mr_postfix_listener *listener)
{
	mr_str name = listener->service->name;

	return mr_str_is(name, "smtp") || mr_str_is(name, "25") ||
	       mr_str_ends(name, MR_STR(":25")) || mr_str_ends(name, MR_STR(":smtp"));
}

/* false when the listener does not even greet. */
static bool ask_inside(struct probe *probe, const struct mr_postfix_listener *listener)
{
	struct mr_postfix_smtp smtp;
	bool has_greeted;
	int code;

	if (begin(probe, listener, &smtp, false)) {
		if (probe->known.size) {
			code = ask_recipient(probe, listener, &smtp, probe->known.data);
			if (code >= 500 && is_public(listener))
				complain(probe, listener, "refuses a known user",
				        mr_buf_str(&smtp.reply));
		}
		if (probe->unknown.size) {
			code = ask_recipient(probe, listener, &smtp, probe->unknown.data);
			if (code / 100 == 2)
				complain(probe, listener, "accepts an unknown user",
				        mr_buf_str(&smtp.reply));
		}
		(void)ask_recipient(
		        probe, listener, &smtp, FOREIGN); /* inside clients may relay or not */
	}
	has_greeted = smtp.has_greeted;
	mr_postfix_smtp_close(&smtp);
	return has_greeted;
}

static void ask_outside(struct probe *probe, const struct mr_postfix_listener *listener)
{
	struct mr_postfix_smtp smtp;

	if (begin(probe, listener, &smtp, true) &&
	        ask_recipient(probe, listener, &smtp, FOREIGN) / 100 == 2)
		mr_postfix_complaints_add(probe->out, mr_str_printf(&probe->twin->backend->arena,
		                                              MR_OPEN_RELAY " (service '%.*s')",
		                                              MR_FMT(listener->service->name)));
	mr_postfix_smtp_close(&smtp);
}

/* A known user from the staged tables, and nobody in the same domain unless a catch-all takes it.
 */
static void choose_recipients(struct probe *probe, mr_str generation)
{
	struct mr_backend *backend = probe->twin->backend;
	const struct mr_postfix_table *users =
	        mr_postfix_find_table(backend, mr_wirings[MR_WIRED_MAILBOX_MAPS].name);
	struct mr_cursor rows;
	struct mr_item row;
	mr_str domain;

	if (!generation.size || !users || !users->is_desired ||
	        mr_table_open(backend->diags,
	                mr_table_path(
	                        &backend->arena, generation, users->name, backend->keyed_kind),
	                backend->keyed_kind, &rows))
		return;
	if (mr_cursor_next(&rows, &row) > 0) {
		const struct mr_domain_fact *fact;

		probe->known = mr_str_copy(&backend->arena, row.key);
		domain = mr_str_skip(probe->known, mr_str_rfind(probe->known, '@') + 1);
		fact = mr_postfix_find_domain(backend, domain);
		if (fact && !fact->has_catch_all)
			probe->unknown =
			        mr_str_printf(&backend->arena, NOBODY "@%.*s", MR_FMT(domain));
	}
	mr_cursor_close(&rows);
}

int mr_postfix_run_twin(struct mr_backend *backend, const struct mr_postfix_trial *trial,
        struct mr_postfix_complaints *out)
{
	struct mr_postfix_twin twin;
	struct probe probe = {.twin = &twin, .out = out};
	int code, cleared;

	mr_postfix_init_twin(backend, &twin);
	code = mr_postfix_start_twin(&twin, trial->main_text, out);
	if (!code && twin.is_started)
		choose_recipients(&probe, trial->generation);
	for (size_t i = 0; i < twin.listeners.n && !code && twin.is_started; i++) {
		const struct mr_postfix_listener *listener = &twin.listeners.items[i];

		if (is_wrapped(listener))
			continue;
		if (ask_inside(&probe, listener) && mr_str_is(listener->service->command, "smtpd"))
			ask_outside(&probe, listener);
	}
	if (!code && twin.is_checked) {
		mr_wait_ms(LOG_QUIET_MS); /* qmgr and others say why they end a little later */
		read_log(&probe, out);
	}
	cleared = mr_postfix_clear_twin(&twin);
	return code ? code : cleared;
}
