/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/server_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#define PIN_WORD LD_SPAN("pin-sha256=")

enum {
	PORT_DNS = 53,
	PORT_TLS = 853,
	PORT_HTTPS = 443,
	PIN_TEXT_BYTES = 44, /* 32 octets in base64 */
};

static const struct {
	struct ld_span scheme;
	enum ld_server_way way;
	uint16_t port;
} schemes[] = {
	{{(const uint8_t *)"tls://", 6}, LD_SERVER_TLS, PORT_TLS},
	{{(const uint8_t *)"https://", 8}, LD_SERVER_HTTPS, PORT_HTTPS},
};

/* Text up to the octet, which is taken away with it. */
static struct ld_span
cut_at(struct ld_span *rest, uint8_t octet)
{
	size_t at = ld_span_find(*rest, octet);
	struct ld_span first = ld_span_first(*rest, at);

	*rest = ld_span_from(*rest, at + 1);
	return first;
}

static int
fail(struct ld_report *report, struct ld_span text, const char *what)
{
	return ld_fail(report, LINDUNG_ESYNTAX, "\"%.*s\": %s",
		       (int)(text.len < 100 ? text.len : 100), (const char *)text.data, what);
}

/* Letters, digits and hyphens between dots, in lower case. */
static bool
name_take(struct ld_server_address *remote, struct ld_span name)
{
	size_t label = 0;
	bool letters = false;

	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len > LD_SERVER_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c - 'A' + 'a');
		if (c == '.' ? label == 0
			     : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
				 c == '_'))
			return false;
		label = c == '.' ? 0 : label + 1;
		letters |= c >= 'a' && c <= 'z';
		if (label > 63)
			return false;
		remote->name[i] = (char)c;
	}
	return letters && label != 0; /* else it is an address */
}

static bool
pin_take(struct ld_server_address *remote, struct ld_span text)
{
	uint8_t octets[PIN_TEXT_BYTES / 4 * 3];

	if (text.len != PIN_TEXT_BYTES || text.data[PIN_TEXT_BYTES - 1] != '=' ||
	    text.data[PIN_TEXT_BYTES - 2] == '=' ||
	    EVP_DecodeBlock(octets, text.data, PIN_TEXT_BYTES) != (int)sizeof octets)
		return false;
	memcpy(remote->pins[remote->pin_count++], octets, LD_SERVER_PIN_BYTES);
	return true;
}

/* What stands behind the first #. */
static const char *
proofs_take(struct ld_server_address *remote, struct ld_span rest)
{
	for (bool first = true; rest.len != 0 || first; first = false) {
		struct ld_span proof = cut_at(&rest, '#');

		if (ld_span_starts(proof, PIN_WORD)) {
			if (remote->pin_count == LD_SERVER_PINS_MAX)
				return "expected at most 2 pins";
			if (!pin_take(remote, ld_span_from(proof, PIN_WORD.len)))
				return "expected 44 characters of base64 behind pin-sha256=";
		} else if (!first || !name_take(remote, proof)) {
			return first ? "expected the name that the certificate is for behind the #"
				     : "expected pin-sha256= behind the second #";
		}
	}
	return NULL;
}

static const char *
path_take(struct ld_server_address *remote, struct ld_span path)
{
	if (path.len == 0)
		path = LD_SPAN("/dns-query");
	if (path.len > LD_SERVER_PATH_MAX_BYTES)
		return "expected a path of at most 127 characters";
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] <= ' ' || path.data[i] > '~' || path.data[i] == '{')
			return "expected a path without blanks and without {?dns}";
	memcpy(remote->path, path.data, path.len);
	return NULL;
}

static void
host_write(struct ld_server_address *remote)
{
	const struct ld_address *a = &remote->address;

	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, remote->host, sizeof remote->host);
	else
		inet_ntop(AF_INET6, &a->v6.sin6_addr, remote->host, sizeof remote->host);
}

/* https://192.0.2.1@443/dns-query: without the scheme. */
static const char *
place_take(struct ld_server_address *remote, struct ld_span place, uint16_t port,
	   struct ld_report *report)
{
	size_t slash = ld_span_find(place, '/');
	struct ld_span path = ld_span_from(place, slash);
	const char *wrong = NULL;

	if (remote->way == LD_SERVER_HTTPS)
		wrong = path_take(remote, path);
	else if (path.len != 0)
		wrong = "only https:// has a path";
	if (wrong != NULL)
		return wrong;
	if (ld_address_from_text(&remote->address, ld_span_first(place, slash), port, report) !=
	    LINDUNG_OK)
		return remote->way == LD_SERVER_PLAIN || slash == 0
			       ? "expected an IPv4 or IPv6 address, with @port behind it or not"
			       : "expected an IPv4 or IPv6 address behind the //, with @port "
				 "behind "
				 "it or not; the name of the server stands behind a #";
	if (ld_address_port(&remote->address) == 0)
		return "expected a port from 1 to 65535 behind the @";
	host_write(remote);
	return NULL;
}

int
ld_server_address_from_text(struct ld_server_address *ret, struct ld_span text,
			    struct ld_report *report)
{
	struct ld_server_address remote = {.way = LD_SERVER_PLAIN};
	struct ld_span rest = text, place;
	const char *wrong;
	uint16_t port = PORT_DNS;
	bool has_proof;

	if (text.len > LD_SERVER_TEXT_MAX_BYTES)
		return fail(report, text, "expected at most 512 characters");
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		if (ld_span_starts(rest, schemes[i].scheme)) {
			rest = ld_span_from(rest, schemes[i].scheme.len);
			remote.way = schemes[i].way;
			port = schemes[i].port;
		}
	}
	has_proof = ld_span_find(rest, '#') != rest.len;
	place = cut_at(&rest, '#');
	if (remote.way == LD_SERVER_PLAIN && has_proof)
		return fail(report, text,
			    "a name behind # is for encryption: expected tls:// or https:// in "
			    "front");
	if (remote.way == LD_SERVER_PLAIN && memmem(text.data, text.len, "://", 3) != NULL)
		return fail(report, text, "expected tls:// or https:// or nothing in front");
	wrong = place_take(&remote, place, port, NULL);
	if (wrong == NULL && has_proof)
		wrong = proofs_take(&remote, rest);
	if (wrong != NULL)
		return fail(report, text, wrong);
	*ret = remote;
	return LINDUNG_OK;
}

/* Only addresses of this machine can be bound to. */
static bool
address_is_ours(const struct ld_address *address)
{
	struct ld_address any_port = *address;
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours;

	if (fd < 0)
		return false;
	any_port.v4.sin_port = 0; /* stands at the same place for IPv6 */
	ours = bind(fd, &any_port.any, any_port.len) == 0;
	close(fd);
	return ours;
}

static bool
address_is_loopback(const struct ld_address *address)
{
	uint8_t octets[16];

	if (ld_address_octets(address, octets) == 4)
		return octets[0] == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

bool
ld_server_address_is_here(const struct ld_server_address *server, const struct ld_address *listener,
			  bool probe)
{
	uint8_t a[16], b[16];
	unsigned len = ld_address_octets(&server->address, a);

	if (ld_address_port(&server->address) != ld_address_port(listener))
		return false;
	if (ld_address_is_wildcard(listener))
		return server->address.any.sa_family == listener->any.sa_family &&
		       (address_is_loopback(&server->address) ||
			(probe && address_is_ours(&server->address)));
	return len == ld_address_octets(listener, b) && memcmp(a, b, len) == 0;
}
