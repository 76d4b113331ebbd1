/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/build.h"

enum {
	POINTER_REACH = 0x4000,
	PROBES_MAX = 8,
};

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* The name `wanted` (uncompressed, from its octet `from` on) stands at `at` of what was written. */
static bool
stands_at(const struct ld_writer *w, size_t at, const struct ld_name *wanted, size_t from)
{
	while (from < wanted->len) {
		uint8_t len = w->data[at];

		if (len >= 0xc0) {
			at = ld_get_be16(w->data + at) & 0x3fff;
			continue;
		}
		for (size_t i = 0; i <= len; i++) {
			if (lower(w->data[at + i]) != lower(wanted->wire[from + i]))
				return false;
		}
		from += len + 1u;
		at += len + 1u;
	}
	return true;
}

/* Hash of the name from each label on, from the last label forwards, so that it takes one pass. */
static void
hash_suffixes(const struct ld_name *name, uint8_t *starts, uint16_t *hashes)
{
	uint64_t hash = 0;
	size_t at = 0;

	for (unsigned i = 0; i < name->labels; i++) {
		starts[i] = (uint8_t)at;
		at += name->wire[at] + 1u;
	}
	for (unsigned i = name->labels; i-- > 0;) {
		const uint8_t *label = name->wire + starts[i];

		for (size_t j = 0; j <= label[0]; j++)
			hash = (hash ^ lower(label[j])) * 0x9e3779b97f4a7c15u;
		hashes[i] = (uint16_t)(hash >> 48);
	}
}

/* Where the name from `from` on was written before, or 0.  If it was not, remember that it is about
 * to be written here.  `begun_at`: where this name began; what is behind is not whole yet. */
static size_t
find_or_remember(struct ld_copy *copy, const struct ld_writer *w, const struct ld_name *name,
		 size_t from, uint16_t hash, size_t begun_at)
{
	for (unsigned probe = 0; probe < PROBES_MAX; probe++) {
		struct ld_copy_name *place = &copy->names[(hash + probe) % LD_COPY_NAMES_MAX];

		if (place->at == 0) {
			if (w->len < POINTER_REACH)
				*place = (struct ld_copy_name){hash, (uint16_t)w->len};
			return 0;
		}
		if (place->hash == hash && place->at < begun_at &&
		    stands_at(w, place->at, name, from))
			return place->at;
	}
	return 0;
}

static void
write_name(struct ld_copy *copy, struct ld_writer *w, const struct ld_name *name, bool compress)
{
	uint8_t starts[LD_NAME_LABELS_MAX];
	uint16_t hashes[LD_NAME_LABELS_MAX];
	size_t begun_at = w->len;

	if (!compress) {
		ld_writer_bytes(w, ld_span(name->wire, name->len));
		return;
	}
	hash_suffixes(name, starts, hashes);
	for (unsigned i = 0; i < name->labels && !w->failed; i++) {
		const uint8_t *label = name->wire + starts[i];
		size_t before = find_or_remember(copy, w, name, starts[i], hashes[i], begun_at);

		if (before != 0) {
			ld_writer_be16(w, (uint16_t)(LD_POINTER | before));
			return;
		}
		ld_writer_bytes(w, ld_span(label, label[0] + 1u));
	}
	ld_writer_u8(w, 0);
}

/* Write rdata as its type's layout says; false if it is malformed. */
static bool
write_rdata(struct ld_copy *copy, struct ld_writer *w, struct ld_span message,
	    const struct ld_record *record)
{
	struct ld_reader r = {
		.data = ld_span_first(message, record->rdata_at + record->rdata.len),
		.at = record->rdata_at,
	};
	struct ld_name name;

	for (const char *step = ld_type_rdata(record->type); *step != '\0'; step++) {
		size_t octets = 0;

		switch (*step) {
		case 'N':
		case 'n':
		case 'u':
			if (*step == 'u' ? !ld_message_name_plain(&r, &name)
					 : !ld_message_name(&r, &name))
				return false;
			copy->labels += name.labels;
			if (copy->labels > LD_WALK_LABELS_MAX)
				return false;
			write_name(copy, w, &name, *step == 'N');
			continue;
		case 's':
			octets = ld_reader_left(&r) > 0 ? 1u + r.data.data[r.at] : 1;
			break;
		case '*':
			octets = ld_reader_left(&r);
			break;
		default:
			octets = (size_t)(*step - '0');
			for (; step[1] >= '0' && step[1] <= '9'; step++)
				octets = octets * 10 + (size_t)(step[1] - '0');
		}
		ld_writer_bytes(w, ld_reader_take(&r, octets));
	}
	return !r.failed && ld_reader_left(&r) == 0;
}

