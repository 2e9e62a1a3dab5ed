/*
 * Jobs of the manager: asked for, and their end awaited.
 */
#include "service/bus.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

static const struct {
	const char *name;
	const char *method;
} verbs[MR_SERVICE_VERB_COUNT] = {
        [MR_SERVICE_START] = {"start", "StartUnit"},
        [MR_SERVICE_STOP] = {"stop", "StopUnit"},
        [MR_SERVICE_RESTART] = {"restart", "RestartUnit"},
        [MR_SERVICE_RELOAD] = {"reload", "ReloadUnit"},
};

/* What the results of JobRemoved mean (org.freedesktop.systemd1(5)). */
static const struct {
	const char *result;
	const char *meaning;
} meanings[] = {
        {"failed", "it failed"},
        {"canceled", "another job took its place"},
        {"timeout", "systemd gave up waiting for it"},
        {"dependency", "a unit that it needs failed"},
        {"skipped", "it does not apply to the unit as it is"},
        {"assert", "an assertion of the unit does not hold"},
        {"collected", "the unit went away"},
        {"invalid", "the unit knows no such job"},
};

struct job {
	mr_str path; /* the arena's */
	char result[32];
	bool is_over;
};

const char *mr_service_verb_name(enum mr_service_verb verb)
{
	return verbs[verb].name;
}

static int on_removed(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct job *job = arg;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0 ||
	        !mr_str_is(job->path, path))
		return 0;
	(void)strncpy(job->result, result, sizeof job->result - 1);
	job->is_over = true;
	return 0;
}

/* Without a subscriber the manager sends no signals. */
static int listen_for(
        struct mr_manager *manager, struct job *job, sd_bus_slot **out_slot, sd_bus_error *error)
{
	sd_bus_message *answer = NULL;
	int result = sd_bus_match_signal(manager->bus, out_slot, MR_MANAGER_NAME, MR_MANAGER_PATH,
	        MR_MANAGER_INTERFACE, "JobRemoved", on_removed, job);

	if (result >= 0)
		result = mr_manager_call(manager, "Subscribe", NULL, error, &answer);
	sd_bus_message_unref(answer);
	return result;
}

static int enqueue(struct mr_manager *manager, const char *unit, enum mr_service_verb verb,
        struct mr_arena *arena, struct job *job, sd_bus_error *error)
{
	const char *const texts[] = {unit, "replace", NULL};
	sd_bus_message *answer = NULL;
	const char *path;
	int result = mr_manager_call(manager, verbs[verb].method, texts, error, &answer);

	if (result >= 0)
		result = sd_bus_message_read_basic(answer, 'o', &path);
	if (result >= 0)
		job->path = mr_str_copy(arena, mr_str_from(path));
	sd_bus_message_unref(answer);
	return result;
}

static const char *meaning_of(const char *result)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (!strcmp(meanings[i].result, result))
			return meanings[i].meaning;
	return "its result is not known here";
}

static int fail_job(struct mr_manager *manager, const char *unit, enum mr_service_verb verb,
        const struct job *job)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_unit now = {0};
	struct mr_buf standing = MR_BUF_INIT;

	if (!mr_manager_look(manager, unit, &arena, &now))
		mr_buf_printf(&standing, "; the unit is %.*s (%.*s), its result '%.*s'",
		        MR_FMT(now.active), MR_FMT(now.sub), MR_FMT(now.result));
	(void)mr_fail(manager->diags, MR_E_FAILED,
	        "cannot %s '%s': its job ended with '%s', %s%.*s", verbs[verb].name, unit,
	        job->result, meaning_of(job->result), MR_FMT(mr_buf_str(&standing)));
	mr_diags_hint(manager->diags, "journalctl -u %s", unit);
	mr_buf_done(&standing);
	return MR_E_FAILED;
}

static int fail_late(struct mr_manager *manager, const char *unit, enum mr_service_verb verb)
{
	(void)mr_fail(manager->diags, MR_E_TIMEOUT,
	        "cannot %s '%s': its job did not end within %u s", verbs[verb].name, unit,
	        manager->timeout_ms / 1000);
	mr_diags_hint(manager->diags, "systemctl list-jobs; journalctl -u %s", unit);
	return MR_E_TIMEOUT;
}

static int fail_call(struct mr_manager *manager, const char *unit, enum mr_service_verb verb,
        int result, const sd_bus_error *error)
{
	if (!sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchUnit") &&
	        !sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitMasked") &&
	        !sd_bus_error_has_name(error, "org.freedesktop.systemd1.JobTypeNotApplicable"))
		return mr_manager_fail(manager, verbs[verb].name, unit, result, error);
	(void)mr_fail(manager->diags, MR_E_FAILED, "cannot %s '%s': %s", verbs[verb].name, unit,
	        error->message);
	mr_diags_hint(manager->diags, "systemctl status %s", unit);
	return MR_E_FAILED;
}

int mr_manager_run(struct mr_manager *manager, const char *unit, enum mr_service_verb verb)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct job job = {0};
	sd_bus_slot *slot = NULL;
	int code = 0;
	int result = listen_for(manager, &job, &slot, &error);

	if (result >= 0)
		result = enqueue(manager, unit, verb, &arena, &job, &error);
	while (result >= 0 && !job.is_over)
		result = mr_manager_turn(manager);
	if (result == -ETIMEDOUT && job.path.size)
		code = fail_late(manager, unit, verb);
	else if (result < 0)
		code = fail_call(manager, unit, verb, result, &error);
	else if (strcmp(job.result, "done") != 0)
		code = fail_job(manager, unit, verb, &job);
	sd_bus_slot_unref(slot);
	sd_bus_error_free(&error);
	return code;
}

int mr_service_control(struct mr_diags *diags, enum mr_served server, enum mr_service_verb verb,
        unsigned timeout_ms)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	struct mr_manager *manager = NULL;
	struct mr_unit unit;
	int code;

	if (!mr_service_is_booted()) {
		(void)mr_fail(diags, MR_E_CONFIG, "cannot %s %s: systemd does not run this machine",
		        verbs[verb].name, mr_served_name(server));
		mr_diags_hint(diags, "set services: {manager: direct} in agent.yaml");
		return MR_E_CONFIG;
	}
	code = mr_manager_open(diags, timeout_ms, &manager);
	if (!code)
		code = mr_manager_find(manager, server, &arena, &unit);
	if (!code)
		code = mr_manager_run(manager, unit.name, verb);
	mr_manager_close(manager);
	return code;
}
