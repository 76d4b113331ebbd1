/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/build.h"

void
ld_build_header(struct ld_writer *w, uint16_t id, uint16_t flags)
{
	uint8_t *room = ld_writer_room(w, LD_HEADER_BYTES);

	if (room == NULL)
		return;
	memset(room, 0, LD_HEADER_BYTES);
	ld_put_be16(room, id);
	ld_put_be16(room + 2, flags);
}

void
ld_build_question(struct ld_writer *w, const struct ld_name *name, uint16_t type, uint16_t class_)
{
	uint8_t *room = ld_writer_room(w, name->len + 4u);

	if (room == NULL)
		return;
	memcpy(room, name->wire, name->len);
	ld_put_be16(room + name->len, type);
	ld_put_be16(room + name->len + 2, class_);
	ld_build_count(w, LD_COUNT_QUESTION);
}

void
ld_build_count(struct ld_writer *w, unsigned which)
{
	uint8_t *at = w->data + 4 + 2 * which;

	if (!w->failed)
		ld_put_be16(at, (uint16_t)(ld_get_be16(at) + 1));
}

void
ld_build_record(struct ld_writer *w, unsigned which, size_t owner_at, uint16_t type, uint32_t ttl,
		struct ld_span rdata)
{
	uint8_t *room = ld_writer_room(w, 12 + rdata.len);

	if (room == NULL)
		return;
	ld_put_be16(room, (uint16_t)(LD_POINTER | owner_at));
	ld_put_be16(room + 2, type);
	ld_put_be16(room + 4, LD_CLASS_IN);
	ld_put_be32(room + 6, ttl);
	ld_put_be16(room + 10, (uint16_t)rdata.len);
	if (rdata.len != 0)
		memcpy(room + 12, rdata.data, rdata.len);
	ld_build_count(w, which);
}

size_t
ld_build_opt_bytes(const struct ld_opt *opt)
{
	size_t size = LD_OPT_BYTES;

	if (opt->cookie.len != 0)
		size += 4 + opt->cookie.len;
	if (opt->has_keepalive)
		size += 6;
	return size;
}

static void
build_option(struct ld_writer *w, enum ld_option option, size_t len)
{
	ld_writer_be16(w, (uint16_t)option);
	ld_writer_be16(w, (uint16_t)len);
}

/* The extended errors, as much of them as there is room for. */
static void
build_edes(struct ld_writer *w, const struct ld_opt *opt)
{
	size_t room = w->size - w->len;
	bool is_long = opt->edes.len > room && opt->edes_shorter.len != 0;

	if (!ld_ede_fit(w, is_long ? opt->edes_shorter : opt->edes, room))
		ld_put_be16(w->data + 2, (uint16_t)(ld_get_be16(w->data + 2) | LD_FLAG_TC));
}

/* As many zeros as lack to the next multiple, or to the end of the writer. */
static void
build_padding(struct ld_writer *w, size_t block)
{
	size_t bare = w->len + 4, whole = (bare + block - 1) / block * block;

	if (bare > w->size)
		return;
	size_t zeros = (whole < w->size ? whole : w->size) - bare;
	build_option(w, LD_OPTION_PADDING, zeros);
	uint8_t *room = ld_writer_room(w, zeros);
	if (room != NULL)
		memset(room, 0, zeros);
}

void
ld_build_opt(struct ld_writer *w, const struct ld_opt *opt)
{
	uint8_t *room = ld_writer_room(w, LD_OPT_BYTES);

	if (room == NULL)
		return;
	room[0] = 0;
	ld_put_be16(room + 1, LD_TYPE_OPT);
	ld_put_be16(room + 3, opt->udp_size);
	ld_put_be32(room + 5, (uint32_t)opt->rcode_high << 24 | (opt->dnssec_ok ? LD_EDNS_DO : 0));
	if (opt->cookie.len != 0) {
		build_option(w, LD_OPTION_COOKIE, opt->cookie.len);
		ld_writer_bytes(w, opt->cookie);
	}
	if (opt->has_keepalive) {
		build_option(w, LD_OPTION_TCP_KEEPALIVE, 2);
		ld_writer_be16(w, opt->keepalive);
	}
	build_edes(w, opt);
	if (opt->padding_block != 0)
		build_padding(w, opt->padding_block);
	ld_put_be16(room + 9, (uint16_t)(w->data + w->len - room - LD_OPT_BYTES));
	ld_build_count(w, LD_COUNT_ADDITIONAL);
}

/* The keys of RFC 9460 section 14.3.2, which stand in their order. */
enum service_key {
	KEY_ALPN = 1,
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_IPV6HINT = 6,
	KEY_DOHPATH = 7,
};

static void
build_parameter(struct ld_writer *w, enum service_key key, struct ld_span value)
{
	if (value.len == 0)
		return;
	ld_writer_be16(w, (uint16_t)key);
	ld_writer_be16(w, (uint16_t)value.len);
	ld_writer_bytes(w, value);
}

void
ld_build_service(struct ld_writer *w, const struct ld_service *service)
{
	struct ld_span alpn = ld_span_str(service->alpn);
	uint8_t port[2];

	ld_writer_be16(w, service->priority);
	ld_writer_bytes(w, ld_span(service->target->wire, service->target->len));
	ld_writer_be16(w, KEY_ALPN);
	ld_writer_be16(w, (uint16_t)(1 + alpn.len));
	ld_writer_u8(w, (uint8_t)alpn.len);
	ld_writer_bytes(w, alpn);
	ld_put_be16(port, service->port);
	build_parameter(w, KEY_PORT, ld_span(port, sizeof port));
	build_parameter(w, KEY_IPV4HINT, service->hints4);
	build_parameter(w, KEY_IPV6HINT, service->hints6);
	if (service->dohpath != NULL)
		build_parameter(w, KEY_DOHPATH, ld_span_str(service->dohpath));
}

void
ld_build_cut(struct ld_writer *w, size_t question_end)
{
	uint16_t flags = ld_get_be16(w->data + 2);

	w->len = question_end;
	w->failed = false;
	ld_put_be16(w->data + 2, (uint16_t)(flags | LD_FLAG_TC));
	memset(w->data + 6, 0, 6);
}
