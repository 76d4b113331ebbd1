/* The host of a log: serves it by HTTP, takes what parties submit, asks witnesses, tells followers
 * that there is news, and writes the effective list out for other programs.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One process, three threads: one speaks to the network and reads public files; one, the *writer*,
 * owns log, quorum and store; one writes exports.  They hand jobs to one another (host_parts.h).
 * What was answered 200 stands in the public log; what was answered 202 stands in the store, and
 * goes into the log as soon as that can be.
 * The keys lie in locked memory; the process gives up what it does not need before it takes the
 * first connection. */
#ifndef LD_PROCESS_HOST_H
#define LD_PROCESS_HOST_H

#include "index/compile.h"
#include "log/key.h"
#include "net/address.h"

enum {
	LD_HOST_LISTEN_MAX = 8,
	LD_HOST_NOTIFY_MAX = 256,
	LD_HOST_WITNESSED_MAX = 64,
	/* Limits on strangers. */
	LD_HOST_CONNECTIONS_MAX = 1024,
	LD_HOST_CLIENT_CONNECTIONS_MAX = 64,
	LD_HOST_BODIES_MAX_BYTES = 256 * 1024 * 1024,
	LD_HOST_JOBS_MAX = 256,          /* that wait for a thread */
	LD_HOST_POSTS_PER_S = 50,        /* of all clients together, in the long run ... */
	LD_HOST_POSTS_AT_ONCE = 200,     /* ... and at once */
	LD_HOST_CLIENT_POSTS_PER_S = 25, /* of one address, or network of IPv6: nobody takes ... */
	LD_HOST_CLIENT_POSTS_AT_ONCE = 100, /* ... all that there are for the parties */
	LD_HOST_LOOKUPS_PER_S = 200, /* receipts, exports and such, which a thread must work for; */
	LD_HOST_LOOKUPS_AT_ONCE = 500, /* likewise */
	LD_HOST_WAITING_MAX = 100000,  /* statements that wait for the log */
};

struct ld_host_config {
	const char *log;   /* directory of the log; NULL: a witness alone */
	const char *store; /* "PATH" or "postgresql://..." */
	const char *work;  /* directory for images and exports, made where it is not there */
	const char *policy, *popular;
	const struct ld_signer *signer; /* the log's */
	/* A witness for other logs; NULL: none. */
	const struct ld_signer *witness;
	const char *witness_state; /* directory */
	const struct ld_verifier *witnessed;
	unsigned witnessed_count;
	const struct ld_address *listen, *notify;
	unsigned listen_count, notify_count;
	const char *user;                  /* whom to become if this is root; NULL: nobody else */
	const char *ca_file;               /* for witnesses by HTTPS; NULL: the system's */
	struct ld_compile_options compile; /* for exports */
	const char *const *categories;     /* keys; an export of one is there though it is empty */
	size_t category_count;
	/** Something an operator wants to know: on standard error, a line. */
	void (*tell)(const char *line);
};

/** Run until SIGTERM or SIGINT.  Errors: what kept it from starting, with a report. */
int ld_host_run(const struct ld_host_config *config, struct ld_report *report);

#endif
