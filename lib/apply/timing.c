/*
 * Time by the monotonic clock, a step at a time.
 */
#include "apply/timing.h"

#include <string.h>

#include "base/clock.h"

static const char *const names[MR_STEP_COUNT] = {
#define MR_STEP_NAME(name, what) #name,
        MR_STEPS(MR_STEP_NAME)
#undef MR_STEP_NAME
};

const char *mr_step_name(enum mr_step step)
{
	return names[step];
}

void mr_timing_end(struct mr_timing *timing)
{
	if (!timing || !timing->is_running)
		return;
	timing->ms[timing->current] += mr_clock_ms() - timing->since_ms;
	timing->is_running = false;
}

void mr_timing_enter(struct mr_timing *timing, const char *point)
{
	size_t size = strcspn(point, ":");

	for (int i = 0; timing && i < MR_STEP_COUNT; i++) {
		if (!mr_str_is((mr_str){point, size}, names[i]))
			continue;
		mr_timing_end(timing);
		timing->current = (enum mr_step)i;
		timing->was_in[i] = true;
		timing->since_ms = mr_clock_ms();
		timing->is_running = true;
	}
}

void mr_timing_json(const struct mr_timing *timing, struct mr_json *json)
{
	struct mr_timing now = *timing;

	mr_timing_end(&now);
	mr_json_begin_object(json);
	for (int i = 0; i < MR_STEP_COUNT; i++)
		if (now.was_in[i])
			mr_json_member_int(json, names[i], now.ms[i]);
	mr_json_end_object(json);
}
