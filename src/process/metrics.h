/* Counters and gauges for Prometheus, over HTTP.  No label holds a name or a client.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_METRICS_H
#define LD_PROCESS_METRICS_H

#include "base/bytes.h"
#include "process/message.h"
#include "process/thread.h"

struct ld_metrics {
	struct ld_thread *const *threads;
	unsigned thread_count;
	struct ld_zones *zones;  /* NULL: none are given out */
	struct ld_status status; /* as the parent said last */
};

/** The page in the text format 0.0.4. */
void ld_metrics_write(const struct ld_metrics *metrics, struct ld_buffer *out);

/** An ld_http_page: /metrics, for a `struct ld_metrics *`. */
int ld_metrics_page(void *ctx, const char *path, struct ld_buffer *body, const char **ret_type);

#endif
