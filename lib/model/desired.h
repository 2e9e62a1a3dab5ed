/*
 * The desired state of one host, as typed objects in key order: what the language room makes and
 * every backend reads.
 *
 * All values are effective: files merged, roles and hosts overlaid, defaults applied, local names
 * completed to addresses, names in canonical form (lower case, A-labels). Secrets are resolved when
 * the state was opened with a secret source, else their text is empty and is_secret_reference is
 * true.
 */
#ifndef MR_MODEL_DESIRED_H
#define MR_MODEL_DESIRED_H

#include "base/attrs.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct mr_desired; /* opaque; implemented in source/ */

struct mr_strs {
	mr_str *items;
	size_t n;
};

/* A password, which may come from {secret: NAME}. */
struct mr_value {
	mr_str text;
	bool is_secret_reference; /* text is the resolved secret: sensitive */
	bool is_set;
};

enum mr_domain_kind { MR_DOMAIN_MAILBOX, MR_DOMAIN_ALIAS, MR_DOMAIN_RELAY, MR_DOMAIN_KIND_COUNT };
enum mr_domain_state {
	MR_DOMAIN_ACTIVE,
	MR_DOMAIN_SUSPENDED,
	MR_DOMAIN_CLOSED,
	MR_DOMAIN_STATE_COUNT
};
enum mr_recipients {
	MR_RECIPIENTS_LISTED,
	MR_RECIPIENTS_PROBE,
	MR_RECIPIENTS_ANY,
	MR_RECIPIENTS_COUNT
};
enum mr_user_state {
	MR_USER_ACTIVE,
	MR_USER_NO_LOGIN,
	MR_USER_RECEIVE_ONLY,
	MR_USER_SEND_ONLY,
	MR_USER_CLOSED,
	MR_USER_STATE_COUNT
};
enum mr_service {
	MR_SERVICE_IMAP = 1,
	MR_SERVICE_POP3 = 2,
	MR_SERVICE_SUBMISSION = 4,
	MR_SERVICE_SIEVE = 8,
	MR_SERVICE_ALL = 15
};

/* The words of the enumerations as the language writes them. */
const char *mr_domain_kind_name(enum mr_domain_kind kind);
const char *mr_user_state_name(enum mr_user_state state);

struct mr_accounts {
	bool is_declared;  /* the section is there, or some domain has users */
	mr_str mail_home;  /* "/var/vmail/%d/%n" */
	mr_str mail_path;  /* "maildir:~/Maildir" */
	mr_str owner_user; /* "vmail" */
	mr_str owner_group;
	mr_str delivery; /* "lmtp:unix:private/dovecot-lmtp" */
	bool is_home_sensitive;
	struct mr_loc loc;
};

struct mr_domain {
	mr_str name;
	enum mr_domain_kind kind;
	enum mr_domain_state state;
	mr_str description;
	mr_str alias_of;  /* kind alias */
	mr_str transport; /* kind relay: "smtp:[10.20.0.5]:25"; may be empty */
	enum mr_recipients recipients;
	struct mr_strs catch_all; /* complete addresses */
	struct mr_strs addresses; /* kind relay, listed: complete addresses, sorted */
	uint64_t sensitive;       /* bit MR_F_DOMAIN_…: holds a secret */
	struct mr_loc loc;
};

struct mr_user {
	mr_str address; /* key: "alice@example.org" */
	mr_str local;
	mr_str domain;
	mr_str id;
	mr_str name;
	struct mr_value password; /* "{SCHEME}hash" */
	bool password_owner_is_git;
	enum mr_user_state state; /* as in force: expiry and the domain's state are in it already */
	unsigned services;        /* mr_service bits as declared; the state is not folded in */
	bool has_quota;
	bool is_quota_unlimited;
	uint64_t quota_bytes;
	uint64_t quota_messages;   /* 0: none */
	struct mr_strs aliases;    /* complete addresses, sorted */
	struct mr_strs forward_to; /* complete addresses, sorted */
	bool forward_keep;
	struct mr_strs send_as;    /* complete addresses, sorted */
	struct mr_strs allow_nets; /* CIDR, sorted */
	mr_str mail_home;    /* expanded for this user; with renamed_from that of the old name */
	mr_str renamed_from; /* complete address, or empty */
	uint64_t sensitive;  /* bit MR_F_USER_…: holds a secret */
	struct mr_loc loc;
};

