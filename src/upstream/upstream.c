/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/upstream.h"

#include <stdlib.h>

#include "upstream/backend.h"

struct ld_upstream {
	struct ld_forward *forward; /* one of the two */
	struct ld_recurse *recurse;
};

int
ld_upstream_new(struct ld_upstream **ret, struct event_base *base,
		const struct ld_upstream_config *config, struct ld_report *report)
{
	struct ld_upstream *upstream = calloc(1, sizeof *upstream);
	int err;

	if (upstream == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (config->forward)
		err = ld_forward_new(&upstream->forward, base, config, report);
	else
		err = ld_recurse_new(&upstream->recurse, base, config, report);
	if (err != LINDUNG_OK) {
		free(upstream);
		return err;
	}
	*ret = upstream;
	return LINDUNG_OK;
}

int
ld_upstream_ask(struct ld_upstream *upstream, const struct ld_name *name, uint16_t type,
		bool checking_disabled, ld_upstream_done *done, void *ctx)
{
	if (upstream->forward != NULL)
		return ld_forward_ask(upstream->forward, name, type, checking_disabled, done, ctx);
	return ld_recurse_ask(upstream->recurse, name, type, checking_disabled, done, ctx);
}

uint64_t
ld_upstream_counter(const struct ld_upstream *upstream, enum ld_upstream_counter counter)
{
	return upstream->forward != NULL ? ld_forward_counter(upstream->forward, counter) : 0;
}

void
ld_upstream_free(struct ld_upstream *upstream)
{
	if (upstream == NULL)
		return;
	ld_forward_free(upstream->forward);
	ld_recurse_free(upstream->recurse);
	free(upstream);
}
