/*
 * Checks of doctor: the servers' units and mailreeve's own, as systemd has them.
 */
#include "session/doctor.h"

#include "service/service.h"

#define BUS_TIMEOUT_MS 5000

/* What is controlled through the manager: an instance of Postfix that is not the main one is not,
 * and the directory never needs a reload. */
static bool is_controlled(const struct mr_host *host, enum mr_served server)
{
	mr_str directory = host->postfix.config_directory;

	while (directory.size > 1 && mr_str_ends(directory, MR_STR("/")))
		directory.size--;
	if (server == MR_SERVED_POSTFIX)
		return host->postfix.is_managed &&
		       (!directory.size || mr_str_is(directory, "/etc/postfix"));
	return server == MR_SERVED_DOVECOT && host->dovecot.is_managed;
}

static void check_unit(struct mr_doctor *doctor, struct mr_manager *manager, enum mr_served server)
{
	struct mr_unit unit;

	if (mr_manager_find(manager, server, &doctor->session->arena, &unit)) {
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
		return;
	}
	mr_doctor_say(doctor, MR_HEALTH_OK, "%s is unit '%s': %.*s (%.*s)", mr_served_name(server),
	        unit.name, MR_FMT(unit.active), MR_FMT(unit.sub));
}

/* NULL after findings. */
static struct mr_manager *open_manager(struct mr_doctor *doctor, enum mr_health health)
{
	struct mr_manager *manager = NULL;

	if (!mr_service_is_booted()) {
		mr_doctor_say(doctor, health, "systemd does not run this machine");
		if (health == MR_HEALTH_ERROR)
			mr_doctor_remedy(doctor, "set services: {manager: direct} in agent.yaml");
		return NULL;
	}
	if (mr_manager_open(&doctor->session->diags, BUS_TIMEOUT_MS, &manager))
		(void)mr_doctor_take(doctor, health);
	return manager;
}

void mr_doctor_units(struct mr_doctor *doctor)
{
	const struct mr_host *host = &doctor->session->host;
	struct mr_manager *manager;
	bool has_any = false;

	if (host->services_are_direct) {
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED,
		        "services: {manager: direct}: servers are controlled by their own "
		        "programs");
		return;
	}
	for (enum mr_served server = 0; server < MR_SERVED_COUNT; server++)
		has_any |= is_controlled(host, server);
	if (!has_any) {
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED, "no server is controlled by a unit");
		return;
	}
	manager = open_manager(doctor, MR_HEALTH_ERROR);
	for (enum mr_served server = 0; manager && server < MR_SERVED_COUNT; server++)
		if (is_controlled(host, server))
			check_unit(doctor, manager, server);
	mr_manager_close(manager);
}

static bool is_on(struct mr_doctor *doctor, struct mr_manager *manager, const char *name)
{
	struct mr_unit unit;

	if (mr_manager_look(manager, name, &doctor->session->arena, &unit))
		return false;
	mr_doctor_say(doctor, MR_HEALTH_OK, "'%s' is %.*s%s%.*s", name,
	        MR_FMT(mr_str_is(unit.load, "loaded") ? unit.active : unit.load),
	        unit.file.size ? ", " : "", MR_FMT(unit.file));
	return mr_str_is(unit.active, "active") || mr_str_starts(unit.file, MR_STR("enabled"));
}

/* Whether anything syncs by itself; that is for the operator to choose. */
void mr_doctor_agent(struct mr_doctor *doctor)
{
	struct mr_manager *manager = open_manager(doctor, MR_HEALTH_SKIPPED);
	bool has_service, has_timer;

	if (!manager)
		return;
	has_service = is_on(doctor, manager, "mailreeve.service");
	has_timer = is_on(doctor, manager, "mailreeve-sync.timer");
	if (has_service && has_timer) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "both mailreeve.service and mailreeve-sync.timer are on: one is enough");
		mr_doctor_remedy(doctor, "systemctl disable --now mailreeve-sync.timer");
	}
	mr_manager_close(manager);
}
