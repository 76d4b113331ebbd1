/* Inside src/upstream: the servers forwarded to, and which of them answer.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first configured that is well is asked.  One that stayed silent three times in a row rests,
 * for a second at first, then twice as long each time; when all rest, they are asked all the same,
 * each once and briefly. */
#ifndef LD_UPSTREAM_FORWARD_SERVERS_H
#define LD_UPSTREAM_FORWARD_SERVERS_H

#include "net/address.h"
#include "upstream/upstream.h"

struct ld_forward_server {
	struct ld_address address;
	int64_t rests_until_ms;
	int64_t failed_ms; /* when a failure was counted last */
	unsigned failures; /* in a row */
	unsigned rtt_ms;   /* smoothed; 0: not known */
	unsigned deviation_ms;
};

struct ld_forward_servers {
	struct ld_forward_server items[LD_UPSTREAM_SERVERS_MAX];
	unsigned count;
};

/** Errors: LINDUNG_ECONFIG with a report. */
int ld_forward_servers_init(struct ld_forward_servers *servers,
			    const struct ld_upstream_config *config, struct ld_report *report);

/** The server to ask now, of those not in the set `tried`; -1 if all are. */
int ld_forward_servers_choose(const struct ld_forward_servers *servers, uint32_t tried,
			      int64_t now_ms);

/** All of them rest. */
bool ld_forward_servers_rest(const struct ld_forward_servers *servers, int64_t now_ms);

/** How long to wait for an answer over UDP before another is asked. */
unsigned ld_forward_server_wait_ms(const struct ld_forward_server *server);

void ld_forward_server_answered(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms);
/** It was silent, or could not be reached. */
void ld_forward_server_failed(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms);

#endif
