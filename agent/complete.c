/*
 * Shell completion and mailreeve(1), from the same tables as the help.
 */
#include "help.h"

#include <ctype.h>
#include <string.h>

static void words_of_verb(FILE *out, const struct verb *verb)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if (verb_has_option(verb, option_specs[i].id))
			fprintf(out, "--%s ", option_specs[i].name);
}

void complete_bash(FILE *out)
{
	fputs("# bash completion of mailreeve\n_mailreeve() {\n\tlocal "
	      "cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
	      "verb= word\n\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n\t\tcase $word "
	      "in -*) ;; *) verb=$word; "
	      "break ;; esac\n\tdone\n\tcase $prev in\n",
	        out);
	for (size_t i = 0; i < n_option_specs; i++)
		if (option_specs[i].words)
			fprintf(out,
			        "\t--%s) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\"); "
			        "return ;;\n",
			        option_specs[i].name, option_specs[i].words);
	fputs("\tesac\n\tcase $verb in\n", out);
	for (size_t i = 0; i < n_verbs; i++) {
		fprintf(out, "\t%s) mapfile -t COMPREPLY < <(compgen -f -W '", verbs[i].name);
		words_of_verb(out, &verbs[i]);
		fputs("' -- \"$cur\") ;;\n", out);
	}
	fputs("\t*) mapfile -t COMPREPLY < <(compgen -W '", out);
	for (size_t i = 0; i < n_verbs; i++)
		fprintf(out, "%s ", verbs[i].name);
	fputs("' -- \"$cur\") ;;\n\tesac\n}\ncomplete -o default -F _mailreeve mailreeve\n", out);
}

/* Inside single quotes of a shell. */
static void quoted(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else if (*text == '[' || *text == ']' || *text == ':')
			fputc(' ', out);
		else
			fputc(*text, out);
}

static void zsh_option(FILE *out, const struct option_spec *spec)
{
	fprintf(out, " '--%s[", spec->name);
	quoted(out, spec->meaning);
	fputc(']', out);
	if (spec->argument && spec->words)
		fprintf(out, ":value:(%s)", spec->words);
	else if (spec->argument)
		fputs(":value:_files", out);
	fputc('\'', out);
}

void complete_zsh(FILE *out)
{
	fputs("#compdef mailreeve\n_mailreeve() {\n\tlocal -a verbs\n\tverbs=(", out);
	for (size_t i = 0; i < n_verbs; i++) {
		fprintf(out, "\n\t\t'%s:", verbs[i].name);
		quoted(out, verbs[i].summary);
		fputc('\'', out);
	}
	fputs(")\n\tif (( CURRENT == 2 )); then _describe verb verbs; return; fi\n\tcase $words[2] "
	      "in\n",
	        out);
	for (size_t i = 0; i < n_verbs; i++) {
		fprintf(out, "\t%s) _arguments", verbs[i].name);
		for (size_t j = 0; j < n_option_specs; j++)
			if (verb_has_option(&verbs[i], option_specs[j].id))
				zsh_option(out, &option_specs[j]);
		fputs(" '*:file:_files' ;;\n", out);
	}
	fputs("\tesac\n}\n_mailreeve \"$@\"\n", out);
}

static void fish_option(FILE *out, const char *condition, const struct option_spec *spec)
{
	fprintf(out, "complete -c mailreeve -n '%s' -l %s -d '", condition, spec->name);
	quoted(out, spec->meaning);
	fputc('\'', out);
	if (spec->words)
		fprintf(out, " -x -a '%s'", spec->words);
	else if (spec->argument)
		fputs(" -r", out);
	fputc('\n', out);
}

