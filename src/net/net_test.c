/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/address.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "net/udp.h"

static void
addresses_are_read(void **state)
{
	static const struct {
		const char *text, *shown; /* NULL: refused */
	} cases[] = {
		{"127.0.0.1", "127.0.0.1 port 53"},
		{"127.0.0.1@5354", "127.0.0.1 port 5354"},
		{"::1@5354", "::1 port 5354"},
		{"2001:DB8::1", "2001:db8::1 port 53"},
		{"fe80::1%lo@65535", "fe80::1 port 65535"},
		{"::", ":: port 53"},
		{"", NULL},
		{"@53", NULL},
		{"127.0.0.1@", NULL},
		{"127.0.0.1@0", NULL},
		{"127.0.0.1@65536", NULL},
		{"127.0.0.1@5a", NULL},
		{"127.0.0.1@000053", NULL},
		{"127.1", NULL},
		{"localhost", NULL},
		{"[::1]", NULL},
		{"fe80::1%no-such", NULL},
		{"1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_report report = {""};
		struct ld_address address;
		char text[LD_ADDRESS_TEXT_MAX];
		int err = ld_address_from_text(&address, ld_span_str(cases[i].text), 53, &report);

		if (cases[i].shown == NULL) {
			assert_int_equal(err, LINDUNG_ESYNTAX);
			assert_non_null(strchr(report.text, '"'));
			continue;
		}
		assert_int_equal(err, LINDUNG_OK);
		ld_address_to_text(&address, text);
		assert_string_equal(text, cases[i].shown);
	}
}

static struct ld_address
address_of(const char *text)
{
	struct ld_address address;

	assert_int_equal(ld_address_from_text(&address, ld_span_str(text), 1, NULL), LINDUNG_OK);
	if (strchr(text, '@') == NULL)
		address.v4.sin_port = 0; /* the kernel chooses; the same place in sockaddr_in6 */
	return address;
}

static struct ld_address
local_address(int fd)
{
	struct ld_address address = {.len = sizeof address.v6};

	assert_int_equal(getsockname(fd, &address.any, &address.len), 0);
	return address;
}

static void
taken_port_is_told(void **state)
{
	struct ld_address address = address_of("127.0.0.1");
	struct ld_report report;
	bool absent = true;
	char part[32];
	int fd, other;

	(void)state;
	for (int kind = LD_LISTEN_UDP; kind <= LD_LISTEN_TCP; kind++) {
		struct ld_address bound;

		assert_int_equal(ld_listen_open(&fd, &address, kind, &report), LINDUNG_OK);
		bound = local_address(fd);
		/* Our own threads share it ... */
		assert_int_equal(ld_listen_open(&other, &bound, kind, &report), LINDUNG_OK);
		close(other);
		/* ... and a second server is told, though it would share, too. */
		assert_int_equal(ld_listen_check(&bound, kind, &absent, &report), LINDUNG_ENET);
		assert_false(absent);
		snprintf(part, sizeof part, "port %u is in use", ld_address_port(&bound));
		assert_non_null(strstr(report.text, part));
		close(fd);
		assert_int_equal(ld_listen_check(&bound, kind, &absent, &report), LINDUNG_OK);
	}
	address = address_of("198.51.100.77@5354");
	assert_int_equal(ld_listen_check(&address, LD_LISTEN_UDP, &absent, &report), LINDUNG_ENET);
	assert_true(absent);
}

/* A client on 127.0.0.1 asks our address 127.0.0.2 of a wildcard socket: the answer must come from
 * there, or a connected client never sees it. */
static void
udp_answers_from_the_address_asked(void **state)
{
	struct ld_udp_batch *batch = ld_udp_batch_new();
	struct ld_address any = address_of("0.0.0.0"), bound, ours;
	struct ld_udp_peer peer;
	uint8_t text[LD_UDP_PACKET_MAX + 1] = {0};
	int server, client;
	unsigned got = 0;

	(void)state;
	assert_int_equal(ld_listen_open(&server, &any, LD_LISTEN_UDP, NULL), LINDUNG_OK);
	bound = local_address(server);
	ours = address_of("127.0.0.2");
	ours.v4.sin_port = bound.v4.sin_port;
	client = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(connect(client, &ours.any, ours.len), 0);
	assert_int_equal(ld_udp_batch_receive(batch, server), 0);

	for (int i = 0; i < 3; i++)
		assert_int_equal(send(client, "question", 8, 0), 8);
	assert_int_equal(send(client, text, sizeof text, 0), sizeof text); /* too long */
	got = ld_udp_batch_receive(batch, server);
	assert_int_equal(got, 4);
	assert_int_equal(ld_udp_batch_packet(batch, 3).len, 0);
	ld_udp_batch_peer(batch, 1, &peer);
	for (unsigned i = 0; i < 3; i += 2) { /* the first and the last at once, the second later */
		assert_true(ld_span_equal(ld_udp_batch_packet(batch, i), LD_SPAN("question")));
		memcpy(ld_udp_batch_room(batch), "answer", 6);
		ld_udp_batch_answer(batch, i, 6 - i);
	}
	ld_udp_batch_send(batch, server);
	ld_udp_send(server, &peer, LD_SPAN("later"));
	assert_int_equal(recv(client, text, sizeof text, MSG_DONTWAIT), 6);
	assert_int_equal(recv(client, text, sizeof text, MSG_DONTWAIT), 4);
	assert_int_equal(recv(client, text, sizeof text, MSG_DONTWAIT), 5);
	assert_memory_equal(text, "later", 5);
	close(client);
	close(server);
	ld_udp_batch_free(batch);
}

static void
udp_ipv6_wildcard(void **state)
{
	struct ld_udp_batch *batch = ld_udp_batch_new();
	struct ld_address any = address_of("::"), ours = address_of("::1");
	uint8_t text[16];
	int server, client;

	(void)state;
	if (ld_listen_open(&server, &any, LD_LISTEN_UDP, NULL) != LINDUNG_OK) {
		ld_udp_batch_free(batch);
		skip(); /* a machine without IPv6 */
	}
	ours.v6.sin6_port = local_address(server).v6.sin6_port;
	client = socket(AF_INET6, SOCK_DGRAM, 0);
	assert_int_equal(connect(client, &ours.any, ours.len), 0);
	assert_int_equal(send(client, "question", 8, 0), 8);
	assert_int_equal(ld_udp_batch_receive(batch, server), 1);
	memcpy(ld_udp_batch_room(batch), "answer", 6);
	ld_udp_batch_answer(batch, 0, 6);
	ld_udp_batch_send(batch, server);
	assert_int_equal(recv(client, text, sizeof text, MSG_DONTWAIT), 6);
	close(client);
	close(server);
	ld_udp_batch_free(batch);
}

/* A TCP server that answers each frame with itself; "late" only when another frame comes, "drop"
 * never; a frame "big" is answered with 60,000 octets. */
struct echo {
	struct event_base *loop;
	struct ld_tcp *tcp;
	struct ld_timer *end;
	struct ld_address address;
	struct ld_tcp_ref late;
	bool has_late;
	int listener;
	unsigned frames;
};

static void
echo_frame(void *ctx, struct ld_tcp_ref from, struct ld_span frame, struct ld_span token)
{
	static const uint8_t big[60000];
	struct echo *echo = ctx;

	(void)token;
	echo->frames++;
	if (ld_span_equal(frame, LD_SPAN("late"))) {
		echo->late = from;
		echo->has_late = true;
		return;
	}
	if (ld_span_equal(frame, LD_SPAN("drop")))
		ld_tcp_drop(echo->tcp, from);
	else if (ld_span_equal(frame, LD_SPAN("big")))
		ld_tcp_answer(echo->tcp, from, ld_span(big, sizeof big), 0);
	else
		ld_tcp_answer(echo->tcp, from, frame, 0);
	if (echo->has_late) {
		echo->has_late = false;
		ld_tcp_answer(echo->tcp, echo->late, LD_SPAN("late"), 0);
	}
}

static void
echo_ends(void *ctx)
{
	ld_loop_stop(((struct echo *)ctx)->loop);
}

static void
echo_start(struct echo *echo, const struct ld_tcp_config *config)
{
	struct ld_address address = address_of("127.0.0.1");

	*echo = (struct echo){.loop = ld_loop_new()};
	assert_int_equal(ld_listen_open(&echo->listener, &address, LD_LISTEN_TCP, NULL),
			 LINDUNG_OK);
	echo->address = local_address(echo->listener);
	echo->end = ld_timer_new(echo->loop, echo_ends, echo);
	assert_int_equal(
		ld_tcp_new(&echo->tcp, echo->loop, echo->listener, config, echo_frame, echo),
		LINDUNG_OK);
}

static void
echo_run(struct echo *echo, unsigned time_ms)
{
	ld_timer_set(echo->end, time_ms);
	ld_loop_run(echo->loop);
}

static void
echo_stop(struct echo *echo)
{
	ld_tcp_free(echo->tcp);
	ld_timer_free(echo->end);
	close(echo->listener);
	ld_loop_free(echo->loop);
}

static int
echo_connect(const struct echo *echo)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	assert_int_equal(connect(fd, &echo->address.any, echo->address.len), 0);
	return fd;
}

