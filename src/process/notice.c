/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/notice.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "upstream/upstream.h"

enum { WHY_MAX_BYTES = 200 };

struct notice {
	bool bad;  /* as it is now */
	bool told; /* what people were told last */
	char why[WHY_MAX_BYTES];
};

struct ld_notices {
	const char *const *servers;
	pthread_mutex_t lock;
	struct notice items[LD_UPSTREAM_SERVERS_MAX];
};

struct ld_notices *
ld_notices_new(const char *const *servers)
{
	struct ld_notices *notices = calloc(1, sizeof *notices);

	if (notices == NULL)
		return NULL;
	notices->servers = servers;
	pthread_mutex_init(&notices->lock, NULL);
	return notices;
}

void
ld_notices_free(struct ld_notices *notices)
{
	if (notices == NULL)
		return;
	pthread_mutex_destroy(&notices->lock);
	free(notices);
}

void
ld_notices_tell(void *ctx, unsigned server, const char *why)
{
	struct ld_notices *notices = ctx;
	struct notice *notice = &notices->items[server];

	pthread_mutex_lock(&notices->lock);
	notice->bad = why != NULL;
	if (why != NULL)
		snprintf(notice->why, sizeof notice->why, "%s", why);
	pthread_mutex_unlock(&notices->lock);
}

bool
ld_notices_next(struct ld_notices *notices, struct ld_report *ret)
{
	bool found = false;

	pthread_mutex_lock(&notices->lock);
	for (unsigned i = 0; i < LD_UPSTREAM_SERVERS_MAX && !found; i++) {
		struct notice *notice = &notices->items[i];

		if (notice->bad == notice->told)
			continue;
		found = true;
		notice->told = notice->bad;
		if (notice->bad)
			ld_fail(ret, LINDUNG_OK, "%s is not used: %s", notices->servers[i],
				notice->why);
		else
			ld_fail(ret, LINDUNG_OK, "%s is used again", notices->servers[i]);
	}
	pthread_mutex_unlock(&notices->lock);
	return found;
}
