/* A request about our zones, from bytes to bytes: who asks, may he, and what he gets.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * No sockets and no clock.  Nothing is kept of a request. */
#ifndef LD_ZONE_REQUEST_H
#define LD_ZONE_REQUEST_H

#include "net/prefix.h"
#include "resolver/resolver.h"
#include "zone/transfer.h"

/** Who may have the zones.  With keys: whoever signs with one of them; with prefixes: who asks from
 * there; with both he must do both; with neither nobody may. */
struct ld_zone_access {
	const struct ld_tsig_keys *keys;
	const struct ld_prefixes *allowed; /* NULL: no prefixes are named */
};

enum ld_zone_step {
	LD_ZONE_PASS,     /* it is none of ours */
	LD_ZONE_ANSWER,   /* send what was written */
	LD_ZONE_TRANSFER, /* send what the transfer gives */
};

/* X(symbol, metric name, help) */
#define LD_ZONE_COUNTERS(X)                                                                        \
	X(QUERIES, "lindung_zone_answers_total{kind=\"record\"}",                                  \
	  "Answers about our own zones, by kind.")                                                 \
	X(WHOLE, "lindung_zone_answers_total{kind=\"axfr\"}",                                      \
	  "Answers about our own zones, by kind.")                                                 \
	X(CHANGES, "lindung_zone_answers_total{kind=\"ixfr\"}",                                    \
	  "Answers about our own zones, by kind.")                                                 \
	X(CURRENT, "lindung_zone_answers_total{kind=\"current\"}",                                 \
	  "Answers about our own zones, by kind.")                                                 \
	X(REFUSED, "lindung_zone_answers_total{kind=\"refused\"}",                                 \
	  "Answers about our own zones, by kind.")                                                 \
	X(BAD_SIGNATURE, "lindung_zone_answers_total{kind=\"bad-signature\"}",                     \
	  "Answers about our own zones, by kind.")                                                 \
	X(BUSY, "lindung_zone_answers_total{kind=\"busy\"}",                                       \
	  "Answers about our own zones, by kind.")                                                 \
	X(MALFORMED, "lindung_zone_answers_total{kind=\"malformed\"}",                             \
	  "Answers about our own zones, by kind.")                                                 \
	X(ABORTED, "lindung_zone_transfers_aborted_total",                                         \
	  "Transfers that did not reach their end.")                                               \
	X(MADE, "lindung_zone_makes_total", "Times that the zones were made anew.")                \
	X(MAKE_FAILED, "lindung_zone_make_failures_total",                                         \
	  "Times that they could not be made: those before are given out.")                        \
	X(NOTIFIED, "lindung_zone_notifies_total{outcome=\"sent\"}",                               \
	  "NOTIFY messages sent, and answered.")                                                   \
	X(NOTIFY_TAKEN, "lindung_zone_notifies_total{outcome=\"answered\"}",                       \
	  "NOTIFY messages sent, and answered.")                                                   \
	X(NOTIFY_GIVEN_UP, "lindung_zone_notifies_total{outcome=\"given up\"}",                    \
	  "NOTIFY messages sent, and answered.")

enum ld_zone_counter {
#define LD_X(symbol, metric, help) LD_ZONE_COUNTER_##symbol,
	LD_ZONE_COUNTERS(LD_X)
#undef LD_X
		LD_ZONE_COUNTER_COUNT
};

/** Whether the question is for a name of ours, or below one: quick, and for any octets. */
bool ld_zone_is_asked(const struct ld_zone_settings *settings, struct ld_span message);

/** Take a request.  `set`: NULL if the zones are not made yet.  `may_transfer`: there is room for
 * one more.  *ret: with LD_ZONE_TRANSFER; *ret_counter: what it was, unless LD_ZONE_PASS. */
enum ld_zone_step ld_zone_take(const struct ld_zone_settings *settings, struct ld_zone_set *set,
			       const struct ld_zone_access *access, const struct ld_from *from,
			       uint64_t now_s, bool may_transfer, struct ld_span message,
			       struct ld_writer *answer, struct ld_transfer **ret,
			       enum ld_zone_counter *ret_counter);

#endif
