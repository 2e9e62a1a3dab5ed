/*
 * Checks of one user by itself.
 */
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "model/values.h"
#include "source/checks.h"

static bool is_allowed(const struct mr_policy *policy, mr_str scheme)
{
	for (size_t i = 0; i < policy->allowed_schemes.n; i++) {
		mr_str allowed = policy->allowed_schemes.items[i];

		if (allowed.size == scheme.size &&
		        !strncasecmp(allowed.data, scheme.data, scheme.size))
			return true;
	}
	return false;
}

void mr_check_password(struct mr_desired *desired, struct mr_diags *diags, const struct mr_loc *loc,
        mr_str object, mr_str password)
{
	mr_str scheme = mr_password_scheme(password);

	if (!scheme.size) {
		mr_diags_at(diags, MR_ERROR, "MR-PASSWORD-SCHEME", loc,
		        "the password does not begin with its {SCHEME}");
	} else if (mr_password_scheme_is_weak(scheme) && !is_allowed(&desired->policy, scheme)) {
		mr_diags_at(diags, MR_ERROR, "MR-PASSWORD-WEAK", loc,
		        "password scheme %.*s is plain text or weak", MR_FMT(scheme));
		mr_diags_hint(diags, "use ARGON2ID or SHA512-CRYPT, or allow it in "
		                     "policy.allow.password_schemes");
	} else {
		return;
	}
	mr_diags_object(diags, object);
}

static void check_password(struct mr_check *check, const struct mr_object *object,
        const struct mr_user *user, const struct mr_domain_facts *facts, mr_str name)
{
	const struct mr_merged_leaf *leaf =
	        mr_user_leaf(check->desired, facts, object, MR_F_USER_PASSWORD, NULL);
	struct mr_loc loc = leaf ? mr_leaf_loc(leaf, &check->desired->paths) : user->loc;

	if (leaf && !user->password.is_secret_reference)
		mr_check_password(check->desired, check->diags, &loc, name, user->password.text);
	if (leaf || check->diags->n_errors || user->state == MR_USER_CLOSED ||
	        user->state == MR_USER_NO_LOGIN || !user->services)
		return;
	mr_diags_at(check->diags, MR_WARNING, "MR-USER-NO-PASSWORD", &loc,
	        "user '%.*s' has no password and cannot log in", MR_FMT(user->address));
	mr_diags_hint(check->diags, "say 'state: no_login' when that is meant");
	mr_diags_object(check->diags, name);
}

static void check_expiry(struct mr_check *check, const struct mr_object *object,
        const struct mr_domain_facts *facts, mr_str name)
{
	const struct mr_merged_leaf *leaf =
	        mr_user_leaf(check->desired, facts, object, MR_F_USER_EXPIRES, NULL);
	struct mr_loc loc;
	int64_t days;

	if (!leaf || mr_date_parse(mr_leaf_text(&leaf->leaf), &days) < 0 ||
	        days >= check->desired->today_days)
		return;
	loc = mr_leaf_loc(leaf, &check->desired->paths);
	mr_diags_at(check->diags, MR_WARNING, "MR-EXPIRED", &loc,
	        "user '%.*s' expired on %.*s and is closed", MR_FMT(object->key),
	        MR_FMT(mr_leaf_text(&leaf->leaf)));
	mr_diags_object(check->diags, name);
}

static void check_home(struct mr_check *check, const struct mr_object *object,
        const struct mr_user *user, const struct mr_domain_facts *facts)
{
	const struct mr_merged_leaf *leaf =
	        mr_user_leaf(check->desired, facts, object, MR_F_USER_MAIL_HOME, NULL);
	mr_str home = leaf ? mr_leaf_text(&leaf->leaf) : check->desired->accounts.mail_home;

	if (user->id.size) {
		if (mr_str_find(user->id, '/') < user->id.size || mr_str_is(user->id, "..") ||
		        mr_str_is(user->id, "."))
			mr_diags_at(check->diags, MR_ERROR, "MR-TYPE-PATH", &user->loc,
			        "the id of user '%.*s' cannot stand in a path",
			        MR_FMT(user->address));
		return;
	}
	for (size_t i = 0; i + 1 < home.size; i++)
		if (home.data[i] == '%' && home.data[i + 1] == 'i') {
			mr_diags_at(check->diags, MR_ERROR, "MR-KEY-MISSING", &user->loc,
			        "user '%.*s' has no 'id', which its mail_home needs for %%i",
			        MR_FMT(user->address));
			return;
		}
}

/* The old name must be free, or mail of two users would be mixed up. */
static void check_rename(
        struct mr_check *check, const struct mr_object *object, const struct mr_user *user)
{
	const struct mr_merged_leaf *leaf = mr_object_leaf(object, MR_F_USER_RENAMED_FROM);
	struct mr_user old;
	struct mr_loc loc;

	if (!leaf || !mr_desired_find_user(check->desired, user->renamed_from, &old))
		return;
	loc = mr_leaf_loc(leaf, &check->desired->paths);
	mr_diags_at(check->diags, MR_ERROR, "MR-RENAME", &loc,
	        "user '%.*s' cannot be renamed from '%.*s', which is %s", MR_FMT(user->address),
	        MR_FMT(user->renamed_from),
	        mr_str_eq(old.address, user->address) ? "the same name" : "still a user");
}

void mr_check_user(
        struct mr_check *check, const struct mr_object *object, const struct mr_user *user)
{
	const struct mr_domain_facts *facts = mr_domain_facts_find(check->desired, user->domain);
	char buffer[300];
	int size = snprintf(buffer, sizeof buffer, "user/%.*s", MR_FMT(user->address));
	mr_str name = {buffer, size < (int)sizeof buffer ? (size_t)size : sizeof buffer - 1};

	check_password(check, object, user, facts, name);
	check_expiry(check, object, facts, name);
	check_home(check, object, user, facts);
	if (user->renamed_from.size)
		check_rename(check, object, user);
}
