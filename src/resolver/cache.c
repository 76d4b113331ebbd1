/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/cache.h"

#include <stdlib.h>

enum {
	UNIT_BYTES = 16, /* entries are aligned to it, and counted in it by the index */
	PLACES = 8,      /* of one bucket */
	GHOSTS = 4,      /* of one set */
	HITS_MAX = 3,
	/* What an entry takes on average, to size the index by: it is then 3/5 full. */
	ENTRY_TYPICAL_BYTES = 200,
	SMALL_SHARE = 10,
	/* Entries that go round the main ring while one is put in: bounds the time that takes. */
	AGAIN_MAX = 64,
};

/* One cache line. */
struct bucket {
	uint16_t tags[PLACES];
	uint32_t refs[PLACES]; /* in units from the start of the block; 0: free */
	uint8_t hits[PLACES];
	uint8_t unused[8];
};

/* Tags of what was evicted from the small ring without a hit, the newest first. */
struct ghosts {
	uint16_t tags[GHOSTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

/* An entry, or (not live) a gap at the end of a ring or one that was replaced. */
struct entry {
	uint32_t size; /* bytes, whole units */
	bool is_live;
	uint8_t flags;
	uint16_t edes_len;
	uint64_t hash;
	/* A gap may end here. */
	int64_t stored_ms, expires_ms;
	uint32_t list_generation;
	uint16_t message_len, ttl_count, targets_len;
	uint8_t asked;
	uint16_t ttl_at[]; /* and behind them message, targets, extended errors */
};

_Static_assert(offsetof(struct entry, stored_ms) <= UNIT_BYTES, "a gap is at least a unit");

struct ring {
	uint8_t *data;
	size_t size, used; /* used: from tail to head, gaps included */
	size_t head, tail;
};

enum {
	ENTRY_MAX_BYTES = sizeof(struct entry) + 2 * LD_COPY_TTLS_MAX + LD_CACHE_MESSAGE_MAX_BYTES +
			  LD_CACHE_TARGETS_MAX_BYTES + LD_EDES_MAX_BYTES + UNIT_BYTES,
};

struct ld_cache {
	struct bucket *buckets;
	size_t bucket_count;
	struct ghosts *ghosts;
	size_t ghosts_count;
	struct ring small, main;
	int64_t stale_ms;
	unsigned evicted, went_again; /* in this ld_cache_put() */
	_Alignas(UNIT_BYTES) uint8_t scratch[ENTRY_MAX_BYTES];
};

/* Rings that an entry of the largest size always fits into, wherever the head stands. */
_Static_assert(LD_CACHE_BYTES_MIN / 2 / SMALL_SHARE > ENTRY_MAX_BYTES, "small ring is too small");

static size_t
round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

int
ld_cache_new(struct ld_cache **ret, size_t bytes, int64_t stale_ms)
{
	struct ld_cache *cache;
	size_t at = round_up(sizeof *cache, sizeof(struct bucket));

	if (bytes < LD_CACHE_BYTES_MIN)
		return LINDUNG_EINVAL;
	bytes -= bytes % sizeof(struct bucket);
	/* The index counts units in 32 bits. */
	if (bytes / UNIT_BYTES > UINT32_MAX)
		return LINDUNG_EINVAL;
	cache = aligned_alloc(sizeof(struct bucket), bytes);
	if (cache == NULL)
		return LINDUNG_ENOMEM;
	*cache = (struct ld_cache){
		.bucket_count = bytes / (ENTRY_TYPICAL_BYTES * PLACES * 3 / 5),
		.ghosts_count = 2 * (bytes / ENTRY_TYPICAL_BYTES) / GHOSTS,
		.stale_ms = stale_ms,
	};
	cache->buckets = (struct bucket *)((uint8_t *)cache + at);
	at += cache->bucket_count * sizeof(struct bucket);
	cache->ghosts = (struct ghosts *)((uint8_t *)cache + at);
	at = round_up(at + cache->ghosts_count * sizeof *cache->ghosts, UNIT_BYTES);
	memset(cache->buckets, 0, at - (size_t)((uint8_t *)cache->buckets - (uint8_t *)cache));
	cache->small.data = (uint8_t *)cache + at;
	cache->small.size = round_up((bytes - at) / SMALL_SHARE, UNIT_BYTES);
	cache->main.data = cache->small.data + cache->small.size;
	cache->main.size = bytes - at - cache->small.size;
	cache->main.size -= cache->main.size % UNIT_BYTES;
	*ret = cache;
	return LINDUNG_OK;
}

void
ld_cache_free(struct ld_cache *cache)
{
	free(cache);
}

size_t
ld_cache_used_bytes(const struct ld_cache *cache)
{
	if (cache == NULL)
		return 0;
	return (size_t)(cache->small.data - (const uint8_t *)cache) + cache->small.used +
	       cache->main.used;
}

static struct bucket *
bucket_of(const struct ld_cache *cache, uint64_t hash)
{
	return &cache->buckets[(size_t)(((unsigned __int128)hash * cache->bucket_count) >> 64)];
}

static struct entry *
entry_at(struct ld_cache *cache, uint32_t ref)
{
	return (struct entry *)((uint8_t *)cache + (size_t)ref * UNIT_BYTES);
}

static uint32_t
ref_of(const struct ld_cache *cache, const struct entry *entry)
{
	return (uint32_t)((size_t)((const uint8_t *)entry - (const uint8_t *)cache) / UNIT_BYTES);
}

/* The place in the index that leads to a live entry. */
static unsigned
place_of(const struct ld_cache *cache, const struct bucket *bucket, const struct entry *entry)
{
	uint32_t ref = ref_of(cache, entry);
	unsigned i = 0;

	while (i < PLACES && bucket->refs[i] != ref)
		i++;
	LD_ASSERT(i < PLACES);
	return i;
}

static const uint8_t *
message_of(const struct entry *entry)
{
	return (const uint8_t *)&entry->ttl_at[entry->ttl_count];
}

/* Entries for both kinds of client have neither flag, and so both bits here. */
static unsigned
clients(uint8_t flags)
{
	return (flags & LD_CACHE_NOT_DO ? 0u : 1u) | (flags & LD_CACHE_DO ? 0u : 2u);
}

static bool
is_question(const struct entry *entry, const struct ld_cache_key *key)
{
	const uint8_t *question = message_of(entry) + LD_QUESTION_AT;
	size_t name_len = key->name.len;

	return entry->hash == key->hash && entry->message_len >= LD_QUESTION_AT + name_len + 4 &&
	       ((entry->flags & LD_CACHE_CD) != 0) == key->checking_disabled &&
	       ((entry->flags & LD_CACHE_FAILURE) != 0) == key->is_failure &&
	       memcmp(question, key->name.data, name_len) == 0 &&
	       ld_get_be16(question + name_len) == key->type &&
	       ld_get_be16(question + name_len + 2) == key->class_;
}

/* The place in the bucket of what is found by this key; PLACES for none. */
static unsigned
find(struct ld_cache *cache, const struct bucket *bucket, const struct ld_cache_key *key)
{
	unsigned wanted = key->dnssec_ok ? 1 : 2;

	for (unsigned i = 0; i < PLACES; i++) {
		if (bucket->tags[i] != (uint16_t)key->hash || bucket->refs[i] == 0)
			continue;
		const struct entry *entry = entry_at(cache, bucket->refs[i]);
		if (is_question(entry, key) && (clients(entry->flags) & wanted) != 0)
			return i;
	}
	return PLACES;
}

void
ld_cache_foresee(const struct ld_cache *cache, uint64_t hash)
{
	if (cache != NULL)
		__builtin_prefetch(bucket_of(cache, hash));
}

void
ld_cache_foresee_entry(struct ld_cache *cache, uint64_t hash)
{
	if (cache == NULL)
		return;
	const struct bucket *bucket = bucket_of(cache, hash);
	for (unsigned i = 0; i < PLACES; i++) {
		if (bucket->tags[i] != (uint16_t)hash || bucket->refs[i] == 0)
			continue;
		const char *entry = (const char *)entry_at(cache, bucket->refs[i]);
		/* Its head and a short message behind it; the rest the processor foresees itself.
		 */
		__builtin_prefetch(entry);
		__builtin_prefetch(entry + 64);
		__builtin_prefetch(entry + 128);
	}
}

static void
show(struct entry *entry, struct ld_cache_entry *ret)
{
	const uint8_t *message = message_of(entry);
	const uint8_t *targets = message + entry->message_len;

	*ret = (struct ld_cache_entry){
		.flags = entry->flags,
		.asked = entry->asked,
		.list_generation = entry->list_generation,
		.stored_ms = entry->stored_ms,
		.expires_ms = entry->expires_ms,
		.message = {message, entry->message_len},
		.ttl_at = entry->ttl_at,
		.ttl_count = entry->ttl_count,
		.targets = {targets, entry->targets_len},
		.edes = {targets + entry->targets_len, entry->edes_len},
		.place = (struct ld_cache_place *)entry,
	};
}

bool
ld_cache_get(struct ld_cache *cache, const struct ld_cache_key *key, struct ld_cache_entry *ret)
{
	if (cache == NULL)
		return false;
	struct bucket *bucket = bucket_of(cache, key->hash);
	unsigned place = find(cache, bucket, key);

	if (place == PLACES)
		return false;
	struct entry *entry = entry_at(cache, bucket->refs[place]);
	/* Written only while they change: many hits leave the cache lines clean. */
	if (bucket->hits[place] < HITS_MAX)
		bucket->hits[place]++;
	if (entry->asked < LD_CACHE_ASKED_MAX)
		entry->asked++;
	show(entry, ret);
	return true;
}

bool
ld_cache_peek(struct ld_cache *cache, const struct ld_cache_key *key, struct ld_cache_entry *ret)
{
	if (cache == NULL)
		return false;
	const struct bucket *bucket = bucket_of(cache, key->hash);
	unsigned place = find(cache, bucket, key);

	if (place == PLACES)
		return false;
	show(entry_at(cache, bucket->refs[place]), ret);
	return true;
}

void
ld_cache_judged(const struct ld_cache_entry *found, uint32_t list_generation)
{
	((struct entry *)found->place)->list_generation = list_generation;
}

void
ld_cache_mark(const struct ld_cache_entry *found, enum ld_cache_flag flag)
{
	((struct entry *)found->place)->flags |= (uint8_t)flag;
}

/* ---- Rings -------------------------------------------------------------------------------- */

/* Octets at the end of the ring that are too few for an entry of this size. */
static size_t
gap_before(const struct ring *ring, size_t size)
{
	return ring->size - ring->head < size ? ring->size - ring->head : 0;
}

static bool
ring_fits(const struct ring *ring, size_t size)
{
	return ring->size - ring->used >= size + gap_before(ring, size);
}

static void
ring_advance(const struct ring *ring, size_t *at, size_t by)
{
	*at += by;
	if (*at == ring->size)
		*at = 0;
}

static struct entry *
ring_append(struct ring *ring, size_t size)
{
	size_t gap = gap_before(ring, size);

	if (gap != 0) {
		struct entry *skip = (struct entry *)(ring->data + ring->head);

		skip->size = (uint32_t)gap;
		skip->is_live = false;
		ring_advance(ring, &ring->head, gap);
	}
	struct entry *entry = (struct entry *)(ring->data + ring->head);
	ring_advance(ring, &ring->head, size);
	ring->used += gap + size;
	return entry;
}

static void
ring_drop_tail(struct ring *ring)
{
	size_t size = ((const struct entry *)(ring->data + ring->tail))->size;

	ring_advance(ring, &ring->tail, size);
	ring->used -= size;
}

/* ---- Eviction ----------------------------------------------------------------------------- */

static struct ghosts *
ghosts_of(const struct ld_cache *cache, uint64_t hash)
{
	return &cache->ghosts[(size_t)(((unsigned __int128)hash * cache->ghosts_count) >> 64)];
}

static bool
is_ghost(const struct ld_cache *cache, uint64_t hash)
{
	const struct ghosts *ghosts = ghosts_of(cache, hash);
	bool found = false;

	for (unsigned i = 0; i < GHOSTS; i++)
		found |= ghosts->tags[i] == (uint16_t)hash;
	return found;
}

/* The newest comes first, the oldest is forgotten. */
static void
remember_ghost(struct ld_cache *cache, uint64_t hash)
{
	struct ghosts *ghosts = ghosts_of(cache, hash);

	memmove(ghosts->tags + 1, ghosts->tags, (GHOSTS - 1) * sizeof *ghosts->tags);
	ghosts->tags[0] = (uint16_t)hash;
}

static void
forget(struct ld_cache *cache, struct bucket *bucket, unsigned place)
{
	entry_at(cache, bucket->refs[place])->is_live = false;
	bucket->refs[place] = 0;
}

/* Whether it is good for something yet: as long as it lasts; most answers also when stale. */
static bool
is_of_use(const struct ld_cache *cache, const struct entry *entry, int64_t now_ms)
{
	bool never_stale = (entry->flags & (LD_CACHE_FAILURE | LD_CACHE_NOT_STALE)) != 0;

	return now_ms - entry->expires_ms < (never_stale ? 0 : cache->stale_ms);
}

/* Entry `from`, whose place is known, goes to the head of the main ring, which has room. */
static void
move_to_main(struct ld_cache *cache, const struct entry *from, struct bucket *bucket,
	     unsigned place)
{
	struct entry *to = ring_append(&cache->main, from->size);

	memcpy(to, from, from->size);
	bucket->refs[place] = ref_of(cache, to);
}

static void
evict_from_main(struct ld_cache *cache, int64_t now_ms)
{
	struct entry *entry = (struct entry *)(cache->main.data + cache->main.tail);

	if (!entry->is_live) {
		ring_drop_tail(&cache->main);
		return;
	}
	struct bucket *bucket = bucket_of(cache, entry->hash);
	unsigned place = place_of(cache, bucket, entry);
	bool again = bucket->hits[place] > 0 && is_of_use(cache, entry, now_ms) &&
		     cache->went_again < AGAIN_MAX;

	if (again) {
		/* Head and tail may touch: what is copied must not lie where it is copied to. */
		memcpy(cache->scratch, entry, entry->size);
		entry = (struct entry *)cache->scratch;
	}
	ring_drop_tail(&cache->main);
	if (again && ring_fits(&cache->main, entry->size)) {
		bucket->hits[place]--;
		cache->went_again++;
		move_to_main(cache, entry, bucket, place);
		return;
	}
	if (again)
		bucket->refs[place] = 0;
	else
		forget(cache, bucket, place);
	cache->evicted++;
}

static void
evict_from_small(struct ld_cache *cache, int64_t now_ms)
{
	struct entry *entry = (struct entry *)(cache->small.data + cache->small.tail);

	if (entry->is_live) {
		struct bucket *bucket = bucket_of(cache, entry->hash);
		unsigned place = place_of(cache, bucket, entry);

		if (bucket->hits[place] > 0 && is_of_use(cache, entry, now_ms)) {
			while (!ring_fits(&cache->main, entry->size))
				evict_from_main(cache, now_ms);
			bucket->hits[place] = 0;
			move_to_main(cache, entry, bucket, place);
		} else {
			remember_ghost(cache, entry->hash);
			forget(cache, bucket, place);
			cache->evicted++;
		}
	}
	ring_drop_tail(&cache->small);
}

/* Takes what has the same key out.  Returns whether it was in use, so that what replaces it belongs
 * to the main ring. */
static bool
take_out(struct ld_cache *cache, const struct ld_cache_key *key, uint8_t flags)
{
	struct bucket *bucket = bucket_of(cache, key->hash);
	bool was_in_use = false;

	for (unsigned i = 0; i < PLACES; i++) {
		if (bucket->refs[i] == 0 || bucket->tags[i] != (uint16_t)key->hash)
			continue;
		struct entry *entry = entry_at(cache, bucket->refs[i]);
		if (!is_question(entry, key) || (clients(entry->flags) & clients(flags)) == 0)
			continue;
		was_in_use |= bucket->hits[i] > 0 || (uint8_t *)entry >= cache->main.data;
		forget(cache, bucket, i);
	}
	return was_in_use;
}

void
ld_cache_remove(struct ld_cache *cache, const struct ld_cache_key *key)
{
	if (cache != NULL)
		take_out(cache, key, 0);
}

/* How much the entry at a place is in use: more in the main ring than any in the small one. */
static unsigned
use_of(struct ld_cache *cache, const struct bucket *bucket, unsigned place)
{
	bool is_main = (uint8_t *)entry_at(cache, bucket->refs[place]) >= cache->main.data;

	return bucket->hits[place] + (is_main ? HITS_MAX + 1 : 0);
}

/* A place of the bucket for a new entry: a free one, or that of the entry least in use. */
static unsigned
free_place(struct ld_cache *cache, struct bucket *bucket)
{
	unsigned least = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		if (bucket->refs[i] == 0)
			return i;
		if (use_of(cache, bucket, i) < use_of(cache, bucket, least))
			least = i;
	}
	forget(cache, bucket, least);
	cache->evicted++;
	return least;
}

static void
fill(struct entry *to, size_t size, const struct ld_cache_key *key,
     const struct ld_cache_entry *from)
{
	*to = (struct entry){
		.size = (uint32_t)size,
		.is_live = true,
		.flags = from->flags,
		.asked = from->asked,
		.edes_len = (uint16_t)from->edes.len,
		.hash = key->hash,
		.stored_ms = from->stored_ms,
		.expires_ms = from->expires_ms,
		.list_generation = from->list_generation,
		.message_len = (uint16_t)from->message.len,
		.ttl_count = from->ttl_count,
		.targets_len = (uint16_t)from->targets.len,
	};
	struct ld_writer w = ld_writer(to->ttl_at, size - sizeof *to);
	ld_writer_bytes(&w, ld_span(from->ttl_at, from->ttl_count * sizeof *from->ttl_at));
	ld_writer_bytes(&w, from->message);
	ld_writer_bytes(&w, from->targets);
	ld_writer_bytes(&w, from->edes);
	LD_ASSERT(!w.failed);
}

unsigned
ld_cache_put(struct ld_cache *cache, const struct ld_cache_key *key,
	     const struct ld_cache_entry *entry)
{
	if (cache == NULL || entry->message.len > LD_CACHE_MESSAGE_MAX_BYTES ||
	    entry->targets.len > LD_CACHE_TARGETS_MAX_BYTES ||
	    entry->edes.len > LD_EDES_MAX_BYTES || entry->ttl_count > LD_COPY_TTLS_MAX)
		return 0;
	size_t size = round_up(sizeof(struct entry) + 2u * entry->ttl_count + entry->message.len +
				       entry->targets.len + entry->edes.len,
			       UNIT_BYTES);
	bool to_main = take_out(cache, key, entry->flags) || is_ghost(cache, key->hash);
	struct ring *ring = to_main ? &cache->main : &cache->small;

	cache->evicted = cache->went_again = 0;
	while (!ring_fits(ring, size)) {
		if (to_main)
			evict_from_main(cache, entry->stored_ms);
		else
			evict_from_small(cache, entry->stored_ms);
	}
	struct entry *to = ring_append(ring, size);
	fill(to, size, key, entry);
	struct bucket *bucket = bucket_of(cache, key->hash);
	unsigned place = free_place(cache, bucket);
	bucket->tags[place] = (uint16_t)key->hash;
	bucket->refs[place] = ref_of(cache, to);
	bucket->hits[place] = 0;
	return cache->evicted;
}
