/* Nanoseconds a name, beside what this machine's memory can do at best.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_lookup ROUNDS IMAGE KEY=FILE...    figures as JSON on standard output
 *
 * A round asks every set, and then the machine, so that a busy neighbour falls on all of them:
 *   cold      some of the questions, after other data went through the caches
 *   ns        all of them, after they were all asked once: for a program that does little else
 *   chained   the same, each begun only when the answer before it is there
 *   wire      the same in wire form, one by one
 *   batch     the same in wire form, so many at once */
#include <stdio.h>
#include <stdlib.h>

#include <lindung/lindung.h>

#include "base/clock.h"
#include "bench.h"
#include "name/name.h"

enum {
	SETS_MAX = 16,
	LINE_BYTES = 64,
	CHASE_STEPS = 200000,
	COLD_QUESTIONS = 4096,
	COLD_BYTES = 96 << 20, /* more than the caches that a core may have */
};

static const unsigned batch_sizes[] = {8, 32, 64};

enum { BATCHES = sizeof batch_sizes / sizeof batch_sizes[0], BATCH_MAX = 64 };

struct set {
	const char *key;
	struct bench_names names, wire;
	struct bench_rounds cold, apart, chained, one_by_one, batches[BATCHES];
	uint64_t verdicts[3], errors;
};

/* A ring through `bytes` of memory, a step a cache line, in random order. */
struct chase {
	size_t bytes;
	uint32_t *next;
	struct bench_rounds rounds;
};

static struct chase chases[] = {
	{.bytes = 1 << 20}, {.bytes = 4 << 20}, {.bytes = 16 << 20}, {.bytes = 64 << 20}};

static struct set sets[SETS_MAX];

static void
chase_make(struct chase *c)
{
	size_t count = c->bytes / LINE_BYTES, step = LINE_BYTES / sizeof *c->next;
	uint64_t random = 1;

	c->next = bench_alloc(c->bytes);
	for (size_t i = 0; i < count; i++)
		c->next[i * step] = (uint32_t)i;
	/* Sattolo: one cycle through all of them. */
	for (size_t i = count - 1; i > 0; i--) {
		size_t j = bench_random(&random) % i;
		uint32_t kept = c->next[i * step];

		c->next[i * step] = c->next[j * step];
		c->next[j * step] = kept;
	}
}

static double
chase_run(const struct chase *c)
{
	size_t step = LINE_BYTES / sizeof *c->next;
	uint32_t at = 0;
	int64_t start = ld_clock_ns();

	for (unsigned i = 0; i < CHASE_STEPS; i++)
		at = c->next[at * step];
	int64_t end = ld_clock_ns();
	__asm__ volatile("" : : "r"(at));
	return (double)(end - start) / CHASE_STEPS;
}

/* The questions alone, read and written. */
static double
copy_run(const struct bench_names *names)
{
	static char out[256];
	int64_t start = ld_clock_ns();

	for (size_t i = 0; i < names->count; i++) {
		struct ld_span name = bench_name(names, i);

		memcpy(out, name.data, name.len & 255);
		__asm__ volatile("" : : "r"(out) : "memory");
	}
	return (double)(ld_clock_ns() - start) / (double)names->count;
}

/* `chained`: no question is begun before the last one's answer is there, as if each were alone. */
static double
set_run(struct set *set, const struct lindung *list, bool chained, size_t count)
{
	struct lindung_answer answer = {0};
	uint64_t verdicts[3] = {0}, errors = 0;
	int64_t start = ld_clock_ns();
	size_t wait = 0;

	for (size_t i = 0; i < count; i++) {
		struct ld_span name = bench_name(&set->names, i + wait);

		if (lindung_lookup_name(list, (const char *)name.data, name.len, LINDUNG_ALL,
					&answer) != LINDUNG_OK) {
			errors++;
			continue;
		}
		verdicts[answer.verdict]++;
		if (chained) {
			wait = (size_t)answer.verdict;
			__asm__("and $0, %0" : "+r"(wait));
		}
	}
	int64_t end = ld_clock_ns();
	memcpy(set->verdicts, verdicts, sizeof verdicts);
	set->errors = errors;
	return (double)(end - start) / (double)count;
}

/* The names in wire form, one after another. */
static struct bench_names
wire_make(const struct bench_names *names)
{
	struct bench_names wire = {
		.bytes = bench_alloc(names->ends[names->count - 1] + 2 * names->count),
		.ends = bench_alloc(names->count * sizeof *wire.ends),
		.count = names->count,
	};
	size_t at = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct ld_name name;

		if (ld_name_from_text(&name, bench_name(names, i)) != LINDUNG_OK)
			bench_die("%.*s: no name", (int)bench_name(names, i).len,
				  (const char *)bench_name(names, i).data);
		memcpy(wire.bytes + at, name.wire, name.len);
		at += name.len;
		wire.ends[i] = (uint32_t)at;
	}
	return wire;
}

