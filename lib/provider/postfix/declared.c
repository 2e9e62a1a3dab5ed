/*
 * Which names of parameters mean something: Postfix's own, those of services and tables, and those
 * that some value refers to.
 */
#include "postfix/declared.h"

#include "postfix/maincf.h"

#include <string.h>

bool mr_is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

const struct mr_parameter *mr_declared_find(const struct mr_declared *declared, mr_str name)
{
	for (size_t i = 0; i < declared->list.n; i++)
		if (mr_str_eq(declared->list.items[i].name, name))
			return &declared->list.items[i];
	return NULL;
}

bool mr_has_word(mr_str text, mr_str name)
{
	for (size_t i = 0; name.size && i + name.size <= text.size; i++)
		if (!memcmp(text.data + i, name.data, name.size) &&
		        (!i || !mr_is_name_char(text.data[i - 1])) &&
		        (i + name.size == text.size || !mr_is_name_char(text.data[i + name.size])))
			return true;
	return false;
}

/* Whether some value says $name, ${name…} or $(name). */
static bool is_referred_to(const struct mr_declared *declared, mr_str name)
{
	mr_str text = mr_buf_str(&declared->values);

	for (size_t i = mr_str_find(text, '$'); i < text.size;) {
		size_t skip = i + 1 < text.size && strchr("{(", text.data[i + 1]) ? 2 : 1;
		mr_str rest = mr_str_skip(text, i + skip);

		if (mr_str_starts(rest, name) &&
		        (rest.size == name.size || !mr_is_name_char(rest.data[name.size])))
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
static bool belongs_to_table(const struct mr_declared *declared, mr_str name)
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

bool mr_declared_knows(
        const struct mr_backend *backend, const struct mr_declared *declared, mr_str name)
{
	return mr_postconf_default(&backend->postconf, name) ||
	       mr_str_is(name, "config_directory") || mr_has_word(declared->classes, name) ||
	       belongs_to_service(backend, name) || is_referred_to(declared, name) ||
	       belongs_to_table(declared, name);
}

int mr_declared_gather(
        struct mr_backend *backend, struct mr_desired *desired, struct mr_declared *declared)
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

void mr_declared_add_host(struct mr_backend *backend, struct mr_declared *declared)
{
	const struct mr_parameter *classes =
	        mr_declared_find(declared, MR_STR("smtpd_restriction_classes"));

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

void mr_declared_done(struct mr_declared *declared)
{
	mr_vec_done(&declared->list);
	mr_buf_done(&declared->values);
	mr_arena_done(&declared->arena);
}
