/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "index/scratch.h"

/* A record as it lies in memory and in runs: key length (2), rule (2), list (2), line (4),
 * scope (1), key. */
enum {
	RECORD_HEADER = 11,
	READ_BYTES = 128 * 1024,
	RUNS_MAX = 4096,
	INSERTION_MAX = 24,
};

/* What is moved about while sorting: eight octets of the key in big-endian order, and where the
 * record is. */
struct item {
	uint64_t head;
	uint32_t at;
};

struct run {
	int fd;
	uint64_t len;
};

struct ld_sorter {
	uint8_t *memory; /* records grow from the start, items down from the end */
	size_t size;
	size_t used;
	size_t count;
	char *directory;
	struct run *runs;
	unsigned run_count;
};

static struct item *
items(const struct ld_sorter *s)
{
	return (struct item *)(void *)(s->memory + s->size) - s->count;
}

static struct ld_span
record_key(const uint8_t *record)
{
	return ld_span(record + RECORD_HEADER, ld_get_le16(record));
}

static void
record_read(struct ld_record *ret, const uint8_t *record)
{
	*ret = (struct ld_record){
		.key = record_key(record),
		.rule = ld_get_le16(record + 2),
		.list = ld_get_le16(record + 4),
		.line = ld_get_le32(record + 6),
		.scope = record[10],
	};
}

int
ld_sorter_new(struct ld_sorter **ret, size_t memory_bytes, const char *directory)
{
	struct ld_sorter *s = calloc(1, sizeof *s);

	if (s == NULL)
		return LINDUNG_ENOMEM;
	if (memory_bytes > UINT32_MAX)
		memory_bytes = UINT32_MAX;
	s->size = memory_bytes & ~(size_t)15;
	s->memory = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	s->directory = strdup(directory);
	if (s->memory == MAP_FAILED || s->directory == NULL) {
		if (s->memory == MAP_FAILED)
			s->memory = NULL;
		ld_sorter_free(s);
		return LINDUNG_ENOMEM;
	}
	*ret = s;
	return LINDUNG_OK;
}

void
ld_sorter_clear(struct ld_sorter *s)
{
	for (unsigned i = 0; i < s->run_count; i++)
		close(s->runs[i].fd);
	if (s->memory != NULL)
		munmap(s->memory, s->size);
	s->memory = NULL;
	s->size = s->used = s->count = 0;
	s->run_count = 0;
}

void
ld_sorter_free(struct ld_sorter *s)
{
	if (s == NULL)
		return;
	ld_sorter_clear(s);
	free(s->directory);
	free(s->runs);
	free(s);
}

/* ---- Sorting: multikey quicksort on eight octets at a time (Bentley, Sedgewick 1997) -------- */

static uint64_t
head_at(const uint8_t *record, size_t depth)
{
	struct ld_span rest = ld_span_from(record_key(record), depth);
	uint64_t head = 0;

	if (rest.len >= 8) {
		memcpy(&head, rest.data, 8);
		return __builtin_bswap64(ld_get_le64(rest.data));
	}
	for (size_t i = 0; i < rest.len; i++)
		head |= (uint64_t)rest.data[i] << (56 - 8 * i);
	return head;
}

static int
record_compare(const struct ld_sorter *s, const struct item *a, const struct item *b, size_t depth)
{
	const uint8_t *x = s->memory + a->at, *y = s->memory + b->at;
	int order;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = ld_span_compare(ld_span_from(record_key(x), depth),
				ld_span_from(record_key(y), depth));
	if (order != 0)
		return order;
	if (ld_get_le16(x + 4) != ld_get_le16(y + 4))
		return ld_get_le16(x + 4) < ld_get_le16(y + 4) ? -1 : 1;
	if (ld_get_le32(x + 6) != ld_get_le32(y + 6))
		return ld_get_le32(x + 6) < ld_get_le32(y + 6) ? -1 : 1;
	return (ld_get_le16(x + 2) > ld_get_le16(y + 2)) -
	       (ld_get_le16(x + 2) < ld_get_le16(y + 2));
}

static void
insertion_sort(const struct ld_sorter *s, struct item *a, size_t n, size_t depth)
{
	for (size_t i = 1; i < n; i++) {
		struct item moved = a[i];
		size_t j = i;

		for (; j > 0 && record_compare(s, &moved, &a[j - 1], depth) < 0; j--)
			a[j] = a[j - 1];
		a[j] = moved;
	}
}

/* For any number of records with the same key, and whatever else a hostile list has. */
static void
shell_sort(const struct ld_sorter *s, struct item *a, size_t n, size_t depth)
{
	for (size_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
		for (size_t i = gap; i < n; i++) {
			struct item moved = a[i];
			size_t j = i;

			for (; j >= gap && record_compare(s, &moved, &a[j - gap], depth) < 0;
			     j -= gap)
				a[j] = a[j - gap];
			a[j] = moved;
		}
	}
}