/* The TTL to tell: that of the record, less its age, within the limits.  An SOA in the authority
 * section says how long a negative answer holds (RFC 2308 section 5). */
static uint32_t
told_ttl(struct ld_copy *copy, const struct ld_record *record)
{
	uint32_t ttl = record->ttl, max = copy->ttl_max_s;

	if (record->type == LD_TYPE_SOA && record->section == LD_SECTION_AUTHORITY) {
		copy->is_negative = true;
		max = copy->negative_ttl_max_s;
		/* Shorter ones are malformed, which write_rdata() finds. */
		if (record->rdata.len >= 4) {
			uint32_t minimum = ld_get_be32(record->rdata.data + record->rdata.len - 4);
			ttl = minimum < ttl ? minimum : ttl;
		}
	}
	ttl = ttl < copy->ttl_min_s ? copy->ttl_min_s : ttl;
	ttl = ttl > max ? max : ttl;
	return ttl > copy->age_s ? ttl - copy->age_s : 0;
}

/* Where the name that begins at `at` stands: compressed, it is a pointer to that place. */
static uint16_t
place_of(const struct ld_writer *w, size_t at)
{
	if (w->failed || w->data[at] == 0)
		return 0;
	return w->data[at] >= 0xc0 ? ld_get_be16(w->data + at) & 0x3fff : (uint16_t)at;
}

/* RFC 2181 section 5.2: the TTL of the whole RRset that the record belongs to, which is the least
 * of them.  Signatures of different types are no RRset. */
static uint32_t
level_ttl(const struct ld_copy *copy, struct ld_writer *w, uint16_t type, uint16_t owner_at,
	  uint32_t ttl)
{
	unsigned known = copy->ttl_count < LD_COPY_TTLS_MAX ? copy->ttl_count : LD_COPY_TTLS_MAX;

	if (w->failed || type == LD_TYPE_RRSIG)
		return ttl;
	for (unsigned i = known; i-- > 0;) {
		uint8_t *at = w->data + copy->ttl_at[i];

		if (copy->owner_at[i] != owner_at || ld_get_be16(at - 4) != type)
			continue;
		uint32_t other = ld_get_be32(at);
		if (other <= ttl)
			return other;
		ld_put_be32(at, ttl);
	}
	return ttl;
}

static void
write_ttl(struct ld_copy *copy, struct ld_writer *w, uint16_t owner_at, uint32_t ttl)
{
	if (copy->ttl_count < LD_COPY_TTLS_MAX) {
		copy->ttl_at[copy->ttl_count] = (uint16_t)w->len;
		copy->owner_at[copy->ttl_count] = owner_at;
	}
	copy->ttl_count++;
	if (ttl < copy->ttl_least)
		copy->ttl_least = ttl;
	ld_writer_be32(w, ttl);
}

static bool
write_record(struct ld_copy *copy, struct ld_writer *w, struct ld_span message,
	     const struct ld_record *record)
{
	size_t begun_at = w->len;

	write_name(copy, w, &record->owner, true);
	uint16_t owner_at = place_of(w, begun_at);
	ld_writer_be16(w, record->type);
	ld_writer_be16(w, record->class_);
	write_ttl(copy, w, owner_at,
		  level_ttl(copy, w, record->type, owner_at, told_ttl(copy, record)));
	size_t len_at = w->len;
	ld_writer_be16(w, 0);
	if (!write_rdata(copy, w, message, record))
		return false;
	if (!w->failed)
		ld_put_be16(w->data + len_at, (uint16_t)(w->len - len_at - 2));
	ld_build_count(w, LD_COUNT_ANSWER + record->section);
	return true;
}

/* The question's name, and where CNAMEs led from it so far, which stand in order (as other
 * resolvers and the stubs of C libraries have it, too). */
static bool
is_in_chain(const struct ld_copy *copy, const struct ld_name *owner)
{
	for (unsigned i = 0; i < copy->chain_count; i++) {
		if (ld_name_equal(&copy->chain[i], owner))
			return true;
	}
	return false;
}

static bool
is_above_chain(const struct ld_copy *copy, const struct ld_name *owner)
{
	for (unsigned i = 0; i < copy->chain_count; i++) {
		if (ld_name_is_within(&copy->chain[i], owner))
			return true;
	}
	return false;
}

