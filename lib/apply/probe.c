/*
 * Probes, asked before and after: only what a change broke counts against it.
 */
#include "apply/probe.h"

#include <stdio.h>

#include "apply/said.h"
#include "apply/smtp.h"
#include "apply/travel.h"
#include "base/clock.h"
#include "base/wait.h"

enum {
	SETTLE_MS = 12 * 1000, /* Postfix looks at a map that was renamed over every 10 s */
	PAUSE_MS = 250,
	CONVERSATION_MS = 10 * 1000,
	ASKED_A_CONNECTION = 8, /* after 10 refusals Postfix answers slowly, after 20 not at all */
};

enum relay { RELAY_UNKNOWN, RELAY_REFUSED, RELAY_ACCEPTED };

struct mr_probe {
	struct mr_arena arena;
	bool *well; /* each server */
	bool is_smtp_well;
	int *answers; /* to each expectation: a reply code, or <0 */
	enum relay relay;
	bool is_relay_outside; /* asked as a client from elsewhere */
	enum mr_travel travel;
	char smtp_text[MR_SMTP_TEXT];
	char travel_text[200];
};

static mr_str hello(const struct mr_world *world)
{
	return world->host->name.size ? world->host->name : MR_STR("localhost");
}

static int64_t limit_ms(const struct mr_world *world, int64_t most)
{
	int64_t configured = (int64_t)world->host->probe_timeout_seconds * 1000;

	return configured > 0 && configured < most ? configured : most;
}

/* The answer for one recipient, on a connection that is opened when there is none. */
static int ask(const struct mr_world *world, struct mr_smtp *smtp, mr_str address)
{
	if (smtp->wire.fd >= 0 && smtp->n_asked >= ASKED_A_CONNECTION)
		mr_smtp_close(smtp);
	if (smtp->wire.fd < 0) {
		int code = mr_smtp_open(smtp, world->host->probe_smtp, hello(world),
		        limit_ms(world, CONVERSATION_MS));
		if (code)
			return code;
	}
	int code = mr_smtp_ask(smtp, address);
	if (code < 0 || code == 421)
		mr_smtp_close(smtp);
	return code;
}

/* From elsewhere where the server lets us say so; else from loopback, which may often relay. */
static enum relay ask_relay(
        const struct mr_world *world, bool *out_is_outside, char text[MR_SMTP_TEXT])
{
	const mr_str stranger = MR_STR("relaytest@mailreeve-probe.invalid");
	struct mr_smtp smtp;
	int code = mr_smtp_open(
	        &smtp, world->host->probe_smtp, hello(world), limit_ms(world, CONVERSATION_MS));

	*out_is_outside = false;
	if (!code && smtp.has_xclient)
		*out_is_outside =
		        mr_smtp_become(&smtp, MR_STR("192.0.2.1"), MR_STR("probe.invalid")) == 0;
	if (!code)
		code = mr_smtp_ask(&smtp, stranger);
	(void)snprintf(text, MR_SMTP_TEXT, "%s", smtp.text);
	mr_smtp_close(&smtp);
	return code / 100 == 2 ? RELAY_ACCEPTED : code / 100 == 5 ? RELAY_REFUSED : RELAY_UNKNOWN;
}

static bool smtp_greets(const struct mr_world *world, char text[MR_SMTP_TEXT])
{
	struct mr_smtp smtp;
	int code = mr_smtp_open(
	        &smtp, world->host->probe_smtp, hello(world), limit_ms(world, CONVERSATION_MS));

	(void)snprintf(text, MR_SMTP_TEXT, "%s", smtp.text);
	mr_smtp_close(&smtp);
	return code == 0;
}

