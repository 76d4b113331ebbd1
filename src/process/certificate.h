/* The certificate in force, as the parent sees it: its files watched, read, handed to the resolver;
 * never given up for a bad one.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parent does not look into the files: the resolver does, and says what it found. */
#ifndef LD_PROCESS_CERTIFICATE_H
#define LD_PROCESS_CERTIFICATE_H

#include "conf/conf.h"
#include "process/message.h"

struct ld_certificate;
struct ld_channel;

struct ld_certificate_events {
	void (*changed)(void *ctx);                             /* what the metrics say */
	void (*failed)(void *ctx, const struct ld_report *why); /* the first one */
};

/** Read the files; none if nothing listens for TLS.  `conf` outlives it.
 * Errors: LINDUNG_ECONFIG (which option to set), LINDUNG_EIO ..., with a report. */
int ld_certificate_new(struct ld_certificate **ret, const struct ld_conf *conf,
		       const struct ld_certificate_events *events, void *ctx,
		       struct ld_report *report);
/* NULL is a no-op in each of the following, and stands for a server without TLS. */
void ld_certificate_free(struct ld_certificate *certificate);

/** Read and hand over the files again. */
void ld_certificate_begin(struct ld_certificate *certificate);
/** The same if they have changed. */
void ld_certificate_look(struct ld_certificate *certificate);

/** Hand it to a resolver that is being started. */
void ld_certificate_resolver_born(struct ld_certificate *certificate, struct ld_channel *channel);
/** It is gone. */
void ld_certificate_resolver_gone(struct ld_certificate *certificate);
/** Its answer.  False if it does not read. */
bool ld_certificate_shown(struct ld_certificate *certificate, struct ld_span body);

/** The resolver shows one, or there is none to show. */
bool ld_certificate_is_up(const struct ld_certificate *certificate);
/** Say on standard error what is shown. */
void ld_certificate_say(const struct ld_certificate *certificate);
void ld_certificate_facts(const struct ld_certificate *certificate, struct ld_status *ret);

#endif
