/* Well-known sites: names that a single party's error or malice must not close.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Filled, sorted, then read-only: any number of threads. */
#ifndef LD_QUORUM_POPULAR_H
#define LD_QUORUM_POPULAR_H

#include "base/error.h"
#include "base/span.h"

struct ld_popular {
	uint8_t **keys; /* a length octet and the key of the name (name.h); sorted, each once */
	size_t count, size;
};

/** Read names, one a line, '#' begins a comment.  `name`: of the file, for the report.
 * Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_popular_read(struct ld_popular *popular, struct ld_span text, const char *name,
		    struct ld_report *report);
void ld_popular_clear(struct ld_popular *popular);

/** Would an entry of this scope close one of them, or what is below one by the labels `www` or `m`?
 * `key`: of the entry's host.  A URL closes no site. */
bool ld_popular_has(const struct ld_popular *popular, struct ld_span key, uint8_t scope);

#endif
