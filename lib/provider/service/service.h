/*
 * Services of the host under systemd: asked of and controlled through its manager on the system bus
 * (org.freedesktop.systemd1(5)), with the result of each job awaited. The only home of sd-bus in
 * the library.
 *
 * A connection has one deadline for all that is done with it. Nothing of it outlives the close: no
 * match, no descriptor. A broker that dies is an error, never a signal.
 */
#ifndef MR_SERVICE_SERVICE_H
#define MR_SERVICE_SERVICE_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* The servers whose units are known. */
enum mr_served { MR_SERVED_POSTFIX, MR_SERVED_DOVECOT, MR_SERVED_SLAPD, MR_SERVED_COUNT };

const char *mr_served_name(enum mr_served server); /* "Postfix" */

enum mr_service_verb {
	MR_SERVICE_START,
	MR_SERVICE_STOP,
	MR_SERVICE_RESTART,
	MR_SERVICE_RELOAD,
	MR_SERVICE_VERB_COUNT
};
const char *mr_service_verb_name(enum mr_service_verb verb);

/* What the manager says of a unit, in its own words; views live in the arena. Empty: not said. */
struct mr_unit {
	const char *name;
	mr_str load;   /* "loaded" "not-found" "masked" … */
	mr_str active; /* "active" "inactive" "failed" … */
	mr_str sub;    /* "running" "exited" "dead" … */
	mr_str result; /* of a service: "success" "exit-code" … */
	mr_str type;   /* of a service: "forking" "oneshot" … */
	mr_str file;   /* "enabled" "disabled" "static" … */
	uint32_t main_pid;
};

/* Whether systemd runs this machine (sd_booted(3)). */
bool mr_service_is_booted(void);

/* Name of the service that this process belongs to; false, and the empty text, when it is none. */
bool mr_service_own_unit(char *out, size_t size);

struct mr_manager;
/* Connects to the system bus. MR_E_FAILED without a bus, MR_E_TIMEOUT where it does not speak. */
MR_CHECK int mr_manager_open(struct mr_diags *diags, unsigned timeout_ms, struct mr_manager **out);
void mr_manager_close(struct mr_manager *manager);

/* A unit that is not installed is no error: load says "not-found". */
MR_CHECK int mr_manager_look(
        struct mr_manager *manager, const char *unit, struct mr_arena *arena, struct mr_unit *out);
/* The unit that runs this server here, decided by what the manager says of the candidates.
 * MR_E_NOT_FOUND with a diagnostic when there is none. */
MR_CHECK int mr_manager_find(struct mr_manager *manager, enum mr_served server,
        struct mr_arena *arena, struct mr_unit *out);
/* Has the manager do it and waits for the job's end; all but "done" is MR_E_FAILED. */
MR_CHECK int mr_manager_run(
        struct mr_manager *manager, const char *unit, enum mr_service_verb verb);

/* All of it: connects, finds the server's unit, has it controlled. MR_E_CONFIG on a machine that
 * systemd does not run. */
MR_CHECK int mr_service_control(struct mr_diags *diags, enum mr_served server,
        enum mr_service_verb verb, unsigned timeout_ms);

#endif