static void ask_smtp_before(
        const struct mr_world *world, const struct mr_plan *plan, struct mr_probe *probe)
{
	size_t n;
	const struct mr_expectation *expectations = mr_plan_expectations(plan, &n);
	struct mr_smtp smtp = {.wire = {.fd = -1}};

	probe->answers = mr_alloc_n(&probe->arena, n, sizeof *probe->answers);
	if (!world->host->probe_smtp.size)
		return;
	probe->is_smtp_well = smtp_greets(world, probe->smtp_text);
	if (!probe->is_smtp_well) {
		mr_diags_at(world->diags, MR_WARNING, NULL, NULL,
		        "no greeting at probes.smtp '%.*s' already before the change: %s",
		        MR_FMT(world->host->probe_smtp), probe->smtp_text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		probe->answers[i] = ask(world, &smtp, expectations[i].address);
	mr_smtp_close(&smtp);
	probe->relay = ask_relay(world, &probe->is_relay_outside, probe->smtp_text);
}

/* Who cannot log in yet is not tried: Dovecot makes whoever comes from there next wait for that. */
static void ask_travel_before(
        const struct mr_world *world, const struct mr_plan *plan, struct mr_probe *probe)
{
	struct mr_host host = *world->host;
	bool is_new = host.probe_mailbox.size && mr_plan_gives_login(plan, host.probe_mailbox);

	if (is_new)
		host.probe_mailbox = (mr_str){0};
	probe->travel = mr_travel(&host, limit_ms(world, CONVERSATION_MS), probe->travel_text);
	if (probe->travel == MR_TRAVEL_ARRIVED && is_new)
		probe->travel = MR_TRAVEL_NO_LOGIN;
	else if (probe->travel != MR_TRAVEL_NOT_ASKED && probe->travel != MR_TRAVEL_ARRIVED)
		mr_diags_at(world->diags, MR_WARNING, NULL, NULL,
		        "the mailbox probe fails already before the change: %s",
		        probe->travel_text);
}

struct mr_probe *mr_probe_before(const struct mr_world *world, const struct mr_plan *plan)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_probe *probe = mr_alloc(&arena, sizeof *probe);
	size_t mark = world->diags->list.n;

	probe->arena = arena;
	probe->well = mr_alloc_n(&probe->arena, world->n_servers, sizeof *probe->well);
	mr_world_progress(world, "probing", 0, 1);
	for (size_t i = 0; i < world->n_servers; i++)
		probe->well[i] = world->servers[i].provider->probe(world->servers[i].backend) == 0;
	mr_said_soften(world->diags, mark);
	ask_smtp_before(world, plan, probe);
	ask_travel_before(world, plan, probe);
	return probe;
}

const bool *mr_probe_well(const struct mr_probe *probe)
{
	return probe->well;
}

void mr_probe_free(struct mr_probe *probe)
{
	if (!probe)
		return;
	struct mr_arena arena = probe->arena; /* the probe lives in it */
	mr_arena_done(&arena);
}

static bool pause_until(int64_t deadline_ms)
{
	if (mr_clock_ms() >= deadline_ms)
		return false;
	mr_wait_ms(PAUSE_MS);
	return true;
}

/* A server that was not well before may go on so: it is asked once, for the record. */
static int judge_server(const struct mr_world *world, const struct mr_plan_server *server,
        bool was_well, int64_t deadline_ms)
{
	size_t mark = world->diags->list.n;
	int code;

	while ((code = server->provider->probe(server->backend)) != 0 && was_well &&
	        pause_until(deadline_ms))
		mr_said_rewind(world->diags, mark);
	if (code && was_well)
		return MR_E_FAILED;
	mr_said_soften(world->diags, mark);
	return 0;
}

static int judge_servers(
        const struct mr_world *world, const struct mr_probe *before, int64_t deadline_ms)
{
	int worst = 0;

	for (size_t i = 0; i < world->n_servers; i++) {
		if (judge_server(world, &world->servers[i], before->well[i], deadline_ms))
			worst = MR_E_FAILED;
	}
	return worst;
}

static bool is_as_planned(const struct mr_expectation *expectation, int code)
{
	return code / 100 == (expectation->is_accepted ? 2 : 5);
}

/* A server that takes any address of the domain says nothing about this one. */
static bool takes_anything(const struct mr_world *world, struct mr_smtp *smtp, mr_str address)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	char token[40];

	mr_travel_token(token);
	mr_str other = mr_str_printf(
	        &arena, "%s%.*s", token, MR_FMT(mr_str_skip(address, mr_str_rfind(address, '@'))));
	return ask(world, smtp, other) / 100 == 2;
}

static int judge_answer(const struct mr_world *world, struct mr_smtp *smtp,
        const struct mr_expectation *expectation, int answer, int before)
{
	const char *wanted = expectation->is_accepted ? "accepted" : "refused";
	char text[MR_SMTP_TEXT];

	(void)snprintf(text, sizeof text, "%s", answer ? smtp->text : "");
	bool is_old = answer / 100 == 4 && answer == before;
	bool is_vague = answer == MR_E_INVALID ||
	                (!expectation->is_accepted && answer / 100 == 2 &&
	                        takes_anything(world, smtp, expectation->address));
	mr_diags_at(world->diags, is_old || is_vague ? MR_WARNING : MR_ERROR, NULL, NULL,
	        "recipient '%.*s' is not %s at probes.smtp as planned: %s",
	        MR_FMT(expectation->address), wanted,
	        answer == MR_E_INVALID ? "cannot be asked" : text);
	return is_old || is_vague ? 0 : MR_E_FAILED;
}

static int judge_recipient(const struct mr_world *world, struct mr_smtp *smtp,
        const struct mr_expectation *expectation, int before, int64_t deadline_ms)
{
	for (;;) {
		int answer = ask(world, smtp, expectation->address);
		if (is_as_planned(expectation, answer))
			return 0;
		if (answer == MR_E_INVALID || !pause_until(deadline_ms))
			return judge_answer(world, smtp, expectation, answer, before);
		mr_smtp_close(smtp); /* an smtpd that is open may keep what it knew */
	}
}

