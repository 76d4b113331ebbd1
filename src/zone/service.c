/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/service.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "wire/build.h"
#include "wire/notify.h"

enum {
	REST_MIN_MS = 1000,
	NICE = 10,
	NOTIFIED_MAX = 64,
};

/* Somebody who is to be told of a zone. */
struct news {
	unsigned tries; /* left; 0: he knows, or was given up */
	unsigned wait_ms;
	int64_t next_ms;
	uint16_t id;
	uint8_t mac[LD_TSIG_MAC_BYTES]; /* of the message sent, if it was signed */
};

/* What is to be told of one zone. */
struct told {
	struct ld_name origin; /* len 0: free */
	uint32_t serial;
	struct news *news; /* of each who is told */
};

struct ld_zones {
	struct ld_zones_config config;
	pthread_t thread;
	sem_t begun;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	_Atomic bool stop;
	/* Under the lock. */
	struct lindung *next; /* to be made zones of */
	struct ld_zone_set *set;
	uint64_t made_ms;
	struct told told[LD_ZONES_MAX];
	bool is_news; /* a set that nobody was told of */

	_Atomic unsigned transfers;
	_Atomic uint64_t counters[LD_ZONE_COUNTER_COUNT];
};

struct ld_zone_stream {
	struct ld_zones *zones;
	struct ld_transfer *transfer;
	int64_t end_ms;
};

static void
count(struct ld_zones *zones, enum ld_zone_counter counter)
{
	atomic_fetch_add_explicit(&zones->counters[counter], 1, memory_order_relaxed);
}

uint64_t
ld_zones_counter(const struct ld_zones *zones, enum ld_zone_counter counter)
{
	return atomic_load_explicit(&zones->counters[counter], memory_order_relaxed);
}

static struct ld_zone_set *
set_hold(struct ld_zones *zones)
{
	struct ld_zone_set *set;

	pthread_mutex_lock(&zones->lock);
	set = zones->set != NULL ? ld_zone_set_hold(zones->set) : NULL;
	pthread_mutex_unlock(&zones->lock);
	return set;
}

/* ---- The thread that makes them ------------------------------------------------------------ */

/* A list to make zones of; NULL at the end. */
static struct lindung *
list_await(struct ld_zones *zones)
{
	struct lindung *list;

	pthread_mutex_lock(&zones->lock);
	while (zones->next == NULL && !atomic_load(&zones->stop))
		pthread_cond_wait(&zones->woken, &zones->lock);
	list = zones->next;
	zones->next = NULL;
	pthread_mutex_unlock(&zones->lock);
	if (!atomic_load(&zones->stop))
		return list;
	lindung_close(list);
	return NULL;
}

static void
rest(struct ld_zones *zones, int64_t rest_ms)
{
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += rest_ms / 1000;
	until.tv_nsec += rest_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&zones->lock);
	while (late == 0 && !atomic_load(&zones->stop))
		late = pthread_cond_timedwait(&zones->woken, &zones->lock, &until);
	pthread_mutex_unlock(&zones->lock);
}

static void
set_put(struct ld_zones *zones, struct ld_zone_set *set, uint64_t made_ms)
{
	struct ld_zone_set *before;

	pthread_mutex_lock(&zones->lock);
	before = zones->set;
	zones->set = set;
	zones->made_ms = made_ms;
	zones->is_news = true;
	pthread_mutex_unlock(&zones->lock);
	ld_zone_set_release(before);
	count(zones, LD_ZONE_COUNTER_MADE);
}

