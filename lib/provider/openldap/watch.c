/*
 * Looking on while others write: a search that lasts (RFC 4533, refreshAndPersist) for each tree
 * where the server has the syncprov overlay; else the tree is scanned now and then.
 *
 * The refresh stage is skipped by starting from the present contextCSN. What moved before, or while
 * the server was away, has no name: it is told as "something" when the searches stand. A server
 * that answers no longer is noticed by a question every some seconds on the same connection.
 */
#include "openldap/watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/clock.h"
#include "model/dn.h"
#include "openldap/mirror.h"
#include "openldap/sync.h"

#define HEARTBEAT_MS     10000
#define FIRST_PAUSE_MS   500
#define LONGEST_PAUSE_MS 8000
#define AGAIN_PAUSE_MS   50
#define STEADY_MS        30000 /* a watch that stood this long counts as a success */
#define BATCH            1000  /* messages between two looks at the stop descriptor */

enum outcome { GOES_ON, IS_OVER, BEGINS_AGAIN };

struct watch;

struct spot {
	struct watch *watch;
	mr_str dn, key; /* of the tree */
	mr_str suffix;
	struct mr_ldap_sync sync;
	int id;         /* of its search; -1: none */
	bool is_wide;   /* the tree is not made yet: its whole suffix is looked at */
	bool is_polled; /* no syncprov there */
	bool is_ready;
	bool has_failed; /* its last scan */
	struct mr_ldap_scan scan;
};

struct watch {
	struct mr_backend *backend;
	const struct mr_provider_watch *options;
	struct mr_ldap live; /* the searches that last; all else goes over the backend's own */
	struct mr_arena arena, stand, round;
	struct spot *spots;
	size_t n;
	bool is_told; /* that the searches stand */
	bool is_again;
	bool has_more; /* messages that were not taken yet */
	int ping;      /* -1: none under way */
	int64_t heartbeat_ms, begun_ms;
	unsigned n_failures;
};

void mr_ldap_watch_tell(
        LDAP *handle, const struct mr_provider_watch *options, LDAPMessage *message, mr_str dn)
{
	struct mr_buf object = MR_BUF_INIT;
	struct berval **values = ldap_get_values_len(handle, message, "modifiersName");
	mr_str who = {0};

	if (values && values[0])
		who = (mr_str){values[0]->bv_val, values[0]->bv_len};
	mr_buf_add_text(&object, "ldap/");
	mr_buf_add_str(&object, dn);
	options->moved(options->arg, mr_buf_str(&object), who);
	ldap_value_free_len(values);
	mr_buf_done(&object);
}

static void tell_something(const struct watch *watch)
{
	watch->options->moved(watch->options->arg, (mr_str){0}, (mr_str){0});
}

static int on_entry(void *arg, LDAPMessage *message, mr_str uuid)
{
	struct spot *spot = arg;
	struct watch *watch = spot->watch;
	LDAP *handle = watch->live.handle;
	BerElement *ber = NULL;
	struct berval name = {0};
	mr_str dn, key = {0};

	(void)uuid;
	if (!spot->is_ready)
		return 0; /* of the refresh: "something" is told at its end */
	mr_arena_reset(&watch->round);
	if (!ldap_get_dn_ber(handle, message, &ber, &name)) {
		dn = (mr_str){name.bv_val, name.bv_len};
		if (!mr_dn_key(&watch->round, dn, &key) && mr_dn_key_is_within(key, spot->key))
			mr_ldap_watch_tell(handle, watch->options, message, dn);
		else if (!spot->is_wide)
			tell_something(watch); /* it left, under the name that it has now */
		/* the tree is made, or its root goes: another search is due */
		watch->is_again |= spot->is_wide ? mr_dn_key_is_within(key, spot->key)
		                                 : !mr_dn_key_is_within(key, spot->key) ||
		                                           mr_str_eq(key, spot->key);
	}
	ber_free(ber, 0);
	return 0;
}

static int start_search(struct spot *spot, bool is_wide)
{
	static char *attributes[] = {"modifiersName", NULL};
	mr_str cookie = spot->sync.cookie;

	spot->is_wide = is_wide;
	spot->sync = (struct mr_ldap_sync){.dn = is_wide ? spot->suffix : spot->dn,
	        .cookie = cookie,
	        .attributes = attributes,
	        .on_entry = on_entry,
	        .arg = spot,
	        .persists = true};
	return mr_ldap_sync_start(&spot->watch->live, &spot->sync, &spot->id);
}

