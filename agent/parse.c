/*
 * Reads the command line.
 */
#include "parse.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

static const char *const format_words[] = {
        [MAILREEVE_TEXT] = "text",
        [MAILREEVE_JSON] = "json",
        [MAILREEVE_MARKDOWN] = "markdown",
        [MAILREEVE_HTML] = "html",
        [MAILREEVE_GITHUB] = "github",
        [MAILREEVE_SARIF] = "sarif",
};

static const char default_config[] = "/etc/mailreeve/agent.yaml";

enum { N_FORMATS = sizeof format_words / sizeof format_words[0] };

struct parsing {
	struct request *request;
	size_t n_allow;
	size_t n_fail_on;
	size_t n_class_bytes;
};

static int complain(const char *what, const char *subject, const char *hint)
{
	fprintf(stderr, "mailreeve: %s '%s'  (hint: %s)\n", what, subject, hint);
	return MAILREEVE_USAGE;
}

/* Whether a list of words, parted by blanks, has this one. */
static bool has_word(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = words; size > 0 && (at = strstr(at, word)) != NULL; at += size)
		if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
			return true;
	return false;
}

static unsigned common_prefix(const char *a, const char *b)
{
	unsigned n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static const char *nearest_verb(const char *word)
{
	const char *best = "--help";
	unsigned best_length = 1;

	for (size_t i = 0; i < n_verbs; i++)
		if (common_prefix(verbs[i].name, word) > best_length) {
			best = verbs[i].name;
			best_length = common_prefix(verbs[i].name, word);
		}
	return best;
}

static int parse_format(const char *value, struct request *request)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (strcmp(value, format_words[i]) == 0) {
			request->format = (enum mailreeve_format)i;
			return 0;
		}
	return complain("unknown format", value, "text, json, markdown, html, github or sarif");
}

/* The durations of the language: 30s 5m 12h. */
static int parse_duration(const char *value, unsigned *out_seconds)
{
	char *end = NULL;
	unsigned long n;
	unsigned long unit = 0;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (end != value && end[0] && !end[1])
		unit = end[0] == 's' ? 1 : end[0] == 'm' ? 60 : end[0] == 'h' ? 3600 : 0;
	if (errno || unit == 0 || n > UINT_MAX / 1000 / 3600 || value[0] == '-')
		return complain("no duration:", value, "write 30s, 5m or 1h");
	*out_seconds = (unsigned)(n * unit);
	return 0;
}

static int parse_lock_timeout(const char *value, struct request *request)
{
	unsigned seconds = 0;
	int status = parse_duration(value, &seconds);

	request->lock_timeout_ms = seconds * 1000;
	return status;
}

static int add_repeat(const char **list, size_t *n, const char *value)
{
	if (*n >= MAX_REPEATS)
		return complain("too many options like", value, "64 at most");
	list[(*n)++] = value;
	return 0;
}

/* "a,b" counts as two. */
static int add_classes(struct parsing *parsing, const char *value)
{
	struct request *request = parsing->request;
	size_t size = strlen(value) + 1;
	char *rest = request->classes + parsing->n_class_bytes;
	int status = 0;

	if (size > sizeof request->classes - parsing->n_class_bytes)
		return complain("too many classes", value, "each counts once");
	memcpy(rest, value, size);
	parsing->n_class_bytes += size;
	for (char *word; !status && (word = strsep(&rest, ",")) != NULL;)
		if (word[0])
			status = add_repeat(request->fail_on, &parsing->n_fail_on, word);
	return status;
}

