/* DNS cookies (RFC 7873), ours as RFC 9018 makes them, so that machines which share an address and
 * a secret know each other's.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A client that shows a cookie of ours receives at the address that it claims to have.  Nothing is
 * kept of any client: the cookie is a keyed hash of its address and the time.
 *
 * Without secrets given, the key of a day is made from one random secret of the process: so it
 * changes daily, all threads have the same without speaking to each other, and a cookie says by its
 * time which key it was made with. */
#ifndef LD_RESOLVER_COOKIE_H
#define LD_RESOLVER_COOKIE_H

#include "base/siphash.h"
#include "wire/dns.h"

enum {
	LD_COOKIE_SECRETS_MAX = 4,
	LD_COOKIE_SECRET_BYTES = LD_SIPHASH_KEY_BYTES,
	/* RFC 9018 section 4.3. */
	LD_COOKIE_AGE_MAX_S = 3600,
	LD_COOKIE_AHEAD_MAX_S = 300,
	LD_COOKIE_RENEW_S = 1800,
};

/** What cookies are made with; read-only, for all threads. */
struct ld_cookie_secrets {
	bool daily; /* the first is what each day's key is made from */
	unsigned count;
	/* Cookies are made with the first; those of the others are taken, too. */
	uint8_t secrets[LD_COOKIE_SECRETS_MAX][LD_COOKIE_SECRET_BYTES];
};

/** A day's key; one thread's.  Zeros to begin with. */
struct ld_cookie_day {
	uint32_t number; /* of the day since 1970, plus 1 */
	uint8_t key[LD_COOKIE_SECRET_BYTES];
};

/** `count` secrets of LD_COOKIE_SECRET_BYTES each, one behind the other; 0: a random one, new every
 * day.  Errors: LINDUNG_ELIMIT, LINDUNG_EIO (no random numbers). */
int ld_cookie_secrets_init(struct ld_cookie_secrets *secrets, const uint8_t *given, unsigned count);

/** Take the client's cookie (RFC 7873: 8, or 16 to 40 octets), write the one to answer with.  True
 * if it is one of ours for this address, made within the last hour: it is answered as it is, until
 * half of its time is over. */
bool ld_cookie_take(const struct ld_cookie_secrets *secrets, struct ld_cookie_day days[2],
		    struct ld_span cookie, struct ld_span address, uint32_t now_s,
		    uint8_t ret[LD_COOKIE_BYTES]);

#endif
