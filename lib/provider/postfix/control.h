/*
 * The running Postfix: is it there, is it well, reload and restart.
 */
#ifndef MR_POSTFIX_CONTROL_H
#define MR_POSTFIX_CONTROL_H

#include "postfix/backend.h"

/* The pid of this instance's master, or 0: looked up by its pid file and the lock that it holds on
 * it. */
pid_t mr_postfix_master(struct mr_backend *backend);
/* Each inet listener that is smtpd or postscreen greets with 220. MR_E_FAILED with those that do
 * not. */
MR_CHECK int mr_postfix_greet_all(struct mr_backend *backend, unsigned timeout_ms);

MR_CHECK int mr_postfix_activate(struct mr_backend *backend, enum mr_activation what, bool is_undo);
MR_CHECK int mr_postfix_probe(struct mr_backend *backend);

#endif
