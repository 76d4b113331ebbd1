/* Files by HTTP(S): what followers of a log and subscribers to lists fetch (libcurl).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocking, for a thread or process of its own; one connection is kept for each fetcher, and many
 * files can be asked for at once.  Limits on size, time and redirects; only http and https; an
 * answer is handed over whole or not at all. */
#ifndef LD_NET_FETCH_H
#define LD_NET_FETCH_H

#include "base/bytes.h"
#include "base/error.h"

enum {
	LD_FETCH_AT_ONCE_MAX = 16,
	LD_FETCH_REDIRECTS_MAX = 4,
	LD_FETCH_TAG_MAX = 256, /* octets of an ETag */
};

struct ld_fetcher;

struct ld_fetch_options {
	const char *user_agent;
	uint32_t connect_ms, stall_ms; /* to connect; without any octet */
	uint32_t total_ms;
	const char *ca_file; /* NULL: the system's */
};

int ld_fetcher_new(struct ld_fetcher **ret, const struct ld_fetch_options *options,
		   struct ld_report *report);
void ld_fetcher_free(struct ld_fetcher *fetcher);

struct ld_fetch {
	const char *url;
	size_t limit_bytes;
	char tag[LD_FETCH_TAG_MAX]; /* in: what is had already, or ""; out: of what came */
	uint64_t resume_from;       /* octets of `body` that are there already */
	struct ld_buffer body;
	unsigned status; /* out: 200, 206, 304, 404 ... */
	uint32_t retry_after_s;
	int error; /* out: LINDUNG_OK (also for 304 and 404), ENET, ETIMEOUT, ELIMIT */
	struct ld_report report;
};

/** Fetch all; each has its own outcome. */
void ld_fetch_all(struct ld_fetcher *fetcher, struct ld_fetch *fetches, size_t count);
/** Send `body` by POST; the answer into fetch->body. */
void ld_fetch_post(struct ld_fetcher *fetcher, struct ld_fetch *fetch, const char *type,
		   struct ld_span body);

#endif
