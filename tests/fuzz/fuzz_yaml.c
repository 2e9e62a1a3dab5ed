/*
 * One file of a repository: any bytes are rows or located errors, never both a broken file and
 * silence, and rows are read back as they were written.
 */
#include "fuzz.h"

#include "source/load.h"
#include "source/row.h"
#include "source/rows.h"

static int look(void *arg, mr_str key, mr_str body)
{
	struct mr_row_key parsed;
	struct mr_leaf leaf;
	struct mr_leaf_item item;
	uint32_t line, column;
	int result;

	(void)arg;
	PROMISE(mr_row_key_parse(key, &parsed) == 0 && parsed.file == 7);
	PROMISE(mr_row_read_head(&body, &line, &column) == 0 && line && column);
	while ((result = mr_row_next_leaf(&body, &leaf)) > 0) {
		mr_str rest = leaf.items;
		size_t n = 0;

		while ((result = mr_leaf_next_item(&rest, &item)) > 0)
			n++;
		PROMISE(result == 0 && n == leaf.n_items);
	}
	PROMISE(result == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mr_load_input input = {7, size % 3 ? MR_STR("mailreeve.yaml") : MR_STR("a.yaml"),
	        {(const char *)data, size}};
	struct mr_buf keys = MR_BUF_INIT;
	struct mr_spool *spool;
	struct mr_diags diags;
	bool is_broken;

	mr_diags_init(&diags);
	spool = mr_spool_new(&diags);
	PROMISE(mr_load_file(&diags, spool, &input, &keys, &is_broken) == 0);
	PROMISE(!is_broken || diags.n_errors);
	for (size_t i = 0; i < diags.list.n; i++)
		PROMISE(diags.list.items[i].loc.line && diags.list.items[i].loc.column &&
		        diags.list.items[i].rule.size);
	PROMISE(mr_spool_drain(spool, look, NULL) == 0);
	mr_spool_free(spool);
	mr_buf_done(&keys);
	mr_diags_done(&diags);
	return 0;
}
