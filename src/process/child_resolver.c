/* The resolver: threads that answer clients, from a mapped list that the parent hands over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/steer.h"
#include "process/access.h"
#include "process/children.h"
#include "process/holder.h"
#include "process/identity.h"
#include "process/metrics.h"
#include "process/news.h"
#include "process/role.h"
#include "process/streams.h"
#include "process/system.h"
#include "process/zoning.h"

enum {
	TICK_MS = 250, /* lists that nobody uses any more are closed */
	PONG_MS = 20,  /* while threads are asked for a sign of life */
	NEWS_MS = 10,  /* hints that come within are one */
};

struct server {
	struct ld_child *child;
	struct ld_access access;
	struct ld_secrets secrets;
	struct ld_streams streams;
	struct ld_zoning zoning;
	struct ld_news news;
	struct ld_bell *news_bell;
	struct ld_timer *news_timer;
	bool news_waits;
	struct ld_resolver *resolver;
	struct ld_board board;
	struct ld_holder *holder;
	struct ld_thread **threads;
	unsigned thread_count;
	bool started, serves;
	int metrics_fd; /* -1: none */
	struct ld_metrics metrics;
	struct ld_http *http;
	struct ld_timer *tick, *pong;
	uint32_t ping; /* the number to be returned */
};

/* ---- The start ---------------------------------------------------------------------------- */

static int
resolver_make(struct server *server, struct ld_report *report)
{
	const struct ld_conf *conf = &server->child->conf;
	struct ld_resolver_config config = {
		.block_mode = (enum ld_block_mode)conf->block_answer,
		.has_address4 = conf->block_address4.given,
		.has_address6 = conf->block_address6.given,
		.block_ttl_s = conf->block_ttl_s,
		.block_ede = (uint16_t)conf->block_reason,
		.explain = {.text = *conf->explain_text != '\0' ? conf->explain_text : NULL,
			    .contacts = conf->explain_contacts.items,
			    .contact_count = conf->explain_contacts.count,
			    .organisation = conf->explain_organisation,
			    .language = conf->explain_language},
		.shared = conf->list_shared_targets.items,
		.shared_count = conf->list_shared_targets.count,
		.upstream_filters = conf->upstream_filters,
		.rebinding_protection = conf->upstream_rebinding_protection,
		.rebinding_allowed = conf->upstream_rebinding_allowed.items,
		.rebinding_allowed_count = conf->upstream_rebinding_allowed.count,
		.categories = conf->list_categories.count != 0 ? conf->list_categories.items : NULL,
		.category_count = conf->list_categories.count,
		.cache_bytes = (size_t)(conf->cache_size_bytes / conf->threads),
		.cache_ttl_max_s = conf->cache_ttl_max_s,
		.cache_negative_ttl_max_s = conf->cache_negative_ttl_max_s,
		.cache_ttl_min_s = conf->cache_ttl_min_s,
		.cache_stale_s = conf->cache_stale_s,
		.cache_failure_ttl_max_s = conf->cache_failure_ttl_max_s,
		.cache_prefetch = conf->cache_prefetch,
		.udp_payload_bytes = 1232,
		.tcp_idle_ms = conf->tcp_idle_ms,
		.tls_idle_ms = conf->tls_idle_ms,
		.access = server->access.allowed,
		.access_drop = conf->access_answer == LD_CONF_DENIAL_DROP,
		.rate = ld_access_rate(&server->access, conf),
	};

	memcpy(config.address4, conf->block_address4.octets, sizeof config.address4);
	memcpy(config.address6, conf->block_address6.octets, sizeof config.address6);
	ld_identity_take(conf, &server->secrets, &config);
	return ld_resolver_new(&server->resolver, &config, report);
}

static int
threads_make(struct server *server, struct ld_report *report)
{
	const struct ld_conf *conf = &server->child->conf;
	struct ld_thread_config config = {
		.resolver = server->resolver,
		.upstream_timeout_ms = conf->upstream_timeout_ms,
		.zones = server->zoning.zones,
		.access = &server->access,
		.board = &server->board,
		.news = &server->news,
	};
	unsigned cores[LD_STEER_CORES_MAX];
	bool steered = conf->steer && conf->threads <= LD_STEER_CORES_MAX &&
		       ld_steer_cores(conf->threads, cores);
	int err = ld_streams_make(&server->streams, conf, &config, report);

	if (err != LINDUNG_OK)
		return err;
	server->threads = calloc(conf->threads, sizeof(struct ld_thread *));
	if (server->threads == NULL || ld_holder_new(&server->holder, &server->board) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < conf->threads && err == LINDUNG_OK; i++) {
		config.core = steered ? (int)cores[i] : -1;
		err = ld_thread_new(&server->threads[i], &config, report);
		if (err == LINDUNG_OK)
			server->thread_count++;
	}
	server->metrics.threads = server->threads;
	server->metrics.thread_count = server->thread_count;
	server->metrics.zones = server->zoning.zones;
	return err;
}

