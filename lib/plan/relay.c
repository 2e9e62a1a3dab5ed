/*
 * Whether Postfix, as it will be, relays for strangers: only what can be told for certain from the
 * parameters.
 */
#include "plan/parts.h"

#include "base/text.h"

const char *const mr_relay_parameters[MR_RELAY_PARAMETER_COUNT] = {
        [MR_RELAY_MYNETWORKS] = "mynetworks",
        [MR_RELAY_MYNETWORKS_STYLE] = "mynetworks_style",
        [MR_RELAY_RELAY_RESTRICTIONS] = "smtpd_relay_restrictions",
        [MR_RELAY_RECIPIENT_RESTRICTIONS] = "smtpd_recipient_restrictions",
        [MR_RELAY_DOMAINS] = "relay_domains",
};

enum { NARROWEST_WIDE_IPV4 = 7, NARROWEST_WIDE_IPV6 = 15 };

/* The next word of a list that is parted by commas and white space; empty at the end. */
static mr_str next_word(mr_str *rest)
{
	size_t n = 0;

	while (rest->size > 0 &&
	        (rest->data[0] == ',' || mr_str_trim(mr_str_take(*rest, 1)).size == 0))
		*rest = mr_str_skip(*rest, 1);
	while (n < rest->size && rest->data[n] != ',' &&
	        mr_str_trim((mr_str){rest->data + n, 1}).size > 0)
		n++;
	mr_str word = mr_str_take(*rest, n);
	*rest = mr_str_skip(*rest, n);
	return word;
}

static bool is_wide_network(mr_str word)
{
	size_t slash = mr_str_rfind(word, '/');
	uint64_t bits;

	if (mr_str_is(word, "static:all") || mr_str_starts(word, MR_STR("static:")))
		return true;
	if (mr_str_starts(word, MR_STR("!")) || slash == word.size ||
	        mr_number_parse(mr_str_skip(word, slash + 1), 128, &bits) < 0)
		return false;
	return bits <= (mr_str_find(word, ':') < slash ? NARROWEST_WIDE_IPV6 : NARROWEST_WIDE_IPV4);
}

enum verdict { SAFE, OPEN, UNDECIDED };

/* Restrictions are tried in turn: a stranger must meet a refusal before a permit for everybody. */
static enum verdict judge_restrictions(mr_str list)
{
	bool only_warns = false;
	mr_str word;

	while ((word = next_word(&list)).size > 0) {
		bool refuses = mr_str_is(word, "reject_unauth_destination") ||
		               mr_str_is(word, "defer_unauth_destination") ||
		               mr_str_is(word, "reject") || mr_str_is(word, "defer");
		if (mr_str_is(word, "permit"))
			return OPEN;
		if (refuses && !only_warns)
			return SAFE;
		/* a class of restrictions that is defined elsewhere */
		if (mr_str_find(word, '$') < word.size)
			return UNDECIDED;
		only_warns = mr_str_is(word, "warn_if_reject");
	}
	return OPEN;
}

static const char *judge_lists(const struct mr_relay_result *result)
{
	mr_str relay = result->value[MR_RELAY_RELAY_RESTRICTIONS];
	mr_str recipient = result->value[MR_RELAY_RECIPIENT_RESTRICTIONS];

	/* not set: Postfix's own default ends with defer_unauth_destination */
	if (!relay.data || judge_restrictions(relay) != OPEN)
		return NULL;
	if (recipient.data && judge_restrictions(recipient) != OPEN)
		return NULL;
	return "neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses "
	       "strangers "
	       "(reject_unauth_destination before any permit)";
}

const char *mr_relay_judge(struct mr_arena *arena, const struct mr_relay_result *result)
{
	mr_str rest = result->value[MR_RELAY_MYNETWORKS], word;

	while ((word = next_word(&rest)).size > 0)
		if (is_wide_network(word))
			return mr_str_printf(
			        arena, "mynetworks takes '%.*s' for its own network", MR_FMT(word))
			        .data;
	if (!result->value[MR_RELAY_MYNETWORKS].data &&
	        mr_str_is(result->value[MR_RELAY_MYNETWORKS_STYLE], "class"))
		return "mynetworks_style = class takes the whole network class for its own network";
	rest = result->value[MR_RELAY_DOMAINS];
	while ((word = next_word(&rest)).size > 0)
		if (mr_str_starts(word, MR_STR("static:")) || mr_str_is(word, "*") ||
		        mr_str_is(word, ".") ||
		        (mr_str_find(word, '.') == word.size &&
		                mr_str_find(word, ':') == word.size && word.data[0] != '$' &&
		                word.data[0] != '/' && word.data[0] != '!'))
			return mr_str_printf(
			        arena, "relay_domains takes everything below '%.*s'", MR_FMT(word))
			        .data;
	return judge_lists(result);
}