/* `together`: so many at once; 0: one by one. */
static double
wire_run(const struct set *set, const struct lindung *list, unsigned together)
{
	struct lindung_question questions[BATCH_MAX];
	struct lindung_answer answer = {0};
	size_t count = set->wire.count, blocked = 0, expected = set->verdicts[LINDUNG_BLOCK];
	int64_t start = ld_clock_ns();

	for (size_t i = 0; together == 0 && i < count; i++) {
		struct ld_span name = bench_name(&set->wire, i);

		if (lindung_lookup_wire(list, name.data, name.len, LINDUNG_ALL, &answer) ==
		    LINDUNG_OK)
			blocked += answer.verdict == LINDUNG_BLOCK;
	}
	for (size_t i = 0; together != 0 && i < count; i += together) {
		unsigned n = count - i < together ? (unsigned)(count - i) : together;

		for (unsigned j = 0; j < n; j++) {
			struct ld_span name = bench_name(&set->wire, i + j);

			questions[j].name = name.data;
			questions[j].len = name.len;
			questions[j].active = LINDUNG_ALL;
		}
		lindung_lookup_many(list, questions, n);
		for (unsigned j = 0; j < n; j++)
			blocked += questions[j].error == LINDUNG_OK &&
				   questions[j].answer.verdict == LINDUNG_BLOCK;
	}
	int64_t end = ld_clock_ns();
	if (blocked != expected)
		bench_die("%s: %zu blocked in batches of %u, %zu one by one", set->key, blocked,
			  together, expected);
	return (double)(end - start) / (double)count;
}

/* Push what is in the caches out of them. */
static void
caches_fill(void)
{
	static uint8_t *memory;
	static uint64_t sum;

	if (memory == NULL) {
		memory = bench_alloc(COLD_BYTES);
		memset(memory, 1, COLD_BYTES);
	}
	for (size_t i = 0; i < COLD_BYTES; i += LINE_BYTES)
		sum += memory[i];
	__asm__ volatile("" : : "r"(sum));
}

static void
set_round(struct set *set, const struct lindung *list)
{
	size_t count = set->names.count;

	caches_fill();
	bench_rounds_add(&set->cold, set_run(set, list, false,
					     count < COLD_QUESTIONS ? count : COLD_QUESTIONS));
	set_run(set, list, false, count);
	bench_rounds_add(&set->apart, set_run(set, list, false, count));
	bench_rounds_add(&set->chained, set_run(set, list, true, count));
	bench_rounds_add(&set->one_by_one, wire_run(set, list, 0));
	for (unsigned i = 0; i < BATCHES; i++)
		bench_rounds_add(&set->batches[i], wire_run(set, list, batch_sizes[i]));
}

static void
sets_print(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct set *set = &sets[i];

		printf("%s\n    \"%s\": {\"names\": %zu, \"allow\": %llu, \"block\": %llu, "
		       "\"rewrite\": %llu, \"errors\": %llu,\n      ",
		       i > 0 ? "," : "", set->key, set->names.count,
		       (unsigned long long)set->verdicts[LINDUNG_ALLOW],
		       (unsigned long long)set->verdicts[LINDUNG_BLOCK],
		       (unsigned long long)set->verdicts[LINDUNG_REWRITE],
		       (unsigned long long)set->errors);
		bench_rounds_print("ns_cold", &set->cold);
		fputs(",\n      ", stdout);
		bench_rounds_print("ns", &set->apart);
		fputs(",\n      ", stdout);
		bench_rounds_print("ns_chained", &set->chained);
		fputs(",\n      ", stdout);
		bench_rounds_print("ns_wire", &set->one_by_one);
		for (unsigned j = 0; j < BATCHES; j++) {
			char key[32];

			snprintf(key, sizeof key, "ns_batch_%u", batch_sizes[j]);
			fputs(",\n      ", stdout);
			bench_rounds_print(key, &set->batches[j]);
		}
		putchar('}');
	}
}

int
main(int argc, char **argv)
{
	enum { CHASES = sizeof chases / sizeof chases[0] };
	struct bench_rounds copy = {.count = 0};
	struct lindung *list;
	struct lindung_facts facts;
	unsigned count = 0;

	if (argc < 4 || argc - 3 > SETS_MAX)
		bench_die("usage: bench_lookup ROUNDS IMAGE KEY=FILE...");
	for (int i = 3; i < argc; i++, count++) {
		char *file = strchr(argv[i], '=');

		if (file == NULL)
			bench_die("%s: not KEY=FILE", argv[i]);
		*file++ = '\0';
		sets[count].key = argv[i];
		sets[count].names = bench_names_read(file, count + 1);
		sets[count].wire = wire_make(&sets[count].names);
	}
	uint64_t resident = bench_resident_bytes();
	int err = lindung_open(&list, argv[2], 0);
	if (err != LINDUNG_OK)
		bench_die("%s: %s", argv[2], lindung_strerror(err));
	for (unsigned i = 0; i < count; i++)
		set_run(&sets[i], list, false, sets[i].names.count);
	resident = bench_resident_bytes() - resident;
	for (unsigned i = 0; i < CHASES; i++)
		chase_make(&chases[i]);
	for (int round = atoi(argv[1]); round > 0; round--) {
		for (unsigned i = 0; i < count; i++)
			set_round(&sets[i], list);
		bench_rounds_add(&copy, copy_run(&sets[count - 1].names));
		for (unsigned i = 0; i < CHASES; i++)
			bench_rounds_add(&chases[i].rounds, chase_run(&chases[i]));
	}
	if (lindung_facts(list, 0, &facts) != LINDUNG_OK)
		bench_die("no facts");
	printf("{\"entries\": %llu, \"file_bytes\": %llu, \"resident_bytes\": %llu,\n  \"sets\": {",
	       (unsigned long long)facts.entry_count, (unsigned long long)facts.size_bytes,
	       (unsigned long long)resident);
	sets_print(count);
	fputs("},\n  ", stdout);
	bench_rounds_print("copy_ns", &copy);
	fputs(",\n  \"chase_ns\": {", stdout);
	for (unsigned i = 0; i < CHASES; i++) {
		char key[32];

		snprintf(key, sizeof key, "%zu MiB", chases[i].bytes >> 20);
		fputs(i > 0 ? ",\n    " : "\n    ", stdout);
		bench_rounds_print(key, &chases[i].rounds);
	}
	puts("}}");
	lindung_close(list);
	return 0;
}
