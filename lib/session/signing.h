/*
 * signatures: of agent.yaml. Where they are required, only commits that are signed by one who may
 * are applied by apply and sync; a rollback goes to what was applied before.
 */
#ifndef MR_SESSION_SIGNING_H
#define MR_SESSION_SIGNING_H

#include "session/session.h"

/* Where what the account of 'user' left behind (lists and parsed rows) is not taken for what is
 * signed. */
bool mr_session_is_wary(const struct mailreeve *session);
/* 0 when the commit is signed, or need not be; MR_E_DENIED, or MR_E_CONFIG when that cannot be
 * judged on this host. */
MR_CHECK int mr_session_check_signature(struct mailreeve *session, mr_str commit);
/* The same of a folder, which carries no signature. */
MR_CHECK int mr_session_check_folder(struct mailreeve *session);
/* Whether this host can judge signatures: MR_E_CONFIG with what is wrong with the file. */
MR_CHECK int mr_session_check_signers(struct mailreeve *session);

#endif
