/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/flight.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"

enum { BUCKETS = 4096 };

LIST_HEAD(bucket, ld_flight);
LIST_HEAD(requester_bucket, ld_requester);

/* Who waits for something. */
struct ld_requester {
	LIST_ENTRY(ld_requester) link;
	uint64_t prefix;
	uint8_t address_len;
	unsigned waiters;
};

struct ld_flights {
	struct bucket buckets[BUCKETS];
	struct requester_bucket requesters[BUCKETS];
	TAILQ_HEAD(, ld_waiter) late; /* by deadline, as all wait equally long */
	uint64_t secret;              /* nobody chooses the bucket that he comes to */
	void *owner;
	unsigned flights, waiters;
};

struct ld_flights *
ld_flights_new(void *owner)
{
	struct ld_flights *flights = calloc(1, sizeof *flights);

	if (flights == NULL)
		return NULL;
	if (getrandom(&flights->secret, sizeof flights->secret, 0) != sizeof flights->secret) {
		free(flights);
		return NULL;
	}
	flights->owner = owner;
	TAILQ_INIT(&flights->late);
	return flights;
}

void
ld_flights_free(struct ld_flights *flights)
{
	if (flights == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct ld_flight *flight;

		while ((flight = LIST_FIRST(&flights->buckets[i])) != NULL) {
			ld_flights_land(flights, flight);
			ld_flight_free(flights, flight);
		}
	}
	free(flights);
}

/* ---- Who waits ---------------------------------------------------------------------------- */

static uint64_t
prefix_of(const struct ld_from *from)
{
	uint64_t prefix = 0;

	memcpy(&prefix, from->address, from->address_len == 4 ? 4 : sizeof prefix);
	return prefix;
}

static struct requester_bucket *
requester_bucket(struct ld_flights *flights, uint64_t prefix)
{
	uint64_t hash = ld_mix64(prefix ^ flights->secret, 0x9e3779b97f4a7c15u);

	return &flights->requesters[hash % BUCKETS];
}

static struct ld_requester *
requester_find(struct ld_flights *flights, const struct ld_from *from)
{
	uint64_t prefix = prefix_of(from);
	struct ld_requester *requester;

	LIST_FOREACH(requester, requester_bucket(flights, prefix), link)
	if (requester->prefix == prefix && requester->address_len == from->address_len)
		return requester;
	return NULL;
}

/* One more waits.  False without memory. */
static bool
requester_add(struct ld_flights *flights, const struct ld_from *from, struct ld_requester **ret)
{
	struct ld_requester *requester = requester_find(flights, from);

	*ret = NULL;
	if (from->address_len == 0)
		return true;
	if (requester == NULL) {
		requester = malloc(sizeof *requester);
		if (requester == NULL)
			return false;
		*requester = (struct ld_requester){
			.prefix = prefix_of(from),
			.address_len = from->address_len,
		};
		LIST_INSERT_HEAD(requester_bucket(flights, requester->prefix), requester, link);
	}
	requester->waiters++;
	*ret = requester;
	return true;
}

static void
requester_remove(struct ld_requester *requester)
{
	if (requester == NULL || --requester->waiters != 0)
		return;
	LIST_REMOVE(requester, link);
	free(requester);
}

/* Whoever has some waits for no more than half of what is free: however few others take much, there
 * is room for those who ask little. */
static bool
requester_is_full(struct ld_flights *flights, const struct ld_from *from)
{
	const struct ld_requester *requester = requester_find(flights, from);
	unsigned waiters = LD_WAITERS_MAX - flights->waiters;
	unsigned questions = LD_FLIGHTS_MAX - flights->flights;
	unsigned share = (waiters < questions ? waiters : questions) / 2;

	return requester != NULL &&
	       requester->waiters >=
		       (share < LD_WAITERS_CLIENT_MAX ? share : LD_WAITERS_CLIENT_MAX);
}

/* ---- Questions ---------------------------------------------------------------------------- */

static struct bucket *
bucket_of(struct ld_flights *flights, const struct ld_ask *ask)
{
	return &flights->buckets[ld_ask_hash(ask) % BUCKETS];
}

static struct ld_flight *
flight_find(struct ld_flights *flights, const struct ld_ask *ask)
{
	struct ld_flight *flight;

	LIST_FOREACH(flight, bucket_of(flights, ask), link)
	if (ld_ask_same(&flight->ask, ask))
		return flight;
	return NULL;
}

static struct ld_flight *
flight_new(struct ld_flights *flights, const struct ld_ask *ask)
{
	struct ld_flight *flight = malloc(sizeof *flight);

	if (flight == NULL)
		return NULL;
	*flight = (struct ld_flight){.owner = flights->owner, .ask = *ask};
	TAILQ_INIT(&flight->waiters);
	LIST_INSERT_HEAD(bucket_of(flights, ask), flight, link);
	flights->flights++;
	return flight;
}

