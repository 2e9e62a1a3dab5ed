/*
 * The seal key: 32 random bytes of this host, with which secrets are fingerprinted.
 */
#include "base/file.h"
#include "store/private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int make(struct mr_state *state)
{
	if (getrandom(state->seal_key, sizeof state->seal_key, 0) == sizeof state->seal_key)
		return 0;
	return mr_fail(state->diags, MR_E_FAILED, "cannot make a key: %s", strerror(errno));
}

static int store(struct mr_state *state, const char *path)
{
	struct mr_file_owner owner = {geteuid(), getegid(), 0600};
	mr_str key = {(const char *)state->seal_key, sizeof state->seal_key};

	return mr_file_replace(state->diags, path, key, &owner);
}

static int take(struct mr_state *state, const char *path, mr_str content)
{
	if (content.size != sizeof state->seal_key) {
		(void)mr_fail(state->diags, MR_E_CONFIG, "cannot use '%s': it is not 32 bytes long",
		        path);
		mr_diags_hint(state->diags, "put it back from a copy, or remove it: every secret "
		                            "then counts as changed once");
		return MR_E_CONFIG;
	}
	memcpy(state->seal_key, content.data, content.size);
	state->has_seal_key = true;
	return 0;
}

int mr_seal_key_load(struct mr_state *state)
{
	const char *path = mr_state_path(state, "seal.key");
	struct mr_buf content = MR_BUF_INIT;
	int result = mr_file_read(state->diags, path, 4096, &content);

	if (result == 0) {
		result = take(state, path, mr_buf_str(&content));
	} else if (result == MR_E_NOT_FOUND) {
		result = make(state);
		if (result == 0 && state->is_writer) {
			result = store(state, path);
			state->has_seal_key = result == 0;
		}
	}
	mr_buf_done_secret(&content);
	return result;
}
