/*
 * Looking at processes that are not our children.
 */
#include "dovecot/dovecot.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

bool mr_dovecot_is_alive(pid_t pid)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags ignored;
	char path[64];
	mr_str rest;
	bool is_alive;

	if (pid <= 0 || kill(pid, 0))
		return false;
	mr_diags_init(&ignored);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	is_alive = mr_file_read(&ignored, path, 4096, &text) == 0;
	/* "42 (dovecot) Z ...": where nobody collects them, the dead stay listed */
	rest = mr_str_skip(mr_buf_str(&text), mr_str_rfind(mr_buf_str(&text), ')') + 2);
	is_alive = is_alive && !(rest.size && (rest.data[0] == 'Z' || rest.data[0] == 'X'));
	mr_buf_done(&text);
	mr_diags_done(&ignored);
	return is_alive;
}
