/* What the programs of bench/ share: questions in memory, random numbers, figures as JSON.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For programs that measure once and end: what cannot be done ends the process with a line on
 * standard error, and nothing is freed but by the end.  One thread. */
#ifndef LD_BENCH_BENCH_H
#define LD_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	BENCH_ROUNDS_MAX = 1000,
	BENCH_SLACK_BYTES = 64, /* zeros behind questions and texts */
};

/** End with "bench: ..." and status 1. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Zeroed memory, or the end. */
void *bench_alloc(size_t bytes);

/** A whole file. */
struct ld_span bench_read(const char *path);

/** The next number of a sequence that its state alone decides (splitmix64). */
uint64_t bench_random(uint64_t *state);

/** The first words of a file's lines, one after another in memory in an order that `seed` decides:
 * whoever reads them from front to back waits for no memory. */
struct bench_names {
	char *bytes;
	uint32_t *ends; /* of each; the first begins at 0 */
	size_t count;
};

struct bench_names bench_names_read(const char *path, uint64_t seed);

static inline struct ld_span
bench_name(const struct bench_names *names, size_t i)
{
	uint32_t start = i == 0 ? 0 : names->ends[i - 1];

	return ld_span(names->bytes + start, names->ends[i] - start);
}

enum { BENCH_RUN = 32 };

/** The same names as DNS queries for type A with EDNS; no name that cannot be asked for.  They are
 * gathered in runs of BENCH_RUN of one length: one system call can send a run. */
struct bench_names bench_queries_read(const char *path);

enum { BENCH_DNS_HEADER = 12 };

/** The rounds of one measurement. */
struct bench_rounds {
	double values[BENCH_ROUNDS_MAX];
	unsigned count;
};

void bench_rounds_add(struct bench_rounds *rounds, double value);

/** Print `"key": [values]`, in the order in which they were measured. */
void bench_rounds_print(const char *key, const struct bench_rounds *rounds);

/** Stay on this core. */
void bench_pin(unsigned core);

/** Resident memory of this process. */
uint64_t bench_resident_bytes(void);

#endif