static void
send_text(int fd, const char *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static const struct ld_tcp_config usual = {
	.connections_max = 8, .idle_ms = 5000, .in_flight_max = 4, .output_max = 256 * 1024};

static void
tcp_frames_in_any_pieces_and_order(void **state)
{
	struct echo echo;
	char got[256];
	int fd;

	(void)state;
	echo_start(&echo, &usual);
	fd = echo_connect(&echo);
	/* An empty frame, one that is answered after the next, one without an answer. */
	send_text(fd, "\0\0\0\4late\0\4drop\0\3one\0", 20);
	echo_run(&echo, 20);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 2 + 6 + 5);
	assert_memory_equal(got, "\0\0\0\4late\0\3one", 13);
	send_text(fd, "\5", 1);
	echo_run(&echo, 10);
	send_text(fd, "thr", 3);
	echo_run(&echo, 10);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), -1);
	send_text(fd, "ee", 2);
	echo_run(&echo, 10);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 7);
	assert_memory_equal(got, "\0\5three", 7);
	/* The peer that has said all still gets what it is owed. */
	send_text(fd, "\0\4late", 6);
	echo_run(&echo, 10);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	echo_run(&echo, 10);
	assert_int_equal(ld_tcp_count(echo.tcp), 1);
	ld_tcp_answer(echo.tcp, echo.late, LD_SPAN("at last"), 0);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 9);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 0);
	assert_int_equal(ld_tcp_count(echo.tcp), 0);
	/* Its slot may be someone else's by now: an answer to it goes nowhere. */
	ld_tcp_answer(echo.tcp, echo.late, LD_SPAN("too late"), 0);
	close(fd);
	echo_stop(&echo);
}

