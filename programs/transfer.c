/* lindung transfer: a zone of another server into a file, whole or by what changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "net/exchange.h"
#include "transfer.h"

int transfer_main(int argc, char **argv);

enum {
	STEP_MS = 15 * 1000,
	PORT = 53,
	RECORDS_MAX = 20 * 1000 * 1000,
	NOTHING_NEW = 3,
};

static const uint64_t octets_max = UINT64_C(4) << 30;

enum row {
	ROW_KEY,
	ROW_OUTPUT,
	ROW_WHOLE,
	ROW_DIGEST,
	ROW_FOLLOW,
	ROW_LISTEN,
	ROW_THEN,
	ROW_QUIET,
	ROWS
};

static const struct ld_argument_row rows[ROWS] = {
	[ROW_KEY] = {.name = "key",
		     .value = "FILE",
		     .letter = 'k',
		     .help = "the key that both sides have, as tsig-keygen writes it"},
	[ROW_OUTPUT] = {.name = "output",
			.value = "FILE",
			.letter = 'o',
			.help = "where the copy is, or will be"},
	[ROW_WHOLE] = {.name = "whole", .help = "all of the zone, even if a copy is there"},
	[ROW_DIGEST] = {.name = "digest", .help = "refuse a zone without a digest (ZONEMD)"},
	[ROW_FOLLOW] = {.name = "follow", .help = "stay, and keep the copy up to date"},
	[ROW_LISTEN] = {.name = "listen",
			.value = "ADDRESS",
			.help = "with --follow: where the server tells of news (NOTIFY)"},
	[ROW_THEN] = {.name = "then",
		      .value = "COMMAND",
		      .help = "with --follow: run this by the shell after each change"},
	[ROW_QUIET] = {.name = "quiet", .letter = 'q', .help = "say nothing if all is well"},
};

static const char head[] =
	"usage: lindung transfer [OPTION ...] -o FILE ZONE@SERVER[@PORT]\n"
	"\n"
	"Gets a zone from a server (AXFR, IXFR) into a file, which lindung compile --format rpz\n"
	"reads.  If the file is there, only what changed since is asked for.  What fails its\n"
	"signature or its digest, ends early or is older changes nothing.\n"
	"\n";

static const char tail[] =
	"\nExit: 0 the copy is new, 1 it failed, 2 wrong usage, 3 the copy was up to date.\n";

/* ZONE@SERVER: addresses have colons and dots, and no '@' before that of the port. */
static int
place_read(struct transfer *t, const char *text)
{
	struct ld_span place = ld_span_str(text);
	size_t at = ld_span_find(place, '@');

	if (at == place.len || ld_name_from_text(&t->zone, ld_span_first(place, at)) != LINDUNG_OK)
		return ld_fail(&t->report, LINDUNG_ESYNTAX,
			       "\"%s\": expected ZONE@SERVER, as rpz.example@192.0.2.1", text);
	return ld_address_from_text(&t->server, ld_span_from(place, at + 1), PORT, &t->report);
}

/* The copy that is there; none is no error, and one that does not read is fetched anew. */
static int
copy_load(struct transfer *t)
{
	const struct ld_copy_limits limits = {RECORDS_MAX, octets_max};
	struct ld_map map;
	int err = ld_zone_copy_new(&t->copy, &t->zone, &limits);

	if (err != LINDUNG_OK)
		return ld_fail(&t->report, err, "not enough memory");
	if (ld_map_open(&map, t->path) != LINDUNG_OK)
		return LINDUNG_OK;
	err = ld_zone_copy_read(t->copy, map.bytes);
	ld_map_close(&map);
	t->had_copy = err == LINDUNG_OK && ld_zone_copy_serial(t->copy, &t->before);
	if (!t->had_copy) {
		fprintf(stderr, "lindung transfer: %s: not a copy of the zone: got anew\n",
			t->path);
		ld_zone_copy_clear(t->copy);
	}
	return LINDUNG_OK;
}

static int
converse(struct transfer *t, struct ld_intake *intake, struct ld_exchange *exchange, bool whole,
	 enum ld_intake_state *ret)
{
	uint8_t request[1024];
	struct ld_writer w = ld_writer(request, sizeof request);
	struct ld_span message;
	int err;

