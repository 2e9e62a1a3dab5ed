/*
 * The table of ways out, what of agent.yaml they need, and sending one notice by one of them.
 */
#include "notify/notify.h"

#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "notify/template.h"
#include "notify/ways.h"

static const struct {
	const char *name; /* as its key in agent.yaml */
	size_t target;
	enum mr_template_escape escape;
	int (*send)(struct mr_diags *diags, const struct mr_message *message);
} ways[MR_WAY_COUNT] = {
        [MR_WAY_MAIL] = {"mail", offsetof(struct mr_host, notify_mail), MR_ESCAPE_LINES,
                mr_send_mail},
        [MR_WAY_COMMAND] = {"command", offsetof(struct mr_host, notify_command), MR_ESCAPE_JSON,
                mr_send_command},
        [MR_WAY_WEBHOOK] = {"webhook", offsetof(struct mr_host, notify_webhook), MR_ESCAPE_JSON,
                mr_send_webhook},
};

const char *mr_way_name(enum mr_way way)
{
	return ways[way].name;
}

bool mr_way_is_wanted(const struct mr_host *host, enum mr_way way)
{
	const char *start = (const char *)host + ways[way].target;

	return ((const mr_str *)(const void *)start)->size > 0;
}

/* Enough that nothing can be put into a header or an option; Postfix judges the rest. */
static bool is_address(mr_str address)
{
	size_t at = mr_str_rfind(address, '@');

	for (size_t i = 0; i < address.size; i++)
		if ((unsigned char)address.data[i] <= ' ' || address.data[i] == 0x7f ||
		        address.data[i] == '<' || address.data[i] == '>' || address.data[i] == ',')
			return false;
	return at > 0 && at + 1 < address.size && address.data[0] != '-';
}

static void check_values(struct mr_diags *diags, const struct mr_host *host)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct stat status;

	if (host->notify_mail.size > 0 && !is_address(host->notify_mail))
		(void)mr_fail(diags, MR_E_CONFIG, "notify: mail: '%.*s' is no address",
		        MR_FMT(host->notify_mail));
	if (host->notify_mail_from.size > 0 && !is_address(host->notify_mail_from))
		(void)mr_fail(diags, MR_E_CONFIG, "notify: mail_from: '%.*s' is no address",
		        MR_FMT(host->notify_mail_from));
	/* a receiver's URL may hold a token: it is not shown */
	if (host->notify_webhook.size > 0 && !mr_webhook_is_url(host->notify_webhook))
		(void)mr_fail(diags, MR_E_CONFIG,
		        "notify: webhook: what is given is no https:// URL without a password "
		        "(hint: http:// is taken for 127.0.0.1 and [::1] alone)");
	if (host->notify_templates.size > 0 &&
	        (stat(mr_str_copy(&arena, host->notify_templates).data, &status) < 0 ||
	                !S_ISDIR(status.st_mode)))
		(void)mr_fail(diags, MR_E_CONFIG, "notify: templates: '%.*s' is no folder",
		        MR_FMT(host->notify_templates));
}

static void check_template(struct mr_diags *diags, const struct mr_host *host, enum mr_way way)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	mr_str path = mr_str_printf(
	        &arena, "%.*s/%s", MR_FMT(host->notify_templates), mr_template_file_name(way));
	mr_str text, subject, body;

	if (mr_template_load(diags, host, way, &arena, &text) ||
	        mr_template_check(diags, path, text))
		return;
	if (way == MR_WAY_MAIL && !mr_template_split_mail(text, &subject, &body)) {
		const struct mr_loc loc = {.path = path, .line = 1, .column = 1};

		mr_diags_at(diags, MR_ERROR, "MR-AGENT-TEMPLATE", &loc,
		        "a mail that does not begin with its subject");
		mr_diags_hint(diags, "write 'Subject: …', an empty line, and the body");
	}
}

int mr_notify_check(struct mr_diags *diags, const struct mr_host *host)
{
	size_t n_errors = diags->n_errors;

	check_values(diags, host);
	if (host->notify_templates.size > 0 && diags->n_errors == n_errors)
		for (int i = 0; i < MR_WAY_COUNT; i++)
			check_template(diags, host, (enum mr_way)i);
	return diags->n_errors > n_errors ? MR_E_CONFIG : 0;
}

int mr_notify_send(struct mr_diags *diags, const struct mr_host *host, enum mr_way way,
        const struct mr_notice *notice)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	enum mr_template_escape escape = ways[way].escape;
	struct mr_buf subject = MR_BUF_INIT, body = MR_BUF_INIT;
	struct mr_message message = {.host = host};
	mr_str template, head = {0};
	int code = mr_template_load(diags, host, way, &arena, &template);

	if (!code && way == MR_WAY_MAIL)
		(void)mr_template_split_mail(template, &head, &template); /* was checked */
	if (!code) {
		mr_template_expand(head, notice, MR_ESCAPE_LINE, &subject);
		mr_template_expand(template, notice, escape, &body);
		message.subject = mr_buf_str(&subject);
		message.body = mr_buf_str(&body);
		message.timeout_ms = (unsigned)host->notify_timeout_seconds * 1000;
		code = ways[way].send(diags, &message);
	}
	mr_buf_done(&subject);
	mr_buf_done(&body);
	return code;
}
