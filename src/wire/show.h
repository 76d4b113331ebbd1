/* DNS messages between text and bytes, for tests only.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message as one line, its parts divided by " | ":
 *   NXDOMAIN qr rd ra | www.Example.com A | au example.com 30 SOA lindung.invalid 30 | opt 1232 do
 *   ede 17 Blocked: gambling
 * rcode and flags, question, records (an, au, ad), and the OPT record. */
#ifndef LD_WIRE_SHOW_H
#define LD_WIRE_SHOW_H

#include "wire/build.h"

enum { LD_SHOW_MAX_BYTES = 8192 };

/** The line for a message, in a buffer of its own that the next call uses again.  "malformed" if
 * our own parser does not take it. */
const char *ld_show_message(struct ld_span message);

/** A query, as tests describe it. */
struct ld_show_query {
	const char *name;
	uint16_t type;
	uint16_t flags; /* besides RD, which is always set */
	bool no_rd;
	uint16_t class_; /* 0: IN */
	bool edns;
	uint16_t udp_size; /* 0: 1232 */
	bool dnssec_ok;
	uint8_t version;
	struct ld_span options;
};

/** Write the query, with id 0x1234. */
void ld_show_build_query(struct ld_writer *w, const struct ld_show_query *query);

/** Write a response from text as ld_show_message() writes it: "NOERROR | question TYPE | an owner
 * TTL TYPE rdata | ...", without flags and OPT. rdata: an address, a name, "mname minimum" for SOA,
 * "priority name" for SVCB, HTTPS and MX, and "#hex" for any. */
void ld_show_build_response(struct ld_writer *w, const char *text);

#endif