static uint64_t
median(uint64_t a, uint64_t b, uint64_t c)
{
	if (a < b)
		return b < c ? b : a < c ? c : a;
	return a < c ? a : b < c ? c : b;
}

static void
swap(struct item *a, struct item *b)
{
	struct item kept = *a;

	*a = *b;
	*b = kept;
}

static void
items_sort(const struct ld_sorter *s, struct item *a, size_t n, size_t depth)
{
	/* So many halvings are to be expected; a list made to need many more gets the other way. */
	unsigned rounds = 0, rounds_max = 2 * (64 - (unsigned)__builtin_clzll(n | 1)) + 16;

	/* The largest part is done by the loop, so that the calls nest log2(n) deep (and once for
	 * each 8 octets of a shared prefix). */
	while (n > INSERTION_MAX) {
		if (rounds++ == rounds_max) {
			shell_sort(s, a, n, depth);
			return;
		}
		uint64_t pivot = median(a[0].head, a[n / 2].head, a[n - 1].head);
		size_t low = 0, high = n, i = 0;

		while (i < high) {
			if (a[i].head < pivot)
				swap(&a[i++], &a[low++]);
			else if (a[i].head > pivot)
				swap(&a[i], &a[--high]);
			else
				i++;
		}
		if ((pivot & 0xff) == 0) {
			/* The keys end here: they are equal. */
			shell_sort(s, a + low, high - low, depth);
		} else {
			for (i = low; i < high; i++)
				a[i].head = head_at(s->memory + a[i].at, depth + 8);
			items_sort(s, a + low, high - low, depth + 8);
		}
		if (low < n - high) {
			items_sort(s, a, low, depth);
			a += high;
			n -= high;
		} else {
			items_sort(s, a + high, n - high, depth);
			n = low;
		}
	}
	insertion_sort(s, a, n, depth);
}

int
ld_sorter_finish(struct ld_sorter *s)
{
	items_sort(s, items(s), s->count, 0);
	return LINDUNG_OK;
}

/* ---- Runs on the disk ----------------------------------------------------------------------- */

static int
run_write(struct ld_sorter *s)
{
	struct run *runs = realloc(s->runs, (s->run_count + 1) * sizeof *runs);
	uint8_t *buffer = malloc(READ_BYTES);
	struct run run = {.fd = -1};
	size_t used = 0;

	if (runs != NULL)
		s->runs = runs;
	if (runs == NULL || buffer == NULL || s->run_count == RUNS_MAX) {
		free(buffer);
		return LINDUNG_ENOMEM;
	}
	run.fd = ld_scratch_open(s->directory);
	if (run.fd < 0)
		goto fail;
	const struct item *sorted = items(s);
	for (size_t i = 0; i <= s->count; i++) {
		const uint8_t *record = i < s->count ? s->memory + sorted[i].at : NULL;
		size_t len = record != NULL ? RECORD_HEADER + (size_t)ld_get_le16(record) : 0;

		if (record == NULL || used + len > READ_BYTES) {
			if (ld_write_all(run.fd, buffer, used) != LINDUNG_OK)
				goto fail;
			run.len += used;
			used = 0;
		}
		if (record != NULL)
			memcpy(buffer + used, record, len);
		used += len;
	}
	free(buffer);
	s->runs[s->run_count++] = run;
	s->used = s->count = 0;
	return LINDUNG_OK;
fail:;
	int saved = errno;
	if (run.fd >= 0)
		close(run.fd);
	free(buffer);
	errno = saved;
	return LINDUNG_EIO;
}

int
ld_sorter_add(struct ld_sorter *s, const struct ld_record *record)
{
	size_t need = RECORD_HEADER + record->key.len;

	LD_ASSERT(record->key.len <= LD_INDEX_KEY_MAX);
	if (s->used + need + (s->count + 1) * sizeof(struct item) > s->size) {
		int err = s->count == 0 ? LINDUNG_ENOMEM : ld_sorter_finish(s);

		if (err == LINDUNG_OK)
			err = run_write(s);
		if (err != LINDUNG_OK)
			return err;
	}
	uint8_t *at = s->memory + s->used;
	ld_put_le16(at, (uint16_t)record->key.len);
	ld_put_le16(at + 2, record->rule);
	ld_put_le16(at + 4, record->list);
	ld_put_le32(at + 6, record->line);
	at[10] = record->scope;
	memcpy(at + RECORD_HEADER, record->key.data, record->key.len);
	s->count++;
	*items(s) = (struct item){.head = head_at(at, 0), .at = (uint32_t)s->used};
	s->used += need;
	return LINDUNG_OK;
}

/* ---- Merging -------------------------------------------------------------------------------- */

/* One run being read: either sorted items in memory or a file through a buffer. */
struct reader {
	const struct ld_sorter *sorter; /* memory */
	size_t next;
	int fd; /* file */
	uint64_t file_at, file_len;
	uint8_t *buffer;
	size_t buffer_at, buffer_len;
	const uint8_t *record; /* the present one; NULL at the end */
};