static int take_option(struct parsing *parsing, const struct option_spec *spec, const char *value)
{
	struct request *request = parsing->request;

	if (request->values[spec->id] && !spec->is_repeatable)
		return complain("option given twice:", spec->name, "give it once");
	request->values[spec->id] = value;
	if (spec->id == OPT_FORMAT)
		return parse_format(value, request);
	if (spec->id == OPT_LOCK_TIMEOUT)
		return parse_lock_timeout(value, request);
	if (spec->id == OPT_CONFIRM_WITHIN)
		return parse_duration(value, &request->confirm_within_seconds);
	if (spec->id == OPT_ALLOW)
		return add_repeat(request->allow, &parsing->n_allow, value);
	if (spec->id == OPT_FAIL_ON)
		return add_classes(parsing, value);
	if (spec->id == OPT_COLOR && !has_word(spec->words, value))
		return complain("unknown value of --color", value, spec->words);
	return 0;
}

static const struct option_spec *find_option(const char *text, size_t size)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if (strlen(option_specs[i].name) == size &&
		        memcmp(option_specs[i].name, text, size) == 0)
			return &option_specs[i];
	return NULL;
}

/* argv[*at] begins with "--". Moves *at over a value of its own. */
static int parse_option(struct parsing *parsing, int argc, char **argv, int *at)
{
	const char *text = argv[*at] + 2;
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : strlen(text);
	const struct option_spec *spec = find_option(text, size);

	if (!spec)
		return complain("unknown option", argv[*at], "mailreeve VERB --help lists them");
	if (!spec->argument)
		return equals ? complain("option takes no value:", argv[*at],
		                        "leave out what follows the =")
		              : take_option(parsing, spec, "");
	if (equals)
		return take_option(parsing, spec, equals + 1);
	if (*at + 1 >= argc)
		return complain("option needs a value:", argv[*at], spec->argument);
	return take_option(parsing, spec, argv[++*at]);
}

static int take_word(struct request *request, const char *word)
{
	if (!request->verb) {
		request->verb = verb_find(word);
		return request->verb ? 0 : complain("unknown verb", word, nearest_verb(word));
	}
	if (request->n_operands >= request->verb->max_operands)
		return complain(
		        "unexpected operand", word, "mailreeve VERB --help says what it takes");
	request->operands[request->n_operands++] = word;
	return 0;
}

static int check_fit(const struct request *request)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if (request->values[option_specs[i].id] &&
		        !verb_has_option(request->verb, option_specs[i].id))
			return complain("this verb has no option", option_specs[i].name,
			        "mailreeve VERB --help lists them");
	if (!has_word(request->verb->formats, format_words[request->format]))
		return complain("this verb does not write the format",
		        format_words[request->format], request->verb->formats);
	if (request->values[OPT_DIR] && request->values[OPT_REF])
		return complain("two sources:", "--dir and --ref", "give one of them");
	return 0;
}

int parse_request(int argc, char **argv, struct request *out)
{
	struct parsing parsing = {.request = out};
	bool is_ended = false;
	int status = 0;

	*out = (struct request){0};
	for (int i = 1; i < argc && !status; i++) {
		if (!is_ended && strcmp(argv[i], "--") == 0)
			is_ended = true;
		else if (!is_ended && strcmp(argv[i], "-h") == 0)
			out->values[OPT_HELP] = "";
		else if (!is_ended && strncmp(argv[i], "--", 2) == 0)
			status = parse_option(&parsing, argc, argv, &i);
		else if (!is_ended && argv[i][0] == '-' && argv[i][1])
			status = complain("unknown option", argv[i], "options have two dashes");
		else
			status = take_word(out, argv[i]);
	}
	out->has_color = terminal_has_color(out->values[OPT_COLOR]);
	if (status || out->values[OPT_HELP] || out->values[OPT_VERSION])
		return status;
	if (!out->verb)
		return complain("no verb given:", "mailreeve", "mailreeve --help lists them");
	return check_fit(out);
}

/* A verb that can do without agent.yaml reads it only when it is named, or when --ref asks for the
 * repository. */
const char *request_config(const struct request *request)
{
	if (request->values[OPT_CONFIG])
		return request->values[OPT_CONFIG];
	if (request->verb->needs_config || request->values[OPT_REF])
		return default_config;
	if (strcmp(request->verb->name, "why") == 0 && !request->values[OPT_DIR])
		return default_config;
	return NULL;
}
