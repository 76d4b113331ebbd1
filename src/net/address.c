/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

enum {
	LISTEN_BACKLOG = 256,
	UDP_RECEIVE_BYTES = 1 << 20, /* a burst that comes while the thread is busy waits here */
};

static bool
port_from_text(struct ld_span text, uint16_t *port)
{
	unsigned value = 0;

	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (text.data[i] - '0');
	}
	if (value == 0 || value > 65535)
		return false;
	*port = (uint16_t)value;
	return true;
}

int
ld_address_from_text(struct ld_address *ret, struct ld_span text, uint16_t port,
		     struct ld_report *report)
{
	struct ld_address address = {0};
	size_t at = ld_span_find(text, '@'), zone;
	char host[64];

	if (at < text.len && !port_from_text(ld_span_from(text, at + 1), &port))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "\"%.*s\": expected a port from 1 to 65535 behind the @",
			       (int)text.len, (const char *)text.data);
	if (at >= sizeof host)
		goto fail;
	if (at > 0)
		memcpy(host, text.data, at);
	host[at] = '\0';
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(port);
		address.len = sizeof address.v4;
		*ret = address;
		return LINDUNG_OK;
	}
	zone = ld_span_find(ld_span_str(host), '%');
	if (host[zone] == '%') {
		host[zone] = '\0';
		address.v6.sin6_scope_id = if_nametoindex(host + zone + 1);
		if (address.v6.sin6_scope_id == 0)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "\"%.*s\": this machine has no interface \"%s\"",
				       (int)text.len, (const char *)text.data, host + zone + 1);
	}
	if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(port);
		address.len = sizeof address.v6;
		*ret = address;
		return LINDUNG_OK;
	}
fail:
	return ld_fail(report, LINDUNG_ESYNTAX,
		       "\"%.*s\": expected an IPv4 or IPv6 address, with @port behind it or not",
		       (int)text.len, (const char *)text.data);
}

void
ld_address_to_text(const struct ld_address *address, char text[LD_ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
	else
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
	snprintf(text, LD_ADDRESS_TEXT_MAX, "%s port %u", host, ld_address_port(address));
}

unsigned
ld_address_octets(const struct ld_address *address, uint8_t ret[16])
{
	const uint8_t *v6 = address->v6.sin6_addr.s6_addr;

	if (address->any.sa_family == AF_INET) {
		memcpy(ret, &address->v4.sin_addr, 4);
		return 4;
	}
	if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
		memcpy(ret, v6 + 12, 4);
		return 4;
	}
	memcpy(ret, v6, 16);
	return 16;
}

bool
ld_address_same(const struct ld_address *a, const struct ld_address *b)
{
	uint8_t left[16], right[16];
	unsigned len = ld_address_octets(a, left);

	return len == ld_address_octets(b, right) && memcmp(left, right, len) == 0 &&
	       ld_address_port(a) == ld_address_port(b);
}

uint16_t
ld_address_port(const struct ld_address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
						       : address->v6.sin6_port);
}

bool
ld_address_is_wildcard(const struct ld_address *address)
{
	if (address->any.sa_family == AF_INET)
		return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

static int
fail_errno(struct ld_report *report, const struct ld_address *address, enum ld_listen kind)
{
	char text[LD_ADDRESS_TEXT_MAX];
	const char *protocol = kind == LD_LISTEN_UDP ? "UDP" : "TCP";
	int saved = errno;

	ld_address_to_text(address, text);
	if (saved == EADDRINUSE)
		return ld_fail(report, LINDUNG_ENET,
			       "%s is in use: another program listens there over %s; stop it or "
			       "choose another port",
			       text, protocol);
	if (saved == EACCES)
		return ld_fail(report, LINDUNG_ENET,
			       "%s: no right to listen below port 1024: start as root (with user: "
			       "configured) or choose another port",
			       text);
	if (saved == EADDRNOTAVAIL)
		return ld_fail(report, LINDUNG_ENET, "%s: this machine does not have the address",
			       text);
	return ld_fail(report, LINDUNG_ENET, "%s: cannot listen over %s: %s", text, protocol,
		       strerror(saved));
}

static int
bound_socket(const struct ld_address *address, enum ld_listen kind, bool shared)
{
	int one = 1, saved;
	int type =
		(kind == LD_LISTEN_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(address->any.sa_family, type, 0);

	if (fd < 0)
		return -1;
	if (address->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0)
		goto fail;
	/* For TCP: connections of the last run that the kernel still waits out do not count. */
	if (kind == LD_LISTEN_TCP &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
		goto fail;
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0)
		goto fail;
	if (bind(fd, &address->any, address->len) == 0)
		return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
ld_listen_check(const struct ld_address *address, enum ld_listen kind, bool *ret_absent,
		struct ld_report *report)
{
	int fd = bound_socket(address, kind, false);

	if (fd < 0) {
		if (ret_absent != NULL)
			*ret_absent = errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT;
		return fail_errno(report, address, kind);
	}
	/* Two TCP sockets may be bound with SO_REUSEADDR: only listening collides. */
	if (kind == LD_LISTEN_TCP && listen(fd, 1) != 0) {
		int err = fail_errno(report, address, kind);

		close(fd);
		return err;
	}
	close(fd);
	return LINDUNG_OK;
}

static int
udp_options(int fd, const struct ld_address *address)
{
	/* OMIT: ignore what ICMP says about the path, so that nobody can forge us into fragments.
	 */
	int one = 1, size = UDP_RECEIVE_BYTES;
	int v4 = IP_PMTUDISC_OMIT, v6 = IPV6_PMTUDISC_OMIT;

	/* As large as net.core.rmem_max lets it be: no error if that is less. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (address->any.sa_family == AF_INET) {
		if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4) != 0)
			return -1;
		if (ld_address_is_wildcard(address))
			return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
		return 0;
	}
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6) != 0)
		return -1;
	if (ld_address_is_wildcard(address))
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
	return 0;
}

int
ld_listen_open(int *ret_fd, const struct ld_address *address, enum ld_listen kind,
	       struct ld_report *report)
{
	int fd = bound_socket(address, kind, true);
	int done;

	if (fd < 0)
		return fail_errno(report, address, kind);
	done = kind == LD_LISTEN_UDP ? udp_options(fd, address) : listen(fd, LISTEN_BACKLOG);
	if (done != 0) {
		int err = fail_errno(report, address, kind);

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return LINDUNG_OK;
}
