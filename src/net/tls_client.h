/* Connections out: TCP, or TLS over it with the server's identity checked as RFC 8310 section 5
 * wants it (strict): who is not who he should be is never sent a word.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is made on a loop belongs to the loop's thread.  The trust outlives its peers, and a peer
 * its connections.  The program ignores SIGPIPE. Limits: TLS 1.2 at least; the last session of a
 * peer is kept, for an hour; nothing is buffered here but what OpenSSL does (a record each way). */
#ifndef LD_NET_TLS_CLIENT_H
#define LD_NET_TLS_CLIENT_H

#include <sys/types.h>

#include "net/server_address.h"

struct event_base;

/** Whose certificates are believed. */
struct ld_tls_trust;

/** Read at once, so that no file is needed later.  `ca_file`: PEM; NULL: the system's.
 * Errors: LINDUNG_EIO with a report, LINDUNG_ENOMEM. */
int ld_tls_trust_new(struct ld_tls_trust **ret, const char *ca_file, struct ld_report *report);
/** NULL is a no-op. */
void ld_tls_trust_free(struct ld_tls_trust *trust);

/** A server: who it must be, and the session that the next connection goes on with. */
struct ld_tls_peer;

/** `remote` is copied; `protocol`: for ALPN, a literal; `required`: the server must choose it.
 * NULL without memory. */
struct ld_tls_peer *ld_tls_peer_new(struct ld_tls_trust *trust,
				    const struct ld_server_address *remote, const char *protocol,
				    bool required);
void ld_tls_peer_free(struct ld_tls_peer *peer);

enum ld_connection_state {
	LD_CONNECTION_OPENING,
	LD_CONNECTION_OPEN,
	LD_CONNECTION_CLOSED,      /* by the other side, in order */
	LD_CONNECTION_BROKEN,      /* while it was open */
	LD_CONNECTION_UNREACHABLE, /* it never opened */
	LD_CONNECTION_UNTRUSTED,   /* it is not who it should be, or speaks no TLS that we do */
};

struct ld_connection;

/** The state changed, or there is something to read or room to write.  The connection may be closed
 * by whoever is told. */
typedef void ld_connection_ready(void *ctx);

/** Begin to connect; `peer` NULL: without TLS.  Nothing is told before this returns.
 * Errors: LINDUNG_ENET (`errno` says why), LINDUNG_ENOMEM. */
int ld_connection_open(struct ld_connection **ret, struct event_base *loop,
		       const struct ld_address *address, struct ld_tls_peer *peer,
		       ld_connection_ready *ready, void *ctx);
/** NULL is a no-op. */
void ld_connection_close(struct ld_connection *connection);

enum ld_connection_state ld_connection_state(const struct ld_connection *connection);
/** For a person: why it ended. */
const char *ld_connection_why(const struct ld_connection *connection);
/** It went on with an earlier session. */
bool ld_connection_is_resumed(const struct ld_connection *connection);

/** What has come: how many octets; 0: nothing now, or the connection ended (see its state).  Read
 * until 0: what TLS holds back already makes nobody ready again. */
size_t ld_connection_read(struct ld_connection *connection, uint8_t *out, size_t size);
/** Send: how many octets were taken.  If those are not all, `ready` comes when there is room. */
size_t ld_connection_write(struct ld_connection *connection, struct ld_span data);

#endif
