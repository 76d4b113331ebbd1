/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_message.h"

#include <stdlib.h>

#include "upstream/extended_error.h"
#include "wire/message.h"

enum { OPTION_HEADER_BYTES = 4, COOKIE_SERVER_MIN_BYTES = 8 };

static void
option_write(struct ld_writer *w, uint16_t option, struct ld_span data)
{
	ld_writer_be16(w, option);
	ld_writer_be16(w, (uint16_t)data.len);
	ld_writer_bytes(w, data);
}

static void
opt_write(struct ld_writer *w, const struct ld_forward_query *query)
{
	static const uint8_t zeros[LD_FORWARD_PADDING_BYTES];
	size_t len_at, over;

	ld_writer_u8(w, 0);
	ld_writer_be16(w, LD_TYPE_OPT);
	ld_writer_be16(w, LD_FORWARD_EDNS_BYTES);
	ld_writer_be16(w, 0);
	ld_writer_be16(w, LD_EDNS_DO);
	len_at = w->len;
	ld_writer_be16(w, 0);
	if (query->cookie.len != 0)
		option_write(w, LD_OPTION_COOKIE, query->cookie);
	if (query->padded) {
		over = (w->len + OPTION_HEADER_BYTES) % LD_FORWARD_PADDING_BYTES;
		option_write(w, LD_OPTION_PADDING,
			     ld_span(zeros, over != 0 ? LD_FORWARD_PADDING_BYTES - over : 0));
	}
	LD_ASSERT(!w->failed);
	ld_put_be16(w->data + len_at, (uint16_t)(w->len - len_at - 2));
}

size_t
ld_forward_query_write(uint8_t *out, const struct ld_forward_query *query)
{
	struct ld_writer w = ld_writer(out, LD_FORWARD_QUERY_MAX);

	ld_writer_be16(&w, query->id);
	ld_writer_be16(&w, LD_FLAG_RD | (query->checking_disabled ? LD_FLAG_CD : 0));
	ld_writer_be16(&w, 1);
	ld_writer_be16(&w, 0);
	ld_writer_be16(&w, 0);
	ld_writer_be16(&w, query->edns ? 1 : 0);
	ld_writer_bytes(&w, ld_span(query->name->wire, query->name->len));
	ld_writer_be16(&w, query->type);
	ld_writer_be16(&w, LD_CLASS_IN);
	if (query->edns)
		opt_write(&w, query);
	return w.len;
}

void
ld_forward_case_randomize(struct ld_name *name)
{
	uint8_t coins[LD_NAME_WIRE_MAX / 8 + 1];

	arc4random_buf(coins, sizeof coins);
	/* Octets that say how long a label is are below 64: no letters. */
	for (size_t i = 0; i < name->len; i++) {
		uint8_t c = name->wire[i] | 0x20;

		if (c >= 'a' && c <= 'z' && name->wire[i] >= 'A')
			name->wire[i] = coins[i / 8] >> i % 8 & 1 ? c : c & (uint8_t)~0x20;
	}
}

/* ---- Replies ------------------------------------------------------------------------------ */

/* What the records say, beyond the header. */
struct facts {
	bool malformed;
	bool has_opt;
	bool has_soa, has_ns; /* in the authority section */
	uint16_t rcode;       /* with the upper bits of OPT */
	struct ld_span cookie;
};

static void
options_take(struct facts *facts, struct ld_span options)
{
	struct ld_reader r = ld_reader(options);

	while (ld_reader_left(&r) > 0) {
		uint16_t option = ld_reader_be16(&r);
		struct ld_span data = ld_reader_take(&r, ld_reader_be16(&r));

		if (option == LD_OPTION_COOKIE && facts->cookie.len == 0)
			facts->cookie = data;
	}
	facts->malformed |= r.failed;
}

static struct facts
facts_read(struct ld_span message)
{
	struct facts facts = {.rcode = ld_get_be16(message.data + 2) & LD_FLAG_RCODE};
	struct ld_walk walk;
	struct ld_record record;

	if (ld_get_be16(message.data + 4) == 0)
		return facts; /* no question: nothing else to be read either */
	if (!ld_walk_begin(&walk, message)) {
		facts.malformed = true;
		return facts;
	}
	while (ld_walk_next(&walk, &record)) {
		if (record.section == LD_SECTION_AUTHORITY) {
			facts.has_soa |= record.type == LD_TYPE_SOA;
			facts.has_ns |= record.type == LD_TYPE_NS;
		}
		if (record.section == LD_SECTION_ADDITIONAL && record.type == LD_TYPE_OPT &&
		    !facts.has_opt) {
			facts.has_opt = true;
			facts.rcode |= (uint16_t)(message.data[record.rdata_at - 6] << 4);
			options_take(&facts, record.rdata);
		}
	}
	facts.malformed |= walk.reader.failed;
	return facts;
}

enum match { MATCH_NO, MATCH_BUT_CASE, MATCH };

