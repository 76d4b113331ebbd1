/* Recursion from the root, validated, by libunbound in its event mode.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libunbound remembers servers that did not answer for a quarter of an hour, and so would go on
 * failing after the network is back: while this machine has no route at all, it is not asked. */
#include "upstream/backend.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <unbound.h>
#include <unbound-event.h>

#include "base/clock.h"
#include "net/loop.h"
#include "upstream/extended_error.h"

#define TRUST_ANCHOR_DEBIAN "/usr/share/dns/root.key"

enum {
	CLASS_IN = 1,
	ROUTE_CHECK_MS = 500,
	LATE_MANY = 3, /* questions in a row without an answer: then nobody waits long */
	LATE_END_MS = 1500,
	UB_BOGUS = 1, /* `sec` of the event callback */
	UB_SECURE = 2,
	WHY_MAX_BYTES = 128, /* of libunbound's text about what is bogus */
};

struct question {
	TAILQ_ENTRY(question) link;
	struct ld_recurse *recurse;
	ld_upstream_done *done;
	void *ctx;
	int64_t end_ms;
	int id; /* libunbound's */
	bool checking_disabled;
	bool ready; /* `result` is known, and told from the loop */
	struct ld_upstream_result result;
	uint8_t *copy; /* of its message */
	char why[WHY_MAX_BYTES];
};

TAILQ_HEAD(questions, question);

struct ld_recurse {
	struct ub_ctx *unbound;
	struct ld_timer *timer;
	struct questions questions; /* by end_ms */
	struct questions ready;
	unsigned in_flight;
	unsigned timeout_ms;
	unsigned late; /* questions in a row that were not answered in time */
	int64_t route_checked_ms;
	bool has_route;
	bool ending; /* libunbound ends its questions by failing them: nobody wants to know */
};

/* The root's keys, should the machine have no file with them (IANA, 2017 and 2024). */
static const char *const anchors[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

/* Small: the resolver has a cache of its own in front; this one holds delegations and keys. */
static const char *const options[][2] = {
	{"msg-cache-size:", "1m"},         {"rrset-cache-size:", "4m"},
	{"key-cache-size:", "1m"},         {"neg-cache-size:", "512k"},
	{"outgoing-range:", "1024"},       {"num-queries-per-thread:", "1024"},
	{"outgoing-num-tcp:", "32"},       {"edns-buffer-size:", "1232"},
	{"qname-minimisation:", "yes"},    {"aggressive-nsec:", "yes"},
	{"harden-glue:", "yes"},           {"harden-dnssec-stripped:", "yes"},
	{"harden-below-nxdomain:", "yes"}, {"harden-referral-path:", "no"},
	{"infra-keep-probing:", "yes"},    {"do-not-query-localhost:", "yes"},
};

/* A route to the root server a.root-servers.net: connecting a UDP socket sends nothing. */
static bool
route_exists(int family)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool exists;

	if (fd < 0)
		return false;
	inet_pton(AF_INET, "198.41.0.4", &v4.sin_addr);
	inet_pton(AF_INET6, "2001:503:ba3e::2:30", &v6.sin6_addr);
	if (family == AF_INET)
		exists = connect(fd, (struct sockaddr *)&v4, sizeof v4) == 0;
	else
		exists = connect(fd, (struct sockaddr *)&v6, sizeof v6) == 0;
	close(fd);
	return exists;
}

static bool
route_check(struct ld_recurse *recurse, int64_t now_ms)
{
	if (recurse->route_checked_ms == 0 ||
	    now_ms - recurse->route_checked_ms >= ROUTE_CHECK_MS) {
		recurse->has_route = route_exists(AF_INET) || route_exists(AF_INET6);
		recurse->route_checked_ms = now_ms;
	}
	return recurse->has_route;
}

static const struct ld_upstream_result result_late = {
	.error = LINDUNG_ETIMEOUT,
	.ede = LD_EDE_NO_AUTHORITY,
	.ede_text = "the name servers did not answer in time",
};

