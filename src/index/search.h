/* What the layers of a list hold about a name or URL: every entry that speaks of it, longest first.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung). */
#ifndef LD_INDEX_SEARCH_H
#define LD_INDEX_SEARCH_H

#include "index/layers.h"
#include "index/question.h"

/** Called for each name or URL found: its tuple in that layer, how many labels it has, how it lies
 * to what was asked, its key.  False stops the search. */
typedef bool ld_found(void *ctx, unsigned layer, uint32_t tuple, unsigned labels,
		      enum ld_relation relation, struct ld_span key);

/** Search for a name and its parents.  Of several layers that have the same name the topmost one
 * speaks. */
void ld_search_name(const struct lindung *list, struct ld_question *q, ld_found *each, void *ctx);

/** Search for text: a URL (its own entries before those of its host) or a name.
 * Errors: as lindung_lookup_url() and lindung_lookup_name(). */
int ld_search_text(const struct lindung *list, const char *text, size_t len, bool is_url,
		   ld_found *each, void *ctx);

#endif
