/*
 * Depth-first search over sorted edges, without recursion.
 */
#include "source/cycles.h"

#include <string.h>

#include "base/arena.h"

#define CYCLES_LIMIT 100

enum mark { UNSEEN, ON_WAY, DONE };

/* The search: first[i] is the first edge of node i; way holds the nodes from the root to here with
 * their next edge. */
struct search {
	struct mr_graph *graph;
	uint64_t *nodes;
	size_t *first;
	unsigned char *marks;
	size_t *way, *next_edge;
	size_t n_nodes, depth, n_cycles;
};

void mr_graph_done(struct mr_graph *graph)
{
	mr_vec_done(&graph->edges);
	mr_vec_done(&graph->cycles);
}

void mr_graph_add(struct mr_graph *graph, uint64_t from, uint64_t to)
{
	mr_vec_push(&graph->edges, (struct mr_edge){from, to});
}

static int compare_edges(const void *a, const void *b)
{
	const struct mr_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

/* Position among the nodes that have edges, or n_nodes: such a node leads nowhere. */
static size_t node_of(const struct search *search, uint64_t hash)
{
	size_t low = 0, high = search->n_nodes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->nodes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < search->n_nodes && search->nodes[low] == hash ? low : search->n_nodes;
}

static void note_cycle(struct search *search, size_t node)
{
	size_t start = search->depth;

	while (start && search->way[start - 1] != node)
		start--;
	if (!start || search->n_cycles++ >= CYCLES_LIMIT)
		return;
	for (size_t i = start - 1; i < search->depth; i++)
		mr_vec_push(&search->graph->cycles, search->nodes[search->way[i]]);
	mr_vec_push(&search->graph->cycles, (uint64_t)0);
}

static void enter(struct search *search, size_t node)
{
	search->marks[node] = ON_WAY;
	search->way[search->depth] = node;
	search->next_edge[search->depth++] = search->first[node];
}

static void walk(struct search *search, size_t root)
{
	enter(search, root);
	while (search->depth) {
		size_t node = search->way[search->depth - 1];
		size_t edge = search->next_edge[search->depth - 1]++;
		size_t to;

		if (edge == search->first[node + 1]) {
			search->marks[node] = DONE;
			search->depth--;
			continue;
		}
		to = node_of(search, search->graph->edges.items[edge].to);
		if (to == search->n_nodes)
			continue;
		if (search->marks[to] == ON_WAY)
			note_cycle(search, to);
		else if (search->marks[to] == UNSEEN)
			enter(search, to);
	}
}

void mr_graph_search(struct mr_graph *graph)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct search search = {.graph = graph};
	size_t n = graph->edges.n;

	if (!n)
		return;
	qsort(graph->edges.items, n, sizeof *graph->edges.items, compare_edges);
	search.nodes = mr_alloc_n(&arena, n, sizeof *search.nodes);
	search.first = mr_alloc_n(&arena, n + 1, sizeof *search.first);
	for (size_t i = 0; i < n; i++) {
		if (i && graph->edges.items[i].from == graph->edges.items[i - 1].from)
			continue;
		search.first[search.n_nodes] = i;
		search.nodes[search.n_nodes++] = graph->edges.items[i].from;
	}
	search.first[search.n_nodes] = n;
	search.marks = mr_alloc_n(&arena, search.n_nodes, sizeof *search.marks);
	search.way = mr_alloc_n(&arena, search.n_nodes, sizeof *search.way);
	search.next_edge = mr_alloc_n(&arena, search.n_nodes, sizeof *search.next_edge);
	for (size_t i = 0; i < search.n_nodes; i++)
		if (search.marks[i] == UNSEEN)
			walk(&search, i);
}