static const struct ld_upstream_result result_no_route = {
	.error = LINDUNG_ENET,
	.ede = LD_EDE_NETWORK,
	.ede_text = "this resolver has no connection to the Internet",
};

static const struct ld_upstream_result result_failed = {
	.error = LINDUNG_ENET,
	.ede = LD_EDE_NO_AUTHORITY,
	.ede_text = "no name server of this name gave an answer",
};

/* By end_ms; nearly always that is at the end. */
static void
questions_insert(struct questions *questions, struct question *q)
{
	struct question *before = TAILQ_LAST(questions, questions);

	while (before != NULL && before->end_ms > q->end_ms)
		before = TAILQ_PREV(before, questions, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(questions, before, q, link);
	else
		TAILQ_INSERT_HEAD(questions, q, link);
}

static void
question_free(struct question *q)
{
	TAILQ_REMOVE(q->ready ? &q->recurse->ready : &q->recurse->questions, q, link);
	q->recurse->in_flight--;
	free(q->copy);
	free(q);
}

static void
question_end(struct question *q, const struct ld_upstream_result *result)
{
	q->done(q->ctx, result);
	question_free(q);
}

/* Have the result told from the loop, not out of libunbound: it may call back before
 * ub_resolve_event() returns, and whoever is told may ask it the next question, whose answer it
 * writes into the very buffer that this one stands in. */
static void
question_defer(struct question *q, const struct ld_upstream_result *result)
{
	q->result = *result;
	if (result->message.len != 0) {
		q->copy = malloc(result->message.len);
		if (q->copy == NULL) {
			q->result = result_failed;
		} else {
			memcpy(q->copy, result->message.data, result->message.len);
			q->result.message.data = q->copy;
		}
	}
	TAILQ_REMOVE(&q->recurse->questions, q, link);
	TAILQ_INSERT_TAIL(&q->recurse->ready, q, link);
	q->ready = true;
}

static void
timer_set(struct ld_recurse *recurse)
{
	const struct question *first = TAILQ_FIRST(&recurse->questions);
	int64_t left;

	if (!TAILQ_EMPTY(&recurse->ready)) {
		ld_timer_set(recurse->timer, 0);
		return;
	}
	if (first == NULL)
		return;
	left = first->end_ms - ld_clock_monotonic_ms();
	ld_timer_set(recurse->timer, left > 0 ? (unsigned)left : 0);
}

static void
timer_fired(void *ctx)
{
	struct ld_recurse *recurse = ctx;
	int64_t now_ms = ld_clock_monotonic_ms();
	struct question *q;

	while ((q = TAILQ_FIRST(&recurse->ready)) != NULL)
		question_end(q, &q->result);
	while ((q = TAILQ_FIRST(&recurse->questions)) != NULL && q->end_ms <= now_ms) {
		ub_cancel(recurse->unbound, q->id);
		recurse->late++;
		question_end(q, &result_late);
	}
	timer_set(recurse);
}

static void
resolved(void *ctx, int rcode, void *packet, int len, int sec, char *why_bogus, int ratelimited)
{
	struct question *q = ctx;
	struct ld_upstream_result result = {.ede = LD_UPSTREAM_EDE_NONE};

	(void)ratelimited;
	if (q->recurse->ending)
		return;
	q->recurse->late = 0;
	if (rcode != 0 || packet == NULL || len <= 0) {
		result = result_failed;
	} else if (sec == UB_BOGUS && !q->checking_disabled) {
		result.error = LINDUNG_ENET;
		snprintf(q->why, sizeof q->why, "%s", why_bogus != NULL ? why_bogus : "");
		result.ede = ld_extended_error_bogus(why_bogus != NULL ? why_bogus : "");
		result.ede_text = q->why;
	} else {
		result.message = ld_span(packet, (size_t)len);
		result.secure = sec == UB_SECURE;
	}
	question_defer(q, &result);
	timer_set(q->recurse);
}

/* The trust anchor: the file named, else Debian's, else the keys known here. */
static int
anchor_add(struct ld_recurse *recurse, const struct ld_upstream_config *config,
	   struct ld_report *report)
{
	const char *file = config->trust_anchor;
	int err = 0;

	if (file == NULL && access(TRUST_ANCHOR_DEBIAN, R_OK) == 0)
		file = TRUST_ANCHOR_DEBIAN;
	if (file != NULL) {
		/* libunbound reads it at the first question: too late to tell anyone. */
		if (access(file, R_OK) != 0)
			return ld_fail(report, LINDUNG_EIO, "%s: the trust anchor cannot be read",
				       file);
		err = ub_ctx_add_ta_file(recurse->unbound, file);
	} else {
		for (size_t i = 0; i < sizeof anchors / sizeof anchors[0] && err == 0; i++)
			err = ub_ctx_add_ta(recurse->unbound, anchors[i]);
	}
	if (err != 0)
		return ld_fail(report, LINDUNG_EINTERNAL, "libunbound refuses the trust anchor: %s",
			       ub_strerror(err));
	return LINDUNG_OK;
}

static int
option_set(struct ld_recurse *recurse, const char *name, const char *value,
	   struct ld_report *report)
{
	int err = ub_ctx_set_option(recurse->unbound, name, value);

	if (err != 0)
		return ld_fail(report, LINDUNG_EINTERNAL, "libunbound refuses \"%s %s\": %s", name,
			       value, ub_strerror(err));
	return LINDUNG_OK;
}

static int
unbound_configure(struct ld_recurse *recurse, const struct ld_upstream_config *config,
		  struct ld_report *report)
{
	int err = LINDUNG_OK, v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ub_ctx_debugout(recurse->unbound, NULL); /* libraries do not print */
	for (size_t i = 0; i < sizeof options / sizeof options[0] && err == LINDUNG_OK; i++)
		err = option_set(recurse, options[i][0], options[i][1], report);
	if (err == LINDUNG_OK)
		err = option_set(recurse, "module-config:",
				 config->dnssec ? "validator iterator" : "iterator", report);
	if (err == LINDUNG_OK)
		err = option_set(recurse, "do-ip6:", v6 >= 0 ? "yes" : "no", report);
	if (v6 >= 0)
		close(v6);
	if (err == LINDUNG_OK && config->root_hints != NULL) {
		if (access(config->root_hints, R_OK) != 0)
			return ld_fail(report, LINDUNG_EIO, "%s: the root hints cannot be read",
				       config->root_hints);
		err = option_set(recurse, "root-hints:", config->root_hints, report);
	}
	if (err == LINDUNG_OK && config->dnssec)
		err = anchor_add(recurse, config, report);
	return err;
}

static void
nobody_cares(void *ctx, int rcode, void *packet, int len, int sec, char *why_bogus, int ratelimited)
{
	(void)ctx;
	(void)rcode;
	(void)packet;
	(void)len;
	(void)sec;
	(void)why_bogus;
	(void)ratelimited;
}

/* libunbound reads its files with the first question.  Ask one that it answers itself, without a
 * packet: later there may be no right to open files, and now somebody can be told what is wrong. */
static int
unbound_begin(struct ld_recurse *recurse, struct ld_report *report)
{
	int id, err = ub_resolve_event(recurse->unbound, "localhost", LD_TYPE_A, CLASS_IN, NULL,
				       nobody_cares, &id);

	if (err != 0)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "libunbound cannot begin: %s (upstream.trust-anchor, "
			       "upstream.root-hints?)",
			       ub_strerror(err));
	return LINDUNG_OK;
}

