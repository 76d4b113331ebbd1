/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/notify.h"

#include "wire/dns.h"
#include "wire/message.h"

/* A piece of an origin as labels. */
static void
labels_write(struct ld_writer *w, struct ld_span piece)
{
	for (size_t i = 0; i < piece.len; i++) {
		uint8_t c = piece.data[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_')
			c = '-';
		ld_writer_u8(w, c);
	}
}

int
ld_notify_zone(struct ld_name *ret, struct ld_span origin)
{
	uint8_t text[LD_HOST_MAX + 1];
	struct ld_writer w = ld_writer(text, sizeof text);
	struct ld_name name;

	/* What stands behind the last '/' is the first label. */
	for (size_t end = origin.len;;) {
		size_t start = end;

		while (start > 0 && origin.data[start - 1] != '/')
			start--;
		labels_write(&w, ld_span(origin.data + start, end - start));
		if (start == 0)
			break;
		ld_writer_u8(&w, '.');
		end = start - 1;
	}
	if (w.failed || ld_name_from_text(&name, ld_span(text, w.len)) != LINDUNG_OK ||
	    name.labels == 0)
		return LINDUNG_ENAME;
	*ret = name;
	return LINDUNG_OK;
}

static void
message_write(struct ld_writer *w, uint16_t id, unsigned flags, const struct ld_name *zone)
{
	ld_writer_be16(w, id);
	ld_writer_be16(w, (uint16_t)(LD_OPCODE_NOTIFY << 11 | LD_FLAG_AA | flags));
	ld_writer_be16(w, 1);
	for (int i = 0; i < 3; i++)
		ld_writer_be16(w, 0);
	ld_writer_bytes(w, ld_span(zone->wire, zone->len));
	ld_writer_be16(w, LD_TYPE_SOA);
	ld_writer_be16(w, LD_CLASS_IN);
}

void
ld_notify_write(struct ld_writer *w, uint16_t id, const struct ld_name *zone)
{
	message_write(w, id, 0, zone);
}

void
ld_notify_answer(struct ld_writer *w, uint16_t id, const struct ld_name *zone, unsigned rcode)
{
	message_write(w, id, LD_FLAG_QR | (rcode & LD_FLAG_RCODE), zone);
}

bool
ld_notify_is(struct ld_span message)
{
	return message.len >= LD_HEADER_BYTES &&
	       (ld_get_be16(message.data + 2) & (LD_FLAG_QR | LD_FLAG_OPCODE)) == LD_OPCODE_NOTIFY
											  << 11;
}

static bool
question_read(struct ld_span message, struct ld_header *ret_header, struct ld_name *ret_zone)
{
	struct ld_reader r = ld_reader(message);
	struct ld_name zone;

	*ret_header = ld_header_read(&r);
	if (r.failed || ret_header->counts[0] != 1 || !ld_message_name_plain(&r, &zone))
		return false;
	if (ld_reader_be16(&r) != LD_TYPE_SOA || ld_reader_be16(&r) != LD_CLASS_IN || r.failed)
		return false;
	*ret_zone = zone;
	return true;
}

bool
ld_notify_read(struct ld_span message, uint16_t *ret_id, struct ld_name *ret_zone)
{
	struct ld_header header;

	if (!ld_notify_is(message) || !question_read(message, &header, ret_zone))
		return false;
	*ret_id = header.id;
	return true;
}

bool
ld_notify_taken(struct ld_span message, uint16_t id, const struct ld_name *zone)
{
	struct ld_header header;
	struct ld_name about;

	return question_read(message, &header, &about) && header.id == id &&
	       (header.flags & (LD_FLAG_QR | LD_FLAG_OPCODE | LD_FLAG_RCODE)) ==
		       (LD_FLAG_QR | LD_OPCODE_NOTIFY << 11) &&
	       ld_name_equal(&about, zone);
}
