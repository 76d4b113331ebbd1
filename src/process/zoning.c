/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/zoning.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/udp.h"
#include "process/holder.h"
#include "process/message.h"
#include "process/thread.h"
#include "wire/dns.h"

/* ---- The keys ------------------------------------------------------------------------------ */

int
ld_zoning_keys_load(struct ld_buffer *ret, const struct ld_conf *conf, struct ld_report *report)
{
	struct ld_tsig_keys keys = {.count = 0};
	int err = LINDUNG_OK;

	ld_buffer_init(ret, LD_ZONE_KEYS_MAX);
	for (unsigned i = 0; i < conf->zone_keys.count && err == LINDUNG_OK; i++) {
		const char *path = conf->zone_keys.items[i];
		struct ld_report why;
		uint8_t *data;
		size_t len;

		err = ld_tsig_keys_read(&keys, path, &why);
		if (err == LINDUNG_OK)
			err = ld_read_file(path, LD_ZONE_KEYS_MAX, &data, &len, &why);
		if (err != LINDUNG_OK)
			return ld_fail(report, err, "zone.keys: %.480s", why.text);
		ld_buffer_bytes(ret, ld_span(data, len));
		ld_buffer_bytes(ret, LD_SPAN("\n"));
		explicit_bzero(data, len);
		free(data);
		if (ret->failed)
			err = ld_fail(report, LINDUNG_ELIMIT, "zone.keys: more than %d bytes",
				      LD_ZONE_KEYS_MAX);
	}
	explicit_bzero(&keys, sizeof keys);
	return err;
}

bool
ld_zoning_keys_take(struct ld_zoning *zoning, struct ld_span text)
{
	return zoning->keys.count == 0 &&
	       ld_tsig_keys_parse(&zoning->keys, "zone.keys", text, NULL) == LINDUNG_OK;
}

/* ---- The service --------------------------------------------------------------------------- */

static int
name_take(struct ld_name *ret, const char *option, const char *text, struct ld_report *report)
{
	if (*text == '\0') {
		ret->len = ret->labels = 0;
		return LINDUNG_OK;
	}
	if (ld_name_from_text(ret, ld_span_str(text)) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ECONFIG, "%s: \"%s\" is not a name", option, text);
	ld_name_lower(ret);
	return LINDUNG_OK;
}

static int
settings_take(struct ld_zone_settings *ret, const struct ld_conf *conf, struct ld_report *report)
{
	int err;

	*ret = (struct ld_zone_settings){
		.by_category = conf->zone_by_category,
		.categories = conf->list_categories.items,
		.category_count = conf->list_categories.count,
		.digests = (unsigned)conf->zone_digest,
		.refresh_s = conf->zone_refresh_s,
		.journal_max_bytes = (size_t)conf->zone_journal_size_bytes,
		.journal_max = conf->zone_journal_size_bytes != 0 ? conf->zone_journal_max : 0,
	};
	err = name_take(&ret->merged, "zone.name", conf->zone_name, report);
	if (err == LINDUNG_OK)
		err = name_take(&ret->catalog, "zone.catalog", conf->zone_catalog, report);
	if (err == LINDUNG_OK && ret->catalog.len != 0 &&
	    (ld_name_is_within(&ret->catalog, &ret->merged) ||
	     ld_name_is_within(&ret->merged, &ret->catalog)))
		err = ld_fail(report, LINDUNG_ECONFIG,
			      "zone.catalog: \"%s\" and zone.name \"%s\" lie within one another",
			      conf->zone_catalog, conf->zone_name);
	return err;
}

