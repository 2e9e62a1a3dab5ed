/*
 * The spool: rows are collected in one buffer; a full buffer is sorted and written as a run.
 * Reading merges the runs, each read through a small window.
 */
#include "base/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"

#define BUFFER_BYTES ((size_t)4 << 20)
/* So many runs of one size are written before runs grow: each costs a window when merged. */
#define RUNS_OF_A_SIZE 64
#define WINDOW_BYTES   (32U << 10)

struct entry {
	uint64_t prefix; /* the key's first bytes, big endian: most comparisons end here */
	uint32_t key_at, key_size, body_size;
	uint32_t ordinal;
};

struct run {
	uint64_t start, at, end; /* from at on it is not read yet */
	struct mr_buf window;
	size_t window_at;
	mr_str key, body;
};

struct mr_spool {
	struct mr_diags *diags;
	struct mr_buf data;
	MR_VEC(struct entry) entries;
	MR_VEC(struct run) runs;
	struct run **heap; /* runs that are not at their end, least key first */
	size_t n_heap;
	size_t position; /* among entries, when there are no runs */
	size_t limit_bytes;
	uint64_t file_size;
	int fd, error;
	bool is_unsorted; /* the entries */
	bool is_sorted;   /* all of it, and nothing may be added */
	bool has_handed_out;
};

struct mr_spool *mr_spool_new(struct mr_diags *diags)
{
	struct mr_spool *spool = mr_xrealloc(NULL, 1, sizeof *spool);

	memset(spool, 0, sizeof *spool);
	spool->diags = diags;
	spool->fd = -1;
	spool->limit_bytes = BUFFER_BYTES;
	return spool;
}

void mr_spool_report_to(struct mr_spool *spool, struct mr_diags *diags)
{
	spool->diags = diags;
}

void mr_spool_limit(struct mr_spool *spool, size_t bytes)
{
	spool->limit_bytes = bytes;
}

void mr_spool_free(struct mr_spool *spool)
{
	if (!spool)
		return;
	for (size_t i = 0; i < spool->runs.n; i++)
		mr_buf_done_secret(&spool->runs.items[i].window);
	free(spool->heap);
	mr_vec_done(&spool->runs);
	mr_vec_done(&spool->entries);
	mr_buf_done_secret(&spool->data);
	if (spool->fd >= 0)
		(void)close(spool->fd); /* unlinked: nothing to lose */
	free(spool);
}

/* Keeps the error: a spool that lost a row hands out none. */
static int fail(struct mr_spool *spool, const char *what, int number)
{
	spool->error = MR_E_FAILED;
	if (!spool->diags)
		return spool->error;
	(void)mr_fail(spool->diags, spool->error, "cannot %s: %s", what, strerror(number));
	mr_diags_hint(spool->diags, "make room in '/var/tmp' or '/tmp'");
	return spool->error;
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
	if (spool->is_unsorted)
		qsort_r(spool->entries.items, spool->entries.n, sizeof *spool->entries.items,
		        compare_entries, spool->data.data);
	spool->is_unsorted = false;
}

/* A file that nobody else can open and that is gone with its descriptor. */
static int open_file(struct mr_spool *spool)
{
	static const char *const folders[] = {"/var/tmp", "/tmp"};

	for (size_t i = 0; i < 2 && spool->fd < 0; i++)
		spool->fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd >= 0)
		return 0;
	return fail(spool, "make a temporary file in '/var/tmp' or '/tmp'", errno);
}

