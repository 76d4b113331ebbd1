/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "upstream/backend.h"
#include "upstream/extended_error.h"
#include "upstream/forward_message.h"
#include "upstream/forward_servers.h"

/* What a fake server does with a query over UDP; over TCP it always answers. */
enum manner {
	ANSWERS,
	SILENT,
	WRONG_ID,    /* and then answers */
	WRONG_NAME,  /* and then answers */
	GUESSED,     /* a hundred wrong ids, and no answer */
	CUT,         /* TC */
	HUGE_PACKET, /* more than 4096 octets */
	SERVFAIL,
	REFUSED_BARE, /* no question */
	NO_EDNS,      /* FORMERR as long as there is an OPT */
};

struct fake {
	struct event_base *loop;
	struct ld_watch *watch;
	struct ld_tcp *tcp;
	int udp, listener;
	char text[LD_ADDRESS_TEXT_MAX];
	enum manner manner;
	unsigned asked, asked_tcp;
	uint16_t ports[3]; /* of the last who asked */
	uint16_t flags;
};

struct outcome {
	struct event_base *loop;
	unsigned count;
	int error, ede;
	uint8_t message[8192];
	size_t len;
};

static struct event_base *loop;
static struct fake fakes[2];

/* The query as an answer, without its OPT: header and question. */
static size_t
reply_make(uint8_t *out, struct ld_span query, unsigned rcode)
{
	size_t len = query.len - (ld_get_be16(query.data + 10) != 0 ? 11 : 0);

	memcpy(out, query.data, len);
	ld_put_be16(out + 2, (uint16_t)(0x8180 | rcode));
	ld_put_be16(out + 10, 0);
	return len;
}

static void
fake_udp(void *ctx, int fd, unsigned what)
{
	struct fake *fake = ctx;
	uint8_t query[512], reply[8192] = {0};
	struct ld_address from = {.len = sizeof from.v6};
	ssize_t n = recvfrom(fd, query, sizeof query, 0, &from.any, &from.len);
	size_t len;

	(void)what;
	assert_true(n > 12);
	fake->ports[fake->asked++ % 3] = ld_address_port(&from);
	fake->flags = ld_get_be16(query + 2);
	len = reply_make(reply, ld_span(query, (size_t)n), 0);
	switch (fake->manner) {
	case SILENT:
		return;
	case WRONG_ID:
		reply[0] ^= 1;
		sendto(fd, reply, len, 0, &from.any, from.len);
		reply[0] ^= 1;
		break;
	case WRONG_NAME:
		reply[13] ^= 1;
		sendto(fd, reply, len, 0, &from.any, from.len);
		reply[13] ^= 1;
		break;
	case GUESSED:
		for (int i = 0; i < 100; i++) {
			reply[0]++;
			sendto(fd, reply, len, 0, &from.any, from.len);
		}
		return;
	case CUT:
		reply[2] |= 0x02;
		break;
	case HUGE_PACKET:
		len = 5000;
		break;
	case SERVFAIL:
		reply[3] |= 2;
		break;
	case REFUSED_BARE:
		reply[3] |= 5;
		reply[5] = 0;
		len = 12;
		break;
	case NO_EDNS:
		if (ld_get_be16(query + 10) != 0) {
			reply[3] |= 1;
			len = 12;
			reply[5] = 0;
		}
		break;
	case ANSWERS:
		break;
	}
	sendto(fd, reply, len, 0, &from.any, from.len);
}

static void
fake_tcp(void *ctx, struct ld_tcp_ref from, struct ld_span frame, struct ld_span token)
{
	struct fake *fake = ctx;
	uint8_t reply[6000] = {0};

	(void)token;
	fake->asked_tcp++;
	reply_make(reply, frame, 0);
	ld_tcp_answer(fake->tcp, from, ld_span(reply, sizeof reply), 0);
}

