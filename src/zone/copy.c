/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/copy.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "net/digest.h"
#include "wire/dns.h"
#include "zone/copy_text.h"

enum {
	SLOTS_FIRST = 1024,
	SOA_NUMBERS_BYTES = 20,
	GATHER_BYTES = 64 * 1024,
};

/* A record: its owner in a form whose octet order is canonical (see key_make()), then its rdata. */
struct record {
	uint32_t ttl;
	uint16_t type, key_len, rdata_len;
	uint8_t octets[];
};

struct ld_zone_copy {
	struct ld_name origin;
	struct ld_copy_limits limits;
	uint64_t octets;
	/* So that whoever sends the zone cannot choose records that all fall upon one slot. */
	uint8_t secret[LD_SIPHASH_KEY_BYTES];
	/* Open addressing; NULL: free, `gone`: was taken out. */
	struct record **slots;
	size_t size, used, count;
	size_t soa_len; /* 0: none */
	uint32_t soa_ttl;
	uint8_t soa[2 * LD_NAME_WIRE_MAX + SOA_NUMBERS_BYTES];
};

static struct record gone;

int
ld_zone_copy_new(struct ld_zone_copy **ret, const struct ld_name *origin,
		 const struct ld_copy_limits *limits)
{
	struct ld_zone_copy *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		return LINDUNG_ENOMEM;
	if (getrandom(copy->secret, sizeof copy->secret, 0) != (ssize_t)sizeof copy->secret) {
		free(copy);
		return LINDUNG_EIO;
	}
	copy->origin = *origin;
	ld_name_lower(&copy->origin);
	copy->limits = *limits;
	*ret = copy;
	return LINDUNG_OK;
}

void
ld_zone_copy_clear(struct ld_zone_copy *copy)
{
	for (size_t i = 0; i < copy->size; i++)
		if (copy->slots[i] != &gone)
			free(copy->slots[i]);
	free(copy->slots);
	copy->slots = NULL;
	copy->size = copy->used = copy->count = copy->soa_len = 0;
	copy->octets = 0;
}

void
ld_zone_copy_free(struct ld_zone_copy *copy)
{
	if (copy == NULL)
		return;
	ld_zone_copy_clear(copy);
	free(copy);
}

/* ---- Owners -------------------------------------------------------------------------------- */

/* Labels from the last to the first, a zero octet before each but the first; in them 0 and 1 become
 * 1 1 and 1 2, so that a label that ends comes before one that goes on.  Those of the zone are left
 * out. */
static size_t
key_make(uint8_t key[2 * LD_NAME_WIRE_MAX], const struct ld_name *owner, unsigned origin_labels)
{
	uint8_t starts[LD_NAME_LABELS_MAX + 1];
	unsigned count = 0;
	size_t len = 0;

	for (size_t at = 0; owner->wire[at] != 0; at += 1u + owner->wire[at])
		starts[count++] = (uint8_t)at;
	count -= origin_labels;
	for (unsigned i = count; i-- > 0;) {
		const uint8_t *label = &owner->wire[starts[i]];

		if (i + 1 < count)
			key[len++] = 0;
		for (unsigned k = 1; k <= *label; k++) {
			uint8_t c = label[k];

			if (c >= 'A' && c <= 'Z')
				c |= 0x20;
			if (c <= 1) {
				key[len++] = 1;
				c++;
			}
			key[len++] = c;
		}
	}
	return len;
}

/* The name that a key stands for. */
static void
owner_make(struct ld_name *ret, struct ld_span key, const struct ld_name *origin)
{
	uint8_t labels[LD_NAME_WIRE_MAX];
	size_t room = sizeof labels, start;

	ret->labels = origin->labels;
	/* From the back, as the labels of a key stand in reverse. */
	start = room;
	while (key.len != 0) {
		uint8_t label[1 + LD_LABEL_MAX], len = 0;
		size_t end = ld_span_find(key, 0);

		for (size_t i = 0; i < end; i++) {
			uint8_t c = key.data[i];

			if (c == 1)
				c = (uint8_t)(key.data[++i] - 1);
			label[++len] = c;
		}
		label[0] = len;
		start -= 1u + len;
		memcpy(labels + start, label, 1u + len);
		ret->labels++;
		key = ld_span_from(key, end + 1);
	}
	memcpy(ret->wire, labels + start, room - start);
	memcpy(ret->wire + (room - start), origin->wire, origin->len);
	ret->len = (uint8_t)(room - start + origin->len);
}

/* ---- The table ----------------------------------------------------------------------------- */

