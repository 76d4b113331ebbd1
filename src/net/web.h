/* A web server (HTTP/1.1) for files and for what is posted: a log, its exports, its submissions.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is asked is read strictly (web_request.h); who answers may do so later, from the loop's
 * thread.  Conditions (If-None-Match), ranges, HEAD and the rest of the protocol are kept here.
 * Nothing is kept of who asked: addresses are looked at while connections are open, for their
 * shares alone.
 *
 * Limits:
 *
 *   connections      past it the one idle longest makes room, or the new one is closed
 *   of one client    ld_shares
 *   head             LD_WEB_HEAD_MAX_BYTES, LD_WEB_HEAD_MS from its first octet, however they
 *                    trickle
 *   between requests LD_WEB_IDLE_MS
 *   body, answer     LD_WEB_STALL_MS without an octet; LD_WEB_RATE_MIN from then on, on average
 *   bodies           of one request what `admit` says; of what came of all of them
 *                    `bodies_max_bytes`
 *
 * The loop's thread alone. */
#ifndef LD_NET_WEB_H
#define LD_NET_WEB_H

#include "base/bytes.h"
#include "base/error.h"
#include "net/web_request.h"

struct event_base;
struct ld_address;
struct ld_shares;
struct ld_tls;
struct ld_web;

enum {
	LD_WEB_HEAD_MS = 10000,
	LD_WEB_IDLE_MS = 30000,
	LD_WEB_STALL_MS = 10000,
	LD_WEB_RATE_MIN = 8192, /* octets a second */
	LD_WEB_LISTENERS_MAX = 16,
	LD_WEB_NOTE_MAX = 1024, /* octets of a plain answer */
};

/** A request that waits for its answer. */
struct ld_web_ref {
	uint32_t slot;
	uint32_t generation;
};

struct ld_web_answer {
	int status;
	const char *type;         /* content type */
	const char *cache;        /* Cache-Control; NULL: no-store */
	const char *extra;        /* more header lines, each with CR LF; or NULL */
	char tag[LD_WEB_TAG_MAX]; /* with its quotes; "": none, and no ranges either */
	unsigned retry_after_s;   /* 0: not said */
	struct ld_buffer body;    /* or: */
	int fd;                   /* a file; -1: the body is in `body` */
	uint64_t size;            /* of the file */
};

struct ld_web_config {
	struct ld_tls *tls;       /* NULL: in the clear; outlives the server */
	struct ld_shares *shares; /* NULL: not counted; outlives the server */
	unsigned connections_max;
	size_t bodies_max_bytes;
	/** Whether to go on with a request, before its body is read: 200 and how long that may be,
	 * or the status to refuse it with. */
	int (*admit)(void *ctx, const struct ld_address *from, const struct ld_web_request *request,
		     uint64_t *ret_body_max);
	/** A whole request.  What `body` holds may be taken over.  To be answered exactly once, now
	 * or later. */
	void (*asked)(void *ctx, struct ld_web_ref ref, const struct ld_web_request *request,
		      struct ld_buffer *body);
	void *ctx;
};

/** Errors: LINDUNG_ENOMEM. */
int ld_web_new(struct ld_web **ret, struct event_base *loop, const struct ld_web_config *config);
/** Serve connections to `listener`, which stays the caller's and is closed after this is freed.
 * Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT. */
int ld_web_listen(struct ld_web *web, int listener);
/** Closes all connections.  NULL is a no-op. */
void ld_web_free(struct ld_web *web);

/** Answer; body and descriptor are the server's from here on, also if the connection is gone. */
void ld_web_answer(struct ld_web *web, struct ld_web_ref to, struct ld_web_answer *answer);
/** Answer with a status and a line of text, or NULL for what the status says. */
void ld_web_say(struct ld_web *web, struct ld_web_ref to, int status, const char *text);

/** Connections now open. */
unsigned ld_web_count(const struct ld_web *web);

/** "Not Found" */
const char *ld_web_reason(int status);

#endif
