/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/house.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "wire/dns.h"

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	BUCKETS_MIN = 64,
};

struct node {
	struct ld_house_name known;
	struct node *next_in_bucket;
	struct node *next;
	uint64_t hash;
	struct ld_name name;
};

struct ld_house {
	struct ld_arena arena;
	uint64_t lengths[4]; /* a bit for each length that a name here has */
	struct node **buckets;
	size_t bucket_mask;
	struct node *first, *last;
};

int
ld_house_new(struct ld_house **ret, unsigned names)
{
	struct ld_house *house = calloc(1, sizeof *house);
	size_t buckets = BUCKETS_MIN;

	if (house == NULL)
		return LINDUNG_ENOMEM;
	while (buckets < names)
		buckets *= 2;
	ld_arena_init(&house->arena, ARENA_BYTES);
	house->buckets = ld_arena_alloc(&house->arena, buckets * sizeof *house->buckets);
	house->bucket_mask = buckets - 1;
	if (house->buckets == NULL) {
		ld_house_free(house);
		return LINDUNG_ENOMEM;
	}
	*ret = house;
	return LINDUNG_OK;
}

void
ld_house_free(struct ld_house *house)
{
	if (house == NULL)
		return;
	ld_arena_clear(&house->arena);
	free(house);
}

static uint64_t
name_hash(const struct ld_name *lower)
{
	return ld_hash_bytes(ld_span(lower->wire, lower->len), 0);
}

static struct node *
find(const struct ld_house *house, const struct ld_name *lower)
{
	if ((house->lengths[lower->len / 64] >> lower->len % 64 & 1) == 0)
		return NULL;
	uint64_t hash = name_hash(lower);
	struct node *node = house->buckets[hash & house->bucket_mask];
	while (node != NULL && (node->hash != hash || node->name.len != lower->len ||
				memcmp(node->name.wire, lower->wire, lower->len) != 0))
		node = node->next_in_bucket;
	return node;
}

const struct ld_house_name *
ld_house_find(const struct ld_house *house, const struct ld_name *lower)
{
	const struct node *node = find(house, lower);

	return node != NULL ? &node->known : NULL;
}

int
ld_house_each(const struct ld_house *house, ld_house_visit *visit, void *ctx)
{
	const struct node *last = house->last;
	int error = LINDUNG_OK;

	for (const struct node *node = house->first; node != NULL && error == LINDUNG_OK;
	     node = node != last ? node->next : NULL)
		error = visit(ctx, &node->name);
	return error;
}

/* The name, made if it is not there; NULL without memory. */
static struct node *
take_node(struct ld_house *house, const struct ld_name *lower)
{
	struct node *node = find(house, lower), **bucket;

	if (node != NULL)
		return node;
	node = ld_arena_alloc(&house->arena, sizeof *node);
	if (node == NULL)
		return NULL;
	node->hash = name_hash(lower);
	node->name = *lower;
	bucket = &house->buckets[node->hash & house->bucket_mask];
	node->next_in_bucket = *bucket;
	*bucket = node;
	if (house->last != NULL)
		house->last->next = node;
	else
		house->first = node;
	house->last = node;
	house->lengths[lower->len / 64] |= UINT64_C(1) << lower->len % 64;
	return node;
}

int
ld_house_put(struct ld_house *house, const struct ld_name *lower, enum ld_house_kind kind)
{
	struct node *node = find(house, lower);

	if (node != NULL)
		return LINDUNG_OK;
	node = take_node(house, lower);
	if (node == NULL)
		return LINDUNG_ENOMEM;
	node->known.kind = kind;
	return LINDUNG_OK;
}

/* Behind those that it has; one that it has already is not put twice. */
static int
add_record(struct ld_house *house, struct node *node, uint16_t type, struct ld_span rdata)
{
	struct ld_house_record **end = &node->known.records, *record;

	for (; *end != NULL; end = &(*end)->next) {
		if ((*end)->type == type && ld_span_equal((*end)->rdata, rdata))
			return LINDUNG_OK;
	}
	record = ld_arena_alloc(&house->arena, sizeof *record);
	if (record == NULL)
		return LINDUNG_ENOMEM;
	record->type = type;
	record->rdata = ld_arena_copy(&house->arena, rdata);
	if (record->rdata.data == NULL)
		return LINDUNG_ENOMEM;
	*end = record;
	return LINDUNG_OK;
}

