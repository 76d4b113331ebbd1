/* Queries a second, closed loop: so many are under way, and each answer lets the next one go.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_load CORE ROUNDS SECONDS KEY:PORT:PID[+PID...]:FILE...    figures as JSON
 *
 * Asks 127.0.0.1 for type A of the names in FILE, over and over, with EDNS.  Every round asks all
 * targets, one after the other.  Of each round: answers a second, microseconds of processor time
 * that the server (PID) took for one, and the share of the time in which this program had nothing
 * to do: near nothing, it is this program that is measured. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench.h"

enum {
	TARGETS_MAX = 64,
	IN_FLIGHT = 128,
	BATCH = 64,
	MESSAGE_BYTES = 1500,
	NAP_NS = 10000,
	RCODES = 16,
};

#define LOST_AFTER_NS INT64_C(100000000)

struct target {
	const char *key;
	int fd;
	char *pids;                 /* one, or several with a '+' between them */
	struct bench_names queries; /* messages, in the names' place */
	size_t next;
	unsigned in_flight;
	uint64_t sent, lost, answered, answer_bytes, rcodes[RCODES];
	struct bench_rounds rate, server_us, idle;
};

static struct target targets[TARGETS_MAX];

static void
target_open(struct target *t, char *text)
{
	const int room = 4 << 20;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char *rest = text;

	t->key = strsep(&rest, ":");
	const char *port = strsep(&rest, ":");
	t->pids = strsep(&rest, ":");
	if (rest == NULL)
		bench_die("%s: not KEY:PORT:PID:FILE", text);
	to.sin_port = htons((uint16_t)atoi(port));
	t->queries = bench_queries_read(rest);
	t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0)
		bench_die("%s: %m", t->key);
}

/* Send up to `count` queries that follow each other and are of one length, in one trip down the
 * kernel: what this program takes must not be what is measured. */
static void
queries_send(struct target *t, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct ld_span first = bench_name(&t->queries, t->next);
	uint16_t len = (uint16_t)first.len;
	unsigned n = 0;

	while (n < count && t->next < t->queries.count) {
		struct ld_span query = bench_name(&t->queries, t->next);

		if (query.len != len)
			break;
		ld_put_be16((uint8_t *)(uintptr_t)query.data, (uint16_t)(t->sent + n));
		t->next++;
		n++;
	}
	struct iovec part = {(void *)(uintptr_t)first.data, (size_t)n * len};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	if (n > 1) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof control.bytes;
		control.align = (struct cmsghdr){.cmsg_level = SOL_UDP,
						 .cmsg_type = UDP_SEGMENT,
						 .cmsg_len = CMSG_LEN(sizeof len)};
		memcpy(CMSG_DATA(&control.align), &len, sizeof len);
	}
	if (sendmsg(t->fd, &header, 0) < 0)
		bench_die("%s: %m", t->key);
	if (t->next == t->queries.count)
		t->next = 0;
	t->sent += n;
	t->in_flight += n;
}

/* Take what has come: false if nothing has. */
static bool
answers_take(struct target *t)
{
	static uint8_t messages[BATCH][MESSAGE_BYTES];
	static struct iovec parts[BATCH];
	static struct mmsghdr batch[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){messages[i], MESSAGE_BYTES};
		batch[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int count = recvmmsg(t->fd, batch, BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno != EAGAIN && errno != EINTR)
		bench_die("%s: %m", t->key);
	for (int i = 0; i < count; i++) {
		if (batch[i].msg_len < BENCH_DNS_HEADER || (messages[i][2] & 0x80) == 0)
			bench_die("%s: what came is no answer", t->key);
		t->rcodes[messages[i][3] & 15]++;
		t->answer_bytes += batch[i].msg_len;
	}
	unsigned came = count > 0 ? (unsigned)count : 0;
	t->answered += came;
	t->in_flight -= came < t->in_flight ? came : t->in_flight;
	return came != 0;
}

/* Wait for answers, not in the kernel at the socket: the server would pay for the waking.  What
 * does not come at all is lost. */
static void
answers_wait(struct target *t)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	int64_t start = ld_clock_ns(), now = start;

	while (!answers_take(t)) {
		nanosleep(&nap, NULL);
		now = ld_clock_ns();
		if (now - start > LOST_AFTER_NS) {
			t->lost += t->in_flight;
			t->in_flight = 0;
			break;
		}
	}
}

static double
process_seconds(long pid)
{
	char path[64];
	unsigned long user, system;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	FILE *file = fopen(path, "r");
	if (file == NULL ||
	    fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		bench_die("%s: the server is gone", path);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double
server_seconds(const char *pids)
{
	double sum = 0;

	for (const char *at = pids; at != NULL; at = strchr(at + 1, '+'))
		sum += process_seconds(atol(at + (*at == '+')));
	return sum;
}

static int64_t
own_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
target_run(struct target *t, double seconds)
{
	double server = server_seconds(t->pids);
	int64_t own = own_ns(), start = ld_clock_ns(), now = start;
	uint64_t before = t->answered;

	while ((double)(now - start) < seconds * 1e9) {
		while (t->in_flight + BENCH_RUN <= IN_FLIGHT)
			queries_send(t, BENCH_RUN);
		answers_wait(t);
		now = ld_clock_ns();
	}
	double took = (double)(now - start) / 1e9, worked = (double)(own_ns() - own) / 1e9;
	double answered = (double)(t->answered - before);
	server = server_seconds(t->pids) - server;
	bench_rounds_add(&t->rate, answered / took);
	bench_rounds_add(&t->server_us, answered > 0 ? server * 1e6 / answered : 0);
	bench_rounds_add(&t->idle, 1 - worked / took);
	/* What is still under way belongs to no round. */
	while (t->in_flight > 0)
		answers_wait(t);
}

static void
target_print(const struct target *t)
{
	printf("\n  \"%s\": {\"lost\": %llu, \"answer_bytes\": %.1f, \"rcodes\": {", t->key,
	       (unsigned long long)t->lost,
	       t->answered != 0 ? (double)t->answer_bytes / (double)t->answered : 0);
	for (unsigned i = 0, told = 0; i < RCODES; i++)
		if (t->rcodes[i] != 0)
			printf("%s\"%u\": %llu", told++ > 0 ? ", " : "", i,
			       (unsigned long long)t->rcodes[i]);
	fputs("},\n    ", stdout);
	bench_rounds_print("qps", &t->rate);
	fputs(",\n    ", stdout);
	bench_rounds_print("server_us", &t->server_us);
	fputs(",\n    ", stdout);
	bench_rounds_print("idle", &t->idle);
	putchar('}');
}

int
main(int argc, char **argv)
{
	unsigned count = 0;

	if (argc < 5 || argc - 4 > TARGETS_MAX)
		bench_die("usage: bench_load CORE ROUNDS SECONDS KEY:PORT:PID:FILE...");
	for (int i = 4; i < argc; i++)
		target_open(&targets[count++], argv[i]);
	bench_pin((unsigned)atoi(argv[1]));
	prctl(PR_SET_TIMERSLACK, 1000UL); /* ns */
	for (int round = atoi(argv[2]); round > 0; round--)
		for (unsigned i = 0; i < count; i++)
			target_run(&targets[i], atof(argv[3]));
	putchar('{');
	for (unsigned i = 0; i < count; i++) {
		fputs(i > 0 ? "," : "", stdout);
		target_print(&targets[i]);
	}
	puts("}");
	return 0;
}
