/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/intake.h"

#include <stdlib.h>
#include <sys/random.h>

#include "wire/build.h"
#include "zone/zone.h"

/* What the next record is. */
enum place {
	PLACE_FIRST,   /* the new SOA */
	PLACE_SECOND,  /* that tells which kind of answer it is */
	PLACE_WHOLE,   /* of all of the zone */
	PLACE_REMOVED, /* what the SOA before has no more */
	PLACE_ADDED,
	PLACE_END,
};

struct ld_intake {
	struct ld_zone_copy *copy;
	struct ld_tsig_chain chain;
	uint16_t id, type;
	uint64_t begun_s;
	bool has_serial;
	uint32_t serial; /* of the copy when the request was written; then of the difference */
	uint32_t target; /* of the new SOA */
	enum place place;
	bool is_whole, has_message;
	unsigned changes;
	bool is_signed; /* the last message was */
	struct ld_name soa_owner;
	size_t rdata_len;
	uint8_t rdata[LD_MESSAGE_MAX_BYTES];
};

int
ld_intake_new(struct ld_intake **ret, struct ld_zone_copy *copy, const struct ld_tsig_key *key)
{
	struct ld_intake *in = calloc(1, sizeof *in);
	int err;

	if (in == NULL)
		return LINDUNG_ENOMEM;
	in->copy = copy;
	err = ld_tsig_chain_init(&in->chain, key);
	if (err == LINDUNG_OK && getrandom(&in->id, sizeof in->id, 0) != sizeof in->id)
		err = LINDUNG_EIO;
	if (err != LINDUNG_OK) {
		ld_intake_free(in);
		return err;
	}
	in->has_serial = ld_zone_copy_serial(copy, &in->serial);
	*ret = in;
	return LINDUNG_OK;
}

void
ld_intake_free(struct ld_intake *in)
{
	if (in == NULL)
		return;
	ld_tsig_chain_clear(&in->chain);
	free(in);
}

void
ld_intake_request(struct ld_intake *in, struct ld_writer *w, bool whole, uint64_t now_s)
{
	/* RFC 1995 section 3: of the SOA only the serial matters. */
	uint8_t soa[2 + 20] = {0};

	in->type = in->has_serial && !whole ? LD_TYPE_IXFR : LD_TYPE_AXFR;
	in->begun_s = now_s;
	ld_build_header(w, in->id, 0);
	ld_build_question(w, ld_zone_copy_origin(in->copy), in->type, LD_CLASS_IN);
	if (in->type == LD_TYPE_IXFR) {
		ld_put_be32(soa + 2, in->serial);
		ld_build_record(w, LD_COUNT_AUTHORITY, LD_QUESTION_AT, LD_TYPE_SOA, 0,
				ld_span(soa, sizeof soa));
	}
	ld_tsig_sign(&in->chain, w, now_s, LD_TSIG_GOOD, NULL);
	/* Answers are digested from the beginning again: the first of them has all variables. */
	in->chain.is_later = false;
}

/* ---- Rdata ---------------------------------------------------------------------------------- */

static bool
name_expand(struct ld_reader *r, struct ld_writer *w, bool lower)
{
	struct ld_name name;

	if (!ld_message_name(r, &name))
		return false;
	if (lower)
		ld_name_lower(&name);
	ld_writer_bytes(w, ld_span(name.wire, name.len));
	return true;
}

/* One part of the layout of a type (wire/dns.h). */
static void
part_expand(struct ld_reader *r, const char **layout, struct ld_writer *w)
{
	char part = *(*layout)++;
	size_t octets;

	switch (part) {
	case 'N':
	case 'n':
	case 'u':
		r->failed |= !name_expand(r, w, part != 'u');
		return;
	case 's':
		octets = ld_reader_u8(r);
		ld_writer_u8(w, (uint8_t)octets);
		break;
	case '*':
		octets = ld_reader_left(r);
		break;
	default:
		octets = (size_t)(part - '0');
		while (**layout >= '0' && **layout <= '9')
			octets = 10 * octets + (size_t)(*(*layout)++ - '0');
	}
	ld_writer_bytes(w, ld_reader_take(r, octets));
}

/* With names written out, in lower case where that is canonical (RFC 4034 section 6.2). */
static bool
rdata_expand(struct ld_intake *in, struct ld_span message, const struct ld_record *record)
{
	struct ld_reader r = {
		.data = ld_span_first(message, record->rdata_at + record->rdata.len),
		.at = record->rdata_at,
	};
	struct ld_writer w = ld_writer(in->rdata, sizeof in->rdata);
	const char *layout = ld_type_rdata(record->type);

	while (*layout != '\0')
		part_expand(&r, &layout, &w);
	in->rdata_len = w.len;
	return !r.failed && ld_reader_left(&r) == 0 && !w.failed;
}

