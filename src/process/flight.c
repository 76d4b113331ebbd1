/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/flight.h"

#include <stdlib.h>

enum { BUCKETS = 4096 };

LIST_HEAD(bucket, ld_flight);

struct ld_flights {
	struct bucket buckets[BUCKETS];
	void *owner;
	unsigned flights, waiters;
};

struct ld_flights *
ld_flights_new(void *owner)
{
	struct ld_flights *flights = calloc(1, sizeof *flights);

	if (flights != NULL)
		flights->owner = owner;
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

static struct ld_flight *
flight_find(struct bucket *bucket, uint64_t hash, const struct ld_ask *ask)
{
	struct ld_flight *flight;

	LIST_FOREACH(flight, bucket, link)
	if (flight->hash == hash && ld_ask_same(&STAILQ_FIRST(&flight->waiters)->ask, ask))
		return flight;
	return NULL;
}

enum ld_join
ld_flights_join(struct ld_flights *flights, const struct ld_ask *ask,
		const struct ld_client *client, struct ld_flight **ret_flight)
{
	uint64_t hash = ld_ask_hash(ask);
	struct bucket *bucket = &flights->buckets[hash % BUCKETS];
	struct ld_flight *flight = flight_find(bucket, hash, ask);
	bool is_new = flight == NULL;
	struct ld_waiter *waiter;

	if (flights->waiters >= LD_WAITERS_MAX || (is_new && flights->flights >= LD_FLIGHTS_MAX))
		return LD_JOIN_FULL;
	waiter = malloc(sizeof *waiter);
	if (waiter == NULL)
		return LD_JOIN_FULL;
	*waiter = (struct ld_waiter){.ask = *ask, .client = *client};
	if (is_new) {
		flight = malloc(sizeof *flight);
		if (flight == NULL) {
			free(waiter);
			return LD_JOIN_FULL;
		}
		*flight = (struct ld_flight){.hash = hash, .owner = flights->owner};
		STAILQ_INIT(&flight->waiters);
		LIST_INSERT_HEAD(bucket, flight, link);
		flights->flights++;
	}
	STAILQ_INSERT_TAIL(&flight->waiters, waiter, link);
	flights->waiters++;
	*ret_flight = flight;
	return is_new ? LD_JOIN_NEW : LD_JOIN_WAITS;
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

	while ((waiter = STAILQ_FIRST(&flight->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&flight->waiters, link);
		flights->waiters--;
		free(waiter);
	}
	free(flight);
}

unsigned
ld_flights_count(const struct ld_flights *flights)
{
	return flights->flights;
}