static void *
zones_run(void *ctx)
{
	struct ld_zones *zones = ctx;
	struct lindung *list;

	/* Of this thread alone, on Linux. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	sem_post(&zones->begun);
	while ((list = list_await(zones)) != NULL) {
		int64_t begun_ms = ld_clock_monotonic_ms(), took_ms;
		struct ld_zone_set *set;
		int err = ld_zone_set_make(&set, &zones->config.settings, list, zones->set,
					   ld_clock_unix_s(), &zones->stop);

		took_ms = ld_clock_monotonic_ms() - begun_ms;
		if (err == LINDUNG_OK)
			set_put(zones, set, (uint64_t)took_ms);
		else if (err != LINDUNG_ETIMEOUT)
			count(zones, LD_ZONE_COUNTER_MAKE_FAILED);
		rest(zones, took_ms > REST_MIN_MS ? took_ms : REST_MIN_MS);
	}
	return NULL;
}

void
ld_zones_put(struct ld_zones *zones, struct lindung *list)
{
	struct lindung *before;

	pthread_mutex_lock(&zones->lock);
	before = zones->next;
	zones->next = list;
	pthread_cond_signal(&zones->woken);
	pthread_mutex_unlock(&zones->lock);
	lindung_close(before);
}

static int
parts_make(struct ld_zones *zones)
{
	pthread_condattr_t monotonic;

	if (zones->config.notified_count > NOTIFIED_MAX)
		zones->config.notified_count = NOTIFIED_MAX;
	for (unsigned i = 0; i < LD_ZONES_MAX; i++) {
		zones->told[i].news = calloc(zones->config.notified_count + 1, sizeof(struct news));
		if (zones->told[i].news == NULL)
			return LINDUNG_ENOMEM;
	}
	pthread_mutex_init(&zones->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&zones->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sem_init(&zones->begun, 0, 0);
	return LINDUNG_OK;
}

static void
zones_clear(struct ld_zones *zones)
{
	for (unsigned i = 0; i < LD_ZONES_MAX; i++)
		free(zones->told[i].news);
	free(zones);
}

int
ld_zones_new(struct ld_zones **ret, const struct ld_zones_config *config)
{
	struct ld_zones *zones = calloc(1, sizeof *zones);
	int err;

	if (zones == NULL)
		return LINDUNG_ENOMEM;
	zones->config = *config;
	err = parts_make(zones);
	if (err == LINDUNG_OK && pthread_create(&zones->thread, NULL, zones_run, zones) != 0)
		err = LINDUNG_ENOMEM;
	if (err != LINDUNG_OK) {
		zones_clear(zones);
		return err;
	}
	/* Its priority is set before the walls stand. */
	while (sem_wait(&zones->begun) != 0)
		;
	*ret = zones;
	return LINDUNG_OK;
}

void
ld_zones_free(struct ld_zones *zones)
{
	if (zones == NULL)
		return;
	pthread_mutex_lock(&zones->lock);
	atomic_store(&zones->stop, true);
	pthread_cond_signal(&zones->woken);
	pthread_mutex_unlock(&zones->lock);
	pthread_join(zones->thread, NULL);
	lindung_close(zones->next);
	ld_zone_set_release(zones->set);
	pthread_mutex_destroy(&zones->lock);
	pthread_cond_destroy(&zones->woken);
	sem_destroy(&zones->begun);
	zones_clear(zones);
}

/* ---- Requests ------------------------------------------------------------------------------ */

bool
ld_zones_are_asked(const struct ld_zones *zones, struct ld_span message)
{
	return zones != NULL && ld_zone_is_asked(&zones->config.settings, message);
}

static struct ld_zone_stream *
stream_make(struct ld_zones *zones, struct ld_transfer *transfer)
{
	struct ld_zone_stream *stream = malloc(sizeof *stream);

	if (stream == NULL)
		return NULL;
	*stream = (struct ld_zone_stream){
		.zones = zones,
		.transfer = transfer,
		.end_ms = ld_clock_coarse_ms() + LD_ZONE_TRANSFER_MAX_MS,
	};
	return stream;
}

enum ld_zone_step
ld_zones_take(struct ld_zones *zones, const struct ld_from *from, struct ld_span message,
	      struct ld_writer *answer, struct ld_zone_stream **ret)
{
	struct ld_zone_set *set = set_hold(zones);
	struct ld_transfer *transfer = NULL;
	enum ld_zone_counter counter;
	/* Counted first, so that not two take the last place. */
	unsigned others = atomic_fetch_add(&zones->transfers, 1);
	enum ld_zone_step step = ld_zone_take(
		&zones->config.settings, set, &zones->config.access, from, ld_clock_unix_s(),
		others < zones->config.transfers_max, message, answer, &transfer, &counter);

