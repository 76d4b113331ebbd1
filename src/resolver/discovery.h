/* What clients ask about the resolver itself: where it speaks encrypted (DDR, RFC 9462 with the
 * records of RFC 9461), and what it does (RESINFO, RFC 9606).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made once, then read-only. */
#ifndef LD_RESOLVER_DISCOVERY_H
#define LD_RESOLVER_DISCOVERY_H

#include "resolver/house.h"
#include "wire/build.h"

enum {
	LD_DISCOVERY_TTL_S = 300,
	LD_DISCOVERY_SERVICE_MAX_BYTES = 768,
	LD_DISCOVERY_INFO_MAX_BYTES = 512,
	LD_INFO_URL_MAX_BYTES = 247, /* a string has 255, with "infourl=" */
};

/* The extended errors that an answer of ours can carry, for RESINFO: those that we make; those that
 * a server may know to which we forward, as we hand on what it says.  tests/serve/test_rfc9606.py
 * compares the first with the source. */
#define LD_DISCOVERY_EXTERR "exterr=0,3-4,6-10,12-20,22-24,29-32,35"
#define LD_DISCOVERY_EXTERR_FORWARD "exterr=0-35"

struct ld_discovery_config {
	const char *name; /* NULL or "": none */
	const char *info_url;
	uint16_t tls_port, https_port;
	bool recursive;
};

struct ld_discovery {
	struct ld_name name; /* in lower case; len 0: none */
	unsigned service_count;
	struct {
		uint16_t len;
		uint8_t rdata[LD_DISCOVERY_SERVICE_MAX_BYTES];
	} services[2];
	uint16_t info_len;
	uint8_t info[LD_DISCOVERY_INFO_MAX_BYTES];
};

/** The name's addresses are told with it if the house knows them.
 * Errors: LINDUNG_ECONFIG with a report. */
int ld_discovery_init(struct ld_discovery *discovery, const struct ld_discovery_config *config,
		      const struct ld_house *house, struct ld_report *report);

/** Whether a question of type SVCB or RESINFO is about us and has an answer; its records are
 * written, their owner at LD_QUESTION_AT, by ld_discovery_add(). */
bool ld_discovery_is_asked(const struct ld_discovery *discovery, const struct ld_name *lower,
			   uint16_t type);
void ld_discovery_add(const struct ld_discovery *discovery, uint16_t type, struct ld_writer *w);

#endif
