/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/message.h"

#include <limits.h>

enum {
	FLAG_CD = 1,
	FLAG_SECURE = 1,
	EDE_MAX = 65535,
};

static const struct rule {
	unsigned from, to;
	size_t min, max;
	unsigned fds_min, fds_max;
} rules[] = {
#define LD_X(symbol, from, to, min, max, fds_min, fds_max)                                         \
	{LD_ROLE_##from, LD_ROLE_##to, min, max, fds_min, fds_max},
	LD_MESSAGES(LD_X)
#undef LD_X
};

static void
put_be64(struct ld_writer *w, uint64_t v)
{
	ld_writer_be32(w, (uint32_t)(v >> 32));
	ld_writer_be32(w, (uint32_t)v);
}

static uint64_t
get_be64(struct ld_reader *r)
{
	uint64_t high = ld_reader_be32(r);

	return high << 32 | ld_reader_be32(r);
}

void
ld_message_header(struct ld_writer *w, enum ld_message_type type, size_t len)
{
	LD_ASSERT(len >= rules[type].min && len <= rules[type].max);
	ld_writer_be16(w, LD_MESSAGE_VERSION);
	ld_writer_be16(w, (uint16_t)type);
	ld_writer_be32(w, (uint32_t)len);
}

bool
ld_message_next(struct ld_reader *packet, enum ld_role from, enum ld_role to, unsigned fd_count,
		struct ld_message *ret)
{
	const struct rule *rule;
	unsigned version, type;
	size_t len;

	if (ld_reader_left(packet) == 0)
		return false;
	version = ld_reader_be16(packet);
	type = ld_reader_be16(packet);
	len = ld_reader_be32(packet);
	if (packet->failed || version != LD_MESSAGE_VERSION || type >= LD_MESSAGE_COUNT) {
		packet->failed = true;
		return false;
	}
	rule = &rules[type];
	ret->body = ld_reader_take(packet, len);
	if ((rule->from & from) == 0 || (rule->to & to) == 0 || len < rule->min ||
	    len > rule->max || fd_count < rule->fds_min || fd_count > rule->fds_max ||
	    (fd_count != 0 && ld_reader_left(packet) != 0))
		packet->failed = true;
	ret->type = (enum ld_message_type)type;
	return !packet->failed;
}

/* In the order in which they stand in the body: one list for the writer and the reader. */
#define FACTS(X)                                                                                   \
	X(entries)                                                                                 \
	X(image_entries)                                                                           \
	X(closed)                                                                                  \
	X(bytes)                                                                                   \
	X(categories)                                                                              \
	X(overlays)                                                                                \
	X(date_day)                                                                                \
	X(loads)                                                                                   \
	X(load_fails)

#define FOLLOW(X)                                                                                  \
	X(on)                                                                                      \
	X(size)                                                                                    \
	X(checkpoint_s)                                                                            \
	X(checked_s)                                                                               \
	X(max_age_s)                                                                               \
	X(polls)                                                                                   \
	X(failures)                                                                                \
	X(updates)                                                                                 \
	X(trouble)                                                                                 \
	X(news)

#define STATUS(X)                                                                                  \
	X(loaded_ms)                                                                               \
	X(started_ms)                                                                              \
	X(resolver_restarts)                                                                       \
	X(recursor_restarts)                                                                       \
	X(sync_restarts)                                                                           \
	X(recursor_up)                                                                             \
	X(certificate_expires_s)                                                                   \
	X(certificate_loads)                                                                       \
	X(certificate_load_fails)

void
ld_facts_write(struct ld_writer *w, const struct ld_list_facts *facts)
{
#define PUT(field) put_be64(w, facts->field);
	FACTS(PUT)
#undef PUT
}

void
ld_facts_read(struct ld_reader *r, struct ld_list_facts *ret)
{
#define GET(field) ret->field = get_be64(r);
	FACTS(GET)
#undef GET
}

void
ld_follow_facts_write(struct ld_writer *w, const struct ld_follow_facts *facts)
{
#define PUT(field) put_be64(w, facts->field);
	FOLLOW(PUT)
#undef PUT
}

void
ld_follow_facts_read(struct ld_reader *r, struct ld_follow_facts *ret)
{
#define GET(field) ret->field = get_be64(r);
	FOLLOW(GET)
#undef GET
}

void
ld_status_write(struct ld_writer *w, const struct ld_status *status)
{
	ld_facts_write(w, &status->facts);
	ld_follow_facts_write(w, &status->follow);
#define PUT(field) put_be64(w, status->field);
	STATUS(PUT)
#undef PUT
}

bool
ld_status_read(struct ld_status *ret, struct ld_span body)
{
	struct ld_reader r = ld_reader(body);

	ld_facts_read(&r, &ret->facts);
	ld_follow_facts_read(&r, &ret->follow);
#define GET(field) ret->field = get_be64(&r);
	STATUS(GET)
#undef GET
	return !r.failed;
}

void
ld_shown_write(struct ld_writer *w, const struct ld_shown *shown)
{
	ld_writer_be32(w, shown->number);
	ld_writer_be32(w, (uint32_t)-shown->error);
	put_be64(w, shown->expires_s);
	ld_writer_bytes(w, shown->line);
}

bool
ld_shown_read(struct ld_shown *ret, struct ld_span body)
{
	struct ld_reader r = ld_reader(body);

	ret->number = ld_reader_be32(&r);
	ret->error = -(int)(ld_reader_be32(&r) & INT32_MAX);
	ret->expires_s = get_be64(&r);
	ret->line = ld_reader_take(&r, ld_reader_left(&r));
	return !r.failed;
}

void
ld_counts_write(struct ld_writer *w, const struct ld_counts *counts)
{
	for (unsigned i = 0; i < LD_UPSTREAM_COUNTER_COUNT; i++)
		put_be64(w, counts->items[i]);
}

bool
ld_counts_read(struct ld_counts *ret, struct ld_span body)
{
	struct ld_reader r = ld_reader(body);

	for (unsigned i = 0; i < LD_UPSTREAM_COUNTER_COUNT; i++)
		ret->items[i] = get_be64(&r);
	return !r.failed;
}

void
ld_asking_write(struct ld_writer *w, const struct ld_asking *question)
{
	ld_writer_be32(w, question->id);
	ld_writer_be16(w, question->type);
	ld_writer_u8(w, question->checking_disabled ? FLAG_CD : 0);
	ld_writer_bytes(w, ld_span(question->name.wire, question->name.len));
}

bool
ld_asking_read(struct ld_asking *ret, struct ld_span body)
{
	struct ld_reader r = ld_reader(body);
	struct ld_span wire;
	unsigned flags;

	ret->id = ld_reader_be32(&r);
	ret->type = ld_reader_be16(&r);
	flags = ld_reader_u8(&r);
	wire = ld_reader_take(&r, ld_reader_left(&r));
	ret->checking_disabled = (flags & FLAG_CD) != 0;
	return !r.failed && (flags & ~(unsigned)FLAG_CD) == 0 &&
	       ld_name_from_wire(&ret->name, wire) == LINDUNG_OK && ret->name.len == wire.len;
}

/* A length of one octet, and the text, cut to fit. */
static void
text_write(struct ld_writer *w, struct ld_span text)
{
	text = ld_span_first(text, LD_ANSWER_TEXT_MAX);
	ld_writer_u8(w, (uint8_t)text.len);
	ld_writer_bytes(w, text);
}

void
ld_answer_head_write(struct ld_writer *w, uint32_t id, const struct ld_upstream_result *result)
{
	ld_writer_be32(w, id);
	ld_writer_be32(w, (uint32_t)-result->error);
	ld_writer_be32(w, (uint32_t)(result->ede + 1));
	ld_writer_u8(w, result->secure ? FLAG_SECURE : 0);
	text_write(w, ld_span_str(result->ede_text));
	ld_writer_u8(w, (uint8_t)result->ede_count);
	for (unsigned i = 0; i < result->ede_count; i++) {
		ld_writer_be16(w, result->edes[i].code);
		text_write(w, result->edes[i].text);
	}
}

bool
ld_answered_read(struct ld_answered *ret, struct ld_span body)
{
	struct ld_upstream_result *result = &ret->result;
	struct ld_reader r = ld_reader(body);
	struct ld_span text;
	uint32_t error, ede;
	unsigned flags;

	ret->id = ld_reader_be32(&r);
	error = ld_reader_be32(&r);
	ede = ld_reader_be32(&r);
	flags = ld_reader_u8(&r);
	text = ld_reader_take(&r, ld_reader_u8(&r));
	*result = (struct ld_upstream_result){
		.ede_count = ld_reader_u8(&r),
		.secure = (flags & FLAG_SECURE) != 0,
	};
	if (r.failed || error > INT_MAX || ede > EDE_MAX + 1 ||
	    (flags & ~(unsigned)FLAG_SECURE) != 0 || result->ede_count > LD_UPSTREAM_EDE_MAX)
		return false;
	result->error = -(int)error;
	result->ede = (int)ede - 1;
	if (text.len != 0) {
		memcpy(ret->text, text.data, text.len);
		result->ede_text = ret->text;
	}
	ret->text[text.len] = '\0';
	for (unsigned i = 0; i < result->ede_count; i++) {
		result->edes[i].code = ld_reader_be16(&r);
		result->edes[i].text = ld_reader_take(&r, ld_reader_u8(&r));
	}
	result->message = ld_reader_take(&r, ld_reader_left(&r));
	/* A failure has no message, a success has one. */
	return !r.failed && result->message.len <= UINT16_MAX &&
	       (error == 0) == (result->message.len != 0);
}
