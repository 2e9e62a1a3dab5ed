/*
 * What the files of this room share: the connection and its deadline.
 */
#ifndef MR_SERVICE_BUS_H
#define MR_SERVICE_BUS_H

#include "service/service.h"

#include <systemd/sd-bus.h>

#define MR_MANAGER_NAME      "org.freedesktop.systemd1"
#define MR_MANAGER_PATH      "/org/freedesktop/systemd1"
#define MR_MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

struct mr_manager {
	struct mr_diags *diags;
	sd_bus *bus;
	int64_t deadline_ms;
	unsigned timeout_ms;
};

/* Milliseconds until the deadline; 0 when it has passed. */
int64_t mr_manager_left_ms(const struct mr_manager *manager);
/* Handles what has arrived, or waits for more. 0, or a negative errno; -ETIMEDOUT at the deadline.
 */
MR_CHECK int mr_manager_turn(struct mr_manager *manager);
/* A method call of the manager with texts as arguments (NULL terminated). The answer is the
 * caller's. A negative errno, with *error where the peer said more. */
MR_CHECK int mr_manager_call(struct mr_manager *manager, const char *method,
        const char *const *texts, sd_bus_error *error, sd_bus_message **out);
/* "cannot WHAT 'SUBJECT': REASON" by errno and the peer's words. Returns MR_E_TIMEOUT, MR_E_DENIED
 * or MR_E_FAILED. */
int mr_manager_fail(struct mr_manager *manager, const char *what, const char *subject, int result,
        const sd_bus_error *error);

#endif
