/* Entries of a statement: inline, or in a block named by its hash (formats/statement.md).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has the blocks (a folder, a cache, a server's answer) hands them over as octets; hashes are
 * checked here. */
#ifndef LD_LOG_BLOCK_H
#define LD_LOG_BLOCK_H

#include "base/bytes.h"
#include "base/error.h"
#include "list/entry.h"
#include "log/statement.h"

enum {
	LD_BLOCK_HASH_BYTES = 32,
	LD_BLOCK_STORED_MAX_BYTES = 64 * 1024 * 1024,
	LD_BLOCK_CONTENT_MAX_BYTES = 128 * 1024 * 1024,
};

struct ld_openers; /* seal.h */

/** Each entry, in order; its spans are valid during the call.  Returns LINDUNG_OK to go on. */
typedef int ld_block_each(void *ctx, const struct ld_entry *entry);

/** The entries that stand in the statement itself.  Checked already when it was parsed. */
int ld_block_inline(const struct ld_statement *statement, ld_block_each *each, void *ctx);
/** Those of a block, of which `stored` are the octets as they are served.  Sealed ones need
 * `openers`; what is opened lies in locked memory only, and is wiped.
 * Nothing is handed over before hash, count, order and every entry are checked.
 * Errors, with a report: LINDUNG_EDAMAGED (hash), LINDUNG_ESYNTAX, LINDUNG_ELIMIT (also: a bomb),
 * LINDUNG_EDENIED (sealed, and none of the keys opens it), LINDUNG_ENOMEM, those of `each`. */
int ld_block_read(const struct ld_statement *statement, struct ld_span stored,
		  const struct ld_openers *openers, ld_block_each *each, void *ctx,
		  struct ld_report *report);

struct ld_recipients; /* seal.h */

/** Make the entries of a statement: `lines` are entries in any order and form that formats/list.md
 * takes, one a line.  Few: inline text in `ret_inline`; more, or with `recipients`: a block in
 * `ret_stored`.  Sets entries, entry_count, inline_entries, block_hash of `statement`.
 * Errors: LINDUNG_ENAME (the report names line and entry), LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_block_make(struct ld_statement *statement, struct ld_span lines,
		  const struct ld_recipients *recipients, struct ld_buffer *ret_inline,
		  struct ld_buffer *ret_stored, struct ld_report *report);

#endif