static void
fake_start(struct fake *fake)
{
	static const struct ld_tcp_config config = {
		.connections_max = 8, .idle_ms = 5000, .in_flight_max = 8, .output_max = 1 << 20};
	struct ld_address address = {.len = 0};

	*fake = (struct fake){.loop = loop};
	assert_int_equal(ld_address_from_text(&address, LD_SPAN("127.0.0.1"), 1, NULL), LINDUNG_OK);
	/* A port that is free for UDP may be somebody's for TCP. */
	for (unsigned tries = 0;; tries++) {
		address.v4.sin_port = 0;
		assert_int_equal(ld_listen_open(&fake->udp, &address, LD_LISTEN_UDP, NULL),
				 LINDUNG_OK);
		assert_int_equal(getsockname(fake->udp, &address.any, &address.len), 0);
		if (ld_listen_open(&fake->listener, &address, LD_LISTEN_TCP, NULL) == LINDUNG_OK)
			break;
		assert_in_range(tries, 0, 50);
		close(fake->udp);
	}
	snprintf(fake->text, sizeof fake->text, "127.0.0.1@%u", ld_address_port(&address));
	fake->watch = ld_watch_new(loop, fake->udp, fake_udp, fake);
	ld_watch_set(fake->watch, LD_READABLE);
	assert_int_equal(ld_tcp_new(&fake->tcp, loop, fake->listener, &config, fake_tcp, fake),
			 LINDUNG_OK);
}

/* Nobody listens there any more. */
static void
fake_stop(struct fake *fake)
{
	if (fake->watch == NULL)
		return;
	ld_watch_free(fake->watch);
	fake->watch = NULL;
	ld_tcp_free(fake->tcp);
	close(fake->udp);
	close(fake->listener);
}

static int
start(void **state)
{
	(void)state;
	loop = ld_loop_new();
	fake_start(&fakes[0]);
	fake_start(&fakes[1]);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	fake_stop(&fakes[0]);
	fake_stop(&fakes[1]);
	ld_loop_free(loop);
	return 0;
}

static struct ld_upstream *
forward_to(unsigned count)
{
	const char *servers[] = {fakes[0].text, fakes[1].text};
	struct ld_upstream_config config = {
		.forward = true, .servers = servers, .server_count = count, .timeout_ms = 4000};
	struct ld_upstream *upstream;
	struct ld_report report;

	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_OK);
	return upstream;
}

static void
told(void *ctx, const struct ld_upstream_result *result)
{
	struct outcome *outcome = ctx;

	outcome->count++;
	outcome->error = result->error;
	outcome->ede = result->ede;
	outcome->len = result->message.len;
	assert_true(outcome->len <= sizeof outcome->message);
	if (outcome->len != 0)
		memcpy(outcome->message, result->message.data, outcome->len);
	ld_loop_stop(loop);
}

static struct ld_name
name_of(const char *text)
{
	struct ld_name name;

	assert_int_equal(ld_name_from_text(&name, ld_span_str(text)), LINDUNG_OK);
	return name;
}

/* Ask, and wait for what comes of it. */
static struct outcome
ask(struct ld_upstream *upstream)
{
	struct ld_name name = name_of("Www.example.com");
	struct outcome outcome = {.loop = loop};

	assert_int_equal(ld_upstream_ask(upstream, &name, 1, false, told, &outcome), LINDUNG_OK);
	assert_int_equal(outcome.count, 0);
	while (outcome.count == 0)
		ld_loop_run(loop);
	assert_int_equal(outcome.count, 1);
	return outcome;
}

static void
assert_answered(const struct outcome *outcome, unsigned rcode)
{
	assert_int_equal(outcome->error, LINDUNG_OK);
	assert_true(outcome->len >= 33);
	assert_int_equal(outcome->message[3] & 0xf, rcode);
	assert_memory_equal(outcome->message + 12, "\3Www\7example\3com\0\0\1\0\1", 21);
}

static void
an_answer_comes_back(void **state)
{
	struct ld_upstream *upstream = forward_to(1);
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 3; i++) {
		outcome = ask(upstream);
		assert_answered(&outcome, 0);
		assert_int_equal(outcome.ede, -1);
	}
	assert_int_equal(fakes[0].asked, 3);
	assert_int_equal(fakes[0].flags, 0x0100);
	/* Every question has a port of its own: three alike by chance are one in 8e8. */
	assert_false(fakes[0].ports[0] == fakes[0].ports[1] &&
		     fakes[0].ports[1] == fakes[0].ports[2]);
	ld_upstream_free(upstream);
}

