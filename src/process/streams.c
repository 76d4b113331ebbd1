/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/streams.h"

#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "net/shares.h"
#include "net/tls.h"
#include "process/system.h"

enum {
	OUTPUT_MAX = 256 * 1024, /* of one connection, not yet taken */
	CONNECTIONS_MIN = 8,     /* of one address in one thread */
	FILE_MAX_BYTES = 1 << 20,
};

static unsigned
tls_addresses(const struct ld_conf *conf)
{
	return conf->tls_listen.count + conf->https_listen.count;
}

/* Into how many parts the connections that we may have are divided. */
static unsigned
parts(const struct ld_conf *conf)
{
	return tls_addresses(conf) > 0 ? 2 : 1;
}

/* Connections of one address in one thread. */
static unsigned
share(const struct ld_conf *conf, unsigned wanted, unsigned addresses)
{
	unsigned most;

	if (addresses == 0)
		return 0;
	most = ld_system_connections(wanted, parts(conf)) / conf->threads / addresses;
	return most > CONNECTIONS_MIN ? most : CONNECTIONS_MIN;
}

int
ld_streams_make(struct ld_streams *ret, const struct ld_conf *conf, struct ld_thread_config *config,
		struct ld_report *report)
{
	struct ld_streams streams = {.conf = conf};
	struct ld_tcp_config *tcp = &config->streams[LD_TRANSPORT_TCP];
	struct ld_tcp_config *tls = &config->streams[LD_TRANSPORT_TLS];
	struct ld_tcp_config *https = &config->streams[LD_TRANSPORT_HTTPS];
	unsigned most;

	*tcp = (struct ld_tcp_config){
		.speech = LD_TCP_FRAMES,
		.connections_max = share(conf, conf->tcp_connections_max, conf->listen.count),
		.handshake_ms = conf->tls_handshake_ms, /* with a proxy */
		.idle_ms = conf->tcp_idle_ms,
		.in_flight_max = conf->tcp_in_flight_max,
		.output_max = OUTPUT_MAX,
	};
	*tls = *tcp;
	tls->connections_max = share(conf, conf->tls_connections_max, tls_addresses(conf));
	tls->idle_ms = conf->tls_idle_ms;
	most = tcp->connections_max * conf->listen.count +
	       tls->connections_max * tls_addresses(conf);
	streams.addresses = conf->listen.count + tls_addresses(conf);
	streams.shares = ld_shares_new(most * conf->threads, conf->tcp_client_connections_max);
	if (tls_addresses(conf) > 0)
		streams.tls = ld_tls_new(conf->tls_ticket_rotate_s);
	if (streams.shares == NULL || (tls_addresses(conf) > 0 && streams.tls == NULL)) {
		ld_streams_clear(&streams);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for connections");
	}
	tcp->shares = tls->shares = streams.shares;
	tls->tls = streams.tls;
	*https = *tls;
	https->speech = LD_TCP_HTTP2;
	https->in_flight_max = conf->https_streams_max;
	config->addresses = streams.addresses;
	*ret = streams;
	return LINDUNG_OK;
}

void
ld_streams_clear(struct ld_streams *streams)
{
	ld_tls_free(streams->tls);
	ld_shares_free(streams->shares);
	*streams = (struct ld_streams){.conf = NULL};
}

static const struct {
	enum ld_socket_kind kind;
	enum ld_transport stream;
} sockets[] = {
	{LD_SOCKET_DNS, LD_TRANSPORT_TCP},
	{LD_SOCKET_TLS, LD_TRANSPORT_TLS},
	{LD_SOCKET_HTTPS, LD_TRANSPORT_HTTPS},
};

enum { SOCKETS = sizeof sockets / sizeof sockets[0] };

bool
ld_streams_kind(unsigned kind, enum ld_transport *ret)
{
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (sockets[i].kind == kind) {
			*ret = sockets[i].stream;
			return true;
		}
	}
	return false;
}

enum ld_socket_kind
ld_streams_socket(enum ld_transport stream)
{
	for (unsigned i = 0; i < SOCKETS; i++)
		if (sockets[i].stream == stream)
			return sockets[i].kind;
	LD_ASSERT(!"a transport without connections");
	return LD_SOCKET_DNS;
}

/* "for dns.example, 192.0.2.1, until 2027-01-31" */
static void
describe(const struct ld_tls_facts *facts, struct ld_report *ret)
{
	time_t expires = (time_t)facts->expires_s;
	char day[32] = "?";
	struct tm tm;

	if (gmtime_r(&expires, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d", &tm);
	ld_fail(ret, LINDUNG_OK, "for %s, %s %s",
		facts->names[0] != '\0' ? facts->names : "no name (clients will not trust it)",
		expires < time(NULL) ? "EXPIRED on" : "until", day);
}

static int
pair_show(struct ld_streams *streams, const int fds[2], struct ld_report *report)
{
	const char *const paths[] = {streams->conf->tls_certificate, streams->conf->tls_key};
	struct ld_map certificate, key;
	struct ld_tls_facts facts;
	int err;

	if (ld_map_fd(&certificate, fds[0]) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EIO, "%s: cannot be read", paths[0]);
	if (ld_map_fd(&key, fds[1]) != LINDUNG_OK) {
		ld_map_close(&certificate);
		return ld_fail(report, LINDUNG_EIO, "%s: cannot be read", paths[1]);
	}
	if (certificate.bytes.len > FILE_MAX_BYTES || key.bytes.len > FILE_MAX_BYTES)
		err = ld_fail(report, LINDUNG_ELIMIT, "%s and %s: larger than %d bytes", paths[0],
			      paths[1], FILE_MAX_BYTES);
	else
		/* One that has expired is better than none, and than one that did so before. */
		err = ld_tls_show(streams->tls, certificate.bytes, key.bytes, paths,
				  !streams->shows || streams->expires_s < time(NULL), &facts,
				  report);
	ld_map_close(&certificate);
	ld_map_close(&key);
	if (err != LINDUNG_OK)
		return err;
	streams->shows = true;
	streams->expires_s = facts.expires_s;
	describe(&facts, report);
	return LINDUNG_OK;
}

bool
ld_streams_show(struct ld_streams *streams, const struct ld_message *message,
		struct ld_writer *ret_shown)
{
	struct ld_shown shown = {.number = ld_get_be32(message->body.data)};
	struct ld_report report;

	if (streams->tls == NULL)
		return false;
	shown.error = pair_show(streams, message->fds, &report);
	shown.expires_s = streams->expires_s > 0 ? (uint64_t)streams->expires_s : 0;
	shown.line = ld_span_str(report.text);
	ld_shown_write(ret_shown, &shown);
	return true;
}

static void
limit_say(const struct ld_conf *conf, const char *option, unsigned wanted)
{
	unsigned most = ld_system_connections(wanted, parts(conf));

	if (most < wanted)
		fprintf(stderr,
			"lindung: %s: %u instead of %u, as this process may open no more than %u "
			"files (ulimit -n)\n",
			option, most, wanted, ld_system_files());
}

void
ld_streams_say(const struct ld_conf *conf)
{
	limit_say(conf, "tcp.connections-max", conf->tcp_connections_max);
	if (tls_addresses(conf) > 0)
		limit_say(conf, "tls.connections-max", conf->tls_connections_max);
}
