/*
 * The verb doctor: a table of checks of what a sync needs, all of them run whatever the others
 * found, and their findings as text or JSON. Nothing is changed on any server.
 */
#include "session/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

/* Later ones use what earlier ones learnt. */
static const struct {
	const char *name;
	void (*run)(struct mr_doctor *doctor);
} checks[] = {
        {"configuration", mr_doctor_configuration},
        {"rights", mr_doctor_rights},
        {"state", mr_doctor_state},
        {"servers", mr_doctor_servers},
        {"tables", mr_doctor_tables},
        {"tls", mr_doctor_tls},
        {"units", mr_doctor_units},
        {"agent", mr_doctor_agent},
        {"sandbox", mr_doctor_sandbox},
        {"disk", mr_doctor_disk},
        {"clock", mr_doctor_clock},
        {"secrets", mr_doctor_secrets},
        {"repository", mr_doctor_repository},
        {"signatures", mr_doctor_signatures},
};

/* Of errors that were reported without a hint, by check. */
static const struct {
	const char *check;
	const char *remedy;
} remedies[] = {
        {"postfix", "see 'postfix check'; does postfix: {config_directory} of agent.yaml fit"},
        {"dovecot", "see 'doveconf -n'; does dovecot: {config} of agent.yaml fit"},
        {"openldap", "systemctl status slapd; does ldap: {uri} of agent.yaml fit"},
        {"units", "systemctl --failed"},
        {"repository", "see repository: in agent.yaml; can it be reached from here"},
        {NULL, "see mailreeve-agent.yaml(5)"},
};

static const struct {
	const char *name;
	const char *color;
} healths[] = {
        [MR_HEALTH_OK] = {"ok", "32"},
        [MR_HEALTH_WARNING] = {"warning", "33"},
        [MR_HEALTH_ERROR] = {"error", "31"},
        [MR_HEALTH_SKIPPED] = {"skipped", "2"},
};

static mr_str harmless(struct mr_arena *arena, mr_str text)
{
	struct mr_buf clean = MR_BUF_INIT;
	mr_str copy;

	mr_text_harmless(text, &clean);
	copy = mr_str_copy(arena, mr_buf_str(&clean));
	mr_buf_done(&clean);
	return copy;
}

__attribute__((format(printf, 2, 0))) static mr_str format_text(
        struct mr_arena *arena, const char *format, va_list arguments)
{
	char *text = NULL;
	mr_str result = {0};

	if (vasprintf(&text, format, arguments) >= 0)
		result = harmless(arena, mr_str_from(text));
	free(text);
	return result;
}

static void add(struct mr_doctor *doctor, enum mr_health health, mr_str text, mr_str remedy)
{
	mr_vec_push(&doctor->findings,
	        (struct mr_finding){
	                .check = doctor->check, .health = health, .text = text, .remedy = remedy});
}

void mr_doctor_say(struct mr_doctor *doctor, enum mr_health health, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(doctor, health, format_text(&doctor->session->arena, format, arguments), (mr_str){0});
	va_end(arguments);
}

void mr_doctor_remedy(struct mr_doctor *doctor, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	doctor->findings.items[doctor->findings.n - 1].remedy =
	        format_text(&doctor->session->arena, format, arguments);
	va_end(arguments);
}

/* Some messages carry their hint in the text: "…  (hint: …)". */
static void split_hint(mr_str *text, mr_str *hint)
{
	const char *found = text->size ? memmem(text->data, text->size, "(hint: ", 7) : NULL;

	if (!found || !mr_str_ends(*text, MR_STR(")")))
		return;
	*hint = mr_str_skip(*text, (size_t)(found - text->data) + 7);
	*hint = mr_str_take(*hint, hint->size - 1);
	*text = mr_str_trim(mr_str_take(*text, (size_t)(found - text->data)));
}

static const char *usual_remedy(const char *check)
{
	size_t i = 0;

	while (remedies[i].check && strcmp(remedies[i].check, check) != 0)
		i++;
	return remedies[i].remedy;
}

static void take_one(struct mr_doctor *doctor, const struct mr_diag *diag, enum mr_health health)
{
	struct mr_arena *arena = &doctor->session->arena;
	mr_str text = diag->text, hint = diag->hint;

	if (!hint.size)
		split_hint(&text, &hint);
	if (!hint.size && diag->severity == MR_ERROR)
		hint = mr_str_from(usual_remedy(doctor->check));
	text = harmless(arena, text);
	if (diag->loc.path.size)
		text = mr_str_printf(arena, "%.*s:%u:%u: %.*s",
		        MR_FMT(harmless(arena, diag->loc.path)), diag->loc.line, diag->loc.column,
		        MR_FMT(text));
	add(doctor, diag->severity == MR_ERROR ? health : MR_HEALTH_WARNING, text,
	        harmless(arena, hint));
}

