/* The processes: one table, and what each of them has in common.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A child is the program executed anew, so that it has an address space of its own and nothing of
 * the parent's memory.  It is told by its title in argv[0] which one it is, and finds its channel
 * to the parent at descriptor LD_CHILD_FD.  It leaves signals to the parent, and ends when the
 * channel does: no child outlives its parent. */
#ifndef LD_PROCESS_ROLE_H
#define LD_PROCESS_ROLE_H

#include "conf/conf.h"
#include "process/channel.h"

enum {
	LD_CHILD_FD = 3,
	LD_CHILD_FAILED = 1, /* exit status: it said why */
};

struct ld_child;

struct ld_role_entry {
	enum ld_role role;
	const char *name;  /* as people are told */
	const char *title; /* as ps shows it */
	/** Run until the parent is gone; the exit status. */
	int (*run)(struct ld_child *child);
};

/** The walls that this build puts up: all, or none to debug it. */
unsigned ld_child_walls(void);

/** The entry of a child's role. */
const struct ld_role_entry *ld_role_entry(enum ld_role role);

/** If this program was started as a child: run as that, and return the exit status.  -1 if not. */
int ld_role_main(int argc, char **argv);

/* ---- In a child ---------------------------------------------------------------------------- */

struct ld_child {
	const struct ld_role_entry *entry;
	struct event_base *loop;
	struct ld_channel *parent;
	struct ld_arena arena;
	struct ld_conf conf; /* once CONF came */
	bool has_conf;
	int status;
	const char *folder;    /* in which it may use files; NULL: none.  Set before it enters */
	unsigned walls;        /* those that stand */
	ld_channel_came *came; /* all messages but CONF; set by `run` */
	void *ctx;
};

/** Put up the walls: those that come before threads are made.  False if that failed: it is told. */
bool ld_child_enter(struct ld_child *child);
/** And the one that comes after. */
bool ld_child_seal(struct ld_child *child);
/** Tell the parent that it has begun, and behind which walls. */
void ld_child_started(struct ld_child *child);
/** Handle messages until the end. */
void ld_child_loop(struct ld_child *child);
/** Tell the parent why this cannot go on, and end. */
void ld_child_fail(struct ld_child *child, const struct ld_report *report);
/** Send a message without descriptors. */
void ld_child_tell(struct ld_child *child, enum ld_message_type type, const struct ld_writer *body);

#endif