/* ---- Records -------------------------------------------------------------------------------- */

static int
malformed(struct ld_report *report, const char *what)
{
	return ld_fail(report, LINDUNG_EMALFORMED, "the transfer cannot be read: %s", what);
}

static int
put_failed(int err, const struct ld_record *record, struct ld_report *report)
{
	char name[LD_NAME_TEXT_MAX];

	ld_name_to_text(&record->owner, name);
	switch (err) {
	case LINDUNG_ENOTFOUND:
		return ld_fail(report, err, "a change takes out %.200s, which is not there", name);
	case LINDUNG_ELIMIT:
		return ld_fail(report, err, "the zone is larger than the limit");
	case LINDUNG_EMALFORMED:
		return ld_fail(report, err, "%.200s does not belong into the zone", name);
	default:
		return ld_fail(report, err, "%s", lindung_strerror(err));
	}
}

static int
record_put(struct ld_intake *in, const struct ld_record *record, bool remove,
	   struct ld_report *report)
{
	const struct ld_zone_copy_record change = {
		.owner = &record->owner,
		.type = record->type,
		.ttl = record->ttl,
		.rdata = ld_span(in->rdata, in->rdata_len),
	};
	int err = remove ? ld_zone_copy_remove(in->copy, &change)
			 : ld_zone_copy_add(in->copy, &change);

	return err == LINDUNG_OK ? LINDUNG_OK : put_failed(err, record, report);
}

static uint32_t
soa_serial(const struct ld_intake *in)
{
	return ld_get_be32(in->rdata + in->rdata_len - 20);
}

static int
first_take(struct ld_intake *in, const struct ld_record *record, struct ld_report *report)
{
	if (record->type != LD_TYPE_SOA)
		return malformed(report, "it does not begin with a SOA");
	in->target = soa_serial(in);
	if (in->has_serial && in->target != in->serial &&
	    !ld_serial_is_after(in->target, in->serial))
		return ld_fail(report, LINDUNG_EROLLBACK,
			       "the primary has serial %lu, older than the copy's %lu",
			       (unsigned long)in->target, (unsigned long)in->serial);
	in->place = PLACE_SECOND;
	return LINDUNG_OK;
}

/* All of the zone: what there was is forgotten. */
static int
whole_begin(struct ld_intake *in, const struct ld_record *record, struct ld_report *report)
{
	in->is_whole = true;
	in->place = PLACE_WHOLE;
	ld_zone_copy_clear(in->copy);
	return record_put(in, record, false, report);
}

/* A SOA among differences. */
static int
change_soa_take(struct ld_intake *in, const struct ld_record *record, struct ld_report *report)
{
	uint32_t serial = soa_serial(in);

	if (in->place == PLACE_REMOVED) {
		in->place = PLACE_ADDED;
		in->serial = serial;
		return record_put(in, record, false, report);
	}
	if (in->place == PLACE_ADDED && in->serial == in->target && serial == in->target) {
		in->place = PLACE_END;
		return LINDUNG_OK;
	}
	if (serial != in->serial)
		return malformed(report, "a change that does not follow the one before");
	if (in->changes++ == LD_INTAKE_CHANGES_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d changes in one transfer",
			       LD_INTAKE_CHANGES_MAX);
	in->place = PLACE_REMOVED;
	return LINDUNG_OK;
}

static int
second_take(struct ld_intake *in, const struct ld_record *record, struct ld_report *report)
{
	if (in->type == LD_TYPE_IXFR && record->type == LD_TYPE_SOA && soa_serial(in) != in->target)
		return change_soa_take(in, record, report);
	if (record->type == LD_TYPE_SOA)
		return malformed(report, "a zone of a SOA alone");
	/* The new SOA comes once more at the end: it is put then. */
	return whole_begin(in, record, report);
}

static int
record_take(struct ld_intake *in, const struct ld_record *record, struct ld_report *report)
{
	bool is_soa = record->type == LD_TYPE_SOA;

	if (is_soa && !ld_name_equal(&record->owner, ld_zone_copy_origin(in->copy)))
		return malformed(report, "a SOA of another zone");
	switch (in->place) {
	case PLACE_FIRST:
		return first_take(in, record, report);
	case PLACE_SECOND:
		return second_take(in, record, report);
	case PLACE_WHOLE:
		if (is_soa && soa_serial(in) != in->target)
			return malformed(report, "it ends with another SOA than it began with");
		if (is_soa)
			in->place = PLACE_END;
		return record_put(in, record, false, report);
	case PLACE_REMOVED:
	case PLACE_ADDED:
		return is_soa ? change_soa_take(in, record, report)
			      : record_put(in, record, in->place == PLACE_REMOVED, report);
	case PLACE_END:
	default:
		return malformed(report, "records behind the end");
	}
}

