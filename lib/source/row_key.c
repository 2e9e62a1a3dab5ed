/*
 * The keys of rows: their bytes sort as kind, key, layer, file.
 */
#include "source/rows.h"

void mr_row_key_format(const struct mr_row_key *key, struct mr_buf *out)
{
	unsigned char file[4] = {(unsigned char)(key->file >> 24), (unsigned char)(key->file >> 16),
	        (unsigned char)(key->file >> 8), (unsigned char)key->file};

	mr_buf_clear(out);
	mr_buf_add_char(out, (char)key->kind);
	mr_buf_add_str(out, key->key);
	mr_buf_add_char(out, '\0');
	mr_buf_add_str(out, key->layer);
	mr_buf_add_char(out, '\0');
	mr_buf_add(out, file, sizeof file);
}

int mr_row_key_parse(mr_str bytes, struct mr_row_key *out)
{
	mr_str rest = mr_str_skip(bytes, 1);
	const unsigned char *file;

	if (!bytes.size || (unsigned char)bytes.data[0] >= MR_KIND_COUNT)
		return MR_E_FAILED;
	out->kind = (enum mr_kind_id)bytes.data[0];
	out->key = mr_str_split(&rest, '\0');
	out->layer = mr_str_split(&rest, '\0');
	if (rest.size != 4)
		return MR_E_FAILED;
	file = (const unsigned char *)rest.data;
	out->file = (uint32_t)file[0] << 24 | (uint32_t)file[1] << 16 | (uint32_t)file[2] << 8 |
	            file[3];
	return 0;
}

void mr_rows_add_key(struct mr_buf *keys, mr_str row_key)
{
	uint32_t size = (uint32_t)row_key.size;

	mr_buf_add(keys, &size, sizeof size);
	mr_buf_add_str(keys, row_key);
}
