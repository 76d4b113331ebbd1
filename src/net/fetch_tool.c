/* Fetches files and says what came of each: for tests/net.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: fetch_tool [-a CA] [-l LIMIT] [-s STALL_MS] [-t TOTAL_MS] [-r HOST=ADDRESSES] [-e TAG]
 *                   [-k BYTES-THERE] [-p BODY] URL...
 *
 * A line each: error, status, ETag, seconds to wait, octets to go on from, octets of the body, hash
 * of the body (FNV-1a), report.  With -k what is there already are so many 'a'. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/fetch.h"

enum { FETCHES_MAX = 1024 };

static int
resolve(void *ctx, const char *host, char ret[LD_FETCH_ADDRESSES_MAX], struct ld_report *report)
{
	const char *known = ctx, *equal = strchr(known, '=');

	if (equal == NULL || strlen(host) != (size_t)(equal - known) ||
	    strncmp(host, known, strlen(host)) != 0)
		return ld_fail(report, LINDUNG_ENET, "%s: no such host here", host);
	snprintf(ret, LD_FETCH_ADDRESSES_MAX, "%s", equal + 1);
	return LINDUNG_OK;
}

static void
show(const struct ld_fetch *fetch)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < fetch->body.len; i++)
		hash = (hash ^ fetch->body.data[i]) * 0x100000001b3;
	printf("%d\t%u\t%s\t%u\t%zu\t%zu\t%016" PRIx64 "\t%s\n", fetch->error, fetch->status,
	       fetch->tag, fetch->retry_after_s, fetch->resume_from, fetch->body.len, hash,
	       fetch->report.text);
}

int
main(int argc, char **argv)
{
	static struct ld_fetch fetches[FETCHES_MAX];
	struct ld_fetch_options options = {
		.connect_ms = 2000,
		.stall_ms = 2000,
		.total_ms = 10000,
	};
	const char *tag = "", *post = NULL;
	struct ld_fetcher *fetcher;
	struct ld_report report;
	size_t limit = 1 << 20, there = 0, count = 0;
	int c;

	while ((c = getopt(argc, argv, "a:l:s:t:r:e:k:p:")) != -1) {
		switch (c) {
		case 'a':
			options.ca_file = optarg;
			break;
		case 'l':
			limit = strtoul(optarg, NULL, 10);
			break;
		case 's':
			options.stall_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			options.total_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			options.resolve = resolve;
			options.resolve_ctx = optarg;
			break;
		case 'e':
			tag = optarg;
			break;
		case 'k':
			there = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			post = optarg;
			break;
		default:
			return 2;
		}
	}
	if (ld_fetcher_new(&fetcher, &options, &report) != LINDUNG_OK)
		return 1;
	for (; optind < argc && count < FETCHES_MAX; optind++, count++) {
		struct ld_fetch *fetch = &fetches[count];

		fetch->url = argv[optind];
		fetch->limit_bytes = limit;
		snprintf(fetch->tag, sizeof fetch->tag, "%s", tag);
		ld_buffer_init(&fetch->body, limit);
		for (size_t i = 0; i < there; i++)
			ld_buffer_bytes(&fetch->body, LD_SPAN("a"));
		fetch->resume_from = there;
	}
	if (post != NULL)
		ld_fetch_post(fetcher, fetches, "text/plain", ld_span_str(post));
	else
		ld_fetch_all(fetcher, fetches, count);
	for (size_t i = 0; i < count; i++) {
		show(&fetches[i]);
		ld_buffer_free(&fetches[i].body);
	}
	ld_fetcher_free(fetcher);
	return 0;
}
