/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/shares.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "net/address.h"

enum {
	NONE = 0, /* entries are numbered from 1 */
	KEY_BYTES = 8,
};

struct entry {
	uint64_t key;
	uint32_t next; /* in its bucket, or among the free */
	uint32_t count;
	uint8_t key_len;
};

struct ld_shares {
	pthread_mutex_t lock;
	uint64_t secret[2]; /* so that nobody chooses addresses that meet in one bucket */
	unsigned client_max;
	uint32_t bucket_mask;
	uint32_t free;
	uint32_t *buckets;
	struct entry *entries;
};

struct ld_shares *
ld_shares_new(unsigned connections_max, unsigned client_max)
{
	struct ld_shares *shares = calloc(1, sizeof *shares);
	uint32_t buckets = 16;

	if (shares == NULL)
		return NULL;
	while (buckets < connections_max)
		buckets *= 2;
	pthread_mutex_init(&shares->lock, NULL);
	shares->client_max = client_max;
	shares->bucket_mask = buckets - 1;
	shares->buckets = calloc(buckets, sizeof shares->buckets[0]);
	shares->entries = calloc((size_t)connections_max + 1, sizeof shares->entries[0]);
	if (shares->buckets == NULL || shares->entries == NULL ||
	    getrandom(shares->secret, sizeof shares->secret, 0) != sizeof shares->secret) {
		ld_shares_free(shares);
		return NULL;
	}
	for (uint32_t i = 1; i <= connections_max; i++)
		shares->entries[i].next = i < connections_max ? i + 1 : NONE;
	shares->free = connections_max > 0 ? 1 : NONE;
	return shares;
}

void
ld_shares_free(struct ld_shares *shares)
{
	if (shares == NULL)
		return;
	pthread_mutex_destroy(&shares->lock);
	free(shares->buckets);
	free(shares->entries);
	free(shares);
}

static uint64_t
client_key(const struct ld_address *client, uint8_t *ret_len)
{
	uint8_t octets[16] = {0};
	unsigned len = ld_address_octets(client, octets);

	*ret_len = (uint8_t)len;
	return ld_get_le64(octets); /* all of IPv4, the network of IPv6 */
}

bool
ld_shares_same(const struct ld_address *a, const struct ld_address *b)
{
	uint8_t a_len, b_len;
	uint64_t a_key = client_key(a, &a_len), b_key = client_key(b, &b_len);

	return a_key == b_key && a_len == b_len;
}

/* Where the number of the client's entry stands, or would. */
static uint32_t *
entry_find(struct ld_shares *shares, uint64_t key, uint8_t key_len)
{
	uint64_t hash = ld_mix64(key ^ shares->secret[0], shares->secret[1] ^ key_len);
	uint32_t *at = &shares->buckets[hash & shares->bucket_mask];

	while (*at != NONE &&
	       (shares->entries[*at].key != key || shares->entries[*at].key_len != key_len))
		at = &shares->entries[*at].next;
	return at;
}

bool
ld_shares_enter(struct ld_shares *shares, const struct ld_address *client)
{
	struct entry *entry;
	uint8_t key_len;
	uint64_t key = client_key(client, &key_len);
	uint32_t *at, number;
	bool counted = false;

	pthread_mutex_lock(&shares->lock);
	at = entry_find(shares, key, key_len);
	if (*at != NONE) {
		entry = &shares->entries[*at];
		counted = entry->count < shares->client_max;
		entry->count += counted;
	} else if (shares->free != NONE) {
		number = shares->free;
		entry = &shares->entries[number];
		shares->free = entry->next;
		*entry = (struct entry){.key = key, .key_len = key_len, .count = 1};
		*at = number;
		counted = true;
	}
	pthread_mutex_unlock(&shares->lock);
	return counted;
}

void
ld_shares_leave(struct ld_shares *shares, const struct ld_address *client)
{
	uint8_t key_len;
	uint64_t key = client_key(client, &key_len);
	uint32_t *at, number;

	pthread_mutex_lock(&shares->lock);
	at = entry_find(shares, key, key_len);
	number = *at;
	LD_ASSERT(number != NONE);
	if (--shares->entries[number].count == 0) {
		*at = shares->entries[number].next;
		shares->entries[number].next = shares->free;
		shares->free = number;
	}
	pthread_mutex_unlock(&shares->lock);
}
