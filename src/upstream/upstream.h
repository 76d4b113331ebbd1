/* Where names that no list closes are answered: recursion by libunbound (validating), or forwarding
 * to named servers: over UDP with TCP when an answer is cut, over TLS (RFC 7858) or HTTPS (RFC
 * 8484). SPDX-License-Identifier: BSD-2-Clause
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

/** A server (its number in the configuration) cannot be used as it is: `why`, as "its certificate
 * cannot be trusted: ..."; NULL: it can again.  From the loop's thread. */
typedef void ld_upstream_notice(void *ctx, unsigned server, const char *why);

struct ld_upstream_config {
	bool forward;               /* to `servers`; else recursion from the root */
	const char *const *servers; /* forward: as in the configuration, see net/server_address.h */
	unsigned server_count;
	const char *ca_file; /* forward, encrypted: whose certificates count; NULL: the system's */
	/* forward: told what a person must mend, once; may be NULL */
	ld_upstream_notice *notice;
	void *notice_ctx;
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

/* Counters of forwarding.  X(symbol, metric with its labels, help); those of one metric stand
 * together. */
#define LD_UPSTREAM_COUNTERS(X)                                                                    \
	X(SENT_UDP, "lindung_forward_queries_total{transport=\"udp\"}",                            \
	  "Queries sent to the servers forwarded to.")                                             \
	X(SENT_TCP, "lindung_forward_queries_total{transport=\"tcp\"}", "")                        \
	X(SENT_TLS, "lindung_forward_queries_total{transport=\"tls\"}", "")                        \
	X(SENT_HTTPS, "lindung_forward_queries_total{transport=\"https\"}", "")                    \
	X(FAILED_UDP, "lindung_forward_failures_total{transport=\"udp\"}",                         \
	  "Queries that a server refused or did not answer in time, or that did not reach it.")    \
	X(FAILED_TCP, "lindung_forward_failures_total{transport=\"tcp\"}", "")                     \
	X(FAILED_TLS, "lindung_forward_failures_total{transport=\"tls\"}", "")                     \
	X(FAILED_HTTPS, "lindung_forward_failures_total{transport=\"https\"}", "")                 \
	X(RETRIED, "lindung_forward_retries_total",                                                \
	  "Queries for a question that had been sent before.")                                     \
	X(PROBED, "lindung_forward_probes_total",                                                  \
	  "Copies of questions sent to see how another server does.")                              \
	X(FOREIGN, "lindung_forward_mismatched_total",                                             \
	  "Messages that were not the answer to a query: wrong id, question, case or cookie.")     \
	X(OPENED, "lindung_forward_connections_total", "Connections opened to servers.")           \
	X(RESUMED, "lindung_forward_resumptions_total",                                            \
	  "Connections that went on with an earlier TLS session.")                                 \
	X(DISTRUSTED, "lindung_forward_distrusted_total",                                          \
	  "Times that a server could not prove who it is, or answered HTTP with an error.")        \
	X(LIMITED, "lindung_forward_limited_total",                                                \
	  "Questions refused because as many as may be were under way.")

enum ld_upstream_counter {
#define LD_X(symbol, metric, help) LD_UPSTREAM_COUNTER_##symbol,
	LD_UPSTREAM_COUNTERS(LD_X)
#undef LD_X
		LD_UPSTREAM_COUNTER_COUNT
};

/** May be read from any thread. */
uint64_t ld_upstream_counter(const struct ld_upstream *upstream, enum ld_upstream_counter counter);

/** Ends every question in flight without calling `done`. NULL is a no-op. */
void ld_upstream_free(struct ld_upstream *upstream);

#endif
