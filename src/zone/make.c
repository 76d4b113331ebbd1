/* A set of zones is made: which there are, what changed in each, its digests.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "index/export.h"
#include "wire/dns.h"
#include "zone/zone.h"

enum {
	GATHER_BYTES = 16 * 1024, /* digested at a time */
	RECORD_MAX = LD_NAME_WIRE_MAX + 10 + LD_ZONE_RDATA_MAX,
	ORIGIN_TEXT_MAX = LD_NAME_TEXT_MAX + 2,
};

static const enum ld_digest_kind kinds[LD_ZONE_HASHES] = {LD_DIGEST_SHA384, LD_DIGEST_SHA512};
static const unsigned lengths[LD_ZONE_HASHES] = {LD_DIGEST_SHA384_BYTES, LD_DIGEST_SHA512_BYTES};

/* One zone, while it is made. */
struct making {
	struct ld_zone_set *set;
	struct ld_zone_set *old; /* NULL: none */
	struct ld_zone *zone;
	const struct ld_zone *before; /* of the same name, or NULL */
	const _Atomic bool *stop;
	struct ld_digest *hashes[LD_ZONE_HASHES]; /* NULL: not asked for */
	struct ld_content *was, *is;
	struct ld_buffer removed, added;
	uint64_t removed_count, added_count;
	bool too_many; /* for the journal */
	size_t gathered;
	uint8_t gather[GATHER_BYTES];
};

/* ---- The apex ------------------------------------------------------------------------------ */

void
ld_zone_soa(struct ld_writer *w, const struct ld_zone_settings *settings, uint32_t serial)
{
	/* localhost. nobody.invalid. */
	static const uint8_t names[] = "\x09localhost\0\x06nobody\x07invalid";

	ld_writer_bytes(w, ld_span(names, sizeof names));
	ld_writer_be32(w, serial);
	ld_writer_be32(w, settings->refresh_s);
	ld_writer_be32(w, LD_ZONE_RETRY_S);
	ld_writer_be32(w, LD_ZONE_EXPIRE_S);
	ld_writer_be32(w, LD_ZONE_TTL_S);
}

void
ld_zone_ns(struct ld_writer *w, const struct ld_zone *zone)
{
	static const uint8_t localhost[] = "\x09localhost", invalid[] = "\x07invalid";

	/* RFC 9432 section 4.1: nobody asks a catalog's. */
	ld_writer_bytes(w, zone->is_catalog ? ld_span(invalid, sizeof invalid)
					    : ld_span(localhost, sizeof localhost));
}

void
ld_zone_zonemd(struct ld_writer *w, const struct ld_zone_settings *settings, unsigned hash,
	       uint32_t serial, const struct ld_zone_digests *digests)
{
	if ((settings->digests & 1u << hash) == 0)
		return;
	ld_writer_be32(w, serial);
	ld_writer_u8(w, 1); /* SIMPLE */
	ld_writer_u8(w, (uint8_t)(hash + 1));
	ld_writer_bytes(w, ld_span(digests->octets[hash], lengths[hash]));
}

/* ---- Digests ------------------------------------------------------------------------------- */

static void
gathered_add(struct making *m)
{
	for (unsigned i = 0; i < LD_ZONE_HASHES; i++)
		if (m->hashes[i] != NULL)
			ld_digest_add(m->hashes[i], ld_span(m->gather, m->gathered));
	m->gathered = 0;
}

/* RFC 8976 section 3.3.1: the record as it would stand in an answer, nothing compressed. */
static void
digest_record(struct making *m, const struct ld_zone_record *record)
{
	const struct ld_name *origin = &m->zone->origin;
	struct ld_writer w;

	if (m->set->settings->digests == 0)
		return;
	if (m->gathered + RECORD_MAX > GATHER_BYTES)
		gathered_add(m);
	w = ld_writer(m->gather + m->gathered, GATHER_BYTES - m->gathered);
	ld_writer_bytes(&w, record->owner);
	ld_writer_bytes(&w, ld_span(origin->wire, origin->len));
	ld_writer_be16(&w, record->type);
	ld_writer_be16(&w, LD_CLASS_IN);
	ld_writer_be32(&w, LD_ZONE_TTL_S);
	ld_writer_be16(&w, (uint16_t)record->rdata.len);
	ld_writer_bytes(&w, record->rdata);
	LD_ASSERT(!w.failed);
	m->gathered += w.len;
}

