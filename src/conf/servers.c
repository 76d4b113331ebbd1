/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/conf.h"
#include "net/server_address.h"

/* The listener that takes what is sent to the server; NULL: none does. */
static const char *
listener_of(const struct ld_conf *conf, const struct ld_server_address *server, bool probe)
{
	for (unsigned i = 0; i < conf->listen.count; i++)
		if (ld_server_address_is_here(server, &conf->listen.items[i].socket, probe))
			return conf->listen.items[i].text;
	return NULL;
}

int
ld_conf_servers_check(const struct ld_conf *conf, bool probe, struct ld_report *report)
{
	const struct ld_conf_texts *servers = &conf->upstream_servers;
	unsigned plain = 0;

	for (unsigned i = 0; i < servers->count; i++) {
		struct ld_server_address server;
		const char *listener;

		if (ld_server_address_from_text(&server, ld_span_str(servers->items[i]), report) !=
		    LINDUNG_OK)
			return LINDUNG_ECONFIG;
		plain += server.way == LD_SERVER_PLAIN;
		listener = listener_of(conf, &server, probe);
		if (listener != NULL)
			return ld_fail(report, LINDUNG_ECONFIG,
				       "upstream.servers: %s is this server itself, which listens "
				       "on %s: questions "
				       "would go round in a circle; name another",
				       servers->items[i], listener);
	}
	/* RFC 8310, the strict profile: who asked for encryption does not get less in silence. */
	if (plain != 0 && plain != servers->count)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "upstream.servers: encrypted servers and others together: what the "
			       "former do not "
			       "answer would go out in the clear; name servers of one kind");
	return LINDUNG_OK;
}
