/* Where names that no list closes are answered: recursion by libunbound (validating), or forwarding
 * to named servers over UDP with TCP when an answer is cut.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One `struct ld_upstream` belongs to one thread and its event loop; nothing in it blocks.
 * Limits: LD_UPSTREAM_IN_FLIGHT_MAX questions at a time; each ends within the configured time. */
#ifndef LD_UPSTREAM_UPSTREAM_H
#define LD_UPSTREAM_UPSTREAM_H

#include "base/error.h"
#include "name/name.h"

struct event_base;
struct ld_upstream;

enum {
	LD_UPSTREAM_IN_FLIGHT_MAX = 4096,
	LD_UPSTREAM_SERVERS_MAX = 16,
	LD_UPSTREAM_EDE_MAX = 4,
	LD_UPSTREAM_EDE_NONE = -1,
};

struct ld_upstream_config {
	bool forward; /* to `servers`; else recursion from the root */
	/* forward: "address" or "address@port", as in the configuration */
	const char *const *servers;
	unsigned server_count;
	unsigned timeout_ms;      /* a question ends after this at the latest */
	bool dnssec;              /* recursion: validate */
	const char *trust_anchor; /* file; NULL: Debian's */
	const char *root_hints;   /* file; NULL: built in */
};

/** An extended error (RFC 8914) that stood in what a server said. */
struct ld_upstream_ede {
	uint16_t code;
	struct ld_span text; /* a stranger's octets, of any kind and length; or empty */
};

/** The outcome of one question.  `message` is a whole DNS message (response, its own id); empty if
 * `error` is not LINDUNG_OK.  `ede` is what we ourselves have to tell the client about a failure
 * (RFC 8914: 22 no reachable authority, 23 network error, 6 to 12 bogus ...), -1 for nothing.
 * `edes`: what the server told of its own accord, in its order; the first LD_UPSTREAM_EDE_MAX, also
 * with a rcode like SERVFAIL.  `secure`: validated.  All texts are valid during the call. */
struct ld_upstream_result {
	int error;
	struct ld_span message;
	int ede;
	const char *ede_text; /* or NULL */
	struct ld_upstream_ede edes[LD_UPSTREAM_EDE_MAX];
	unsigned ede_count;
	bool secure;
};

typedef void ld_upstream_done(void *ctx, const struct ld_upstream_result *result);

int ld_upstream_new(struct ld_upstream **ret, struct event_base *base,
		    const struct ld_upstream_config *config, struct ld_report *report);

/** Ask.  `done` is called exactly once, later, from the event loop (never from inside this call),
 * unless this returns an error: LINDUNG_ELIMIT (too many in flight), LINDUNG_ENOMEM, LINDUNG_ENET.
 * `checking_disabled`: the client set CD. */
int ld_upstream_ask(struct ld_upstream *upstream, const struct ld_name *name, uint16_t type,
		    bool checking_disabled, ld_upstream_done *done, void *ctx);

/** Ends every question in flight without calling `done`. NULL is a no-op. */
void ld_upstream_free(struct ld_upstream *upstream);

#endif
