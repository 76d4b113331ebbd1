/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/test_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "index/admit.h"
#include "list/list.h"

enum { SORTERS_MAX = 16 };

struct collected {
	struct ld_arena arena;
	struct ld_entry *entries;
	size_t count, size;
	int rejects;
};

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct collected *c = ctx;

	(void)line;
	if (c->count == c->size) {
		size_t size = c->size == 0 ? 64 : c->size * 2;
		struct ld_entry *grown = realloc(c->entries, size * sizeof *grown);

		if (grown == NULL)
			return LINDUNG_ENOMEM;
		c->entries = grown;
		c->size = size;
	}
	struct ld_entry *copy = &c->entries[c->count++];
	*copy = *entry;
	copy->host = ld_arena_copy(&c->arena, entry->host);
	copy->path = ld_arena_copy(&c->arena, entry->path);
	copy->target = ld_arena_copy(&c->arena, entry->target);
	copy->category = ld_arena_copy(&c->arena, entry->category);
	copy->source = ld_arena_copy(&c->arena, entry->source);
	return LINDUNG_OK;
}

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct collected *c = ctx;

	if (reason != LD_REJECT_COMMENT && reason != LD_REJECT_BLANK) {
		fprintf(stderr, "test list, line %llu: %s: %.*s\n", (unsigned long long)line,
			ld_reject_text(reason), text.len < 200 ? (int)text.len : 200,
			(const char *)text.data);
		c->rejects++;
	}
	return LINDUNG_OK;
}

static int
list_read(struct collected *c, struct ld_span list)
{
	const struct ld_list_sink sink = {c, on_entry, on_reject};
	struct ld_list_chunk chunk = {.bytes = list, .first_line = 1};
	struct ld_list_parser *parser;
	int err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, NULL);

	if (err != LINDUNG_OK)
		return err;
	err = ld_list_parse(parser, &chunk, &sink);
	ld_list_parser_free(parser);
	return err != LINDUNG_OK ? err : c->rejects != 0 ? LINDUNG_ESYNTAX : LINDUNG_OK;
}

static void
entries_shuffle(struct collected *c, uint64_t state)
{
	for (size_t i = c->count; i > 1; i--) {
		size_t j = (size_t)(ld_test_random(&state) % i);
		struct ld_entry kept = c->entries[i - 1];

		c->entries[i - 1] = c->entries[j];
		c->entries[j] = kept;
	}
}

static int
entries_sort(const struct collected *c, struct ld_rules *rules, struct ld_sorter **sorters,
	     unsigned sorter_count)
{
	int err = LINDUNG_OK;

	for (size_t i = 0; err == LINDUNG_OK && i < c->count; i++) {
		const struct ld_entry *entry = &c->entries[i];
		const struct ld_rule_text rule = {.category = entry->category,
						  .source = entry->source,
						  .target = entry->target,
						  .action = entry->action,
						  .flags = entry->flags};
		uint8_t key[LD_INDEX_KEY_MAX];
		struct ld_record record = {.scope = entry->scope, .line = (uint32_t)i};

		record.key = ld_span(key, ld_entry_key(key, entry));
		if (record.key.len == 0)
			return LINDUNG_ELIMIT;
		err = ld_rules_intern(rules, &rule, &record.rule);
		if (err == LINDUNG_OK)
			err = ld_sorter_add(sorters[i % sorter_count], &record);
	}
	for (unsigned i = 0; err == LINDUNG_OK && i < sorter_count; i++)
		err = ld_sorter_finish(sorters[i]);
	return err;
}

