/* lindung serve: the resolver.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The main thread opens the list and the sockets, gives away its rights, starts the threads that
 * answer, and then watches: signals, the files of the list, the page with the counters.  On
 * standard error it says, a line each, what it serves, and later what it loads or refuses.  There
 * is no query log, and no option that makes one. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "net/http.h"
#include "net/loop.h"
#include "process/access.h"
#include "process/holder.h"
#include "process/metrics.h"
#include "process/system.h"
#include "process/sockets.h"
#include "process/thread.h"

int serve_main(int argc, char **argv);

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	LOOK_MS = 250, /* how often the files of the list are looked at */
	TCP_OUTPUT_MAX = 256 * 1024,
	TCP_CONNECTIONS_MIN = 8, /* of one address in one thread */
	CONF_DEFAULT_PORT = 53,
	SIGNALS = 4,
};

static const char usage[] =
	"usage: lindung serve [-c FILE] [-i IMAGE] [-o OVERLAY]...\n"
	"\n"
	"Answers DNS queries: names on the list are closed, others are resolved.\n"
	"\n"
	"  -c, --config FILE      the configuration; see lindung.conf(5)\n"
	"  -i, --image FILE       the index to serve, in place of list.image\n"
	"  -o, --overlay FILE     an index with changes, after those in list.overlays; it need\n"
	"                         not exist yet\n"
	"  -h, --help             this\n"
	"\n"
	"SIGHUP loads the list again, SIGUSR1 too, even if it lost most of its names\n"
	"or a category.\n"
	"A list whose files were replaced is loaded within a second (list.watch).\n"
	"Exit: 0 after SIGINT or SIGTERM, 1 it cannot start, 2 wrong usage.\n";

struct server {
	struct ld_arena arena;
	struct ld_conf conf;
	bool has_conf; /* a file was given */
	const char *overlays[LINDUNG_OVERLAY_MAX];
	unsigned overlay_count;

	struct ld_sockets sockets;
	struct ld_access access;
	struct ld_resolver *resolver;
	struct ld_board board;
	struct ld_holder *holder;
	struct ld_thread **threads;
	unsigned thread_count;

	struct event_base *loop;
	struct ld_signal *signals[SIGNALS];
	struct ld_timer *look;
	struct ld_metrics metrics;
	struct ld_http *http;
};

static void
say(const char *text)
{
	fprintf(stderr, "lindung: %s\n", text);
}

/* ---- While it runs ------------------------------------------------------------------------ */

static void
reload(struct server *server, bool forced)
{
	struct ld_report report;
	char state[64];

	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(ld_clock_ns() / 1000));
	ld_system_notify(state);
	if (ld_holder_reload(server->holder, forced, &report) == LINDUNG_OK)
		for (unsigned i = 0; i < server->thread_count; i++)
			ld_thread_ring(server->threads[i]);
	say(report.text);
	ld_system_notify("READY=1");
}

static void
signal_came(void *ctx, int number)
{
	struct server *server = ctx;

	if (number == SIGHUP || number == SIGUSR1)
		reload(server, number == SIGUSR1);
	else
		ld_loop_stop(server->loop);
}

static void
look(void *ctx)
{
	struct server *server = ctx;
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < server->thread_count; i++) {
		uint64_t generation = ld_thread_generation(server->threads[i]);

		if (generation < oldest)
			oldest = generation;
	}
	ld_holder_sweep(server->holder, oldest);
	if (server->conf.list_watch && ld_holder_changed(server->holder))
		reload(server, false);
	ld_timer_set(server->look, LOOK_MS);
}

/* ---- The start, step by step -------------------------------------------------------------- */

static int
list_open(struct server *server, struct ld_report *report)
{
	struct ld_holder_config config = {
		.image = server->conf.list_image,
		.overlays = server->overlays,
		.overlay_count = server->overlay_count,
		.shrink_max_percent = server->conf.list_shrink_max_percent,
		.categories = server->conf.list_categories.items,
		.category_count = server->conf.list_categories.count,
	};

	if (config.image == NULL)
		return ld_fail(
			report, LINDUNG_ECONFIG,
			"no list to serve: name an index with -i FILE or list.image (lindung "
			"compile makes one)");
	return ld_holder_open(&server->holder, &config, &server->board, report);
}

static int
resolver_make(struct server *server, struct ld_report *report)
{
	const struct ld_conf *conf = &server->conf;
	struct ld_resolver_config config = {
		.block_mode = (enum ld_block_mode)conf->block_answer,
		.has_address4 = conf->block_address4.given,
		.has_address6 = conf->block_address6.given,
		.block_ttl_s = conf->block_ttl_s,
		.block_ede = (uint16_t)conf->block_reason,
		.categories = conf->list_categories.count != 0 ? conf->list_categories.items : NULL,
		.category_count = conf->list_categories.count,
		.cache_bytes = (size_t)(conf->cache_size_bytes / server->thread_count),
		.cache_ttl_max_s = conf->cache_ttl_max_s,
		.cache_negative_ttl_max_s = conf->cache_negative_ttl_max_s,
		.cache_ttl_min_s = conf->cache_ttl_min_s,
		.cache_stale_s = conf->cache_stale_s,
		.cache_failure_ttl_max_s = conf->cache_failure_ttl_max_s,
		.cache_prefetch = conf->cache_prefetch,
		.udp_payload_bytes = 1232,
		.unix_s = ld_clock_unix_s,
		.tcp_idle_ms = conf->tcp_idle_ms,
		.access = server->access.allowed,
		.access_drop = conf->access_answer == LD_CONF_DENIAL_DROP,
		.rate = ld_access_rate(&server->access, conf),
	};

	memcpy(config.address4, conf->block_address4.octets, sizeof config.address4);
	memcpy(config.address6, conf->block_address6.octets, sizeof config.address6);
	return ld_resolver_new(&server->resolver, &config, report);
}

