/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/message.h"

struct ld_header
ld_header_read(struct ld_reader *r)
{
	struct ld_span s = ld_reader_take(r, LD_HEADER_BYTES);
	struct ld_header header = {0};

	if (s.len == LD_HEADER_BYTES) {
		header.id = ld_get_be16(s.data);
		header.flags = ld_get_be16(s.data + 2);
		for (int i = 0; i < 4; i++)
			header.counts[i] = ld_get_be16(s.data + 4 + 2 * i);
	}
	return header;
}

/* Take labels from `at` on as far as they go without a pointer.  Returns where the octet that
 * ended them stands (zero octet or pointer), or 0 if they are malformed. */
static size_t
take_labels(struct ld_span message, size_t at, struct ld_name *ret)
{
	size_t start = at;

	while (at < message.len) {
		size_t len = message.data[at];

		if (len == 0 || len >= 0xc0) {
			memcpy(ret->wire + ret->len, message.data + start, at - start);
			ret->len = (uint8_t)(ret->len + (at - start));
			return at;
		}
		at += len + 1;
		if (len > LD_LABEL_MAX || ret->len + (at - start) >= LD_NAME_WIRE_MAX)
			return 0;
		ret->labels++;
	}
	return 0;
}

static bool
read_name(struct ld_reader *r, struct ld_name *ret, unsigned pointers_max)
{
	size_t start = r->at, at, behind = 0;

	ret->len = ret->labels = 0;
	if (r->failed)
		return false;
	while ((at = take_labels(r->data, start, ret)) != 0) {
		if (r->data.data[at] == 0) {
			ret->wire[ret->len++] = 0;
			r->at = behind != 0 ? behind : at + 1;
			return true;
		}
		if (pointers_max-- == 0 || r->data.len - at < 2)
			break;
		size_t target = ld_get_be16(r->data.data + at) & 0x3fff;
		/* Before the place that the last jump came to: no circle. */
		if (target >= start || target < LD_HEADER_BYTES)
			break;
		if (behind == 0)
			behind = at + 2;
		start = target;
	}
	r->failed = true;
	return false;
}

bool
ld_message_name(struct ld_reader *r, struct ld_name *ret)
{
	/* A name that is all pointers and single labels; nobody writes more. */
	return read_name(r, ret, LD_NAME_LABELS_MAX);
}

bool
ld_message_name_plain(struct ld_reader *r, struct ld_name *ret)
{
	return read_name(r, ret, 0);
}

/* RFC 7873 section 4: the client's part, or that and the server's. */
static bool
is_cookie(size_t len)
{
	return len == LD_COOKIE_CLIENT_BYTES || (len >= 16 && len <= 40);
}

/* Returns false if they are malformed. */
static bool
read_options(struct ld_span options, struct ld_query_options *ret)
{
	struct ld_reader r = ld_reader(options);

	while (ld_reader_left(&r) > 0) {
		uint16_t option = ld_reader_be16(&r);
		struct ld_span data = ld_reader_take(&r, ld_reader_be16(&r));

		switch (option) {
		case LD_OPTION_COOKIE:
			if (!is_cookie(data.len))
				return false;
			if (ret->cookie.len == 0)
				ret->cookie = data;
			break;
		case LD_OPTION_TCP_KEEPALIVE:
			ret->keepalive = true;
			ret->keepalive_filled |= data.len != 0;
			break;
		case LD_OPTION_PADDING:
			ret->padding = true;
			break;
		case LD_OPTION_STRUCTURED_ERROR:
			ret->structured_error = true;
			break;
		default:
			break;
		}
	}
	return !r.failed;
}

/* Go past the owner of a record that nobody looks at: a pointer must lead backwards, but is not
 * followed, so that a query takes no more time than it has octets.  Returns whether it is the root.
 */
static bool
skip_name(struct ld_reader *r)
{
	size_t start = r->at;
	uint8_t len;

	while ((len = ld_reader_u8(r)) != 0 && len <= LD_LABEL_MAX)
		ld_reader_take(r, len);
	if (len >= 0xc0) {
		size_t target = (len & 0x3fu) << 8 | ld_reader_u8(r);

		r->failed |= target >= start || target < LD_HEADER_BYTES;
	} else if (len != 0 || r->at - start > LD_NAME_WIRE_MAX) {
		r->failed = true;
	}
	return len == 0 && r->at - start == 1;
}

/* One record of a query.  Returns false if it is a fault. */
static bool
take_record(struct ld_query *ret, struct ld_reader *r, enum ld_section section,
	    struct ld_span *ret_options)
{
	bool is_root = skip_name(r);
	uint16_t type = ld_reader_be16(r);
	uint16_t size = ld_reader_be16(r);
	uint32_t ttl = ld_reader_be32(r);
	struct ld_span rdata = ld_reader_take(r, ld_reader_be16(r));