/* Made with the first message behind the configuration. */
static bool
make(struct server *server)
{
	struct ld_report report;
	int err;

	if (server->threads != NULL)
		return true;
	if (!ld_child_enter(server->child))
		return false;
	err = ld_access_make(&server->access, &server->child->conf, &report);
	if (err == LINDUNG_OK)
		err = resolver_make(server, &report);
	if (err == LINDUNG_OK)
		err = ld_zoning_make(&server->zoning, &server->child->conf, &report);
	if (err == LINDUNG_OK)
		err = ld_news_make(&server->news, &server->child->conf, server->news_bell, &report);
	if (err == LINDUNG_OK)
		err = threads_make(server, &report);
	if (err != LINDUNG_OK)
		ld_child_fail(server->child, &report);
	return err == LINDUNG_OK;
}

static bool
start(struct server *server)
{
	struct ld_report report;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < server->thread_count && err == LINDUNG_OK; i++)
		err = ld_thread_start(server->threads[i]);
	if (err == LINDUNG_OK && server->metrics_fd >= 0)
		err = ld_http_open(&server->http, server->child->loop, server->metrics_fd,
				   ld_metrics_page, &server->metrics);
	server->metrics_fd = -1;
	if (err != LINDUNG_OK) {
		ld_fail(&report, err, "the resolver cannot start its threads: %s",
			lindung_strerror(err));
		ld_child_fail(server->child, &report);
		return true;
	}
	server->started = true;
	/* The threads wait for the first list: nothing of a stranger was read yet. */
	if (!ld_child_seal(server->child))
		return true;
	ld_timer_set(server->tick, TICK_MS);
	ld_child_started(server->child);
	return true;
}

/* ---- Messages ----------------------------------------------------------------------------- */

static bool
socket_came(struct server *server, struct ld_message *message)
{
	struct ld_reader r = ld_reader(message->body);
	unsigned thread = ld_reader_be16(&r), kind = ld_reader_u8(&r);
	int *fds = message->fds;
	enum ld_transport stream;
	bool taken = true;

	if (server->started || thread >= server->thread_count)
		return false;
	if (ld_streams_kind(kind, &stream) &&
	    message->fd_count == (stream == LD_TRANSPORT_TCP ? 2 : 1))
		/* What fails for want of memory is seen at the start. */
		taken = ld_thread_listen(server->threads[thread], stream,
					 stream == LD_TRANSPORT_TCP ? fds[0] : -1,
					 fds[message->fd_count - 1]) == LINDUNG_OK;
	else if (kind == LD_SOCKET_METRICS && message->fd_count == 1 && server->metrics_fd < 0)
		server->metrics_fd = fds[0];
	else
		return false;
	for (unsigned i = 0; i < message->fd_count; i++)
		fds[i] = -1;
	if (!taken) {
		struct ld_report report;

		ld_fail(&report, LINDUNG_ENOMEM, "not enough memory to listen");
		ld_child_fail(server->child, &report);
	}
	return true;
}

