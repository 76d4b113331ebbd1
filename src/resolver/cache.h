/* The cache of one worker: whole answers, ready to be copied out.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One block of memory, taken at the start; nothing is allocated afterwards.  In it:
 *   index   buckets of a cache line each: eight places with a tag of the hash, how often it was
 *           hit (0 to 3) and where the entry lies
 *   ghost   tags of what was lately evicted without a hit
 *   small   a ring of entries, a tenth of the memory: where new ones begin
 *   main    a ring with the rest: those asked for again
 * The order is that of S3-FIFO (Yang et al., SOSP 2023): an entry that nobody asks for again leaves
 * through the small ring, so that a scan of many names does not wash away what is in use; one that
 * was hit goes to the main ring, and round it once more for each hit.  Rings need no free list: an
 * entry is as long as its answer, and eviction is moving the tail.
 *
 * Entries live until they are evicted, expired or not: an expired answer may be given when there is
 * no other (RFC 8767), an expired failure says how long it lasted.  Only for one that is no longer
 * good for anything the order of eviction makes no exception.  Not for several threads. */
#ifndef LD_RESOLVER_CACHE_H
#define LD_RESOLVER_CACHE_H

#include "wire/build.h"

enum {
	LD_CACHE_MESSAGE_MAX_BYTES = 4096, /* a longer answer is not cached */
	LD_CACHE_TARGETS_MAX_BYTES = 2048, /* names to judge: more, and it is not cached */
	LD_CACHE_BYTES_MIN = 256 * 1024,
	LD_CACHE_ASKED_MAX = 2,
};

struct ld_cache;

/** What an entry is found by.  Name in lower case; type 0 stands for all types, where the name does
 * not exist (RFC 2308 section 5). */
struct ld_cache_key {
	uint64_t hash; /* of all the others but dnssec_ok */
	struct ld_span name;
	uint16_t type, class_;
	bool is_failure; /* a failure stands beside the answer that was had before it */
	bool checking_disabled, dnssec_ok;
};

enum ld_cache_flag {
	LD_CACHE_SECURE = 1,      /* validated upstream */
	LD_CACHE_FAILURE = 2,     /* key: SERVFAIL for a while (RFC 9520) */
	LD_CACHE_CD = 4,          /* key: checking disabled */
	LD_CACHE_DO = 8,          /* key: for clients with DO=1 only */
	LD_CACHE_NOT_DO = 16,     /* key: for clients with DO=0 only; neither: for both */
	LD_CACHE_REFRESHED = 32,  /* it is being asked for again, ahead of its end */
	LD_CACHE_NOT_STALE = 64,  /* it is good for nothing once it has expired */
	LD_CACHE_REBINDING = 128, /* its addresses are not to be told */
};

/** One answer.  What it points at is valid until the next ld_cache_put(). */
struct ld_cache_entry {
	uint8_t flags;
	uint8_t asked; /* how often a client asked for it: up to LD_CACHE_ASKED_MAX */
	/* The caller's: with which list its targets were last found open. */
	uint32_t list_generation;
	int64_t stored_ms, expires_ms;
	struct ld_span message; /* header (flags: RCODE only), question in lower case, no OPT */
	const uint16_t *ttl_at; /* where its TTLs stand, in order */
	uint16_t ttl_count;
	struct ld_span targets;       /* wire names in lower case, one behind the other */
	struct ld_span edes;          /* extended errors (wire/extended_error.h) */
	struct ld_cache_place *place; /* of an entry that was found; else unused */
};

/** A cache that takes `bytes` of memory in all.  An answer is good for something until `stale_ms`
 * after it has expired.
 * Errors: LINDUNG_EINVAL (below LD_CACHE_BYTES_MIN), LINDUNG_ENOMEM. */
int ld_cache_new(struct ld_cache **ret, size_t bytes, int64_t stale_ms);
void ld_cache_free(struct ld_cache *cache);

/** Something with this hash will be asked for soon: have the memory at hand where it would be
 * found.  In two steps, the second some time behind the first, since what the first one brings
 * tells where to go on. */
void ld_cache_foresee(const struct ld_cache *cache, uint64_t hash);
void ld_cache_foresee_entry(struct ld_cache *cache, uint64_t hash);

/** Find the entry, expired or not, for a client: it counts as asked for.  A NULL cache holds
 * nothing and takes nothing. */
bool ld_cache_get(struct ld_cache *cache, const struct ld_cache_key *key,
		  struct ld_cache_entry *ret);
/** The same for ourselves: it does not count. */
bool ld_cache_peek(struct ld_cache *cache, const struct ld_cache_key *key,
		   struct ld_cache_entry *ret);

/** Note in an entry that was found that its targets are open by this list. */
void ld_cache_judged(const struct ld_cache_entry *found, uint32_t list_generation);
/** Set LD_CACHE_REFRESHED or LD_CACHE_NOT_STALE in it. */
void ld_cache_mark(const struct ld_cache_entry *found, enum ld_cache_flag flag);

/** Put an entry in; one with the same key is replaced.  Returns how many others were evicted for
 * it.  An entry past the limits above is not taken. */
unsigned ld_cache_put(struct ld_cache *cache, const struct ld_cache_key *key,
		      const struct ld_cache_entry *entry);

/** Take out what is found by this key, for clients of both kinds. */
void ld_cache_remove(struct ld_cache *cache, const struct ld_cache_key *key);

/** Bytes in use: index, ghost and the entries. */
size_t ld_cache_used_bytes(const struct ld_cache *cache);

#endif
