/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/tsig.h"

#include "wire/build.h"
#include "wire/message.h"

enum {
	TIME_BYTES = 6,
	MAC_TRUNCATED_MIN = LD_TSIG_MAC_BYTES / 2, /* RFC 8945 section 5.2.2.1 */
};

static const uint8_t algorithm_wire[] = "\x0bhmac-sha256"; /* its NUL is the root */

/* ---- Reading ------------------------------------------------------------------------------ */

const struct ld_tsig_key *
ld_tsig_key_find(const struct ld_tsig_keys *keys, const struct ld_name *name)
{
	for (unsigned i = 0; i < keys->count; i++)
		if (ld_name_equal(&keys->items[i].name, name))
			return &keys->items[i];
	return NULL;
}

static int
tsig_read(struct ld_tsig *ret, struct ld_span message, const struct ld_record *record)
{
	struct ld_reader r = {.data = ld_span_first(message, record->rdata_at + record->rdata.len),
			      .at = record->rdata_at};

	ret->name = record->owner;
	ld_name_lower(&ret->name);
	if (!ld_message_name_plain(&r, &ret->algorithm))
		return LINDUNG_EMALFORMED;
	ret->time_s = (uint64_t)ld_reader_be16(&r) << 32;
	ret->time_s |= ld_reader_be32(&r);
	ret->fudge_s = ld_reader_be16(&r);
	ret->mac = ld_reader_take(&r, ld_reader_be16(&r));
	ret->original_id = ld_reader_be16(&r);
	ret->error = ld_reader_be16(&r);
	ret->other = ld_reader_take(&r, ld_reader_be16(&r));
	/* A TTL with its top bit set is read as 0: RFC 8945 wants 0, RFC 2181 makes that of it. */
	return r.failed || ld_reader_left(&r) != 0 || record->class_ != LD_CLASS_ANY ||
			       record->ttl != 0
		       ? LINDUNG_EMALFORMED
		       : LINDUNG_OK;
}

int
ld_tsig_find(struct ld_tsig *ret, struct ld_span message)
{
	struct ld_walk walk;
	struct ld_record record;
	struct ld_tsig tsig;
	bool found = false;
	size_t at;

	/* Answers of a stream may come without a question (RFC 5936 section 2.2.1). */
	walk.reader = ld_reader(message);
	walk.header = ld_header_read(&walk.reader);
	walk.section = LD_SECTION_ANSWER;
	walk.left = walk.header.counts[1];
	walk.labels = 0;
	if (walk.header.counts[0] > 1)
		return LINDUNG_EMALFORMED;
	if (walk.header.counts[0] == 1) {
		(void)ld_message_name_plain(&walk.reader, &walk.question);
		(void)ld_reader_be32(&walk.reader);
	}
	for (at = walk.reader.at; ld_walk_next(&walk, &record); at = walk.reader.at) {
		if (found)
			return LINDUNG_EMALFORMED; /* it was not the last */
		if (record.type != LD_TYPE_TSIG)
			continue;
		if (record.section != LD_SECTION_ADDITIONAL ||
		    tsig_read(&tsig, message, &record) != LINDUNG_OK)
			return LINDUNG_EMALFORMED;
		tsig.at = at;
		found = true;
	}
	if (walk.reader.failed || ld_reader_left(&walk.reader) != 0)
		return LINDUNG_EMALFORMED;
	if (!found)
		return LINDUNG_ENOTFOUND;
	*ret = tsig;
	return LINDUNG_OK;
}

/* ---- The digest --------------------------------------------------------------------------- */

int
ld_tsig_chain_init(struct ld_tsig_chain *chain, const struct ld_tsig_key *key)
{
	struct ld_tsig_chain made = {.key = key};
	int err = LINDUNG_OK;

	if (key != NULL)
		err = ld_digest_new(&made.hmac, LD_DIGEST_HMAC_SHA256,
				    ld_span(key->secret, key->secret_len));
	if (err == LINDUNG_OK)
		*chain = made;
	return err;
}

