/* Any octets as an index file: opened, looked up in, explained, walked, verified, exported.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet says how: bit 0 with LINDUNG_VERIFY; bit 1 with the hashes as they come (else
 * they are made right, so that the fuzzer need not find them). */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "index/export.h"
#include "index/keys.h"
#include "index/layers.h"
#include "index/sealed.h"

enum { EXPORTED_MAX = 20000, LOOKED_UP_MAX = 24 };

static void
hashes_mend(uint8_t *file, size_t len)
{
	uint32_t version = ld_get_le32(file + LD_HEADER_VERSION);

	if (version != LD_INDEX_VERSION_MIN)
		version = LD_INDEX_VERSION;
	for (int i = 0; i < ld_section_count(version); i++) {
		uint8_t *at = file + LD_HEADER_SECTIONS + i * 24;
		uint64_t offset = ld_get_le64(at), size = ld_get_le64(at + 8);

		if (offset <= len && size <= len - offset)
			ld_put_le64(at + 16, ld_hash_bytes(ld_span(file + offset, (size_t)size),
							   (uint64_t)i));
	}
	memcpy(file, LD_INDEX_MAGIC, 8);
	ld_put_le32(file + LD_HEADER_VERSION, version);
	ld_put_le64(file + LD_HEADER_FILE_BYTES, len);
	ld_put_le64(file + LD_HEADER_HASH, ld_hash_bytes(ld_span(file, LD_HEADER_HASH), version));
}

static unsigned touched;

/* Every octet of a text that is handed out must be there to be read. */
static void
touch(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++)
		touched += text.data[i];
}

static int
on_reason(void *ctx, const struct lindung_reason *reason)
{
	(void)ctx;
	touch(ld_span(reason->entry.data, reason->entry.len));
	touch(ld_span(reason->category.data, reason->category.len));
	touch(ld_span(reason->source.data, reason->source.len));
	touch(ld_span(reason->target.data, reason->target.len));
	return 0;
}

static void
look_up(const struct lindung *list, const char *text, size_t len)
{
	struct lindung_answer answer = {.verdict = LINDUNG_ALLOW};

	if (lindung_lookup_name(list, text, len, LINDUNG_ALL, &answer) == LINDUNG_OK) {
		LD_ASSERT(answer.verdict <= LINDUNG_REWRITE);
		LD_ASSERT(!answer.is_protected || answer.verdict == LINDUNG_ALLOW);
		LD_ASSERT(answer.category < (int)lindung_category_count(list));
		LD_ASSERT(!answer.is_sealed ||
			  (answer.verdict == LINDUNG_BLOCK && answer.category == -1 &&
			   answer.blocked == 0 && answer.source.len == 0));
		touch(ld_span(answer.target.data, answer.target.len));
	}
	if (lindung_lookup_url(list, text, len, LINDUNG_ALL, &answer) == LINDUNG_OK)
		touch(ld_span(answer.target.data, answer.target.len));
	if (lindung_explain(list, text, len, LINDUNG_ALL, on_reason, NULL) == LINDUNG_OK)
		touched++;
}

/* Past the filter, which a fuzzer hardly comes through: each name is looked for, whatever it says.
 */
static void
sealed_look_up(const struct ld_image *image, struct ld_span key)
{
	uint32_t tuple;

	if (ld_sealed_find(image, key, &tuple))
		LD_ASSERT(tuple < image->tuple_count);
}

/* Look for what the image itself holds. */
static void
walk(const struct lindung *list)
{
	struct ld_keys *keys = malloc(sizeof *keys);
	char text[LD_INDEX_KEY_MAX + 1];
	int looked_up = 0;

	LD_ASSERT(keys != NULL);
	ld_keys_begin(keys, list->layers[0].image);
	while (ld_keys_next(keys) == LINDUNG_OK) {
		size_t len = ld_span_find(ld_span(keys->key, keys->key_len), '/');
		uint32_t tuple;

		LD_ASSERT(keys->key_len <= LD_INDEX_KEY_MAX);
		(void)ld_image_find(list->layers[0].image, ld_span(keys->key, keys->key_len),
				    &tuple);
		if (len > LD_HOST_MAX || looked_up++ >= LOOKED_UP_MAX)
			continue;
		ld_key_to_host(text, ld_span(keys->key, len));
		memcpy(text + len, keys->key + len, keys->key_len - len);
		look_up(list, text, keys->key_len);
	}
	free(keys);
}

static void export(const struct lindung *list, bool effective)
{
	struct ld_export *export;
	struct ld_entry entry;

	if (ld_export_new(&export, list, effective, LINDUNG_ALL) != LINDUNG_OK)
		return;
	struct ld_list_source source = ld_export_source(export);
	int err = source.rewind(source.ctx);
	for (int i = 0; err == LINDUNG_OK && i < EXPORTED_MAX; i++) {
		err = source.next(source.ctx, &entry);
		if (err != LINDUNG_OK)
			break;
		LD_ASSERT(entry.action <= LD_ACTION_REMOVE);
		LD_ASSERT(entry.scope >= LD_SCOPE_SELF && entry.scope <= LD_SCOPE_URL);
		touch(entry.host);
		touch(entry.path);
		touch(entry.target);
		touch(entry.category);
		touch(entry.source);
	}
	ld_export_free(export);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"example.com", "a.b.example.com", "x",
					    "http://example.com/a/b?c", "\001.\002"};
	struct ld_image *image;
	struct lindung *list;

	if (size < 1)
		return 0;
	/* Exactly as large as the file, for the sanitizer. */
	uint8_t *file = malloc(size > 1 ? size - 1 : 1);
	LD_ASSERT(file != NULL);
	memcpy(file, data + 1, size - 1);
	if ((data[0] & 2) == 0 && size - 1 >= LD_INDEX_HEADER_BYTES)
		hashes_mend(file, size - 1);
	if (ld_image_from_memory(&image, ld_span(file, size - 1),
				 data[0] & 1 ? LINDUNG_VERIFY : 0) == LINDUNG_OK &&
	    ld_list_from_image(&list, image) == LINDUNG_OK) {
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			look_up(list, names[i], strlen(names[i]));
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			sealed_look_up(list->layers[0].image, ld_span_str(names[i]));
		walk(list);
		touched += lindung_verify(list) == LINDUNG_OK;
		export(list, false);
		export(list, true);
		lindung_close(list);
	}
	free(file);
	return 0;
}
