/* One entry of a list: what is said of a website.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LIST_ENTRY_H
#define LD_LIST_ENTRY_H

#include "base/span.h"

enum ld_action {
	LD_ACTION_BLOCK,
	LD_ACTION_ALLOW,
	LD_ACTION_REWRITE,
	/* Only among changes (overlays): the name has no entry. */
	LD_ACTION_REMOVE,
};

/** What of a site an entry covers: the name itself, what lies below, both; or a part by URL. */
enum ld_scope {
	LD_SCOPE_SELF = 1,
	LD_SCOPE_BELOW = 2,
	LD_SCOPE_TREE = 3,
	LD_SCOPE_URL = 4,
};

enum {
	LD_ENTRY_IMPORTANT = 1, /* beats entries that are not, also an allow */
	LD_ENTRY_BADFILTER = 2, /* takes back the same entry, in whichever list */
	LD_ENTRY_PROTECTED = 4, /* allow that nothing can close; never from a list file */
	LD_ENTRY_LOCKED = 8,    /* by an authority's order: only what is locked too, or protected,
				   opens it; never from a list file */
};

/** One entry.  The spans are valid during the call that hands it over. */
struct ld_entry {
	uint8_t action; /* enum ld_action */
	uint8_t scope;  /* enum ld_scope */
	uint8_t flags;
	struct ld_span host;     /* canonical host text */
	struct ld_span path;     /* LD_SCOPE_URL: canonical, begins with '/'; else empty */
	struct ld_span target;   /* REWRITE: "A 192.0.2.1", "AAAA 2001:db8::1", "CNAME name" */
	struct ld_span category; /* key, where the format has one (LINDUNG); else empty */
	struct ld_span source;   /* the same; writers: every source, joined by ',' */
};

#endif