	ld_intake_request(intake, &w, whole, (uint64_t)time(NULL));
	if (w.failed)
		return ld_fail(&t->report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_exchange_send(exchange, ld_span(w.data, w.len), &t->report);
	for (*ret = LD_INTAKE_GOES_ON; err == LINDUNG_OK && *ret == LD_INTAKE_GOES_ON;) {
		err = ld_exchange_receive(exchange, &message, &t->report);
		if (err == LINDUNG_OK)
			err = ld_intake_take(intake, message, (uint64_t)time(NULL), ret,
					     &t->report);
	}
	return err;
}

static int
attempt(struct transfer *t, bool whole, enum ld_intake_state *ret)
{
	struct ld_exchange *exchange = NULL;
	struct ld_intake *intake = NULL;
	int err = ld_intake_new(&intake, t->copy, t->keys.count != 0 ? &t->keys.items[0] : NULL);

	if (err != LINDUNG_OK)
		return ld_fail(&t->report, err, "not enough memory");
	err = ld_exchange_open(&exchange, &t->server, STEP_MS, &t->report);
	if (err == LINDUNG_OK)
		err = converse(t, intake, exchange, whole, ret);
	if (err == LINDUNG_OK && *ret == LD_INTAKE_DONE)
		err = ld_zone_copy_verify(t->copy, &t->digests, &t->report);
	if (err == LINDUNG_OK && *ret == LD_INTAKE_DONE && t->needs_digest && t->digests == 0)
		err = ld_fail(&t->report, LINDUNG_ESIGNATURE,
			      "the zone has no digest (ZONEMD) that can be checked");
	t->was_whole = ld_intake_is_whole(intake);
	ld_intake_free(intake);
	ld_exchange_close(exchange);
	return err;
}

static int
copy_save(struct transfer *t)
{
	struct ld_replace file;
	int err = ld_replace_begin(&file, t->path, &t->report);

	if (err != LINDUNG_OK)
		return err;
	err = ld_zone_copy_write(t->copy, file.fd);
	if (err != LINDUNG_OK) {
		ld_replace_abandon(&file);
		return ld_fail(&t->report, err, "%s: %s", t->path, lindung_strerror(err));
	}
	return ld_replace_commit(&file, &t->report);
}

static void
say(const struct transfer *t)
{
	uint32_t serial = 0;

	(void)ld_zone_copy_serial(t->copy, &serial);
	fprintf(stderr, "lindung transfer: serial %lu, %llu records, %s%s\n", (unsigned long)serial,
		(unsigned long long)ld_zone_copy_count(t->copy),
		t->was_whole ? "got whole" : "by what changed",
		t->digests != 0 ? ", as its digest says" : "");
}

int
transfer_once(struct transfer *t)
{
	enum ld_intake_state state = LD_INTAKE_GOES_ON;
	int err = copy_load(t);

	if (err != LINDUNG_OK)
		return err;
	err = attempt(t, t->whole || !t->had_copy, &state);
	/* What changed does not fit to what is here: all of it does. */
	if ((err == LINDUNG_ENOTFOUND || err == LINDUNG_EMALFORMED ||
	     (err == LINDUNG_ESIGNATURE && state == LD_INTAKE_DONE)) &&
	    t->had_copy && !t->whole && !t->was_whole) {
		fprintf(stderr, "lindung transfer: %s: asking for all of the zone\n",
			t->report.text);
		ld_zone_copy_clear(t->copy);
		err = attempt(t, true, &state);
		if (err == LINDUNG_OK && t->had_copy) {
			uint32_t now;

			(void)ld_zone_copy_serial(t->copy, &now);
			if ((int32_t)(now - t->before) < 0)
				return ld_fail(&t->report, LINDUNG_EROLLBACK,
					       "the primary has serial %lu, older than the "
					       "copy's %lu",
					       (unsigned long)now, (unsigned long)t->before);
		}
	}
	if (err != LINDUNG_OK)
		return err;
	if (state == LD_INTAKE_CURRENT)
		return LINDUNG_EEXISTS;
	err = copy_save(t);
	if (err == LINDUNG_OK && !t->quiet)
		say(t);
	return err;
}

void
transfer_forget(struct transfer *t)
{
	ld_zone_copy_free(t->copy);
	t->copy = NULL;
	t->had_copy = t->was_whole = false;
	t->digests = 0;
}

int
transfer_main(int argc, char **argv)
{
	struct ld_arguments arguments;
	struct transfer t = {.quiet = false};
	int err = LINDUNG_OK, status;

	if (!ld_arguments_read(&arguments, rows, ROWS, head, tail, argc, argv, &status))
		return status;
	t.path = ld_argument(&arguments, ROW_OUTPUT);
	if (t.path == NULL || arguments.word_count != 1) {
		fputs("lindung transfer: one ZONE@SERVER, and -o FILE (see --help)\n", stderr);
		return LD_EXIT_USAGE;
	}
	t.whole = arguments.counts[ROW_WHOLE] != 0;
	t.needs_digest = arguments.counts[ROW_DIGEST] != 0;
	t.quiet = arguments.counts[ROW_QUIET] != 0;
	if (place_read(&t, arguments.words[0]) != LINDUNG_OK) {
		fprintf(stderr, "lindung transfer: %s\n", t.report.text);
		return LD_EXIT_USAGE;
	}
	if (ld_argument(&arguments, ROW_KEY) != NULL)
		err = ld_tsig_keys_read(&t.keys, ld_argument(&arguments, ROW_KEY), &t.report);
	if (err == LINDUNG_OK && arguments.counts[ROW_FOLLOW] != 0)
		return transfer_follow(&t, ld_argument(&arguments, ROW_LISTEN),
				       ld_argument(&arguments, ROW_THEN));
	if (err == LINDUNG_OK)
		err = transfer_once(&t);
	transfer_forget(&t);
	explicit_bzero(&t.keys, sizeof t.keys);
	if (err == LINDUNG_EEXISTS) {
		if (!t.quiet)
			fprintf(stderr, "lindung transfer: serial %lu: up to date\n",
				(unsigned long)t.before);
		return NOTHING_NEW;
	}
	if (err != LINDUNG_OK)
		fprintf(stderr, "lindung transfer: %s\n", t.report.text);
	return err == LINDUNG_OK ? 0 : 1;
}