void
ld_tsig_chain_clear(struct ld_tsig_chain *chain)
{
	ld_digest_free(chain->hmac);
	*chain = (struct ld_tsig_chain){.key = NULL};
}

static void
add_be16(struct ld_digest *hmac, uint16_t v)
{
	uint8_t octets[2];

	ld_put_be16(octets, v);
	ld_digest_add(hmac, ld_span(octets, sizeof octets));
}

/* What the signature before adds to the next one. */
static void
add_prior(struct ld_tsig_chain *chain)
{
	ld_digest_begin(chain->hmac);
	if (chain->mac_len == 0)
		return;
	add_be16(chain->hmac, (uint16_t)chain->mac_len);
	ld_digest_add(chain->hmac, ld_span(chain->mac, chain->mac_len));
}

/* A message without its TSIG record, as it was when it was signed. */
static void
add_message(struct ld_digest *hmac, struct ld_span message, const struct ld_tsig *tsig)
{
	uint8_t header[LD_HEADER_BYTES];

	memcpy(header, message.data, sizeof header);
	ld_put_be16(header, tsig->original_id);
	ld_put_be16(header + 10, (uint16_t)(ld_get_be16(header + 10) - 1));
	ld_digest_add(hmac, ld_span(header, sizeof header));
	ld_digest_add(hmac, ld_span(message.data + sizeof header, tsig->at - sizeof header));
}

/* What stands in the record besides the MAC: all of it, or the timers alone. */
static void
add_variables(struct ld_tsig_chain *chain, uint64_t time_s, uint16_t fudge_s, uint16_t error,
	      struct ld_span other)
{
	const struct ld_name *name = &chain->key->name;
	uint8_t octets[16];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	if (!chain->is_later) {
		ld_digest_add(chain->hmac, ld_span(name->wire, name->len));
		ld_writer_be16(&w, LD_CLASS_ANY);
		ld_writer_be32(&w, 0);
		ld_digest_add(chain->hmac, ld_span(w.data, w.len));
		ld_digest_add(chain->hmac, ld_span(algorithm_wire, sizeof algorithm_wire));
	}
	w.len = 0;
	ld_writer_be16(&w, (uint16_t)(time_s >> 32));
	ld_writer_be32(&w, (uint32_t)time_s);
	ld_writer_be16(&w, fudge_s);
	if (!chain->is_later) {
		ld_writer_be16(&w, error);
		ld_writer_be16(&w, (uint16_t)other.len);
	}
	ld_digest_add(chain->hmac, ld_span(w.data, w.len));
	if (!chain->is_later)
		ld_digest_add(chain->hmac, other);
}

/* ---- Signing ------------------------------------------------------------------------------ */

/* The record, with a MAC of `mac_len` octets. */
static void
record_put(struct ld_writer *w, const struct ld_name *name, struct ld_span algorithm,
	   uint64_t time_s, uint16_t error, struct ld_span mac, struct ld_span other)
{
	uint16_t id = w->len >= LD_HEADER_BYTES ? ld_get_be16(w->data) : 0;

	ld_writer_bytes(w, ld_span(name->wire, name->len));
	ld_writer_be16(w, LD_TYPE_TSIG);
	ld_writer_be16(w, LD_CLASS_ANY);
	ld_writer_be32(w, 0);
	ld_writer_be16(w, (uint16_t)(algorithm.len + 16 + mac.len + other.len));
	ld_writer_bytes(w, algorithm);
	ld_writer_be16(w, (uint16_t)(time_s >> 32));
	ld_writer_be32(w, (uint32_t)time_s);
	ld_writer_be16(w, LD_TSIG_FUDGE_S);
	ld_writer_be16(w, (uint16_t)mac.len);
	ld_writer_bytes(w, mac);
	ld_writer_be16(w, id);
	ld_writer_be16(w, error);
	ld_writer_be16(w, (uint16_t)other.len);
	ld_writer_bytes(w, other);
	ld_build_count(w, LD_COUNT_ADDITIONAL);
}

