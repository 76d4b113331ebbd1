/* Inside src/upstream: the messages of forwarding: a question out, a reply checked.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_UPSTREAM_FORWARD_MESSAGE_H
#define LD_UPSTREAM_FORWARD_MESSAGE_H

#include <stdbool.h>

#include "base/span.h"
#include "name/name.h"

enum {
	LD_FORWARD_COOKIE_BYTES = 8, /* ours; what the server adds stands behind it */
	LD_FORWARD_COOKIE_MAX_BYTES = 40,
	LD_FORWARD_PADDING_BYTES = 128, /* RFC 8467 section 4.1 */
	/* Header, name, type and class, OPT with a cookie: 326; as long again as padding makes it.
	 */
	LD_FORWARD_QUERY_MAX = 3 * LD_FORWARD_PADDING_BYTES,
	LD_FORWARD_EDNS_BYTES = 1232,
};

struct ld_forward_query {
	const struct ld_name *name;
	uint16_t type;
	uint16_t id;
	bool checking_disabled;
	bool edns;
	bool padded;           /* the way is encrypted */
	bool exact_case;       /* the reply must have the name in the very case */
	struct ld_span cookie; /* with EDNS: ours, and what the server added to it; or empty */
};

/** Write the query: recursion desired, and with EDNS the DO bit, so that what is kept serves every
 * client.  Nothing of the client is in it (no client subnet).  `out` has LD_FORWARD_QUERY_MAX
 * bytes.  Returns the length. */
size_t ld_forward_query_write(uint8_t *out, const struct ld_forward_query *query);

/** Choose the case of each letter by chance: an answer must have guessed it. */
void ld_forward_case_randomize(struct ld_name *name);

enum ld_forward_kind {
	LD_FORWARD_FOREIGN, /* not the reply to this query: nothing came, go on waiting */
	LD_FORWARD_ANSWER,
	LD_FORWARD_CUT,        /* ask again over TCP */
	LD_FORWARD_DOUBTFUL,   /* it lacks the case or the cookie that it should have: the same */
	LD_FORWARD_NO_EDNS,    /* the server cannot read EDNS: ask again without */
	LD_FORWARD_NEW_COOKIE, /* ask again with the cookie that came */
	LD_FORWARD_UNWILLING,  /* SERVFAIL, FORMERR ...: another server may do better */
	LD_FORWARD_REFUSED,    /* the same, and it will hardly do better with the next question */
	LD_FORWARD_REFERRAL,   /* it does not resolve, it says who might: of no use to anyone */
	LD_FORWARD_FINAL,      /* a failure with its reason (bogus, blocked): ask nobody else */
	LD_FORWARD_BROKEN,     /* it cannot be read */
};

struct ld_forward_reply {
	enum ld_forward_kind kind;
	struct ld_span cookie; /* into the message, ours in front; empty: none */
};

/** What a message from the server is. */
struct ld_forward_reply ld_forward_reply_check(const struct ld_forward_query *query,
					       struct ld_span message);

#endif