/* TCP connections of one address in one thread.  All together take at most half of what files the
 * process may open: else whoever opens connections and says nothing would keep us from asking
 * upstream. */
static unsigned
tcp_share(const struct server *server)
{
	unsigned wanted = server->conf.tcp_connections_max, most = ld_system_files() / 2, share;

	if (wanted > most) {
		fprintf(stderr,
			"lindung: tcp.connections-max: %u instead of %u, as this process may open "
			"no more than %u files (ulimit -n)\n",
			most, wanted, ld_system_files());
		wanted = most;
	}
	share = wanted / server->thread_count / server->sockets.count;
	return share > TCP_CONNECTIONS_MIN ? share : TCP_CONNECTIONS_MIN;
}

static int
threads_make(struct server *server, struct ld_report *report)
{
	const struct ld_conf *conf = &server->conf;
	struct ld_upstream_config upstream = {
		.forward = conf->upstream_mode == LD_CONF_MODE_FORWARD,
		.servers = conf->upstream_servers.texts,
		.server_count = conf->upstream_servers.count,
		.timeout_ms = conf->upstream_timeout_ms,
		.dnssec = conf->upstream_dnssec,
		.trust_anchor = conf->upstream_trust_anchor,
		.root_hints = conf->upstream_root_hints,
	};
	struct ld_thread_config config = {
		.resolver = server->resolver,
		.upstream = &upstream,
		.tcp = {.connections_max = tcp_share(server),
			.idle_ms = conf->tcp_idle_ms,
			.in_flight_max = conf->tcp_in_flight_max,
			.output_max = TCP_OUTPUT_MAX},
		.access = &server->access,
		.board = &server->board,
		.addresses = server->sockets.count,
	};
	int err = LINDUNG_OK;

	server->threads = calloc(server->thread_count, sizeof(struct ld_thread *));
	if (server->threads == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < server->thread_count && err == LINDUNG_OK; i++) {
		err = ld_thread_new(&server->threads[i], &config, report);
		if (err == LINDUNG_OK)
			err = ld_sockets_give(&server->sockets, server->threads[i], report);
	}
	return err;
}

static int
metrics_open(struct server *server, struct ld_report *report)
{
	const char *text = server->conf.metrics_listen.text;
	struct ld_address address;
	int err;

	server->metrics = (struct ld_metrics){
		.threads = server->threads,
		.thread_count = server->thread_count,
		.holder = server->holder,
		.started_ms = ld_clock_monotonic_ms(),
	};
	if (text == NULL)
		return LINDUNG_OK;
	err = ld_address_from_text(&address, ld_span_str(text), CONF_DEFAULT_PORT, report);
	if (err == LINDUNG_OK)
		err = ld_http_open(&server->http, server->loop, &address, ld_metrics_page,
				   &server->metrics, report);
	if (err == LINDUNG_OK || server->has_conf)
		return err;
	/* Nobody asked for them: protection does not fail for want of counters. */
	fprintf(stderr, "lindung: no metrics: %s\n", report->text);
	return LINDUNG_OK;
}

static int
loop_make(struct server *server, struct ld_report *report)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

	server->loop = ld_loop_new();
	if (server->loop == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < SIGNALS; i++) {
		server->signals[i] = ld_signal_new(server->loop, numbers[i], signal_came, server);
		if (server->signals[i] == NULL)
			return ld_fail(report, LINDUNG_ENOMEM, "cannot catch signals");
	}
	server->look = ld_timer_new(server->loop, look, server);
	if (server->look == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	ld_timer_set(server->look, LOOK_MS);
	return LINDUNG_OK;
}

static void
say_what_runs(const struct server *server)
{
	const struct ld_conf *conf = &server->conf;
	struct ld_report list;

	ld_holder_describe(server->holder, &list);
	fprintf(stderr, "lindung: list %s: %s\n", conf->list_image, list.text);
	ld_sockets_say(&server->sockets);
	fprintf(stderr, "lindung: names on no list: ");
	if (conf->upstream_mode == LD_CONF_MODE_FORWARD) {
		fprintf(stderr, "forwarded to");
		for (unsigned i = 0; i < conf->upstream_servers.count; i++)
			fprintf(stderr, "%s %s", i > 0 ? "," : "", conf->upstream_servers.texts[i]);
		fputc('\n', stderr);
	} else {
		fprintf(stderr, "resolved from the root servers, %s DNSSEC\n",
			conf->upstream_dnssec ? "validated with" : "without");
	}
	if (server->http != NULL)
		fprintf(stderr, "lindung: metrics at %s, path /metrics\n",
			conf->metrics_listen.text);
	fprintf(stderr, "lindung: ready: %u thread%s\n", server->thread_count,
		server->thread_count == 1 ? "" : "s");
}

