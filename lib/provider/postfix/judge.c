/*
 * Judging declared parameters and rows before anything is planned: what Postfix itself would pass
 * over in silence.
 */
#include "postfix/judge.h"

#include "base/text.h"
#include "postfix/declared.h"

#include <string.h>

#define NAME_DISTANCE 3

static mr_str nearest_name(const struct mr_backend *backend, mr_str name)
{
	unsigned best = NAME_DISTANCE + 1;
	mr_str nearest = {0};

	for (size_t i = 0; i < backend->postconf.defaults.n; i++) {
		mr_str other = backend->postconf.defaults.items[i].name;
		unsigned distance = mr_text_distance(name, other, best - 1);

		if (distance < best) {
			best = distance;
			nearest = other;
		}
	}
	return nearest;
}

static void finish_error(
        struct mr_backend *backend, const struct mr_parameter *parameter, const char *hint)
{
	if (hint)
		mr_diags_hint(backend->diags, "%s", hint);
	mr_diags_object(backend->diags,
	        mr_str_printf(&backend->arena, "postfix.parameter/%.*s", MR_FMT(parameter->name)));
}

static void judge_name(struct mr_backend *backend, const struct mr_declared *declared,
        const struct mr_parameter *parameter)
{
	static const char *const fixed[] = {"config_directory", "queue_directory", "data_directory",
	        "command_directory", "daemon_directory", "shlib_directory", "meta_directory",
	        "mail_owner", "setgid_group", "process_id_directory"};
	mr_str nearest;

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (mr_str_is(parameter->name, fixed[i])) {
			mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-FIXED", &parameter->loc,
			        "parameter '%s' belongs to the installation and is not managed",
			        fixed[i]);
			finish_error(backend, parameter, "take it out of the repository");
			return;
		}
	if (mr_declared_knows(backend, declared, parameter->name))
		return;
	nearest = nearest_name(backend, parameter->name);
	mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-UNKNOWN", &parameter->loc,
	        "Postfix has no parameter '%.*s' and nothing refers to it",
	        MR_FMT(parameter->name));
	finish_error(backend, parameter,
	        nearest.size
	                ? mr_str_printf(&backend->arena, "did you mean '%.*s'?", MR_FMT(nearest))
	                          .data
	                : NULL);
}

static bool is_wired_name(const struct mr_backend *backend, mr_str name)
{
	if (mr_str_is(name, "mailreeve"))
		return true;
	if (mr_str_is(name, "virtual_transport") && backend->is_wired[MR_WIRED_MAILBOX_DOMAINS])
		return true;
	for (int i = 0; i < MR_WIRED_COUNT; i++)
		if (backend->is_wired[i] && mr_str_eq(name, mr_wirings[i].name))
			return true;
	return false;
}

static void judge_wired(struct mr_backend *backend, const struct mr_parameter *parameter)
{
	if (!is_wired_name(backend, parameter->name))
		return;
	mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-WIRED", &parameter->loc,
	        "parameter '%.*s' is set by mailreeve itself from what is declared",
	        MR_FMT(parameter->name));
	finish_error(backend, parameter, "declare domains, users, aliases or transports instead");
}

static void judge_value(struct mr_backend *backend, const struct mr_parameter *parameter)
{
	struct mr_arena arena;
	const char *wanted;
	mr_str value;

	mr_arena_init(&arena);
	value = mr_postfix_render_value(backend, &arena, parameter->name, parameter->value);
	wanted = mr_postfix_value_problem(&backend->postconf, parameter->name, value);
	if (wanted) {
		mr_str words = mr_str_trim(mr_str_from(wanted));

		if (parameter->is_sensitive)
			value = MR_STR("(secret)");
		mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-VALUE", &parameter->loc,
		        "parameter '%.*s' cannot be '%.*s'", MR_FMT(parameter->name),
		        MR_FMT(value));
		finish_error(backend, parameter,
		        mr_str_printf(&backend->arena, "Postfix takes: %.*s", MR_FMT(words)).data);
	}
	mr_arena_done(&arena);
}

/* Values with macros of their own, filled in at delivery. */
static bool has_own_macros(mr_str name)
{
	static const char *const names[] = {"default_rbl_reply", "forward_path", "luser_relay",
	        "mailbox_command", "command_execution_directory", "debugger_command",
	        "smtpd_expansion_filter", "forward_expansion_filter",
	        "execution_directory_expansion_filter", "local_command_shell",
	        "smtpd_reject_footer", "postscreen_reject_footer",
	        "smtpd_policy_service_policy_context"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mr_str_is(name, names[i]))
			return true;
	return false;
}

static void judge_reference(struct mr_backend *backend, const struct mr_declared *declared,
        const struct mr_parameter *parameter, mr_str name)
{
	if (mr_postconf_default(&backend->postconf, name) || mr_declared_find(declared, name) ||
	        mr_maincf_find(&backend->main, name) || is_wired_name(backend, name) ||
	        mr_str_is(name, "config_directory"))
		return;
	mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-REFERENCE", &parameter->loc,
	        "parameter '%.*s' refers to '$%.*s', which is set nowhere and would be empty",
	        MR_FMT(parameter->name), MR_FMT(name));
	finish_error(backend, parameter, "declare it, or write '$$' for a dollar sign");
}

static void judge_references(struct mr_backend *backend, const struct mr_declared *declared,
        const struct mr_parameter *parameter)
{
	mr_str value = parameter->value;

	if (has_own_macros(parameter->name))
		return;
	for (size_t i = 0; i < value.size; i++) {
		size_t start, end;

		if (value.data[i] != '$')
			continue;
		if (i + 1 < value.size && value.data[i + 1] == '$') {
			i++;
			continue;
		}
		start = i + 1 + (i + 1 < value.size && strchr("{(", value.data[i + 1]));
		for (end = start; end < value.size && mr_is_name_char(value.data[end]);)
			end++;
		if (end > start)
			judge_reference(backend, declared, parameter,
			        (mr_str){value.data + start, end - start});
	}
}

