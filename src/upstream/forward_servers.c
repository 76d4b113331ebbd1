/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_servers.h"

#include <stdlib.h>

enum {
	WAIT_FIRST_MS = 800,
	WAIT_MIN_MS = 200,
	WAIT_MAX_MS = 1500,
	FAILURES_WELL = 2, /* so many in a row may be chance */
	REST_FIRST_MS = 1000,
	REST_DOUBLINGS_MAX = 5,
	ABOUT_MS = 10,     /* so much slower, or a quarter, is about as quick */
	PROBE_ONE_IN = 32, /* questions */
};

int
ld_forward_servers_init(struct ld_forward_servers *servers, const struct ld_upstream_config *config,
			struct ld_report *report)
{
	if (config->server_count == 0)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "upstream.servers: expected at least one address to forward to");
	if (config->server_count > LD_UPSTREAM_SERVERS_MAX)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "upstream.servers: %u servers, expected at most %d",
			       config->server_count, LD_UPSTREAM_SERVERS_MAX);
	*servers = (struct ld_forward_servers){.count = config->server_count};
	for (unsigned i = 0; i < config->server_count; i++) {
		struct ld_forward_server *s = &servers->items[i];

		if (ld_server_address_from_text(&s->remote, ld_span_str(config->servers[i]),
						report) != LINDUNG_OK)
			return LINDUNG_ECONFIG;
		arc4random_buf(s->cookie, LD_FORWARD_COOKIE_BYTES);
		s->cookie_len = LD_FORWARD_COOKIE_BYTES;
	}
	return LINDUNG_OK;
}

/* It answered when it was asked last, or nothing speaks against it. */
static bool
is_well(const struct ld_forward_server *server)
{
	return server->failures <= FAILURES_WELL;
}

/* Time that decides; one that is not known yet is not worth making a person wait for. */
static unsigned
quickness(const struct ld_forward_server *server)
{
	return server->rtt_ms != 0 ? server->rtt_ms : WAIT_MAX_MS;
}

static bool
may_be_asked(const struct ld_forward_servers *servers, unsigned i, uint32_t tried)
{
	/* A slow one must not take the room that the others need. */
	bool full = servers->count > 1 &&
		    servers->items[i].in_flight >= LD_FORWARD_SERVER_IN_FLIGHT_MAX;

	return (tried & UINT32_C(1) << i) == 0 && !full;
}

int
ld_forward_servers_choose(const struct ld_forward_servers *servers, uint32_t tried, int64_t now_ms)
{
	unsigned best = UINT32_MAX;
	int resting = -1;

	for (unsigned i = 0; i < servers->count; i++) {
		const struct ld_forward_server *s = &servers->items[i];

		if (!may_be_asked(servers, i, tried))
			continue;
		if (is_well(s) && quickness(s) < best)
			best = quickness(s);
		/* Of those that rest: one whose time is over, else the first. */
		if (!is_well(s) &&
		    (resting < 0 || (s->rests_until_ms <= now_ms &&
				     servers->items[resting].rests_until_ms > now_ms)))
			resting = (int)i;
	}
	if (best == UINT32_MAX)
		return resting;
	best += best / 4 > ABOUT_MS ? best / 4 : ABOUT_MS;
	for (unsigned i = 0; i < servers->count; i++)
		if (may_be_asked(servers, i, tried) && is_well(&servers->items[i]) &&
		    quickness(&servers->items[i]) <= best)
			return (int)i;
	return -1;
}

int
ld_forward_servers_probe(const struct ld_forward_servers *servers, int asked, uint32_t chance,
			 int64_t now_ms)
{
	unsigned first = chance / PROBE_ONE_IN % servers->count;

	/* Nothing to compare it with yet. */
	if (servers->items[asked].rtt_ms == 0)
		return -1;
	for (unsigned n = 0; n < servers->count; n++) {
		unsigned i = (first + n) % servers->count;
		const struct ld_forward_server *s = &servers->items[i];

		if ((int)i == asked || s->probing || s->rests_until_ms > now_ms)
			continue;
		if (!is_well(s) || chance % PROBE_ONE_IN == 0)
			return (int)i;
	}
	return -1;
}

bool
ld_forward_servers_rest(const struct ld_forward_servers *servers, int64_t now_ms)
{
	for (unsigned i = 0; i < servers->count; i++)
		if (servers->items[i].rests_until_ms <= now_ms)
			return false;
	return true;
}

unsigned
ld_forward_server_wait_ms(const struct ld_forward_server *server)
{
	unsigned wait_ms = server->rtt_ms + 4 * server->deviation_ms;

	if (server->rtt_ms == 0)
		return WAIT_FIRST_MS;
	if (wait_ms < WAIT_MIN_MS)
		return WAIT_MIN_MS;
	return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

void
ld_forward_server_answered(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms)
{
	unsigned took_ms = now_ms > asked_ms ? (unsigned)(now_ms - asked_ms) : 1;

	/* After a failure it may be another way, or another machine. */
	if (server->rtt_ms == 0 || server->failures != 0) {
		server->failures = 0;
		server->rests_until_ms = 0;
		server->rtt_ms = took_ms;
		server->deviation_ms = took_ms / 2;
		return;
	}
	/* As TCP does it: RFC 6298. */
	unsigned off_ms =
		took_ms > server->rtt_ms ? took_ms - server->rtt_ms : server->rtt_ms - took_ms;
	server->deviation_ms = (3 * server->deviation_ms + off_ms) / 4;
	server->rtt_ms = (7 * server->rtt_ms + took_ms + 7) / 8;
}

void
ld_forward_server_failed(struct ld_forward_server *server, int64_t asked_ms, int64_t now_ms)
{
	unsigned doublings;

	/* Questions asked at one time fail at one time: that is one failure. */
	if (server->failures > 0 && asked_ms < server->failed_ms)
		return;
	server->failed_ms = now_ms;
	server->failures++;
	if (server->failures <= FAILURES_WELL) {
		if (server->rtt_ms != 0)
			server->rtt_ms = 2 * server->rtt_ms + WAIT_MIN_MS < WAIT_MAX_MS
						 ? 2 * server->rtt_ms + WAIT_MIN_MS
						 : WAIT_MAX_MS;
		return;
	}
	doublings = server->failures - FAILURES_WELL - 1;
	if (doublings > REST_DOUBLINGS_MAX)
		doublings = REST_DOUBLINGS_MAX;
	server->rests_until_ms = now_ms + ((int64_t)REST_FIRST_MS << doublings);
	/* It may answer in another time when it is back. */
	server->rtt_ms = 0;
}