static void
foreign_replies_are_passed_over(void **state)
{
	static const enum manner manners[] = {WRONG_ID, WRONG_NAME};
	struct ld_upstream *upstream = forward_to(1);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fakes[0].manner = manners[i];
		struct outcome outcome = ask(upstream);
		assert_answered(&outcome, 0);
	}
	assert_int_equal(fakes[0].asked, 2);
	assert_int_equal(fakes[0].asked_tcp, 0);
	fakes[0].manner = GUESSED;
	struct outcome outcome = ask(upstream);
	assert_answered(&outcome, 0);
	assert_int_equal(outcome.len, 6000);
	assert_int_equal(fakes[0].asked_tcp, 1);
	ld_upstream_free(upstream);
}

static void
a_cut_answer_is_fetched_over_tcp(void **state)
{
	static const enum manner manners[] = {CUT, HUGE_PACKET};
	struct ld_upstream *upstream = forward_to(1);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fakes[0].manner = manners[i];
		struct outcome outcome = ask(upstream);
		assert_answered(&outcome, 0);
		assert_int_equal(outcome.len, 6000);
		assert_int_equal(fakes[0].asked_tcp, i + 1);
	}
	ld_upstream_free(upstream);
}

static void
a_silent_server_is_left_for_the_next(void **state)
{
	struct ld_upstream *upstream = forward_to(2);
	int64_t start_ms;

	(void)state;
	fakes[0].manner = SILENT;
	struct outcome outcome = ask(upstream);
	assert_answered(&outcome, 0);
	assert_int_equal(fakes[0].asked, 1);
	assert_int_equal(fakes[1].asked, 1);
	/* Now the other is known to be quicker, and nobody waits ... */
	start_ms = ld_clock_monotonic_ms();
	for (int i = 0; i < 20; i++) {
		outcome = ask(upstream);
		assert_answered(&outcome, 0);
	}
	assert_in_range(ld_clock_monotonic_ms() - start_ms, 0, 300);
	assert_int_equal(fakes[1].asked, 21);
	/* ... until a copy shows that it is well: then it is the first again.  (One that is under
	 * way may still be waited for.) */
	fakes[0].manner = ANSWERS;
	unsigned before = fakes[0].asked;
	start_ms = ld_clock_monotonic_ms();
	while (fakes[0].asked < before + 20 && ld_clock_monotonic_ms() < start_ms + 5000) {
		outcome = ask(upstream);
		assert_answered(&outcome, 0);
	}
	assert_true(fakes[0].asked >= before + 20);
	assert_true(ld_upstream_counter(upstream, LD_UPSTREAM_COUNTER_PROBED) > 0);
	ld_upstream_free(upstream);
}

static void
all_silent_ends_in_time(void **state)
{
	struct ld_upstream *upstream = forward_to(1);
	int64_t start_ms = ld_clock_monotonic_ms();
	struct outcome outcome;

	(void)state;
	fakes[0].manner = SILENT;
	outcome = ask(upstream);
	assert_int_equal(outcome.error, LINDUNG_ETIMEOUT);
	assert_int_equal(outcome.ede, LD_EDE_NO_AUTHORITY);
	assert_int_equal(outcome.len, 0);
	assert_in_range(ld_clock_monotonic_ms() - start_ms, 3900, 4500);
	assert_int_equal(fakes[0].asked, 3);
	/* Known to be down: nobody waits so long again. */
	start_ms = ld_clock_monotonic_ms();
	outcome = ask(upstream);
	assert_int_equal(outcome.ede, LD_EDE_NO_AUTHORITY);
	assert_in_range(ld_clock_monotonic_ms() - start_ms, 700, 1100);
	ld_upstream_free(upstream);
}

