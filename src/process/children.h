/* What the children do: the functions of the table in role.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_CHILDREN_H
#define LD_PROCESS_CHILDREN_H

struct ld_child;

/** Answers queries: all threads that face clients, and the counters' page. */
int ld_resolver_run(struct ld_child *child);
/** Asks the Internet. */
int ld_recursor_run(struct ld_child *child);
/** Follows a log. */
int ld_sync_run(struct ld_child *child);
/** Checks one list, and ends. */
int ld_loader_run(struct ld_child *child);

#endif
