/*
 * Checks of doctor: the servers themselves, as their backends see them.
 */
#include "session/doctor.h"

#include <string.h>

static const struct {
	const char *provider;
	const char *name;
	const char *unit;
} words[] = {
        {"postfix", "Postfix", "postfix"},
        {"dovecot", "Dovecot", "dovecot"},
        {"openldap", "OpenLDAP", "slapd"},
};

static size_t word_of(const struct mr_plan_server *server)
{
	size_t i = 0;

	while (i + 1 < sizeof words / sizeof *words &&
	        strcmp(words[i].provider, server->provider->name) != 0)
		i++;
	return i;
}

static void note_folders(
        struct mr_doctor *doctor, const char *name, const struct mr_inspection *inspection)
{
	for (size_t i = 0; i < inspection->n_folders; i++)
		mr_vec_push(
		        &doctor->folders, (struct mr_doctor_folder){name, inspection->folders[i]});
}

static void judge_standing(struct mr_doctor *doctor, struct mr_plan_server *server,
        const struct mr_inspection *inspection)
{
	const char *name = words[word_of(server)].name;

	if (inspection->supported) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING, "%s %.*s is not supported", name,
		        MR_FMT(inspection->version));
		mr_doctor_remedy(
		        doctor, "this version of mailreeve manages %s", inspection->supported);
	}
	if (!inspection->is_running) {
		mr_doctor_say(doctor, inspection->must_run ? MR_HEALTH_ERROR : MR_HEALTH_WARNING,
		        inspection->must_run
		                ? "%s is not running: it could not be told of a change"
		                : "%s is not running: a change is in force when it starts",
		        name);
		mr_doctor_remedy(doctor, "systemctl start %s", words[word_of(server)].unit);
		return;
	}
	/* a fault that is there before a change does not hold the change back */
	if (server->provider->probe(server->backend) &&
	        mr_doctor_take(
	                doctor, inspection->must_be_well ? MR_HEALTH_ERROR : MR_HEALTH_WARNING))
		return;
	mr_doctor_say(doctor, MR_HEALTH_OK, "%s%s%.*s runs and answers", name,
	        inspection->version.size ? " " : "", MR_FMT(inspection->version));
}

void mr_doctor_servers(struct mr_doctor *doctor)
{
	struct mailreeve *session = doctor->session;

	if (mr_session_open_servers(session)) {
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
		return;
	}
	for (size_t i = 0; i < session->n_servers; i++) {
		struct mr_plan_server *server = &session->servers[i];
		struct mr_inspection *inspection = &doctor->inspections[i];
		const char *name = words[word_of(server)].name;

		doctor->check = server->provider->name;
		if (!server->provider->inspect ||
		        server->provider->inspect(server->backend, inspection)) {
			(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
			continue;
		}
		doctor->is_inspected[i] = true;
		note_folders(doctor, name, inspection);
		judge_standing(doctor, server, inspection);
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
	}
}

void mr_doctor_tables(struct mr_doctor *doctor)
{
	for (size_t i = 0; i < doctor->session->n_servers; i++) {
		const struct mr_inspection *inspection = &doctor->inspections[i];

		if (!doctor->is_inspected[i] || !inspection->has_tables)
			continue;
		if (inspection->keyed_table.size) {
			mr_doctor_say(doctor, MR_HEALTH_OK, "tables are of type %.*s",
			        MR_FMT(inspection->keyed_table));
			continue;
		}
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "this Postfix has neither lmdb nor cdb: no lookup table can be managed");
		mr_doctor_remedy(doctor, "install postfix-lmdb (or postfix-cdb)");
	}
}