static uint64_t
hash_of(const struct ld_zone_copy *copy, const struct record *r)
{
	struct ld_span octets = ld_span(r->octets, (size_t)r->key_len + r->rdata_len);

	return ld_siphash(copy->secret, octets) ^ r->type;
}

static bool
is_same(const struct record *a, const struct record *b)
{
	return a->type == b->type && a->key_len == b->key_len && a->rdata_len == b->rdata_len &&
	       memcmp(a->octets, b->octets, (size_t)a->key_len + a->rdata_len) == 0;
}

/* Where it stands, or where it would. */
static struct record **
slot_find(const struct ld_zone_copy *copy, const struct record *record)
{
	struct record **free_slot = NULL;

	for (size_t i = hash_of(copy, record) & (copy->size - 1);; i = (i + 1) & (copy->size - 1)) {
		struct record **slot = &copy->slots[i];

		if (*slot == NULL)
			return free_slot != NULL ? free_slot : slot;
		if (*slot == &gone)
			free_slot = free_slot == NULL ? slot : free_slot;
		else if (is_same(*slot, record))
			return slot;
	}
}

static bool
slot_is_taken(struct record *const *slot)
{
	return *slot != NULL && *slot != &gone;
}

/* Room for one more: at most two thirds of the slots are in use. */
static int
table_grow(struct ld_zone_copy *copy)
{
	struct ld_zone_copy grown = *copy;

	if (3 * (copy->used + 1) <= 2 * copy->size)
		return LINDUNG_OK;
	grown.size = SLOTS_FIRST;
	while (grown.size < 3 * (copy->count + 1))
		grown.size *= 2;
	grown.slots = calloc(grown.size, sizeof(struct record *));
	if (grown.slots == NULL)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < copy->size; i++)
		if (slot_is_taken(&copy->slots[i]))
			*slot_find(&grown, copy->slots[i]) = copy->slots[i];
	grown.used = grown.count;
	free(copy->slots);
	*copy = grown;
	return LINDUNG_OK;
}

static int
record_make(struct record **ret, const struct ld_zone_copy *copy,
	    const struct ld_zone_copy_record *from)
{
	uint8_t key[2 * LD_NAME_WIRE_MAX];
	struct record *record;
	size_t len;

	if (!ld_name_is_within(from->owner, &copy->origin) || from->rdata.len > UINT16_MAX)
		return LINDUNG_EMALFORMED;
	len = key_make(key, from->owner, copy->origin.labels);
	record = malloc(sizeof *record + len + from->rdata.len);
	if (record == NULL)
		return LINDUNG_ENOMEM;
	*record = (struct record){.ttl = from->ttl,
				  .type = from->type,
				  .key_len = (uint16_t)len,
				  .rdata_len = (uint16_t)from->rdata.len};
	memcpy(record->octets, key, len);
	if (from->rdata.len != 0)
		memcpy(record->octets + len, from->rdata.data, from->rdata.len);
	*ret = record;
	return LINDUNG_OK;
}

static uint64_t
octets_of(const struct record *record)
{
	return sizeof *record + record->key_len + record->rdata_len;
}

static int
soa_set(struct ld_zone_copy *copy, const struct ld_zone_copy_record *record)
{
	struct ld_name name;
	struct ld_span rest = record->rdata;

	if (!ld_name_equal(record->owner, &copy->origin))
		return LINDUNG_EMALFORMED;
	for (unsigned i = 0; i < 2; i++) {
		if (ld_name_from_wire(&name, rest) != LINDUNG_OK)
			return LINDUNG_EMALFORMED;
		rest = ld_span_from(rest, name.len);
	}
	if (rest.len != SOA_NUMBERS_BYTES)
		return LINDUNG_EMALFORMED;
	memcpy(copy->soa, record->rdata.data, record->rdata.len);
	copy->soa_len = record->rdata.len;
	copy->soa_ttl = record->ttl;
	return LINDUNG_OK;
}

int
ld_zone_copy_add(struct ld_zone_copy *copy, const struct ld_zone_copy_record *from)
{
	struct record *record, **slot;
	int err;

	if (from->type == LD_TYPE_SOA)
		return soa_set(copy, from);
	err = record_make(&record, copy, from);
	if (err != LINDUNG_OK)
		return err;
	err = table_grow(copy);
	if (err == LINDUNG_OK && (copy->count == copy->limits.records_max ||
				  copy->octets + octets_of(record) > copy->limits.octets_max))
		err = LINDUNG_ELIMIT;
	if (err != LINDUNG_OK) {
		free(record);
		return err;
	}
	slot = slot_find(copy, record);
	if (slot_is_taken(slot)) {
		(*slot)->ttl = record->ttl;
		free(record);
		return LINDUNG_OK;
	}
	copy->used += *slot == NULL;
	*slot = record;
	copy->count++;
	copy->octets += octets_of(record);
	return LINDUNG_OK;
}

