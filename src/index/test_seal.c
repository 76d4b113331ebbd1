/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/test_seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "index/test_image.h"

struct making {
	struct ld_maker *maker;
	const uint8_t *key;
	bool seals; /* this line */
	int refused;
};

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct making *m = ctx;

	(void)line;
	if (reason == LD_REJECT_COMMENT || reason == LD_REJECT_BLANK)
		return LINDUNG_OK;
	fprintf(stderr, "test image: %s: %.*s\n", ld_reject_text(reason), (int)text.len,
		(const char *)text.data);
	m->refused++;
	return LINDUNG_OK;
}

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct making *m = ctx;
	uint8_t key[LD_HOST_MAX], blind[LD_BLIND_BYTES];
	enum ld_reject reject;
	int err;

	if (!m->seals) {
		err = ld_maker_add(m->maker, entry, &reject);
		return err != LINDUNG_OK || reject == LD_REJECT_COUNT
			       ? err
			       : on_reject(m, reject, line, entry->host);
	}
	ld_blind(blind, m->key, entry->scope, ld_span(key, ld_host_to_key(key, entry->host)),
		 entry->path);
	return ld_maker_seal(m->maker, blind, entry->category, entry->source,
			     entry->action == LD_ACTION_REMOVE);
}

/* A line that seals is read as one that closes. */
static int
line_take(struct making *m, struct ld_list_parser *parser, struct ld_span line)
{
	static const struct {
		struct ld_span word;
		const char *action;
	} words[] = {{LD_SPAN("seal\t"), "block\t"}, {LD_SPAN("unseal\t"), "remove\t"}};
	const struct ld_list_sink sink = {m, on_entry, on_reject};
	struct ld_list_chunk chunk = {.bytes = line, .first_line = 1};
	char text[LD_LIST_LINE_MAX_BYTES];

	m->seals = false;
	for (unsigned i = 0; i < 2; i++) {
		if (!ld_span_starts(line, words[i].word))
			continue;
		m->seals = true;
		line = ld_span_from(line, words[i].word.len);
		int len = snprintf(text, sizeof text, "%s%.*s", words[i].action, (int)line.len,
				   (const char *)line.data);
		chunk.bytes = ld_span(text, len);
		break;
	}
	return ld_list_parse(parser, &chunk, &sink);
}

static int
lines_take(struct making *m, struct ld_span text)
{
	struct ld_list_parser *parser;
	int err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, NULL);

	if (err != LINDUNG_OK)
		return err;
	while (text.len != 0 && err == LINDUNG_OK) {
		size_t len = ld_span_find(text, '\n') + 1;

		err = line_take(m, parser, ld_span_first(text, len));
		text = ld_span_from(text, len);
	}
	ld_list_parser_free(parser);
	return err == LINDUNG_OK && m->refused != 0 ? LINDUNG_ESYNTAX : err;
}

int
ld_test_make(const char *path, const char *text, const uint8_t key[LD_BLIND_KEY_BYTES],
	     bool overlay, struct ld_build_stats *ret)
{
	static const struct ld_protected protects[] = {{LD_SPAN(LD_TEST_PROTECTED), false}};
	static const char *const locked[] = {"csam"};
	const struct ld_compile_options options = {.memory_bytes = 16u << 20,
						   .locked = locked,
						   .locked_count = 1,
						   .threads = 1,
						   .directory = "/tmp",
						   .overlay = overlay,
						   .protects = protects,
						   .protect_count = overlay ? 0 : 1};
	struct making m = {.key = key};
	struct ld_build_stats stats;
	int err = ld_maker_new(&m.maker, &options);

	if (err != LINDUNG_OK)
		return err;
	ld_maker_blind_key(m.maker, key);
	err = lines_take(&m, ld_span_str(text));
	if (err == LINDUNG_OK)
		err = ld_maker_finish(m.maker, path, ret != NULL ? ret : &stats, NULL);
	ld_maker_free(m.maker);
	return err;
}

/* A path of its own in every process. */
static const char *
path_take(void)
{
	static char path[64];
	static unsigned number;

	snprintf(path, sizeof path, "/tmp/lindung-seal-%ld-%u.ldx", (long)getpid(), number++);
	return path;
}

static void
check(const char *path, int err)
{
	unlink(path);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "test image: %s\n", lindung_strerror(err));
		abort();
	}
}

struct lindung *
ld_test_make_open(const char *text, const uint8_t key[LD_BLIND_KEY_BYTES], unsigned flags)
{
	const char *path = path_take();
	struct lindung *list = NULL;
	int err = ld_test_make(path, text, key, false, NULL);

	if (err == LINDUNG_OK)
		err = lindung_open(&list, path, flags | LINDUNG_VERIFY);
	if (err == LINDUNG_OK)
		err = lindung_verify(list);
	check(path, err);
	return list;
}

void
ld_test_make_overlay(struct lindung *list, const char *text, const uint8_t key[LD_BLIND_KEY_BYTES])
{
	const char *path = path_take();
	int err = ld_test_make(path, text, key, true, NULL);

	if (err == LINDUNG_OK)
		err = lindung_overlay(list, path, LINDUNG_VERIFY);
	if (err == LINDUNG_OK)
		err = lindung_verify(list);
	check(path, err);
}