static void
dead_servers_end_at_once(void **state)
{
	struct ld_upstream *upstream = forward_to(2);
	int64_t start_ms = ld_clock_monotonic_ms();
	struct outcome outcome;

	(void)state;
	fake_stop(&fakes[0]);
	outcome = ask(upstream);
	assert_answered(&outcome, 0);
	fake_stop(&fakes[1]);
	outcome = ask(upstream);
	assert_int_equal(outcome.error, LINDUNG_ENET);
	assert_int_equal(outcome.ede, LD_EDE_NETWORK);
	assert_in_range(ld_clock_monotonic_ms() - start_ms, 0, 500);
	ld_upstream_free(upstream);
}

static void
an_unwilling_server_is_left_for_the_next(void **state)
{
	static const enum manner manners[] = {SERVFAIL, REFUSED_BARE};
	struct ld_upstream *upstream = forward_to(2);
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fakes[0].manner = manners[i];
		outcome = ask(upstream);
		assert_answered(&outcome, 0);
	}
	assert_int_equal(fakes[0].asked, 2);
	/* If all say so, the client sees it, each asked once (and a copy now and then). */
	unsigned before = fakes[0].asked + fakes[1].asked;
	uint64_t probes = ld_upstream_counter(upstream, LD_UPSTREAM_COUNTER_PROBED);
	fakes[0].manner = fakes[1].manner = SERVFAIL;
	outcome = ask(upstream);
	assert_answered(&outcome, 2);
	probes = ld_upstream_counter(upstream, LD_UPSTREAM_COUNTER_PROBED) - probes;
	assert_in_range(fakes[0].asked + fakes[1].asked, before + 2, before + 2 + probes);
	fakes[0].manner = fakes[1].manner = REFUSED_BARE;
	outcome = ask(upstream);
	assert_int_equal(outcome.error, LINDUNG_OK);
	assert_int_equal(outcome.message[3] & 0xf, 5);
	ld_upstream_free(upstream);
}

/* What this machine lacks is told as that, and the server need not rest for it. */
static void
no_descriptor_is_not_the_servers_fault(void **state)
{
	struct ld_upstream *upstream = forward_to(1);
	struct rlimit before, none;
	struct outcome outcome;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	for (int i = 0; i < 5; i++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		outcome = ask(upstream);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(outcome.error, LINDUNG_ENET);
		assert_int_equal(outcome.ede, LD_EDE_OTHER);
	}
	/* One that rests would be asked once, and for 900 ms. */
	fakes[0].manner = SILENT;
	int64_t start_ms = ld_clock_monotonic_ms();
	outcome = ask(upstream);
	assert_int_equal(outcome.error, LINDUNG_ETIMEOUT);
	assert_int_equal(fakes[0].asked, 3);
	assert_true(ld_clock_monotonic_ms() - start_ms > 2000);
	ld_upstream_free(upstream);
}

static void
a_server_without_edns_is_asked_without(void **state)
{
	struct ld_upstream *upstream = forward_to(1);
	struct outcome outcome;

	(void)state;
	fakes[0].manner = NO_EDNS;
	outcome = ask(upstream);
	assert_answered(&outcome, 0);
	assert_int_equal(fakes[0].asked, 2);
	ld_upstream_free(upstream);
}

static void
in_flight_is_bounded_and_freed(void **state)
{
	struct ld_upstream *upstream = forward_to(1);
	struct ld_name name = name_of("example.com");
	struct outcome outcome = {.loop = loop};
	int err = LINDUNG_OK;
	unsigned asked = 0;

	(void)state;
	/* As many as there may be, or as the limit of descriptors lets there be. */
	for (; err == LINDUNG_OK && asked <= LD_UPSTREAM_IN_FLIGHT_MAX; asked++)
		err = ld_upstream_ask(upstream, &name, 1, true, told, &outcome);
	assert_int_equal(err, LINDUNG_ELIMIT);
	assert_int_equal(asked, LD_UPSTREAM_IN_FLIGHT_MAX + 1);
	ld_upstream_free(upstream);
	assert_int_equal(outcome.count, 0);
}

