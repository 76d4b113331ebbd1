/* NOTIFY for the log that is followed, as it comes in among queries (RFC 1996).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It is a hint: whoever is believed may have us look sooner, and no more than that.  The answer is
 * never longer than the question.  Any thread takes one; the main thread is told by a bell. */
#ifndef LD_PROCESS_NEWS_H
#define LD_PROCESS_NEWS_H

#include "conf/conf.h"
#include "resolver/resolver.h"

struct ld_bell;
struct ld_prefixes;

struct ld_news {
	struct ld_prefixes *from; /* NULL: no log is followed, or nobody is believed */
	struct ld_name zone;
	struct ld_bell *bell;
};

/** Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT, LINDUNG_ECONFIG with a report. */
int ld_news_make(struct ld_news *ret, const struct ld_conf *conf, struct ld_bell *bell,
		 struct ld_report *report);
/** Safe on a zeroed struct. */
void ld_news_clear(struct ld_news *news);

/** Take it and write its answer, if it is one of somebody who is believed.  False: it is not. */
bool ld_news_take(const struct ld_news *news, const struct ld_from *from, struct ld_span query,
		  struct ld_writer *w);

#endif
