/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/request.h"

#include "wire/build.h"

enum { UDP_MAX = 1232 };

/* One request, and what has been found out of it. */
struct taking {
	const struct ld_zone_settings *settings;
	struct ld_zone_set *set;
	const struct ld_from *from;
	struct ld_span message;
	uint64_t now_s;
	struct ld_query query;
	struct ld_tsig_chain chain;
	struct ld_tsig tsig;
	int signature; /* enum ld_tsig_error */
	struct ld_writer *answer;
	struct ld_transfer **ret;
	enum ld_zone_counter counter;
};

/* ---- Answers ------------------------------------------------------------------------------- */

static void
begin(struct taking *t, unsigned rcode, bool is_authoritative)
{
	const struct ld_query *q = &t->query;

	ld_build_header(t->answer, q->id,
			(uint16_t)(LD_FLAG_QR | (is_authoritative ? LD_FLAG_AA : 0) |
				   (q->flags & LD_FLAG_RD) | rcode));
	ld_build_question(t->answer, &q->name, q->type, q->class_);
}

static enum ld_zone_step
end(struct taking *t)
{
	static const struct ld_opt opt = {.udp_size = UDP_MAX};

	if (t->query.edns)
		ld_build_opt(t->answer, &opt);
	if (t->chain.key != NULL)
		ld_tsig_sign(&t->chain, t->answer, t->now_s, (enum ld_tsig_error)t->signature,
			     &t->tsig);
	else if (t->signature > 0)
		ld_tsig_refuse(t->answer, &t->tsig, (enum ld_tsig_error)t->signature);
	return LD_ZONE_ANSWER;
}

static enum ld_zone_step
fail(struct taking *t, unsigned rcode, enum ld_zone_counter counter)
{
	t->counter = counter;
	begin(t, rcode, false);
	return end(t);
}

/* SOA, NS, ZONEMD of the apex; that there is nothing else. */
static enum ld_zone_step
answer_apex(struct taking *t, const struct ld_zone *zone)
{
	uint8_t rdata[LD_ZONE_RDATA_MAX];
	struct ld_writer w = ld_writer(rdata, sizeof rdata);
	unsigned section = LD_COUNT_ANSWER;

	t->counter = LD_ZONE_COUNTER_QUERIES;
	begin(t, LD_RCODE_NOERROR, true);
	if (t->query.type == LD_TYPE_NS) {
		ld_zone_ns(&w, zone);
		ld_build_record(t->answer, section, LD_QUESTION_AT, LD_TYPE_NS, LD_ZONE_TTL_S,
				ld_span(w.data, w.len));
		return end(t);
	}
	if (t->query.type == LD_TYPE_ZONEMD && t->settings->digests != 0) {
		for (unsigned i = 0; i < LD_ZONE_HASHES; i++) {
			w.len = 0;
			ld_zone_zonemd(&w, t->settings, i, zone->serial, &zone->digests);
			if (w.len != 0)
				ld_build_record(t->answer, section, LD_QUESTION_AT, LD_TYPE_ZONEMD,
						LD_ZONE_TTL_S, ld_span(w.data, w.len));
		}
		return end(t);
	}
	/* For another type: that there is none. */
	if (t->query.type != LD_TYPE_SOA && t->query.type != LD_TYPE_ANY)
		section = LD_COUNT_AUTHORITY;
	ld_zone_soa(&w, t->settings, zone->serial);
	ld_build_record(t->answer, section, LD_QUESTION_AT, LD_TYPE_SOA, LD_ZONE_TTL_S,
			ld_span(w.data, w.len));
	return end(t);
}

/* ---- Transfers ----------------------------------------------------------------------------- */

/* RFC 1995 section 3: the SOA that the client has, in the authority section. */
static bool
serial_read(const struct taking *t, uint32_t *ret)
{
	struct ld_walk walk;
	struct ld_record record;
	struct ld_reader r;
	struct ld_name name;

	if (!ld_walk_begin(&walk, t->message))
		return false;
	while (ld_walk_next(&walk, &record)) {
		if (record.section != LD_SECTION_AUTHORITY || record.type != LD_TYPE_SOA)
			continue;
		r = (struct ld_reader){
			.data = ld_span_first(t->message, record.rdata_at + record.rdata.len),
			.at = record.rdata_at};
		if (!ld_name_equal(&record.owner, &t->query.name) || !ld_message_name(&r, &name) ||
		    !ld_message_name(&r, &name))
			return false;
		*ret = ld_reader_be32(&r);
		return ld_reader_left(&r) == 16;
	}
	return false;
}

