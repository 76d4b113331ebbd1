/* DNS messages out: header and question, records, OPT, and a response written anew for a client.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything is written into a writer that begins with the message; what does not fit makes it
 * `failed` and is the caller's to undo (truncation: ld_build_cut). */
#ifndef LD_WIRE_BUILD_H
#define LD_WIRE_BUILD_H

#include "wire/extended_error.h"
#include "wire/message.h"

enum {
	LD_COUNT_QUESTION = 0,
	LD_COUNT_ANSWER = 1,
	LD_COUNT_AUTHORITY = 2,
	LD_COUNT_ADDITIONAL = 3,
	/* Offset of the question's name, and the pointer to it. */
	LD_QUESTION_AT = LD_HEADER_BYTES,
	LD_POINTER = 0xc000,
	LD_POINTER_QUESTION = LD_POINTER | LD_QUESTION_AT,
};

/** A header with all counts 0. */
void ld_build_header(struct ld_writer *w, uint16_t id, uint16_t flags);

/** The question, counted. `w` holds the header. */
void ld_build_question(struct ld_writer *w, const struct ld_name *name, uint16_t type,
		       uint16_t class_);

/** Add one to a count of the header. */
void ld_build_count(struct ld_writer *w, unsigned which);

/** A record of class IN, counted as `which`, its owner a pointer to `owner_at`. */
void ld_build_record(struct ld_writer *w, unsigned which, size_t owner_at, uint16_t type,
		     uint32_t ttl, struct ld_span rdata);

/** What the OPT record of an answer says. */
struct ld_opt {
	uint16_t udp_size;
	uint8_t rcode_high; /* upper eight bits of the rcode */
	bool dnssec_ok;     /* as in the query (RFC 3225) */
	/* Extended errors (wire/extended_error.h); and what to say if these are too long. */
	struct ld_span edes, edes_shorter;
	struct ld_span cookie; /* empty: none */
	bool has_keepalive;
	uint16_t keepalive; /* in units of 100 ms */
	/* The message shall be a multiple of so many octets long (RFC 7830), as far as the writer
	 * has room; 0: no padding. */
	uint16_t padding_block;
};

/** The OPT record, counted.  Leave ld_build_opt_bytes() free for it: the extended errors take what
 * is left then, and give way to all else (RFC 8914 section 3): first in the form that is shorter,
 * then without texts; TC is set if a code itself does not fit. */
void ld_build_opt(struct ld_writer *w, const struct ld_opt *opt);

/** Octets that ld_build_opt() needs: all but the extended errors and padding. */
size_t ld_build_opt_bytes(const struct ld_opt *opt);

/** A service of a resolver (RFC 9460, 9461). */
struct ld_service {
	uint16_t priority;
	const struct ld_name *target;
	const char *alpn;
	uint16_t port;
	struct ld_span hints4, hints6; /* addresses, one behind the other; empty: none */
	const char *dohpath;           /* NULL: none */
};

/** The rdata of an SVCB record that says so. */
void ld_build_service(struct ld_writer *w, const struct ld_service *service);

/** Back to header and question, with TC set: what did not fit. */
void ld_build_cut(struct ld_writer *w, size_t question_end);

enum {
	LD_COPY_TTLS_MAX = 256,
	LD_COPY_NAMES_MAX = 256, /* places in the compression table */
	LD_COPY_CHAIN_MAX = 16,  /* names: a longer chain of CNAMEs is cut */
};

/** How a response is written anew, and what was seen on the way. */
struct ld_copy {
	/* In. */
	const struct ld_name *question; /* written as it stands here */
	/* The response is about this name, to which an added CNAME leads from `question`; or NULL.
	 */
	const struct ld_name *alias;
	uint32_t alias_ttl;
	bool dnssec;    /* keep RRSIG, NSEC, NSEC3 that were not asked for */
	uint32_t age_s; /* taken off each TTL */
	uint32_t ttl_min_s, ttl_max_s, negative_ttl_max_s;
	/* Out. */
	uint32_t ttl_least; /* of all records */
	bool is_negative;   /* an SOA in the authority section */
	bool has_answer;    /* a record of the type asked for in the answer section */
	bool had_dnssec;    /* records that a client without DO does not get */
	unsigned ttl_count; /* past LD_COPY_TTLS_MAX: only counted */
	uint16_t ttl_at[LD_COPY_TTLS_MAX];
	/* Inside. */
	uint16_t owner_at[LD_COPY_TTLS_MAX]; /* where the owner of each TTL stands; 0: the root */
	uint32_t labels;                     /* of the names in rdata so far */
	struct ld_copy_name {
		uint16_t hash, at; /* at 0: free */
	} names[LD_COPY_NAMES_MAX];
	unsigned chain_count;
	struct ld_name chain[LD_COPY_CHAIN_MAX]; /* the question's name, and where CNAMEs led */
};

/** Write the response `message` into the empty writer `w`: header (id 0, flags as they are, counts
 * of what is written), question, and the records that have to do with it, with their names
 * compressed anew.  Others are passed over: nobody whose name was asked for may speak of a name
 * that was not (RFC 2181 section 5.4.1).  So in the answer section what belongs to the question's
 * name and where CNAMEs lead from it; in the authority section SOA, NS and DS of zones above these,
 * and proofs; of the additional section nothing, as a client does without it.
 *
 * In a negative answer the SOA's TTL becomes what RFC 2308 section 5 says.  Where the TTLs of one
 * RRset differ, the least is that of all (RFC 2181 section 5.2).
 * Errors: LINDUNG_EMALFORMED (a record, or a name in it, cannot be read, or there are more than
 * LD_WALK_LABELS_MAX labels), LINDUNG_ESPACE. */
int ld_copy_response(struct ld_copy *copy, struct ld_span message, struct ld_writer *w);

#endif