static void
waiter_queue(struct ld_flights *flights, struct ld_flight *flight, struct ld_waiter *waiter)
{
	waiter->flight = flight;
	TAILQ_INSERT_TAIL(&flight->waiters, waiter, link);
	flight->waiter_count++;
	flights->waiters++;
	if (waiter->deadline_ms != 0)
		TAILQ_INSERT_TAIL(&flights->late, waiter, late_link);
}

/* Why this one cannot wait, or LD_JOIN_WAITS if it can. */
static enum ld_join
check_limits(struct ld_flights *flights, const struct ld_flight *flight, const struct ld_ask *ask)
{
	if (flight != NULL && flight->is_late && ask->has_stale)
		return LD_JOIN_LATE;
	if (requester_is_full(flights, &ask->from))
		return LD_JOIN_FULL_CLIENT;
	if (flight != NULL && flight->waiter_count >= LD_WAITERS_QUESTION_MAX)
		return LD_JOIN_FULL_QUESTION;
	if (flights->waiters >= LD_WAITERS_MAX ||
	    (flight == NULL && flights->flights >= LD_FLIGHTS_MAX))
		return LD_JOIN_FULL;
	return LD_JOIN_WAITS;
}

enum ld_join
ld_flights_join(struct ld_flights *flights, int64_t now_ms, const struct ld_ask *ask,
		const struct ld_client *client, struct ld_flight **ret_flight)
{
	struct ld_flight *flight = flight_find(flights, ask);
	enum ld_join join = check_limits(flights, flight, ask);
	struct ld_requester *requester;

	if (join != LD_JOIN_WAITS)
		return join;
	struct ld_waiter *waiter = malloc(sizeof *waiter);
	if (waiter == NULL)
		return LD_JOIN_FULL;
	if (!requester_add(flights, &ask->from, &requester)) {
		free(waiter);
		return LD_JOIN_FULL;
	}
	*waiter = (struct ld_waiter){
		.requester = requester,
		.deadline_ms = ask->has_stale ? now_ms + LD_STALE_WAIT_MS : 0,
		.ask = *ask,
		.client = *client,
	};
	if (flight == NULL) {
		join = LD_JOIN_NEW;
		flight = flight_new(flights, ask);
		if (flight == NULL) {
			requester_remove(requester);
			free(waiter);
			return LD_JOIN_FULL;
		}
	}
	waiter_queue(flights, flight, waiter);
	*ret_flight = flight;
	return join;
}

enum ld_join
ld_flights_refresh(struct ld_flights *flights, const struct ld_ask *ask,
		   struct ld_flight **ret_flight)
{
	struct ld_flight *flight = flight_find(flights, ask);

	if (flight != NULL)
		return LD_JOIN_WAITS;
	if (flights->flights >= LD_FLIGHTS_MAX)
		return LD_JOIN_FULL;
	flight = flight_new(flights, ask);
	if (flight == NULL)
		return LD_JOIN_FULL;
	*ret_flight = flight;
	return LD_JOIN_NEW;
}

struct ld_waiter *
ld_flights_late(struct ld_flights *flights, int64_t now_ms)
{
	struct ld_waiter *waiter = TAILQ_FIRST(&flights->late);

	if (waiter == NULL || waiter->deadline_ms > now_ms)
		return NULL;
	TAILQ_REMOVE(&flights->late, waiter, late_link);
	waiter->deadline_ms = 0;
	waiter->flight->is_late = true;
	return waiter;
}

int64_t
ld_flights_late_ms(const struct ld_flights *flights)
{
	const struct ld_waiter *waiter = TAILQ_FIRST(&flights->late);

	return waiter != NULL ? waiter->deadline_ms : INT64_MAX;
}

void
ld_waiter_free(struct ld_flights *flights, struct ld_waiter *waiter)
{
	if (waiter->deadline_ms != 0)
		TAILQ_REMOVE(&flights->late, waiter, late_link);
	TAILQ_REMOVE(&waiter->flight->waiters, waiter, link);
	waiter->flight->waiter_count--;
	flights->waiters--;
	requester_remove(waiter->requester);
	free(waiter);
}

void
ld_flights_land(struct ld_flights *flights, struct ld_flight *flight)
{
	LIST_REMOVE(flight, link);
	flights->flights--;
}

void
ld_flight_free(struct ld_flights *flights, struct ld_flight *flight)
{
	struct ld_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&flight->waiters)) != NULL)
		ld_waiter_free(flights, waiter);
	free(flight);
}

unsigned
ld_flights_count(const struct ld_flights *flights)
{
	return flights->flights;
}