static enum match
question_matches(const struct ld_forward_query *query, struct ld_reader *r)
{
	struct ld_span wire = ld_reader_take(r, query->name->len);
	struct ld_name asked;
	uint16_t type = ld_reader_be16(r), class_ = ld_reader_be16(r);

	if (r->failed || ld_name_from_wire(&asked, wire) != LINDUNG_OK ||
	    !ld_name_equal(&asked, query->name) || type != query->type || class_ != LD_CLASS_IN)
		return MATCH_NO;
	return memcmp(wire.data, query->name->wire, wire.len) == 0 ? MATCH : MATCH_BUT_CASE;
}

/* RFC 8914 codes that say why this question fails: another server that does not say so is no
 * better, it only looks less closely. */
static bool
is_final(struct ld_span message)
{
	struct ld_upstream_result result;

	ld_extended_errors_read(&result, message);
	for (unsigned i = 0; i < result.ede_count; i++) {
		uint16_t code = result.edes[i].code;

		if ((code >= LD_EDE_BOGUS && code <= LD_EDE_NSEC_MISSING) ||
		    (code >= LD_EDE_BLOCKED && code <= LD_EDE_FILTERED))
			return true;
	}
	return false;
}

/* Of a message that is surely the reply to this query. */
static enum ld_forward_kind
kind_of(const struct ld_forward_query *query, struct ld_span message, const struct facts *facts)
{
	uint16_t flags = ld_get_be16(message.data + 2);
	bool empty = ld_get_be16(message.data + 6) == 0;

	if (flags & LD_FLAG_TC)
		return LD_FORWARD_CUT;
	if (facts->malformed)
		return LD_FORWARD_BROKEN;
	switch (facts->rcode) {
	case LD_RCODE_NOERROR:
		if (empty && facts->has_ns && !facts->has_soa && !(flags & LD_FLAG_AA))
			return LD_FORWARD_REFERRAL;
		return LD_FORWARD_ANSWER;
	case LD_RCODE_NXDOMAIN:
	case LD_RCODE_YXDOMAIN:
		return LD_FORWARD_ANSWER;
	case LD_RCODE_BADCOOKIE:
		/* With no cookie sent (over TCP, TLS) another would change nothing, for ever. */
		return query->cookie.len != 0 && facts->cookie.len > LD_FORWARD_COOKIE_BYTES
			       ? LD_FORWARD_NEW_COOKIE
			       : LD_FORWARD_UNWILLING;
	case LD_RCODE_FORMERR:
	case LD_RCODE_NOTIMP:
		/* RFC 6891 section 7: who knows EDNS says so with it. */
		return query->edns && !facts->has_opt ? LD_FORWARD_NO_EDNS : LD_FORWARD_UNWILLING;
	default:
		if (is_final(message))
			return LD_FORWARD_FINAL;
		return facts->rcode == LD_RCODE_REFUSED ? LD_FORWARD_REFUSED : LD_FORWARD_UNWILLING;
	}
}

/* RFC 7873 section 5.3. */
static bool
cookie_is_ours(const struct ld_forward_query *query, struct ld_span cookie)
{
	size_t server = cookie.len - LD_FORWARD_COOKIE_BYTES;

	return cookie.len >= LD_FORWARD_COOKIE_BYTES && cookie.len <= LD_FORWARD_COOKIE_MAX_BYTES &&
	       (server == 0 || server >= COOKIE_SERVER_MIN_BYTES) &&
	       memcmp(cookie.data, query->cookie.data, LD_FORWARD_COOKIE_BYTES) == 0;
}

struct ld_forward_reply
ld_forward_reply_check(const struct ld_forward_query *query, struct ld_span message)
{
	struct ld_forward_reply reply = {.kind = LD_FORWARD_FOREIGN};
	struct ld_reader r = ld_reader(message);
	struct ld_header header = ld_header_read(&r);
	unsigned rcode = header.flags & LD_FLAG_RCODE;
	enum match match = MATCH;
	struct facts facts;

	if (r.failed || header.id != query->id || !(header.flags & LD_FLAG_QR) ||
	    (header.flags & LD_FLAG_OPCODE) != 0)
		return reply;
	/* A server that could not read the question need not repeat it. */
	if (header.counts[0] == 0 &&
	    (rcode == LD_RCODE_NOERROR || rcode == LD_RCODE_NXDOMAIN || rcode == LD_RCODE_YXDOMAIN))
		return reply;
	if (header.counts[0] != 0)
		match = header.counts[0] == 1 ? question_matches(query, &r) : MATCH_NO;
	if (match == MATCH_NO)
		return reply;
	facts = facts_read(message);
	if (query->cookie.len != 0 && facts.cookie.len != 0) {
		if (!cookie_is_ours(query, facts.cookie))
			return reply;
		reply.cookie = facts.cookie;
	}
	reply.kind = kind_of(query, message, &facts);
	/* A server that keeps no case, or lost its cookies; or somebody who guessed the rest. */
	if ((query->exact_case && match != MATCH) ||
	    (query->cookie.len > LD_FORWARD_COOKIE_BYTES && reply.cookie.len == 0))
		reply.kind = LD_FORWARD_DOUBTFUL;
	return reply;
}
