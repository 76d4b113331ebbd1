/* lindung transfer --follow: a zone of another server is kept up to date.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * NOTIFY (RFC 1996) is believed in nothing but that it may be time to look: from the server's
 * address, and once a second at most.  A signature on it must be good. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/udp.h"
#include "transfer.h"
#include "wire/build.h"
#include "wire/notify.h"

enum {
	PACKET_MAX = 4096,
	REFRESH_MIN_S = 1,
	REFRESH_MAX_S = 86400,
	RETRY_FIRST_S = 2, /* then twice as long, up to what the SOA says */
	RETRY_MAX_S = 3600,
	REST_MS = 1000, /* between two transfers */
	PORT = 53,
};

static unsigned
between(uint32_t value, unsigned least, unsigned most)
{
	return value < least ? least : value > most ? most : value;
}

static bool
is_from_server(const struct transfer *t, const struct ld_address *from)
{
	uint8_t a[16], b[16];
	unsigned len = ld_address_octets(&t->server, a);

	return ld_address_octets(from, b) == len && memcmp(a, b, len) == 0;
}

/* Answer a NOTIFY: true if it is one for us, and as good as it says. */
static bool
notify_take(const struct transfer *t, int fd, const struct ld_address *from, struct ld_span packet)
{
	uint8_t octets[LD_NOTIFY_MAX_BYTES + LD_TSIG_BYTES_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_udp_peer peer = {.from = *from};
	struct ld_tsig_chain chain = {.key = NULL};
	struct ld_tsig tsig;
	struct ld_name zone;
	uint64_t now_s = (uint64_t)time(NULL);
	int signature = LD_TSIG_GOOD, found;
	uint16_t id;

	if (!is_from_server(t, from) || !ld_notify_read(packet, &id, &zone) ||
	    !ld_name_equal(&zone, &t->zone))
		return false;
	found = ld_tsig_find(&tsig, packet);
	if (found == LINDUNG_OK)
		signature = ld_tsig_take_request(&chain, &t->keys, packet, &tsig, now_s);
	if (found == LINDUNG_EMALFORMED || signature < 0)
		return false;
	ld_notify_answer(&w, id, &zone,
			 signature == LD_TSIG_GOOD ? LD_RCODE_NOERROR : LD_RCODE_NOTAUTH);
	if (chain.key != NULL)
		ld_tsig_sign(&chain, &w, now_s, (enum ld_tsig_error)signature, &tsig);
	else if (signature != LD_TSIG_GOOD)
		ld_tsig_refuse(&w, &tsig, (enum ld_tsig_error)signature);
	ld_tsig_chain_clear(&chain);
	if (!w.failed)
		ld_udp_send(fd, &peer, ld_span(w.data, w.len));
	return signature == LD_TSIG_GOOD;
}

/* Until there is news, or the time has come. */
static void
await(const struct transfer *t, int fd, unsigned wait_s)
{
	int64_t until_ms = ld_clock_monotonic_ms() + (int64_t)wait_s * 1000, left_ms;

	while ((left_ms = until_ms - ld_clock_monotonic_ms()) > 0) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		struct ld_address from = {.len = sizeof from.v6};
		uint8_t packet[PACKET_MAX];
		ssize_t len;

		if (poll(&poll_fd, 1, (int)left_ms) <= 0)
			continue;
		len = recvfrom(fd, packet, sizeof packet, MSG_DONTWAIT, &from.any, &from.len);
		if (len > 0 && notify_take(t, fd, &from, ld_span(packet, (size_t)len)))
			return;
	}
}

static void
then_run(const char *then)
{
	int status;

	fflush(stderr);
	status = system(then);
	if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fprintf(stderr, "lindung transfer: \"%s\" failed\n", then);
}

/* One transfer: how long to wait for the next. */
static unsigned
step(struct transfer *t, const char *then, unsigned *retry_s)
{
	uint32_t refresh = 0, retry = 0, expire = 0;
	int err = transfer_once(t);

	if (t->copy != NULL)
		ld_zone_copy_times(t->copy, &refresh, &retry, &expire);
	transfer_forget(t);
	if (err == LINDUNG_OK || err == LINDUNG_EEXISTS) {
		*retry_s = RETRY_FIRST_S;
		if (err == LINDUNG_OK && then != NULL)
			then_run(then);
		return between(refresh, REFRESH_MIN_S, REFRESH_MAX_S);
	}
	refresh = *retry_s;
	fprintf(stderr, "lindung transfer: %.400s; again in %u s\n", t->report.text, refresh);
	*retry_s = between(2 * *retry_s, RETRY_FIRST_S,
			   between(retry != 0 ? retry : RETRY_MAX_S, RETRY_FIRST_S, RETRY_MAX_S));
	return refresh;
}

static int
listen_open(int *ret, const char *text, struct ld_report *report)
{
	struct ld_address address;
	int err = ld_address_from_text(&address, ld_span_str(text), PORT, report);

	return err == LINDUNG_OK ? ld_listen_open(ret, &address, LD_LISTEN_UDP, report) : err;
}

int
transfer_follow(struct transfer *t, const char *listen, const char *then)
{
	unsigned retry_s = RETRY_FIRST_S;
	int fd = -1;

	if (listen != NULL && listen_open(&fd, listen, &t->report) != LINDUNG_OK) {
		fprintf(stderr, "lindung transfer: %s\n", t->report.text);
		return 1;
	}
	for (;;) {
		unsigned wait_s = step(t, then, &retry_s);

		(void)usleep(REST_MS * 1000);
		t->whole = false; /* once is enough */
		await(t, fd, wait_s);
	}
}