/* Whether the server can tell of this tree, and since when. */
static int prepare(struct spot *spot)
{
	struct watch *watch = spot->watch;
	struct mr_ldap_suffix suffix = {0};
	bool has_suffix =
	        mr_ldap_context_of(watch->backend, spot->key) < watch->backend->contexts.n;
	int code = has_suffix
	                   ? mr_ldap_suffix_read(watch->backend, spot->key, &watch->round, &suffix)
	                   : 0;

	spot->id = -1;
	spot->is_polled = !suffix.csn.size;
	spot->is_ready = spot->is_polled;
	spot->suffix = suffix.dn;
	if (!spot->is_polled)
		spot->sync.cookie = mr_ldap_sync_cookie(&watch->stand, suffix.csn);
	return code;
}

static int begin(struct watch *watch)
{
	bool is_live = false;
	int code = mr_ldap_ready(watch->backend);

	watch->is_told = watch->is_again = false;
	watch->ping = -1;
	watch->begun_ms = mr_clock_ms();
	watch->heartbeat_ms = watch->begun_ms + HEARTBEAT_MS;
	mr_arena_reset(&watch->round);
	mr_arena_reset(&watch->stand);
	for (size_t i = 0; i < watch->n && !code; i++) {
		code = prepare(&watch->spots[i]);
		is_live |= !watch->spots[i].is_polled;
	}
	if (!code && is_live)
		code = mr_ldap_connect(&watch->live);
	for (size_t i = 0; i < watch->n && !code; i++)
		if (!watch->spots[i].is_polled)
			code = start_search(&watch->spots[i], false);
	/* kept for scans alone: a connection that idles is one that the server may close */
	mr_ldap_disconnect(&watch->backend->ldap);
	return code;
}

static int lost(struct watch *watch, const char *what, int result)
{
	return mr_ldap_fail(&watch->live, MR_E_UNREADABLE, what, (mr_str){0}, result, NULL);
}

static int on_end(struct spot *spot, int result)
{
	if (result == LDAP_NO_SUCH_OBJECT && !spot->is_wide)
		return start_search(spot, true);
	/* the tree's root was renamed or removed, or the server holds other content now */
	if (result == LDAP_SYNC_REFRESH_REQUIRED && spot->is_ready) {
		spot->watch->is_again = true;
		return 0;
	}
	return lost(spot->watch, "watch", result);
}

static int on_message(struct watch *watch, LDAPMessage *message)
{
	enum mr_ldap_sync_step step = MR_SYNC_GOES_ON;
	int id = ldap_msgid(message), result = 0, code = 0;

	if (id == watch->ping) {
		if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
			watch->ping = -1;
		return 0;
	}
	for (size_t i = 0; i < watch->n && !code; i++) {
		struct spot *spot = &watch->spots[i];

		if (spot->id != id)
			continue;
		code = mr_ldap_sync_take(&watch->live, &spot->sync, message, &step, &result);
		if (code)
			return lost(watch, "watch", LDAP_DECODING_ERROR);
		if (step == MR_SYNC_IS_REFRESHED)
			spot->is_ready = true;
		return step == MR_SYNC_ENDED ? on_end(spot, result) : 0;
	}
	return 0; /* of a search that ended */
}

static int receive(struct watch *watch)
{
	int code = 0;

	watch->has_more = false;
	for (size_t n = 0; watch->live.handle && n < BATCH && !code; n++) {
		struct timeval at_once = {0};
		LDAPMessage *message = NULL;
		int type = ldap_result(
		        watch->live.handle, LDAP_RES_ANY, LDAP_MSG_ONE, &at_once, &message);

		if (!type)
			return 0;
		code = type < 0 ? lost(watch, "watch", LDAP_SERVER_DOWN)
		                : on_message(watch, message);
		ldap_msgfree(message);
		watch->has_more = n + 1 == BATCH;
	}
	return code;
}

/* One that fails is tried again in its time; the others may do. */
static void scan(struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		struct spot *spot = &watch->spots[i];
		int code;

		if (!spot->is_polled || spot->scan.next_ms > mr_clock_ms())
			continue;
		code = mr_ldap_watch_scan(watch->backend, watch->options, spot->dn, &spot->scan);
		if (code)
			watch->options->trouble(watch->options->arg);
		else if (spot->has_failed)
			tell_something(watch);
		spot->has_failed = code != 0;
		mr_ldap_disconnect(&watch->backend->ldap);
	}
}