/* An upper bound of the octets that a transfer of the differences since a serial takes; 0 for all
 * of the zone. */
static size_t
changes_bound(const struct taking *t, const struct ld_zone *zone, uint32_t serial)
{
	int first = ld_zone_change_find(zone, serial);
	size_t soa = 12 + 44, zonemd = 12 + 6 + LD_DIGEST_MAX_BYTES;
	size_t octets = LD_HEADER_BYTES + t->query.name.len + 4 + 2 * soa + LD_OPT_BYTES +
			LD_TSIG_BYTES_MAX;

	if (first < 0)
		return 0;
	for (unsigned i = (unsigned)first; i < zone->change_count; i++)
		octets += 2 * soa + 2 * LD_ZONE_HASHES * zonemd + zone->changes[i]->len +
			  7 * (size_t)(zone->changes[i]->removed + zone->changes[i]->added);
	return octets;
}

/* RFC 1995 section 2: over UDP, what fits into one packet; else the SOA alone, and the client comes
 * again over TCP. */
static enum ld_zone_step
answer_udp(struct taking *t, const struct ld_zone *zone, struct ld_transfer_request *request)
{
	struct ld_transfer *transfer;
	struct ld_span message;
	size_t bound = changes_bound(t, zone, request->serial);

	request->message_max = t->query.udp_size < UDP_MAX ? t->query.udp_size : UDP_MAX;
	t->counter = LD_ZONE_COUNTER_CHANGES;
	if (bound == 0 || bound > request->message_max) {
		request->serial = zone->serial;
		t->counter = LD_ZONE_COUNTER_CURRENT;
	}
	if (ld_transfer_new(&transfer, t->set, zone, request, &t->chain) != LINDUNG_OK)
		return fail(t, LD_RCODE_SERVFAIL, LD_ZONE_COUNTER_BUSY);
	if (ld_transfer_next(transfer, t->now_s, &message) == LINDUNG_OK)
		ld_writer_bytes(t->answer, message);
	ld_transfer_free(transfer);
	return LD_ZONE_ANSWER;
}

static enum ld_zone_step
answer_transfer(struct taking *t, const struct ld_zone *zone, bool may_transfer)
{
	bool is_udp = t->from->transport == LD_TRANSPORT_UDP;
	struct ld_transfer_request request = {
		.id = t->query.id,
		.flags = t->query.flags,
		.name = t->query.name,
		.type = t->query.type,
		.edns = t->query.edns,
		.message_max = LD_TRANSFER_MESSAGE_MAX,
	};

	if (t->from->transport == LD_TRANSPORT_HTTPS)
		return fail(t, LD_RCODE_REFUSED, LD_ZONE_COUNTER_REFUSED);
	/* AXFR goes over TCP alone (RFC 5936 section 4.2). */
	if (request.type == LD_TYPE_AXFR ? is_udp : !serial_read(t, &request.serial))
		return fail(t, LD_RCODE_FORMERR, LD_ZONE_COUNTER_MALFORMED);
	if (is_udp)
		return answer_udp(t, zone, &request);
	if (!may_transfer)
		return fail(t, LD_RCODE_SERVFAIL, LD_ZONE_COUNTER_BUSY);
	if (ld_transfer_new(t->ret, t->set, zone, &request, &t->chain) != LINDUNG_OK)
		return fail(t, LD_RCODE_SERVFAIL, LD_ZONE_COUNTER_BUSY);
	t->counter = ld_transfer_is_whole(*t->ret)                      ? LD_ZONE_COUNTER_WHOLE
		     : ld_serial_is_after(zone->serial, request.serial) ? LD_ZONE_COUNTER_CHANGES
									: LD_ZONE_COUNTER_CURRENT;
	return LD_ZONE_TRANSFER;
}