static void
tcp_in_flight_is_bounded(void **state)
{
	struct echo echo;
	char got[256];
	int fd;

	(void)state;
	echo_start(&echo, &usual);
	fd = echo_connect(&echo);
	for (int i = 0; i < 6; i++)
		send_text(fd, "\0\4late", 6);
	echo_run(&echo, 20);
	assert_int_equal(echo.frames, 4);
	echo.has_late = false;
	ld_tcp_drop(echo.tcp, echo.late); /* any one of the four: a count is all there is */
	assert_int_equal(echo.frames, 5);
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), -1);
	close(fd);
	echo_stop(&echo);
}

static void
tcp_slow_reader_ends(void **state)
{
	struct ld_tcp_config config = usual;
	struct echo echo;
	int fd, small = 4096;

	(void)state;
	config.idle_ms = 300;
	echo_start(&echo, &config);
	fd = echo_connect(&echo);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	for (int i = 0; i < 1000; i++)
		send_text(fd, "\0\3big", 5);
	echo_run(&echo, 100);
	/* It asked for 60 MB: far less was made, and the rest waits. */
	assert_in_range(echo.frames, 1, 200);
	assert_int_equal(ld_tcp_count(echo.tcp), 1);
	echo_run(&echo, 1200);
	assert_int_equal(ld_tcp_count(echo.tcp), 0);
	close(fd);
	echo_stop(&echo);
}

static void
tcp_big_answers_arrive_whole(void **state)
{
	struct echo echo;
	size_t want = 200 * (2 + 60000), got = 0;
	static char sink[1 << 16];
	int fd;

	(void)state;
	echo_start(&echo, &usual);
	fd = echo_connect(&echo);
	for (int i = 0; i < 200; i++)
		send_text(fd, "\0\3big", 5);
	for (int i = 0; i < 2000 && got < want; i++) {
		ssize_t n;

		echo_run(&echo, 1);
		while ((n = recv(fd, sink, sizeof sink, MSG_DONTWAIT)) > 0)
			got += (size_t)n;
	}
	assert_int_equal(got, want);
	assert_int_equal(echo.frames, 200);
	close(fd);
	echo_stop(&echo);
}

static void
tcp_makes_room_and_forgets_the_idle(void **state)
{
	struct ld_tcp_config config = usual;
	struct echo echo;
	int fds[5];
	char got[8];

	(void)state;
	config.connections_max = 4;
	config.idle_ms = 400;
	echo_start(&echo, &config);
	for (int i = 0; i < 4; i++) {
		fds[i] = echo_connect(&echo);
		echo_run(&echo, 5);
	}
	send_text(fds[0], "\0\4late", 6); /* the oldest is owed an answer: the second makes room */
	echo_run(&echo, 5);
	fds[4] = echo_connect(&echo);
	echo_run(&echo, 5);
	assert_int_equal(ld_tcp_count(echo.tcp), 4);
	assert_int_equal(recv(fds[1], got, sizeof got, MSG_DONTWAIT), 0);
	assert_int_equal(recv(fds[0], got, sizeof got, MSG_DONTWAIT), -1);
	/* Single octets do not keep a connection. */
	for (int i = 0; i < 10; i++) {
		(void)send(fds[4], "\0", 1, MSG_NOSIGNAL);
		echo_run(&echo, 110);
	}
	assert_int_equal(ld_tcp_count(echo.tcp), 1);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	echo_stop(&echo);
}

