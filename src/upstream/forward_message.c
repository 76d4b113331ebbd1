/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_message.h"

#include "base/bytes.h"

enum {
	HEADER_BYTES = 12,
	FLAG_QR = 0x8000,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_CD = 0x0010,
	MASK_OPCODE = 0x7800,
	MASK_RCODE = 0x000f,
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	CLASS_IN = 1,
	TYPE_OPT = 41,
	EDNS_DO = 0x8000,
};

size_t
ld_forward_query_write(uint8_t *out, const struct ld_forward_query *query)
{
	struct ld_writer w = ld_writer(out, LD_FORWARD_QUERY_MAX);

	ld_writer_be16(&w, query->id);
	ld_writer_be16(&w, FLAG_RD | (query->checking_disabled ? FLAG_CD : 0));
	ld_writer_be16(&w, 1);
	ld_writer_be16(&w, 0);
	ld_writer_be16(&w, 0);
	ld_writer_be16(&w, query->edns ? 1 : 0);
	ld_writer_bytes(&w, ld_span(query->name->wire, query->name->len));
	ld_writer_be16(&w, query->type);
	ld_writer_be16(&w, CLASS_IN);
	if (query->edns) {
		ld_writer_u8(&w, 0);
		ld_writer_be16(&w, TYPE_OPT);
		ld_writer_be16(&w, LD_FORWARD_EDNS_BYTES);
		ld_writer_be16(&w, 0);
		ld_writer_be16(&w, EDNS_DO);
		ld_writer_be16(&w, 0);
	}
	return w.len;
}

static bool
question_matches(const struct ld_forward_query *query, struct ld_reader *r)
{
	struct ld_span name = ld_reader_take(r, query->name->len);
	struct ld_name asked;
	uint16_t type = ld_reader_be16(r), class_ = ld_reader_be16(r);

	return !r->failed && ld_name_from_wire(&asked, name) == LINDUNG_OK &&
	       ld_name_equal(&asked, query->name) && type == query->type && class_ == CLASS_IN;
}

enum ld_forward_reply
ld_forward_reply_check(const struct ld_forward_query *query, struct ld_span reply)
{
	struct ld_reader r = ld_reader(reply);
	uint16_t id = ld_reader_be16(&r), flags = ld_reader_be16(&r),
		 questions = ld_reader_be16(&r);
	unsigned rcode = flags & MASK_RCODE;
	bool failed = rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN;

	if (reply.len < HEADER_BYTES || id != query->id || !(flags & FLAG_QR) ||
	    (flags & MASK_OPCODE) != 0)
		return LD_FORWARD_FOREIGN;
	ld_reader_take(&r, HEADER_BYTES - 6);
	/* A server that could not read the question need not repeat it. */
	if (questions == 0 ? !failed : questions != 1 || !question_matches(query, &r))
		return LD_FORWARD_FOREIGN;
	if (query->edns && (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP))
		return LD_FORWARD_NO_EDNS;
	if (failed)
		return LD_FORWARD_UNWILLING;
	return flags & FLAG_TC ? LD_FORWARD_CUT : LD_FORWARD_ANSWER;
}
