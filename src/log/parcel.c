/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/parcel.h"

#include "log/block.h"
#include "log/merkle.h"
#include "log/note.h"

/* U+2014 and a blank. */
static const struct ld_span signature_start = {(const uint8_t *)"\xe2\x80\x94 ", 4};

int
ld_parcel_split(struct ld_parcel *ret, struct ld_span bytes, struct ld_report *report)
{
	struct ld_span start = ld_span_first(bytes, LD_NOTE_MAX_BYTES + 1);
	const uint8_t *blank = start.len != 0 ? memmem(start.data, start.len, "\n\n", 2) : NULL;
	size_t at = blank != NULL ? (size_t)(blank - start.data) + 2 : 0, first = at;

	if (bytes.len > LD_PARCEL_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "longer than %d octets",
			       LD_PARCEL_MAX_BYTES);
	while (at != 0 && ld_span_starts(ld_span_from(start, at), signature_start)) {
		size_t end = ld_span_find(ld_span_from(start, at), '\n');

		if (at + end == start.len)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "a signature line that does not end: the file is cut, or "
				       "longer than a note may be (%d octets)",
				       LD_NOTE_MAX_BYTES);
		at += end + 1;
	}
	if (at == first)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "this is no signed statement: there is no signature under it");
	ret->note = ld_span_first(bytes, at);
	ret->block = ld_span_from(bytes, at);
	return LINDUNG_OK;
}

static int
entry_ignore(void *ctx, const struct ld_entry *entry)
{
	(void)ctx;
	(void)entry;
	return LINDUNG_OK;
}

static int
block_check(const struct ld_statement *statement, struct ld_span block, struct ld_report *report)
{
	struct ld_hash hash;

	if (statement->entries != LD_ENTRIES_BLOCK && statement->entries != LD_ENTRIES_SEALED)
		return block.len == 0 ? LINDUNG_OK
				      : ld_fail(report, LINDUNG_ESYNTAX,
						"%zu octets stand behind the signatures, and the "
						"statement names no block",
						block.len);
	if (block.len == 0)
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "the block that the statement names is missing: hand in the file as "
			       "it was written, with what stands behind the signatures");
	if (statement->entries == LD_ENTRIES_BLOCK)
		return ld_block_read(statement, block, NULL, entry_ignore, NULL, report);
	ld_hash_of(&hash, block);
	return memcmp(hash.bytes, statement->block_hash, sizeof hash.bytes) == 0
		       ? LINDUNG_OK
		       : ld_fail(report, LINDUNG_EDAMAGED,
				 "the sealed block does not have the hash that the statement "
				 "names");
}

int
ld_parcel_check(const struct ld_parcel *parcel, struct ld_statement *ret,
		uint8_t ret_id[LD_STATEMENT_ID_BYTES], struct ld_report *report)
{
	struct ld_statement statement;
	struct ld_note note;
	int err = ld_note_parse(&note, parcel->note, report);

	if (err == LINDUNG_OK)
		err = ld_statement_parse(&statement, note.text, report);
	if (err == LINDUNG_OK)
		err = block_check(&statement, parcel->block, report);
	if (err != LINDUNG_OK)
		return err;
	ld_statement_id(ret_id, note.text);
	*ret = statement;
	return LINDUNG_OK;
}