/* An answer that has not come since the last beat will not come. */
static int beat(struct watch *watch)
{
	static char *attributes[] = {LDAP_NO_ATTRS, NULL};

	watch->heartbeat_ms = mr_clock_ms() + HEARTBEAT_MS;
	if (mr_clock_ms() - watch->begun_ms > STEADY_MS)
		watch->n_failures = 0;
	if (!watch->live.handle)
		return 0;
	if (watch->ping >= 0)
		return lost(watch, "watch", LDAP_TIMEOUT);
	if (ldap_search_ext(watch->live.handle, "", LDAP_SCOPE_BASE, "(objectClass=*)", attributes,
	            0, NULL, NULL, NULL, 0, &watch->ping))
		return lost(watch, "watch", LDAP_SERVER_DOWN);
	return 0;
}

static int wait_ms(const struct watch *watch)
{
	int64_t now_ms = mr_clock_ms(), until_ms = watch->heartbeat_ms;

	for (size_t i = 0; i < watch->n; i++)
		if (watch->spots[i].is_polled && watch->spots[i].scan.next_ms < until_ms)
			until_ms = watch->spots[i].scan.next_ms;
	return watch->has_more || until_ms <= now_ms ? 0 : (int)(until_ms - now_ms) + 1;
}

/* True when the caller asked to stop. */
static bool is_stopped(const struct watch *watch, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = watch->options->stop_fd, .events = POLLIN}, {.fd = -1}};

	if (watch->live.handle && !ldap_get_option(watch->live.handle, LDAP_OPT_DESC, &fds[1].fd))
		fds[1].events = POLLIN;
	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		return true;
	return fds[0].revents != 0;
}

static bool is_standing(const struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++)
		if (!watch->spots[i].is_ready)
			return false;
	return true;
}

static int step(struct watch *watch, enum outcome *out)
{
	int code = receive(watch);

	if (!code)
		scan(watch);
	if (!code && !watch->is_told && is_standing(watch)) {
		watch->is_told = true;
		tell_something(watch);
	}
	if (!code && watch->heartbeat_ms <= mr_clock_ms()) {
		if (watch->options->is_over(watch->options->arg))
			*out = IS_OVER;
		code = beat(watch);
	}
	if (code || *out != GOES_ON)
		return code;
	if (watch->is_again)
		*out = BEGINS_AGAIN;
	else if (is_stopped(watch, wait_ms(watch)))
		*out = IS_OVER;
	return 0;
}

/* Half as much again and a random share, so that many hosts do not come back at once. */
static bool pause_is_stopped(struct watch *watch)
{
	int pause_ms = FIRST_PAUSE_MS << watch->n_failures;
	uint16_t dice = 0;

	if (pause_ms < LONGEST_PAUSE_MS)
		watch->n_failures++;
	(void)!getrandom(&dice, sizeof dice, 0); /* none is as good as any */
	pause_ms += (int)((int64_t)pause_ms * dice / UINT16_MAX / 2);
	return is_stopped(watch, pause_ms);
}

static void look_on(struct watch *watch)
{
	enum outcome outcome = BEGINS_AGAIN;

	while (outcome != IS_OVER) {
		int code = begin(watch);

		outcome = GOES_ON;
		while (!code && outcome == GOES_ON)
			code = step(watch, &outcome);
		mr_ldap_disconnect(&watch->live);
		mr_ldap_disconnect(&watch->backend->ldap);
		if (!code) {
			/* a server that ends its searches at once is not to be run down */
			if (outcome == BEGINS_AGAIN && is_stopped(watch, AGAIN_PAUSE_MS))
				outcome = IS_OVER;
			continue;
		}
		outcome = BEGINS_AGAIN;
		watch->options->trouble(watch->options->arg);
		if (watch->options->is_over(watch->options->arg) || pause_is_stopped(watch))
			outcome = IS_OVER;
	}
}

int mr_ldap_watch(struct mr_backend *backend, const struct mr_provider_watch *options)
{
	struct watch watch = {.backend = backend,
	        .options = options,
	        .live = {.diags = backend->diags, .host = backend->ldap.host, .tries_once = true},
	        .n = options->trees->n};
	int code = 0;

	watch.spots = mr_alloc_n(&watch.arena, watch.n + 1, sizeof *watch.spots);
	backend->ldap.tries_once = true;
	for (size_t i = 0; i < watch.n && !code; i++) {
		struct spot *spot = &watch.spots[i];

		*spot = (struct spot){.watch = &watch, .id = -1};
		spot->dn = mr_str_copy(&watch.arena, options->trees->items[i]);
		if (mr_dn_key(&watch.arena, spot->dn, &spot->key))
			code = mr_fail(backend->diags, MR_E_FAILED, "'%.*s' names no tree",
			        MR_FMT(spot->dn));
	}
	if (!code)
		look_on(&watch);
	backend->ldap.tries_once = false;
	mr_arena_done(&watch.arena);
	mr_arena_done(&watch.stand);
	mr_arena_done(&watch.round);
	return code;
}
