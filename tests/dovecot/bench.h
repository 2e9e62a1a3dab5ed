/*
 * What the tests of this room share: a desired state made of plain arrays, a backend in a scratch
 * folder, and changes.
 */
#ifndef MR_TESTS_DOVECOT_BENCH_H
#define MR_TESTS_DOVECOT_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "declared.h"
#include "dovecot/dovecot.h"

#define SECRET                                                                                     \
	"{SHA512-CRYPT}$6$TymaRR2PaAUYZYeF$/RjpL90q7qT6ZPo2rLeOMAUXwbjIVg.gBzXLCIpYXGrSQ28jaPTk/"  \
	"ukh0ghJxqHnNzBOUekzXyghV/y3axV691"

static const uint8_t SEAL_KEY[32] = "0123456789012345678901234567890";

struct bench {
	char folder[64];
	char config[96];
	char work[96];
	struct mr_arena arena;
	struct mr_diags diags;
	struct mr_host host;
	struct mr_backend *backend;
	struct mr_collections collections;
};

struct items {
	MR_VEC(struct mr_item) list;
};

struct changes {
	struct mr_change list[64];
	size_t n;
};

static inline struct mr_user *declare_user(
        struct bench *bench, const char *address, enum mr_user_state state)
{
	struct mr_user *user = &declared.users[declared.n_users++];

	*user = (struct mr_user){.address = mr_str_from(address),
	        .password = {.text = MR_STR(SECRET), .is_set = true},
	        .state = state,
	        .services = MR_SERVICE_ALL,
	        .mail_home = mr_str_printf(&bench->arena, "%s/mail/%s", bench->folder, address),
	        .loc = {MR_STR("domains/example.org.yaml"), (uint32_t)declared.n_users, 7}};
	return user;
}

static inline void bench_reopen(struct bench *bench)
{
	struct mr_provider_options options = {
	        .host = &bench->host, .diags = &bench->diags, .seal_key = SEAL_KEY};

	if (bench->backend)
		mr_provider_dovecot.close(bench->backend);
	assert_int_equal(mr_provider_dovecot.open(&options, &bench->backend), 0);
}

static inline void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline const char *path_in(struct bench *bench, const char *name)
{
	return mr_str_printf(&bench->arena, "%s/%s", bench->folder, name).data;
}

static inline char *read_text(struct bench *bench, const char *path)
{
	struct mr_buf text = MR_BUF_INIT;
	char *copy;

	if (mr_file_read(&bench->diags, path, (size_t)1 << 24, &text)) {
		mr_buf_done(&text);
		return NULL;
	}
	copy = (char *)(uintptr_t)mr_str_copy(
	        &bench->arena, text.size ? mr_buf_str(&text) : MR_STR(""))
	               .data;
	mr_buf_done(&text);
	return copy;
}

static inline void bench_open(struct bench *bench, const char *config_text)
{
	memset(bench, 0, sizeof *bench);
	mr_arena_init(&bench->arena);
	mr_diags_init(&bench->diags);
	snprintf(bench->folder, sizeof bench->folder, "/tmp/mailreeve-dovecot-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	assert_int_equal(chmod(bench->folder, 0755), 0);
	snprintf(bench->config, sizeof bench->config, "%s/dovecot.conf", bench->folder);
	snprintf(bench->work, sizeof bench->work, "%s/work", bench->folder);
	write_text(bench->config, config_text);
	bench->host = (struct mr_host){.dovecot = {true, mr_str_from(bench->config)},
	        .postfix = {true, mr_str_from(bench->folder)},
	        .services_are_direct = true};
	declare_accounts();
	bench_reopen(bench);
}

static inline void bench_close(struct bench *bench)
{
	mr_provider_dovecot.close(bench->backend);
	assert_int_equal(mr_dir_remove(&bench->diags, bench->folder), 0);
	mr_diags_done(&bench->diags);
	mr_arena_done(&bench->arena);
}

/* As a test's setup and teardown. */
static inline int open_bench_with(void **state, const char *config_text)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, config_text);
	*state = bench;
	return 0;
}

static inline int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

static inline struct mr_dovecot_settings settings_of(const char *const (*pairs)[2], size_t n)
{
	struct mr_dovecot_settings settings = {0};

	for (size_t i = 0; i < n; i++)
		mr_dovecot_settings_set(
		        &settings, &(struct mr_dovecot_setting){.path = mr_str_from(pairs[i][0]),
		                           .value = mr_str_from(pairs[i][1])});
	return settings;
}

static inline bool was_said(struct bench *bench, const char *text)
{
	bool is_there = false;

	mr_vec_each (diag, &bench->diags.list) {
		struct mr_buf line = MR_BUF_INIT;

		mr_diag_format(diag, &line);
		is_there |= strstr(line.data, text) != NULL;
		mr_buf_done(&line);
	}
	return is_there;
}

static inline void must(struct bench *bench, int code)
{
	if (code == 0)
		return;
	mr_vec_each (diag, &bench->diags.list) {
		struct mr_buf line = MR_BUF_INIT;

		mr_diag_format(diag, &line);
		print_error("%s\n", line.data);
		mr_buf_done(&line);
	}
	fail_msg("code %s", mr_error_name(code));
}

/* What dovecot.conf must begin with: nothing in 2.3. */
static inline const char *version_lines(struct bench *bench)
{
	must(bench, mr_dovecot_learn_version(bench->backend));
	return mr_str_starts(bench->backend->version_text, MR_STR("2.3."))
	               ? ""
	               : "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n";
}

