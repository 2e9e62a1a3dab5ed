/*
 * For the backend's tests: a desired state made of plain arrays.
 */
#ifndef MR_TESTS_POSTFIX_DESIRED_H
#define MR_TESTS_POSTFIX_DESIRED_H

#include "model/desired.h"

struct mr_desired {
	struct mr_accounts accounts;
	const struct mr_domain *domains;
	size_t n_domains;
	const struct mr_user *users;
	size_t n_users;
	const struct mr_alias *aliases;
	size_t n_aliases;
	const struct mr_transport *transports;
	size_t n_transports;
	const struct mr_parameter *parameters;
	size_t n_parameters;
	const struct mr_table *tables;
	size_t n_tables;
	const struct mr_table_row *rows; /* of the first table */
	size_t n_rows;
};

#define ITERATOR(kind, plural)                                                                     \
	int mr_desired_begin_##kind(struct mr_desired *desired, struct mr_iter *out)               \
	{                                                                                          \
		*out = (struct mr_iter){.desired = desired};                                       \
		return 0;                                                                          \
	}                                                                                          \
	int mr_desired_next_##kind(struct mr_iter *iter, struct mr_##kind *out)                    \
	{                                                                                          \
		size_t i = (size_t)iter->state;                                                    \
		if (i >= iter->desired->n_##plural)                                                \
			return 0;                                                                  \
		*out = iter->desired->plural[i];                                                   \
		iter->state = (void *)(i + 1);                                                     \
		return 1;                                                                          \
	}
ITERATOR(domain, domains)
ITERATOR(user, users)
ITERATOR(alias, aliases)
ITERATOR(transport, transports)
ITERATOR(parameter, parameters)
ITERATOR(table, tables)

int mr_desired_begin_table_row(struct mr_desired *desired, mr_str table, struct mr_iter *out)
{
	(void)table;
	*out = (struct mr_iter){.desired = desired};
	return 0;
}

int mr_desired_next_table_row(struct mr_iter *iter, struct mr_table_row *out)
{
	size_t i = (size_t)iter->state;

	if (i >= iter->desired->n_rows)
		return 0;
	*out = iter->desired->rows[i];
	iter->state = (void *)(i + 1);
	return 1;
}

void mr_desired_end(struct mr_iter *iter)
{
	(void)iter;
}

const struct mr_accounts *mr_desired_accounts(const struct mr_desired *desired)
{
	return &desired->accounts;
}

#endif