/* The next word of a list; {…} is one word. */
static mr_str list_word(mr_str *rest)
{
	size_t i = 0, start, depth = 0;

	while (i < rest->size && strchr(" ,\t", rest->data[i]))
		i++;
	start = i;
	for (; i < rest->size && (depth || !strchr(" ,\t", rest->data[i])); i++) {
		if (rest->data[i] == '{')
			depth++;
		else if (rest->data[i] == '}' && depth)
			depth--;
	}
	*rest = mr_str_skip(*rest, i);
	return (mr_str){rest->data ? rest->data - (i - start) : NULL, i - start};
}

/* Words of a list that are no restrictions: references, tables, {…}, classes and numbers. */
static bool is_restriction_argument(const struct mr_declared *declared, mr_str word)
{
	return mr_str_find(word, '$') < word.size || mr_str_find(word, ':') < word.size ||
	       mr_str_starts(word, MR_STR("{")) || mr_has_word(declared->classes, word) ||
	       (word.data && word.data[0] >= '0' && word.data[0] <= '9');
}

static void refuse_restriction(
        struct mr_backend *backend, const struct mr_parameter *parameter, mr_str word)
{
	mr_str nearest = mr_postfix_nearest_restriction(word);

	mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-RESTRICTION", &parameter->loc,
	        "Postfix has no restriction '%.*s' (in '%.*s')", MR_FMT(word),
	        MR_FMT(parameter->name));
	finish_error(backend, parameter,
	        nearest.size
	                ? mr_str_printf(&backend->arena, "did you mean '%.*s'?", MR_FMT(nearest))
	                          .data
	                : "name it in smtpd_restriction_classes when it is a class of "
	                  "your own");
}

static void judge_restrictions(struct mr_backend *backend, const struct mr_declared *declared,
        const struct mr_parameter *parameter)
{
	mr_str rest = parameter->value, word;
	bool takes_argument;

	while ((word = list_word(&rest)).size) {
		if (is_restriction_argument(declared, word))
			continue;
		if (!mr_postfix_is_restriction(word, &takes_argument)) {
			refuse_restriction(backend, parameter, word);
		} else if (takes_argument && !list_word(&rest).size) {
			mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-RESTRICTION",
			        &parameter->loc, "restriction '%.*s' in '%.*s' needs an argument",
			        MR_FMT(word), MR_FMT(parameter->name));
			finish_error(backend, parameter, NULL);
		}
	}
}

/* Words "type:/path" whose type the host lacks. Transports look alike, so only absolute paths
 * count. */
static void judge_types(struct mr_backend *backend, const struct mr_parameter *parameter)
{
	mr_str rest = parameter->value, word;

	if (mr_str_ends(parameter->name, MR_STR("_transport")) ||
	        mr_str_find(parameter->value, ':') == parameter->value.size)
		return;
	while ((word = list_word(&rest)).size) {
		size_t colon = mr_str_find(word, ':');
		mr_str type = mr_str_take(word, colon), path = mr_str_skip(word, colon + 1);
		bool is_ours = mr_str_starts(path, MR_STR("${mailreeve}/")) ||
		               mr_str_starts(path, MR_STR("$mailreeve/"));

		if (mr_str_is(type, "proxy") || mr_str_is(type, "proxywrite")) {
			colon = mr_str_find(path, ':');
			type = mr_str_take(path, colon);
			path = mr_str_skip(path, colon + 1);
		}
		if (!path.size || (path.data[0] != '/' && !is_ours) || mr_str_is(type, "unix") ||
		        mr_str_is(type, "local") ||
		        mr_postconf_has_type(&backend->postconf, type) ||
		        mr_postconf_service(&backend->postconf, type))
			continue;
		mr_diags_at(backend->diags, MR_ERROR, "MR-TABLE-TYPE", &parameter->loc,
		        "parameter '%.*s' uses table type '%.*s', which this host's Postfix lacks",
		        MR_FMT(parameter->name), MR_FMT(type));
		finish_error(backend, parameter,
		        "postconf -m lists the types; packages such as postfix-pcre add some");
	}
}

static void judge_parameter(struct mr_backend *backend, const struct mr_declared *declared,
        const struct mr_parameter *parameter)
{
	judge_name(backend, declared, parameter);
	judge_wired(backend, parameter);
	judge_value(backend, parameter);
	judge_references(backend, declared, parameter);
	judge_types(backend, parameter);
	if (mr_postfix_is_restriction_list(parameter->name) ||
	        mr_has_word(declared->classes, parameter->name))
		judge_restrictions(backend, declared, parameter);
}

int mr_postfix_judge(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_declared declared = {0};
	size_t errors = backend->diags->n_errors;
	int code;

	mr_arena_init(&declared.arena);
	code = mr_declared_gather(backend, desired, &declared);
	if (!code) {
		mr_declared_add_host(backend, &declared);
		for (size_t i = 0; i < declared.list.n; i++)
			judge_parameter(backend, &declared, &declared.list.items[i]);
	}
	for (size_t i = 0; i < backend->tables.n && !code; i++)
		if (backend->tables.items[i].is_desired && backend->tables.items[i].wired < 0)
			code = mr_postfix_judge_rows(backend, desired, &backend->tables.items[i]);
	mr_declared_done(&declared);
	return !code && backend->diags->n_errors > errors ? MR_E_INVALID : code;
}
