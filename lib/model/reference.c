/*
 * The reference page: the tables of the language as Markdown.
 */
#include "model/kinds.h"
#include "model/policy.h"
#include "model/rules.h"
#include "model/schema.h"

/* What is written where: the titles and where the kind stands in a file. */
static const struct {
	enum mr_kind_id kind;
	const char *place;
} sections[] = {
        {MR_KIND_accounts, "accounts"},
        {MR_KIND_domain, "domains.DOMAIN"},
        {MR_KIND_user, "domains.DOMAIN.users.LOCAL, domains.DOMAIN.defaults, defaults.user"},
        {MR_KIND_alias, "domains.DOMAIN.aliases.LOCAL (a list alone is `to`)"},
        {MR_KIND_table, "postfix.tables.NAME"},
        {MR_KIND_ldap_tree, "ldap.trees.DN"},
        {MR_KIND_host, "hosts.NAME (and the common sections)"},
        {MR_KIND_waiver, "policy.waive[]"},
};

/* A cell: '|' would end it. */
static void add_cell(struct mr_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			mr_buf_add_char(out, '\\');
		mr_buf_add_char(out, *text);
	}
}

static void add_words(struct mr_buf *out, const char *words)
{
	mr_str rest = mr_str_from(words);
	bool is_first = true;

	while (rest.data) {
		mr_str word = mr_str_split(&rest, ' ');

		if (mr_str_starts(word, MR_STR("!")))
			continue;
		mr_buf_printf(out, "%s`%.*s`", is_first ? " " : ", ", MR_FMT(word));
		is_first = false;
	}
}

static void add_field(struct mr_buf *out, const struct mr_field *field)
{
	mr_buf_printf(out, "| `%s` | ", field->name);
	add_cell(out, mr_type_text(field->type));
	if (field->words)
		add_words(out, field->words);
	if (mr_field_may_be_secret(field) && field->type != MR_TYPE_PASSWORD &&
	        !(field->flags & (MR_FIELD_UNENFORCED | MR_FIELD_UNSUPPORTED)))
		mr_buf_add_text(out, ", or a secret");
	mr_buf_add_text(out, " | ");
	add_cell(out, field->meaning);
	if (field->flags & MR_FIELD_UNENFORCED)
		mr_buf_add_text(out, " (refused: no configured backend can enforce it)");
	if (field->flags & MR_FIELD_UNSUPPORTED)
		mr_buf_add_text(out, " (refused: not supported by this version)");
	mr_buf_add_text(out, " |\n");
}

static void add_section(struct mr_buf *out, enum mr_kind_id id, const char *place)
{
	const struct mr_kind *kind = mr_kind_get(id);

	mr_buf_printf(out,
	        "\n## %s: %s\n\nAt `%s`.\n\n| attribute | value | meaning |\n|---|---|---|\n",
	        kind->name, kind->title, place);
	for (size_t i = 0; i < kind->n_fields; i++)
		add_field(out, &kind->fields[i]);
}

static void add_policy(struct mr_buf *out)
{
	mr_buf_add_text(out, "\n## policy: the rails\n\nLimits that `policy.max_change` may name, "
	                     "and what holds when it does "
	                     "not.\n\n| limit | built in |\n|---|---|\n");
	for (size_t i = 0; i < mr_policy_builtin()->n_limits; i++)
		mr_buf_printf(out, "| `%.*s` | %.*s |\n", MR_FMT(mr_policy_builtin()->limits[i].id),
		        MR_FMT(mr_policy_builtin()->limits[i].text));
	mr_buf_add_text(out, "\n`protect` lists object names, `windows` has `restart` and `apply` "
	                     "(such as `Sat 02:00-05:00`), "
	                     "`allow.password_schemes` lists schemes, `waive` lists waivers.\n");
}

static void add_rules(struct mr_buf *out)
{
	size_t n;
	const struct mr_rule *rules = mr_rules(&n);

	mr_buf_add_text(out, "\n## Rules\n\n| rule | | reports |\n|---|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		mr_buf_printf(out, "| %s | %s | ", rules[i].id,
		        rules[i].severity == MR_ERROR ? "error" : "warning");
		add_cell(out, rules[i].meaning);
		mr_buf_add_text(out, " |\n");
	}
}

void mr_model_write_reference(struct mr_buf *out)
{
	mr_buf_add_text(out,
	        "# Reference of the language\n\nWritten by the program from its tables "
	        "(`lib/model/kinds`, "
	        "`lib/model/rules.def`): do not edit.\n\n"
	        "Sections: `mailreeve`, `accounts`, `defaults`, `domains`, `transports`, "
	        "`postfix`, `dovecot`, "
	        "`ldap`, `roles`, `hosts`, `policy`. Known, and refused by this version: `relays`, "
	        "`tls_policies`, `postfix.services`.\n");
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		add_section(out, sections[i].kind, sections[i].place);
	add_policy(out);
	add_rules(out);
}