/* Records of the conversation, not of the DNS (RFC 6895 section 3.1), whatever section they stand
 * in: ours with the client is another one. */
static bool
is_meta(uint16_t type)
{
	return type == 0 || type == LD_TYPE_OPT || (type >= 128 && type <= 255);
}

/* What has to do with the question: in the answer section what the chain owns, and a DNAME above
 * it, with their signatures; in the authority section the zones above it, and what is signed. */
static bool
is_relevant(const struct ld_copy *copy, const struct ld_record *record)
{
	if (record->class_ != LD_CLASS_IN || is_meta(record->type))
		return false;
	if (record->section == LD_SECTION_ANSWER)
		return is_in_chain(copy, &record->owner) ||
		       ((record->type == LD_TYPE_DNAME || record->type == LD_TYPE_RRSIG) &&
			is_above_chain(copy, &record->owner));
	switch (record->type) {
	case LD_TYPE_SOA:
	case LD_TYPE_NS:
	case LD_TYPE_DS:
		return is_above_chain(copy, &record->owner);
	case LD_TYPE_RRSIG:
	case LD_TYPE_NSEC:
	case LD_TYPE_NSEC3:
		return true;
	default:
		return false;
	}
}

/* Records for validators only. */
static bool
is_left_out(struct ld_copy *copy, const struct ld_walk *walk, const struct ld_record *record)
{
	switch (record->type) {
	case LD_TYPE_RRSIG:
	case LD_TYPE_NSEC:
	case LD_TYPE_NSEC3:
		if (record->section == LD_SECTION_ANSWER && record->type == walk->type)
			return false;
		copy->had_dnssec = true;
		return !copy->dnssec;
	default:
		return false;
	}
}

/* Go on with the chain, if that is where the record leads. */
static void
follow(struct ld_copy *copy, struct ld_span message, const struct ld_record *record)
{
	if (record->section == LD_SECTION_ANSWER && record->type == LD_TYPE_CNAME &&
	    copy->chain_count < LD_COPY_CHAIN_MAX &&
	    ld_record_target(message, record, 0, &copy->chain[copy->chain_count]))
		copy->chain_count++;
}

static void
write_beginning(struct ld_copy *copy, const struct ld_walk *walk, struct ld_writer *w)
{
	ld_build_header(w, 0, walk->header.flags);
	write_name(copy, w, copy->question, true);
	ld_writer_be16(w, walk->type);
	ld_writer_be16(w, walk->class_);
	ld_build_count(w, LD_COUNT_QUESTION);
	if (copy->alias == NULL)
		return;
	ld_writer_be16(w, LD_POINTER_QUESTION);
	ld_writer_be16(w, LD_TYPE_CNAME);
	ld_writer_be16(w, LD_CLASS_IN);
	write_ttl(copy, w, LD_QUESTION_AT, copy->alias_ttl);
	size_t len_at = w->len;
	ld_writer_be16(w, 0);
	write_name(copy, w, copy->alias, true);
	if (!w->failed)
		ld_put_be16(w->data + len_at, (uint16_t)(w->len - len_at - 2));
	ld_build_count(w, LD_COUNT_ANSWER);
}

int
ld_copy_response(struct ld_copy *copy, struct ld_span message, struct ld_writer *w)
{
	struct ld_walk walk;
	struct ld_record record;

	copy->ttl_least = UINT32_MAX;
	copy->is_negative = copy->has_answer = copy->had_dnssec = false;
	copy->ttl_count = 0;
	copy->labels = 0;
	memset(copy->names, 0, sizeof copy->names);
	if (!ld_walk_begin(&walk, message))
		return LINDUNG_EMALFORMED;
	copy->chain[0] = walk.question;
	copy->chain_count = 1;
	write_beginning(copy, &walk, w);
	while (ld_walk_next(&walk, &record) && record.section != LD_SECTION_ADDITIONAL) {
		if (!is_relevant(copy, &record) || is_left_out(copy, &walk, &record))
			continue;
		copy->has_answer |= record.section == LD_SECTION_ANSWER && record.type == walk.type;
		if (!write_record(copy, w, message, &record))
			return LINDUNG_EMALFORMED;
		follow(copy, message, &record);
	}
	if (walk.reader.failed)
		return LINDUNG_EMALFORMED;
	return w->failed ? LINDUNG_ESPACE : LINDUNG_OK;
}
