/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PORT_DNS = 53 };

static bool
is_loopback6(const struct ld_address *address)
{
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static int
addresses_check(struct ld_sockets *sockets, const char *const *texts, unsigned count,
		struct ld_report *report)
{
	for (unsigned i = 0; i < count; i++) {
		struct ld_address *address = &sockets->addresses[sockets->count];
		bool absent = false;
		int err = ld_address_from_text(address, ld_span_str(texts[i]), PORT_DNS, report);

		if (err != LINDUNG_OK)
			return err;
		err = ld_listen_check(address, LD_LISTEN_UDP, &absent, report);
		if (err == LINDUNG_OK)
			err = ld_listen_check(address, LD_LISTEN_TCP, NULL, report);
		if (err == LINDUNG_OK)
			sockets->count++;
		else if (absent && is_loopback6(address))
			fprintf(stderr, "lindung: no IPv6 on this machine: not listening on ::1\n");
		else
			return err;
	}
	if (sockets->count == 0)
		return ld_fail(report, LINDUNG_ENET, "listen: no address to listen on");
	return LINDUNG_OK;
}

int
ld_sockets_open(struct ld_sockets *ret, const char *const *texts, unsigned count, unsigned threads,
		struct ld_report *report)
{
	struct ld_sockets sockets = {0};
	unsigned total;
	int err;

	if (count > LD_SOCKETS_ADDRESSES_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "listen: %u addresses, expected at most %d",
			       count, LD_SOCKETS_ADDRESSES_MAX);
	err = addresses_check(&sockets, texts, count, report);
	if (err != LINDUNG_OK)
		return err;
	sockets.threads = threads;
	total = threads * sockets.count * 2;
	sockets.fds = malloc(total * sizeof sockets.fds[0]);
	if (sockets.fds == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the sockets");
	for (unsigned i = 0; i < total; i++)
		sockets.fds[i] = -1;
	for (unsigned i = 0; i < total && err == LINDUNG_OK; i++)
		err = ld_listen_open(&sockets.fds[i], &sockets.addresses[i / 2 % sockets.count],
				     i % 2 == 0 ? LD_LISTEN_UDP : LD_LISTEN_TCP, report);
	if (err != LINDUNG_OK) {
		ld_sockets_close(&sockets);
		return err;
	}
	*ret = sockets;
	return LINDUNG_OK;
}

void
ld_sockets_say(const struct ld_sockets *sockets)
{
	fprintf(stderr, "lindung: listening (UDP and TCP) on");
	for (unsigned i = 0; i < sockets->count; i++) {
		char text[LD_ADDRESS_TEXT_MAX];

		ld_address_to_text(&sockets->addresses[i], text);
		fprintf(stderr, "%s %s", i > 0 ? "," : "", text);
	}
	fputc('\n', stderr);
}

void
ld_sockets_close(struct ld_sockets *sockets)
{
	for (unsigned i = 0; sockets->fds != NULL && i < sockets->threads * sockets->count * 2; i++)
		if (sockets->fds[i] >= 0)
			close(sockets->fds[i]);
	free(sockets->fds);
	*sockets = (struct ld_sockets){0};
}
