/* Inside src/upstream: what recursion and forwarding have in common.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_UPSTREAM_BACKEND_H
#define LD_UPSTREAM_BACKEND_H

#include "upstream/upstream.h"
#include "wire/dns.h"

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
uint64_t ld_forward_counter(const struct ld_forward *forward, enum ld_upstream_counter counter);
void ld_forward_free(struct ld_forward *forward);

#endif
