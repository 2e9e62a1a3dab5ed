/*
 * A bus of our own and a manager that this program plays on it: the real broker, and systemd's side
 * of the talk as a table of units whose jobs end as the table says.
 */
#ifndef TESTS_SERVICE_MANAGER_H
#define TESTS_SERVICE_MANAGER_H

#include "service/service.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cmocka.h>

#define MANAGER "org.freedesktop.systemd1"

struct bench {
	char directory[64];
	char socket[128];
	pid_t broker, manager;
	struct mr_diags diags;
	struct mr_arena arena;
	int64_t began_ms;
};

/* Each unit is a fixed answer: what it is, and how a job on it ends (NULL: never). */
static const struct played {
	const char *unit, *path, *load, *active, *sub, *type, *result;
} played[] = {
        {"postfix.service", "/u/postfix", "loaded", "active", "exited", "oneshot", "done"},
        {"postfix@-.service", "/u/postfix_inst", "loaded", "active", "running", "forking", "done"},
        {"dovecot.service", "/u/dovecot", "loaded", "failed", "failed", "simple", "failed"},
        {"slapd.service", "/u/slapd", "not-found", "inactive", "dead", "", "done"},
        {"slow.service", "/u/slow", "loaded", "active", "running", "simple", NULL},
        {"gone.service", "/u/gone", "not-found", "inactive", "dead", "", "nosuch"},
        {"assert.service", "/u/assert", "loaded", "inactive", "dead", "forking", "assert"},
};

/* As newer hosts have it. */
static const struct played newer[] = {
        {"postfix.service", "/u/postfix", "loaded", "inactive", "dead", "forking", "done"},
        {"postfix@-.service", "/u/postfix_inst", "loaded", "inactive", "dead", "forking", "assert"},
};
static bool plays_newer; /* decided before the manager is started */

static const struct played *find_unit(const char *name, const char *path)
{
	for (size_t i = 0; plays_newer && i < sizeof newer / sizeof *newer; i++)
		if ((name && !strcmp(newer[i].unit, name)) ||
		        (path && !strcmp(newer[i].path, path)))
			return &newer[i];
	for (size_t i = 0; i < sizeof played / sizeof *played; i++)
		if ((name && !strcmp(played[i].unit, name)) ||
		        (path && !strcmp(played[i].path, path)))
			return &played[i];
	return NULL;
}

static int on_load(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *name;
	const struct played *unit;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(message, "s", &name) < 0 || !(unit = find_unit(name, NULL)))
		return -EINVAL;
	return sd_bus_reply_method_return(message, "o", unit->path);
}

static int on_subscribe(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	(void)error;
	*(bool *)arg = true;
	return sd_bus_reply_method_return(message, NULL);
}

/* The signal may come before the answer, and others' jobs end too. */
static int on_job(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	sd_bus *bus = sd_bus_message_get_bus(message);
	const char *name, *mode;
	const struct played *unit;

	if (sd_bus_message_read(message, "ss", &name, &mode) < 0 || !(unit = find_unit(name, NULL)))
		return -EINVAL;
	if (unit->result && !strcmp(unit->result, "nosuch"))
		return sd_bus_error_setf(
		        error, MANAGER ".NoSuchUnit", "Unit %s not found.", unit->unit);
	if (unit->result && *(bool *)arg) {
		(void)sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER ".Manager",
		        "JobRemoved", "uoss", 6, "/job/6", "other.service", "failed");
		(void)sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER ".Manager",
		        "JobRemoved", "uoss", 7, "/job/7", name, unit->result);
	}
	return sd_bus_reply_method_return(message, "o", "/job/7");
}

static int on_property(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct played *unit = find_unit(NULL, path);

	(void)bus;
	(void)interface;
	(void)arg;
	(void)error;
	if (!strcmp(property, "MainPID"))
		return sd_bus_message_append(reply, "u", 42);
	return sd_bus_message_append(reply, "s",
	        !strcmp(property, "LoadState")     ? unit->load
	        : !strcmp(property, "ActiveState") ? unit->active
	        : !strcmp(property, "SubState")    ? unit->sub
	        : !strcmp(property, "Type")        ? unit->type
	        : !strcmp(property, "Result")      ? "exit-code"
	                                           : "enabled");
}

static const sd_bus_vtable manager_table[] = {SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("LoadUnit", "s", "o", on_load, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Subscribe", NULL, NULL, on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RestartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ReloadUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END};
static const sd_bus_vtable unit_table[] = {SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LoadState", "s", on_property, 0, 0),
        SD_BUS_PROPERTY("ActiveState", "s", on_property, 0, 0),
        SD_BUS_PROPERTY("SubState", "s", on_property, 0, 0),
        SD_BUS_PROPERTY("UnitFileState", "s", on_property, 0, 0), SD_BUS_VTABLE_END};
static const sd_bus_vtable service_table[] = {SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Result", "s", on_property, 0, 0),
        SD_BUS_PROPERTY("Type", "s", on_property, 0, 0),
        SD_BUS_PROPERTY("MainPID", "u", on_property, 0, 0), SD_BUS_VTABLE_END};

/* In a child: plays the manager until it is killed; writes a byte when it can be called. */
static void play_manager(int ready)
{
	bool is_subscribed = false;
	sd_bus *bus = NULL;
	int result = sd_bus_open_system(&bus);

	result = result < 0 ? result
	                    : sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1",
	                              MANAGER ".Manager", manager_table, &is_subscribed);
	for (size_t i = 0; i < sizeof played / sizeof *played && result >= 0; i++) {
		result = sd_bus_add_object_vtable(
		        bus, NULL, played[i].path, MANAGER ".Unit", unit_table, NULL);
		if (result >= 0)
			result = sd_bus_add_object_vtable(
			        bus, NULL, played[i].path, MANAGER ".Service", service_table, NULL);
	}
	if (result >= 0)
		result = sd_bus_request_name(bus, MANAGER, 0);
	if (result < 0 || write(ready, "x", 1) != 1)
		_exit(1);
	while (sd_bus_process(bus, NULL) >= 0)
		(void)sd_bus_wait(bus, UINT64_MAX);
	_exit(0);
}

static void wait_for_byte(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
}

static void start_broker(struct bench *bench)
{
	char config[128], option[160], print[32];
	int ends[2];
	FILE *file;

	snprintf(config, sizeof config, "%s/bus.conf", bench->directory);
	file = fopen(config, "w");
	assert_non_null(file);
	fprintf(file,
	        "<busconfig><type>system</type><listen>unix:path=%s</listen>"
	        "<policy context='default'><allow send_destination='*' eavesdrop='true'/>"
	        "<allow receive_sender='*'/><allow own='*'/><allow user='*'/></policy>"
	        "</busconfig>",
	        bench->socket);
	fclose(file);
	assert_int_equal(pipe(ends), 0);
	bench->broker = fork();
	assert_true(bench->broker >= 0);
	if (bench->broker == 0) {
		snprintf(print, sizeof print, "--print-address=%d", ends[1]);
		snprintf(option, sizeof option, "--config-file=%s", config);
		(void)!freopen("/dev/null", "w", stderr); /* it may not raise its limits here */
		execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", option, print,
		        (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	wait_for_byte(ends[0]);
	close(ends[0]);
}

static void start_manager(struct bench *bench)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	bench->manager = fork();
	assert_true(bench->manager >= 0);
	if (bench->manager == 0)
		play_manager(ends[1]);
	close(ends[1]);
	wait_for_byte(ends[0]);
	close(ends[0]);
}

static void end_process(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

#endif
