/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/finder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "net/loop.h"
#include "process/asker.h"
#include "wire/dns.h"
#include "wire/message.h"

enum { KEEP_MS = 60 * 1000, QUESTIONS = 2 };

struct ld_finder {
	const struct ld_conf *conf;
	struct event_base *loop;
	struct ld_upstream *upstream;
	struct ld_writer found; /* addresses, joined by ',' */
	unsigned waits;
	char host[LD_HOST_MAX + 1]; /* that was found last, ... */
	char addresses[LD_FETCH_ADDRESSES_MAX];
	int64_t found_ms; /* ... and when */
};

int
ld_finder_new(struct ld_finder **ret, const struct ld_conf *conf, struct ld_report *report)
{
	const struct ld_upstream_config config = ld_asker_config(conf);
	struct ld_finder *finder = calloc(1, sizeof *finder);
	int err = LINDUNG_ENOMEM;

	if (finder == NULL)
		return ld_fail(report, err, "not enough memory");
	finder->conf = conf;
	finder->loop = ld_loop_new();
	if (finder->loop != NULL)
		err = ld_upstream_new(&finder->upstream, finder->loop, &config, report);
	else
		ld_fail(report, err, "not enough memory");
	if (err != LINDUNG_OK) {
		ld_finder_free(finder);
		return err;
	}
	*ret = finder;
	return LINDUNG_OK;
}

void
ld_finder_free(struct ld_finder *finder)
{
	if (finder == NULL)
		return;
	ld_upstream_free(finder->upstream);
	if (finder->loop != NULL)
		ld_loop_free(finder->loop);
	free(finder);
}

static void
address_add(struct ld_finder *finder, int family, const void *octets)
{
	char text[INET6_ADDRSTRLEN];
	struct ld_writer *w = &finder->found;

	if (inet_ntop(family, octets, text, sizeof text) == NULL ||
	    w->len + 1 + strlen(text) >= w->size)
		return;
	if (w->len != 0)
		ld_writer_u8(w, ',');
	ld_writer_bytes(w, ld_span_str(text));
}

/* The addresses that an answer leads to, by whatever aliases. */
static void
answered(void *ctx, const struct ld_upstream_result *result)
{
	struct ld_finder *finder = ctx;
	struct ld_record record;
	struct ld_walk walk;

	if (result->error == LINDUNG_OK && ld_walk_begin(&walk, result->message)) {
		while (ld_walk_next(&walk, &record) && record.section == LD_SECTION_ANSWER) {
			if (record.type == LD_TYPE_A && record.rdata.len == 4)
				address_add(finder, AF_INET, record.rdata.data);
			else if (record.type == LD_TYPE_AAAA && record.rdata.len == 16)
				address_add(finder, AF_INET6, record.rdata.data);
		}
	}
	if (--finder->waits == 0)
		ld_loop_stop(finder->loop);
}

/* One of local.names, "NAME ADDRESS...". */
static bool
house_find(const struct ld_finder *finder, const char *host, char ret[LD_FETCH_ADDRESSES_MAX])
{
	const struct ld_conf_texts *names = &finder->conf->local_names;
	size_t len = strlen(host);

	for (unsigned i = 0; i < names->count; i++) {
		const char *line = names->items[i];

		if (strncasecmp(line, host, len) != 0 || line[len] != ' ')
			continue;
		snprintf(ret, LD_FETCH_ADDRESSES_MAX, "%s", line + len + 1);
		for (char *blank = ret; (blank = strchr(blank, ' ')) != NULL;)
			*blank = ',';
		return true;
	}
	return false;
}

/* Ask for both kinds of addresses at once. */
static int
upstream_find(struct ld_finder *finder, const char *host, char ret[LD_FETCH_ADDRESSES_MAX],
	      struct ld_report *report)
{
	static const uint16_t types[QUESTIONS] = {LD_TYPE_A, LD_TYPE_AAAA};
	uint8_t text[LD_FETCH_ADDRESSES_MAX];
	struct ld_name name;

	if (ld_name_from_text(&name, ld_span_str(host)) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENET, "%.253s: this is no name of a host", host);
	finder->found = ld_writer(text, sizeof text);
	finder->waits = 0;
	for (unsigned i = 0; i < QUESTIONS; i++)
		finder->waits += ld_upstream_ask(finder->upstream, &name, types[i], false, answered,
						 finder) == LINDUNG_OK;
	if (finder->waits != 0)
		ld_loop_run(finder->loop);
	if (finder->found.len == 0)
		return ld_fail(report, LINDUNG_ENET, "%.253s: no address of it can be found", host);
	memcpy(ret, text, finder->found.len);
	ret[finder->found.len] = '\0';
	return LINDUNG_OK;
}

int
ld_finder_find(void *ctx, const char *host, char ret[LD_FETCH_ADDRESSES_MAX],
	       struct ld_report *report)
{
	struct ld_finder *finder = ctx;
	int64_t now_ms = ld_clock_monotonic_ms();
	bool known = strcasecmp(host, finder->host) == 0;
	int err;

	if (strcasecmp(host, "localhost") == 0) {
		snprintf(ret, LD_FETCH_ADDRESSES_MAX, "127.0.0.1,::1");
		return LINDUNG_OK;
	}
	if (house_find(finder, host, ret))
		return LINDUNG_OK;
	if (!known || now_ms - finder->found_ms >= KEEP_MS) {
		err = upstream_find(finder, host, ret, report);
		if (err == LINDUNG_OK && strlen(host) < sizeof finder->host) {
			snprintf(finder->host, sizeof finder->host, "%s", host);
			memcpy(finder->addresses, ret, sizeof finder->addresses);
			finder->found_ms = now_ms;
			return LINDUNG_OK;
		}
		if (!known)
			return err;
	}
	/* Better those of before than none. */
	memcpy(ret, finder->addresses, sizeof finder->addresses);
	return LINDUNG_OK;
}