struct ld_merge {
	struct reader *readers;
	unsigned count;
	unsigned *heap; /* readers that have a record, the least at the top */
	unsigned heap_count;
	bool started;
};

static int
reader_fill(struct reader *r)
{
	size_t rest = r->buffer_len - r->buffer_at;

	memmove(r->buffer, r->buffer + r->buffer_at, rest);
	r->buffer_at = 0;
	r->buffer_len = rest;
	while (r->buffer_len < READ_BYTES && r->file_at < r->file_len) {
		ssize_t n = pread(r->fd, r->buffer + r->buffer_len, READ_BYTES - r->buffer_len,
				  (off_t)r->file_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return LINDUNG_EIO;
		r->buffer_len += (size_t)n;
		r->file_at += (uint64_t)n;
	}
	return LINDUNG_OK;
}

static int
reader_next(struct reader *r)
{
	if (r->sorter != NULL) {
		r->record = r->next < r->sorter->count
				    ? r->sorter->memory + items(r->sorter)[r->next++].at
				    : NULL;
		return LINDUNG_OK;
	}
	if (r->record != NULL)
		r->buffer_at += RECORD_HEADER + (size_t)ld_get_le16(r->record);
	if (r->buffer_len - r->buffer_at < RECORD_HEADER + LD_INDEX_KEY_MAX) {
		int err = reader_fill(r);

		if (err != LINDUNG_OK)
			return err;
	}
	r->record = r->buffer_at < r->buffer_len ? r->buffer + r->buffer_at : NULL;
	return LINDUNG_OK;
}

static bool
reader_before(const struct reader *a, const struct reader *b)
{
	int order = ld_span_compare(record_key(a->record), record_key(b->record));

	if (order != 0)
		return order < 0;
	if (ld_get_le16(a->record + 4) != ld_get_le16(b->record + 4))
		return ld_get_le16(a->record + 4) < ld_get_le16(b->record + 4);
	if (ld_get_le32(a->record + 6) != ld_get_le32(b->record + 6))
		return ld_get_le32(a->record + 6) < ld_get_le32(b->record + 6);
	return ld_get_le16(a->record + 2) < ld_get_le16(b->record + 2);
}

static void
heap_sink(struct ld_merge *m, unsigned at)
{
	for (;;) {
		unsigned least = at;

		for (unsigned child = 2 * at + 1; child <= 2 * at + 2 && child < m->heap_count;
		     child++)
			if (reader_before(&m->readers[m->heap[child]], &m->readers[m->heap[least]]))
				least = child;
		if (least == at)
			return;
		unsigned kept = m->heap[at];
		m->heap[at] = m->heap[least];
		m->heap[least] = kept;
		at = least;
	}
}

int
ld_merge_new(struct ld_merge **ret, struct ld_sorter *const *sorters, unsigned count)
{
	struct ld_merge *m = calloc(1, sizeof *m);
	unsigned readers = count;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < count; i++)
		readers += sorters[i]->run_count;
	if (m == NULL)
		return LINDUNG_ENOMEM;
	m->readers = calloc(readers, sizeof *m->readers);
	m->heap = calloc(readers, sizeof *m->heap);
	if (m->readers == NULL || m->heap == NULL)
		err = LINDUNG_ENOMEM;
	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++) {
		m->readers[m->count++] = (struct reader){.sorter = sorters[i], .fd = -1};
		for (unsigned j = 0; err == LINDUNG_OK && j < sorters[i]->run_count; j++) {
			struct reader *r = &m->readers[m->count++];

			r->fd = sorters[i]->runs[j].fd;
			r->file_len = sorters[i]->runs[j].len;
			r->buffer = malloc(READ_BYTES);
			if (r->buffer == NULL)
				err = LINDUNG_ENOMEM;
		}
	}
	for (unsigned i = 0; err == LINDUNG_OK && i < m->count; i++) {
		err = reader_next(&m->readers[i]);
		if (m->readers[i].record != NULL)
			m->heap[m->heap_count++] = i;
	}
	if (err != LINDUNG_OK) {
		ld_merge_free(m);
		return err;
	}
	for (unsigned i = m->heap_count; i-- > 0;)
		heap_sink(m, i);
	*ret = m;
	return LINDUNG_OK;
}

int
ld_merge_next(struct ld_merge *m, struct ld_record *ret)
{
	if (m->started && m->heap_count > 0) {
		struct reader *top = &m->readers[m->heap[0]];
		int err = reader_next(top);

		if (err != LINDUNG_OK)
			return err;
		if (top->record == NULL)
			m->heap[0] = m->heap[--m->heap_count];
		heap_sink(m, 0);
	}
	m->started = true;
	if (m->heap_count == 0)
		return LINDUNG_ENOTFOUND;
	record_read(ret, m->readers[m->heap[0]].record);
	return LINDUNG_OK;
}

void
ld_merge_free(struct ld_merge *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->count; i++)
		free(m->readers[i].buffer);
	free(m->readers);
	free(m->heap);
	free(m);
}
