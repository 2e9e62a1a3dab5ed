/*
 * --help.
 */
#include "help.h"

static void help_option(FILE *out, const struct option_spec *spec)
{
	char left[48];

	(void)snprintf(left, sizeof left, "--%s%s%s", spec->name, spec->argument ? " " : "",
	        spec->argument ? spec->argument : "");
	fprintf(out, "  %-26s %s\n", left, spec->meaning);
}

static void help_global_options(FILE *out)
{
	fputs("\nGlobal options:\n", out);
	for (size_t i = 0; i < n_option_specs; i++)
		if (option_is_global(option_specs[i].id))
			help_option(out, &option_specs[i]);
}

void help_program(FILE *out)
{
	fputs("mailreeve: configuration-as-code for Postfix, Dovecot and OpenLDAP\n\n"
	      "Usage: mailreeve [OPTION…] VERB [OPTION…] [OPERAND…]\n\nVerbs:\n",
	        out);
	for (size_t i = 0; i < n_verbs; i++)
		fprintf(out, "  %-14s %s\n", verbs[i].name, verbs[i].summary);
	help_global_options(out);
	fputs("\nExit codes: 0 done, 1 unexpected error, 2 there are changes "
	      "(--detailed-exitcode), 3 refused,\n"
	      "4 the saved plan is stale, 5 rolled back, 6 rollback incomplete, 64 usage, 65 "
	      "invalid desired state,\n"
	      "69 a server could not be read, 75 try again later, 77 right missing, 78 host "
	      "configuration wrong.\n"
	      "'mailreeve VERB --help' tells more.\n",
	        out);
}

void help_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "mailreeve %s: %s\n\nUsage: mailreeve %s [OPTION…]%s%s\n", verb->name,
	        verb->summary, verb->name, verb->operands[0] ? " " : "", verb->operands);
	if (verb->details[0])
		fprintf(out, "\n%s\n", verb->details);
	if (verb->options[0] != OPT_NONE)
		fputs("\nOptions:\n", out);
	for (size_t i = 0; i < MAX_OPTIONS && verb->options[i] != OPT_NONE; i++)
		help_option(out, option_find(verb->options[i]));
	help_global_options(out);
	fprintf(out, "\nFormats: %s\nExample: %s\n", verb->formats, verb->example);
}
