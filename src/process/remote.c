/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/remote.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "net/loop.h"
#include "process/channel.h"
#include "wire/dns.h"

enum {
	SLOT_BITS = 12,
	SLOTS = 1 << SLOT_BITS,
	QUEUE_MAX = LD_UPSTREAM_IN_FLIGHT_MAX * (LD_ASKING_BODY_MAX + LD_MESSAGE_HEADER_BYTES),
	/* The recursor ends questions in time by itself: this is for one that hangs. */
	SLACK_MS = 500,
};

/* A question under way.  Its id is the slot's number and how often the slot was used: an answer
 * that comes too late is for nobody. */
struct slot {
	TAILQ_ENTRY(slot) link;
	ld_upstream_done *done; /* NULL: free */
	void *ctx;
	int64_t end_ms;
	uint32_t uses;
};

TAILQ_HEAD(slots, slot);

struct ld_remote {
	struct event_base *loop;
	struct ld_channel *channel; /* NULL: there is no recursor now */
	struct ld_timer *timer;
	bool timer_set;
	unsigned timeout_ms;
	ld_remote_broken *broken;
	void *ctx;
	_Atomic uint64_t counts[LD_UPSTREAM_COUNTER_COUNT];
	struct slots free;
	struct slots asked; /* by end_ms: all wait equally long */
	struct slot slots[SLOTS];
};

_Static_assert((int)SLOTS == (int)LD_UPSTREAM_IN_FLIGHT_MAX, "a slot for each question");

static const struct ld_upstream_result result_gone = {
	.error = LINDUNG_ENET,
	.ede = LD_EDE_NETWORK,
	.ede_text = "the part of this resolver that asks others is being started again",
};

static const struct ld_upstream_result result_late = {
	.error = LINDUNG_ETIMEOUT,
	.ede = LD_EDE_NO_AUTHORITY,
	.ede_text = "the name servers did not answer in time",
};

static void
slot_end(struct ld_remote *remote, struct slot *slot, const struct ld_upstream_result *result)
{
	ld_upstream_done *done = slot->done;

	TAILQ_REMOVE(&remote->asked, slot, link);
	slot->done = NULL;
	slot->uses = (slot->uses + 1) & (UINT32_MAX >> SLOT_BITS);
	/* The one free longest is used next: ids come again as late as can be. */
	TAILQ_INSERT_TAIL(&remote->free, slot, link);
	done(slot->ctx, result);
}

static void
timer_set(struct ld_remote *remote)
{
	const struct slot *first = TAILQ_FIRST(&remote->asked);
	int64_t left_ms;

	if (first == NULL || remote->timer_set)
		return;
	left_ms = first->end_ms - ld_clock_monotonic_ms();
	ld_timer_set(remote->timer, left_ms > 0 ? (unsigned)left_ms : 0);
	remote->timer_set = true;
}

static void
timer_fired(void *ctx)
{
	struct ld_remote *remote = ctx;
	int64_t now_ms = ld_clock_monotonic_ms();
	struct slot *slot;

	remote->timer_set = false;
	while ((slot = TAILQ_FIRST(&remote->asked)) != NULL && slot->end_ms <= now_ms)
		slot_end(remote, slot, &result_late);
	timer_set(remote);
}

static bool
counts_came(struct ld_remote *remote, const struct ld_message *message)
{
	struct ld_counts counts;

	if (!ld_counts_read(&counts, message->body))
		return false;
	for (unsigned i = 0; i < LD_UPSTREAM_COUNTER_COUNT; i++)
		atomic_store_explicit(&remote->counts[i], counts.items[i], memory_order_relaxed);
	return true;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct ld_remote *remote = ctx;
	struct ld_answered answered;
	struct slot *slot;

	if (message->type == LD_MESSAGE_COUNTS)
		return counts_came(remote, message);
	if (message->type != LD_MESSAGE_ANSWER || !ld_answered_read(&answered, message->body))
		return false;
	slot = &remote->slots[answered.id % SLOTS];
	if (slot->done != NULL && slot->uses == answered.id >> SLOT_BITS)
		slot_end(remote, slot, &answered.result);
	return true;
}