struct mr_alias {
	mr_str address;    /* key */
	struct mr_strs to; /* complete addresses, sorted */
	bool is_sensitive; /* one of them is a secret */
	bool is_expired;
	struct mr_loc loc;
};

struct mr_transport {
	mr_str key;   /* transport(5): "partner.example", ".lab.example.org", "*" */
	mr_str value; /* "smtp:[mx.partner.example]:25" */
	bool is_sensitive;
	struct mr_loc loc;
};

struct mr_parameter { /* postfix.parameters */
	mr_str name;
	mr_str value; /* rendered: yes/no, lists joined with ", " */
	bool is_sensitive;
	struct mr_loc loc;
};

struct mr_table { /* postfix.tables */
	mr_str name;
	mr_str type;     /* "default", "cidr", "pcre", "regexp", … */
	bool is_ordered; /* entries are a list of pairs */
	struct mr_loc loc;
};

struct mr_table_row {
	mr_str key;
	mr_str value;
	bool is_sensitive;
	bool is_key_sensitive; /* ordered tables: the pattern holds a secret */
	size_t ordinal;        /* position in an ordered table, from 0 */
	struct mr_loc loc;
};

struct mr_setting {   /* dovecot.settings, flattened */
	mr_str path;  /* "service imap-login/inet_listener imaps/port": as in object names */
	mr_str value; /* 2.4's meaning; lists joined with blanks */
	bool is_sensitive;
	struct mr_loc loc;
};

struct mr_ldap_tree {
	mr_str dn;  /* as declared */
	mr_str key; /* mr_dn_key(dn) */
	bool is_exclusive;
	struct mr_loc loc;
};

struct mr_ldap_entry {
	mr_str dn;   /* as declared */
	mr_str key;  /* mr_dn_key(dn): the sort key */
	mr_str body; /* attrs.h; names as declared; MR_ATTR_LIVE for owner live, no values for null,
	              * MR_ATTR_BINARY for base64, MR_ATTR_SENSITIVE for secrets and password
	              * attributes */
	struct mr_loc loc;
};

/* One value for single facts. Views live as long as the desired state. */
const struct mr_accounts *mr_desired_accounts(const struct mr_desired *desired);
/* Digest of everything declared for this host, positions and comments aside. */
struct mr_digest mr_desired_digest(const struct mr_desired *desired);

/* Iterators: begin, then next until 0. 1 item, 0 end, <0 error. Views live until the following next
 * or end of the same iterator. Several iterators of one kind may be open at once. Order: bytewise
 * by key. */
struct mr_iter {
	struct mr_desired *desired;
	void *state;
};
#define MR_DESIRED_KINDS(X)                                                                        \
	X(domain)                                                                                  \
	X(user)                                                                                    \
	X(alias)                                                                                   \
	X(transport)                                                                               \
	X(parameter)                                                                               \
	X(table)                                                                                   \
	X(setting)                                                                                 \
	X(ldap_tree)                                                                               \
	X(ldap_entry)
#define MR_ITER_DECLARE(kind)                                                                      \
	MR_CHECK int mr_desired_begin_##kind(struct mr_desired *desired, struct mr_iter *out);     \
	MR_CHECK int mr_desired_next_##kind(struct mr_iter *iter, struct mr_##kind *out);
MR_DESIRED_KINDS(MR_ITER_DECLARE)
#undef MR_ITER_DECLARE
/* The rows of one table: by key for keyed types, in order for ordered ones. */
MR_CHECK int mr_desired_begin_table_row(
        struct mr_desired *desired, mr_str table, struct mr_iter *out);
MR_CHECK int mr_desired_next_table_row(struct mr_iter *iter, struct mr_table_row *out);
/* Releases an iterator at any point; safe twice. */
void mr_desired_end(struct mr_iter *iter);

/* Single look-ups. false when not declared. Views live until the next look-up of the same kind. */
bool mr_desired_find_user(struct mr_desired *desired, mr_str address, struct mr_user *out);
bool mr_desired_find_domain(struct mr_desired *desired, mr_str name, struct mr_domain *out);

#endif
