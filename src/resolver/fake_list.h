/* A list of a few names that stands in for liblindung, for tests only: link it instead.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_RESOLVER_FAKE_LIST_H
#define LD_RESOLVER_FAKE_LIST_H

#include <lindung/lindung.h>

/** One entry: a name with its subdomains.  `category` is one of "adult", "gambling", "safesearch",
 * "phishing".  The source is always "fake". */
struct fake_entry {
	const char *name;
	const char *category;
	enum lindung_verdict action;
	bool is_protected;
	const char *target;
	bool is_exact;  /* that host alone */
	bool is_sealed; /* action LINDUNG_BLOCK; `category` is not told */
};

/** A list over `count` entries, which must stay; the caller's to fake_list_free(). */
struct lindung *fake_list_new(const struct fake_entry *entries, unsigned count);
void fake_list_free(struct lindung *list);

/** How often a name was looked up in it. */
unsigned fake_list_lookups(const struct lindung *list);

#endif