static bool
certificate_came(struct server *server, const struct ld_message *message)
{
	uint8_t octets[LD_SHOWN_BYTES + LD_REPORT_LINE_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	if (!ld_streams_show(&server->streams, message, &w))
		return false;
	ld_child_tell(server->child, LD_MESSAGE_SHOWN, &w);
	return true;
}

static bool
link_came(struct server *server, struct ld_message *message)
{
	unsigned thread = ld_get_be16(message->body.data);

	if (thread >= server->thread_count)
		return false;
	ld_thread_link(server->threads[thread], message->fds[0]);
	message->fds[0] = -1;
	return true;
}

static bool
list_came(struct server *server, const struct ld_message *message)
{
	uint8_t octets[12];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	int err;

	if (!server->started)
		return false;
	/* Behind the number. */
	if (message->body.data[8] > message->fd_count)
		return false;
	err = ld_holder_put(server->holder, message->fds, message->fd_count, message->body.data[8]);
	for (unsigned i = 0; i < server->thread_count && err == LINDUNG_OK; i++) {
		if (!server->serves)
			ld_thread_begin(server->threads[i]);
		else
			ld_thread_ring(server->threads[i]);
	}
	server->serves |= err == LINDUNG_OK;
	if (err == LINDUNG_OK)
		ld_zoning_put(&server->zoning, message->fds, message->fd_count,
			      message->body.data[8]);
	ld_writer_bytes(&w, ld_span_first(message->body, 8));
	ld_writer_be32(&w, (uint32_t)-err);
	ld_child_tell(server->child, LD_MESSAGE_LISTED, &w);
	return true;
}

static bool
ping_came(struct server *server, const struct ld_message *message)
{
	server->ping = ld_get_be32(message->body.data);
	for (unsigned i = 0; i < server->thread_count; i++)
		ld_thread_ping(server->threads[i], server->ping);
	ld_timer_set(server->pong, PONG_MS);
	return true;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct server *server = ctx;

	/* The resolver is made with them. */
	if (message->type == LD_MESSAGE_SECRETS)
		return server->threads == NULL && ld_secrets_take(&server->secrets, message->body);
	if (message->type == LD_MESSAGE_ZONE_KEYS)
		return server->threads == NULL &&
		       ld_zoning_keys_take(&server->zoning, message->body);
	if (!make(server))
		return true;
	switch ((unsigned)message->type) {
	case LD_MESSAGE_SOCKET:
		return socket_came(server, message);
	case LD_MESSAGE_CERTIFICATE:
		return certificate_came(server, message);
	case LD_MESSAGE_LINK:
		return link_came(server, message);
	case LD_MESSAGE_START:
		return !server->started && start(server);
	case LD_MESSAGE_LIST:
		return list_came(server, message);
	case LD_MESSAGE_STATUS:
		return ld_status_read(&server->metrics.status, message->body);
	case LD_MESSAGE_PING:
		return ping_came(server, message);
	default:
		return false;
	}
}

/* ---- While it runs ------------------------------------------------------------------------ */

static void
pong_due(void *ctx)
{
	struct server *server = ctx;
	uint8_t octets[4];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	for (unsigned i = 0; i < server->thread_count; i++) {
		if (ld_thread_pong(server->threads[i]) == server->ping)
			continue;
		ld_timer_set(server->pong, PONG_MS);
		return;
	}
	ld_writer_be32(&w, server->ping);
	ld_child_tell(server->child, LD_MESSAGE_PONG, &w);
}

static void
news_came(void *ctx)
{
	struct server *server = ctx;

	if (!server->news_waits)
		ld_timer_set(server->news_timer, NEWS_MS);
	server->news_waits = true;
}

static void
news_due(void *ctx)
{
	struct server *server = ctx;

	server->news_waits = false;
	ld_child_tell(server->child, LD_MESSAGE_NEWS, NULL);
}

static void
tick_due(void *ctx)
{
	struct server *server = ctx;
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < server->thread_count; i++) {
		uint64_t generation = ld_thread_generation(server->threads[i]);
		uint8_t octets[2];
		struct ld_writer w = ld_writer(octets, sizeof octets);

		if (generation < oldest)
			oldest = generation;
		ld_writer_be16(&w, (uint16_t)i);
		if (ld_thread_broken(server->threads[i]))
			ld_child_tell(server->child, LD_MESSAGE_BROKEN, &w);
	}
	ld_holder_sweep(server->holder, oldest);
	ld_zoning_tick(&server->zoning, server->threads, server->thread_count);
	ld_timer_set(server->tick, TICK_MS);
}

static void
end(struct server *server)
{
	for (unsigned i = 0; i < server->thread_count; i++)
		ld_thread_stop(server->threads[i]);
	for (unsigned i = 0; i < server->thread_count; i++)
		ld_thread_free(server->threads[i]);
	free(server->threads);
	ld_http_close(server->http);
	ld_zoning_clear(&server->zoning);
	ld_bell_free(server->news_bell);
	ld_timer_free(server->news_timer);
	ld_news_clear(&server->news);
	ld_timer_free(server->tick);
	ld_timer_free(server->pong);
	ld_resolver_free(server->resolver);
	ld_streams_clear(&server->streams);
	ld_access_clear(&server->access);
	ld_holder_free(server->holder);
}

int
ld_resolver_run(struct ld_child *child)
{
	struct server server = {.child = child, .metrics_fd = -1};

	child->came = message_came;
	child->ctx = &server;
	server.tick = ld_timer_new(child->loop, tick_due, &server);
	server.pong = ld_timer_new(child->loop, pong_due, &server);
	server.news_bell = ld_bell_new(child->loop, news_came, &server);
	server.news_timer = ld_timer_new(child->loop, news_due, &server);
	if (server.tick == NULL || server.pong == NULL || server.news_bell == NULL ||
	    server.news_timer == NULL)
		child->status = LD_CHILD_FAILED;
	else
		ld_child_loop(child);
	end(&server);
	return child->status;
}
