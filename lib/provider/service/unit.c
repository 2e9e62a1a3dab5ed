/*
 * What the manager says of a unit, and which unit runs a server here.
 */
#include "service/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#define UNIT_INTERFACE    MR_MANAGER_NAME ".Unit"
#define SERVICE_INTERFACE MR_MANAGER_NAME ".Service"

/*
 * Units by server, the likelier first. Debian 12 runs Postfix as an instance below an empty
 * postfix.service of Type=oneshot; on Debian 13 postfix.service is the daemon and the instance of
 * the main configuration can be loaded but not started.
 */
static const struct {
	enum mr_served server;
	const char *unit;
} candidates[] = {
        {MR_SERVED_POSTFIX, "postfix.service"},
        {MR_SERVED_POSTFIX, "postfix@-.service"},
        {MR_SERVED_DOVECOT, "dovecot.service"},
        {MR_SERVED_SLAPD, "slapd.service"},
};

static const char *const server_names[MR_SERVED_COUNT] = {
        [MR_SERVED_POSTFIX] = "Postfix",
        [MR_SERVED_DOVECOT] = "Dovecot",
        [MR_SERVED_SLAPD] = "OpenLDAP",
};

static const struct {
	const char *interface;
	const char *name;
	size_t offset;
} properties[] = {
        {UNIT_INTERFACE, "LoadState", offsetof(struct mr_unit, load)},
        {UNIT_INTERFACE, "ActiveState", offsetof(struct mr_unit, active)},
        {UNIT_INTERFACE, "SubState", offsetof(struct mr_unit, sub)},
        {UNIT_INTERFACE, "UnitFileState", offsetof(struct mr_unit, file)},
        {SERVICE_INTERFACE, "Result", offsetof(struct mr_unit, result)},
        {SERVICE_INTERFACE, "Type", offsetof(struct mr_unit, type)},
};

const char *mr_served_name(enum mr_served server)
{
	return server_names[server];
}

bool mr_service_own_unit(char *out, size_t size)
{
	char *unit = NULL;
	bool is_service = sd_pid_get_unit(0, &unit) >= 0 && strstr(unit, ".service");

	(void)snprintf(out, size, "%s", is_service ? unit : "");
	free(unit);
	return is_service;
}

static int read_text(struct mr_manager *manager, const char *path, size_t i, struct mr_arena *arena,
        struct mr_unit *out)
{
	char *text = NULL;
	int result = sd_bus_get_property_string(manager->bus, MR_MANAGER_NAME, path,
	        properties[i].interface, properties[i].name, NULL, &text);

	if (result >= 0)
		*(mr_str *)((char *)out + properties[i].offset) =
		        mr_str_copy(arena, mr_str_from(text));
	free(text);
	return result;
}

/* A unit that is not loaded, or is no manager, lacks some of these: those stay empty. */
static int read_properties(
        struct mr_manager *manager, const char *path, struct mr_arena *arena, struct mr_unit *out)
{
	int result = 0;

	for (size_t i = 0; i < sizeof properties / sizeof *properties && result >= 0; i++) {
		if (mr_manager_left_ms(manager) == 0)
			return -ETIMEDOUT;
		(void)sd_bus_set_method_call_timeout(
		        manager->bus, (uint64_t)mr_manager_left_ms(manager) * 1000);
		result = read_text(manager, path, i, arena, out);
		if (result < 0 && !strcmp(properties[i].interface, SERVICE_INTERFACE) &&
		        result != -ETIMEDOUT)
			result = 0;
	}
	if (result >= 0 && out->type.size &&
	        sd_bus_get_property_trivial(manager->bus, MR_MANAGER_NAME, path, SERVICE_INTERFACE,
	                "MainPID", NULL, 'u', &out->main_pid) < 0)
		out->main_pid = 0;
	return result;
}

int mr_manager_look(
        struct mr_manager *manager, const char *unit, struct mr_arena *arena, struct mr_unit *out)
{
	const char *const texts[] = {unit, NULL};
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *answer = NULL;
	struct mr_unit found = {.name = unit};
	const char *path;
	int result = mr_manager_call(manager, "LoadUnit", texts, &error, &answer);

	if (result >= 0)
		result = sd_bus_message_read_basic(answer, 'o', &path);
	if (result >= 0)
		result = read_properties(manager, path, arena, &found);
	if (result >= 0)
		*out = found;
	else
		result = mr_manager_fail(manager, "ask for unit", unit, result, &error);
	sd_bus_message_unref(answer);
	sd_bus_error_free(&error);
	return result < 0 ? result : 0;
}

/* An empty umbrella over others has no process of its own and takes no reload for them. */
static bool is_daemon(const struct mr_unit *unit)
{
	return mr_str_is(unit->load, "loaded") && !mr_str_is(unit->type, "oneshot");
}

static bool is_running(const struct mr_unit *unit)
{
	return mr_str_is(unit->active, "active") && mr_str_is(unit->sub, "running");
}

static int fail_none(struct mr_manager *manager, enum mr_served server, const struct mr_unit *last)
{
	(void)mr_fail(manager->diags, MR_E_NOT_FOUND, "systemd knows no unit for %s: '%s' is %.*s",
	        mr_served_name(server), last->name, MR_FMT(last->load));
	mr_diags_hint(manager->diags,
	        "is the server's package installed? services: {manager: direct} is for servers "
	        "without a unit");
	return MR_E_NOT_FOUND;
}

int mr_manager_find(struct mr_manager *manager, enum mr_served server, struct mr_arena *arena,
        struct mr_unit *out)
{
	struct mr_unit unit = {0}, best = {0};

	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
		int code;

		if (candidates[i].server != server)
			continue;
		code = mr_manager_look(manager, candidates[i].unit, arena, &unit);
		if (code)
			return code;
		if (is_daemon(&unit) && (!best.name || (is_running(&unit) && !is_running(&best))))
			best = unit;
	}
	if (!best.name)
		return fail_none(manager, server, &unit);
	*out = best;
	return 0;
}
