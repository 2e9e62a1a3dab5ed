/*
 * The tables of verbs and options. A new verb is one row here and one function in agent/cli/.
 */
#include "verbs.h"

#include <string.h>

const struct option_spec option_specs[] = {
        {OPT_CONFIG, "config", "FILE",
                "the host's configuration (default /etc/mailreeve/agent.yaml)", NULL, false},
        {OPT_FORMAT, "format", "FORMAT", "how the result is written",
                "text json markdown html github sarif", false},
        {OPT_COLOR, "color", "WHEN", "auto (default), always or never; NO_COLOR is honoured",
                "auto always never", false},
        {OPT_QUIET, "quiet", NULL, "no result on success, only errors", NULL, false},
        {OPT_VERBOSE, "verbose", NULL, "more: every change by itself, what came from caches", NULL,
                false},
        {OPT_LOCK_TIMEOUT, "lock-timeout", "DURATION",
                "how long to wait for another apply (default 0s)", NULL, false},
        {OPT_HELP, "help", NULL, "this help", NULL, false},
        {OPT_VERSION, "version", NULL, "the version", NULL, false},
        {OPT_REF, "ref", "REF", "a branch, tag or commit instead of the configured branch", NULL,
                false},
        {OPT_DIR, "dir", "DIR",
                "a plain folder instead of the repository, uncommitted changes included", NULL,
                false},
        {OPT_OUT, "out", "FILE", "keep the plan for 'mailreeve apply FILE'", NULL, false},
        {OPT_ONLY, "only", "OBJECT", "only this object, or all whose names begin so (user/*)", NULL,
                false},
        {OPT_DETAILED_EXITCODE, "detailed-exitcode", NULL, "exit with 2 when there are changes",
                NULL, false},
        {OPT_FAIL_ON, "fail-on", "CLASS,…", "exit with 3 when the plan has changes of a class",
                "data restart reload delete login_lost mail_refused routes_changed", true},
        {OPT_ALLOW, "allow", "RAIL<=N", "lift one rail to a number, on record in the history", NULL,
                true},
        {OPT_YES, "yes", NULL, "consent: do not ask", NULL, false},
        {OPT_CONFIRM_WITHIN, "confirm-within", "DURATION",
                "take the change back unless 'mailreeve confirm RUN' keeps it in time", NULL,
                false},
        {OPT_NOW, "now", NULL, "let the agent that runs do it at once, and wait for its end", NULL,
                false},
        {OPT_REASON, "reason", "TEXT", "why, for whoever meets the pause", NULL, false},
        {OPT_UNTIL, "until", "TIME", "2h, 2026-11-28, or 2026-11-28T06:00Z", NULL, false},
        {OPT_SCHEME, "scheme", "SCHEME",
                "password scheme, one of 'doveadm pw -l' (default ARGON2ID)", NULL, false},
};
const size_t n_option_specs = sizeof option_specs / sizeof option_specs[0];