	ld_zone_set_release(set);
	if (step == LD_ZONE_TRANSFER) {
		*ret = stream_make(zones, transfer);
		if (*ret == NULL) {
			ld_transfer_free(transfer);
			answer->failed = true; /* the connection ends */
			step = LD_ZONE_ANSWER;
		}
	}
	if (step != LD_ZONE_TRANSFER)
		atomic_fetch_sub(&zones->transfers, 1);
	if (step != LD_ZONE_PASS)
		count(zones, counter);
	return step;
}

int
ld_zone_stream_next(struct ld_zone_stream *stream, struct ld_span *ret)
{
	if (ld_clock_coarse_ms() > stream->end_ms)
		return LINDUNG_ETIMEOUT;
	return ld_transfer_next(stream->transfer, ld_clock_unix_s(), ret);
}

void
ld_zone_stream_free(struct ld_zone_stream *stream)
{
	if (stream == NULL)
		return;
	if (!ld_transfer_is_done(stream->transfer))
		count(stream->zones, LD_ZONE_COUNTER_ABORTED);
	atomic_fetch_sub(&stream->zones->transfers, 1);
	ld_transfer_free(stream->transfer);
	free(stream);
}

void
ld_zones_facts(struct ld_zones *zones, struct ld_zones_facts *ret)
{
	struct ld_zone_set *set = set_hold(zones);

	*ret = (struct ld_zones_facts){.transfers = atomic_load(&zones->transfers)};
	pthread_mutex_lock(&zones->lock);
	ret->made_ms = zones->made_ms;
	pthread_mutex_unlock(&zones->lock);
	if (set == NULL)
		return;
	ret->zones = set->count;
	ret->serial = set->zones[0].serial;
	for (unsigned i = 0; i < set->count; i++) {
		ret->records += set->zones[i].records;
		for (unsigned k = 0; k < set->zones[i].change_count; k++)
			ret->journal_bytes += set->zones[i].changes[k]->len;
	}
	ld_zone_set_release(set);
}

/* ---- News ---------------------------------------------------------------------------------- */

static struct told *
told_find(struct ld_zones *zones, const struct ld_name *origin)
{
	for (unsigned i = 0; i < LD_ZONES_MAX; i++)
		if (ld_name_equal(&zones->told[i].origin, origin))
			return &zones->told[i];
	return NULL;
}

/* A place for a zone: its own, or that of one which is no more. */
static struct told *
told_place(struct ld_zones *zones, const struct ld_zone *zone)
{
	struct told *told = told_find(zones, &zone->origin);

	for (unsigned i = 0; told == NULL && i < LD_ZONES_MAX; i++)
		if (zones->told[i].origin.len == 0 ||
		    ld_zone_find(zones->set, &zones->told[i].origin) == NULL)
			told = &zones->told[i];
	LD_ASSERT(told != NULL);
	return told;
}

/* What has another serial than was told of is news. */
static void
news_spread(struct ld_zones *zones, int64_t now_ms)
{
	for (unsigned i = 0; i < zones->set->count; i++) {
		const struct ld_zone *zone = &zones->set->zones[i];
		struct told *told = told_place(zones, zone);

		if (told->origin.len != 0 && ld_name_equal(&told->origin, &zone->origin) &&
		    told->serial == zone->serial)
			continue;
		told->origin = zone->origin;
		told->serial = zone->serial;
		for (unsigned k = 0; k < zones->config.notified_count; k++) {
			struct news *news = &told->news[k];

			*news = (struct news){.tries = LD_ZONE_NOTIFY_TRIES,
					      .wait_ms = LD_ZONE_NOTIFY_FIRST_MS,
					      .next_ms = now_ms};
			if (getrandom(&news->id, sizeof news->id, 0) != sizeof news->id)
				news->id = (uint16_t)now_ms; /* it guards nothing */
		}
	}
	/* Of a zone that is no more, nobody is told any more. */
	for (unsigned i = 0; i < LD_ZONES_MAX; i++)
		if (ld_zone_find(zones->set, &zones->told[i].origin) == NULL)
			for (unsigned k = 0; k < zones->config.notified_count; k++)
				zones->told[i].news[k].tries = 0;
	zones->is_news = false;
}

