/*
 * A throw-away Postfix instance (twin.c) and what is said to it (dialogue.c).
 */
#ifndef MR_POSTFIX_TWIN_H
#define MR_POSTFIX_TWIN_H

#include "postfix/backend.h"

struct mr_postfix_complaints;

struct mr_postfix_listener {
	const struct mr_postfix_service *service;
	unsigned port;
};

struct mr_postfix_twin {
	struct mr_backend *backend;
	const char *directory;
	bool is_six;      /* it listens on ::1 */
	bool is_sasl_off; /* the live server's log-in socket is missing */
	bool is_checked, is_started;
	MR_VEC(struct mr_postfix_listener) listeners;
};

void mr_postfix_init_twin(struct mr_backend *backend, struct mr_postfix_twin *out);
/* Makes the folder, runs "postfix check" and starts it. What is wrong with the configuration
 * becomes complaints. */
MR_CHECK int mr_postfix_start_twin(
        struct mr_postfix_twin *twin, mr_str main_text, struct mr_postfix_complaints *out);
/* Stops it, also one that a killed run left behind, and removes its folder. */
MR_CHECK int mr_postfix_clear_twin(struct mr_postfix_twin *twin);

#endif
