/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/transfer.h"

#include <stdlib.h>

#include "wire/build.h"
#include "wire/dns.h"

/* In the order in which records go out.  Those of a difference are gone through for each. */
enum phase {
	PHASE_SOA,
	PHASE_NS,
	PHASE_ZONEMD, /* one for each hash */
	PHASE_CONTENT,
	PHASE_OLD_SOA,
	PHASE_OLD_ZONEMD,
	PHASE_REMOVED,
	PHASE_NEW_SOA,
	PHASE_NEW_ZONEMD,
	PHASE_ADDED,
	PHASE_LAST_SOA,
	PHASE_END,
};

/* The owner written last in this message, for the next one to lead to. */
struct owner {
	unsigned count; /* labels */
	uint16_t at[LD_NAME_LABELS_MAX + 2];
	size_t len;
	uint8_t wire[LD_NAME_WIRE_MAX + 2];
};

struct ld_transfer {
	struct ld_zone_set *set;
	const struct ld_zone *zone;
	struct ld_transfer_request request;
	struct ld_tsig_chain chain;
	struct ld_content *content;
	enum phase phase;
	unsigned hash; /* of the digest that is next */
	bool is_first, is_whole, is_single;
	unsigned change; /* the difference at hand */
	struct ld_reader changes;
	bool has_record; /* one that did not fit any more */
	struct ld_zone_record record;
	uint8_t rdata[LD_ZONE_RDATA_MAX];
	struct owner owner;
	uint8_t message[LD_TRANSFER_MESSAGE_MAX];
};

int
ld_transfer_new(struct ld_transfer **ret, struct ld_zone_set *set, const struct ld_zone *zone,
		const struct ld_transfer_request *request, struct ld_tsig_chain *chain)
{
	struct ld_transfer *t = calloc(1, sizeof *t);
	int change = ld_zone_change_find(zone, request->serial), err = LINDUNG_OK;

	if (t == NULL) {
		ld_tsig_chain_clear(chain);
		return LINDUNG_ENOMEM;
	}
	t->set = ld_zone_set_hold(set);
	t->zone = zone;
	t->request = *request;
	t->chain = *chain;
	*chain = (struct ld_tsig_chain){.key = NULL};
	t->is_first = true;
	t->is_single =
		request->type == LD_TYPE_IXFR && !ld_serial_is_after(zone->serial, request->serial);
	t->is_whole = !t->is_single && (request->type != LD_TYPE_IXFR || change < 0);
	if (change >= 0)
		t->change = (unsigned)change;
	if (t->is_whole)
		err = ld_content_new(&t->content, set, zone);
	if (err != LINDUNG_OK) {
		ld_transfer_free(t);
		return err;
	}
	*ret = t;
	return LINDUNG_OK;
}

void
ld_transfer_free(struct ld_transfer *t)
{
	if (t == NULL)
		return;
	ld_content_free(t->content);
	ld_tsig_chain_clear(&t->chain);
	ld_zone_set_release(t->set);
	free(t);
}

/* ---- Records, one after the other ---------------------------------------------------------- */

static void
apex_record(struct ld_transfer *t, uint16_t type, const struct ld_writer *w)
{
	t->record.owner = (struct ld_span){NULL, 0};
	t->record.type = type;
	t->record.rdata = ld_span(w->data, w->len);
}

/* The next digest of that serial: false, and on to the next phase, if there is none. */
static bool
zonemd_record(struct ld_transfer *t, uint32_t serial, const struct ld_zone_digests *digests,
	      struct ld_writer *w)
{
	while (t->hash < LD_ZONE_HASHES && w->len == 0)
		ld_zone_zonemd(w, t->set->settings, t->hash++, serial, digests);
	if (w->len != 0) {
		apex_record(t, LD_TYPE_ZONEMD, w);
		return true;
	}
	t->hash = 0;
	t->phase++;
	return false;
}

static enum phase
after_first(const struct ld_transfer *t)
{
	return t->is_single ? PHASE_END : t->is_whole ? PHASE_NS : PHASE_OLD_SOA;
}

/* False: nothing of this phase is left, and t->phase is the next. */
static bool
apex_next(struct ld_transfer *t)
{
	const struct ld_change *change = t->zone->changes[t->change];
	struct ld_writer w = ld_writer(t->rdata, sizeof t->rdata);

	switch ((unsigned)t->phase) {
	case PHASE_SOA:
	case PHASE_LAST_SOA:
		ld_zone_soa(&w, t->set->settings, t->zone->serial);
		t->phase = t->phase == PHASE_SOA ? after_first(t) : PHASE_END;
		break;
	case PHASE_NS:
		ld_zone_ns(&w, t->zone);
		apex_record(t, LD_TYPE_NS, &w);
		t->phase++;
		return true;
	case PHASE_ZONEMD:
		return zonemd_record(t, t->zone->serial, &t->zone->digests, &w);
	case PHASE_OLD_SOA:
		ld_zone_soa(&w, t->set->settings, change->from);
		t->phase++;
		break;
	case PHASE_OLD_ZONEMD:
		t->changes = ld_reader(ld_span(change->octets, change->removed_len));
		return zonemd_record(t, change->from, &change->from_digests, &w);
	case PHASE_NEW_SOA:
		ld_zone_soa(&w, t->set->settings, change->to);
		t->phase++;
		break;
	case PHASE_NEW_ZONEMD:
		t->changes = ld_reader(
			ld_span_from(ld_span(change->octets, change->len), change->removed_len));
		return zonemd_record(t, change->to, &change->to_digests, &w);
	default:
		LD_ASSERT(!"not of the apex");
	}
	apex_record(t, LD_TYPE_SOA, &w);
	return true;
}