static void
notify_write(const struct ld_zones *zones, const struct told *told, struct news *news,
	     struct ld_writer *w)
{
	const struct ld_tsig_keys *keys = zones->config.access.keys;
	struct ld_tsig_chain chain;

	ld_notify_write(w, news->id, &told->origin);
	if (keys->count == 0)
		return;
	if (ld_tsig_chain_init(&chain, &keys->items[0]) != LINDUNG_OK) {
		w->failed = true;
		return;
	}
	ld_tsig_sign(&chain, w, ld_clock_unix_s(), LD_TSIG_GOOD, NULL);
	memcpy(news->mac, chain.mac, sizeof news->mac);
	ld_tsig_chain_clear(&chain);
}

void
ld_zones_notify_run(struct ld_zones *zones, int64_t now_ms,
		    void (*send)(void *ctx, const struct ld_address *to, struct ld_span packet),
		    void *ctx)
{
	uint8_t packet[LD_NOTIFY_MAX_BYTES + LD_TSIG_BYTES_MAX];

	if (zones == NULL || zones->config.notified_count == 0)
		return;
	pthread_mutex_lock(&zones->lock);
	if (zones->is_news)
		news_spread(zones, now_ms);
	for (unsigned i = 0; i < LD_ZONES_MAX * zones->config.notified_count; i++) {
		struct told *told = &zones->told[i / zones->config.notified_count];
		unsigned whom = i % zones->config.notified_count;
		struct news *news = &told->news[whom];
		struct ld_writer w = ld_writer(packet, sizeof packet);

		if (news->tries == 0 || news->next_ms > now_ms)
			continue;
		if (--news->tries == 0) {
			count(zones, LD_ZONE_COUNTER_NOTIFY_GIVEN_UP);
			continue;
		}
		news->next_ms = now_ms + news->wait_ms;
		news->wait_ms *= 2;
		notify_write(zones, told, news, &w);
		if (w.failed)
			continue;
		send(ctx, &zones->config.notified[whom], ld_span(w.data, w.len));
		count(zones, LD_ZONE_COUNTER_NOTIFIED);
	}
	pthread_mutex_unlock(&zones->lock);
}

/* Signed by the one who was told, if it was signed to him. */
static bool
answer_is_genuine(const struct ld_zones *zones, const struct news *news, struct ld_span message)
{
	const struct ld_tsig_keys *keys = zones->config.access.keys;
	struct ld_tsig_chain chain;
	bool is_signed;
	int err;

	if (keys->count == 0)
		return true;
	if (ld_tsig_chain_init(&chain, &keys->items[0]) != LINDUNG_OK)
		return false;
	memcpy(chain.mac, news->mac, sizeof news->mac);
	chain.mac_len = sizeof news->mac;
	err = ld_tsig_take_answer(&chain, message, ld_clock_unix_s(), &is_signed, NULL);
	ld_tsig_chain_clear(&chain);
	return err == LINDUNG_OK;
}

void
ld_zones_notify_answered(struct ld_zones *zones, const struct ld_address *from,
			 struct ld_span message)
{
	pthread_mutex_lock(&zones->lock);
	for (unsigned i = 0; i < LD_ZONES_MAX * zones->config.notified_count; i++) {
		struct told *told = &zones->told[i / zones->config.notified_count];
		unsigned whom = i % zones->config.notified_count;
		struct news *news = &told->news[whom];

		if (news->tries == 0 || !ld_address_same(from, &zones->config.notified[whom]) ||
		    !ld_notify_taken(message, news->id, &told->origin) ||
		    !answer_is_genuine(zones, news, message))
			continue;
		news->tries = 0;
		count(zones, LD_ZONE_COUNTER_NOTIFY_TAKEN);
		break;
	}
	pthread_mutex_unlock(&zones->lock);
}
