/*
 * A desired state made of plain arrays, handed out as the language's own room would.
 */
#ifndef MR_TESTS_DOVECOT_DECLARED_H
#define MR_TESTS_DOVECOT_DECLARED_H

#include <string.h>

#include "dovecot/dovecot.h"

/* The desired state that the iterators below hand out. */
static struct {
	struct mr_accounts accounts;
	struct mr_user users[32];
	size_t n_users;
	struct mr_setting settings[32];
	size_t n_settings;
} declared;

/* Weak, since the language's own room has the real ones. */
#define DECLARED __attribute__((weak))

DECLARED const struct mr_accounts *mr_desired_accounts(const struct mr_desired *desired)
{
	(void)desired;
	return &declared.accounts;
}

DECLARED int mr_desired_begin_user(struct mr_desired *desired, struct mr_iter *out)
{
	*out = (struct mr_iter){.desired = desired, .state = declared.users};
	return 0;
}

DECLARED int mr_desired_next_user(struct mr_iter *iter, struct mr_user *out)
{
	struct mr_user *at = iter->state;

	if (at == declared.users + declared.n_users)
		return 0;
	*out = *at;
	iter->state = at + 1;
	return 1;
}

DECLARED int mr_desired_begin_setting(struct mr_desired *desired, struct mr_iter *out)
{
	*out = (struct mr_iter){.desired = desired, .state = declared.settings};
	return 0;
}

DECLARED int mr_desired_next_setting(struct mr_iter *iter, struct mr_setting *out)
{
	struct mr_setting *at = iter->state;

	if (at == declared.settings + declared.n_settings)
		return 0;
	*out = *at;
	iter->state = at + 1;
	return 1;
}

DECLARED void mr_desired_end(struct mr_iter *iter)
{
	iter->state = NULL;
}

DECLARED const char *mr_user_state_name(enum mr_user_state state)
{
	static const char *const names[] = {
	        "active", "no_login", "receive_only", "send_only", "closed"};

	return names[state];
}

static inline void declare_accounts(void)
{
	memset(&declared, 0, sizeof declared);
	declared.accounts = (struct mr_accounts){.is_declared = true,
	        .mail_path = MR_STR("maildir:~/Maildir"),
	        .owner_user = MR_STR("mail"),
	        .owner_group = MR_STR("mail"),
	        .loc = {MR_STR("mailreeve.yaml"), 2, 1}};
}

static inline void declare_setting(const char *path, const char *value)
{
	declared.settings[declared.n_settings++] = (struct mr_setting){.path = mr_str_from(path),
	        .value = mr_str_from(value),
	        .loc = {MR_STR("dovecot.yaml"), (uint32_t)declared.n_settings, 5}};
}

#endif
