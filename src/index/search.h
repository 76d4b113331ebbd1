/* What the layers of a list hold about a name or URL: every entry that speaks of it, longest first.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung). */
#ifndef LD_INDEX_SEARCH_H
#define LD_INDEX_SEARCH_H

#include "index/find.h"
#include "index/layers.h"
#include "index/question.h"
#include "index/sealed.h"

/** A name or URL that was found. */
struct ld_match {
	uint32_t tuple; /* in that layer */
	unsigned layer, labels;
	enum ld_relation relation; /* to what was asked */
	bool is_sealed;
	struct ld_span key;
};

/** Called for each match.  False stops the search. */
typedef bool ld_found(void *ctx, const struct ld_match *match);

enum {
	LD_SEARCH_PROBES = 16, /* of names in layers, that are looked for in filters at once */
	LD_SEARCH_FINDS = 4,   /* of them, that are looked for in blocks at once */
};

struct ld_search_probe {
	struct ld_probe at;
	uint8_t labels, layer;
};

struct ld_search_found {
	uint8_t labels, layer;
};

/** One question on its way.  Whoever has several takes each step for all of them before the next:
 * each step asks memory for what the next one needs. */
struct ld_search {
	const struct lindung *list;
	struct ld_question *question;
	unsigned labels, layers; /* those to come; `layers` of the first of these levels */
	/* Labels of the last name that was told of, of each of two joined lists; of a protection
	 * below it; of a sealed name. */
	unsigned spoke[2], guarded[2], spoke_sealed[2];
	bool without_sealed;
	unsigned probe_count, probe_next, find_count;
	struct ld_search_probe probes[LD_SEARCH_PROBES];
	struct ld_search_found found[LD_SEARCH_FINDS];
	struct ld_find finds[LD_SEARCH_FINDS];
	struct ld_sealed_find sealed[LD_SEARCH_FINDS]; /* where the layer has some */
};

/** The question must stay. */
void ld_search_begin(struct ld_search *search, const struct lindung *list, struct ld_question *q);
void ld_search_filter(struct ld_search *search);
void ld_search_blocks(struct ld_search *search);
/** Tell of each name found. */
void ld_search_end(struct ld_search *search, ld_found *each, void *ctx);

/** All of these steps for one name.  False: nothing was found.  Of several layers that have the
 * same name the topmost one speaks; of two joined lists first that of the upper one. */
bool ld_search_name(const struct lindung *list, struct ld_question *q, bool without_sealed,
		    ld_found *each, void *ctx);

/** Search for text: a URL (its own entries before those of its host) or a name.
 * Errors: as lindung_lookup_url() and lindung_lookup_name(). */
int ld_search_text(const struct lindung *list, const char *text, size_t len, bool is_url,
		   ld_found *each, void *ctx);

#endif
