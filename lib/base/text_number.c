/*
 * Text: numbers, sizes, durations, dates, base64.
 */
#include "base/text.h"

#include <inttypes.h>
#include <sodium.h>
#include <time.h>

struct unit {
	char letter;
	uint64_t factor;
};

static const struct unit size_units[] = {
        {'T', UINT64_C(1) << 40},
        {'G', UINT64_C(1) << 30},
        {'M', UINT64_C(1) << 20},
        {'K', UINT64_C(1) << 10},
};

static const struct unit duration_units[] = {
        {'d', 86400},
        {'h', 3600},
        {'m', 60},
        {'s', 1},
};

#define N_UNITS 4

/* Takes a unit's letter off the end; 0 when there is none of the table's. */
static uint64_t take_factor(mr_str *text, const struct unit units[N_UNITS])
{
	for (size_t i = 0; text->size && i < N_UNITS; i++) {
		if (text->data[text->size - 1] != units[i].letter)
			continue;
		text->size--;
		return units[i].factor;
	}
	return 0;
}

static int parse_units(
        mr_str text, const struct unit units[N_UNITS], bool allows_bare, uint64_t *out)
{
	uint64_t factor = take_factor(&text, units);
	uint64_t number;

	if (!factor && !allows_bare)
		return MR_E_INVALID;
	if (mr_number_parse(text, INT64_MAX, &number) < 0)
		return MR_E_INVALID;
	if (__builtin_mul_overflow(number, factor ? factor : 1, &number) || number > INT64_MAX)
		return MR_E_INVALID;
	*out = number;
	return 0;
}

int mr_number_parse(mr_str text, uint64_t limit, uint64_t *out)
{
	uint64_t number = 0;

	if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
		return MR_E_INVALID;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return MR_E_INVALID;
		if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
		        __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
			return MR_E_INVALID;
	}
	if (number > limit)
		return MR_E_INVALID;
	*out = number;
	return 0;
}

int mr_size_parse(mr_str text, uint64_t *out_bytes)
{
	return parse_units(text, size_units, true, out_bytes);
}

void mr_size_format(uint64_t bytes, struct mr_buf *out)
{
	for (size_t i = 0; bytes && i < N_UNITS; i++) {
		if (bytes % size_units[i].factor)
			continue;
		mr_buf_printf(
		        out, "%" PRIu64 "%c", bytes / size_units[i].factor, size_units[i].letter);
		return;
	}
	mr_buf_printf(out, "%" PRIu64, bytes);
}

int mr_duration_parse(mr_str text, uint64_t *out_seconds)
{
	return parse_units(text, duration_units, false, out_seconds);
}

/* Days of the proleptic Gregorian calendar; years begin in March so that the leap day comes last.
 */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = shifted / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static int fixed_digits(mr_str text, size_t n, int64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return MR_E_INVALID;
		*out = *out * 10 + (text.data[i] - '0');
	}
	return 0;
}

static int64_t month_days(int64_t year, int64_t month)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

int mr_date_parse(mr_str text, int64_t *out_days)
{
	int64_t year, month, day;

	if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-')
		return MR_E_INVALID;
	if (fixed_digits(text, 4, &year) < 0 || fixed_digits(mr_str_skip(text, 5), 2, &month) < 0 ||
	        fixed_digits(mr_str_skip(text, 8), 2, &day) < 0)
		return MR_E_INVALID;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return MR_E_INVALID;
	*out_days = days_of(year, month, day);
	return 0;
}

/* "Z" or "+01:00", as seconds east of UTC. */
static int zone_parse(mr_str text, int64_t *out)
{
	int64_t hours, minutes;

	*out = 0;
	if (mr_str_is(text, "Z"))
		return 0;
	if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
	        fixed_digits(mr_str_skip(text, 1), 2, &hours) < 0 ||
	        fixed_digits(mr_str_skip(text, 4), 2, &minutes) < 0 || hours > 23 || minutes > 59)
		return MR_E_INVALID;
	*out = (hours * 3600 + minutes * 60) * (text.data[0] == '-' ? -1 : 1);
	return 0;
}

int mr_time_parse(mr_str text, int64_t *out_seconds)
{
	int64_t days, hours, minutes, seconds = 0, zone;
	mr_str rest = mr_str_skip(text, 16);

	if (text.size < 17 || text.data[10] != 'T' || text.data[13] != ':' ||
	        mr_date_parse(mr_str_take(text, 10), &days) < 0 ||
	        fixed_digits(mr_str_skip(text, 11), 2, &hours) < 0 ||
	        fixed_digits(mr_str_skip(text, 14), 2, &minutes) < 0)
		return MR_E_INVALID;
	if (rest.data[0] == ':') {
		if (rest.size < 4 || fixed_digits(mr_str_skip(rest, 1), 2, &seconds) < 0)
			return MR_E_INVALID;
		rest = mr_str_skip(rest, 3);
	}
	if (hours > 23 || minutes > 59 || seconds > 60 || zone_parse(rest, &zone) < 0)
		return MR_E_INVALID;
	*out_seconds = days * 86400 + hours * 3600 + minutes * 60 + seconds - zone;
	return 0;
}

static struct tm parts_of(int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm parts = {0};

	(void)gmtime_r(&when, &parts); /* fails only for years that no int holds */
	return parts;
}

void mr_date_format(int64_t days, struct mr_buf *out)
{
	struct tm parts = parts_of(days * 86400);

	/* not strftime: its %Y does not fill up to the four digits that parsing asks for */
	mr_buf_printf(out, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

void mr_time_format(int64_t seconds, struct mr_buf *out)
{
	struct tm parts = parts_of(seconds);
	char text[64];

	mr_buf_add(out, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

void mr_base64_encode(mr_str bytes, struct mr_buf *out)
{
	size_t size = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);

	(void)sodium_bin2base64(mr_buf_reserve(out, size), size, (const unsigned char *)bytes.data,
	        bytes.size, sodium_base64_VARIANT_ORIGINAL);
	out->size += size - 1;
}

int mr_base64_decode(struct mr_arena *arena, mr_str text, mr_str *out)
{
	size_t limit = text.size / 4 * 3;
	unsigned char *bytes = mr_alloc(arena, limit + 1);
	const char *end;
	size_t size;

	if (text.size % 4)
		return MR_E_INVALID;
	if (text.size == 0) {
		*out = (mr_str){(const char *)bytes, 0};
		return 0;
	}
	if (sodium_base642bin(bytes, limit, text.data, text.size, NULL, &size, &end,
	            sodium_base64_VARIANT_ORIGINAL) != 0 ||
	        end != text.data + text.size)
		return MR_E_INVALID;
	*out = (mr_str){(const char *)bytes, size};
	return 0;
}
