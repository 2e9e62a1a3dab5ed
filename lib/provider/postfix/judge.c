/*
 * Judging declared parameters and rows before anything is planned: what Postfix itself would pass
 * over in silence.
 */
#include "postfix/judge.h"

#include "base/text.h"

#include <string.h>

#define NAME_DISTANCE 3

/* The declared parameters by name, kept for references among them. */
struct declared {
	struct mr_arena arena;
	MR_VEC(struct mr_parameter) list;
	mr_str classes;       /* smtpd_restriction_classes in force */
	struct mr_buf values; /* all values that may refer to a parameter: main.cf's, declared ones,
	                         master.cf's arguments */
};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static const struct mr_parameter *find_declared(const struct declared *declared, mr_str name)
{
	for (size_t i = 0; i < declared->list.n; i++)
		if (mr_str_eq(declared->list.items[i].name, name))
			return &declared->list.items[i];
	return NULL;
}

/* Whether text holds name as a whole word. */
static bool has_word(mr_str text, mr_str name)
{
	for (size_t i = 0; name.size && i + name.size <= text.size; i++)
		if (!memcmp(text.data + i, name.data, name.size) &&
		        (!i || !is_name_char(text.data[i - 1])) &&
		        (i + name.size == text.size || !is_name_char(text.data[i + name.size])))
			return true;
	return false;
}

/* Whether some value says $name, ${name…} or $(name). */
static bool is_referred_to(const struct declared *declared, mr_str name)
{
	mr_str text = mr_buf_str(&declared->values);

	for (size_t i = mr_str_find(text, '$'); i < text.size;) {
		size_t skip = i + 1 < text.size && strchr("{(", text.data[i + 1]) ? 2 : 1;
		mr_str rest = mr_str_skip(text, i + skip);

		if (mr_str_starts(rest, name) &&
		        (rest.size == name.size || !is_name_char(rest.data[name.size])))
			return true;
		i += 1 + mr_str_find(mr_str_skip(text, i + 1), '$');
	}
	return false;
}

/* relay_destination_concurrency_limit and the like, for each service of master.cf. */
static bool belongs_to_service(const struct mr_backend *backend, mr_str name)
{
	static const char *const suffixes[] = {"_delivery_slot_cost", "_delivery_slot_discount",
	        "_delivery_slot_loan", "_destination_concurrency_failed_cohort_limit",
	        "_destination_concurrency_limit", "_destination_concurrency_negative_feedback",
	        "_destination_concurrency_positive_feedback", "_destination_rate_delay",
	        "_destination_recipient_limit", "_extra_recipient_limit",
	        "_initial_destination_concurrency", "_minimum_delivery_slots", "_recipient_limit",
	        "_recipient_refill_delay", "_recipient_refill_limit", "_time_limit",
	        "_transport_rate_delay"};

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		mr_str suffix = mr_str_from(suffixes[i]);

		if (mr_str_ends(name, suffix) &&
		        mr_postconf_service(
		                &backend->postconf, mr_str_take(name, name.size - suffix.size)))
			return true;
	}
	return false;
}

/* ldap:NAME and its like take their settings from NAME_server_host, … */
static bool belongs_to_table(const struct declared *declared, mr_str name)
{
	static const char *const types[] = {"ldap:", "mysql:", "pgsql:", "sqlite:", "memcache:"};
	mr_str text = mr_buf_str(&declared->values);

	for (size_t i = mr_str_find(name, '_'); i < name.size;
	        i += 1 + mr_str_find(mr_str_skip(name, i + 1), '_'))
		for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
			mr_str type = mr_str_from(types[k]);

			for (size_t at = 0; at + type.size + i <= text.size; at++)
				if (mr_str_starts(mr_str_skip(text, at), type) &&
				        mr_str_starts(mr_str_skip(text, at + type.size),
				                mr_str_take(name, i)))
					return true;
		}
	return false;
}

static bool is_known(const struct mr_backend *backend, const struct declared *declared, mr_str name)
{
	return mr_postconf_default(&backend->postconf, name) ||
	       mr_str_is(name, "config_directory") || has_word(declared->classes, name) ||
	       belongs_to_service(backend, name) || is_referred_to(declared, name) ||
	       belongs_to_table(declared, name);
}

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

static void judge_name(struct mr_backend *backend, const struct declared *declared,
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
	if (is_known(backend, declared, parameter->name))
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

static void judge_reference(struct mr_backend *backend, const struct declared *declared,
        const struct mr_parameter *parameter, mr_str name)
{
	if (mr_postconf_default(&backend->postconf, name) || find_declared(declared, name) ||
	        mr_maincf_find(&backend->main, name) || is_wired_name(backend, name) ||
	        mr_str_is(name, "config_directory"))
		return;
	mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-REFERENCE", &parameter->loc,
	        "parameter '%.*s' refers to '$%.*s', which is set nowhere and would be empty",
	        MR_FMT(parameter->name), MR_FMT(name));
	finish_error(backend, parameter, "declare it, or write '$$' for a dollar sign");
}

