/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/effective.h"

#include <stdio.h>
#include <string.h>

#include "log/text.h"

/* "party:1,other:2" to "party,other". */
static struct ld_span
sources_cut(struct ld_span sources, uint8_t *room, size_t size)
{
	struct ld_writer w = ld_writer(room, size);

	while (sources.len != 0) {
		struct ld_span one = ld_span_first(sources, ld_span_find(sources, ','));

		sources = ld_span_from(sources, one.len + 1);
		if (w.len != 0)
			ld_writer_u8(&w, ',');
		ld_writer_bytes(&w, ld_span_first(one, ld_span_find(one, ':')));
	}
	return ld_span(w.data, w.len);
}

int
ld_effective_add(void *ctx, const struct ld_effective *effective)
{
	struct ld_effective_making *making = ctx;
	struct ld_entry entry = effective->entry;
	uint8_t room[(LD_PARTY_ID_MAX + 1) * LD_EFFECTIVE_SOURCES_MAX];

	making->added++;
	if (making->is_coarse)
		entry.source = sources_cut(entry.source, room, sizeof room);
	if (effective->is_sealed)
		return ld_maker_seal(making->maker, effective->blind, entry.category, entry.source,
				     false);
	return ld_maker_add(making->maker, &entry, NULL);
}

static int
compile(struct ld_quorum *quorum, const struct ld_compile_options *options, ld_effective_fill *fill,
	void *ctx, const char *path, bool is_coarse, struct ld_report *report)
{
	struct ld_effective_making making = {.is_coarse = is_coarse};
	uint8_t key[LD_BLIND_KEY_BYTES];
	struct ld_build_stats stats;
	int err = ld_maker_new(&making.maker, options);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "not enough memory to compile");
	ld_quorum_blind_key(quorum, key);
	ld_maker_blind_key(making.maker, key);
	explicit_bzero(key, sizeof key);
	err = fill != NULL ? fill(ctx, &making)
			   : ld_quorum_effective(quorum, ld_effective_add, &making);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "%s: the list cannot be compiled: %s", path,
			lindung_strerror(err));
	else
		err = ld_maker_finish(making.maker, path, &stats, report);
	ld_maker_free(making.maker);
	return err;
}

int
ld_effective_compile(struct ld_quorum *quorum, const struct ld_compile_options *options,
		     ld_effective_fill *fill, void *ctx, const char *path, struct ld_report *report)
{
	int err = compile(quorum, options, fill, ctx, path, false, report);

	return err == LINDUNG_ELIMIT ? compile(quorum, options, fill, ctx, path, true, report)
				     : err;
}

void
ld_effective_origin(char ret[LD_EFFECTIVE_ORIGIN_MAX], struct ld_span bytes)
{
	struct ld_checkpoint checkpoint;
	struct ld_buffer root;
	struct ld_note note;

	ret[0] = '\0';
	if (ld_note_parse(&note, bytes, NULL) != LINDUNG_OK ||
	    ld_checkpoint_parse(&checkpoint, note.text, NULL) != LINDUNG_OK)
		return;
	ld_buffer_init(&root, 64);
	ld_text_to_base64(&root, ld_span(checkpoint.root.bytes, LD_HASH_BYTES));
	snprintf(ret, LD_EFFECTIVE_ORIGIN_MAX, "log %.*s, size %llu, root %.*s",
		 (int)checkpoint.origin.len, (const char *)checkpoint.origin.data,
		 (unsigned long long)checkpoint.size, (int)root.len, (const char *)root.data);
	ld_buffer_free(&root);
}
