/*
 * Taking back and softening diagnostics.
 */
#include "apply/said.h"

void mr_said_rewind(struct mr_diags *diags, size_t mark)
{
	mr_said_soften(diags, mark);
	while (diags->list.n > mark) {
		if (diags->list.items[--diags->list.n].severity == MR_WARNING)
			diags->n_warnings--;
	}
}

void mr_said_soften(struct mr_diags *diags, size_t mark)
{
	for (size_t i = mark; i < diags->list.n; i++) {
		if (diags->list.items[i].severity != MR_ERROR)
			continue;
		diags->list.items[i].severity = MR_WARNING;
		diags->n_errors--;
		diags->n_warnings++;
	}
}

mr_str mr_said_first(const struct mr_diags *diags, size_t mark)
{
	for (size_t i = mark; i < diags->list.n; i++) {
		if (diags->list.items[i].severity == MR_ERROR)
			return diags->list.items[i].text;
	}
	return (mr_str){0};
}
