/*
 * Byte views: text and bytes that somebody else owns.
 *
 * A view is passed by value. It is not NUL terminated unless a contract says so. Order and equality
 * are bytewise everywhere in the program, so that sorted streams from different places can be
 * merged.
 */
#ifndef MR_BASE_STR_H
#define MR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mr_str {
	const char *data;
	size_t size;
} mr_str;

/* A view of a string literal, usable in static tables. */
#define MR_STR(literal) ((mr_str){(literal), sizeof(literal) - 1})
#define MR_STR_INIT(literal)                                                                       \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

/* For "%.*s": the two arguments of a view, evaluated more than once; printf wants no NULL, even of
 * no bytes. */
#define MR_FMT(s) (int)(s).size, (s).data ? (s).data : ""

/* A view of a NUL-terminated string; NULL gives the empty view. */
mr_str mr_str_from(const char *text);

/* <0, 0, >0 as memcmp: the shorter is less when one is a prefix of the other. */
int mr_str_cmp(mr_str a, mr_str b);
bool mr_str_eq(mr_str a, mr_str b);
bool mr_str_is(mr_str a, const char *text);
bool mr_str_starts(mr_str s, mr_str prefix);
bool mr_str_ends(mr_str s, mr_str suffix);

/* Offset of the first / last byte c, or s.size when there is none. */
size_t mr_str_find(mr_str s, char c);
size_t mr_str_rfind(mr_str s, char c);

/* The view without its first n bytes / only its first n bytes; n may exceed the size. */
mr_str mr_str_skip(mr_str s, size_t n);
mr_str mr_str_take(mr_str s, size_t n);

/* Without leading and trailing blanks, tabs, CR and LF. */
mr_str mr_str_trim(mr_str s);

/* Cuts *rest at the first byte c: returns what is before it and moves *rest behind it.
 * Without c the whole rest is returned and *rest becomes empty with data == NULL. */
mr_str mr_str_split(mr_str *rest, char c);
/* Cuts the next word, blanks and tabs before it dropped; empty when there is none. */
mr_str mr_str_word(mr_str *rest);

#endif
