/*
 * Questions about nodes and scalars.
 */
#include "model/kinds.h"
#include "source/reader.h"

bool mr_scalar_is_null(mr_str text)
{
	return !text.size || mr_words_find("~ null Null NULL", text, NULL) >= 0;
}

bool mr_node_is_null(const struct mr_node *node)
{
	return node->type == MR_NODE_SCALAR && node->is_plain && mr_scalar_is_null(node->text);
}
