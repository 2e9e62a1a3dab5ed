/*
 * The spool: rows are collected in one buffer; a full buffer is sorted and written as a run.
 * Draining merges the runs, each read through a small window.
 */
#include "source/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define BUFFER_BYTES (4U << 20)
#define WINDOW_BYTES (32U << 10)

struct entry {
	uint64_t prefix; /* the key's first bytes, big endian: most comparisons end here */
	uint32_t key_at, key_size, body_size;
	uint32_t ordinal;
};

struct run {
	uint64_t at, end; /* what is left of it in the file */
	struct mr_buf window;
	size_t window_at;
	mr_str key, body;
};

struct mr_spool {
	struct mr_diags *diags;
	struct mr_buf data;
	MR_VEC(struct entry) entries;
	MR_VEC(struct run) runs;
	int fd;
	uint64_t file_size;
};

struct mr_spool *mr_spool_new(struct mr_diags *diags)
{
	struct mr_spool *spool = mr_xrealloc(NULL, 1, sizeof *spool);

	memset(spool, 0, sizeof *spool);
	spool->diags = diags;
	spool->fd = -1;
	return spool;
}

void mr_spool_free(struct mr_spool *spool)
{
	if (!spool)
		return;
	for (size_t i = 0; i < spool->runs.n; i++)
		mr_buf_done(&spool->runs.items[i].window);
	mr_vec_done(&spool->runs);
	mr_vec_done(&spool->entries);
	mr_buf_done_secret(&spool->data);
	if (spool->fd >= 0)
		(void)close(spool->fd); /* unlinked: nothing to lose */
	free(spool);
}

static int compare_entries(const void *a, const void *b, void *data)
{
	const char *base = data;
	const struct entry *x = a, *y = b;
	int order;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	order = mr_str_cmp(
	        (mr_str){base + x->key_at, x->key_size}, (mr_str){base + y->key_at, y->key_size});
	return order ? order : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static void sort_entries(struct mr_spool *spool)
{
	if (spool->entries.n)
		qsort_r(spool->entries.items, spool->entries.n, sizeof *spool->entries.items,
		        compare_entries, spool->data.data);
}

/* A file that nobody else can open and that is gone with its descriptor. */
static int open_file(struct mr_spool *spool)
{
	static const char *const folders[] = {"/var/tmp", "/tmp"};

	for (size_t i = 0; i < 2 && spool->fd < 0; i++)
		spool->fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd >= 0)
		return 0;
	return mr_fail(spool->diags, MR_E_FAILED,
	        "cannot make a temporary file in '/var/tmp' or '/tmp': %s", strerror(errno));
}

static int write_all(struct mr_spool *spool, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(spool->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mr_fail(spool->diags, MR_E_FAILED,
			        "cannot write a temporary file: %s", strerror(errno));
		data += n;
		size -= (size_t)n;
		spool->file_size += (uint64_t)n;
	}
	return 0;
}

/* One record of a run: both sizes, then the bytes. */
static void put_record(struct mr_buf *out, const char *data, const struct entry *entry)
{
	uint32_t sizes[2] = {entry->key_size, entry->body_size};

	mr_buf_add(out, sizes, sizeof sizes);
	mr_buf_add(out, data + entry->key_at, (size_t)entry->key_size + entry->body_size);
}

static int write_run(struct mr_spool *spool)
{
	struct run run = {.at = spool->file_size};
	struct mr_buf out = MR_BUF_INIT;
	int error = spool->fd < 0 ? open_file(spool) : 0;

	sort_entries(spool);
	for (size_t i = 0; i < spool->entries.n && !error; i++) {
		put_record(&out, spool->data.data, &spool->entries.items[i]);
		if (out.size < WINDOW_BYTES && i + 1 < spool->entries.n)
			continue;
		error = write_all(spool, out.data, out.size);
		mr_buf_clear(&out);
	}
	mr_buf_done(&out);
	run.end = spool->file_size;
	mr_vec_push(&spool->runs, run);
	spool->entries.n = 0;
	mr_buf_clear(&spool->data);
	return error;
}

