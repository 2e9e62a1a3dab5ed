/*
 * The rig.
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "files.h"

static const char *path_of(struct rig *rig, const char *part, const char *name)
{
	return mr_str_printf(&rig->arena, "%s/state.servers/%s/%s", rig->folder, part, name).data;
}

static void make_folders(struct rig *rig)
{
	const char *parts[] = {"live", "desired", "force"};

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(mr_dir_make(&rig->diags, path_of(rig, parts[i], ""), 0700), 0);
}

int rig_setup(void **state)
{
	const mr_str heal = MR_STR("heal");
	struct rig *rig = calloc(1, sizeof *rig);

	assert_non_null(rig);
	/* a kill does not test the disk: where there is a faster one, it is used */
	(void)snprintf(rig->folder, sizeof rig->folder, "%s/mr-fault.XXXXXX",
	        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(rig->folder));
	mr_diags_init(&rig->diags);
	rig->host.name = MR_STR("mx1.example.org");
	rig->host.state_directory = mr_str_printf(&rig->arena, "%s/state", rig->folder);
	rig->host.drift_mode = rig->host.drift_mode_postfix = rig->host.drift_mode_dovecot =
	        rig->host.drift_mode_ldap = heal;
	rig->host.probe_timeout_seconds = 1;
	rig->servers[0].provider = &files_provider;
	rig->servers[1].provider = &tree_provider;
	make_folders(rig);
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	rig_close(rig);
	assert_int_equal(mr_dir_remove(&rig->diags, rig->folder), 0);
	mr_diags_done(&rig->diags);
	mr_arena_done(&rig->arena);
	free(rig);
	return 0;
}

void rig_recreate(struct rig **rig)
{
	void *state = *rig;

	assert_int_equal(rig_teardown(&state), 0);
	assert_int_equal(rig_setup(&state), 0);
	*rig = state;
}

void rig_write(struct rig *rig, const char *part, const char *name, const char *text)
{
	const struct mr_file_owner owner = {geteuid(), getegid(), 0600};

	assert_int_equal(
	        mr_file_replace(&rig->diags, path_of(rig, part, name), mr_str_from(text), &owner),
	        0);
}

void rig_remove(struct rig *rig, const char *part, const char *name)
{
	assert_int_equal(mr_file_remove(&rig->diags, path_of(rig, part, name)), 0);
}

void rig_expect(struct rig *rig, const char *part, const char *name, const char *text)
{
	struct mr_buf have = MR_BUF_INIT;
	int code = mr_file_read(&rig->diags, path_of(rig, part, name), 1 << 24, &have);

	assert_true(code == 0 || code == MR_E_NOT_FOUND);
	mr_buf_add_text(&have, "");
	assert_string_equal(have.data ? have.data : "", text);
	mr_buf_done(&have);
}

void rig_open(struct rig *rig)
{
	const char *directory = mr_str_copy(&rig->arena, rig->host.state_directory).data;
	const struct mr_state_options options = {
	        .directory = directory, .is_writer = true, .purpose = "test"};

	rig_close(rig);
	assert_int_equal(mr_state_open(&rig->diags, &options, &rig->state), 0);
	const struct mr_provider_options provider = {.host = &rig->host,
	        .diags = &rig->diags,
	        .cache = mr_state_cache(rig->state),
	        .seal_key = mr_state_seal_key(rig->state)};
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		        rig->servers[i].provider->open(&provider, &rig->servers[i].backend), 0);
}

void rig_close(struct rig *rig)
{
	for (size_t i = 0; i < 2; i++) {
		if (rig->servers[i].backend)
			rig->servers[i].provider->close(rig->servers[i].backend);
		rig->servers[i].backend = NULL;
	}
	mr_state_close(rig->state);
	rig->state = NULL;
}

int rig_recover(struct rig *rig, bool *out_was_open)
{
	rig_open(rig);
	mr_diags_clear(&rig->diags);
	int code = mr_recover(&rig->diags, &rig->host, rig->state, rig->servers, 2, out_was_open);
	rig_close(rig);
	return code;
}

bool rig_said(struct rig *rig, const char *text)
{
	mr_vec_each (diag, &rig->diags.list) {
		if (memmem(diag->text.data, diag->text.size, text, strlen(text)))
			return true;
	}
	return false;
}

const char *rig_last_result(struct rig *rig)
{
	struct mr_record record;
	bool was_open = rig->state;

	if (!was_open)
		rig_open(rig);
	int code = mr_state_find_record(rig->state, 0, &rig->arena, &record);
	if (!was_open)
		rig_close(rig);
	return code ? "" : mr_str_copy(&rig->arena, record.result).data;
}
