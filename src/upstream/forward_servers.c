/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_servers.h"

enum {
	PORT_DNS = 53,
	WAIT_FIRST_MS = 800,
	WAIT_MIN_MS = 200,
	WAIT_MAX_MS = 1500,
	FAILURES_WELL = 2, /* so many in a row may be chance */
	REST_FIRST_MS = 1000,
	REST_DOUBLINGS_MAX = 5,
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
		int err = ld_address_from_text(&servers->items[i].address,
					       ld_span_str(config->servers[i]), PORT_DNS, report);

		if (err != LINDUNG_OK)
			return LINDUNG_ECONFIG;
	}
	return LINDUNG_OK;
}

int
ld_forward_servers_choose(const struct ld_forward_servers *servers, uint32_t tried, int64_t now_ms)
{
	int resting = -1;

	for (unsigned i = 0; i < servers->count; i++) {
		if (tried & UINT32_C(1) << i)
			continue;
		if (servers->items[i].rests_until_ms <= now_ms)
			return (int)i;
		if (resting < 0)
			resting = (int)i;
	}
	return resting;
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

	server->failures = 0;
	server->rests_until_ms = 0;
	if (server->rtt_ms == 0) {
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
	if (server->failures <= FAILURES_WELL)
		return;
	doublings = server->failures - FAILURES_WELL - 1;
	if (doublings > REST_DOUBLINGS_MAX)
		doublings = REST_DOUBLINGS_MAX;
	server->rests_until_ms = now_ms + ((int64_t)REST_FIRST_MS << doublings);
	/* It may answer in another time when it is back. */
	server->rtt_ms = 0;
}