int
ld_zone_copy_remove(struct ld_zone_copy *copy, const struct ld_zone_copy_record *from)
{
	struct record *record, **slot;
	int err = record_make(&record, copy, from);

	if (err != LINDUNG_OK)
		return err;
	slot = copy->size != 0 ? slot_find(copy, record) : NULL;
	free(record);
	if (slot == NULL || !slot_is_taken(slot))
		return LINDUNG_ENOTFOUND;
	copy->octets -= octets_of(*slot);
	copy->count--;
	free(*slot);
	*slot = &gone;
	return LINDUNG_OK;
}

const struct ld_name *
ld_zone_copy_origin(const struct ld_zone_copy *copy)
{
	return &copy->origin;
}

bool
ld_zone_copy_serial(const struct ld_zone_copy *copy, uint32_t *ret)
{
	if (copy->soa_len == 0)
		return false;
	*ret = ld_get_be32(copy->soa + copy->soa_len - SOA_NUMBERS_BYTES);
	return true;
}

void
ld_zone_copy_times(const struct ld_zone_copy *copy, uint32_t *ret_refresh, uint32_t *ret_retry,
		   uint32_t *ret_expire)
{
	const uint8_t *numbers = copy->soa + copy->soa_len - SOA_NUMBERS_BYTES;

	*ret_refresh = copy->soa_len != 0 ? ld_get_be32(numbers + 4) : 0;
	*ret_retry = copy->soa_len != 0 ? ld_get_be32(numbers + 8) : 0;
	*ret_expire = copy->soa_len != 0 ? ld_get_be32(numbers + 12) : 0;
}

uint64_t
ld_zone_copy_count(const struct ld_zone_copy *copy)
{
	return copy->count;
}

/* ---- All records, in canonical order -------------------------------------------------------- */

static struct ld_span
key_of(const struct record *r)
{
	return ld_span(r->octets, r->key_len);
}

static struct ld_span
rdata_of(const struct record *r)
{
	return ld_span(r->octets + r->key_len, r->rdata_len);
}

static int
canonical(const void *a, const void *b)
{
	const struct record *x = *(struct record *const *)a, *y = *(struct record *const *)b;
	int order = ld_span_compare(key_of(x), key_of(y));

	if (order == 0)
		order = (x->type > y->type) - (x->type < y->type);
	return order != 0 ? order : ld_span_compare(rdata_of(x), rdata_of(y));
}

int
ld_copy_each(struct ld_zone_copy *copy, bool soa_first,
	     int (*each)(void *ctx, const struct ld_zone_copy_record *record), void *ctx)
{
	struct record **all = malloc((copy->count + 1) * sizeof(struct record *));
	struct ld_zone_copy_record record = {
		.owner = &copy->origin,
		.type = LD_TYPE_SOA,
		.ttl = copy->soa_ttl,
		.rdata = ld_span(copy->soa, copy->soa_len),
	};
	bool soa_told = copy->soa_len == 0;
	size_t count = 0;
	int err = LINDUNG_OK;

	if (all == NULL)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < copy->size; i++)
		if (slot_is_taken(&copy->slots[i]))
			all[count++] = copy->slots[i];
	qsort(all, count, sizeof(struct record *), canonical);
	for (size_t i = 0; err == LINDUNG_OK && (i < count || !soa_told);) {
		struct ld_name owner;

		if (!soa_told && (soa_first || i == count || all[i]->key_len != 0 ||
				  all[i]->type > LD_TYPE_SOA)) {
			soa_told = true;
			err = each(ctx, &record);
			continue;
		}
		owner_make(&owner, key_of(all[i]), &copy->origin);
		err = each(ctx, &(struct ld_zone_copy_record){.owner = &owner,
							      .type = all[i]->type,
							      .ttl = all[i]->ttl,
							      .rdata = rdata_of(all[i])});
		i++;
	}
	free(all);
	return err;
}

/* ---- Digests (RFC 8976) --------------------------------------------------------------------- */

/* A digest that the zone has, and the one that it should. */
struct checked {
	struct ld_digest *digest;
	size_t len;
	uint8_t says[LD_DIGEST_MAX_BYTES];
};

