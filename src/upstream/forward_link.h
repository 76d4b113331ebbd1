/* Inside src/upstream: connections to one server that are kept and carry many questions: over TCP,
 * TLS (DoT) or HTTPS (DoH).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool is the connections to one server.  It opens one when a question needs it, closes it when
 * it was idle for a while, and after a failure waits before the next: longer each time.
 *
 * Limits: LD_LINKS_MAX connections, LD_LINK_ASKS_MAX questions on each; over TCP in the clear,
 * where only long answers are fetched and servers often close after one, one at a time on each of
 * LD_LINKS_TCP_MAX. */
#ifndef LD_UPSTREAM_FORWARD_LINK_H
#define LD_UPSTREAM_FORWARD_LINK_H

#include <sys/queue.h>

#include "net/tls_client.h"

enum {
	LD_LINKS_MAX = 4,
	LD_LINK_ASKS_MAX = 256,
	LD_LINKS_TCP_MAX = 64,
};

struct event_base;
struct ld_links;
struct ld_link;

/** A question's place on a connection, in the question itself. */
struct ld_link_ask {
	LIST_ENTRY(ld_link_ask) entry;
	struct ld_link *link; /* NULL: on none */
	uint32_t key;         /* id of the message, or number of the request */
	int64_t asked_ms;
};

enum ld_link_loss {
	LD_LINK_AGAIN,  /* the server ended the connection in order: ask again, at no cost */
	LD_LINK_FAILED, /* it failed while the question was on it, or could not be opened */
	LD_LINK_STATUS, /* HTTP: an answer, but not of DNS */
};

enum ld_link_event {
	LD_LINK_OPENED,
	LD_LINK_RESUMED,    /* the same, with an earlier session */
	LD_LINK_DISTRUSTED, /* it failed in a way that a person must mend */
	LD_LINK_FOREIGN,    /* a message came that nobody had asked for */
};

struct ld_links_config {
	struct event_base *loop;
	const struct ld_server_address *remote; /* outlives the pool */
	struct ld_tls_trust *trust;             /* NULL for one in the clear */
	/* A message for the question; `id` is what it must have.  False: it was the answer to
	 * something else, and the question goes on waiting.  True: the ask is on no link. */
	bool (*reply)(void *ctx, struct ld_link_ask *ask, uint16_t id, uint8_t *message,
		      size_t len);
	/* There will be no answer; the ask is on no link. */
	void (*lost)(void *ctx, struct ld_link_ask *ask, enum ld_link_loss why);
	/* `why`: of LD_LINK_DISTRUSTED, for a person. */
	void (*event)(void *ctx, enum ld_link_event event, const char *why);
	void *ctx;
};

/** NULL without memory. */
struct ld_links *ld_links_new(const struct ld_links_config *config);
/** Those who wait are not told.  NULL is a no-op. */
void ld_links_free(struct ld_links *links);

/** How long no connection is opened after a failure, and there is none; 0: there is, or may be. */
unsigned ld_links_rest_ms(const struct ld_links *links);

/** Send the message, on a connection that may have to be opened first; its id is written there.
 * Nothing is told before this returns.  Errors: LINDUNG_ELIMIT (all connections are full),
 * LINDUNG_ENET (none can be opened, or none is after a failure), LINDUNG_ENOMEM (this machine has
 * no memory or no descriptor for it). */
int ld_links_ask(struct ld_links *links, struct ld_link_ask *ask, uint8_t *message, size_t len);
/** Nobody waits any more; nothing if it is on no link.  `late`: it was waited for in vain: a
 * connection that has been silent ever since is closed. */
void ld_link_forget(struct ld_link_ask *ask, bool late);

#endif