/* 10.1.168.192.in-addr.arpa, or 32 digits and ip6.arpa. */
static void
reverse_name(struct ld_span address, struct ld_name *ret)
{
	char text[80];
	size_t len = 0;

	for (size_t i = address.len; i-- > 0;) {
		uint8_t octet = address.data[i];

		if (address.len == 4)
			len += (size_t)snprintf(text + len, sizeof text - len, "%u.", octet);
		else
			len += (size_t)snprintf(text + len, sizeof text - len, "%x.%x.", octet & 15,
						octet >> 4);
	}
	snprintf(text + len, sizeof text - len, "%s",
		 address.len == 4 ? "in-addr.arpa" : "ip6.arpa");
	int error = ld_name_from_text(ret, ld_span_str(text));
	LD_ASSERT(error == LINDUNG_OK);
}

static int
add_address(struct ld_house *house, struct node *node, struct ld_span address)
{
	struct ld_name reverse;
	struct node *back;
	int error = add_record(house, node, address.len == 4 ? LD_TYPE_A : LD_TYPE_AAAA, address);

	if (error != LINDUNG_OK)
		return error;
	reverse_name(address, &reverse);
	back = take_node(house, &reverse);
	if (back == NULL)
		return LINDUNG_ENOMEM;
	if (back->known.records != NULL)
		return LINDUNG_OK;
	return add_record(house, back, LD_TYPE_PTR, ld_span(node->name.wire, node->name.len));
}

/* The next word of the line, taken off it. */
static struct ld_span
take_word(struct ld_span *line)
{
	size_t at = 0, end;

	while (at < line->len && line->data[at] == ' ')
		at++;
	*line = ld_span_from(*line, at);
	end = ld_span_find(*line, ' ');
	struct ld_span word = ld_span_first(*line, end);
	*line = ld_span_from(*line, word.len);
	return word;
}

/* Octets of the address, 0 if it is none. */
static size_t
read_address(struct ld_span word, uint8_t ret[16])
{
	char text[INET6_ADDRSTRLEN];

	if (word.len >= sizeof text)
		return 0;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	if (inet_pton(AF_INET, text, ret) == 1)
		return 4;
	return inet_pton(AF_INET6, text, ret) == 1 ? 16 : 0;
}

int
ld_house_add(struct ld_house *house, struct ld_span line, struct ld_report *report)
{
	struct ld_span rest = line, word = take_word(&rest);
	char host[LD_HOST_MAX + 1];
	struct ld_name name;
	struct node *node;
	size_t len;
	unsigned count = 0;

	if (ld_host_from_text(host, &len, word) != LINDUNG_OK ||
	    ld_name_from_text(&name, ld_span(host, len)) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "local.names: \"%.*s\" does not begin with the name of a host, as "
			       "nas.home.arpa",
			       (int)line.len, (const char *)line.data);
	node = take_node(house, &name);
	if (node == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "local.names: not enough memory");
	for (; (word = take_word(&rest)).len != 0; count++) {
		uint8_t octets[16];
		size_t size = read_address(word, octets);

		if (size == 0 || count == LD_HOUSE_ADDRESSES_MAX)
			return ld_fail(report, LINDUNG_ECONFIG, "local.names: %s: \"%.*s\" is %s",
				       host, (int)word.len, (const char *)word.data,
				       size == 0 ? "not an address" : "one address too many");
		if (add_address(house, node, ld_span(octets, size)) != LINDUNG_OK)
			return ld_fail(report, LINDUNG_ENOMEM, "local.names: not enough memory");
	}
	if (count == 0)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "local.names: %s has no address: give one behind the name", host);
	return LINDUNG_OK;
}