static int
start(struct server *server, struct ld_report *report)
{
	int err;

	server->thread_count = server->conf.threads != 0 ? server->conf.threads : ld_system_cores();
	ld_system_limits();
	signal(SIGPIPE, SIG_IGN);
	/* Signals are caught from here on: one that comes early is for the loop, and ends nothing.
	 */
	err = loop_make(server, report);
	/* The cheapest way to fail first: a port that is taken is told at once. */
	if (err == LINDUNG_OK)
		err = ld_sockets_open(&server->sockets, server->conf.listen.texts,
				      server->conf.listen.count, server->thread_count, report);
	if (err == LINDUNG_OK)
		err = list_open(server, report);
	if (err == LINDUNG_OK)
		err = ld_access_make(&server->access, &server->conf, report);
	if (err == LINDUNG_OK)
		err = resolver_make(server, report);
	if (err == LINDUNG_OK)
		err = threads_make(server, report);
	if (err == LINDUNG_OK)
		err = metrics_open(server, report);
	if (err == LINDUNG_OK)
		err = ld_system_user(server->conf.user, report);
	for (unsigned i = 0; i < server->thread_count && err == LINDUNG_OK; i++)
		if (ld_thread_start(server->threads[i]) != LINDUNG_OK)
			err = ld_fail(report, LINDUNG_ENOMEM, "cannot start thread %u", i + 1);
	return err;
}

static void
end(struct server *server)
{
	for (unsigned i = 0; server->threads != NULL && i < server->thread_count; i++)
		if (server->threads[i] != NULL)
			ld_thread_stop(server->threads[i]);
	for (unsigned i = 0; server->threads != NULL && i < server->thread_count; i++)
		ld_thread_free(server->threads[i]);
	free(server->threads);
	ld_http_close(server->http);
	ld_timer_free(server->look);
	for (unsigned i = 0; i < SIGNALS; i++)
		ld_signal_free(server->signals[i]);
	ld_loop_free(server->loop);
	ld_resolver_free(server->resolver);
	ld_access_clear(&server->access);
	ld_holder_close(server->holder);
	ld_sockets_close(&server->sockets);
	ld_arena_clear(&server->arena);
}

static int
serve(struct server *server)
{
	struct ld_report report;
	int err = start(server, &report);

	if (err != LINDUNG_OK) {
		say(report.text);
		end(server);
		return 1;
	}
	say_what_runs(server);
	ld_system_notify("READY=1");
	ld_loop_run(server->loop);
	ld_system_notify("STOPPING=1");
	end(server);
	say("stopped");
	return 0;
}

/* ---- The command line --------------------------------------------------------------------- */

static int
overlay_add(struct server *server, const char *path)
{
	if (server->overlay_count == LINDUNG_OVERLAY_MAX) {
		fprintf(stderr, "lindung serve: more than %d overlays\n", LINDUNG_OVERLAY_MAX);
		return 2;
	}
	server->overlays[server->overlay_count++] = path;
	return 0;
}

/* The configuration, then what the command line puts in its place. */
static int
configure(struct server *server, const char *path, const char *image, const char *const *overlays,
	  unsigned overlay_count)
{
	struct ld_report report;
	int status = 0;

	ld_arena_init(&server->arena, ARENA_BYTES);
	server->has_conf = path != NULL;
	if (ld_conf_load(&server->conf, path, &server->arena, &report) != LINDUNG_OK) {
		say(report.text);
		ld_arena_clear(&server->arena);
		return 1;
	}
	if (image != NULL)
		server->conf.list_image = image;
	for (unsigned i = 0; i < server->conf.list_overlays.count && status == 0; i++)
		status = overlay_add(server, server->conf.list_overlays.items[i]);
	for (unsigned i = 0; i < overlay_count && status == 0; i++)
		status = overlay_add(server, overlays[i]);
	if (status != 0)
		ld_arena_clear(&server->arena);
	return status;
}

int
serve_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"image", required_argument, NULL, 'i'},
		{"overlay", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL, *image = NULL, *overlays[LINDUNG_OVERLAY_MAX + 1];
	unsigned overlay_count = 0;
	struct server server = {0};
	int c, status;

	while ((c = getopt_long(argc, argv, "c:i:o:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'i':
			image = optarg;
			break;
		case 'o':
			if (overlay_count <= LINDUNG_OVERLAY_MAX)
				overlays[overlay_count++] = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "lindung serve: unexpected: %s (use -c FILE)\n", argv[optind]);
		return 2;
	}
	status = configure(&server, path, image, overlays, overlay_count);
	return status != 0 ? status : serve(&server);
}
