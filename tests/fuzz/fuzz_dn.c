/*
 * Keys of distinguished names: within their tree, below their parent, and the same for the same
 * text.
 */
#include "fuzz.h"

#include "model/dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_arena arena = MR_ARENA_INIT;
	mr_str text = {(const char *)data, size}, key, again, parent;

	if (mr_dn_key(&arena, text, &key) == 0) {
		PROMISE(key.size > 0 && mr_dn_key_depth(key) > 0);
		PROMISE(mr_dn_key(&arena, text, &again) == 0 && mr_str_eq(key, again));
		PROMISE(mr_dn_key_is_within(key, key));
		parent = mr_dn_key_parent(key);
		PROMISE(mr_dn_key_depth(parent) + 1 == mr_dn_key_depth(key));
		if (parent.size > 0) {
			PROMISE(mr_dn_key_is_within(key, parent));
			PROMISE(!mr_dn_key_is_within(parent, key));
			PROMISE(mr_str_cmp(parent, key) < 0);
		}
	}
	mr_arena_done(&arena);
	return 0;
}
