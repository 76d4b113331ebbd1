/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/steer.h"

enum { PORT_DNS = 53 };

static bool
is_loopback6(const struct ld_address *address)
{
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static int
address_check(const struct ld_sockets_address *at, bool *ret_absent, struct ld_report *report)
{
	int err = LINDUNG_OK;

	if (at->stream == LD_TRANSPORT_TCP)
		err = ld_listen_check(&at->address, LD_LISTEN_UDP, ret_absent, report);
	return err == LINDUNG_OK ? ld_listen_check(&at->address, LD_LISTEN_TCP, ret_absent, report)
				 : err;
}

static int
addresses_check(struct ld_sockets *sockets, const struct ld_sockets_wanted *wanted,
		struct ld_report *report)
{
	for (unsigned i = 0; i < wanted->count; i++) {
		struct ld_sockets_address *at = &sockets->addresses[sockets->count];
		bool absent = false;
		int err;

		if (sockets->count == LD_SOCKETS_ADDRESSES_MAX)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "%s: more than %d addresses to listen on", wanted->option,
				       LD_SOCKETS_ADDRESSES_MAX);
		at->stream = wanted->stream;
		err = ld_address_from_text(&at->address, ld_span_str(wanted->texts[i]), PORT_DNS,
					   report);
		if (err != LINDUNG_OK)
			return err;
		err = address_check(at, &absent, report);
		if (err == LINDUNG_OK)
			sockets->count++;
		else if (absent && is_loopback6(&at->address))
			fprintf(stderr, "lindung: no IPv6 on this machine: not listening on ::1\n");
		else
			return err;
	}
	return LINDUNG_OK;
}

/* Every second one is for UDP, where that is wanted. */
static int
socket_open(struct ld_sockets *sockets, unsigned i, struct ld_report *report)
{
	const struct ld_sockets_address *at = &sockets->addresses[i / 2 % sockets->count];

	if (i % 2 == 0 && at->stream != LD_TRANSPORT_TCP)
		return LINDUNG_OK;
	return ld_listen_open(&sockets->fds[i], &at->address,
			      i % 2 == 0 ? LD_LISTEN_UDP : LD_LISTEN_TCP, report);
}

int
ld_sockets_open(struct ld_sockets *ret, const struct ld_sockets_wanted *wanted,
		unsigned wanted_count, unsigned threads, struct ld_report *report)
{
	struct ld_sockets sockets = {.threads = threads};
	unsigned total;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < wanted_count && err == LINDUNG_OK; i++) {
		err = addresses_check(&sockets, &wanted[i], report);
		if (err == LINDUNG_OK && sockets.count == 0)
			err = ld_fail(report, LINDUNG_ENET, "%s: no address to listen on",
				      wanted[i].option);
	}
	if (err != LINDUNG_OK)
		return err;
	total = threads * sockets.count * 2;
	sockets.fds = malloc(total * sizeof sockets.fds[0]);
	if (sockets.fds == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the sockets");
	for (unsigned i = 0; i < total; i++)
		sockets.fds[i] = -1;
	for (unsigned i = 0; i < total && err == LINDUNG_OK; i++)
		err = socket_open(&sockets, i, report);
	if (err != LINDUNG_OK) {
		ld_sockets_close(&sockets);
		return err;
	}
	*ret = sockets;
	return LINDUNG_OK;
}

static unsigned
sockets_count(const struct ld_sockets *sockets, enum ld_transport stream)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sockets->count; i++)
		count += sockets->addresses[i].stream == stream;
	return count;
}

bool
ld_sockets_steer(const struct ld_sockets *sockets)
{
	unsigned cores[LD_STEER_CORES_MAX];

	if (sockets->threads > LD_STEER_CORES_MAX || !ld_steer_cores(sockets->threads, cores))
		return false;
	/* One socket speaks for all at its address: those of the first thread. */
	for (unsigned i = 0; i < 2 * sockets->count; i++)
		if (sockets->fds[i] >= 0 && !ld_steer_sockets(sockets->fds[i], sockets->threads))
			return false;
	return true;
}

void
ld_sockets_say(const struct ld_sockets *sockets)
{
	static const char *const names[] = {
		[LD_TRANSPORT_TCP] = "UDP and TCP",
		[LD_TRANSPORT_TLS] = "TLS",
		[LD_TRANSPORT_HTTPS] = "HTTPS",
	};

	for (enum ld_transport t = LD_TRANSPORT_TCP; t <= LD_TRANSPORT_HTTPS; t++) {
		const char *before = "";

		if (sockets_count(sockets, t) == 0)
			continue;
		fprintf(stderr, "lindung: listening (%s) on", names[t]);
		for (unsigned i = 0; i < sockets->count; i++) {
			char text[LD_ADDRESS_TEXT_MAX];

			if (sockets->addresses[i].stream != t)
				continue;
			ld_address_to_text(&sockets->addresses[i].address, text);
			fprintf(stderr, "%s %s", before, text);
			before = ",";
		}
		fputc('\n', stderr);
	}
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
