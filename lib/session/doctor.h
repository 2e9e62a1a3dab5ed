/*
 * What the checks of doctor share: a list of findings, and ways to add to it. Every check reports
 * all that it finds and never stops the others.
 */
#ifndef MR_SESSION_DOCTOR_H
#define MR_SESSION_DOCTOR_H

#include "session/session.h"

enum mr_health { MR_HEALTH_OK, MR_HEALTH_WARNING, MR_HEALTH_ERROR, MR_HEALTH_SKIPPED };

struct mr_finding {
	const char *check;
	enum mr_health health;
	mr_str text;
	mr_str remedy; /* may be empty */
};

/* A folder that an apply writes to, and whose it is. */
struct mr_doctor_folder {
	const char *owner;
	mr_str path;
};

struct mr_doctor {
	struct mailreeve *session;
	const char *check; /* the one that runs now */
	MR_VEC(struct mr_finding) findings;
	MR_VEC(struct mr_doctor_folder) folders;
	struct mr_inspection inspections[MR_SESSION_SERVERS]; /* of session->servers */
	bool is_inspected[MR_SESSION_SERVERS];
};

void mr_doctor_say(struct mr_doctor *doctor, enum mr_health health, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Of what was said last. */
void mr_doctor_remedy(struct mr_doctor *doctor, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* Makes findings of what was reported to the session's diagnostics since the last call: errors as
 * of this health, warnings as warnings. Whether there were any. */
bool mr_doctor_take(struct mr_doctor *doctor, enum mr_health health);

/* The checks, one task each; doctor.c has them in their order. */
void mr_doctor_configuration(struct mr_doctor *doctor);
void mr_doctor_rights(struct mr_doctor *doctor);
void mr_doctor_state(struct mr_doctor *doctor);
void mr_doctor_servers(struct mr_doctor *doctor);
void mr_doctor_tables(struct mr_doctor *doctor);
void mr_doctor_tls(struct mr_doctor *doctor);
void mr_doctor_units(struct mr_doctor *doctor);
void mr_doctor_agent(struct mr_doctor *doctor);
void mr_doctor_sandbox(struct mr_doctor *doctor);
void mr_doctor_disk(struct mr_doctor *doctor);
void mr_doctor_clock(struct mr_doctor *doctor);
void mr_doctor_secrets(struct mr_doctor *doctor);
void mr_doctor_repository(struct mr_doctor *doctor);
void mr_doctor_signatures(struct mr_doctor *doctor);

#endif