static int
page(void *ctx, const char *path, struct ld_buffer *body, const char **ret_type)
{
	(void)ctx;
	if (strcmp(path, "/page") != 0)
		return 404;
	*ret_type = "text/x-test";
	ld_buffer_printf(body, "hello\n");
	return 200;
}

static void
http_serves_a_page(void **state)
{
	static const struct {
		const char *request, *status, *part;
	} cases[] = {
		{"GET /page?x HTTP/1.0\r\n\r\n", "HTTP/1.1 200", "\r\n\r\nhello\n"},
		{"GET /page HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 200", "\r\n\r\nhello\n"},
		{"GET http://a/page HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200", "hello\n"},
		{"HEAD /page HTTP/1.0\r\n\r\n", "HTTP/1.1 200", "Content-Length: 6\r\n"},
		{"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404", "\r\n\r\n"},
		{"GET /page HTTP/1.1\r\n\r\n", "HTTP/1.1 400", ""}, /* no host */
		{"GET page HTTP/1.0\r\n\r\n", "HTTP/1.1 400", ""},
		{"GET http://a HTTP/1.0\r\n\r\n", "HTTP/1.1 400", ""},
		{"GET /page\r\n\r\n", "HTTP/1.1 400", ""},
		{"\r\n\r\n", "HTTP/1.1 400", ""},
		{"GET /page HTTP/2.0\r\n\r\n", "HTTP/1.1 505", ""},
		{"POST /page HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405", "Allow: GET"},
		{"POST /page HTTP/1.0\r\nContent-Length: 99999\r\n\r\n", "HTTP/1.1 405", ""},
	};
	struct echo echo = {.loop = ld_loop_new()};
	struct ld_address address = address_of("127.0.0.1"), bound;
	struct ld_http *http;
	int listener;

	(void)state;
	assert_int_equal(ld_listen_open(&listener, &address, LD_LISTEN_TCP, NULL), LINDUNG_OK);
	bound = local_address(listener);
	echo.end = ld_timer_new(echo.loop, echo_ends, &echo);
	assert_int_equal(ld_http_open(&http, echo.loop, listener, page, NULL), LINDUNG_OK);
	echo.address = bound;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char got[1024] = "";
		int fd = echo_connect(&echo);

		send_text(fd, cases[i].request, strlen(cases[i].request));
		echo_run(&echo, 30);
		assert_true(recv(fd, got, sizeof got - 1, MSG_DONTWAIT) > 0);
		assert_int_equal(strncmp(got, cases[i].status, strlen(cases[i].status)), 0);
		assert_non_null(strstr(got, cases[i].part));
		assert_true(strncmp(cases[i].request, "HEAD", 4) != 0 || !strstr(got, "hello"));
		close(fd);
	}
	ld_http_close(http);
	ld_timer_free(echo.end);
	ld_loop_free(echo.loop);
}

static void
bell_rung(void *ctx)
{
	echo_ends(ctx);
}

static void
bell_wakes_the_loop(void **state)
{
	struct echo echo = {.loop = ld_loop_new()};
	struct ld_bell *bell = ld_bell_new(echo.loop, bell_rung, &echo);
	int64_t start = ld_clock_monotonic_ms();

	(void)state;
	ld_bell_ring(bell);
	ld_bell_ring(bell);
	ld_loop_run(echo.loop);
	assert_in_range(ld_clock_monotonic_ms() - start, 0, 1000);
	ld_bell_free(bell);
	ld_loop_free(echo.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(taken_port_is_told),
		cmocka_unit_test(udp_answers_from_the_address_asked),
		cmocka_unit_test(udp_ipv6_wildcard),
		cmocka_unit_test(tcp_frames_in_any_pieces_and_order),
		cmocka_unit_test(tcp_in_flight_is_bounded),
		cmocka_unit_test(tcp_slow_reader_ends),
		cmocka_unit_test(tcp_big_answers_arrive_whole),
		cmocka_unit_test(tcp_makes_room_and_forgets_the_idle),
		cmocka_unit_test(http_serves_a_page),
		cmocka_unit_test(bell_wakes_the_loop),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