int mr_spool_add(struct mr_spool *spool, mr_str key, mr_str body)
{
	struct entry entry = {.key_at = (uint32_t)spool->data.size,
	        .key_size = (uint32_t)key.size,
	        .body_size = (uint32_t)body.size,
	        .ordinal = (uint32_t)spool->entries.n};

	for (size_t i = 0; i < 8; i++)
		entry.prefix = entry.prefix << 8 | (i < key.size ? (unsigned char)key.data[i] : 0);
	mr_buf_add_str(&spool->data, key);
	mr_buf_add_str(&spool->data, body);
	mr_vec_push(&spool->entries, entry);
	return spool->data.size < BUFFER_BYTES ? 0 : write_run(spool);
}

/* Makes at least size bytes of the run readable in its window; false at its end. */
static int fill(struct mr_spool *spool, struct run *run, size_t size)
{
	struct mr_buf *window = &run->window;
	size_t left = window->size - run->window_at;
	size_t want = size > WINDOW_BYTES ? size : WINDOW_BYTES;

	if (left >= size)
		return 0;
	if (left)
		memmove(window->data, window->data + run->window_at, left);
	window->size = left;
	run->window_at = 0;
	if (want - left > run->end - run->at)
		want = left + (size_t)(run->end - run->at);
	(void)mr_buf_reserve(window, want - left);
	while (window->size < want) {
		ssize_t n = pread(spool->fd, window->data + window->size, want - window->size,
		        (off_t)run->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mr_fail(
			        spool->diags, MR_E_FAILED, "cannot read a temporary file back");
		window->size += (size_t)n;
		run->at += (uint64_t)n;
	}
	return 0;
}

/* Moves a run to its next record: 1, 0 at its end, <0. */
static int advance(struct mr_spool *spool, struct run *run)
{
	uint32_t sizes[2];
	int error;

	if (run->window_at == run->window.size && run->at == run->end)
		return 0;
	error = fill(spool, run, sizeof sizes);
	if (error < 0)
		return error;
	memcpy(sizes, run->window.data + run->window_at, sizeof sizes);
	error = fill(spool, run, sizeof sizes + sizes[0] + sizes[1]);
	if (error < 0)
		return error;
	run->key = (mr_str){run->window.data + run->window_at + sizeof sizes, sizes[0]};
	run->body = (mr_str){run->key.data + sizes[0], sizes[1]};
	run->window_at += sizeof sizes + sizes[0] + sizes[1];
	return 1;
}

static bool is_before(const struct run *a, const struct run *b)
{
	int order = mr_str_cmp(a->key, b->key);

	return order ? order < 0 : a < b;
}

/* Restores the heap below position i. */
static void sift_down(struct run **heap, size_t n, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct run *moved = heap[i];

		if (child >= n)
			return;
		if (child + 1 < n && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], moved))
			return;
		heap[i] = heap[child];
		heap[child] = moved;
		i = child;
	}
}

static int merge_runs(struct mr_spool *spool, int (*fn)(void *, mr_str, mr_str), void *arg)
{
	struct run **heap = mr_xrealloc(NULL, spool->runs.n, sizeof *heap);
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < spool->runs.n && result >= 0; i++) {
		result = advance(spool, &spool->runs.items[i]);
		if (result > 0)
			heap[n++] = &spool->runs.items[i];
	}
	for (size_t i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
	while (n && result >= 0) {
		result = fn(arg, heap[0]->key, heap[0]->body);
		if (result < 0)
			break;
		result = advance(spool, heap[0]);
		if (!result)
			heap[0] = heap[--n];
		sift_down(heap, n, 0);
	}
	free(heap);
	return result < 0 ? result : 0;
}

int mr_spool_drain(struct mr_spool *spool, int (*fn)(void *arg, mr_str key, mr_str body), void *arg)
{
	const char *data;
	int error = 0;

	if (spool->runs.n) {
		if (spool->entries.n)
			error = write_run(spool);
		return error < 0 ? error : merge_runs(spool, fn, arg);
	}
	sort_entries(spool);
	data = spool->data.data;
	for (size_t i = 0; i < spool->entries.n && error >= 0; i++) {
		const struct entry *entry = &spool->entries.items[i];
		mr_str key = {data + entry->key_at, entry->key_size};

		error = fn(arg, key, (mr_str){key.data + key.size, entry->body_size});
	}
	return error < 0 ? error : 0;
}