static int judge_greeting(const struct mr_world *world, const struct mr_probe *before,
        int64_t deadline_ms, bool *out_greets)
{
	char text[MR_SMTP_TEXT];

	while (!(*out_greets = smtp_greets(world, text)) && before->is_smtp_well &&
	        pause_until(deadline_ms))
		;
	if (*out_greets || !before->is_smtp_well)
		return 0;
	return mr_fail(world->diags, MR_E_FAILED,
	        "no greeting at probes.smtp '%.*s' after the change: %s",
	        MR_FMT(world->host->probe_smtp), text);
}

static bool changes_networks(const struct mr_plan *plan)
{
	const struct mr_changes *changes = mr_plan_changes(plan);

	for (size_t i = 0; i < changes->list.n; i++) {
		if (mr_str_starts(
		            changes->list.items[i].object, MR_STR("postfix.parameter/mynetworks")))
			return true;
	}
	return false;
}

static int judge_relay(
        const struct mr_world *world, const struct mr_plan *plan, const struct mr_probe *before)
{
	bool is_outside;
	char text[MR_SMTP_TEXT];

	if (ask_relay(world, &is_outside, text) != RELAY_ACCEPTED ||
	        before->relay == RELAY_ACCEPTED)
		return 0;
	if (!is_outside && (before->relay == RELAY_UNKNOWN || changes_networks(plan)))
		return 0; /* loopback may relay on most hosts: nothing can be told from here */
	return mr_fail(world->diags, MR_E_FAILED,
	        "the server at probes.smtp '%.*s' relays for %s after the change, which it refused "
	        "before: %s",
	        MR_FMT(world->host->probe_smtp), is_outside ? "strangers" : "loopback", text);
}

static int judge_smtp(const struct mr_world *world, const struct mr_plan *plan,
        const struct mr_probe *before, int64_t deadline_ms)
{
	size_t n;
	const struct mr_expectation *expectations = mr_plan_expectations(plan, &n);
	struct mr_smtp smtp = {.wire = {.fd = -1}};
	bool greets;
	int code = judge_greeting(world, before, deadline_ms, &greets);

	if (code || !greets)
		return code;
	for (size_t i = 0; i < n; i++) {
		if (judge_recipient(
		            world, &smtp, &expectations[i], before->answers[i], deadline_ms))
			code = MR_E_FAILED;
	}
	mr_smtp_close(&smtp);
	int relay = judge_relay(world, plan, before);
	return code ? code : relay;
}

static bool touches_mailbox(const struct mr_plan *plan, mr_str mailbox)
{
	const struct mr_changes *changes = mr_plan_changes(plan);

	for (size_t i = 0; i < changes->list.n; i++) {
		if (mr_str_ends(changes->list.items[i].object, mailbox))
			return true;
	}
	return false;
}

/* There is nothing that it was before; its password file may be what is wrong. */
static void warn_of_new(const struct mr_world *world, const struct mr_plan *plan,
        enum mr_travel after, const char *text)
{
	mr_str mailbox = world->host->probe_mailbox;

	if (after == MR_TRAVEL_NOT_ASKED || after == MR_TRAVEL_ARRIVED ||
	        !mr_plan_gives_login(plan, mailbox))
		return;
	mr_diags_at(world->diags, MR_WARNING, NULL, NULL,
	        "the mailbox probe with '%.*s' fails after the change that makes the mailbox: %s",
	        MR_FMT(mailbox), text);
}

/* A log-in that was refused before is not tried again: servers answer each one later than the last.
 * The greeting is still asked for. */
static int judge_travel(const struct mr_world *world, const struct mr_plan *plan,
        const struct mr_probe *before, int64_t deadline_ms)
{
	struct mr_host host = *world->host;
	char text[200];
	enum mr_travel after;

	if (before->travel > MR_TRAVEL_NO_GREETING && before->travel < MR_TRAVEL_ARRIVED &&
	        !touches_mailbox(plan, host.probe_mailbox))
		host.probe_mailbox = (mr_str){0};
	do {
		after = mr_travel(&host, limit_ms(world, CONVERSATION_MS), text);
	} while (after < before->travel && pause_until(deadline_ms));
	if (after >= before->travel) {
		warn_of_new(world, plan, after, text);
		return 0;
	}
	return mr_fail(world->diags, MR_E_FAILED,
	        "the mailbox probe with '%.*s' gets less far after the change than before: %s",
	        MR_FMT(world->host->probe_mailbox), text);
}

int mr_probe_after(
        const struct mr_world *world, const struct mr_plan *plan, const struct mr_probe *before)
{
	int64_t deadline_ms = mr_clock_ms() + limit_ms(world, SETTLE_MS);
	int code = judge_servers(world, before, deadline_ms);
	int more = world->host->probe_smtp.size ? judge_smtp(world, plan, before, deadline_ms) : 0;

	if (!code)
		code = more;
	/* a probe mailbox that the plan itself closes has nothing to prove */
	more = mr_plan_takes_from(plan, world->host->probe_mailbox)
	               ? 0
	               : judge_travel(world, plan, before, deadline_ms);
	return code ? code : more;
}
