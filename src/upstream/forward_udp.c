/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/forward_udp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	/* 61,440 ports; the kernel's own choice is among 28,232. */
	PORT_FIRST = 4096,
	PORT_LAST = 65535,
	TRIES = 8,
};

/* Services that start while we happen to have their port would fail. */
static bool
port_is_anothers(unsigned port)
{
	static const uint16_t ports[] = {4500, 4789, 5060, 5061,  5353, 5355,
					 5683, 6081, 8472, 10000, 51820};

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* False: the kernel chooses when the socket is connected. */
static bool
port_bind(int fd, int family)
{
	struct ld_address any = {.any.sa_family = (sa_family_t)family};

	any.len = family == AF_INET ? sizeof any.v4 : sizeof any.v6;
	for (int i = 0; i < TRIES; i++) {
		unsigned port = PORT_FIRST + arc4random_uniform(PORT_LAST - PORT_FIRST + 1);

		if (port_is_anothers(port))
			continue;
		any.v4.sin_port = htons((uint16_t)port); /* at the same place for IPv6 */
		if (bind(fd, &any.any, any.len) == 0)
			return true;
		if (errno != EADDRINUSE)
			return false;
	}
	return false;
}

int
ld_forward_udp_open(const struct ld_address *server)
{
	int fd = socket(server->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	if (fd < 0)
		return -1;
	(void)port_bind(fd, server->any.sa_family);
	if (connect(fd, &server->any, server->len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
