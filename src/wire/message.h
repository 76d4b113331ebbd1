/* DNS messages in: the header, names with their pointers, a query taken in exactly, the records of
 * a response one by one.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here allocates, and nothing points into the message but the spans that say so.
 * Limits: a name has 255 octets; a compression pointer leads backwards, before the place that the
 * last one of the same name led to, and a name has at most 127 of them. */
#ifndef LD_WIRE_MESSAGE_H
#define LD_WIRE_MESSAGE_H

#include "base/bytes.h"
#include "name/name.h"
#include "wire/dns.h"

struct ld_header {
	uint16_t id;
	uint16_t flags;
	uint16_t counts[4]; /* question, answer, authority, additional */
};

/** The first 12 octets; zeros, and `r->failed`, if there are fewer. */
struct ld_header ld_header_read(struct ld_reader *r);

/** Read a name where the reader stands; the reader's span must begin with the message's header.  It
 * is left behind the name (behind the first pointer, if there is one).  False, and `r->failed`, if
 * it is not a name; *ret is then not a name either. */
bool ld_message_name(struct ld_reader *r, struct ld_name *ret);

/** The same for a name that must not be compressed. */
bool ld_message_name_plain(struct ld_reader *r, struct ld_name *ret);

/** What is wrong with a query, and so how it is answered. */
enum ld_fault {
	LD_FAULT_NONE,
	/** Less than a header, or a response: never answered (answering responses makes loops). */
	LD_FAULT_DROP,
	LD_FAULT_FORMERR,
	LD_FAULT_NOTIMP,
	LD_FAULT_BADVERS,
	/** No question, but a cookie: the client wants one of ours (RFC 7873 section 5.4). */
	LD_FAULT_COOKIE_ONLY,
	/** Never of ld_query_parse(): the cookie is not ours, and must be. */
	LD_FAULT_BADCOOKIE,
};

/** What the options of a query say.  Those that are not here are passed over (RFC 6891 section
 * 6.1.2). */
struct ld_query_options {
	/* Of the first cookie (RFC 7873): the client's 8 octets and, unless it has none yet, the
	 * server's 8 to 32 behind them; into the message.  Empty: none. */
	struct ld_span cookie;
	bool keepalive;        /* edns-tcp-keepalive (RFC 7828) */
	bool keepalive_filled; /* it said how long, which only a server does */
	bool padding;          /* the client pads (RFC 7830) */
	bool structured_error; /* option 26: the client understands structured errors */
};

/** A query.  What was read before a fault stays, so that the answer can carry it. */
struct ld_query {
	uint16_t id;
	uint16_t flags;
	bool has_question;
	struct ld_name name; /* in the case that the client used */
	uint16_t type, class_;
	bool edns; /* an OPT record was there */
	uint8_t edns_version;
	bool dnssec_ok;
	uint16_t udp_size; /* what the client takes over UDP; 512 without EDNS or below it */
	struct ld_query_options options; /* of the OPT record */
};

/** Take in a query: every octet of it must belong to a header, a question or a record (RFC 1035
 * section 4.1: a message ends with its last section; octets behind it are FORMERR).  Of an opcode
 * that is not QUERY only the header is read, as its format is not known (RFC 8906 section 3.1.4).
 * One question (RFC 9619); at most one OPT, in the additional section, owned by the root, its
 * options well formed (RFC 6891 section 6.1.1), a cookie as long as it may be (RFC 7873 section
 * 5.2.2); of another EDNS version nothing behind the version is looked at.  Other records are
 * skipped. */
enum ld_fault ld_query_parse(struct ld_query *ret, struct ld_span message);

enum {
	/* Labels of all names that are read in one walk, and in one writing of its rdata.  A
	 * message full of pointers to long names would take a thousand times longer than its size
	 * says. */
	LD_WALK_LABELS_MAX = 65536,
};

enum ld_section { LD_SECTION_ANSWER, LD_SECTION_AUTHORITY, LD_SECTION_ADDITIONAL, LD_SECTION_END };

struct ld_record {
	enum ld_section section;
	struct ld_name owner;
	uint16_t type, class_;
	uint32_t ttl;         /* RFC 2181 section 8: 0 where the top bit is set */
	size_t rdata_at;      /* in the message */
	struct ld_span rdata; /* into the message */
};

/** A walk through the records of a message. */
struct ld_walk {
	struct ld_reader reader;
	struct ld_header header;
	struct ld_name question;
	uint16_t type, class_;
	enum ld_section section;
	uint16_t left;   /* records in this section */
	uint32_t labels; /* of the owners so far */
};

/** Begin with the header and the one question.  False if it has not exactly one, or is cut. */
bool ld_walk_begin(struct ld_walk *walk, struct ld_span message);

/** The next record; false at the end, and with `walk->reader.failed` where the message is
 * malformed, or past LD_WALK_LABELS_MAX. */
bool ld_walk_next(struct ld_walk *walk, struct ld_record *ret);

/** Read the name at the end of rdata that is one name (CNAME, DNAME, NS, PTR), or behind
 * `before` octets of it (SVCB and HTTPS: 2).  False if it is not there or leaves the rdata. */
bool ld_record_target(struct ld_span message, const struct ld_record *record, size_t before,
		      struct ld_name *ret);

#endif
