/* Inside src/upstream: what recursion and forwarding have in common.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_UPSTREAM_BACKEND_H
#define LD_UPSTREAM_BACKEND_H

#include "upstream/upstream.h"

/* Extended DNS errors, RFC 8914. */
enum {
	LD_EDE_NONE = -1,
	LD_EDE_OTHER = 0,
	LD_EDE_BOGUS = 6,
	LD_EDE_NO_AUTHORITY = 22,
	LD_EDE_NETWORK = 23,
};

struct ld_recurse;
struct ld_forward;

int ld_recurse_new(struct ld_recurse **ret, struct event_base *loop,
		   const struct ld_upstream_config *config, struct ld_report *report);
int ld_recurse_ask(struct ld_recurse *recurse, const struct ld_name *name, uint16_t type,
		   bool checking_disabled, ld_upstream_done *done, void *ctx);
void ld_recurse_free(struct ld_recurse *recurse);

int ld_forward_new(struct ld_forward **ret, struct event_base *loop,
		   const struct ld_upstream_config *config, struct ld_report *report);
int ld_forward_ask(struct ld_forward *forward, const struct ld_name *name, uint16_t type,
		   bool checking_disabled, ld_upstream_done *done, void *ctx);
void ld_forward_free(struct ld_forward *forward);

#endif
