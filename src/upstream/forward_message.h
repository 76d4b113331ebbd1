/* Inside src/upstream: the messages of forwarding: a question out, a reply checked.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_UPSTREAM_FORWARD_MESSAGE_H
#define LD_UPSTREAM_FORWARD_MESSAGE_H

#include <stdbool.h>

#include "base/span.h"
#include "name/name.h"

enum {
	/* Header, name, type and class, OPT. */
	LD_FORWARD_QUERY_MAX = 12 + LD_NAME_WIRE_MAX + 4 + 11,
	LD_FORWARD_EDNS_BYTES = 1232,
};

struct ld_forward_query {
	const struct ld_name *name;
	uint16_t type;
	uint16_t id;
	bool checking_disabled;
	bool edns;
};

/** Write the query: recursion desired, and with EDNS the DO bit, so that what is kept serves every
 * client.  `out` has LD_FORWARD_QUERY_MAX bytes.  Returns the length. */
size_t ld_forward_query_write(uint8_t *out, const struct ld_forward_query *query);

enum ld_forward_reply {
	LD_FORWARD_FOREIGN, /* not the reply to this query: nothing came, go on waiting */
	LD_FORWARD_ANSWER,
	LD_FORWARD_CUT,       /* ask again over TCP */
	LD_FORWARD_NO_EDNS,   /* the server cannot read EDNS: ask again without */
	LD_FORWARD_UNWILLING, /* SERVFAIL, REFUSED ...: another server may do better */
};

/** What a message from the server is.  Only the header and the question are looked at. */
enum ld_forward_reply ld_forward_reply_check(const struct ld_forward_query *query,
					     struct ld_span reply);

#endif