void complete_fish(FILE *out)
{
	fputs("# fish completion of mailreeve\n", out);
	for (size_t i = 0; i < n_verbs; i++) {
		fprintf(out, "complete -c mailreeve -n __fish_use_subcommand -a %s -d '",
		        verbs[i].name);
		quoted(out, verbs[i].summary);
		fputs("'\n", out);
		for (size_t j = 0; verbs[i].options[j] != OPT_NONE; j++) {
			char condition[64];

			(void)snprintf(condition, sizeof condition,
			        "__fish_seen_subcommand_from %s", verbs[i].name);
			fish_option(out, condition, option_find(verbs[i].options[j]));
		}
	}
	for (size_t j = 0; j < n_option_specs; j++)
		if (option_is_global(option_specs[j].id))
			fish_option(out, "true", &option_specs[j]);
}

/* Text for the man macros: dashes and leading dots made literal. */
static void man_text(FILE *out, const char *text)
{
	bool is_line_start = true;

	for (; *text; text++) {
		if (is_line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
		is_line_start = *text == '\n';
	}
	fputc('\n', out);
}

static void man_option(FILE *out, const struct option_spec *spec)
{
	fprintf(out, ".TP\n\\fB\\-\\-");
	for (const char *at = spec->name; *at; at++)
		fprintf(out, *at == '-' ? "\\-" : "%c", *at);
	fprintf(out, "\\fR%s%s%s\n", spec->argument ? " \\fI" : "",
	        spec->argument ? spec->argument : "", spec->argument ? "\\fR" : "");
	man_text(out, spec->meaning);
}

static void man_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, ".SS %s %s\n", verb->name, verb->operands);
	man_text(out, verb->summary);
	if (verb->details[0]) {
		fputs(".PP\n", out);
		man_text(out, verb->details);
	}
	for (size_t i = 0; i < MAX_OPTIONS && verb->options[i] != OPT_NONE; i++)
		man_option(out, option_find(verb->options[i]));
	fputs(".PP\nExample: \\fB", out);
	for (const char *at = verb->example; *at; at++)
		fprintf(out, *at == '-' ? "\\-" : "%c", *at);
	fprintf(out, "\\fR\n.PP\nFormats: %s\n", verb->formats);
}

void write_man_page(FILE *out)
{
	fprintf(out, ".TH MAILREEVE 1 \"\" \"mailreeve %s\"\n.SH NAME\n", mailreeve_version());
	fputs("mailreeve \\- configuration-as-code for Postfix, Dovecot and OpenLDAP\n.SH "
	      "SYNOPSIS\n"
	      ".B mailreeve\n[\\fIOPTION\\fR...] \\fIVERB\\fR [\\fIOPTION\\fR...] "
	      "[\\fIOPERAND\\fR...]\n.SH DESCRIPTION\n"
	      "Compares a git repository of declarative YAML with the live mail servers, applies "
	      "the difference as one\n"
	      "transaction, reads it back, probes it, and takes it back by itself when anything "
	      "fails.\n"
	      "The language is described in\n.BR mailreeve\\-repository (5),\nthe host's "
	      "configuration in\n"
	      ".BR mailreeve\\-agent.yaml (5).\n.SH VERBS\n",
	        out);
	for (size_t i = 0; i < n_verbs; i++)
		man_verb(out, &verbs[i]);
	fputs(".SH GLOBAL OPTIONS\n", out);
	for (size_t i = 0; i < n_option_specs; i++)
		if (option_is_global(option_specs[i].id))
			man_option(out, &option_specs[i]);
	fputs(".SH EXIT STATUS\n0 done; 1 unexpected error; 2 there are changes "
	      "(\\-\\-detailed\\-exitcode); 3 refused;\n"
	      "4 the saved plan is stale; 5 the apply failed and everything was rolled back; 6 the "
	      "rollback is incomplete;\n"
	      "64 usage; 65 the desired state is invalid; 69 a server could not be read "
	      "completely; 75 try again later;\n"
	      "77 a right is missing; 78 the host's configuration is wrong.\n"
	      ".SH SEE ALSO\n.BR mailreeve\\-agent.yaml (5),\n.BR mailreeve\\-repository (5)\n",
	        out);
}
