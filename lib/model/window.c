/*
 * Windows: days and hours when something may be done.
 */
#include "base/text.h"
#include "model/policy.h"

static const char day_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static int day_of(mr_str name)
{
	for (int i = 0; i < 7; i++)
		if (mr_str_is(name, day_names[i]))
			return i;
	return -1;
}

/* "Sat", "Mon-Fri", "Sat,Sun" and mixtures: the days as bits; 0 for anything else. */
static unsigned parse_days(mr_str text)
{
	unsigned days = 0;

	while (text.data) {
		mr_str part = mr_str_split(&text, ',');
		mr_str first = mr_str_split(&part, '-');
		int from = day_of(first), to = part.data ? day_of(part) : from;

		if (from < 0 || to < 0)
			return 0;
		for (int day = from; day != to; day = (day + 1) % 7)
			days |= 1U << day;
		days |= 1U << to;
	}
	return days;
}

static bool two_digits(const char *text, unsigned *out)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*out = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return true;
}

/* "02:00" up to "24:00". */
static int parse_minutes(mr_str text, unsigned *out)
{
	unsigned hour, minute;

	if (text.size != 5 || text.data[2] != ':' || !two_digits(text.data, &hour) ||
	        !two_digits(text.data + 3, &minute) || hour > 24 || minute > 59 ||
	        (hour == 24 && minute))
		return MR_E_INVALID;
	*out = hour * 60 + minute;
	return 0;
}

int mr_window_parse(mr_str text, struct mr_window *out)
{
	struct mr_window window = {.text = text, .days = 0x7F};
	mr_str rest = mr_str_trim(text);
	mr_str start;

	if (mr_str_find(rest, ' ') < rest.size) {
		window.days = parse_days(mr_str_split(&rest, ' '));
		rest = mr_str_trim(rest);
	}
	start = mr_str_split(&rest, '-');
	if (!window.days || !rest.data || parse_minutes(start, &window.start_minutes) < 0 ||
	        parse_minutes(rest, &window.end_minutes) < 0 ||
	        window.start_minutes == window.end_minutes)
		return MR_E_INVALID;
	*out = window;
	return 0;
}

bool mr_window_is_open(const struct mr_window *window, unsigned weekday, unsigned minutes)
{
	bool is_day = window->days >> weekday & 1, was_day = window->days >> (weekday + 6) % 7 & 1;

	if (window->start_minutes < window->end_minutes)
		return is_day && minutes >= window->start_minutes && minutes < window->end_minutes;
	return (is_day && minutes >= window->start_minutes) ||
	       (was_day && minutes < window->end_minutes);
}
