/*
 * From rows to the language's words: which attribute of which object an item stands for.
 *
 * For the plan room alone.
 */
#ifndef MR_PLAN_WORDS_H
#define MR_PLAN_WORDS_H

#include "plan/change.h"

enum mr_word_kind {
	MR_WORD_PLAIN,    /* the attribute's values as they stand */
	MR_WORD_LIST,     /* one value "a, b": shown as a list */
	MR_WORD_MEMBER,   /* the item is one member of a list attribute */
	MR_WORD_CONSTANT, /* that the item is there means this value */
	MR_WORD_HIDDEN,
};

struct mr_word {
	enum mr_word_kind kind;
	mr_str name;   /* "aliases" */
	mr_str member; /* MEMBER: "al@example.org"; CONSTANT: "relay" */
};

/* body is that of the item on either side. Views point into the arguments or are static. */
void mr_words_of(const struct mr_collection *in, mr_str object, mr_str key, mr_str body,
        const struct mr_attr *attr, struct mr_word *out);
/* Whether the item is the one that its object is counted by and that creates and removes it: the
 * passwd row of a user, the row of a domain in a table of domains, an alias's own row; everywhere
 * else the item whose key the object is named by. */
bool mr_words_is_primary(
        const struct mr_collection *in, mr_str object, mr_str key, bool has_passwd);
/* "example.org" of "domain/example.org". */
mr_str mr_words_name(mr_str object);
/* "example.org" of "a@example.org" and of "@example.org". */
mr_str mr_words_domain(mr_str address);
/* What a user's state means to people; NULL for a word that is no state. */
const char *mr_words_state_means(mr_str state);
/* "name of a group of objects": user -> users. */
const char *mr_words_plural(mr_str object);
/* The table's name when the collection is one ("virtual_alias_maps"), else the empty view. */
mr_str mr_words_table(const struct mr_collection *in);

#endif