/* LINDUNG_ENOTFOUND behind the last. */
static int
record_next(struct ld_transfer *t)
{
	int err;

	while (t->phase != PHASE_END) {
		switch ((unsigned)t->phase) {
		case PHASE_CONTENT:
			err = ld_content_next(t->content, &t->record);
			if (err != LINDUNG_ENOTFOUND)
				return err;
			t->phase = PHASE_LAST_SOA;
			break;
		case PHASE_REMOVED:
			if (ld_change_record_next(&t->changes, &t->record))
				return LINDUNG_OK;
			t->phase++;
			break;
		case PHASE_ADDED:
			if (ld_change_record_next(&t->changes, &t->record))
				return LINDUNG_OK;
			t->phase = ++t->change < t->zone->change_count ? PHASE_OLD_SOA
								       : PHASE_LAST_SOA;
			break;
		default:
			if (apex_next(t))
				return LINDUNG_OK;
		}
	}
	return LINDUNG_ENOTFOUND;
}

/* ---- Messages ------------------------------------------------------------------------------ */

/* Where the labels of a name begin. */
static unsigned
labels_find(struct ld_span wire, uint16_t starts[LD_NAME_LABELS_MAX + 2])
{
	unsigned count = 0;

	for (size_t at = 0; at < wire.len; at += 1u + wire.data[at])
		starts[count++] = (uint16_t)at;
	return count;
}

/* As much of its end as it shares with the owner before leads there, the rest to the zone's name in
 * the question. */
static void
owner_put(struct ld_transfer *t, struct ld_writer *w, struct ld_span wire)
{
	struct owner *last = &t->owner;
	uint16_t starts[LD_NAME_LABELS_MAX + 2], old[LD_NAME_LABELS_MAX + 2];
	uint16_t at[LD_NAME_LABELS_MAX + 2];
	unsigned count = labels_find(wire, starts), shared = 0;
	unsigned old_count = labels_find(ld_span(last->wire, last->len), old);
	uint16_t to = LD_QUESTION_AT;

	while (shared < count && shared < old_count) {
		const uint8_t *a = wire.data + starts[count - 1 - shared];
		const uint8_t *b = last->wire + old[old_count - 1 - shared];

		if (*a != *b || memcmp(a, b, 1u + *a) != 0)
			break;
		to = last->at[old_count - 1 - shared];
		at[count - 1 - shared++] = to;
	}
	for (unsigned i = 0; i < count - shared; i++) {
		at[i] = (uint16_t)w->len;
		ld_writer_bytes(w, ld_span(wire.data + starts[i], 1u + wire.data[starts[i]]));
	}
	ld_writer_be16(w, (uint16_t)(LD_POINTER | to));
	memcpy(last->at, at, count * sizeof at[0]);
	if (wire.len != 0)
		memcpy(last->wire, wire.data, wire.len);
	last->len = wire.len;
	last->count = count;
}

/* False if it does not fit; then nothing is written. */
static bool
record_put(struct ld_transfer *t, struct ld_writer *w)
{
	const struct ld_zone_record *record = &t->record;
	size_t before = w->len;

	/* What is shared is forgotten with the apex: it has no labels of its own. */
	owner_put(t, w, record->owner);
	ld_writer_be16(w, record->type);
	ld_writer_be16(w, LD_CLASS_IN);
	ld_writer_be32(w, LD_ZONE_TTL_S);
	ld_writer_be16(w, (uint16_t)record->rdata.len);
	ld_writer_bytes(w, record->rdata);
	if (w->failed) {
		w->failed = false;
		w->len = before;
		return false;
	}
	ld_build_count(w, LD_COUNT_ANSWER);
	return true;
}

static void
message_begin(struct ld_transfer *t, struct ld_writer *w)
{
	const struct ld_transfer_request *request = &t->request;

	ld_build_header(w, request->id,
			(uint16_t)(LD_FLAG_QR | LD_FLAG_AA | (request->flags & LD_FLAG_RD)));
	ld_build_question(w, &request->name, request->type, LD_CLASS_IN);
	t->owner.len = t->owner.count = 0;
}

static void
message_end(struct ld_transfer *t, struct ld_writer *w, uint64_t now_s)
{
	static const struct ld_opt opt = {.udp_size = 1232};

	w->size = t->request.message_max;
	if (t->request.edns && t->is_first)
		ld_build_opt(w, &opt);
	ld_tsig_sign(&t->chain, w, now_s, LD_TSIG_GOOD, NULL);
	t->is_first = false;
}

int
ld_transfer_next(struct ld_transfer *t, uint64_t now_s, struct ld_span *ret)
{
	size_t reserved = (t->chain.key != NULL ? LD_TSIG_BYTES_MAX : 0) + LD_OPT_BYTES;
	struct ld_writer w = ld_writer(t->message, t->request.message_max - reserved);
	bool any = false;
	int err = LINDUNG_OK;

	*ret = (struct ld_span){NULL, 0};
	message_begin(t, &w);
	for (;;) {
		if (!t->has_record)
			err = record_next(t);
		t->has_record = err == LINDUNG_OK;
		if (err != LINDUNG_OK || !record_put(t, &w))
			break;
		t->has_record = false;
		any = true;
	}
	if (err != LINDUNG_OK && err != LINDUNG_ENOTFOUND)
		return err;
	if (!any)
		return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : LINDUNG_ESPACE;
	message_end(t, &w, now_s);
	if (w.failed)
		return LINDUNG_ENOMEM;
	*ret = ld_span(w.data, w.len);
	return LINDUNG_OK;
}

bool
ld_transfer_is_done(const struct ld_transfer *t)
{
	return t->phase == PHASE_END && !t->has_record;
}

bool
ld_transfer_is_whole(const struct ld_transfer *t)
{
	return t->is_whole;
}