const struct verb verbs[] = {
        {"init", "[DIR]", 1,
                "write a small, valid repository with comments, and a commented agent.yaml",
                "Writes mailreeve.yaml, domains/example.org.yaml and agent.yaml.example into DIR "
                "(default: the current\n"
                "folder). Nothing is overwritten.",
                "mailreeve init mail-config", {OPT_NONE}, "text", false, 0, cli_init},
        {"validate", "[DIR]", 1, "check a desired state offline: syntax, types, references, lints",
                "Reads DIR (default: the current folder), or a commit of the configured repository "
                "with --ref. All errors\n"
                "of the repository are reported in one run as FILE:LINE:COLUMN: error: TEXT "
                "[RULE]. Touches no server and\n"
                "resolves no secret. Exits with 65 when there are errors.",
                "mailreeve validate --format github .", {OPT_REF, OPT_NONE},
                "text json github sarif", false, 0, cli_validate},
        {"plan", "", 0, "show what an apply would change: desired against live",
                "Reads the repository and the live servers and writes nothing but --out FILE. A "
                "refused rail or --fail-on\n"
                "exits with 3; --detailed-exitcode with 2 when there are changes.",
                "mailreeve plan --ref feature/new-domain --out /tmp/new-domain.plan",
                {OPT_REF, OPT_DIR, OPT_OUT, OPT_ONLY, OPT_DETAILED_EXITCODE, OPT_FAIL_ON, OPT_ALLOW,
                        OPT_NONE},
                "text json markdown html", true, 0, cli_plan},
        {"apply", "[FILE]", 1, "carry out a saved plan, or plan and apply, as one transaction",
                "Stages everything aside, lets the servers' own checkers judge it, writes, "
                "activates, reads back and\n"
                "probes. Whatever fails is taken back and the exit code is 5. Asks for consent on "
                "a terminal; else --yes\n"
                "is needed. A saved plan whose objects changed meanwhile exits with 4.",
                "mailreeve apply /tmp/new-domain.plan --yes",
                {OPT_REF, OPT_DIR, OPT_ONLY, OPT_YES, OPT_ALLOW, OPT_CONFIRM_WITHIN, OPT_NONE},
                "text json markdown html", true, 0, cli_apply},
        {"sync", "", 0, "fetch, verify, plan, rails, apply, probe; never asks",
                "What the timer runs. Only a descendant of the last applied commit is applied, and "
                "none that was rolled\n"
                "back before. What others changed on the servers is treated as drift: mode of "
                "agent.yaml says.",
                "mailreeve sync --quiet", {OPT_NOW, OPT_NONE}, "text json markdown html", true,
                false, cli_sync},
        {"agent", "", 3, "stay: sync on a push, on drift and at every interval",
                "What mailreeve.service runs. Tells the service manager how things stand "
                "(sd_notify, watchdog) and the\n"
                "journal what happens. Each part of the work is a process of its own. SIGHUP reads "
                "agent.yaml again, SIGUSR1\n"
                "syncs at once, SIGTERM ends: an apply that is under way is finished or taken "
                "back first.",
                "mailreeve agent", {OPT_NONE}, "text", true, HAS_OWN_LOG, cli_agent},
        {"pause", "", 0, "no applies for a while; plans and drift go on",
                "apply, sync and rollback exit with 75 until then and say who paused and why. An "
                "apply that is under\n"
                "way goes on. The pause ends by itself, or by 'mailreeve resume'.",
                "mailreeve pause --reason 'moving the mail store' --until 2h",
                {OPT_REASON, OPT_UNTIL, OPT_NONE}, "text", true, 0, cli_pause},
        {"resume", "", 0, "end a pause", "", "mailreeve resume", {OPT_NONE}, "text", true, 0,
                cli_resume},
        {"status", "", 0, "what is applied, since when, healthy or not, and why not", "",
                "mailreeve status --format json", {OPT_NONE}, "text json", true, 0, cli_status},
        {"history", "[RUN]", 1, "the runs, newest first, or one of them", "",
                "mailreeve history 12", {OPT_NONE}, "text json", true, 0, cli_history},
        {"show", "FILE|RUN", 1, "a saved plan, or the plan of a recorded run, in full", "",
                "mailreeve show 12", {OPT_NONE}, "text json markdown html", true, 0, cli_show},
        {"confirm", "RUN", 1, "keep a change that is on probation",
                "An apply with --confirm-within waits for this word; without it the change is "
                "taken back.",
                "mailreeve confirm 12", {OPT_NONE}, "text", true, 0, cli_confirm},
        {"rollback", "[RUN]", 1,
                "bring back the state before a run (default: the last applied one)",
                "Plans against the commit that was in force before RUN and applies that by the "
                "same path, rails included.\n"
                "The commit that is left is not applied again by sync until a newer one changes "
                "its effects.",
                "mailreeve rollback --yes", {OPT_YES, OPT_ALLOW, OPT_NONE},
                "text json markdown html", true, 0, cli_rollback},
        {"drift", "", 0, "what others changed on the servers since the last apply",
                "Compares the live servers with the last applied commit. --detailed-exitcode exits "
                "with 2 when there is\n"
                "drift.",
                "mailreeve drift --detailed-exitcode", {OPT_DETAILED_EXITCODE, OPT_NONE},
                "text json markdown html", true, 0, cli_drift},
        {"why", "OBJECT", 1, "which files and lines decide an object's attributes",
                "Reads the configured repository, or --dir DIR, or --ref REF.",
                "mailreeve why user/alice@example.org", {OPT_REF, OPT_DIR, OPT_NONE}, "text json",
                false, 0, cli_why},
        {"schema", "", 0, "print the JSON Schema of the language", "",
                "mailreeve schema > mailreeve.schema.json", {OPT_NONE}, "text json", false, 0,
                cli_schema},
        {"hash-password", "", 0, "read a password and print {SCHEME}hash for the repository",
                "Reads from the terminal without echo, or one line of standard input. Dovecot's "
                "doveadm makes the hash.",
                "mailreeve hash-password --scheme SHA512-CRYPT", {OPT_SCHEME, OPT_NONE}, "text",
                false, 0, cli_hash_password},
        {"doctor", "", 0, "what would keep a sync from working, each with its remedy",
                "Looks at rights, the state directory, the servers, their tables, TLS files and "
                "units, where writing is\n"
                "possible from here, disk, clock, secrets, the repository and its signature, and "
                "goes "
                "on after each failure.\n"
                "Changes nothing on the servers. Exits with 78 when a sync could not work; "
                "warnings "
                "alone are 0.",
                "mailreeve doctor --format json", {OPT_NONE}, "text json", true, JUDGES_CONFIG,
                cli_doctor},
        {"trust", "", 0,
                "accept a state database that is damaged or old, and an undo that is stuck",
                "Until then nothing is applied. A database that cannot be read is put aside and a "
                "new one begun: what\n"
                "is live is then adopted by the next apply. Where an undo is stuck because "
                "somebody changed an object\n"
                "meanwhile, what is live stands.",
                "mailreeve trust", {OPT_NONE}, "text", true, 0, cli_trust},
        {"completion", "bash|zsh|fish|man|catalog", 1,
                "print the completion of a shell, the man page, or the journal's catalogue",
                "Written from the same tables as this help.", "mailreeve completion bash",
                {OPT_NONE}, "text", false, 0, cli_completion},
};
const size_t n_verbs = sizeof verbs / sizeof verbs[0];

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const struct option_spec *option_find(enum option_id id)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if (option_specs[i].id == id)
			return &option_specs[i];
	return NULL;
}

bool option_is_global(enum option_id id)
{
	return id >= OPT_CONFIG && id <= OPT_VERSION;
}

bool verb_has_option(const struct verb *verb, enum option_id id)
{
	for (size_t i = 0; i < MAX_OPTIONS && verb->options[i] != OPT_NONE; i++)
		if (verb->options[i] == id)
			return true;
	return option_is_global(id);
}
