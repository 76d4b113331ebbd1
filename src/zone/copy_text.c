/* A copy of a zone as a zone file (RFC 1035 section 5): one record a line, every field there. Rdata
 * of types that a policy zone has no use for are written as RFC 3597 has it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zone/copy_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "wire/dns.h"

enum {
	FLUSH_BYTES = 64 * 1024,
	LINE_MAX_BYTES = 2 * LD_NAME_TEXT_MAX + 4 * 65536,
};

struct writing {
	int fd;
	struct ld_buffer out;
};

/* ---- Out ----------------------------------------------------------------------------------- */

static void
name_put(struct ld_buffer *out, const struct ld_name *name)
{
	char text[LD_NAME_TEXT_MAX];

	ld_name_to_text(name, text);
	ld_buffer_printf(out, "%s%s", text, name->labels != 0 ? "." : "");
}

/* The name at the front of `rdata`, taken off. */
static bool
rdata_name_put(struct ld_buffer *out, struct ld_span *rdata)
{
	struct ld_name name;

	if (ld_name_from_wire(&name, *rdata) != LINDUNG_OK)
		return false;
	name_put(out, &name);
	*rdata = ld_span_from(*rdata, name.len);
	return true;
}

static void
soa_put(struct ld_buffer *out, struct ld_span rdata)
{
	(void)rdata_name_put(out, &rdata);
	ld_buffer_bytes(out, LD_SPAN(" "));
	(void)rdata_name_put(out, &rdata);
	for (unsigned i = 0; i < 5; i++)
		ld_buffer_printf(out, " %lu",
				 (unsigned long)ld_get_be32(rdata.data + 4 * (size_t)i));
}

static bool
is_one_name(uint16_t type)
{
	return type == LD_TYPE_CNAME || type == LD_TYPE_NS || type == LD_TYPE_PTR;
}

static void
rdata_put(struct ld_buffer *out, uint16_t type, struct ld_span rdata)
{
	char text[INET6_ADDRSTRLEN];
	struct ld_name name;

	if (type == LD_TYPE_SOA) {
		ld_buffer_printf(out, "SOA ");
		soa_put(out, rdata);
	} else if (is_one_name(type) && ld_name_from_wire(&name, rdata) == LINDUNG_OK &&
		   name.len == rdata.len) {
		ld_buffer_printf(out, "%s ", ld_type_name(type));
		name_put(out, &name);
	} else if ((type == LD_TYPE_A && rdata.len == 4) ||
		   (type == LD_TYPE_AAAA && rdata.len == 16)) {
		ld_buffer_printf(out, "%s %s", ld_type_name(type),
				 inet_ntop(type == LD_TYPE_A ? AF_INET : AF_INET6, rdata.data, text,
					   sizeof text));
	} else {
		ld_buffer_printf(out, "TYPE%u \\# %zu ", type, rdata.len);
		for (size_t i = 0; i < rdata.len; i++)
			ld_buffer_printf(out, "%02x", rdata.data[i]);
	}
}

static int
flush(struct writing *w)
{
	int err = w->out.failed ? LINDUNG_ENOMEM : ld_write_all(w->fd, w->out.data, w->out.len);

	w->out.len = 0;
	return err;
}

static int
record_write(void *ctx, const struct ld_zone_copy_record *record)
{
	struct writing *w = ctx;

	name_put(&w->out, record->owner);
	ld_buffer_printf(&w->out, " %lu IN ", (unsigned long)record->ttl);
	rdata_put(&w->out, record->type, record->rdata);
	ld_buffer_bytes(&w->out, LD_SPAN("\n"));
	return w->out.len >= FLUSH_BYTES || w->out.failed ? flush(w) : LINDUNG_OK;
}

int
ld_zone_copy_write(struct ld_zone_copy *copy, int fd)
{
	struct writing w = {.fd = fd};
	int err;

	ld_buffer_init(&w.out, LINE_MAX_BYTES + FLUSH_BYTES);
	ld_buffer_printf(&w.out, "; a copy: lindung transfer writes it anew\n$ORIGIN ");
	name_put(&w.out, ld_zone_copy_origin(copy));
	ld_buffer_bytes(&w.out, LD_SPAN("\n"));
	err = ld_copy_each(copy, true, record_write, &w);
	if (err == LINDUNG_OK)
		err = flush(&w);
	ld_buffer_free(&w.out);
	return err;
}

/* ---- In ------------------------------------------------------------------------------------ */

/* The next word of a line; empty at its end. */
static struct ld_span
word_take(struct ld_span *line)
{
	struct ld_span word;

	*line = ld_span_trim(*line);
	word = ld_span_first(*line, ld_span_find(*line, ' '));
	*line = ld_span_from(*line, word.len);
	return word;
}

