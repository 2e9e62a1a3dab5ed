/*
 * The connection to the system bus, and calls of systemd's manager over it, all under one deadline.
 *
 * sd-bus has waits of its own (90 s for the hand-shake alone); here each wait is a turn of our own
 * loop, so that the deadline holds whatever the other side does.
 */
#include "service/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

#define USEC_A_MS 1000U

bool mr_service_is_booted(void)
{
	struct stat status;

	return lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode);
}

int64_t mr_manager_left_ms(const struct mr_manager *manager)
{
	int64_t left = manager->deadline_ms - mr_clock_ms();

	return left > 0 ? left : 0;
}

static uint64_t left_usec(const struct mr_manager *manager)
{
	return (uint64_t)mr_manager_left_ms(manager) * USEC_A_MS;
}

int mr_manager_turn(struct mr_manager *manager)
{
	int result = sd_bus_process(manager->bus, NULL);

	if (result != 0)
		return result < 0 ? result : 0;
	if (left_usec(manager) == 0)
		return -ETIMEDOUT;
	result = sd_bus_wait(manager->bus, left_usec(manager));
	return result < 0 && result != -EINTR ? result : 0;
}

int mr_manager_call(struct mr_manager *manager, const char *method, const char *const *texts,
        sd_bus_error *error, sd_bus_message **out)
{
	sd_bus_message *call = NULL;
	int result = left_usec(manager) ? 0 : -ETIMEDOUT;

	if (result == 0)
		result = sd_bus_message_new_method_call(manager->bus, &call, MR_MANAGER_NAME,
		        MR_MANAGER_PATH, MR_MANAGER_INTERFACE, method);
	for (size_t i = 0; result >= 0 && texts && texts[i]; i++)
		result = sd_bus_message_append_basic(call, 's', texts[i]);
	/* a manager that nobody runs is not to be started by the asking */
	if (result >= 0)
		result = sd_bus_message_set_auto_start(call, 0);
	if (result >= 0)
		result = sd_bus_call(manager->bus, call, left_usec(manager), error, out);
	sd_bus_message_unref(call);
	return result < 0 ? result : 0;
}

static bool is_denied(int result, const sd_bus_error *error)
{
	return result == -EACCES || result == -EPERM ||
	       (error && (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	                         sd_bus_error_has_name(
	                                 error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)));
}

int mr_manager_fail(struct mr_manager *manager, const char *what, const char *subject, int result,
        const sd_bus_error *error)
{
	bool is_said = error && error->message;

	if (is_denied(result, error)) {
		(void)mr_fail(manager->diags, MR_E_DENIED, "cannot %s '%s': %s", what, subject,
		        is_said ? error->message : strerror(-result));
		mr_diags_hint(manager->diags, "run it as root");
		return MR_E_DENIED;
	}
	if (result == -ETIMEDOUT)
		return mr_fail(manager->diags, MR_E_TIMEOUT,
		        "cannot %s '%s': systemd gave no answer within %u s", what, subject,
		        manager->timeout_ms / 1000);
	if (error && (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	                     sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))) {
		(void)mr_fail(manager->diags, MR_E_FAILED,
		        "cannot %s '%s': systemd is not on the system bus", what, subject);
		mr_diags_hint(manager->diags,
		        "is systemd the init system here? services: {manager: direct} does "
		        "without it");
		return MR_E_FAILED;
	}
	return mr_fail(manager->diags, MR_E_FAILED, "cannot %s '%s': %s", what, subject,
	        is_said ? error->message : strerror(-result));
}

/* Until the broker has greeted us. */
static int wait_ready(struct mr_manager *manager)
{
	for (;;) {
		int result = sd_bus_is_ready(manager->bus);

		if (result != 0)
			return result < 0 ? result : 0;
		result = mr_manager_turn(manager);
		if (result < 0)
			return result;
	}
}

static int fail_open(struct mr_manager *manager, int result)
{
	bool is_late = result == -ETIMEDOUT;

	(void)mr_fail(manager->diags, is_late ? MR_E_TIMEOUT : MR_E_FAILED,
	        "cannot reach the system bus: %s",
	        is_late ? "it does not greet" : strerror(-result));
	mr_diags_hint(manager->diags,
	        "is the package dbus installed and dbus.service running? services: {manager: "
	        "direct} does without the bus");
	return is_late ? MR_E_TIMEOUT : MR_E_FAILED;
}

int mr_manager_open(struct mr_diags *diags, unsigned timeout_ms, struct mr_manager **out)
{
	struct mr_manager *manager = mr_xrealloc(NULL, 1, sizeof *manager);
	int result;

	*manager = (struct mr_manager){.diags = diags,
	        .deadline_ms = mr_clock_ms() + timeout_ms,
	        .timeout_ms = timeout_ms};
	result = sd_bus_open_system(&manager->bus);
	if (result >= 0)
		result = sd_bus_set_method_call_timeout(manager->bus, left_usec(manager));
	if (result >= 0)
		result = wait_ready(manager);
	if (result >= 0) {
		*out = manager;
		return 0;
	}
	result = fail_open(manager, result);
	mr_manager_close(manager);
	return result;
}

void mr_manager_close(struct mr_manager *manager)
{
	if (!manager)
		return;
	/* the broker drops our matches with the connection; nothing is flushed, it may hang */
	if (manager->bus)
		sd_bus_close(manager->bus);
	sd_bus_unref(manager->bus);
	free(manager);
}
