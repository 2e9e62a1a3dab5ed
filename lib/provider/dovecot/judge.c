/*
 * What is declared against this server: owner, settings, password schemes. Every fault is reported
 * at its place.
 */
#include "dovecot/dovecot.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/text.h"

#define NEAR 3 /* edits between a name and one that may have been meant */

static bool resolve(mr_str name, uint64_t *out, bool is_group)
{
	struct mr_arena arena = MR_ARENA_INIT;
	const char *text = mr_str_copy(&arena, name).data;
	bool is_found = !mr_number_parse(name, UINT32_MAX - 1, out);

	if (!is_found && is_group) {
		struct group *group = getgrnam(text);

		is_found = group != NULL;
		*out = group ? group->gr_gid : 0;
	} else if (!is_found) {
		struct passwd *account = getpwnam(text);

		is_found = account != NULL;
		*out = account ? account->pw_uid : 0;
	}
	mr_arena_done(&arena);
	return is_found;
}

static void judge_owner(struct mr_backend *backend, const struct mr_accounts *accounts)
{
	uint64_t uid = 0, gid = 0;

	if (!resolve(accounts->owner_user, &uid, false)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-OWNER-UNKNOWN", &accounts->loc,
		        "the mail store's owner '%.*s' is not a user of this host",
		        MR_FMT(accounts->owner_user));
		mr_diags_hint(backend->diags, "create it, or name another in accounts.owner");
	}
	if (!resolve(accounts->owner_group, &gid, true)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-OWNER-UNKNOWN", &accounts->loc,
		        "the mail store's group '%.*s' is not a group of this host",
		        MR_FMT(accounts->owner_group));
		mr_diags_hint(backend->diags, "create it, or name another in accounts.owner");
	}
	backend->uid = (uid_t)uid;
	backend->gid = (gid_t)gid;
	backend->has_owner = true;
}

/* The known top-level name that is nearest to this one. */
static mr_str nearest(struct mr_backend *backend, struct mr_arena *arena, mr_str name)
{
	struct mr_dovecot_settings names = {0};
	mr_str best = {0};
	unsigned best_distance = NEAR + 1;

	backend->version->all_in(
	        arena, &backend->defaults, &(struct mr_dovecot_settings){0}, &names);
	mr_vec_each (known, &names.list) {
		unsigned distance;

		if (mr_str_find(known->path, '/') < known->path.size)
			continue;
		distance = mr_text_distance(name, known->path, NEAR);
		if (distance >= best_distance)
			continue;
		best = known->path;
		best_distance = distance;
	}
	mr_dovecot_settings_done(&names);
	return best;
}

static void report_unknown(
        struct mr_backend *backend, const struct mr_setting *setting, const char *hint)
{
	struct mr_arena arena = MR_ARENA_INIT;
	size_t slash = mr_str_rfind(setting->path, '/');
	mr_str name =
	        slash < setting->path.size ? mr_str_skip(setting->path, slash + 1) : setting->path;
	mr_str near = hint ? mr_str_from(hint) : nearest(backend, &arena, name);

	mr_diags_at(backend->diags, MR_ERROR, "MR-SETTING-UNKNOWN", &setting->loc,
	        "Dovecot %.*s has no setting '%.*s'", MR_FMT(backend->version_text),
	        MR_FMT(setting->path));
	mr_diags_object(backend->diags,
	        mr_str_printf(&arena, "dovecot.setting/%.*s", MR_FMT(setting->path)));
	if (hint)
		mr_diags_hint(
		        backend->diags, "it is declared as %s, in the names of Dovecot 2.4", hint);
	else if (near.size)
		mr_diags_hint(backend->diags, "did you mean '%.*s'?", MR_FMT(near));
	mr_arena_done(&arena);
}