static void
nothing_wanted(void *ctx, int rcode, void *packet, int len, int sec, char *why_bogus,
	       int ratelimited)
{
	(void)ctx, (void)rcode, (void)packet, (void)len;
	(void)sec, (void)why_bogus, (void)ratelimited;
}

/* libunbound reads its files at the first question.  Have it do so now, while they may be read, and
 * while somebody can be told: with a name that it knows itself. */
static int
files_read(struct ld_recurse *recurse, const struct ld_upstream_config *config,
	   struct ld_report *report)
{
	int err = ub_resolve_event(recurse->unbound, "localhost", LD_TYPE_A, CLASS_IN, NULL,
				   nothing_wanted, NULL);

	if (err == 0)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_EIO,
		       "libunbound cannot begin: %s; is %s%s%s what it should be?",
		       ub_strerror(err),
		       config->trust_anchor != NULL ? config->trust_anchor : TRUST_ANCHOR_DEBIAN,
		       config->root_hints != NULL ? ", or " : "",
		       config->root_hints != NULL ? config->root_hints : "");
}

int
ld_recurse_new(struct ld_recurse **ret, struct event_base *loop,
	       const struct ld_upstream_config *config, struct ld_report *report)
{
	struct ld_recurse *recurse = calloc(1, sizeof *recurse);
	int err;

	if (recurse == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	TAILQ_INIT(&recurse->questions);
	TAILQ_INIT(&recurse->ready);
	recurse->timeout_ms = config->timeout_ms;
	recurse->timer = ld_timer_new(loop, timer_fired, recurse);
	recurse->unbound = ub_ctx_create_event(loop);
	if (recurse->timer == NULL || recurse->unbound == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "libunbound cannot be started");
	else
		err = unbound_configure(recurse, config, report);
	if (err == LINDUNG_OK)
		err = files_read(recurse, config, report);
	if (err == LINDUNG_OK)
		err = unbound_begin(recurse, report);
	if (err != LINDUNG_OK) {
		ld_recurse_free(recurse);
		return err;
	}
	*ret = recurse;
	return LINDUNG_OK;
}

int
ld_recurse_ask(struct ld_recurse *recurse, const struct ld_name *name, uint16_t type,
	       bool checking_disabled, ld_upstream_done *done, void *ctx)
{
	char text[LD_NAME_TEXT_MAX];
	int64_t now_ms = ld_clock_monotonic_ms();
	struct question *q;

	if (recurse->in_flight >= LD_UPSTREAM_IN_FLIGHT_MAX)
		return LINDUNG_ELIMIT;
	q = malloc(sizeof *q);
	if (q == NULL)
		return LINDUNG_ENOMEM;
	*q = (struct question){
		.recurse = recurse,
		.done = done,
		.ctx = ctx,
		.end_ms = now_ms + (recurse->late >= LATE_MANY && recurse->timeout_ms > LATE_END_MS
					    ? LATE_END_MS
					    : recurse->timeout_ms),
		.checking_disabled = checking_disabled,
	};
	questions_insert(&recurse->questions, q);
	recurse->in_flight++;
	if (!route_check(recurse, now_ms)) {
		question_defer(q, &result_no_route);
	} else {
		int failed;

		ld_name_to_text(name, text);
		failed = ub_resolve_event(recurse->unbound, text, type, CLASS_IN, q, resolved,
					  &q->id);
		if (failed != 0) {
			question_free(q);
			return LINDUNG_ENET;
		}
	}
	timer_set(recurse);
	return LINDUNG_OK;
}

void
ld_recurse_free(struct ld_recurse *recurse)
{
	struct question *q;

	if (recurse == NULL)
		return;
	recurse->ending = true;
	if (recurse->unbound != NULL)
		ub_ctx_delete(recurse->unbound);
	while ((q = TAILQ_FIRST(&recurse->ready)) != NULL)
		question_free(q);
	while ((q = TAILQ_FIRST(&recurse->questions)) != NULL)
		question_free(q);
	ld_timer_free(recurse->timer);
	free(recurse);
}