struct verifying {
	const struct ld_zone_copy *copy;
	uint32_t serial;
	struct checked by_hash[3]; /* 1: SHA-384, 2: SHA-512 */
	unsigned count;
	struct ld_report *report;
};

static bool
is_zonemd(const struct verifying *v, const struct ld_zone_copy_record *record)
{
	return record->type == LD_TYPE_ZONEMD && ld_name_equal(record->owner, &v->copy->origin);
}

/* It is not digested: a digest, or the signature of digests (section 3.3.1.1). */
static bool
is_left_out(const struct verifying *v, const struct ld_zone_copy_record *record)
{
	return is_zonemd(v, record) || (record->type == LD_TYPE_RRSIG && record->rdata.len >= 2 &&
					ld_get_be16(record->rdata.data) == LD_TYPE_ZONEMD &&
					ld_name_equal(record->owner, &v->copy->origin));
}

static int
zonemd_take(void *ctx, const struct ld_zone_copy_record *record)
{
	static const size_t lengths[] = {0, LD_DIGEST_SHA384_BYTES, LD_DIGEST_SHA512_BYTES};
	struct verifying *v = ctx;
	const uint8_t *d = record->rdata.data;
	struct checked *checked;
	int err;

	/* Other schemes and hashes are for others to check (section 4). */
	if (!is_zonemd(v, record) || record->rdata.len < 6 || d[4] != 1 || d[5] < 1 || d[5] > 2 ||
	    record->rdata.len != 6 + lengths[d[5]] || ld_get_be32(d) != v->serial)
		return LINDUNG_OK;
	checked = &v->by_hash[d[5]];
	if (checked->digest != NULL)
		return ld_fail(v->report, LINDUNG_ESIGNATURE,
			       "the zone has two digests of one kind (ZONEMD)");
	err = ld_digest_new(&checked->digest, d[5] == 1 ? LD_DIGEST_SHA384 : LD_DIGEST_SHA512,
			    (struct ld_span){NULL, 0});
	if (err != LINDUNG_OK)
		return ld_fail(v->report, err, "not enough memory");
	ld_digest_begin(checked->digest);
	checked->len = lengths[d[5]];
	memcpy(checked->says, d + 6, checked->len);
	v->count++;
	return LINDUNG_OK;
}

static int
record_digest(void *ctx, const struct ld_zone_copy_record *record)
{
	struct verifying *v = ctx;
	uint8_t head[LD_NAME_WIRE_MAX + 10];
	struct ld_writer w = ld_writer(head, sizeof head);
	struct ld_name lower = *record->owner;

	if (is_left_out(v, record))
		return LINDUNG_OK;
	ld_name_lower(&lower);
	ld_writer_bytes(&w, ld_span(lower.wire, lower.len));
	ld_writer_be16(&w, record->type);
	ld_writer_be16(&w, LD_CLASS_IN);
	ld_writer_be32(&w, record->ttl);
	ld_writer_be16(&w, (uint16_t)record->rdata.len);
	for (unsigned i = 1; i <= 2; i++) {
		if (v->by_hash[i].digest == NULL)
			continue;
		ld_digest_add(v->by_hash[i].digest, ld_span(w.data, w.len));
		ld_digest_add(v->by_hash[i].digest, record->rdata);
	}
	return LINDUNG_OK;
}

int
ld_zone_copy_verify(struct ld_zone_copy *copy, unsigned *ret_digests, struct ld_report *report)
{
	struct verifying v = {.copy = copy, .report = report};
	int err;

	if (!ld_zone_copy_serial(copy, &v.serial))
		return ld_fail(report, LINDUNG_ESIGNATURE, "the zone has no SOA");
	err = ld_copy_each(copy, false, zonemd_take, &v);
	if (err == LINDUNG_OK && v.count != 0)
		err = ld_copy_each(copy, false, record_digest, &v);
	for (unsigned i = 1; i <= 2; i++) {
		uint8_t is[LD_DIGEST_MAX_BYTES];
		struct checked *checked = &v.by_hash[i];

		if (err == LINDUNG_OK && checked->digest != NULL) {
			err = ld_digest_end(checked->digest, is);
			if (err == LINDUNG_OK &&
			    !ld_digest_same(ld_span(is, checked->len),
					    ld_span(checked->says, checked->len)))
				err = ld_fail(report, LINDUNG_ESIGNATURE,
					      "the zone is not the one that its digest (ZONEMD) "
					      "is of");
		}
		ld_digest_free(checked->digest);
	}
	if (err == LINDUNG_OK)
		*ret_digests = v.count;
	return err;
}