/* Words that Dovecot's checker takes for granted: with a wrong one every TLS handshake fails. */
static bool is_word_known(mr_str path, mr_str value)
{
	static const char *const levels[] = {
	        "ANY", "LATEST", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
	size_t slash = mr_str_rfind(path, '/');

	if (!mr_str_is(slash < path.size ? mr_str_skip(path, slash + 1) : path, "ssl_min_protocol"))
		return true;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (mr_str_is(value, levels[i]))
			return true;
	return false;
}

static bool is_known(struct mr_backend *backend, mr_str path, const char **out_hint)
{
	const struct mr_dovecot_version *version = backend->version;

	if (version->knows(&backend->defaults, path, out_hint))
		return true;
	return version->hides_defaults && !mr_dovecot_learn_default_of(backend, path) &&
	       version->knows(&backend->defaults, path, out_hint);
}

static void judge_setting(struct mr_backend *backend, const struct mr_setting *setting)
{
	const char *hint = NULL;

	if (mr_dovecot_is_database(setting->path)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-SETTING-WIRED", &setting->loc,
		        "cannot set '%.*s': passdb and userdb blocks follow from accounts",
		        MR_FMT(setting->path));
	} else if (mr_str_is(setting->path, "base_dir") ||
	           mr_str_is(setting->path, "instance_name")) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-SETTING-FIXED", &setting->loc,
		        "cannot set '%.*s': the running server would be out of reach",
		        MR_FMT(setting->path));
		mr_diags_hint(
		        backend->diags, "set it in '%s' and restart Dovecot", backend->config);
	} else if (!is_known(backend, setting->path, &hint)) {
		report_unknown(backend, setting, hint);
	} else if (!mr_dovecot_conf_can_hold(setting->value) ||
	           !mr_dovecot_conf_can_hold(setting->path) ||
	           mr_str_find(setting->path, '=') < setting->path.size) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-SETTING-VALUE", &setting->loc,
		        "cannot set '%.*s': Dovecot's configuration cannot hold a control "
		        "character",
		        MR_FMT(setting->path));
	} else if (!is_word_known(setting->path, setting->value)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-SETTING-VALUE", &setting->loc,
		        "cannot set '%.*s': '%.*s' is none of its words", MR_FMT(setting->path),
		        MR_FMT(setting->value));
	} else {
		mr_dovecot_settings_set(&backend->desired,
		        &(struct mr_dovecot_setting){
		                .path = mr_str_copy(&backend->arena, setting->path),
		                .value = mr_str_copy(&backend->arena, setting->value),
		                .is_sensitive = setting->is_sensitive,
		                .loc = {mr_str_copy(&backend->arena, setting->loc.path),
		                        setting->loc.line, setting->loc.column}});
	}
}

static int judge_settings(struct mr_backend *backend, struct mr_desired *desired)
{
	struct mr_setting setting;
	struct mr_iter iter;
	int code = mr_desired_begin_setting(desired, &iter);

	if (code)
		return code;
	while ((code = mr_desired_next_setting(&iter, &setting)) > 0)
		judge_setting(backend, &setting);
	mr_desired_end(&iter);
	return code;
}

/* "{SHA512-CRYPT.b64}…" -> " SHA512-CRYPT " in the list of schemes. */
static bool is_scheme_known(mr_str schemes, mr_str password)
{
	mr_str name = mr_str_take(mr_str_skip(password, 1), mr_str_find(password, '}') - 1);

	name = mr_str_take(name, mr_str_find(name, '.'));
	while (schemes.size > 0) {
		mr_str scheme = mr_str_split(&schemes, ' ');

		if (scheme.size && scheme.size == name.size &&
		        !strncasecmp(scheme.data, name.data, name.size))
			return true;
	}
	return false;
}

/* Whether no log-in gets by with this password since its scheme is too weak for this version. */
static bool is_scheme_refused(struct mr_backend *backend, mr_str password)
{
	mr_str schemes = mr_str_from(
	        backend->version->refused_schemes ? backend->version->refused_schemes : "");
	const struct mr_dovecot_setting *declared =
	        mr_dovecot_settings_find(&backend->desired, MR_STR("auth_allow_weak_schemes"));
	mr_str allows = declared ? declared->value : (mr_str){0};

	if (!declared)
		(void)backend->version->value_in(&backend->arena, &backend->base,
		        MR_STR("auth_allow_weak_schemes"), &allows);
	if (mr_str_is(allows, "yes"))
		return false;
	if (mr_str_starts(password, MR_STR("{CRYPT}$1$")))
		password = MR_STR("{MD5-CRYPT}");
	return is_scheme_known(schemes, password);
}