bool mr_doctor_take(struct mr_doctor *doctor, enum mr_health health)
{
	struct mr_diags *diags = &doctor->session->diags;
	bool has_any = false;

	mr_vec_each (diag, &diags->list) {
		if (diag->severity == MR_NOTE)
			continue;
		take_one(doctor, diag, health);
		has_any = true;
	}
	mr_diags_clear(diags);
	return has_any;
}

static size_t count(const struct mr_doctor *doctor, enum mr_health health)
{
	size_t n = 0;

	mr_vec_each (finding, &doctor->findings)
		n += finding->health == health;
	return n;
}

static void write_text(const struct mr_doctor *doctor, struct mr_buf *out)
{
	bool has_color = doctor->session->options.has_color;
	size_t n_errors = count(doctor, MR_HEALTH_ERROR);
	size_t n_warnings = count(doctor, MR_HEALTH_WARNING);

	mr_vec_each (finding, &doctor->findings) {
		if (has_color)
			mr_buf_printf(out, "\033[%sm", healths[finding->health].color);
		mr_buf_printf(out, "%-8s", healths[finding->health].name);
		if (has_color)
			mr_buf_add_text(out, "\033[0m");
		mr_buf_printf(out, " %-14s %.*s\n", finding->check, MR_FMT(finding->text));
		if (finding->remedy.size)
			mr_buf_printf(out, "%24s-> %.*s\n", "", MR_FMT(finding->remedy));
	}
	mr_buf_printf(out, "\n%s: %zu error%s, %zu warning%s.\n",
	        n_errors ? "A sync cannot work" : "A sync can work", n_errors,
	        n_errors == 1 ? "" : "s", n_warnings, n_warnings == 1 ? "" : "s");
}

static void write_json(const struct mr_doctor *doctor, struct mr_buf *out)
{
	enum mr_health worst = count(doctor, MR_HEALTH_ERROR)     ? MR_HEALTH_ERROR
	                       : count(doctor, MR_HEALTH_WARNING) ? MR_HEALTH_WARNING
	                                                          : MR_HEALTH_OK;
	struct mr_json json;

	mr_json_init(&json, out, true);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "format", MR_STR("mailreeve.doctor/1"));
	mr_json_member_str(&json, "mailreeve", MR_STR(MR_VERSION));
	mr_json_member_str(&json, "host", doctor->session->host.name);
	mr_json_member_str(&json, "result", mr_str_from(healths[worst].name));
	mr_json_member_int(&json, "errors", (int64_t)count(doctor, MR_HEALTH_ERROR));
	mr_json_member_int(&json, "warnings", (int64_t)count(doctor, MR_HEALTH_WARNING));
	mr_json_name(&json, "checks");
	mr_json_begin_array(&json);
	mr_vec_each (finding, &doctor->findings) {
		mr_json_begin_object(&json);
		mr_json_member_str(&json, "check", mr_str_from(finding->check));
		mr_json_member_str(&json, "result", mr_str_from(healths[finding->health].name));
		mr_json_member_str(&json, "text", finding->text);
		if (finding->remedy.size)
			mr_json_member_str(&json, "remedy", finding->remedy);
		mr_json_end_object(&json);
	}
	mr_json_end_array(&json);
	mr_json_end_object(&json);
	mr_buf_add_char(out, '\n');
}

/* Everything else hangs on it. */
static void examine_configuration(struct mr_doctor *doctor)
{
	doctor->check = checks[0].name;
	if (!mr_doctor_take(doctor, MR_HEALTH_ERROR)) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "no host configuration was read");
		mr_doctor_remedy(doctor, "%s", usual_remedy(doctor->check));
	}
	for (size_t i = 1; i < sizeof checks / sizeof *checks; i++) {
		doctor->check = checks[i].name;
		mr_doctor_say(
		        doctor, MR_HEALTH_SKIPPED, "not looked at without a host configuration");
	}
}

static void examine(struct mr_doctor *doctor)
{
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		doctor->check = checks[i].name;
		mr_session_progress(doctor->session, checks[i].name);
		checks[i].run(doctor);
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR); /* what a check left unsaid */
	}
}

int mailreeve_doctor(
        struct mailreeve *session, enum mailreeve_format format, struct mailreeve_text *out)
{
	struct mr_doctor doctor = {.session = session};
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_session_only_text_or_json(session, format);

	if (!code) {
		if (session->has_host)
			examine(&doctor);
		else
			examine_configuration(&doctor);
		if (format == MAILREEVE_JSON)
			write_json(&doctor, &text);
		else
			write_text(&doctor, &text);
		code = count(&doctor, MR_HEALTH_ERROR) ? MR_E_CONFIG : 0;
	}
	mr_session_give(&text, out);
	mr_vec_done(&doctor.findings);
	mr_vec_done(&doctor.folders);
	return mr_error_status(code);
}
