/* Files by HTTP(S): what followers of a log and subscribers to lists fetch (libcurl).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocking, for a thread or process of its own; connections are kept for each fetcher, and many
 * files can be asked for at once.  Limits on size, time and redirects; only http and https, and
 * never from https to http; no password in a URL; no cookies; no compression of the transport, as
 * what it unpacks to has no limit.  Who the server is, is verified.  No proxy is taken from the
 * environment unless that was asked for. */
#ifndef LD_NET_FETCH_H
#define LD_NET_FETCH_H

#include "base/bytes.h"
#include "base/error.h"

enum {
	LD_FETCH_AT_ONCE_MAX = 16,    /* requests under way */
	LD_FETCH_CONNECTIONS_MAX = 4, /* to one server */
	LD_FETCH_REDIRECTS_MAX = 4,
	LD_FETCH_TAG_MAX = 256, /* octets of an ETag, with its NUL */
	LD_FETCH_HEADERS_MAX_BYTES = 64 * 1024,
	LD_FETCH_ADDRESSES_MAX = 1024, /* octets of text, with the NUL */
	LD_FETCH_RETRY_MAX_S = 24 * 3600,
};

struct ld_fetcher;

/** Find the addresses of a host: as text, joined by ','.  Errors: LINDUNG_ENET, LINDUNG_ETIMEOUT
 * with a report. */
typedef int ld_fetch_resolve(void *ctx, const char *host, char ret[LD_FETCH_ADDRESSES_MAX],
			     struct ld_report *report);

struct ld_fetch_options {
	const char *user_agent;        /* NULL: "lindung" */
	uint32_t connect_ms, stall_ms; /* to connect; without any octet */
	uint32_t total_ms;             /* for one request */
	const char *ca_file;           /* NULL: the system's */
	struct ld_span ca_pem;         /* in place of a file, for who opens none; copied */
	bool environment_proxy;        /* take http_proxy and its like */
	/* How hosts that are no addresses are found; NULL: as the system does. */
	ld_fetch_resolve *resolve;
	void *resolve_ctx;
};

/** Errors: LINDUNG_ENOMEM.  What `options` points at must outlive the fetcher, but for `ca_pem`. */
int ld_fetcher_new(struct ld_fetcher **ret, const struct ld_fetch_options *options,
		   struct ld_report *report);
/** NULL is a no-op. */
void ld_fetcher_free(struct ld_fetcher *fetcher);

/** One file: all zero but `url` and `limit_bytes` asks for the whole of it.  `body` is the caller's
 * to free (ld_buffer_free()), whatever the outcome. */
struct ld_fetch {
	const char *url;
	size_t limit_bytes; /* of the body, what was there already included */
	/* In: of what is had already, or "".  Out: of what came.  With an empty body: nothing comes
	 * (304) if it is still the same. */
	char tag[LD_FETCH_TAG_MAX];
	/* In: octets at the beginning of `body` that are there already (body.len is that): the rest
	 * is asked for, on condition that it is still what `tag` says, if that is strong.  A server
	 * that has something else sends all, and the body begins anew.  Out, on an error: octets of
	 * the body that came, to go on from. */
	size_t resume_from;
	struct ld_buffer body;  /* whole if `error` is LINDUNG_OK and `status` 200 or 206 */
	unsigned status;        /* out: 200, 206, 304, 404 ...; 0: no answer */
	uint32_t retry_after_s; /* out: as the server wishes; 0: it said nothing */
	/* Out: LINDUNG_OK (also for 304, 404, 500 ...), LINDUNG_ENET, LINDUNG_ETIMEOUT,
	 * LINDUNG_ELIMIT, LINDUNG_EINVAL (the URL), LINDUNG_ENOMEM. */
	int error;
	struct ld_report report;
};

/** Fetch all, LD_FETCH_AT_ONCE_MAX at a time; each has its own outcome. */
void ld_fetch_all(struct ld_fetcher *fetcher, struct ld_fetch *fetches, size_t count);
/** Send `body` by POST; the answer into fetch->body.  Redirects are not followed. */
void ld_fetch_post(struct ld_fetcher *fetcher, struct ld_fetch *fetch, const char *type,
		   struct ld_span body);

#endif