static void judge_password(struct mr_backend *backend, mr_str schemes, const struct mr_user *user)
{
	mr_str password = user->password.text;
	mr_str scheme = mr_str_take(password, mr_str_find(password, '}') + 1);

	if (password.size == 0)
		return; /* none, or a secret that is not resolved here */
	if (password.data[0] != '{' || mr_str_find(password, '}') == password.size) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-PASSWORD-SCHEME", &user->loc,
		        "the password of '%.*s' does not say its scheme", MR_FMT(user->address));
		mr_diags_hint(backend->diags,
		        "write {SCHEME}hash, as 'mailreeve hash-password' prints it");
	} else if (!is_scheme_known(schemes, password)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-PASSWORD-SCHEME", &user->loc,
		        "the password of '%.*s' has the scheme %.*s, which Dovecot does not offer "
		        "here",
		        MR_FMT(user->address), MR_FMT(scheme));
		mr_diags_hint(backend->diags, "'doveadm pw -l' lists the schemes");
	} else if (is_scheme_refused(backend, password)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-PASSWORD-SCHEME", &user->loc,
		        "the password of '%.*s' has the scheme %.*s, which Dovecot %.*s refuses as "
		        "too weak at every log-in",
		        MR_FMT(user->address), MR_FMT(scheme), MR_FMT(backend->version_text));
		mr_diags_hint(backend->diags,
		        "hash the password again, or set auth_allow_weak_schemes: yes");
	} else if (mr_str_find(password, ':') < password.size ||
	           !mr_dovecot_conf_can_hold(password)) {
		mr_diags_at(backend->diags, MR_ERROR, "MR-PASSWORD-FORM", &user->loc,
		        "the password of '%.*s' has a character that a passwd-file cannot hold",
		        MR_FMT(user->address));
		mr_diags_hint(backend->diags, "encode it: {SCHEME.b64}…");
	}
}

static void judge_user(struct mr_backend *backend, mr_str schemes, const struct mr_user *user)
{
	judge_password(backend, schemes, user);
	if (mr_str_find(user->mail_home, ':') < user->mail_home.size ||
	        !mr_dovecot_conf_can_hold(user->mail_home))
		mr_diags_at(backend->diags, MR_ERROR, "MR-MAIL-HOME", &user->loc,
		        "the mail home of '%.*s' has a character that a passwd-file cannot hold",
		        MR_FMT(user->address));
	if (user->address.data[0] == '#')
		mr_diags_at(backend->diags, MR_ERROR, "MR-ADDRESS-FORM", &user->loc,
		        "the address '%.*s' would be a comment in a passwd-file",
		        MR_FMT(user->address));
}

static int judge_users(struct mr_backend *backend, struct mr_desired *desired, bool *out_has_quota,
        uint64_t *out_n)
{
	struct mr_arena arena = MR_ARENA_INIT;
	struct mr_iter iter;
	struct mr_user user;
	mr_str schemes;
	int code = mr_dovecot_schemes(backend, &arena, &schemes);

	*out_has_quota = false;
	*out_n = 0;
	if (!code)
		code = mr_desired_begin_user(desired, &iter);
	if (!code) {
		while ((code = mr_desired_next_user(&iter, &user)) > 0) {
			if (user.state == MR_USER_CLOSED)
				continue;
			judge_user(backend, schemes, &user);
			*out_has_quota |= user.has_quota || user.quota_messages;
			++*out_n;
		}
		mr_desired_end(&iter);
	}
	mr_arena_done(&arena);
	return code;
}

int mr_dovecot_judge(struct mr_backend *backend, struct mr_desired *desired)
{
	const struct mr_accounts *accounts = mr_desired_accounts(desired);
	size_t errors = backend->diags->n_errors;
	bool has_quota = false;
	uint64_t n_users = 0;
	int code = mr_dovecot_learn_defaults(backend);

	if (!code)
		code = mr_dovecot_learn_base(backend);
	if (!code)
		code = judge_settings(backend, desired);
	if (!code && accounts && accounts->is_declared) {
		judge_owner(backend, accounts);
		code = judge_users(backend, desired, &has_quota, &n_users);
	}
	if (code)
		return code;
	if (backend->diags->n_errors > errors)
		return MR_E_INVALID;
	return mr_dovecot_wire(backend, desired, has_quota, n_users);
}