/* Everything of a stream, copied; a negative code ends the test. */
static inline struct items drain(struct bench *bench, struct mr_cursor *cursor)
{
	struct items items = {0};
	struct mr_item item;
	int code;

	while ((code = mr_cursor_next(cursor, &item)) > 0) {
		if (items.list.n)
			assert_true(
			        mr_str_cmp(items.list.items[items.list.n - 1].key, item.key) < 0);
		mr_vec_push(
		        &items.list, ((struct mr_item){.key = mr_str_copy(&bench->arena, item.key),
		                             .body = mr_str_copy(&bench->arena, item.body),
		                             .object = mr_str_copy(&bench->arena, item.object)}));
	}
	must(bench, code);
	mr_cursor_close(cursor);
	return items;
}

static inline const struct mr_item *find(const struct items *items, const char *key)
{
	mr_vec_each (item, &items->list)
		if (mr_str_is(item->key, key))
			return item;
	return NULL;
}

static inline struct items live_of(struct bench *bench, size_t collection)
{
	struct mr_cursor cursor;

	must(bench, mr_provider_dovecot.observe(
	                    bench->backend, &bench->collections.items[collection], NULL, &cursor));
	return drain(bench, &cursor);
}

static inline struct items desired_of(struct bench *bench, size_t collection)
{
	struct mr_cursor cursor;

	must(bench, mr_provider_dovecot.project(
	                    bench->backend, &bench->collections.items[collection], NULL, &cursor));
	return drain(bench, &cursor);
}

static inline bool same_body(
        struct bench *bench, const struct mr_collection *in, mr_str a, mr_str b)
{
	struct mr_attr left, right;
	int more_left, more_right;

	if (!a.data || !b.data)
		return a.data == b.data;
	for (;;) {
		more_left = mr_attrs_next(&a, &left);
		more_right = mr_attrs_next(&b, &right);
		if (more_left <= 0 || more_right <= 0)
			return more_left == more_right;
		if (!mr_str_eq(left.name, right.name) ||
		        !mr_provider_dovecot.same(bench->backend, in, &right, &left))
			return false;
	}
}

/* What must change so that live is as declared; in the passwd-file what is not declared goes. */
static inline struct changes plan(struct bench *bench)
{
	static struct mr_collection kept[2]; /* changes outlive the backend */
	struct changes changes = {0};

	must(bench, mr_provider_dovecot.collections(bench->backend, NULL, &bench->collections));
	memcpy(kept, bench->collections.items, sizeof kept);
	bench->collections.items = kept;
	for (size_t i = 0; i < bench->collections.n; i++) {
		const struct mr_collection *in = &bench->collections.items[i];
		struct items desired = desired_of(bench, i), live = live_of(bench, i);

		mr_vec_each (item, &desired.list) {
			const struct mr_item *now =
			        find(&live, mr_str_copy(&bench->arena, item->key).data);

			if (!now || !same_body(bench, in, now->body, item->body))
				changes.list[changes.n++] = (struct mr_change){.in = in,
				        .key = item->key,
				        .before = now ? now->body : (mr_str){0},
				        .after = item->body};
		}
		mr_vec_each (item, &live.list)
			if (i == 0 && !find(&desired, mr_str_copy(&bench->arena, item->key).data))
				changes.list[changes.n++] = (struct mr_change){
				        .in = in, .key = item->key, .before = item->body};
		mr_vec_done(&desired.list);
		mr_vec_done(&live.list);
	}
	return changes;
}

static inline int compare_changes(const void *a, const void *b)
{
	const struct mr_change *left = *(const struct mr_change *const *)a,
	                       *right = *(const struct mr_change *const *)b;
	int order = left->in < right->in ? -1 : left->in > right->in;

	return order ? order : mr_str_cmp(left->key, right->key);
}

static inline void pointers(const struct changes *changes, const struct mr_change **out)
{
	for (size_t i = 0; i < changes->n; i++)
		out[i] = &changes->list[i];
	qsort(out, changes->n, sizeof *out, compare_changes);
}

static inline int stage(struct bench *bench, const struct changes *changes)
{
	const struct mr_change *list[64];

	pointers(changes, list);
	return mr_provider_dovecot.stage(bench->backend, list, changes->n, bench->work);
}

/* Batch by batch as a transaction does: rows first, in an undo settings first. */
static inline int apply(struct bench *bench, const struct changes *changes, bool is_undo)
{
	const struct mr_change *list[64];
	size_t n_rows = 0;
	int code = 0;

	pointers(changes, list);
	while (n_rows < changes->n && mr_dovecot_is_rows(list[n_rows]->in))
		n_rows++;
	for (unsigned step = 0; !code && step < 2; step++) {
		bool is_rows = (step == 0) != is_undo;

		code = is_rows ? mr_provider_dovecot.apply(
		                         bench->backend, list, n_rows, bench->work, is_undo)
		               : mr_provider_dovecot.apply(bench->backend, list + n_rows,
		                         changes->n - n_rows, bench->work, is_undo);
	}
	return code;
}

static inline struct changes reversed(const struct changes *changes)
{
	struct changes back = *changes;

	for (size_t i = 0; i < back.n; i++)
		back.list[i] = mr_change_reversed(&changes->list[i]);
	return back;
}

#endif
