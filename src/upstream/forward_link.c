/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/http2_client.h"
#include "net/loop.h"

enum {
	BUCKETS = 64,
	LINK_ASKS_MANY = 64, /* on one: then another is opened */
	OPEN_MS = 3000,
	IDLE_MS = 20000,
	REST_FIRST_MS = 250, /* after the second failure */
	REST_DOUBLINGS_MAX = 6,
	FOREIGN_MAX = 16, /* answers to nothing that was asked: it is of no use */
	OUT_MAX_BYTES = 1 << 20,
	FRAME_MAX = 2 + 65535,
	READ_BYTES = 16384,
};

LIST_HEAD(asks, ld_link_ask);

struct ld_link {
	LIST_ENTRY(ld_link) entry;
	struct ld_links *links;
	struct ld_connection *connection;
	struct ld_http2_client *http; /* NULL: frames with a length */
	struct ld_timer *timer;
	struct asks asks[BUCKETS]; /* by key */
	unsigned count;            /* of them */
	unsigned answered, forgotten, foreign;
	int64_t received_ms;
	bool opened;
	bool closing; /* takes no more */
	bool dead;    /* ends at the next chance */
	bool busy;    /* who looks after it is at work, and will send */
	uint8_t *in;  /* frames: what has come */
	size_t in_len;
	struct ld_buffer out;
	size_t out_at; /* so much of it is sent */
};

struct ld_links {
	struct ld_links_config config;
	struct ld_tls_peer *peer;
	LIST_HEAD(, ld_link) items;
	unsigned count, max, asks_max;
	unsigned failures; /* in a row */
	int64_t rests_until_ms;
};

/* ---- Questions on a connection ------------------------------------------------------------ */

static struct asks *
bucket(struct ld_link *link, uint32_t key)
{
	/* Numbers of HTTP/2 are odd. */
	return &link->asks[(link->http != NULL ? key / 2 : key) % BUCKETS];
}

static struct ld_link_ask *
ask_find(struct ld_link *link, uint32_t key)
{
	struct ld_link_ask *ask;

	LIST_FOREACH(ask, bucket(link, key), entry)
	if (ask->key == key)
		return ask;
	return NULL;
}

static void
ask_insert(struct ld_link *link, struct ld_link_ask *ask, uint32_t key)
{
	ask->key = key;
	ask->link = link;
	LIST_INSERT_HEAD(bucket(link, key), ask, entry);
	link->count++;
}

static void
ask_remove(struct ld_link_ask *ask)
{
	LIST_REMOVE(ask, entry);
	ask->link->count--;
	ask->link = NULL;
}

/* ---- The end of a connection -------------------------------------------------------------- */

static void
link_free(struct ld_link *link)
{
	LIST_REMOVE(link, entry);
	link->links->count--;
	ld_connection_close(link->connection);
	ld_http2_client_free(link->http);
	ld_timer_free(link->timer);
	ld_buffer_free(&link->out);
	free(link->in);
	free(link);
}

/* A connection that never was of use: the next but one waits. */
static void
links_rest(struct ld_links *links)
{
	unsigned doublings =
		links->failures < REST_DOUBLINGS_MAX ? links->failures : REST_DOUBLINGS_MAX;

	if (links->failures++ != 0)
		links->rests_until_ms =
			ld_clock_monotonic_ms() + ((int64_t)REST_FIRST_MS << (doublings - 1));
}

static void
link_end(struct ld_link *link)
{
	struct ld_links *links = link->links;
	enum ld_connection_state state = ld_connection_state(link->connection);
	enum ld_link_loss loss =
		!link->dead && link->answered != 0 ? LD_LINK_AGAIN : LD_LINK_FAILED;
	struct ld_link_ask *ask;
	struct asks asks[BUCKETS];

	if (link->answered == 0)
		links_rest(links);
	if (state == LD_CONNECTION_UNTRUSTED)
		links->config.event(links->config.ctx, LD_LINK_DISTRUSTED,
				    ld_connection_why(link->connection));
	for (unsigned i = 0; i < BUCKETS; i++) {
		LIST_INIT(&asks[i]);
		while ((ask = LIST_FIRST(&link->asks[i])) != NULL) {
			ask_remove(ask);
			LIST_INSERT_HEAD(&asks[i], ask, entry);
		}
	}
	link_free(link);
	/* Now the pool is in order, and those who are told may ask again. */
	for (unsigned i = 0; i < BUCKETS; i++) {
		while ((ask = LIST_FIRST(&asks[i])) != NULL) {
			LIST_REMOVE(ask, entry);
			links->config.lost(links->config.ctx, ask, loss);
		}
	}
}