void
ld_tsig_sign(struct ld_tsig_chain *chain, struct ld_writer *w, uint64_t now_s,
	     enum ld_tsig_error error, const struct ld_tsig *request)
{
	uint8_t clock[TIME_BYTES];
	struct ld_span other = {NULL, 0};
	uint64_t time_s = now_s;

	if (chain->key == NULL || w->failed)
		return;
	if (error == LD_TSIG_BADTIME && request != NULL) {
		/* RFC 8945 section 5.2.3: the client's time, and ours beside it. */
		ld_put_be16(clock, (uint16_t)(now_s >> 32));
		ld_put_be32(clock + 2, (uint32_t)now_s);
		other = ld_span(clock, sizeof clock);
		time_s = request->time_s;
	}
	add_prior(chain);
	ld_digest_add(chain->hmac, ld_span(w->data, w->len));
	add_variables(chain, time_s, LD_TSIG_FUDGE_S, (uint16_t)error, other);
	if (ld_digest_end(chain->hmac, chain->mac) != LINDUNG_OK) {
		w->failed = true;
		return;
	}
	chain->mac_len = LD_TSIG_MAC_BYTES;
	chain->is_later = true;
	record_put(w, &chain->key->name, ld_span(algorithm_wire, sizeof algorithm_wire), time_s,
		   (uint16_t)error, ld_span(chain->mac, LD_TSIG_MAC_BYTES), other);
}

void
ld_tsig_refuse(struct ld_writer *w, const struct ld_tsig *request, enum ld_tsig_error error)
{
	record_put(w, &request->name, ld_span(request->algorithm.wire, request->algorithm.len),
		   request->time_s, (uint16_t)error, (struct ld_span){NULL, 0},
		   (struct ld_span){NULL, 0});
}

/* ---- Verifying ---------------------------------------------------------------------------- */

static bool
is_our_algorithm(const struct ld_name *algorithm)
{
	struct ld_name lower = *algorithm;

	ld_name_lower(&lower);
	return lower.len == sizeof algorithm_wire &&
	       memcmp(lower.wire, algorithm_wire, sizeof algorithm_wire) == 0;
}

static bool
is_in_time(const struct ld_tsig *tsig, uint64_t now_s)
{
	uint64_t apart = tsig->time_s > now_s ? tsig->time_s - now_s : now_s - tsig->time_s;

	return apart <= tsig->fudge_s;
}

/* The MAC of what was digested; a shorter one is compared as far as it goes. */
static int
mac_check(struct ld_tsig_chain *chain, const struct ld_tsig *tsig, bool *ret_same)
{
	uint8_t mac[LD_DIGEST_MAX_BYTES];
	int err = ld_digest_end(chain->hmac, mac);

	if (err == LINDUNG_OK)
		*ret_same = ld_digest_same(ld_span(mac, tsig->mac.len), tsig->mac);
	return err;
}

int
ld_tsig_take_request(struct ld_tsig_chain *chain, const struct ld_tsig_keys *keys,
		     struct ld_span message, const struct ld_tsig *tsig, uint64_t now_s)
{
	const struct ld_tsig_key *key = ld_tsig_key_find(keys, &tsig->name);
	bool same = false;
	int err;

	if (key == NULL || !is_our_algorithm(&tsig->algorithm))
		return LD_TSIG_BADKEY;
	if (tsig->mac.len > LD_TSIG_MAC_BYTES || tsig->mac.len < MAC_TRUNCATED_MIN)
		return LINDUNG_EMALFORMED;
	err = ld_tsig_chain_init(chain, key);
	if (err != LINDUNG_OK)
		return err;
	add_prior(chain);
	add_message(chain->hmac, message, tsig);
	add_variables(chain, tsig->time_s, tsig->fudge_s, tsig->error, tsig->other);
	err = mac_check(chain, tsig, &same);
	if (err != LINDUNG_OK || !same) {
		ld_tsig_chain_clear(chain);
		return err != LINDUNG_OK ? err : LD_TSIG_BADSIG;
	}
	memcpy(chain->mac, tsig->mac.data, tsig->mac.len);
	chain->mac_len = tsig->mac.len;
	if (!is_in_time(tsig, now_s))
		return LD_TSIG_BADTIME;
	return tsig->mac.len < LD_TSIG_MAC_BYTES ? LD_TSIG_BADTRUNC : LD_TSIG_GOOD;
}

