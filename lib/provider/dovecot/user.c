/*
 * A declared user as the item that its row shall be.
 */
#include "dovecot/dovecot.h"

#include "base/text.h"
#include "model/kinds.h"

static void add_text(struct mr_attrs_builder *builder, mr_str name, unsigned flags, mr_str value)
{
	if (value.size)
		mr_attrs_add(builder, name, flags, value);
}

static void add_number(
        struct mr_attrs_builder *builder, mr_str name, unsigned flags, uint64_t number)
{
	struct mr_buf text = MR_BUF_INIT;

	mr_buf_printf(&text, "%llu", (unsigned long long)number);
	mr_attrs_add(builder, name, flags, mr_buf_str(&text));
	mr_buf_done(&text);
}

/* An attribute that holds a secret is never shown. */
static unsigned flags_of(const struct mr_user *user, enum mr_user_field field)
{
	return user->sensitive & (UINT64_C(1) << field) ? MR_ATTR_SENSITIVE : 0;
}

static void add_user_quota(struct mr_attrs_builder *builder, const struct mr_user *user)
{
	struct mr_buf text = MR_BUF_INIT;

	if (user->has_quota) {
		if (user->is_quota_unlimited || user->quota_bytes == 0)
			mr_buf_add_text(&text, "unlimited");
		else
			mr_size_format(user->quota_bytes, &text);
		mr_attrs_add(builder, MR_STR("quota"), flags_of(user, MR_F_USER_QUOTA),
		        mr_buf_str(&text));
	}
	if (user->quota_messages)
		add_number(builder, MR_STR("quota_messages"),
		        flags_of(user, MR_F_USER_QUOTA_MESSAGES), user->quota_messages);
	mr_buf_done(&text);
}

mr_str mr_dovecot_user_body(
        struct mr_backend *backend, struct mr_attrs_builder *builder, const struct mr_user *user)
{
	mr_attrs_builder_clear(builder);
	if (user->allow_nets.n) {
		mr_attrs_begin(builder, MR_STR("allow_nets"), flags_of(user, MR_F_USER_ALLOW_NETS));
		for (size_t i = 0; i < user->allow_nets.n; i++)
			mr_attrs_value(builder, user->allow_nets.items[i]);
	}
	add_number(builder, MR_STR("gid"), MR_ATTR_SILENT, backend->gid);
	add_text(
	        builder, MR_STR("mail_home"), flags_of(user, MR_F_USER_MAIL_HOME), user->mail_home);
	add_text(builder, MR_STR("name"), flags_of(user, MR_F_USER_NAME), user->name);
	add_text(builder, MR_STR("password"),
	        MR_ATTR_SENSITIVE | (user->password_owner_is_git ? 0U : (unsigned)MR_ATTR_LIVE),
	        user->password.text);
	add_user_quota(builder, user);
	mr_dovecot_add_services(builder, user->services);
	add_text(builder, MR_STR("state"), 0, mr_str_from(mr_user_state_name(user->state)));
	add_number(builder, MR_STR("uid"), MR_ATTR_SILENT, backend->uid);
	return mr_attrs_finish(builder);
}
