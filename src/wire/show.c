/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/show.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct ld_buffer line;

static void
show_name(const struct ld_name *name)
{
	char text[LD_NAME_TEXT_MAX];

	ld_name_to_text(name, text);
	ld_buffer_printf(&line, " %s", text);
}

static void
show_type(uint16_t type)
{
	const char *name = ld_type_name(type);

	if (name != NULL)
		ld_buffer_printf(&line, " %s", name);
	else
		ld_buffer_printf(&line, " TYPE%u", type);
}

static void
show_opt(struct ld_span message, struct ld_reader *r)
{
	(void)message;
	while (ld_reader_left(r) > 0) {
		uint16_t option = ld_reader_be16(r);
		struct ld_span data = ld_reader_take(r, ld_reader_be16(r));

		if (option == LD_OPTION_EDE && data.len >= 2)
			ld_buffer_printf(&line, " ede %u%s%.*s", ld_get_be16(data.data),
					 data.len > 2 ? " " : "", (int)data.len - 2,
					 (const char *)data.data + 2);
		else
			ld_buffer_printf(&line, " option %u", option);
	}
}

static void
show_rdata(struct ld_span message, const struct ld_record *record)
{
	struct ld_name name;
	char address[INET6_ADDRSTRLEN];
	size_t before = record->type == LD_TYPE_SVCB || record->type == LD_TYPE_HTTPS ||
					record->type == LD_TYPE_MX
				? 2
				: 0;

	if (record->type == LD_TYPE_A && record->rdata.len == 4)
		ld_buffer_printf(&line, " %s",
				 inet_ntop(AF_INET, record->rdata.data, address, sizeof address));
	else if (record->type == LD_TYPE_AAAA && record->rdata.len == 16)
		ld_buffer_printf(&line, " %s",
				 inet_ntop(AF_INET6, record->rdata.data, address, sizeof address));
	else if (strchr("Nu2", ld_type_rdata(record->type)[0]) != NULL ||
		 record->type == LD_TYPE_DNAME) {
		if (!ld_record_target(message, record, before, &name)) {
			ld_buffer_printf(&line, " ?");
			return;
		}
		if (before != 0)
			ld_buffer_printf(&line, " %u", ld_get_be16(record->rdata.data));
		show_name(&name);
		if (record->type == LD_TYPE_SOA)
			ld_buffer_printf(&line, " %u",
					 ld_get_be32(record->rdata.data + record->rdata.len - 4));
	} else {
		ld_buffer_printf(&line, " #");
		for (size_t i = 0; i < record->rdata.len; i++)
			ld_buffer_printf(&line, "%02x", record->rdata.data[i]);
	}
}

static void
show_record(struct ld_span message, const struct ld_record *record)
{
	static const char *const sections[] = {"an", "au", "ad"};

	if (record->type == LD_TYPE_OPT) {
		struct ld_reader r = ld_reader(record->rdata);

		ld_buffer_printf(&line, " | opt %u%s", record->class_,
				 record->ttl & LD_EDNS_DO ? " do" : "");
		show_opt(message, &r);
		return;
	}
	ld_buffer_printf(&line, " | %s", sections[record->section]);
	show_name(&record->owner);
	ld_buffer_printf(&line, " %u", record->ttl);
	show_type(record->type);
	show_rdata(message, record);
}

static void
show_header(const struct ld_header *header, unsigned rcode)
{
	static const struct {
		unsigned flag;
		const char *name;
	} flags[] = {
		{LD_FLAG_QR, "qr"}, {LD_FLAG_AA, "aa"}, {LD_FLAG_TC, "tc"}, {LD_FLAG_RD, "rd"},
		{LD_FLAG_RA, "ra"}, {LD_FLAG_Z, "z"},   {LD_FLAG_AD, "ad"}, {LD_FLAG_CD, "cd"},
	};
	unsigned opcode = (header->flags & LD_FLAG_OPCODE) >> 11;
	const char *name = ld_rcode_name((uint16_t)rcode);

	ld_buffer_printf(&line, "%s", name != NULL ? name : "?");
	if (opcode != 0)
		ld_buffer_printf(&line, " opcode%u", opcode);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if ((header->flags & flags[i].flag) != 0)
			ld_buffer_printf(&line, " %s", flags[i].name);
	}
}

/* The upper bits of the rcode, from the OPT record. */
static unsigned
rcode_high(struct ld_span message)
{
	struct ld_walk walk;
	struct ld_record record;

	if (!ld_walk_begin(&walk, message))
		return 0;
	while (ld_walk_next(&walk, &record)) {
		if (record.type == LD_TYPE_OPT)
			return record.ttl >> 24;
	}
	return 0;
}

const char *
ld_show_message(struct ld_span message)
{
	struct ld_reader r = ld_reader(message);
	struct ld_header header = ld_header_read(&r);
	struct ld_walk walk;
	struct ld_record record;

	ld_buffer_free(&line);
	ld_buffer_init(&line, 1 << 20);
	show_header(&header, (header.flags & LD_FLAG_RCODE) | rcode_high(message) << 4);
	if (ld_walk_begin(&walk, message)) {
		ld_buffer_printf(&line, " |");
		show_name(&walk.question);
		show_type(walk.type);
		while (ld_walk_next(&walk, &record))
			show_record(message, &record);
		if (walk.reader.failed || ld_reader_left(&walk.reader) != 0)
			ld_buffer_printf(&line, " | malformed");
	} else if (header.counts[0] != 0 || r.failed || ld_reader_left(&r) != 0) {
		ld_buffer_printf(&line, " | malformed");
	}
	ld_buffer_bytes(&line, ld_span("", 1));
	LD_ASSERT(!line.failed);
	return (const char *)line.data;
}

