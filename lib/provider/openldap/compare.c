/*
 * When two values mean the same to the server.
 *
 * Each value gets a canonical form by the matching rule of its attribute; attributes are equal when
 * the sets of these forms are.
 */
#include "openldap/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/dn.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Without the bytes of dropped, ASCII letters lowered. */
static void add_without(mr_str value, const char *dropped, struct mr_buf *out)
{
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];

		if (!c || !strchr(dropped, c))
			mr_buf_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
}

/* Blanks count only between words, and there as one (RFC 4518 2.6.1). */
static void add_exact(mr_str value, struct mr_buf *out)
{
	value = mr_str_trim(value);
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] != ' ' || value.data[i - 1] != ' ')
			mr_buf_add_char(out, value.data[i]);
}

static void add_dn(mr_str value, struct mr_buf *out)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	mr_str key;

	if (mr_dn_key(&arena, value, &key))
		mr_buf_add_str(out, value);
	else
		mr_buf_add_str(out, key);
}

/* "DN#'0101'B": the unique identifier is optional. */
static void add_dn_and_uid(mr_str value, struct mr_buf *out)
{
	size_t cut = mr_str_rfind(value, '#');

	if (cut == value.size || !mr_str_ends(value, MR_STR("'B"))) {
		add_dn(value, out);
		return;
	}
	add_dn(mr_str_take(value, cut), out);
	mr_buf_add_str(out, mr_str_skip(value, cut));
}

static void add_oid(const struct mr_ldap_schema *schema, mr_str value, struct mr_buf *out)
{
	const struct mr_ldap_class *class = mr_ldap_class_find(schema, value);

	if (class)
		mr_buf_add_str(out, class->oid);
	else
		add_without(value, "", out);
}

