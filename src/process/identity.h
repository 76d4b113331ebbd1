/* What the resolver is told of its household and of itself, from the configuration: local names,
 * its own name, the secrets that DNS cookies are made with.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_IDENTITY_H
#define LD_PROCESS_IDENTITY_H

#include "conf/conf.h"
#include "resolver/cookie.h"
#include "resolver/resolver.h"

/** Secrets for cookies; none: the resolver makes its own. */
struct ld_secrets {
	unsigned count;
	uint8_t octets[LD_COOKIE_SECRETS_MAX][LD_COOKIE_SECRET_BYTES];
};

/** Read cookie.secret-file; a NULL path gives none.  For the parent, who may read files.
 * Errors: LINDUNG_EIO, LINDUNG_ELIMIT, LINDUNG_ENOMEM, LINDUNG_ESYNTAX, with a report. */
int ld_secrets_load(struct ld_secrets *ret, const char *path, struct ld_report *report);

/** The same from octets, one secret behind the other.  False if they are not as many as may be. */
bool ld_secrets_take(struct ld_secrets *ret, struct ld_span octets);

/** Fill in the fields of `ret` that this is about; it points to `conf` and `secrets`. */
void ld_identity_take(const struct ld_conf *conf, const struct ld_secrets *secrets,
		      struct ld_resolver_config *ret);

#endif