static struct ld_name
name_of(const char *text)
{
	struct ld_name name;
	int error = ld_name_from_text(&name, ld_span_str(text));

	LD_ASSERT(error == LINDUNG_OK);
	return name;
}

static void
write_name(struct ld_writer *w, const char *text)
{
	struct ld_name name = name_of(text);

	ld_writer_bytes(w, ld_span(name.wire, name.len));
}

void
ld_show_build_query(struct ld_writer *w, const struct ld_show_query *query)
{
	struct ld_name name = name_of(query->name);

	ld_build_header(w, 0x1234, (uint16_t)(query->flags | (query->no_rd ? 0 : LD_FLAG_RD)));
	ld_build_question(w, &name, query->type, query->class_ != 0 ? query->class_ : LD_CLASS_IN);
	if (!query->edns)
		return;
	ld_writer_u8(w, 0);
	ld_writer_be16(w, LD_TYPE_OPT);
	ld_writer_be16(w, query->udp_size != 0 ? query->udp_size : 1232);
	ld_writer_be32(w, (uint32_t)query->version << 16 | (query->dnssec_ok ? LD_EDNS_DO : 0));
	ld_writer_be16(w, (uint16_t)query->options.len);
	ld_writer_bytes(w, query->options);
	ld_build_count(w, LD_COUNT_ADDITIONAL);
}

static uint16_t
type_of(const char *text)
{
	if (strncmp(text, "TYPE", 4) == 0)
		return (uint16_t)atoi(text + 4);
	for (unsigned type = 0; type < 512; type++) {
		const char *name = ld_type_name((uint16_t)type);

		if (name != NULL && strcmp(name, text) == 0)
			return (uint16_t)type;
	}
	ld_assert_failed(text, __FILE__, __LINE__);
}

static void
write_hex(struct ld_writer *w, const char *hex)
{
	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		char octet[3] = {hex[0], hex[1], '\0'};

		ld_writer_u8(w, (uint8_t)strtoul(octet, NULL, 16));
	}
}

static void
write_rdata(struct ld_writer *w, uint16_t type, const char *first, const char *second)
{
	uint8_t address[16];

	if (first[0] == '#') {
		write_hex(w, first + 1);
	} else if (type == LD_TYPE_A || type == LD_TYPE_AAAA) {
		LD_ASSERT(inet_pton(type == LD_TYPE_A ? AF_INET : AF_INET6, first, address) == 1);
		ld_writer_bytes(w, ld_span(address, type == LD_TYPE_A ? 4 : 16));
	} else if (type == LD_TYPE_SOA) {
		write_name(w, first);
		write_name(w, "hostmaster.example");
		for (int i = 0; i < 4; i++)
			ld_writer_be32(w, 1);
		ld_writer_be32(w, (uint32_t)atoi(second));
	} else if (type == LD_TYPE_SVCB || type == LD_TYPE_HTTPS || type == LD_TYPE_MX) {
		ld_writer_be16(w, (uint16_t)atoi(first));
		write_name(w, second);
	} else {
		write_name(w, first);
	}
}

static void
write_part(struct ld_writer *w, char *part)
{
	char *words[6] = {NULL}, *at = NULL;
	unsigned count = 0;

	for (char *word = strtok_r(part, " ", &at); word != NULL && count < 6;
	     word = strtok_r(NULL, " ", &at))
		words[count++] = word;
	if (count == 2) {
		struct ld_name name = name_of(words[0]);

		ld_build_question(w, &name, type_of(words[1]), LD_CLASS_IN);
		return;
	}
	LD_ASSERT(count >= 5);
	unsigned section = words[0][1] == 'n'   ? LD_COUNT_ANSWER
			   : words[0][1] == 'u' ? LD_COUNT_AUTHORITY
						: LD_COUNT_ADDITIONAL;
	uint16_t type = type_of(words[3]);
	write_name(w, words[1]);
	ld_writer_be16(w, type);
	ld_writer_be16(w, LD_CLASS_IN);
	ld_writer_be32(w, (uint32_t)strtoul(words[2], NULL, 10));
	size_t len_at = w->len;
	ld_writer_be16(w, 0);
	write_rdata(w, type, words[4], words[5]);
	ld_put_be16(w->data + len_at, (uint16_t)(w->len - len_at - 2));
	ld_build_count(w, section);
}

void
ld_show_build_response(struct ld_writer *w, const char *text)
{
	char *copy = strdup(text), *rest = copy;
	uint16_t rcode = 0;

	LD_ASSERT(copy != NULL);
	for (char *part = strsep(&rest, "|"); part != NULL; part = strsep(&rest, "|")) {
		if (part != copy) {
			write_part(w, part);
			continue;
		}
		while (ld_rcode_name(rcode) == NULL ||
		       strncmp(part, ld_rcode_name(rcode), strlen(ld_rcode_name(rcode))) != 0)
			rcode++;
		ld_build_header(w, 0x4321,
				(uint16_t)(LD_FLAG_QR | LD_FLAG_RD | LD_FLAG_RA | rcode));
	}
	free(copy);
	LD_ASSERT(!w->failed);
}