static void judge_references(struct mr_backend *backend, const struct declared *declared,
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
		for (end = start; end < value.size && is_name_char(value.data[end]);)
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

static void judge_restrictions(struct mr_backend *backend, const struct declared *declared,
        const struct mr_parameter *parameter)
{
	mr_str rest = parameter->value, word, nearest;
	bool takes_argument;

	while ((word = list_word(&rest)).size) {
		if (mr_str_find(word, '$') < word.size || mr_str_find(word, ':') < word.size ||
		        word.data[0] == '{' || has_word(declared->classes, word) ||
		        (word.data[0] >= '0' && word.data[0] <= '9'))
			continue;
		if (mr_postfix_is_restriction(word, &takes_argument)) {
			if (takes_argument && !list_word(&rest).size) {
				mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-RESTRICTION",
				        &parameter->loc,
				        "restriction '%.*s' in '%.*s' needs an argument",
				        MR_FMT(word), MR_FMT(parameter->name));
				finish_error(backend, parameter, NULL);
			}
			continue;
		}
		nearest = mr_postfix_nearest_restriction(word);
		mr_diags_at(backend->diags, MR_ERROR, "MR-PARAMETER-RESTRICTION", &parameter->loc,
		        "Postfix has no restriction '%.*s' (in '%.*s')", MR_FMT(word),
		        MR_FMT(parameter->name));
		finish_error(backend, parameter,
		        nearest.size ? mr_str_printf(&backend->arena, "did you mean '%.*s'?",
		                               MR_FMT(nearest))
		                               .data
		                     : "name it in smtpd_restriction_classes when it is a class of "
		                       "your own");
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

static int gather(struct mr_backend *backend, struct mr_desired *desired, struct declared *declared)
{
	struct mr_iter iter;
	struct mr_parameter parameter;
	int code = mr_desired_begin_parameter(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_parameter(&iter, &parameter)) > 0) {
		parameter.name = mr_str_copy(&declared->arena, parameter.name);
		parameter.value = mr_maincf_normal(&declared->arena, parameter.value);
		parameter.loc.path = mr_str_copy(&declared->arena, parameter.loc.path);
		mr_vec_push(&declared->list, parameter);
		mr_buf_add_str(&declared->values, parameter.value);
		mr_buf_add_char(&declared->values, '\n');
		if (parameter.is_sensitive)
			mr_vec_push(
			        &backend->sensitive, mr_str_copy(&backend->arena, parameter.name));
	}
	mr_desired_end(&iter);
	return code;
}

/* What the host itself says may refer to a declared parameter as well. */
static void add_host_values(struct mr_backend *backend, struct declared *declared)
{
	const struct mr_parameter *classes =
	        find_declared(declared, MR_STR("smtpd_restriction_classes"));

	for (size_t i = 0; i < backend->main.entries.n; i++) {
		mr_buf_add_str(&declared->values, backend->main.entries.items[i].value);
		mr_buf_add_char(&declared->values, '\n');
	}
	for (size_t i = 0; i < backend->postconf.services.n; i++) {
		mr_buf_add_str(&declared->values, backend->postconf.services.items[i].arguments);
		mr_buf_add_char(&declared->values, '\n');
	}
	declared->classes =
	        classes ? classes->value
	                : mr_postfix_value(backend, MR_STR("smtpd_restriction_classes"));
}

static void judge_parameter(struct mr_backend *backend, const struct declared *declared,
        const struct mr_parameter *parameter)
{
	judge_name(backend, declared, parameter);
	judge_wired(backend, parameter);
	judge_value(backend, parameter);
	judge_references(backend, declared, parameter);
	judge_types(backend, parameter);
	if (mr_postfix_is_restriction_list(parameter->name) ||
	        has_word(declared->classes, parameter->name))
		judge_restrictions(backend, declared, parameter);
}

int mr_postfix_judge(struct mr_backend *backend, struct mr_desired *desired)
{
	struct declared declared = {0};
	size_t errors = backend->diags->n_errors;
	int code;

	mr_arena_init(&declared.arena);
	code = gather(backend, desired, &declared);
	if (!code) {
		add_host_values(backend, &declared);
		for (size_t i = 0; i < declared.list.n; i++)
			judge_parameter(backend, &declared, &declared.list.items[i]);
	}
	for (size_t i = 0; i < backend->tables.n && !code; i++)
		if (backend->tables.items[i].is_desired && backend->tables.items[i].wired < 0)
			code = mr_postfix_judge_rows(backend, desired, &backend->tables.items[i]);
	mr_vec_done(&declared.list);
	mr_buf_done(&declared.values);
	mr_arena_done(&declared.arena);
	return !code && backend->diags->n_errors > errors ? MR_E_INVALID : code;
}
