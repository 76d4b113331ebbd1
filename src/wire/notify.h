/* NOTIFY (RFC 1996): "there is news of this zone", and the zone that stands for a log.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A log is no zone: a follower is told of news by the same message that secondaries of a zone are,
 * for a name made of the log's origin.  It believes nothing of it but that it may be time to look.
 */
#ifndef LD_WIRE_NOTIFY_H
#define LD_WIRE_NOTIFY_H

#include "base/bytes.h"
#include "name/name.h"

enum {
	/* Octets of a message as written here, and of an answer. */
	LD_NOTIFY_MAX_BYTES = 12 + LD_NAME_WIRE_MAX + 4,
};

/** The name that stands for a log: "log.example.com/children" gives children.log.example.com.
 * What no host name has becomes '-'.  Errors: LINDUNG_ENAME (too long, or an empty label). */
int ld_notify_zone(struct ld_name *ret, struct ld_span origin);

/** Write the message: one question, the zone's SOA. */
void ld_notify_write(struct ld_writer *w, uint16_t id, const struct ld_name *zone);
/** Read one: opcode NOTIFY, not an answer, one question for a SOA record of class IN; what follows
 * it (a hint at the new SOA, EDNS, TSIG) is not looked at.  False if it is none. */
bool ld_notify_read(struct ld_span message, uint16_t *ret_id, struct ld_name *ret_zone);
/** Whether the header says NOTIFY, and that it is no answer. */
bool ld_notify_is(struct ld_span message);
/** The answer to what ld_notify_read() read: never longer than that was. */
void ld_notify_answer(struct ld_writer *w, uint16_t id, const struct ld_name *zone, unsigned rcode);
/** Whether the message is an answer to one of this id and zone, and says that it was taken. */
bool ld_notify_taken(struct ld_span message, uint16_t id, const struct ld_name *zone);

#endif