static void
link_kill(struct ld_link *link)
{
	link->dead = link->closing = true;
	ld_timer_set(link->timer, 0);
}

/* ---- Octets ------------------------------------------------------------------------------- */

static void
link_flush(struct ld_link *link)
{
	struct ld_span more;

	if (!link->opened || link->busy)
		return;
	while (link->http != NULL && (more = ld_http2_client_output(link->http)).len != 0)
		ld_buffer_bytes(&link->out, more);
	if (link->out.failed) {
		link_kill(link);
		return;
	}
	link->out_at += ld_connection_write(link->connection,
					    ld_span_from(ld_buffer_span(&link->out), link->out_at));
	if (link->out_at == link->out.len)
		link->out.len = link->out_at = 0;
	if (ld_connection_state(link->connection) != LD_CONNECTION_OPEN)
		ld_timer_set(link->timer, 0);
}

/* A whole message. */
static void
message_came(struct ld_link *link, uint32_t key, uint16_t id, uint8_t *message, size_t len)
{
	struct ld_links *links = link->links;
	struct ld_link_ask *ask = ask_find(link, key);

	if (ask == NULL && link->forgotten != 0) {
		link->forgotten--;
		return;
	}
	if (ask != NULL) {
		ask_remove(ask);
		link->answered++;
		links->failures = 0;
		if (links->config.reply(links->config.ctx, ask, id, message, len))
			return;
		link->answered--;
		if (link->http == NULL)
			ask_insert(link, ask, key);
		else /* its request is over */
			links->config.lost(links->config.ctx, ask, LD_LINK_FAILED);
	}
	links->config.event(links->config.ctx, LD_LINK_FOREIGN, NULL);
	if (++link->foreign > FOREIGN_MAX)
		link_kill(link);
}

static void
frames_take(struct ld_link *link)
{
	size_t at = 0;

	while (!link->dead && link->in_len - at >= 2) {
		size_t len = ld_get_be16(link->in + at);

		if (link->in_len - at < 2 + len)
			break;
		if (len < 2)
			link_kill(link);
		else
			message_came(link, ld_get_be16(link->in + at + 2),
				     ld_get_be16(link->in + at + 2), link->in + at + 2, len);
		at += 2 + len;
	}
	memmove(link->in, link->in + at, link->in_len - at);
	link->in_len -= at;
}

static void
responses_take(struct ld_link *link)
{
	struct ld_links *links = link->links;
	struct ld_http2_response response;
	char why[64];

	while (ld_http2_client_next(link->http, &response)) {
		struct ld_link_ask *ask = ask_find(link, (uint32_t)response.request);

		if (ask == NULL)
			continue;
		if (response.status == 200 && response.is_media) {
			message_came(link, (uint32_t)response.request, 0, response.body,
				     response.body_len);
			continue;
		}
		ask_remove(ask);
		if (response.status != 0) {
			snprintf(why, sizeof why, "it answers with HTTP status %u%s",
				 response.status,
				 response.status == 200 ? ", but not with DNS" : "");
			links->config.event(links->config.ctx, LD_LINK_DISTRUSTED, why);
		}
		links->config.lost(links->config.ctx, ask,
				   response.status != 0 ? LD_LINK_STATUS
				   : response.untouched ? LD_LINK_AGAIN
							: LD_LINK_FAILED);
	}
	link->closing |= ld_http2_client_is_ending(link->http);
}