static void
rests_double(void **state)
{
	struct ld_forward_server server = {0};
	struct ld_forward_servers two = {.count = 2};
	int64_t now_ms = 1000;

	(void)state;
	for (int i = 0; i < 100; i++) /* all asked at one time */
		ld_forward_server_failed(&server, 0, now_ms);
	assert_int_equal(server.failures, 1);
	ld_forward_server_failed(&server, 1001, 2000);
	assert_int_equal(server.rests_until_ms, 0);
	ld_forward_server_failed(&server, 2001, 3000);
	assert_int_equal(server.rests_until_ms, 4000);
	ld_forward_server_failed(&server, 4001, 5000);
	assert_int_equal(server.rests_until_ms, 7000);
	for (int64_t at = 10000; at < 30000; at += 1000)
		ld_forward_server_failed(&server, at, at + 1);
	assert_int_equal(server.rests_until_ms, 29001 + 32000);
	two.items[0] = server;
	assert_int_equal(ld_forward_servers_choose(&two, 0, 30000), 1);
	assert_int_equal(ld_forward_servers_choose(&two, 2, 30000), 0);
	assert_int_equal(ld_forward_servers_choose(&two, 3, 30000), -1);
	assert_false(ld_forward_servers_rest(&two, 30000));
	two.items[1] = server;
	assert_true(ld_forward_servers_rest(&two, 30000));
	ld_forward_server_answered(&two.items[0], 30000, 30040);
	assert_int_equal(ld_forward_servers_choose(&two, 0, 30000), 0);
	assert_int_equal(ld_forward_server_wait_ms(&two.items[0]), 200);
}

static void
extended_errors_are_handed_on(void **state)
{
	/* A question, then OPT with: a cookie, 15 "ads", 6 without text, one too short, 1, 2, 3. */
	static const char message[] = "\x12\x34\x81\x82\0\1\0\0\0\0\0\1"
				      "\0\0\1\0\1"
				      "\0\0\x29\4\xd0\0\0\0\0\0\x2f"
				      "\0\x0a\0\1c"
				      "\0\x0f\0\5\0\x0f"
				      "ads"
				      "\0\x0f\0\2\0\6"
				      "\0\x0f\0\1\0"
				      "\0\x0f\0\2\0\1"
				      "\0\x0f\0\2\0\2"
				      "\0\x0f\0\2\0\3"
				      "\0\x0f\0\1";
	struct ld_upstream_result result = {.ede_count = 3};
	size_t len = sizeof message - 1;

	(void)state;
	ld_extended_errors_read(&result, ld_span(message, len - 1));
	assert_int_equal(result.ede_count, 0);
	ld_extended_errors_read(&result, ld_span(message, len));
	assert_int_equal(result.ede_count, LD_UPSTREAM_EDE_MAX);
	assert_int_equal(result.edes[0].code, 15);
	assert_int_equal(result.edes[0].text.len, 3);
	assert_memory_equal(result.edes[0].text.data, "ads", 3);
	assert_int_equal(result.edes[1].code, 6);
	assert_int_equal(result.edes[1].text.len, 0);
	assert_int_equal(result.edes[2].code, 1);
	assert_int_equal(result.edes[3].code, 2);
}

static void
words_about_what_is_bogus_have_a_code(void **state)
{
	static const struct {
		const char *why;
		int code;
	} cases[] = {
		{"", LD_EDE_BOGUS},
		{"validation failure <a. A IN>: signature expired from 192.0.2.1",
		 LD_EDE_SIG_EXPIRED},
		{"validation failure <a. A IN>: signature before inception date from 192.0.2.1",
		 LD_EDE_SIG_NOT_YET},
		{"validation failure <a. A IN>: No DNSKEY record from 192.0.2.1 for key a.",
		 LD_EDE_DNSKEY_MISSING},
		{"validation failure <a. A IN>: no signatures from 192.0.2.1",
		 LD_EDE_RRSIGS_MISSING},
		{"validation failure <a. A IN>: no NSEC3 records from 192.0.2.1",
		 LD_EDE_NSEC_MISSING},
		{"validation failure <a. A IN>: signature crypto failed", LD_EDE_BOGUS},
		/* A name cannot speak for us. */
		{"validation failure <no\\032signatures>:no. A IN>: bogus", LD_EDE_BOGUS},
		{"no signatures", LD_EDE_BOGUS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(ld_extended_error_bogus(cases[i].why), cases[i].code);
}

static void
a_wrong_configuration_is_told(void **state)
{
	const char *servers[] = {"dns.example"};
	struct ld_upstream_config config = {.forward = true, .servers = servers};
	struct ld_upstream *upstream = NULL;
	struct ld_report report;

	(void)state;
	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_ECONFIG);
	assert_non_null(strstr(report.text, "upstream.servers"));
	config.server_count = 1;
	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_ECONFIG);
	assert_non_null(strstr(report.text, "dns.example"));
	config = (struct ld_upstream_config){.dnssec = true, .trust_anchor = "/no/such"};
	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, "/no/such"));
	/* One that is no trust anchor is told at once, too, not at the first question. */
	config.trust_anchor = "/etc/passwd";
	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, "/etc/passwd"));
	assert_null(upstream);
}

