/*
 * A tree on a server without the syncprov overlay: nobody tells what moves, so its names and
 * entryCSNs are read now and then. A scan that is costly is made more rarely.
 */
#include "openldap/watch.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "openldap/search.h"

#define SHORTEST_S  10
#define COST_FACTOR 50 /* of the server's time at most a fiftieth is ours */

struct scanning {
	struct mr_backend *backend;
	const struct mr_provider_watch *options;
	const struct mr_ldap_scan *before;
	struct mr_ldap_scan now;
	struct mr_buf text;
	size_t n_told;
};

static void add_to_sum(struct scanning *scanning, mr_str dn, mr_str csn)
{
	struct mr_digest digest;
	uint64_t part;

	mr_buf_clear(&scanning->text);
	mr_buf_add_str(&scanning->text, dn);
	mr_buf_add_char(&scanning->text, '\0');
	mr_buf_add_str(&scanning->text, csn);
	digest = mr_digest_of(mr_buf_str(&scanning->text));
	memcpy(&part, digest.bytes, sizeof part);
	scanning->now.sum += part;
}

static bool is_newer(mr_str csn, const char *than)
{
	return mr_str_cmp(csn, mr_str_from(than)) > 0;
}

static int on_entry(void *arg, size_t index, LDAPMessage *message)
{
	struct scanning *scanning = arg;
	LDAP *handle = scanning->backend->ldap.handle;
	struct berval **values = ldap_get_values_len(handle, message, "entryCSN");
	mr_str csn = {0}, name;
	BerElement *ber = NULL;
	struct berval dn = {0};

	(void)index;
	if (values && values[0])
		csn = (mr_str){values[0]->bv_val, values[0]->bv_len};
	if (!ldap_get_dn_ber(handle, message, &ber, &dn)) {
		name = (mr_str){dn.bv_val, dn.bv_len};
		add_to_sum(scanning, name, csn);
		if (scanning->before->is_known && is_newer(csn, scanning->before->newest)) {
			scanning->n_told++;
			mr_ldap_watch_tell(handle, scanning->options, message, name);
		}
		if (is_newer(csn, scanning->now.newest) && csn.size < sizeof scanning->now.newest) {
			memcpy(scanning->now.newest, csn.data, csn.size);
			scanning->now.newest[csn.size] = '\0';
		}
	}
	ber_free(ber, 0);
	ldap_value_free_len(values);
	return 0;
}

static int64_t shortest_ms(const struct mr_provider_watch *options)
{
	uint64_t seconds = options->interval_seconds;

	return (int64_t)(seconds && seconds < SHORTEST_S ? seconds : SHORTEST_S) * 1000;
}

int mr_ldap_watch_scan(struct mr_backend *backend, const struct mr_provider_watch *options,
        mr_str dn, struct mr_ldap_scan *scan)
{
	static char *const ATTRIBUTES[] = {"entryCSN", "modifiersName", NULL};
	struct scanning scanning = {.backend = backend, .options = options, .before = scan};
	struct mr_ldap_search search = {.dns = &dn,
	        .n = 1,
	        .scope = LDAP_SCOPE_SUBTREE,
	        .attributes = ATTRIBUTES,
	        .on_entry = on_entry,
	        .arg = &scanning};
	int64_t begun_ms = mr_clock_ms(), wait_ms;
	int code = mr_ldap_search_run(&backend->ldap, &search);

	wait_ms = (mr_clock_ms() - begun_ms) * COST_FACTOR;
	mr_buf_done(&scanning.text);
	if (wait_ms < shortest_ms(options))
		wait_ms = shortest_ms(options);
	scan->next_ms = mr_clock_ms() + wait_ms;
	if (code && code != MR_E_NOT_FOUND)
		return code; /* what was known stays: the next scan compares with that */
	scanning.now.is_known = true;
	scanning.now.next_ms = scan->next_ms;
	/* what is gone, or has a new name, leaves no entryCSN behind */
	if (scan->is_known && scan->sum != scanning.now.sum && !scanning.n_told)
		options->moved(options->arg, (mr_str){0}, (mr_str){0});
	*scan = scanning.now;
	return 0;
}