/* Without a link nobody can ask anew while they are told. */
static void
all_end(struct ld_remote *remote)
{
	struct slot *slot;

	while ((slot = TAILQ_FIRST(&remote->asked)) != NULL)
		slot_end(remote, slot, &result_gone);
}

static void
link_ended(void *ctx, bool violation)
{
	struct ld_remote *remote = ctx;

	ld_channel_free(remote->channel);
	remote->channel = NULL;
	if (violation)
		remote->broken(remote->ctx);
	all_end(remote);
}

void
ld_remote_connect(struct ld_remote *remote, int fd)
{
	struct ld_channel_config config = {
		.self = LD_ROLE_RESOLVER,
		.other = LD_ROLE_RECURSOR,
		.came = message_came,
		.ended = link_ended,
		.ctx = remote,
		.queue_max = QUEUE_MAX,
	};

	if (remote->channel != NULL)
		link_ended(remote, false);
	/* Without memory for it there is no link, and questions fail. */
	(void)ld_channel_new(&remote->channel, remote->loop, fd, &config);
}

int
ld_remote_new(struct ld_remote **ret, struct event_base *loop, unsigned timeout_ms,
	      ld_remote_broken *broken, void *ctx)
{
	struct ld_remote *remote = calloc(1, sizeof *remote);

	if (remote == NULL)
		return LINDUNG_ENOMEM;
	remote->loop = loop;
	remote->timeout_ms = timeout_ms + SLACK_MS;
	remote->broken = broken;
	remote->ctx = ctx;
	TAILQ_INIT(&remote->free);
	TAILQ_INIT(&remote->asked);
	for (unsigned i = 0; i < SLOTS; i++)
		TAILQ_INSERT_TAIL(&remote->free, &remote->slots[i], link);
	remote->timer = ld_timer_new(loop, timer_fired, remote);
	if (remote->timer == NULL) {
		ld_remote_free(remote);
		return LINDUNG_ENOMEM;
	}
	*ret = remote;
	return LINDUNG_OK;
}

void
ld_remote_free(struct ld_remote *remote)
{
	if (remote == NULL)
		return;
	ld_channel_free(remote->channel);
	ld_timer_free(remote->timer);
	free(remote);
}

int
ld_remote_ask(struct ld_remote *remote, const struct ld_name *name, uint16_t type,
	      bool checking_disabled, ld_upstream_done *done, void *ctx)
{
	struct slot *slot = TAILQ_FIRST(&remote->free);
	uint8_t octets[LD_ASKING_BODY_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_asking asking = {
		.type = type, .checking_disabled = checking_disabled, .name = *name};
	int err;

	if (remote->channel == NULL)
		return LINDUNG_ENET;
	if (slot == NULL)
		return LINDUNG_ELIMIT;
	asking.id = slot->uses << SLOT_BITS | (uint32_t)(slot - remote->slots);
	ld_asking_write(&w, &asking);
	LD_ASSERT(!w.failed);
	err = ld_channel_send(remote->channel, LD_MESSAGE_QUESTION, ld_span(w.data, w.len),
			      ld_span(NULL, 0));
	if (err != LINDUNG_OK)
		return err;
	TAILQ_REMOVE(&remote->free, slot, link);
	slot->done = done;
	slot->ctx = ctx;
	slot->end_ms = ld_clock_monotonic_ms() + remote->timeout_ms;
	TAILQ_INSERT_TAIL(&remote->asked, slot, link);
	timer_set(remote);
	return LINDUNG_OK;
}

uint64_t
ld_remote_counter(const struct ld_remote *remote, enum ld_upstream_counter counter)
{
	return atomic_load_explicit(&remote->counts[counter], memory_order_relaxed);
}