static bool
number_read(struct ld_span word, uint32_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9' || n > UINT32_MAX)
			return false;
		n = 10 * n + (word.data[i] - (unsigned)'0');
	}
	*ret = (uint32_t)n;
	return word.len != 0 && n <= UINT32_MAX;
}

static bool
name_read(struct ld_span *line, struct ld_writer *w)
{
	struct ld_name name;

	if (ld_name_from_text(&name, word_take(line)) != LINDUNG_OK)
		return false;
	ld_writer_bytes(w, ld_span(name.wire, name.len));
	return true;
}

static bool
address_read(int family, struct ld_span line, struct ld_writer *w)
{
	struct ld_span word = word_take(&line);
	char text[INET6_ADDRSTRLEN];
	uint8_t octets[16];

	if (word.len >= sizeof text)
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	ld_writer_bytes(w, ld_span(octets, family == AF_INET ? 4 : 16));
	if (inet_pton(family, text, octets) != 1 || w->failed)
		return false;
	memcpy(w->data, octets, w->len);
	return true;
}

static int
digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\# 3 010203" */
static bool
octets_read(struct ld_span line, struct ld_writer *w)
{
	uint32_t len;
	struct ld_span hex;

	if (!ld_span_equal(word_take(&line), LD_SPAN("\\#")) ||
	    !number_read(word_take(&line), &len))
		return false;
	hex = word_take(&line);
	if (hex.len != 2 * (size_t)len)
		return false;
	for (size_t i = 0; i < hex.len; i += 2) {
		int high = digit(hex.data[i]), low = digit(hex.data[i + 1]);

		if (high < 0 || low < 0)
			return false;
		ld_writer_u8(w, (uint8_t)(high << 4 | low));
	}
	return true;
}

static bool
soa_read(struct ld_span line, struct ld_writer *w)
{
	if (!name_read(&line, w) || !name_read(&line, w))
		return false;
	for (unsigned i = 0; i < 5; i++) {
		uint32_t n;

		if (!number_read(word_take(&line), &n))
			return false;
		ld_writer_be32(w, n);
	}
	return true;
}

static bool
rdata_read(struct ld_span type, struct ld_span line, uint16_t *ret_type, struct ld_writer *w)
{
	static const uint16_t named[] = {LD_TYPE_SOA, LD_TYPE_NS, LD_TYPE_CNAME,
					 LD_TYPE_PTR, LD_TYPE_A,  LD_TYPE_AAAA};
	uint32_t number;

	if (ld_span_starts(type, LD_SPAN("TYPE"))) {
		if (!number_read(ld_span_from(type, 4), &number) || number > UINT16_MAX)
			return false;
		*ret_type = (uint16_t)number;
		return octets_read(line, w);
	}
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
		if (!ld_span_equal(type, ld_span_str(ld_type_name(named[i]))))
			continue;
		*ret_type = named[i];
		if (named[i] == LD_TYPE_SOA)
			return soa_read(line, w);
		if (is_one_name(named[i]))
			return name_read(&line, w);
		return address_read(named[i] == LD_TYPE_A ? AF_INET : AF_INET6, line, w);
	}
	return false;
}

static int
line_read(struct ld_zone_copy *copy, struct ld_span line, uint8_t *rdata)
{
	struct ld_writer w = ld_writer(rdata, UINT16_MAX);
	struct ld_zone_copy_record record = {.ttl = 0};
	struct ld_name owner;

	if (ld_name_from_text(&owner, word_take(&line)) != LINDUNG_OK ||
	    !number_read(word_take(&line), &record.ttl) ||
	    !ld_span_equal(word_take(&line), LD_SPAN("IN")))
		return LINDUNG_ESYNTAX;
	struct ld_span type = word_take(&line);
	if (!rdata_read(type, line, &record.type, &w) || w.failed)
		return LINDUNG_ESYNTAX;
	record.owner = &owner;
	record.rdata = ld_span(w.data, w.len);
	return ld_zone_copy_add(copy, &record);
}

int
ld_zone_copy_read(struct ld_zone_copy *copy, struct ld_span text)
{
	uint8_t *rdata = malloc(UINT16_MAX);
	int err = rdata != NULL ? LINDUNG_OK : LINDUNG_ENOMEM;

	while (text.len != 0 && err == LINDUNG_OK) {
		size_t end = ld_span_find(text, '\n');
		struct ld_span line = ld_span_first(text, end);

		text = ld_span_from(text, end + 1);
		if (line.len == 0 || line.data[0] == ';' || line.data[0] == '$')
			continue;
		err = line_read(copy, line, rdata);
		if (err == LINDUNG_EMALFORMED)
			err = LINDUNG_ESYNTAX;
	}
	free(rdata);
	return err;
}