/* The apex, but for the digests themselves. */
static void
digest_apex(struct making *m)
{
	uint8_t rdata[LD_ZONE_RDATA_MAX];
	struct ld_writer w = ld_writer(rdata, sizeof rdata);
	struct ld_zone_record record = {.owner = {NULL, 0}, .type = LD_TYPE_NS};

	ld_zone_ns(&w, m->zone);
	record.rdata = ld_span(w.data, w.len);
	digest_record(m, &record);
	w.len = 0;
	ld_zone_soa(&w, m->set->settings, m->zone->serial);
	record.type = LD_TYPE_SOA;
	record.rdata = ld_span(w.data, w.len);
	digest_record(m, &record);
}

static int
digests_begin(struct making *m)
{
	for (unsigned i = 0; i < LD_ZONE_HASHES; i++) {
		if ((m->set->settings->digests & 1u << i) == 0)
			continue;
		if (ld_digest_new(&m->hashes[i], kinds[i], (struct ld_span){NULL, 0}) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		ld_digest_begin(m->hashes[i]);
	}
	digest_apex(m);
	return LINDUNG_OK;
}

static int
digests_end(struct making *m)
{
	int err = LINDUNG_OK;

	gathered_add(m);
	for (unsigned i = 0; i < LD_ZONE_HASHES && err == LINDUNG_OK; i++)
		if (m->hashes[i] != NULL)
			err = ld_digest_end(m->hashes[i], m->zone->digests.octets[i]);
	return err;
}

/* ---- What changed -------------------------------------------------------------------------- */

static void
changed(struct making *m, const struct ld_zone_record *record, bool is_new)
{
	(*(is_new ? &m->added_count : &m->removed_count))++;
	if (m->before == NULL || m->too_many)
		return;
	ld_change_record_put(is_new ? &m->added : &m->removed, record);
	m->too_many = m->added.failed || m->removed.failed ||
		      m->added.len + m->removed.len > m->set->settings->journal_max_bytes;
	if (m->too_many) {
		ld_buffer_free(&m->added);
		ld_buffer_free(&m->removed);
	}
}

static bool
records_same(const struct ld_zone_record *a, const struct ld_zone_record *b)
{
	return a->type == b->type && ld_span_equal(a->rdata, b->rdata);
}

static int
content_next(struct ld_content *content, struct ld_zone_record *ret, bool *ret_has)
{
	int err = content != NULL ? ld_content_next(content, ret) : LINDUNG_ENOTFOUND;

	*ret_has = err == LINDUNG_OK;
	return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
}

static int
compare(struct making *m)
{
	struct ld_zone_record old, new;
	bool has_old, has_new;
	uint64_t turns = 0;
	int err = content_next(m->was, &old, &has_old);

	if (err == LINDUNG_OK)
		err = content_next(m->is, &new, &has_new);
	while (err == LINDUNG_OK && (has_old || has_new)) {
		int order =
			!has_old   ? 1
			: !has_new ? -1
				   : ld_span_compare(ld_content_key(m->was), ld_content_key(m->is));

		if (order < 0 || (order == 0 && !records_same(&old, &new)))
			changed(m, &old, false);
		if (order > 0 || (order == 0 && !records_same(&old, &new)))
			changed(m, &new, true);
		if (order >= 0) {
			digest_record(m, &new);
			m->zone->records++;
			err = content_next(m->is, &new, &has_new);
		}
		if (order <= 0 && err == LINDUNG_OK)
			err = content_next(m->was, &old, &has_old);
		if (++turns % 4096 == 0 && atomic_load_explicit(m->stop, memory_order_relaxed))
			err = LINDUNG_ETIMEOUT;
	}
	return err;
}

static struct ld_change *
change_make(const struct making *m)
{
	struct ld_change *change;
	size_t len = m->removed.len + m->added.len;

	if (m->too_many || len > m->set->settings->journal_max_bytes)
		return NULL;
	change = malloc(sizeof *change + len);
	if (change == NULL)
		return NULL;
	*change = (struct ld_change){
		.refs = 1,
		.from = m->before->serial,
		.to = m->zone->serial,
		.from_digests = m->before->digests,
		.to_digests = m->zone->digests,
		.removed = m->removed_count,
		.added = m->added_count,
		.removed_len = m->removed.len,
		.len = len,
	};
	if (m->removed.len != 0)
		memcpy(change->octets, m->removed.data, m->removed.len);
	if (m->added.len != 0)
		memcpy(change->octets + m->removed.len, m->added.data, m->added.len);
	return change;
}

/* The journal of the zone before, and what is new behind it; the oldest give way. */
static void
journal_take(struct making *m, struct ld_change *latest)
{
	const struct ld_zone_settings *settings = m->set->settings;
	unsigned max = settings->journal_max, first = m->before->change_count;
	size_t octets = latest != NULL ? latest->len : 0;
	unsigned kept = latest != NULL;

	while (first > 0 && kept < max) {
		const struct ld_change *change = m->before->changes[first - 1];

		if (octets + change->len > settings->journal_max_bytes)
			break;
		octets += change->len;
		kept++;
		first--;
	}
	for (unsigned i = first; i < m->before->change_count; i++)
		m->zone->changes[m->zone->change_count++] = ld_change_hold(m->before->changes[i]);
	if (latest != NULL)
		m->zone->changes[m->zone->change_count++] = latest;
}

static void
zone_settle(struct making *m)
{
	struct ld_zone *zone = m->zone;
	struct ld_change *latest;

	if (m->before == NULL)
		return;
	if (m->removed_count == 0 && m->added_count == 0) {
		zone->serial = m->before->serial;
		zone->digests = m->before->digests;
		journal_take(m, NULL);
		return;
	}
	/* Without it the way from any serial before is cut: whoever asks gets all. */
	latest = m->set->settings->journal_max > 0 ? change_make(m) : NULL;
	if (latest != NULL)
		journal_take(m, latest);
}

/* ---- A zone -------------------------------------------------------------------------------- */

static int
plan_make(struct making *m)
{
	struct ld_export *export;
	struct ld_list_source source;
	char origin[ORIGIN_TEXT_MAX];
	size_t len = ld_name_to_text(&m->zone->origin, origin);
	int err;

	if (m->zone->is_catalog)
		return LINDUNG_OK;
	memcpy(origin + len, ".", 2);
	err = ld_export_new(&export, m->set->list, true, m->zone->active);
	if (err != LINDUNG_OK)
		return err;
	source = ld_export_source(export);
	err = ld_rpz_plan_new(&m->zone->plan, &source, origin);
	ld_export_free(export);
	return err;
}

static int
zone_make(struct making *m, uint32_t now_s)
{
	size_t limit = m->set->settings->journal_max_bytes + RECORD_MAX;
	int err = plan_make(m);

	m->before = m->old != NULL ? ld_zone_find(m->old, &m->zone->origin) : NULL;
	m->zone->serial = now_s;
	if (m->before != NULL && !ld_serial_is_after(now_s, m->before->serial))
		m->zone->serial = m->before->serial + 1;
	m->removed_count = m->added_count = 0;
	m->too_many = false;
	m->gathered = 0;
	ld_buffer_init(&m->removed, limit);
	ld_buffer_init(&m->added, limit);
	if (err == LINDUNG_OK)
		err = digests_begin(m);
	if (err == LINDUNG_OK && m->before != NULL)
		err = ld_content_new(&m->was, m->old, m->before);
	if (err == LINDUNG_OK)
		err = ld_content_new(&m->is, m->set, m->zone);
	if (err == LINDUNG_OK)
		err = compare(m);
	if (err == LINDUNG_OK)
		err = digests_end(m);
	if (err == LINDUNG_OK)
		zone_settle(m);
	ld_content_free(m->was);
	ld_content_free(m->is);
	m->was = m->is = NULL;
	for (unsigned i = 0; i < LD_ZONE_HASHES; i++) {
		ld_digest_free(m->hashes[i]);
		m->hashes[i] = NULL;
	}
	ld_buffer_free(&m->removed);
	ld_buffer_free(&m->added);
	return err;
}

/* ---- Which there are ----------------------------------------------------------------------- */

static struct ld_zone *
zone_add(struct ld_zone_set *set, const struct ld_name *origin, uint64_t active)
{
	struct ld_zone *zone = &set->zones[set->count++];

	zone->origin = *origin;
	zone->active = active;
	return zone;
}

/* CATEGORY.merged; one whose name would be too long has no zone. */
static void
category_add(struct ld_zone_set *set, const struct ld_name *merged, unsigned category)
{
	struct lindung_text key = lindung_category_key(set->list, category);
	struct ld_name origin = {.labels = (uint8_t)(merged->labels + 1)};

	if (key.len == 0 || key.len > LD_LABEL_MAX || 1 + key.len + merged->len > LD_NAME_WIRE_MAX)
		return;
	origin.wire[0] = (uint8_t)key.len;
	memcpy(origin.wire + 1, key.data, key.len);
	memcpy(origin.wire + 1 + key.len, merged->wire, merged->len);
	origin.len = (uint8_t)(1 + key.len + merged->len);
	zone_add(set, &origin, UINT64_C(1) << category);
}

/* The categories that are in force. */
static uint64_t
active_of(const struct ld_zone_set *set)
{
	const struct ld_zone_settings *s = set->settings;
	unsigned count = lindung_category_count(set->list);
	uint64_t active = 0;

	if (s->category_count == 0)
		return count < LINDUNG_CATEGORY_MAX ? (UINT64_C(1) << count) - 1 : LINDUNG_ALL;
	for (unsigned i = 0; i < s->category_count; i++) {
		const char *key = s->categories[i];
		int category = lindung_category_find(set->list, key, strlen(key));

		if (category >= 0)
			active |= UINT64_C(1) << category;
	}
	return active;
}

static int
by_member(const void *a, const void *b, void *ctx)
{
	const struct ld_zone_set *set = ctx;

	return strcmp(set->zones[*(const unsigned *)a].member,
		      set->zones[*(const unsigned *)b].member);
}

/* What stands for a zone in the catalog: the same as long as the zone has that name. */
static int
members_make(struct ld_zone_set *set)
{
	struct ld_digest *hash;
	int err = ld_digest_new(&hash, LD_DIGEST_SHA256, (struct ld_span){NULL, 0});

	for (unsigned i = 0; i < set->count && err == LINDUNG_OK; i++) {
		struct ld_zone *zone = &set->zones[i];
		uint8_t octets[LD_DIGEST_SHA256_BYTES];

		ld_digest_begin(hash);
		ld_digest_add(hash, ld_span(zone->origin.wire, zone->origin.len));
		err = ld_digest_end(hash, octets);
		for (unsigned k = 0; k < LD_ZONE_MEMBER_BYTES / 2 && err == LINDUNG_OK; k++)
			snprintf(zone->member + 2 * (size_t)k, 3, "%02x", octets[k]);
		set->members[set->member_count++] = i;
	}
	ld_digest_free(hash);
	if (err == LINDUNG_OK)
		qsort_r(set->members, set->member_count, sizeof set->members[0], by_member, set);
	return err;
}

static int
zones_choose(struct ld_zone_set *set)
{
	const struct ld_zone_settings *s = set->settings;
	uint64_t active = active_of(set);
	int err;

	zone_add(set, &s->merged, active);
	for (unsigned i = 0; s->by_category && i < lindung_category_count(set->list); i++)
		if ((active >> i & 1) != 0)
			category_add(set, &s->merged, i);
	err = members_make(set);
	if (err == LINDUNG_OK && s->catalog.len != 0)
		zone_add(set, &s->catalog, 0)->is_catalog = true;
	return err;
}

int
ld_zone_set_make(struct ld_zone_set **ret, const struct ld_zone_settings *settings,
		 struct lindung *list, struct ld_zone_set *old, uint32_t now_s,
		 const _Atomic bool *stop)
{
	struct ld_zone_set *set = calloc(1, sizeof *set);
	struct making *m = calloc(1, sizeof *m);
	int err = LINDUNG_ENOMEM;

	if (set != NULL && m != NULL) {
		set->refs = 1;
		set->settings = settings;
		set->list = list;
		m->set = set;
		m->old = old;
		m->stop = stop;
		err = zones_choose(set);
	} else {
		lindung_close(list);
	}
	for (unsigned i = 0; err == LINDUNG_OK && i < set->count; i++) {
		m->zone = &set->zones[i];
		err = zone_make(m, now_s);
	}
	free(m);
	if (err != LINDUNG_OK) {
		if (set != NULL && set->refs != 0)
			ld_zone_set_release(set);
		else
			free(set);
		return err;
	}
	*ret = set;
	return LINDUNG_OK;
}

struct ld_zone_set *
ld_zone_set_hold(struct ld_zone_set *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

void
ld_zone_set_release(struct ld_zone_set *set)
{
	if (set == NULL || atomic_fetch_sub(&set->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < set->count; i++) {
		ld_rpz_plan_free(set->zones[i].plan);
		for (unsigned k = 0; k < set->zones[i].change_count; k++)
			ld_change_release(set->zones[i].changes[k]);
	}
	lindung_close(set->list);
	free(set);
}

const struct ld_zone *
ld_zone_find(const struct ld_zone_set *set, const struct ld_name *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (ld_name_equal(&set->zones[i].origin, name))
			return &set->zones[i];
	return NULL;
}