/* ---- Messages ------------------------------------------------------------------------------- */

static int
header_check(const struct ld_intake *in, const struct ld_header *header, struct ld_report *report)
{
	unsigned rcode = header->flags & LD_FLAG_RCODE;
	const char *name = ld_rcode_name((uint16_t)rcode);

	if (header->id != in->id || (header->flags & LD_FLAG_QR) == 0 ||
	    (header->flags & LD_FLAG_OPCODE) != 0)
		return malformed(report, "a message that answers nothing");
	/* RFC 1995 section 4: a server without it may say either. */
	if (in->type == LD_TYPE_IXFR && (rcode == LD_RCODE_NOTIMP || rcode == LD_RCODE_FORMERR))
		return ld_fail(report, LINDUNG_ENOTFOUND, "the primary knows no IXFR");
	if (rcode != LD_RCODE_NOERROR)
		return ld_fail(report, LINDUNG_EDENIED, "the primary says %s",
			       name != NULL ? name : "an error without a name");
	if ((header->flags & LD_FLAG_TC) != 0)
		return malformed(report, "a message that was cut");
	return LINDUNG_OK;
}

/* Stand behind the question, which only the first message must have. */
static int
walk_begin(struct ld_intake *in, struct ld_walk *walk, struct ld_span message,
	   struct ld_report *report)
{
	struct ld_reader r = ld_reader(message);
	struct ld_header header = ld_header_read(&r);
	int err;

	if (r.failed)
		return malformed(report, "a message without a header");
	err = header_check(in, &header, report);
	if (err != LINDUNG_OK)
		return err;
	if (header.counts[0] == 0 && in->has_message) {
		*walk = (struct ld_walk){.reader = r,
					 .header = header,
					 .section = LD_SECTION_ANSWER,
					 .left = header.counts[1]};
		return LINDUNG_OK;
	}
	if (!ld_walk_begin(walk, message) || walk->type != in->type ||
	    walk->class_ != LD_CLASS_IN ||
	    !ld_name_equal(&walk->question, ld_zone_copy_origin(in->copy)))
		return malformed(report, "an answer to another question");
	return LINDUNG_OK;
}

static int
records_take(struct ld_intake *in, struct ld_walk *walk, struct ld_span message,
	     struct ld_report *report)
{
	struct ld_record record;
	int err = LINDUNG_OK;

	while (err == LINDUNG_OK && ld_walk_next(walk, &record)) {
		if (record.section != LD_SECTION_ANSWER)
			continue;
		if (record.class_ != LD_CLASS_IN || !rdata_expand(in, message, &record))
			return malformed(report, "a record");
		err = record_take(in, &record, report);
	}
	if (err == LINDUNG_OK && (walk->reader.failed || ld_reader_left(&walk->reader) != 0))
		return malformed(report, "a message");
	return err;
}

int
ld_intake_take(struct ld_intake *in, struct ld_span message, uint64_t now_s,
	       enum ld_intake_state *ret, struct ld_report *report)
{
	struct ld_walk walk;
	bool is_current;
	int err;

	if (now_s > in->begun_s + LD_INTAKE_TIME_MAX_S)
		return ld_fail(report, LINDUNG_ELIMIT, "the transfer did not end in %d s",
			       LD_INTAKE_TIME_MAX_S);
	/* Nothing of it counts before its signature does: but what refuses the key says so. */
	err = ld_tsig_take_answer(&in->chain, message, now_s, &in->is_signed, report);
	if (err == LINDUNG_OK)
		err = walk_begin(in, &walk, message, report);
	if (err == LINDUNG_OK)
		err = records_take(in, &walk, message, report);
	if (err != LINDUNG_OK)
		return err;
	/* A SOA alone, with the serial that the copy has: with AXFR, others follow it. */
	is_current = in->type == LD_TYPE_IXFR && !in->has_message && in->place == PLACE_SECOND &&
		     in->has_serial && in->target == in->serial && walk.header.counts[1] == 1;
	in->has_message = true;
	if ((in->place == PLACE_END || is_current) && !in->is_signed)
		return ld_fail(report, LINDUNG_ESIGNATURE, "the last message is not signed");
	*ret = is_current               ? LD_INTAKE_CURRENT
	       : in->place == PLACE_END ? LD_INTAKE_DONE
					: LD_INTAKE_GOES_ON;
	return LINDUNG_OK;
}

bool
ld_intake_is_whole(const struct ld_intake *in)
{
	return in->is_whole;
}
