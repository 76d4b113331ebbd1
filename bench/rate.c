/* Queries at a steady rate, open loop: how long each answer takes, and how many never come.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_rate CORE RATE SECONDS PORT FILE [FILE]    figures as JSON
 *
 * Asks 127.0.0.1 for type A of the names in FILE (of both in turn) with EDNS, at RATE a second for
 * SECONDS or until SIGTERM, then waits for what is missing: as long again, 10 s at most.  It never
 * waits in the kernel, so that the server has nobody to wake.  `own_late_us`: the longest time for
 * which this program itself was held up. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench.h"

enum {
	SOCKETS = 8, /* message ids of one are used again after 65536 queries */
	BATCH = 32,
	MESSAGE_BYTES = 1500,
	IDS = 65536,
	RCODES = 16,
};

#define PATIENCE_MAX_NS 1e10

struct run {
	int fds[SOCKETS];
	int64_t *sent_at[SOCKETS]; /* by id; 0: not under way */
	uint16_t next_id[SOCKETS];
	struct bench_names queries[2];
	size_t next[2];
	unsigned files;
	uint64_t sent, answered, rcodes[RCODES];
	uint32_t *latencies_us; /* of all answers, in tenths */
	size_t latencies_max;
	int64_t last_answer, longest_gap, own_late;
};

static volatile sig_atomic_t ended;

static void
end(int number)
{
	(void)number;
	ended = 1;
}

static void
run_open(struct run *run, const char *port)
{
	const int room = 4 << 20;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (unsigned i = 0; i < SOCKETS; i++) {
		run->sent_at[i] = bench_alloc(IDS * sizeof *run->sent_at[i]);
		run->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (run->fds[i] < 0 ||
		    connect(run->fds[i], (struct sockaddr *)&to, sizeof to) != 0 ||
		    setsockopt(run->fds[i], SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0)
			bench_die("port %s: %m", port);
	}
}

static void
query_send(struct run *run, unsigned socket, int64_t now)
{
	unsigned file = run->files > 1 ? (unsigned)(run->sent & 1) : 0;
	struct bench_names *queries = &run->queries[file];
	struct ld_span query = bench_name(queries, run->next[file]);
	uint16_t id = run->next_id[socket]++;
	uint8_t message[MESSAGE_BYTES];

	run->next[file] = run->next[file] + 1 < queries->count ? run->next[file] + 1 : 0;
	memcpy(message, query.data, query.len);
	ld_put_be16(message, id);
	run->sent_at[socket][id] = now;
	run->sent++;
	/* What the kernel does not take counts as lost: nobody will answer it. */
	(void)send(run->fds[socket], message, query.len, MSG_DONTWAIT);
}

static void
answer_take(struct run *run, unsigned socket, const uint8_t *message, size_t len, int64_t now)
{
	uint16_t id = len >= BENCH_DNS_HEADER ? ld_get_be16(message) : 0;
	int64_t sent_at = run->sent_at[socket][id];

	if (len < BENCH_DNS_HEADER || sent_at == 0 || run->answered == run->latencies_max)
		return;
	run->sent_at[socket][id] = 0;
	run->rcodes[message[3] & 15]++;
	run->latencies_us[run->answered++] = (uint32_t)((now - sent_at) / 100);
	if (now - run->last_answer > run->longest_gap)
		run->longest_gap = now - run->last_answer;
	run->last_answer = now;
}

static void
answers_take(struct run *run)
{
	static uint8_t messages[BATCH][MESSAGE_BYTES];
	static struct iovec parts[BATCH];
	static struct mmsghdr batch[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){messages[i], MESSAGE_BYTES};
		batch[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	for (unsigned s = 0; s < SOCKETS; s++) {
		int count = recvmmsg(run->fds[s], batch, BATCH, MSG_DONTWAIT, NULL);
		int64_t now = ld_clock_ns();

		for (int i = 0; i < count; i++)
			answer_take(run, s, messages[i], batch[i].msg_len, now);
	}
}

static void
run_go(struct run *run, double rate, double seconds)
{
	int64_t start = ld_clock_ns(), now = start, before = start, stopped = 0;
	double patience_ns = seconds * 1e9 < PATIENCE_MAX_NS ? seconds * 1e9 : PATIENCE_MAX_NS;

	run->last_answer = start;
	for (;;) {
		now = ld_clock_ns();
		if (now - before > run->own_late)
			run->own_late = now - before;
		before = now;
		if (stopped == 0 && (ended || (double)(now - start) >= seconds * 1e9))
			stopped = now;
		if (stopped != 0 &&
		    (run->answered == run->sent || (double)(now - stopped) > patience_ns))
			break;
		uint64_t due = stopped != 0 ? run->sent
					    : (uint64_t)((double)(now - start) / 1e9 * rate) + 1;
		for (unsigned i = 0; i < BATCH && run->sent < due; i++)
			query_send(run, (unsigned)(run->sent % SOCKETS), now);
		answers_take(run);
	}
	if (stopped - run->last_answer > run->longest_gap)
		run->longest_gap = stopped - run->last_answer;
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
quantile_us(const struct run *run, double share)
{
	if (run->answered == 0)
		return 0;
	size_t at = (size_t)(share * (double)run->answered);

	return run->latencies_us[at < run->answered ? at : run->answered - 1] / 10.0;
}

static void
run_print(struct run *run)
{
	uint64_t late = 0;

	qsort(run->latencies_us, run->answered, sizeof *run->latencies_us, by_size);
	for (size_t i = run->answered; i > 0 && run->latencies_us[i - 1] > 100000; i--)
		late++;
	printf("{\"sent\": %llu, \"lost\": %llu, \"over_10_ms\": %llu, \"rcodes\": {",
	       (unsigned long long)run->sent, (unsigned long long)(run->sent - run->answered),
	       (unsigned long long)late);
	for (unsigned i = 0, told = 0; i < RCODES; i++)
		if (run->rcodes[i] != 0)
			printf("%s\"%u\": %llu", told++ > 0 ? ", " : "", i,
			       (unsigned long long)run->rcodes[i]);
	printf("},\n \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"most_us\": %.1f,\n"
	       " \"longest_gap_us\": %.1f, \"own_late_us\": %.1f}\n",
	       quantile_us(run, 0.5), quantile_us(run, 0.99), quantile_us(run, 0.999),
	       quantile_us(run, 1), (double)run->longest_gap / 1000, (double)run->own_late / 1000);
}

int
main(int argc, char **argv)
{
	static struct run run;
	double rate = argc > 3 ? atof(argv[2]) : 0, seconds = argc > 3 ? atof(argv[3]) : 0;

	if (argc < 6 || argc > 7 || rate <= 0 || seconds <= 0 || rate * seconds > 1e8)
		bench_die("usage: bench_rate CORE RATE SECONDS PORT FILE [FILE]");
	signal(SIGTERM, end);
	run.files = (unsigned)argc - 5;
	for (unsigned i = 0; i < run.files; i++)
		run.queries[i] = bench_queries_read(argv[5 + i]);
	run.latencies_max = (size_t)(rate * seconds) + BATCH;
	run.latencies_us = bench_alloc(run.latencies_max * sizeof *run.latencies_us);
	run_open(&run, argv[4]);
	bench_pin((unsigned)atoi(argv[1]));
	run_go(&run, rate, seconds);
	run_print(&run);
	return 0;
}