static const char *
error_text(uint16_t error)
{
	switch (error) {
	case LD_TSIG_BADSIG:
		return "BADSIG (the secret is another one there)";
	case LD_TSIG_BADKEY:
		return "BADKEY (the key is not known there)";
	case LD_TSIG_BADTIME:
		return "BADTIME (the clocks here and there differ)";
	case LD_TSIG_BADTRUNC:
		return "BADTRUNC (the signature is too short for it)";
	default:
		return "an error of TSIG";
	}
}

/* A message of a stream without a signature: the next one covers it. */
static int
unsigned_take(struct ld_tsig_chain *chain, struct ld_span message, struct ld_report *report)
{
	if (!chain->is_later)
		return ld_fail(report, LINDUNG_ESIGNATURE, "the answer is not signed");
	if (chain->unsigned_ == LD_TSIG_UNSIGNED_MAX)
		return ld_fail(report, LINDUNG_ESIGNATURE,
			       "more than %d messages without a signature", LD_TSIG_UNSIGNED_MAX);
	if (!chain->is_gathering)
		add_prior(chain);
	chain->is_gathering = true;
	chain->unsigned_++;
	ld_digest_add(chain->hmac, message);
	return LINDUNG_OK;
}

static int
signed_take(struct ld_tsig_chain *chain, struct ld_span message, const struct ld_tsig *tsig,
	    uint64_t now_s, struct ld_report *report)
{
	bool same = false;
	int err;

	if (!ld_name_equal(&tsig->name, &chain->key->name) || !is_our_algorithm(&tsig->algorithm))
		return ld_fail(report, LINDUNG_ESIGNATURE, "signed with another key");
	if (tsig->error != LD_TSIG_GOOD && tsig->mac.len == 0)
		return ld_fail(report, LINDUNG_ESIGNATURE, "refused: %s", error_text(tsig->error));
	if (tsig->mac.len != LD_TSIG_MAC_BYTES)
		return ld_fail(report, LINDUNG_ESIGNATURE, "a signature of %zu octets",
			       tsig->mac.len);
	if (!chain->is_gathering)
		add_prior(chain);
	add_message(chain->hmac, message, tsig);
	add_variables(chain, tsig->time_s, tsig->fudge_s, tsig->error, tsig->other);
	err = mac_check(chain, tsig, &same);
	if (err != LINDUNG_OK)
		return err;
	if (!same)
		return ld_fail(report, LINDUNG_ESIGNATURE, "the signature is not that of the key");
	if (tsig->error != LD_TSIG_GOOD)
		return ld_fail(report, LINDUNG_ESIGNATURE, "refused: %s", error_text(tsig->error));
	if (!is_in_time(tsig, now_s))
		return ld_fail(report, LINDUNG_ESIGNATURE,
			       "the signature is %lld s off: the clocks differ, or it is a replay",
			       (long long)(tsig->time_s - now_s));
	memcpy(chain->mac, tsig->mac.data, tsig->mac.len);
	chain->mac_len = tsig->mac.len;
	chain->is_later = true;
	chain->is_gathering = false;
	chain->unsigned_ = 0;
	return LINDUNG_OK;
}

int
ld_tsig_take_answer(struct ld_tsig_chain *chain, struct ld_span message, uint64_t now_s,
		    bool *ret_signed, struct ld_report *report)
{
	struct ld_tsig tsig;
	int err;

	if (chain->key == NULL) {
		*ret_signed = true; /* as much as is wanted */
		return LINDUNG_OK;
	}
	err = ld_tsig_find(&tsig, message);
	if (err == LINDUNG_EMALFORMED)
		return ld_fail(report, err, "a message that cannot be read");
	if (err == LINDUNG_OK)
		err = signed_take(chain, message, &tsig, now_s, report);
	else
		err = unsigned_take(chain, message, report);
	if (err == LINDUNG_OK)
		*ret_signed = !chain->is_gathering;
	return err;
}
