/* A conversation of two processes: messages, many for one system call, over a SOCK_SEQPACKET.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is sent in one turn of the loop goes out together at its end.  What the other side is slow
 * to take waits, up to a limit, past which sending fails.  A conversation ends once, by
 * ld_channel_ended: the other side is gone, or what came is no message.  Its loop's thread alone.
 */
#ifndef LD_PROCESS_CHANNEL_H
#define LD_PROCESS_CHANNEL_H

#include "process/message.h"

struct event_base;
struct ld_channel;

/** A message came; valid during the call.  Returns false if its body does not read: a violation.
 * The channel must not be freed in here. */
typedef bool ld_channel_came(void *ctx, struct ld_message *message);

/** It is over: nothing is sent or received any more.  `violation`: by a fault of the other side.
 * The channel may be freed in here. */
typedef void ld_channel_ended(void *ctx, bool violation);

struct ld_channel_config {
	enum ld_role self, other;
	ld_channel_came *came;
	ld_channel_ended *ended;
	void *ctx;
	size_t queue_max; /* octets that wait for the other side */
};

/** Talk over `fd`, which is the channel's to close from here on, whatever the outcome.
 * Errors: LINDUNG_ENOMEM. */
int ld_channel_new(struct ld_channel **ret, struct event_base *loop, int fd,
		   const struct ld_channel_config *config);
/** NULL is a no-op. */
void ld_channel_free(struct ld_channel *channel);

/** Send a message of two parts, one behind the other.
 * Errors: LINDUNG_ELIMIT (too much waits: nothing is sent), LINDUNG_ENET (it is over). */
int ld_channel_send(struct ld_channel *channel, enum ld_message_type type, struct ld_span head,
		    struct ld_span tail);

/** Send a message with descriptors, at once; they stay the caller's.
 * Errors: as above, and LINDUNG_ENOMEM. */
int ld_channel_send_fds(struct ld_channel *channel, enum ld_message_type type, struct ld_span body,
			const int *fds, unsigned fd_count);

/** Send now what was to go out at the end of the turn. */
void ld_channel_flush(struct ld_channel *channel);

/** Handle what has come by now; it may end, and be freed, in here. */
void ld_channel_receive(struct ld_channel *channel);

/** A pair of connected sockets for two channels.  Errors: LINDUNG_EIO. */
int ld_channel_pair(int ret[2]);

#endif
