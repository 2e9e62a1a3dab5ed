/*
 * Cycles among aliases, forwards and catch-alls: a graph of hashes, so that a million edges stay
 * small.
 */
#ifndef MR_SOURCE_CYCLES_H
#define MR_SOURCE_CYCLES_H

#include "base/vec.h"

#include <stdint.h>

struct mr_edge {
	uint64_t from, to;
};

struct mr_graph {
	MR_VEC(struct mr_edge) edges;
	MR_VEC(uint64_t)
	cycles; /* after mr_graph_search: the nodes of each cycle, each ended by 0 */
};

void mr_graph_done(struct mr_graph *graph);
void mr_graph_add(struct mr_graph *graph, uint64_t from, uint64_t to);
/* Finds at least one cycle for every node that is on any; at most 100. */
void mr_graph_search(struct mr_graph *graph);

#endif
