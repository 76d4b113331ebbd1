/* TLS, as a server: what it shows (certificate and key) and how a connection is shaken hands with.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * TLS 1.2 and 1.3; ciphers with authentication and forward secrecy alone; no renegotiation, no
 * compression, no early data; sessions resumed by tickets, whose keys change each period.  A
 * connection keeps what it was shaken hands with while the certificate is replaced.
 *
 * Any thread may call these; the streams are each one thread's.  The program ignores SIGPIPE. */
#ifndef LD_NET_TLS_H
#define LD_NET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

struct ld_stream;
struct ld_tls;

/** Nothing is shown yet.  A ticket is good for `ticket_period_s` to twice that.
 * NULL without memory or random numbers. */
struct ld_tls *ld_tls_new(unsigned ticket_period_s);
/** No stream is left.  NULL is a no-op. */
void ld_tls_free(struct ld_tls *tls);

/** What a certificate says, for a person and for the metrics. */
struct ld_tls_facts {
	char names[160];   /* "dns.example, 192.0.2.1" */
	int64_t expires_s; /* since 1970 */
};

/** Show this from now on: the certificate and those above it, and its key, all in PEM; `files` are
 * their names, for the report.  One that has expired is shown only if `even_expired`.  What was
 * shown stays shown if anything is wrong.
 * Errors: LINDUNG_ECONFIG (not PEM, the key of another certificate, not good enough ...),
 * LINDUNG_ENOMEM, with a report. */
int ld_tls_show(struct ld_tls *tls, struct ld_span certificate, struct ld_span key,
		const char *const files[2], bool even_expired, struct ld_tls_facts *ret_facts,
		struct ld_report *report);

/** A stream on a connection that was accepted, for the protocol of that name (ALPN): a client that
 * offers others alone is refused, one that offers none is not.  NULL without memory, or while
 * nothing is shown. */
struct ld_stream *ld_tls_accept(struct ld_tls *tls, int fd, const char *protocol);

#endif
