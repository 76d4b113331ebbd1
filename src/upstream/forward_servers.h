/* Inside src/upstream: the servers forwarded to: which of them answer, and how quickly.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asked is the quickest that is well; of those about as quick, the first in the configuration.  How
 * quick the others are is learned with copies of some questions, on which nobody waits.
 *
 * One that failed three times in a row rests, for a second at first, then twice as long each time
 * (32 s at most); after that a copy is tried before a question is.  When all rest, they are asked
 * all the same, each once and briefly. */
#ifndef LD_UPSTREAM_FORWARD_SERVERS_H
#define LD_UPSTREAM_FORWARD_SERVERS_H

#include "upstream/forward_link.h"
#include "upstream/forward_message.h"
#include "upstream/upstream.h"

enum { LD_FORWARD_SERVER_IN_FLIGHT_MAX = 2048 };

struct ld_forward_server {
	struct ld_server_address remote;
	struct ld_links *links; /* connections */
	unsigned in_flight;
	int64_t rests_until_ms;
	int64_t failed_ms; /* when a failure was counted last */
	unsigned failures; /* in a row */
	unsigned rtt_ms;   /* smoothed; 0: not known */
	unsigned deviation_ms;
	bool probing; /* a copy is on its way */
	/* UDP: what makes an answer hard to forge, where the server joins in. */
	unsigned case_lost; /* so often, in a row, the name came back in another case */
	uint8_t cookie[LD_FORWARD_COOKIE_MAX_BYTES];
	unsigned cookie_len;
	bool is_distrusted; /* and a person was told */
};

struct ld_forward_servers {
	struct ld_forward_server items[LD_UPSTREAM_SERVERS_MAX];
	unsigned count;
};

/** Errors: LINDUNG_ECONFIG with a report. */
int ld_forward_servers_init(struct ld_forward_servers *servers,
			    const struct ld_upstream_config *config, struct ld_report *report);

/** The server to ask now, of those not in the set `tried`; -1 if there is none. */
int ld_forward_servers_choose(const struct ld_forward_servers *servers, uint32_t tried,
			      int64_t now_ms);

/** The server that a copy of a question goes to, besides the one that is asked; -1: none.
 * `chance`: any number. */
int ld_forward_servers_probe(const struct ld_forward_servers *servers, int asked, uint32_t chance,
			     int64_t now_ms);

/** All of them rest. */
bool ld_forward_servers_rest(const struct ld_forward_servers *servers, int64_t now_ms);

/** How long to wait for an answer over UDP before another is asked. */
unsigned ld_forward_server_wait_ms(const struct ld_forward_server *server);

void ld_forward_server_answered(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms);
/** It was silent, refused, or could not be reached. */
void ld_forward_server_failed(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms);

#endif