	if (r->failed || type != LD_TYPE_OPT)
		return !r->failed;
	if (ret->edns || section != LD_SECTION_ADDITIONAL || !is_root)
		return false;
	ret->edns = true;
	ret->edns_version = (uint8_t)(ttl >> 16);
	ret->dnssec_ok = (ttl & LD_EDNS_DO) != 0;
	ret->udp_size = size > LD_UDP_MIN_BYTES ? size : LD_UDP_MIN_BYTES;
	*ret_options = rdata;
	return true;
}

/* What stands behind the question. */
static enum ld_fault
take_records(struct ld_query *ret, struct ld_reader *r, const struct ld_header *header)
{
	struct ld_span options = {NULL, 0};

	for (int section = LD_SECTION_ANSWER; section < LD_SECTION_END; section++) {
		for (unsigned i = 0; i < header->counts[1 + section]; i++) {
			if (!take_record(ret, r, (enum ld_section)section, &options))
				return LD_FAULT_FORMERR;
		}
	}
	if (r->failed || ld_reader_left(r) != 0)
		return LD_FAULT_FORMERR;
	if (ret->edns && ret->edns_version != 0)
		return LD_FAULT_BADVERS;
	return read_options(options, &ret->options) ? LD_FAULT_NONE : LD_FAULT_FORMERR;
}

enum ld_fault
ld_query_parse(struct ld_query *ret, struct ld_span message)
{
	struct ld_reader r = ld_reader(message);
	struct ld_header header = ld_header_read(&r);

	ret->id = header.id;
	ret->flags = header.flags;
	ret->has_question = ret->edns = ret->dnssec_ok = false;
	ret->edns_version = 0;
	ret->udp_size = LD_UDP_MIN_BYTES;
	ret->options = (struct ld_query_options){.cookie = {NULL, 0}};
	if (r.failed || (header.flags & LD_FLAG_QR) != 0)
		return LD_FAULT_DROP;
	if ((header.flags & LD_FLAG_OPCODE) != LD_OPCODE_QUERY << 11)
		return LD_FAULT_NOTIMP;
	if (header.counts[0] == 0) {
		enum ld_fault fault = take_records(ret, &r, &header);

		if (fault != LD_FAULT_NONE)
			return fault;
		return ret->options.cookie.len != 0 ? LD_FAULT_COOKIE_ONLY : LD_FAULT_FORMERR;
	}
	if (header.counts[0] != 1 || !ld_message_name_plain(&r, &ret->name))
		return LD_FAULT_FORMERR;
	ret->type = ld_reader_be16(&r);
	ret->class_ = ld_reader_be16(&r);
	ret->has_question = !r.failed;
	return take_records(ret, &r, &header);
}

bool
ld_walk_begin(struct ld_walk *walk, struct ld_span message)
{
	walk->reader = ld_reader(message);
	walk->header = ld_header_read(&walk->reader);
	if (walk->reader.failed || walk->header.counts[0] != 1 ||
	    !ld_message_name_plain(&walk->reader, &walk->question))
		return false;
	walk->type = ld_reader_be16(&walk->reader);
	walk->class_ = ld_reader_be16(&walk->reader);
	walk->section = LD_SECTION_ANSWER;
	walk->labels = 0;
	walk->left = walk->header.counts[1];
	return !walk->reader.failed;
}

bool
ld_walk_next(struct ld_walk *walk, struct ld_record *ret)
{
	struct ld_reader *r = &walk->reader;

	while (walk->left == 0) {
		if (walk->section >= LD_SECTION_ADDITIONAL) {
			walk->section = LD_SECTION_END;
			return false;
		}
		walk->section++;
		walk->left = walk->header.counts[1 + walk->section];
	}
	walk->left--;
	if (!ld_message_name(r, &ret->owner))
		return false;
	walk->labels += ret->owner.labels;
	if (walk->labels > LD_WALK_LABELS_MAX) {
		r->failed = true;
		return false;
	}
	ret->section = walk->section;
	ret->type = ld_reader_be16(r);
	ret->class_ = ld_reader_be16(r);
	ret->ttl = ld_reader_be32(r);
	if (ret->ttl > INT32_MAX)
		ret->ttl = 0;
	uint16_t len = ld_reader_be16(r);
	ret->rdata_at = r->at;
	ret->rdata = ld_reader_take(r, len);
	return !r->failed;
}

bool
ld_record_target(struct ld_span message, const struct ld_record *record, size_t before,
		 struct ld_name *ret)
{
	/* The reader ends with the rdata: pointers lead backwards only, so all it needs is there.
	 */
	struct ld_reader r = {
		.data = ld_span_first(message, record->rdata_at + record->rdata.len),
		.at = record->rdata_at,
	};

	ld_reader_take(&r, before);
	return ld_message_name(&r, ret);
}