static bool two_digits(mr_str *rest, int *out)
{
	if (rest->size < 2 || !is_digit(rest->data[0]) || !is_digit(rest->data[1]))
		return false;
	*out = (rest->data[0] - '0') * 10 + rest->data[1] - '0';
	*rest = mr_str_skip(*rest, 2);
	return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (counted from March, so that leap days
 * are last). */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z", "+01", "-0130": *out_seconds east of Greenwich. */
static bool read_zone(mr_str zone, int64_t *out_seconds)
{
	int hours = 0;
	int minutes = 0;
	int sign;

	if (mr_str_is(zone, "Z") || mr_str_is(zone, "z")) {
		*out_seconds = 0;
		return true;
	}
	if (!zone.size || (zone.data[0] != '+' && zone.data[0] != '-'))
		return false;
	sign = zone.data[0] == '-' ? -1 : 1;
	zone = mr_str_skip(zone, 1);
	if (!two_digits(&zone, &hours) || (zone.size && !two_digits(&zone, &minutes)) || zone.size)
		return false;
	*out_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* YYYYMMDDHH[MM[SS]][(.|,)fraction](Z|±HH[MM]) as seconds since 1970 and the fraction's digits.
 * Minutes may be left out; a fraction of anything but seconds is not read. */
static bool add_time(mr_str value, struct mr_buf *out)
{
	int part[7] = {0}; /* century, year, month, day, hour, minute, second */
	size_t n = 0;
	int64_t zone;
	mr_str fraction = {0};
	mr_str rest = value;

	while (n < 7 && two_digits(&rest, &part[n]))
		n++;
	if (n < 5)
		return false;
	if (rest.size && (rest.data[0] == '.' || rest.data[0] == ',')) {
		size_t end = 1;

		while (end < rest.size && is_digit(rest.data[end]))
			end++;
		fraction = mr_str_skip(mr_str_take(rest, end), 1);
		rest = mr_str_skip(rest, end);
		if (n < 7)
			return false;
	}
	if (!read_zone(rest, &zone))
		return false;
	while (fraction.size && fraction.data[fraction.size - 1] == '0')
		fraction.size--;
	mr_buf_printf(out, "%lld.%.*s",
	        (long long)(days_of(part[0] * 100 + part[1], part[2], part[3]) * 86400 +
	                    part[4] * 3600 + part[5] * 60 + part[6] - zone),
	        MR_FMT(fraction));
	return true;
}

void mr_ldap_value_canonical(const struct mr_ldap_schema *schema, const struct mr_ldap_type *type,
        mr_str value, struct mr_buf *out)
{
	switch (type ? type->rule : MR_LDAP_BYTES) {
	case MR_LDAP_CASE_IGNORE:
		if (mr_dn_value_fold(value, out))
			mr_buf_add_str(out, value);
		return;
	case MR_LDAP_CASE_EXACT:
		add_exact(value, out);
		return;
	case MR_LDAP_NUMERIC:
		add_without(value, " ", out);
		return;
	case MR_LDAP_TELEPHONE:
		add_without(value, " -", out);
		return;
	case MR_LDAP_DN:
		add_dn(value, out);
		return;
	case MR_LDAP_DN_AND_UID:
		add_dn_and_uid(value, out);
		return;
	case MR_LDAP_OID:
		add_oid(schema, value, out);
		return;
	case MR_LDAP_UUID:
		add_without(value, "", out);
		return;
	case MR_LDAP_TIME:
		if (add_time(value, out))
			return;
		break;
	case MR_LDAP_BYTES:
	case MR_LDAP_RULE_COUNT:
		break;
	}
	mr_buf_add_str(out, value);
}

static int by_canonical(const void *a, const void *b)
{
	return mr_str_cmp(((const struct mr_ldap_value *)a)->canonical,
	        ((const struct mr_ldap_value *)b)->canonical);
}

int mr_ldap_values_read(const struct mr_ldap_schema *schema, const struct mr_ldap_type *type,
        const struct mr_attr *attr, struct mr_arena *arena, struct mr_ldap_values *out)
{
	MR_DONE(buf) struct mr_buf buf = MR_BUF_INIT;
	mr_str rest = attr ? attr->encoded_values : (mr_str){0};
	size_t n = attr ? attr->n_values : 0;
	size_t kept = 0;
	mr_str value;

	memset(out, 0, sizeof *out);
	out->items = mr_alloc_n(arena, n, sizeof *out->items);
	while (out->n < n) {
		if (mr_attr_value_next(&rest, &value) != 1)
			return MR_E_FAILED;
		mr_buf_clear(&buf);
		mr_ldap_value_canonical(schema, type, value, &buf);
		out->items[out->n++] = (struct mr_ldap_value){
		        .text = value, .canonical = mr_str_copy(arena, mr_buf_str(&buf))};
	}
	out->n_given = n;
	qsort(out->items, n, sizeof *out->items, by_canonical);
	for (size_t i = 0; i < n; i++)
		if (!kept || !mr_str_eq(out->items[kept - 1].canonical, out->items[i].canonical))
			out->items[kept++] = out->items[i];
	out->n = kept;
	return 0;
}

bool mr_ldap_values_has(const struct mr_ldap_values *values, mr_str canonical)
{
	struct mr_ldap_value wanted = {.canonical = canonical};

	return bsearch(&wanted, values->items, values->n, sizeof wanted, by_canonical);
}

/* Superiors are implied: the server finds an inetOrgPerson by (objectClass=person) whether it says
 * so or not. */
static bool classes_of(const struct mr_ldap_schema *schema, const struct mr_attr *attr,
        struct mr_ldap_classes *out)
{
	mr_str rest = attr->encoded_values;
	mr_str value;

	out->n = 0;
	while (mr_attr_value_next(&rest, &value) == 1) {
		const struct mr_ldap_class *class = mr_ldap_class_find(schema, value);

		if (!class)
			return false;
		mr_ldap_class_closure(schema, class, out);
	}
	return true;
}

static bool holds_all(const struct mr_ldap_classes *some, const struct mr_ldap_classes *of)
{
	for (size_t i = 0; i < of->n; i++) {
		size_t j = 0;

		while (j < some->n && some->items[j] != of->items[i])
			j++;
		if (j == some->n)
			return false;
	}
	return true;
}

static bool classes_same(
        const struct mr_ldap_schema *schema, const struct mr_attr *a, const struct mr_attr *b)
{
	struct mr_ldap_classes left;
	struct mr_ldap_classes right;

	if (!classes_of(schema, a, &left) || !classes_of(schema, b, &right))
		return false;
	return holds_all(&left, &right) && holds_all(&right, &left);
}

bool mr_ldap_attr_same(const struct mr_ldap_schema *schema, const struct mr_attr *a,
        const struct mr_attr *b, const uint8_t key[32])
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	const struct mr_ldap_type *type = mr_ldap_type_find(schema, a->name);
	struct mr_ldap_values left;
	struct mr_ldap_values right;

	if (!a->n_values || !b->n_values)
		return a->n_values == b->n_values;
	if ((a->flags | b->flags) & MR_ATTR_SEALED)
		return mr_attr_same(a, b, key);
	if (mr_str_eq(a->encoded_values, b->encoded_values))
		return true;
	if (type && type->is_object_class)
		return classes_same(schema, a, b);
	if (mr_ldap_values_read(schema, type, a, &arena, &left) ||
	        mr_ldap_values_read(schema, type, b, &arena, &right) || left.n != right.n)
		return false;
	for (size_t i = 0; i < left.n; i++)
		if (!mr_str_eq(left.items[i].canonical, right.items[i].canonical))
			return false;
	return true;
}
