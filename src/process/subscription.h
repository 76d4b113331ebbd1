/* Lists of others, subscribed to by URL: fetched when they are due, looked at before they are used.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     DIR/NAME.list      the last that was good, as it came
 *     DIR/lists.yaml     a manifest of those in force, for lindung compile --manifest
 *     DIR/store.sqlite   when each was asked for, what came of it
 *
 * What comes is parsed as a whole; it is taken only if it holds as many entries as may be, the
 * names that it must hold and none that it must not.  Whatever fails, the last good one stays.  One
 * that has expired stands in the manifest no more.  One thread's. */
#ifndef LD_PROCESS_SUBSCRIPTION_H
#define LD_PROCESS_SUBSCRIPTION_H

#include "base/arena.h"
#include "list/list.h"

enum {
	LD_SUBSCRIPTIONS_MAX = 256,
	LD_SUBSCRIPTION_NAME_MAX = 64,
	LD_SUBSCRIPTION_CANARIES_MAX = 64,
	LD_SUBSCRIPTION_MAX_BYTES = 256 * 1024 * 1024, /* of what comes */
	LD_SUBSCRIPTION_ENTRIES_MAX = 10 * 1000 * 1000,
	LD_SUBSCRIPTION_EVERY_MIN_S = 15 * 60,
	LD_SUBSCRIPTION_RETRY_MIN_S = 5 * 60,
};

/** formats/subscriptions.md has what each means. */
struct ld_subscription {
	const char *name, *url, *category, *csv_column, *party, *basis;
	enum ld_list_format format;
	bool allow;
	int64_t expires_s; /* INT64_MAX: never */
	uint32_t every_s;
	unsigned shrink_percent, grow_percent; /* of the last good one's entries */
	uint64_t least, most;
	struct ld_span canaries[LD_SUBSCRIPTION_CANARIES_MAX], never[LD_SUBSCRIPTION_CANARIES_MAX];
	unsigned canary_count, never_count;
};

/** Read a file of them, into the arena.  Errors: those of ld_yaml_load(); LINDUNG_ESYNTAX,
 * LINDUNG_ELIMIT, with a report that says "FILE:LINE: what". */
int ld_subscriptions_load(const struct ld_subscription **ret, unsigned *ret_count, const char *path,
			  struct ld_arena *arena, struct ld_report *report);

/** Look at the file of a list that came: how many entries it has.  `last_count`: of the last good
 * one; 0: there is none, or its size is not to be compared.
 * Errors, with a report that says what is wrong with it: LINDUNG_EFORMAT, LINDUNG_ELIMIT (its size;
 * a person may accept it), LINDUNG_EDENIED (a canary), LINDUNG_EIO, LINDUNG_EDAMAGED. */
int ld_subscription_check(const struct ld_subscription *subscription, const char *path,
			  uint64_t last_count, uint64_t *ret_count, struct ld_report *report);

/* How a subscription stands. X(symbol, key) */
#define LD_SUBSCRIPTION_STATES(X)                                                                  \
	X(NEW, "new")         /* never fetched */                                                  \
	X(GOOD, "good")       /* the last fetch was taken, or nothing had changed */               \
	X(FAILED, "failed")   /* it could not be fetched: the last good one, if any, stays */      \
	X(REFUSED, "refused") /* what came was not taken */                                        \
	X(EXPIRED, "expired")

enum ld_subscription_state {
#define LD_X(symbol, key) LD_SUBSCRIPTION_##symbol,
	LD_SUBSCRIPTION_STATES(LD_X)
#undef LD_X
		LD_SUBSCRIPTION_STATE_COUNT
};
const char *ld_subscription_state_key(enum ld_subscription_state state);

struct ld_subscription_facts {
	enum ld_subscription_state state;
	bool in_force;             /* there is a good one, and it has not expired */
	uint64_t entries;          /* of the good one */
	int64_t good_s, checked_s; /* when it came, and when it was last seen unchanged; 0: never */
	int64_t next_s;            /* when it is asked for next */
	unsigned failures;         /* since the last success */
	struct ld_report why;      /* of what failed */
};

struct ld_subscriber;

struct ld_subscriber_options {
	const char *directory;
	const char *store;   /* NULL: DIR/store.sqlite */
	const char *ca_file; /* NULL: the system's */
	bool all_due;        /* whatever was said of when */
	const char *accept;  /* name of one whose size is not compared, or NULL */
};

/** Errors: LINDUNG_EIO, those of ld_store_open() and ld_fetcher_new(). */
int ld_subscriber_open(struct ld_subscriber **ret, const struct ld_subscriber_options *options,
		       struct ld_report *report);
void ld_subscriber_close(struct ld_subscriber *subscriber);
/** How one stands at `now_s`; nothing is fetched.  Errors: those of ld_store_run(). */
int ld_subscriber_facts(struct ld_subscriber *subscriber, const struct ld_subscription *one,
			int64_t now_s, struct ld_subscription_facts *ret, struct ld_report *report);
/** Fetch one if it is due, look at it, take it.  What is wrong with the list or its server is no
 * error, but in the facts.  Errors: LINDUNG_EIO, LINDUNG_ENOMEM, those of the store. */
int ld_subscriber_update(struct ld_subscriber *subscriber, const struct ld_subscription *one,
			 int64_t now_s, struct ld_report *report);
/** Write the manifest of those in force.  Errors: LINDUNG_EIO, those of the store. */
int ld_subscriber_manifest(struct ld_subscriber *subscriber, const struct ld_subscription *all,
			   unsigned count, int64_t now_s, struct ld_report *report);

#endif
