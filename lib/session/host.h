/*
 * agent.yaml: the host's configuration (mailreeve-agent.yaml(5)).
 */
#ifndef MR_SESSION_HOST_H
#define MR_SESSION_HOST_H

#include "provider/provider.h"

/* Reads and checks the whole file: unknown keys, wrong types and missing values are all reported
 * with their place, then MR_E_CONFIG. Views live in the arena. */
MR_CHECK int mr_host_load(
        struct mr_diags *diags, struct mr_arena *arena, const char *path, struct mr_host *out);
/* A commented agent.yaml with every key and its default, from the same table. */
void mr_host_write_template(struct mr_buf *out);

#endif