static void
link_receive(struct ld_link *link)
{
	uint8_t octets[READ_BYTES];
	size_t n;

	while (!link->dead) {
		uint8_t *in = link->http != NULL ? octets : link->in + link->in_len;
		size_t room = link->http != NULL ? sizeof octets : FRAME_MAX - link->in_len;

		n = ld_connection_read(link->connection, in, room);
		if (n == 0)
			return;
		link->received_ms = ld_clock_monotonic_ms();
		if (link->http == NULL) {
			link->in_len += n;
			frames_take(link);
			continue;
		}
		if (ld_http2_client_receive(link->http, ld_span(octets, n)) != LINDUNG_OK)
			link_kill(link);
		responses_take(link);
	}
}

static void
link_ready(void *ctx)
{
	struct ld_link *link = ctx;
	struct ld_links *links = link->links;
	enum ld_connection_state state = ld_connection_state(link->connection);

	if (!link->opened && state == LD_CONNECTION_OPEN) {
		link->opened = true;
		link->received_ms = ld_clock_monotonic_ms();
		links->config.event(links->config.ctx,
				    ld_connection_is_resumed(link->connection) ? LD_LINK_RESUMED
									       : LD_LINK_OPENED,
				    NULL);
	}
	if (link->opened) {
		link->busy = true;
		link_receive(link);
		link->busy = false;
		link_flush(link);
	}
	if (link->dead || ld_connection_state(link->connection) > LD_CONNECTION_OPEN ||
	    (link->closing && link->count == 0))
		link_end(link);
	else if (link->count == 0)
		ld_timer_set(link->timer, IDLE_MS);
}

static void
link_timer(void *ctx)
{
	struct ld_link *link = ctx;

	if (!link->opened)
		link->dead = true;
	if (link->dead || link->count == 0 ||
	    ld_connection_state(link->connection) > LD_CONNECTION_OPEN)
		link_end(link);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static struct ld_http2_client *
http_new(const struct ld_server_address *remote)
{
	char authority[LD_SERVER_NAME_MAX_BYTES + 16], port[8] = "";
	bool v6 = remote->name[0] == '\0' && remote->address.any.sa_family == AF_INET6;

	if (ld_address_port(&remote->address) != 443)
		snprintf(port, sizeof port, ":%u", ld_address_port(&remote->address));
	snprintf(authority, sizeof authority, "%s%s%s%s", v6 ? "[" : "",
		 remote->name[0] != '\0' ? remote->name : remote->host, v6 ? "]" : "", port);
	return ld_http2_client_new(&(struct ld_http2_client_config){
		.authority = authority,
		.path = remote->path,
		.media_type = "application/dns-message",
		.body_max = 65535,
	});
}

/* NULL: `*ret_err` says why. */
static struct ld_link *
link_open(struct ld_links *links, int *ret_err)
{
	const struct ld_server_address *remote = links->config.remote;
	struct ld_link *link = calloc(1, sizeof *link);

	*ret_err = LINDUNG_ENOMEM;
	if (link == NULL)
		return NULL;
	link->links = links;
	LIST_INSERT_HEAD(&links->items, link, entry);
	links->count++;
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_INIT(&link->asks[i]);
	ld_buffer_init(&link->out, OUT_MAX_BYTES);
	link->timer = ld_timer_new(links->config.loop, link_timer, link);
	if (remote->way == LD_SERVER_HTTPS)
		link->http = http_new(remote);
	else
		link->in = malloc(FRAME_MAX);
	if (link->timer == NULL || (link->http == NULL && link->in == NULL))
		goto fail;
	*ret_err = ld_connection_open(&link->connection, links->config.loop, &remote->address,
				      links->peer, link_ready, link);
	if (*ret_err != LINDUNG_OK) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			*ret_err = LINDUNG_ENOMEM;
		else
			links_rest(links);
		goto fail;
	}
	ld_timer_set(link->timer, OPEN_MS);
	return link;
fail:
	link_free(link);
	return NULL;
}

