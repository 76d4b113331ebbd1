/* The log that is followed, as the parent sees it: what it tells the process that follows, and what
 * comes from there.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parent looks into nothing of it: files come in memory that nobody can change any more, which
 * it checks, and go to the loader. */
#ifndef LD_PROCESS_FOLLOWING_H
#define LD_PROCESS_FOLLOWING_H

#include "conf/conf.h"
#include "process/message.h"

struct event_base;
struct ld_channel;
struct ld_following;
struct ld_reload;

enum { LD_FOLLOW_LOOK_MS = 100 /* between two hints that are passed on */ };

/** `protected`: as ld_parent_run() has it.
 * `changed` is called when the facts are others.  NULL in *ret if no log is followed.
 * Errors: LINDUNG_ENOMEM, LINDUNG_EIO with a report. */
int ld_following_new(struct ld_following **ret, struct event_base *loop, struct ld_reload *reload,
		     const struct ld_conf *conf, struct ld_span protected,
		     void (*changed)(void *ctx), void *ctx, struct ld_report *report);
/* NULL is a no-op in each of the following, and stands for a server that follows none. */
void ld_following_free(struct ld_following *following);

/** Tell a process that is being started what it needs. */
void ld_following_born(struct ld_following *following, struct ld_channel *channel);
void ld_following_gone(struct ld_following *following);
/** FOLLOWED came.  False if it does not read. */
bool ld_following_came(struct ld_following *following, struct ld_message *message);
/** Somebody says that there is news. */
void ld_following_news(struct ld_following *following);
void ld_following_facts(const struct ld_following *following, struct ld_follow_facts *ret);

#endif