/* ---- Who asks ------------------------------------------------------------------------------ */

static bool
is_below_ours(const struct ld_zone_settings *settings, const struct ld_name *name)
{
	return ld_name_is_within(name, &settings->merged) ||
	       (settings->catalog.len != 0 && ld_name_is_within(name, &settings->catalog));
}

bool
ld_zone_is_asked(const struct ld_zone_settings *settings, struct ld_span message)
{
	struct ld_reader r = {.data = message, .at = LD_HEADER_BYTES};
	struct ld_name name;

	if (message.len < LD_HEADER_BYTES + 1 + 4)
		return false;
	/* A query (opcode 0), with one question. */
	if ((message.data[2] & (LD_FLAG_QR | LD_FLAG_OPCODE) >> 8) != 0 ||
	    ld_get_be16(message.data + 4) != 1)
		return false;
	return ld_message_name_plain(&r, &name) && is_below_ours(settings, &name);
}

static bool
may_have(const struct taking *t, const struct ld_zone_access *access)
{
	bool any_key = access->keys->count != 0, any_prefix = access->allowed != NULL;

	if (any_key && t->chain.key == NULL)
		return false;
	if (any_prefix &&
	    !ld_prefixes_hold(access->allowed, t->from->address, t->from->address_len))
		return false;
	return any_key || any_prefix;
}

static enum ld_zone_step
decide(struct taking *t, const struct ld_zone_access *access, bool may_transfer)
{
	bool is_transfer = t->query.type == LD_TYPE_AXFR || t->query.type == LD_TYPE_IXFR;
	const struct ld_zone *zone;

	if (t->signature != LD_TSIG_GOOD)
		return fail(t, LD_RCODE_NOTAUTH, LD_ZONE_COUNTER_BAD_SIGNATURE);
	if (!may_have(t, access) || t->query.class_ != LD_CLASS_IN)
		return fail(t, LD_RCODE_REFUSED, LD_ZONE_COUNTER_REFUSED);
	if (t->set == NULL)
		return fail(t, LD_RCODE_SERVFAIL, LD_ZONE_COUNTER_BUSY);
	zone = ld_zone_find(t->set, &t->query.name);
	if (zone == NULL)
		return fail(t, is_transfer ? LD_RCODE_NOTAUTH : LD_RCODE_REFUSED,
			    LD_ZONE_COUNTER_REFUSED);
	return is_transfer ? answer_transfer(t, zone, may_transfer) : answer_apex(t, zone);
}

enum ld_zone_step
ld_zone_take(const struct ld_zone_settings *settings, struct ld_zone_set *set,
	     const struct ld_zone_access *access, const struct ld_from *from, uint64_t now_s,
	     bool may_transfer, struct ld_span message, struct ld_writer *answer,
	     struct ld_transfer **ret, enum ld_zone_counter *ret_counter)
{
	struct taking t = {
		.settings = settings,
		.set = set,
		.from = from,
		.message = message,
		.now_s = now_s,
		.answer = answer,
		.ret = ret,
	};
	enum ld_zone_step step;
	int err;

	/* What is wrong with it is answered as with any other query. */
	if (ld_query_parse(&t.query, message) != LD_FAULT_NONE ||
	    !is_below_ours(settings, &t.query.name))
		return LD_ZONE_PASS;
	err = ld_tsig_find(&t.tsig, message);
	if (err == LINDUNG_OK)
		t.signature = ld_tsig_take_request(&t.chain, access->keys, message, &t.tsig, now_s);
	if (err == LINDUNG_EMALFORMED || t.signature == LINDUNG_EMALFORMED)
		step = fail(&t, LD_RCODE_FORMERR, LD_ZONE_COUNTER_MALFORMED);
	else if (t.signature < 0)
		step = fail(&t, LD_RCODE_SERVFAIL, LD_ZONE_COUNTER_BUSY);
	else
		step = decide(&t, access, may_transfer);
	ld_tsig_chain_clear(&t.chain);
	*ret_counter = t.counter;
	return step;
}