static int
collected_build(const char *path, const struct collected *c, const struct ld_test_options *o,
		struct ld_build_stats *ret, struct ld_report *report)
{
	const char *directory = o->directory != NULL ? o->directory : "/tmp";
	const struct ld_build_options options = {.overlay = o->overlay,
						 .drop_covered = o->drop_covered,
						 .threads = o->threads != 0 ? o->threads : 1,
						 .directory = directory};
	unsigned count = o->sorters == 0 ? 1 : o->sorters < SORTERS_MAX ? o->sorters : SORTERS_MAX;
	struct ld_sorter *sorters[SORTERS_MAX] = {0};
	struct ld_rules *rules;
	int err = ld_rules_new(&rules);

	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++)
		err = ld_sorter_new(&sorters[i], o->memory_bytes != 0 ? o->memory_bytes : 16u << 20,
				    directory);
	if (err == LINDUNG_OK)
		err = entries_sort(c, rules, sorters, count);
	if (err == LINDUNG_OK)
		err = ld_build(path, rules, sorters, count, &options, NULL, ret, report);
	for (unsigned i = 0; i < count; i++)
		ld_sorter_free(sorters[i]);
	ld_rules_free(rules);
	return err;
}

int
ld_test_build(const char *path, struct ld_span list, const struct ld_test_options *options,
	      struct ld_build_stats *ret, struct ld_report *report)
{
	static const struct ld_test_options none;
	struct collected c = {0};
	struct ld_build_stats stats;
	int err;

	ld_arena_init(&c.arena, SIZE_MAX);
	err = list_read(&c, list);
	if (err == LINDUNG_OK) {
		if (options == NULL)
			options = &none;
		if (options->shuffle != 0)
			entries_shuffle(&c, options->shuffle);
		err = collected_build(path, &c, options, ret != NULL ? ret : &stats, report);
	}
	free(c.entries);
	ld_arena_clear(&c.arena);
	return err;
}

static void
temporary_path(char *path, size_t size)
{
	static unsigned number;

	snprintf(path, size, "/tmp/lindung-test-%ld-%u.ldx", (long)getpid(), number++);
}

struct lindung *
ld_test_open(const char *text)
{
	char path[64];
	struct lindung *list = NULL;
	struct ld_report report = {{0}};
	int err;

	temporary_path(path, sizeof path);
	err = ld_test_build(path, ld_span_str(text), NULL, NULL, &report);
	if (err == LINDUNG_OK)
		err = lindung_open(&list, path, LINDUNG_VERIFY);
	if (err == LINDUNG_OK)
		err = lindung_verify(list);
	unlink(path);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "test image: %s (%s)\n", lindung_strerror(err), report.text);
		abort();
	}
	return list;
}

int
ld_test_overlay(struct lindung *list, const char *text)
{
	const struct ld_test_options options = {.overlay = true};
	char path[64];
	int err;

	temporary_path(path, sizeof path);
	err = ld_test_build(path, ld_span_str(text), &options, NULL, NULL);
	if (err == LINDUNG_OK)
		err = lindung_overlay(list, path, LINDUNG_VERIFY);
	unlink(path);
	return err;
}

struct lindung_answer
ld_test_ask(const struct lindung *list, const char *text, uint64_t active)
{
	struct lindung_answer answer;
	int err = strchr(text, '/') != NULL
			  ? lindung_lookup_url(list, text, strlen(text), active, &answer)
			  : lindung_lookup_name(list, text, strlen(text), active, &answer);

	if (err != LINDUNG_OK) {
		fprintf(stderr, "%s: %s\n", text, lindung_strerror(err));
		abort();
	}
	return answer;
}

bool
ld_test_blocked(const struct lindung *list, const char *text)
{
	return ld_test_ask(list, text, LINDUNG_ALL).verdict == LINDUNG_BLOCK;
}

uint64_t
ld_test_bit(const struct lindung *list, const char *category)
{
	int i = lindung_category_find(list, category, strlen(category));

	if (i < 0) {
		fprintf(stderr, "no category %s\n", category);
		abort();
	}
	return UINT64_C(1) << i;
}

uint64_t
ld_test_seed(uint64_t fallback)
{
	const char *text = getenv("LINDUNG_TEST_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : fallback;

	printf("LINDUNG_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