static int write_all(struct mr_spool *spool, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(spool->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(spool, "write a temporary file", n ? errno : ENOSPC);
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
	struct run run = {.start = spool->file_size};
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
	mr_buf_done_secret(&out);
	run.end = spool->file_size;
	mr_vec_push(&spool->runs, run);
	if (spool->runs.n % RUNS_OF_A_SIZE == 0)
		spool->limit_bytes *= 2;
	spool->entries.n = 0;
	mr_buf_clear(&spool->data);
	return error;
}

static void push_entry(struct mr_spool *spool, mr_str key, mr_str body)
{
	struct entry entry = {.key_at = (uint32_t)spool->data.size,
	        .key_size = (uint32_t)key.size,
	        .body_size = (uint32_t)body.size,
	        .ordinal = (uint32_t)spool->entries.n};

	for (size_t i = 0; i < 8; i++)
		entry.prefix = entry.prefix << 8 | (i < key.size ? (unsigned char)key.data[i] : 0);
	mr_buf_add_str(&spool->data, key);
	mr_buf_add_str(&spool->data, body);
	if (spool->entries.n && !spool->is_unsorted)
		spool->is_unsorted = compare_entries(&spool->entries.items[spool->entries.n - 1],
		                             &entry, spool->data.data) > 0;
	mr_vec_push(&spool->entries, entry);
}

int mr_spool_add(struct mr_spool *spool, mr_str key, mr_str body)
{
	size_t size;

	assert(!spool->is_sorted);
	if (spool->error)
		return spool->error;
	if (__builtin_add_overflow(key.size, body.size, &size) || size > INT32_MAX)
		return fail(spool, "sort so large a row", EFBIG);
	/* before the row, not behind it: the buffer never outgrows the limit, where it would double
	 */
	if (spool->entries.n && spool->data.size + size >= spool->limit_bytes && write_run(spool))
		return spool->error;
	push_entry(spool, key, body);
	return 0;
}

/* Makes at least size bytes of the run readable in its window. */
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
			return fail(spool, "read a temporary file back", n ? errno : EIO);
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

	if (run->window_at == run->window.size && run->at == run->end) {
		mr_buf_done_secret(&run->window);
		run->window_at = 0;
		return 0;
	}
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

/* Stands before the first record of every run. */
static int rewind_runs(struct mr_spool *spool)
{
	int result = 0;

	spool->heap = mr_xrealloc(spool->heap, spool->runs.n, sizeof(struct run *));
	spool->n_heap = 0;
	mr_vec_each (run, &spool->runs) {
		run->at = run->start;
		run->window.size = run->window_at = 0;
		result = advance(spool, run);
		if (result < 0)
			return result;
		if (result > 0)
			spool->heap[spool->n_heap++] = run;
	}
	for (size_t i = spool->n_heap / 2; i-- > 0;)
		sift_down(spool->heap, spool->n_heap, i);
	return 0;
}

int mr_spool_sort(struct mr_spool *spool)
{
	if (!spool->error && spool->runs.n && spool->entries.n)
		(void)write_run(spool); /* kept in spool->error */
	if (spool->error)
		return spool->error;
	sort_entries(spool);
	spool->is_sorted = true;
	spool->has_handed_out = false;
	spool->position = 0;
	if (!spool->runs.n)
		return 0;
	mr_vec_done(&spool->entries);
	mr_buf_done_secret(&spool->data);
	return rewind_runs(spool);
}

static int next_of_runs(struct mr_spool *spool, mr_str *out_key, mr_str *out_body)
{
	struct run **heap = spool->heap;

	/* only now: what was handed out last is in this run's window */
	if (spool->has_handed_out) {
		int result = advance(spool, heap[0]);

		if (result < 0)
			return result;
		if (!result)
			heap[0] = heap[--spool->n_heap];
		sift_down(heap, spool->n_heap, 0);
	}
	spool->has_handed_out = spool->n_heap > 0;
	if (!spool->has_handed_out)
		return 0;
	*out_key = heap[0]->key;
	*out_body = heap[0]->body;
	return 1;
}

int mr_spool_next(struct mr_spool *spool, mr_str *out_key, mr_str *out_body)
{
	const struct entry *entry;

	assert(spool->is_sorted || spool->error);
	if (spool->error)
		return spool->error;
	if (spool->runs.n)
		return next_of_runs(spool, out_key, out_body);
	if (spool->position == spool->entries.n)
		return 0;
	entry = &spool->entries.items[spool->position++];
	*out_key = (mr_str){spool->data.data + entry->key_at, entry->key_size};
	*out_body = (mr_str){out_key->data + out_key->size, entry->body_size};
	return 1;
}

int mr_spool_drain(struct mr_spool *spool, int (*fn)(void *arg, mr_str key, mr_str body), void *arg)
{
	mr_str key = {0}, body = {0};
	int result = mr_spool_sort(spool);

	while (result >= 0 && (result = mr_spool_next(spool, &key, &body)) > 0)
		result = fn(arg, key, body);
	return result < 0 ? result : 0;
}