struct ld_links *
ld_links_new(const struct ld_links_config *config)
{
	struct ld_links *links = calloc(1, sizeof *links);
	bool plain = config->remote->way == LD_SERVER_PLAIN;
	bool http = config->remote->way == LD_SERVER_HTTPS;

	if (links == NULL)
		return NULL;
	links->config = *config;
	links->max = plain ? LD_LINKS_TCP_MAX : LD_LINKS_MAX;
	links->asks_max = plain ? 1 : LD_LINK_ASKS_MAX;
	LIST_INIT(&links->items);
	if (!plain) {
		links->peer =
			ld_tls_peer_new(config->trust, config->remote, http ? "h2" : "dot", http);
		if (links->peer == NULL) {
			free(links);
			return NULL;
		}
	}
	return links;
}

void
ld_links_free(struct ld_links *links)
{
	if (links == NULL)
		return;
	while (!LIST_EMPTY(&links->items))
		link_free(LIST_FIRST(&links->items));
	ld_tls_peer_free(links->peer);
	free(links);
}

/* ---- Asking ------------------------------------------------------------------------------- */

/* The one with the fewest questions, below `max`. */
static struct ld_link *
link_choose(const struct ld_links *links, unsigned max)
{
	struct ld_link *link, *best = NULL;

	LIST_FOREACH(link, &links->items, entry)
	if (!link->closing && link->count < max && (best == NULL || link->count < best->count))
		best = link;
	return best;
}

static int
link_put(struct ld_link *link, struct ld_link_ask *ask, uint8_t *message, size_t len)
{
	uint8_t frame_len[2];
	uint32_t key = 0;

	if (link->http != NULL) {
		/* RFC 8484 section 4.1: the same question is the same request. */
		ld_put_be16(message, 0);
		int32_t request = ld_http2_client_post(link->http, ld_span(message, len));

		if (request < 0)
			return request;
		key = (uint32_t)request;
	} else {
		do
			key = arc4random() & 0xffff;
		while (ask_find(link, key) != NULL);
		ld_put_be16(message, (uint16_t)key);
		ld_put_be16(frame_len, (uint16_t)len);
		ld_buffer_bytes(&link->out, ld_span(frame_len, sizeof frame_len));
		ld_buffer_bytes(&link->out, ld_span(message, len));
		if (link->out.failed) {
			link_kill(link);
			return LINDUNG_ENOMEM;
		}
	}
	ask->asked_ms = ld_clock_monotonic_ms();
	ask_insert(link, ask, key);
	link_flush(link);
	return LINDUNG_OK;
}

unsigned
ld_links_rest_ms(const struct ld_links *links)
{
	int64_t left_ms = links->rests_until_ms - ld_clock_monotonic_ms();

	if (left_ms <= 0 || link_choose(links, links->asks_max) != NULL)
		return 0;
	return (unsigned)left_ms;
}

int
ld_links_ask(struct ld_links *links, struct ld_link_ask *ask, uint8_t *message, size_t len)
{
	unsigned many = links->asks_max < LINK_ASKS_MANY ? links->asks_max : LINK_ASKS_MANY;
	struct ld_link *link = link_choose(links, many);
	int err = LINDUNG_ELIMIT;

	if (link != NULL && link_put(link, ask, message, len) == LINDUNG_OK)
		return LINDUNG_OK;
	if (links->count < links->max) {
		err = LINDUNG_ENET;
		if (ld_clock_monotonic_ms() >= links->rests_until_ms)
			link = link_open(links, &err);
		else
			link = NULL;
		if (link != NULL)
			return link_put(link, ask, message, len);
	}
	link = link_choose(links, links->asks_max);
	return link != NULL ? link_put(link, ask, message, len) : err;
}

void
ld_link_forget(struct ld_link_ask *ask, bool late)
{
	struct ld_link *link = ask->link;

	if (link == NULL)
		return;
	ask_remove(ask);
	if (link->http != NULL) {
		ld_http2_client_cancel(link->http, (int32_t)ask->key);
		link_flush(link);
	} else {
		link->forgotten++;
	}
	if (late && link->opened && link->received_ms < ask->asked_ms)
		link_kill(link);
	else if (link->opened && link->count == 0 && !link->dead)
		ld_timer_set(link->timer, IDLE_MS);
}