/* libunbound knows localhost by itself, and says so before the call returns: we may not. */
static void
recursion_answers_from_the_loop(void **state)
{
	struct ld_upstream_config config = {.timeout_ms = 1500, .dnssec = true};
	struct ld_name local = name_of("localhost"), other = name_of("www.example.com");
	struct outcome outcome = {.loop = loop}, lost = {.loop = loop};
	struct ld_upstream *upstream;
	struct ld_report report;
	int64_t start_ms = ld_clock_monotonic_ms();

	(void)state;
	assert_int_equal(ld_upstream_new(&upstream, loop, &config, &report), LINDUNG_OK);
	assert_int_equal(ld_upstream_ask(upstream, &local, 1, false, told, &outcome), LINDUNG_OK);
	assert_int_equal(outcome.count, 0);
	while (outcome.count == 0)
		ld_loop_run(loop);
	if (outcome.error == LINDUNG_OK) /* else this machine has no route at all */
		assert_non_null(memmem(outcome.message, outcome.len, "\0\4\x7f\0\0\1", 6));
	else
		assert_int_equal(outcome.ede, LD_EDE_NETWORK);
	/* With a network an answer, without one the reason: in any case in time. */
	outcome.count = 0;
	assert_int_equal(ld_upstream_ask(upstream, &other, 1, false, told, &outcome), LINDUNG_OK);
	while (outcome.count == 0)
		ld_loop_run(loop);
	if (outcome.error != LINDUNG_OK)
		assert_in_range(outcome.ede, LD_EDE_NO_AUTHORITY, LD_EDE_NETWORK);
	assert_in_range(ld_clock_monotonic_ms() - start_ms, 0, 2500);
	assert_int_equal(ld_upstream_ask(upstream, &other, 28, false, told, &lost), LINDUNG_OK);
	ld_upstream_free(upstream);
	assert_int_equal(lost.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_comes_back, start, stop),
		cmocka_unit_test_setup_teardown(foreign_replies_are_passed_over, start, stop),
		cmocka_unit_test_setup_teardown(a_cut_answer_is_fetched_over_tcp, start, stop),
		cmocka_unit_test_setup_teardown(a_silent_server_is_left_for_the_next, start, stop),
		cmocka_unit_test_setup_teardown(all_silent_ends_in_time, start, stop),
		cmocka_unit_test_setup_teardown(dead_servers_end_at_once, start, stop),
		cmocka_unit_test_setup_teardown(an_unwilling_server_is_left_for_the_next, start,
						stop),
		cmocka_unit_test_setup_teardown(no_descriptor_is_not_the_servers_fault, start,
						stop),
		cmocka_unit_test_setup_teardown(a_server_without_edns_is_asked_without, start,
						stop),
		cmocka_unit_test_setup_teardown(in_flight_is_bounded_and_freed, start, stop),
		cmocka_unit_test(rests_double),
		cmocka_unit_test(extended_errors_are_handed_on),
		cmocka_unit_test(words_about_what_is_bogus_have_a_code),
		cmocka_unit_test_setup_teardown(a_wrong_configuration_is_told, start, stop),
		cmocka_unit_test_setup_teardown(recursion_answers_from_the_loop, start, stop),
	};

	return cmocka_run_group_tests_name("upstream", tests, NULL, NULL);
}
