/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bench.h"

enum { NAME_MAX_OCTETS = 253 };

static const uint8_t opt[11] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};

/* "a.example" to a query, at most 12 + 255 + 4 + 11 octets. */
static size_t
query_make(uint8_t *at, struct ld_span name)
{
	uint8_t *start = at;

	memset(at, 0, BENCH_DNS_HEADER);
	at[2] = 1;  /* recursion desired */
	at[5] = 1;  /* a question */
	at[11] = 1; /* and an OPT record */
	at += BENCH_DNS_HEADER;
	while (name.len != 0) {
		size_t len = ld_span_find(name, '.');

		if (len == 0 || len > 63)
			return 0;
		*at++ = (uint8_t)len;
		memcpy(at, name.data, len);
		at += len;
		name = ld_span_from(name, len + 1);
	}
	*at++ = 0;
	memcpy(at, "\0\1\0\1", 4);
	memcpy(at + 4, opt, sizeof opt);
	return (size_t)(at + 4 + sizeof opt - start);
}

/* Names of one length that wait until there are enough of them. */
struct bucket {
	uint32_t names[BENCH_RUN];
	unsigned count;
};

static void
bucket_empty(struct bench_names *queries, size_t *at, const struct bench_names *names,
	     struct bucket *bucket)
{
	for (unsigned i = 0; i < bucket->count; i++) {
		struct ld_span name = bench_name(names, bucket->names[i]);
		size_t len = query_make((uint8_t *)queries->bytes + *at, name);

		*at += len;
		if (len != 0)
			queries->ends[queries->count++] = (uint32_t)*at;
	}
	bucket->count = 0;
}

struct bench_names
bench_queries_read(const char *path)
{
	static struct bucket buckets[NAME_MAX_OCTETS + 1];
	struct bench_names names = bench_names_read(path, 1), queries;
	size_t at = 0;

	queries.bytes = bench_alloc(names.ends[names.count - 1] + names.count * 64);
	queries.ends = bench_alloc(names.count * sizeof *queries.ends);
	queries.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		size_t len = bench_name(&names, i).len;

		if (len > NAME_MAX_OCTETS)
			continue;
		buckets[len].names[buckets[len].count++] = (uint32_t)i;
		if (buckets[len].count == BENCH_RUN)
			bucket_empty(&queries, &at, &names, &buckets[len]);
	}
	for (size_t len = 0; len <= NAME_MAX_OCTETS; len++)
		bucket_empty(&queries, &at, &names, &buckets[len]);
	if (queries.count == 0)
		bench_die("%s: no name that can be asked for", path);
	free(names.bytes);
	free(names.ends);
	return queries;
}
