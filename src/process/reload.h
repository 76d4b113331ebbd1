/* The list in force, as the parent sees it: read, checked by the loader, handed to the resolver;
 * never given up for a bad one.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A new list is taken if all its files verify, it did not lose more than list.shrink-max-percent of
 * its names, and every category that is to be closed is in it; else the old one stays.  While one
 * is being loaded, a further wish to load waits for its end. */
#ifndef LD_PROCESS_RELOAD_H
#define LD_PROCESS_RELOAD_H

#include "conf/conf.h"
#include "process/message.h"
#include "process/store.h"

struct event_base;
struct ld_channel;
struct ld_reload;

struct ld_reload_events {
	void (*changed)(void *ctx);                             /* the facts */
	void (*failed)(void *ctx, const struct ld_report *why); /* the first load */
};

/** `conf` and `conf_fd` outlive it.  Errors: LINDUNG_ECONFIG, LINDUNG_ENOMEM with a report. */
int ld_reload_new(struct ld_reload **ret, struct event_base *loop, const struct ld_conf *conf,
		  int conf_fd, const struct ld_reload_events *events, void *ctx,
		  struct ld_report *report);
/** Ends the loader, too.  NULL is a no-op. */
void ld_reload_free(struct ld_reload *reload);

/** The list that is followed is this one from now on, with its overlays; `files` is the reload's
 * then, and may be empty (none yet).  Until this is said for the first time nothing is loaded, if
 * one is followed at all. */
void ld_reload_followed(struct ld_reload *reload, struct ld_file_set *files);

/** Load; `forced`: even if it shrank or lost a category. */
void ld_reload_begin(struct ld_reload *reload, bool forced);
/** Load again if the files have changed. */
void ld_reload_look(struct ld_reload *reload);

/** After SIGCHLD.  NULL is a no-op. */
void ld_reload_reap(struct ld_reload *reload);
/** Hand the list to a resolver that has just started. */
void ld_reload_resolver_started(struct ld_reload *reload, struct ld_channel *channel);
/** It is gone. */
void ld_reload_resolver_gone(struct ld_reload *reload, const struct ld_report *what);
/** Its answer.  False if it does not read. */
bool ld_reload_listed(struct ld_reload *reload, struct ld_span body);

/** A list is in force, and the resolver has it. */
bool ld_reload_is_up(const struct ld_reload *reload);
/** What is loaded: a file, or the log that is followed. */
const char *ld_reload_name(const struct ld_reload *reload);
void ld_reload_facts(const struct ld_reload *reload, struct ld_list_facts *ret,
		     uint64_t *ret_loaded_ms);
void ld_reload_describe(const struct ld_reload *reload, struct ld_report *ret);

#endif
