/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

void
bench_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void *
bench_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes + BENCH_SLACK_BYTES);

	if (memory == NULL)
		bench_die("no memory for %zu bytes", bytes);
	return memory;
}

struct ld_span
bench_read(const char *path)
{
	struct ld_report report;
	uint8_t *data;
	size_t len;

	if (ld_read_file(path, UINT32_MAX, &data, &len, &report) != LINDUNG_OK)
		bench_die("%s", report.text);
	return ld_span(data, len);
}

uint64_t
bench_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* The first word of each line that has one. */
static size_t
words_find(struct ld_span text, struct ld_span *words)
{
	size_t count = 0;

	while (text.len != 0) {
		size_t end = ld_span_find(text, '\n');
		struct ld_span line = ld_span_first(text, end);
		struct ld_span word = ld_span_first(line, ld_span_find(line, ' '));

		if (word.len != 0) {
			if (words != NULL)
				words[count] = word;
			count++;
		}
		text = ld_span_from(text, end + 1);
	}
	return count;
}

struct bench_names
bench_names_read(const char *path, uint64_t seed)
{
	struct ld_span text = bench_read(path);
	size_t count = words_find(text, NULL), at = 0;
	struct ld_span *words = bench_alloc(count * sizeof *words);
	struct bench_names names = {
		.bytes = bench_alloc(text.len),
		.ends = bench_alloc(count * sizeof *names.ends),
		.count = count,
	};

	if (count == 0)
		bench_die("%s: no names", path);
	words_find(text, words);
	for (size_t i = count; i > 1; i--) {
		size_t j = bench_random(&seed) % i;
		struct ld_span kept = words[i - 1];

		words[i - 1] = words[j];
		words[j] = kept;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(names.bytes + at, words[i].data, words[i].len);
		at += words[i].len;
		names.ends[i] = (uint32_t)at;
	}
	free(words);
	free((void *)(uintptr_t)text.data);
	return names;
}

void
bench_rounds_add(struct bench_rounds *rounds, double value)
{
	if (rounds->count == BENCH_ROUNDS_MAX)
		bench_die("more than %d rounds", BENCH_ROUNDS_MAX);
	rounds->values[rounds->count++] = value;
}

void
bench_rounds_print(const char *key, const struct bench_rounds *rounds)
{
	printf("\"%s\": [", key);
	for (unsigned i = 0; i < rounds->count; i++)
		printf("%s%.6g", i > 0 ? ", " : "", rounds->values[i]);
	putchar(']');
}

void
bench_pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		bench_die("cannot stay on core %u: %m", core);
}

uint64_t
bench_resident_bytes(void)
{
	/* Counted page by page; what statm says may lag behind. */
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned long kib;

	if (file == NULL || fscanf(file, "%*[^\n] Rss: %lu kB", &kib) != 1)
		bench_die("/proc/self/smaps_rollup cannot be read");
	fclose(file);
	return (uint64_t)kib * 1024;
}