int
ld_zoning_make(struct ld_zoning *zoning, const struct ld_conf *conf, struct ld_report *report)
{
	struct ld_zones_config config = {
		.access = {.keys = &zoning->keys},
		.notified_count = conf->zone_notify.count,
		.transfers_max = conf->zone_transfers_max,
	};
	int err;

	if (conf->zone_allow.count == 0 && zoning->keys.count == 0)
		return LINDUNG_OK;
	err = settings_take(&config.settings, conf, report);
	if (err != LINDUNG_OK)
		return err;
	zoning->notified = calloc(conf->zone_notify.count + 1u, sizeof zoning->notified[0]);
	if (zoning->notified != NULL && conf->zone_allow.count != 0)
		err = ld_prefixes_new(&zoning->allowed, conf->zone_allow.items,
				      conf->zone_allow.count, NULL, 0);
	if (zoning->notified == NULL || err != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for zones");
	for (unsigned i = 0; i < conf->zone_notify.count; i++)
		zoning->notified[i] = conf->zone_notify.items[i].socket;
	config.notified = zoning->notified;
	config.access.allowed = zoning->allowed;
	err = ld_zones_new(&zoning->zones, &config);
	return err == LINDUNG_OK ? LINDUNG_OK : ld_fail(report, err, "not enough memory for zones");
}

void
ld_zoning_put(struct ld_zoning *zoning, const int *fds, unsigned count, unsigned followed)
{
	struct lindung *list;

	/* Mapped once more: it stays as long as a transfer goes out. */
	if (zoning->zones != NULL &&
	    ld_layers_open(&list, fds, count, followed, false, NULL) == LINDUNG_OK)
		ld_zones_put(zoning->zones, list);
}

struct senders {
	struct ld_thread *const *threads;
	unsigned count;
};

static void
notify_send(void *ctx, const struct ld_address *to, struct ld_span packet)
{
	const struct senders *senders = ctx;
	struct ld_udp_peer peer = {.from = *to};
	int fd = -1;

	for (unsigned i = 0; i < senders->count && fd < 0; i++)
		fd = ld_thread_socket(senders->threads[i], to->any.sa_family);
	if (fd >= 0)
		ld_udp_send(fd, &peer, packet);
}

void
ld_zoning_tick(struct ld_zoning *zoning, struct ld_thread *const *threads, unsigned count)
{
	struct senders senders = {threads, count};

	ld_zones_notify_run(zoning->zones, ld_clock_coarse_ms(), notify_send, &senders);
}

void
ld_zoning_clear(struct ld_zoning *zoning)
{
	ld_zones_free(zoning->zones);
	ld_prefixes_free(zoning->allowed);
	free(zoning->notified);
	explicit_bzero(zoning, sizeof *zoning);
}

/* ---- For the threads ------------------------------------------------------------------------ */

static int
source_next(void *ctx, struct ld_span *ret)
{
	return ld_zone_stream_next(ctx, ret);
}

static void
source_free(void *ctx)
{
	ld_zone_stream_free(ctx);
}

bool
ld_zoning_message(struct ld_zones *zones, struct ld_tcp *tcp, struct ld_tcp_ref connection,
		  const struct ld_from *from, struct ld_span message, struct ld_writer *w)
{
	struct ld_tcp_source source = {source_next, source_free, NULL};
	struct ld_zone_stream *stream;

	if (!ld_zones_are_asked(zones, message))
		return false;
	switch (ld_zones_take(zones, from, message, w, &stream)) {
	case LD_ZONE_PASS:
		return false;
	case LD_ZONE_TRANSFER:
		source.ctx = stream;
		ld_tcp_stream(tcp, connection, &source);
		return true;
	case LD_ZONE_ANSWER:
	default:
		if (w->failed)
			ld_tcp_drop(tcp, connection);
		else
			ld_tcp_answer(tcp, connection, ld_span(w->data, w->len), 0);
		return true;
	}
}

static bool
is_notify_answer(struct ld_span packet)
{
	return packet.len >= LD_HEADER_BYTES &&
	       (ld_get_be16(packet.data + 2) & (LD_FLAG_QR | LD_FLAG_OPCODE)) ==
		       (LD_FLAG_QR | LD_OPCODE_NOTIFY << 11);
}

bool
ld_zoning_packet(struct ld_zones *zones, const struct ld_access *access, const struct ld_from *from,
		 const struct ld_address *address, struct ld_span packet, struct ld_writer *w)
{
	struct ld_zone_stream *stream;

	if (zones == NULL)
		return false;
	if (is_notify_answer(packet)) {
		ld_zones_notify_answered(zones, address, packet);
		return true;
	}
	/* Who may not ask is told so like anybody else. */
	if (!ld_zones_are_asked(zones, packet) ||
	    !ld_prefixes_hold(access->allowed, from->address, from->address_len) ||
	    ld_zones_take(zones, from, packet, w, &stream) != LD_ZONE_ANSWER)
		return false;
	if (w->failed)
		w->len = 0;
	return true;
}

/* ---- For the metrics ------------------------------------------------------------------------ */

static void
gauge_write(struct ld_buffer *out, const char *name, const char *help, uint64_t value)
{
	ld_buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
			 (unsigned long long)value);
}

void
ld_zoning_metrics(struct ld_zones *zones, struct ld_buffer *out)
{
	static const struct {
		const char *metric, *help;
	} counters[] = {
#define LD_X(symbol, metric, help) {metric, help},
		LD_ZONE_COUNTERS(LD_X)
#undef LD_X
	};
	struct ld_zones_facts facts;
	struct ld_span last = {NULL, 0};

	if (zones == NULL)
		return;
	for (unsigned i = 0; i < LD_ZONE_COUNTER_COUNT; i++) {
		struct ld_span metric = ld_span_str(counters[i].metric);
		struct ld_span name = ld_span_first(metric, ld_span_find(metric, '{'));

		if (!ld_span_equal(name, last))
			ld_buffer_printf(out, "# HELP %.*s %s\n# TYPE %.*s counter\n",
					 (int)name.len, (const char *)name.data, counters[i].help,
					 (int)name.len, (const char *)name.data);
		last = name;
		ld_buffer_printf(
			out, "%s %llu\n", counters[i].metric,
			(unsigned long long)ld_zones_counter(zones, (enum ld_zone_counter)i));
	}
	ld_zones_facts(zones, &facts);
	gauge_write(out, "lindung_zones", "Zones that are given out.", facts.zones);
	gauge_write(out, "lindung_zone_records", "Records in them.", facts.records);
	gauge_write(out, "lindung_zone_serial", "Serial of the zone of all categories.",
		    facts.serial);
	gauge_write(out, "lindung_zone_journal_bytes", "Memory for changes of zones.",
		    facts.journal_bytes);
	gauge_write(out, "lindung_zone_transfers", "Transfers that go out.", facts.transfers);
	ld_buffer_printf(out,
			 "# HELP lindung_zone_make_seconds How long making the zones took last.\n"
			 "# TYPE lindung_zone_make_seconds gauge\nlindung_zone_make_seconds "
			 "%.3f\n",
			 (double)facts.made_ms / 1000);
}
