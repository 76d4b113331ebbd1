/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/parent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"
#include "process/certificate.h"
#include "process/family.h"
#include "process/following.h"
#include "process/identity.h"
#include "process/reload.h"
#include "process/sandbox.h"
#include "process/snapshot.h"
#include "process/sockets.h"
#include "process/spawn.h"
#include "process/streams.h"
#include "process/system.h"
#include "process/zoning.h"

enum {
	LOOK_MS = 250, /* how often the files of the list are looked at */
	/* For a child to end by itself: on a busy machine with large lists that takes seconds.  Two
	 * of them end well before systemd's patience does (90 s). */
	END_WAIT_MS = 30 * 1000,
	CONF_BYTES_MAX = 16 * 1024 * 1024,
};

static const int signal_numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD};

enum { SIGNALS = sizeof signal_numbers / sizeof signal_numbers[0] };

enum { KID_RESOLVER, KID_RECURSOR, KID_SYNC, KIDS };

struct ld_parent {
	struct ld_conf conf;
	bool is_asked;
	int conf_fd;
	struct ld_sockets sockets;
	struct ld_secrets secrets;
	struct ld_buffer zone_keys;
	int metrics_fd; /* -1: none */
	struct event_base *loop;
	struct ld_signal *signals[SIGNALS];
	struct ld_timer *look, *ping;
	struct ld_kid *kids[KIDS]; /* NULL: there is none of this kind */
	unsigned walls;            /* that all children have */
	bool started[KIDS];        /* those that run said so */
	bool ready, stopping, failed;
	uint64_t started_ms;
	unsigned ping_ms;
	struct ld_reload *reload;
	struct ld_certificate *certificate; /* NULL: no TLS */
	struct ld_following *following;     /* NULL: no log */
	struct ld_span protected;
};

static void
say(const char *text)
{
	fprintf(stderr, "lindung: %s\n", text);
}

/* It cannot begin: said once, whoever else fails with it. */
static void
give_up(struct ld_parent *parent, const char *text)
{
	if (!parent->failed)
		say(text);
	parent->failed = true;
	if (parent->loop != NULL)
		ld_loop_stop(parent->loop);
}

/* ---- What is handed to the children -------------------------------------------------------- */

static void
conf_send(struct ld_parent *parent, struct ld_channel *channel)
{
	(void)ld_channel_send_fds(channel, LD_MESSAGE_CONF, ld_span(NULL, 0), &parent->conf_fd, 1);
}

static void
secrets_send(struct ld_parent *parent, struct ld_channel *channel)
{
	const struct ld_secrets *secrets = &parent->secrets;

	if (secrets->count != 0)
		(void)ld_channel_send(
			channel, LD_MESSAGE_SECRETS,
			ld_span(secrets->octets[0], secrets->count * sizeof secrets->octets[0]),
			ld_span(NULL, 0));
	if (parent->zone_keys.len != 0)
		(void)ld_channel_send(channel, LD_MESSAGE_ZONE_KEYS,
				      ld_buffer_span(&parent->zone_keys), ld_span(NULL, 0));
}

static void
sockets_send(struct ld_parent *parent, struct ld_channel *channel)
{
	const struct ld_sockets *sockets = &parent->sockets;
	uint8_t octets[3] = {0, 0, LD_SOCKET_METRICS};

	if (parent->metrics_fd >= 0)
		(void)ld_channel_send_fds(channel, LD_MESSAGE_SOCKET,
					  ld_span(octets, sizeof octets), &parent->metrics_fd, 1);
	for (unsigned i = 0; i < sockets->threads * sockets->count; i++) {
		const int *fds = &sockets->fds[(size_t)2 * i];
		enum ld_socket_kind kind =
			ld_streams_socket(sockets->addresses[i % sockets->count].stream);
		bool has_udp = kind == LD_SOCKET_DNS;

		ld_put_be16(octets, (uint16_t)(i / sockets->count));
		octets[2] = (uint8_t)kind;
		(void)ld_channel_send_fds(channel, LD_MESSAGE_SOCKET,
					  ld_span(octets, sizeof octets), has_udp ? fds : fds + 1,
					  has_udp ? 2 : 1);
	}
}

/* A link for each thread, one end to the resolver, one to the recursor: when either is new, and the
 * other runs. */
static void
links_send(struct ld_parent *parent)
{
	struct ld_channel *resolver = ld_kid_channel(parent->kids[KID_RESOLVER]);
	struct ld_channel *recursor = ld_kid_channel(parent->kids[KID_RECURSOR]);

	if (resolver == NULL || recursor == NULL)
		return;
	for (unsigned i = 0; i < parent->conf.threads; i++) {
		uint8_t octets[2];
		int pair[2];

		if (ld_channel_pair(pair) != LINDUNG_OK) {
			say("too many open files: threads cannot ask the recursor");
			return;
		}
		ld_put_be16(octets, (uint16_t)i);
		(void)ld_channel_send_fds(resolver, LD_MESSAGE_LINK, ld_span(octets, 2), &pair[0],
					  1);
		(void)ld_channel_send_fds(recursor, LD_MESSAGE_LINK, ld_span(octets, 2), &pair[1],
					  1);
		close(pair[0]);
		close(pair[1]);
	}
}

static void
status_send(void *ctx)
{
	struct ld_parent *parent = ctx;
	struct ld_channel *channel = ld_kid_channel(parent->kids[KID_RESOLVER]);
	struct ld_status status = {
		.started_ms = parent->started_ms,
		.resolver_restarts = ld_kid_restarts(parent->kids[KID_RESOLVER]),
		.recursor_restarts = ld_kid_restarts(parent->kids[KID_RECURSOR]),
		.recursor_up = parent->started[KID_RECURSOR],
		.sync_restarts = parent->kids[KID_SYNC] != NULL
					 ? ld_kid_restarts(parent->kids[KID_SYNC])
					 : 0,
	};
	uint8_t octets[LD_STATUS_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	if (channel == NULL)
		return;
	ld_reload_facts(parent->reload, &status.facts, &status.loaded_ms);
	ld_certificate_facts(parent->certificate, &status);
	ld_following_facts(parent->following, &status.follow);
	ld_status_write(&w, &status);
	(void)ld_channel_send(channel, LD_MESSAGE_STATUS, ld_span(w.data, w.len), ld_span(NULL, 0));
}

static void
kid_born(void *ctx, struct ld_kid *kid)
{
	struct ld_parent *parent = ctx;
	struct ld_channel *channel = ld_kid_channel(kid);

	conf_send(parent, channel);
	if (kid == parent->kids[KID_RESOLVER]) {
		secrets_send(parent, channel);
		sockets_send(parent, channel);
		ld_certificate_resolver_born(parent->certificate, channel);
	}
	if (kid == parent->kids[KID_SYNC])
		ld_following_born(parent->following, channel);
	else
		links_send(parent);
	(void)ld_channel_send(channel, LD_MESSAGE_START, ld_span(NULL, 0), ld_span(NULL, 0));
}

/* ---- What they say ------------------------------------------------------------------------- */

static void
say_what_runs(const struct ld_parent *parent)
{
	const struct ld_conf *conf = &parent->conf;
	struct ld_report list, missing;

	if (ld_sandbox_missing(parent->walls, &missing))
		say(missing.text);
	ld_reload_describe(parent->reload, &list);
	fprintf(stderr, "lindung: list %s: %s\n", ld_reload_name(parent->reload), list.text);
	ld_sockets_say(&parent->sockets);
	ld_certificate_say(parent->certificate);
	fprintf(stderr, "lindung: names on no list: ");
	if (conf->upstream_mode == LD_CONF_MODE_FORWARD) {
		fprintf(stderr, "forwarded to");
		for (unsigned i = 0; i < conf->upstream_servers.count; i++)
			fprintf(stderr, "%s %s", i > 0 ? "," : "", conf->upstream_servers.items[i]);
		fputc('\n', stderr);
	} else {
		fprintf(stderr, "resolved from the root servers, %s DNSSEC\n",
			conf->upstream_dnssec ? "validated with" : "without");
	}
	if (parent->metrics_fd >= 0)
		fprintf(stderr, "lindung: metrics at %s, path /metrics\n",
			conf->metrics_listen.text);
	fprintf(stderr, "lindung: ready: %u thread%s\n", conf->threads,
		conf->threads == 1 ? "" : "s");
}

/* Once the list is up and somebody can be asked. */
static void
ready_check(struct ld_parent *parent)
{
	struct ld_report report;

	if (parent->ready || !parent->started[KID_RECURSOR] || !ld_reload_is_up(parent->reload) ||
	    !ld_certificate_is_up(parent->certificate))
		return;
	if (ld_sandbox_parent(ld_spawn_program(), parent->conf.follow_state, ld_child_walls(),
			      &report) != LINDUNG_OK) {
		give_up(parent, report.text);
		return;
	}
	parent->ready = true;
	say_what_runs(parent);
	ld_system_notify("READY=1");
	ld_timer_set(parent->look, LOOK_MS);
	ld_timer_set(parent->ping, parent->ping_ms);
}

static bool
failed_came(struct ld_parent *parent, const struct ld_kid *kid, const struct ld_message *message)
{
	struct ld_report report;

	/* ld_fail() takes out what does not belong into a line. */
	ld_fail(&report, LINDUNG_OK, "%.*s", (int)message->body.len,
		(const char *)message->body.data);
	if (!parent->ready)
		give_up(parent, report.text);
	else
		fprintf(stderr, "lindung: %s: %s\n", ld_kid_name(kid), report.text);
	return true;
}

static bool
notice_came(const struct ld_message *message)
{
	struct ld_report report;

	ld_fail(&report, LINDUNG_OK, "%.*s", (int)message->body.len,
		(const char *)message->body.data);
	say(report.text);
	return true;
}

/* Which of them it is. */
static unsigned
kid_number(const struct ld_parent *parent, const struct ld_kid *kid)
{
	unsigned i = 0;

	while (parent->kids[i] != kid)
		i++;
	return i;
}

/* What came over a link was no message: whoever sent it is started again, and has new links. */
static bool
broken_came(struct ld_parent *parent, const struct ld_kid *kid)
{
	struct ld_kid *sender =
		parent->kids[kid == parent->kids[KID_RESOLVER] ? KID_RECURSOR : KID_RESOLVER];

	fprintf(stderr, "lindung: %s: it said to the %s what it may not say, and is ended\n",
		ld_kid_name(sender), ld_kid_name(kid));
	ld_kid_kill(sender);
	return true;
}

static bool
started_came(struct ld_parent *parent, const struct ld_kid *kid, unsigned walls)
{
	unsigned which = kid_number(parent, kid);

	/* Said over and over, each time bringing the list, it would use up our descriptors. */
	if (parent->started[which])
		return false;
	parent->started[which] = true;
	parent->walls &= walls;
	if (which == KID_RESOLVER)
		ld_reload_resolver_started(parent->reload, ld_kid_channel(kid));
	status_send(parent);
	ready_check(parent);
	return true;
}

static bool
kid_came(void *ctx, struct ld_kid *kid, struct ld_message *message)
{
	struct ld_parent *parent = ctx;
	bool good;

	switch ((unsigned)message->type) {
	case LD_MESSAGE_STARTED:
		return started_came(parent, kid, message->body.data[0]);
	case LD_MESSAGE_FAILED:
		return failed_came(parent, kid, message);
	case LD_MESSAGE_NOTICE:
		return notice_came(message);
	case LD_MESSAGE_BROKEN:
		return kid != parent->kids[KID_SYNC] && broken_came(parent, kid);
	case LD_MESSAGE_NEWS:
		ld_following_news(parent->following);
		return true;
	case LD_MESSAGE_FOLLOWED:
		return ld_following_came(parent->following, message);
	case LD_MESSAGE_LISTED:
		good = ld_reload_listed(parent->reload, message->body);
		ready_check(parent);
		return good;
	case LD_MESSAGE_SHOWN:
		good = ld_certificate_shown(parent->certificate, message->body);
		ready_check(parent);
		return good;
	default:
		return false;
	}
}

static void
resolver_gone(struct ld_parent *parent, const struct ld_report *what)
{
	ld_reload_resolver_gone(parent->reload, what);
	ld_certificate_resolver_gone(parent->certificate);
}

static bool
kid_died(void *ctx, struct ld_kid *kid, const struct ld_report *what)
{
	struct ld_parent *parent = ctx;

	parent->started[kid_number(parent, kid)] = false;
	if (kid == parent->kids[KID_SYNC])
		ld_following_gone(parent->following);
	if (kid == parent->kids[KID_RESOLVER])
		resolver_gone(parent, what);
	if (parent->stopping)
		return false;
	/* Who follows a log is started again whenever that was: the queries wait for a list. */
	if (!parent->ready && (parent->failed || kid != parent->kids[KID_SYNC])) {
		give_up(parent, what->text);
		return false;
	}
	status_send(parent);
	return true;
}

static void
kid_well(void *ctx, struct ld_kid *kid)
{
	struct ld_parent *parent = ctx;

	if (kid == parent->kids[KID_RESOLVER])
		ld_system_notify("WATCHDOG=1");
}

static void
first_failed(void *ctx, const struct ld_report *why)
{
	give_up(ctx, why->text);
}

static const struct ld_reload_events reload_events = {
	.changed = status_send,
	.failed = first_failed,
};

static const struct ld_certificate_events certificate_events = {
	.changed = status_send,
	.failed = first_failed,
};

static const struct ld_kid_events kid_events = {
	.born = kid_born,
	.came = kid_came,
	.well = kid_well,
	.died = kid_died,
};

/* ---- While it runs ------------------------------------------------------------------------- */

static void
signal_came(void *ctx, int number)
{
	struct ld_parent *parent = ctx;

	if (number == SIGCHLD) {
		for (unsigned i = 0; i < KIDS; i++)
			if (parent->kids[i] != NULL)
				ld_kid_reap(parent->kids[i]);
		ld_reload_reap(parent->reload);
	} else if (number == SIGHUP || number == SIGUSR1) {
		if (number == SIGHUP)
			ld_certificate_begin(parent->certificate);
		ld_reload_begin(parent->reload, number == SIGUSR1);
	} else {
		parent->stopping = true;
		ld_loop_stop(parent->loop);
	}
}

static void
look_due(void *ctx)
{
	struct ld_parent *parent = ctx;

	ld_reload_look(parent->reload);
	ld_certificate_look(parent->certificate);
	ld_timer_set(parent->look, LOOK_MS);
}

static void
ping_due(void *ctx)
{
	struct ld_parent *parent = ctx;

	for (unsigned i = 0; i < KIDS; i++)
		if (parent->kids[i] != NULL)
			ld_kid_ping(parent->kids[i], parent->ping_ms);
	ld_timer_set(parent->ping, parent->ping_ms);
}

/* ---- The start, step by step --------------------------------------------------------------- */

static int
loop_make(struct ld_parent *parent, struct ld_report *report)
{
	parent->loop = ld_loop_new();
	if (parent->loop == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < SIGNALS; i++) {
		parent->signals[i] =
			ld_signal_new(parent->loop, signal_numbers[i], signal_came, parent);
		if (parent->signals[i] == NULL)
			return ld_fail(report, LINDUNG_ENOMEM, "cannot catch signals");
	}
	parent->look = ld_timer_new(parent->loop, look_due, parent);
	parent->ping = ld_timer_new(parent->loop, ping_due, parent);
	parent->kids[KID_RESOLVER] =
		ld_kid_new(parent->loop, LD_ROLE_RESOLVER, &kid_events, parent);
	parent->kids[KID_RECURSOR] =
		ld_kid_new(parent->loop, LD_ROLE_RECURSOR, &kid_events, parent);
	if (parent->conf.follow_url[0] != '\0') {
		parent->kids[KID_SYNC] =
			ld_kid_new(parent->loop, LD_ROLE_SYNC, &kid_events, parent);
		if (parent->kids[KID_SYNC] == NULL)
			return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	if (parent->look == NULL || parent->ping == NULL || parent->kids[KID_RESOLVER] == NULL ||
	    parent->kids[KID_RECURSOR] == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	return LINDUNG_OK;
}

static int
metrics_open(struct ld_parent *parent, struct ld_report *report)
{
	const struct ld_conf_address *where = &parent->conf.metrics_listen;
	int err;

	if (where->text == NULL)
		return LINDUNG_OK;
	err = ld_listen_check(&where->socket, LD_LISTEN_TCP, NULL, report);
	if (err == LINDUNG_OK)
		err = ld_listen_open(&parent->metrics_fd, &where->socket, LD_LISTEN_TCP, report);
	if (err == LINDUNG_OK || parent->is_asked)
		return err;
	/* Nobody asked for them: protection does not fail for want of counters. */
	fprintf(stderr, "lindung: no metrics: %s\n", report->text);
	return LINDUNG_OK;
}

/* Everything that the children need to know of the configuration, as one text. */
static int
conf_make(struct ld_parent *parent, struct ld_report *report)
{
	struct ld_buffer text;
	int err;

	ld_buffer_init(&text, CONF_BYTES_MAX);
	ld_conf_print(&parent->conf, &text);
	if (text.failed)
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the configuration");
	else
		err = ld_snapshot_of(&parent->conf_fd, ld_buffer_span(&text), report);
	ld_buffer_free(&text);
	return err;
}

static int
sockets_open(struct ld_parent *parent, struct ld_report *report)
{
	const struct ld_conf *conf = &parent->conf;
	const struct ld_sockets_wanted wanted[] = {
		{LD_TRANSPORT_TCP, "listen", conf->listen.texts, conf->listen.count},
		{LD_TRANSPORT_TLS, "tls.listen", conf->tls_listen.texts, conf->tls_listen.count},
		{LD_TRANSPORT_HTTPS, "https.listen", conf->https_listen.texts,
		 conf->https_listen.count},
	};

	int err = ld_sockets_open(&parent->sockets, wanted, sizeof wanted / sizeof wanted[0],
				  conf->threads, report);

	if (err == LINDUNG_OK && conf->steer && !ld_sockets_steer(&parent->sockets)) {
		fprintf(stderr, "lindung: steer: not done: it needs one thread for each core "
				"(threads: 0)\n");
		parent->conf.steer = false; /* as the children are told */
	}
	return err;
}

static int
following_make(struct ld_parent *parent, struct ld_report *report)
{
	const struct ld_conf *conf = &parent->conf;
	int err = LINDUNG_OK;

	if (conf->follow_url[0] != '\0')
		err = ld_sandbox_folder(conf->follow_state, conf->user, report);
	if (err == LINDUNG_OK)
		err = ld_following_new(&parent->following, parent->loop, parent->reload, conf,
				       parent->protected, status_send, parent, report);
	return err;
}

static int
start(struct ld_parent *parent, struct ld_report *report)
{
	const struct ld_conf *conf = &parent->conf;
	int err;

	if (conf->threads == 0)
		parent->conf.threads = ld_system_cores();
	ld_system_limits();
	ld_system_notify_open();
	parent->ping_ms = LD_PING_MS;
	if (ld_system_watchdog_ms() != 0 && ld_system_watchdog_ms() < LD_PING_MS)
		parent->ping_ms = ld_system_watchdog_ms();
	signal(SIGPIPE, SIG_IGN);
	/* Signals are caught from here on: one that comes early is for the loop, and ends nothing.
	 */
	err = loop_make(parent, report);
	if (err == LINDUNG_OK)
		err = ld_conf_servers_check(conf, true, report);
	/* The cheapest way to fail first: a port that is taken is told at once. */
	if (err == LINDUNG_OK)
		err = sockets_open(parent, report);
	if (err == LINDUNG_OK)
		err = ld_certificate_new(&parent->certificate, conf, &certificate_events, parent,
					 report);
	if (err == LINDUNG_OK)
		err = metrics_open(parent, report);
	if (err == LINDUNG_OK)
		err = ld_secrets_load(&parent->secrets, conf->cookie_secret_file, report);
	if (err == LINDUNG_OK)
		err = ld_zoning_keys_load(&parent->zone_keys, conf, report);
	if (err == LINDUNG_OK)
		err = ld_spawn_open(report);
	if (err == LINDUNG_OK)
		err = conf_make(parent, report);
	if (err == LINDUNG_OK)
		err = ld_reload_new(&parent->reload, parent->loop, conf, parent->conf_fd,
				    &reload_events, parent, report);
	if (err == LINDUNG_OK)
		err = following_make(parent, report);
	for (unsigned i = 0; i < KIDS && err == LINDUNG_OK; i++)
		if (parent->kids[i] != NULL)
			err = ld_kid_start(parent->kids[i], report);
	if (err != LINDUNG_OK)
		return err;
	ld_streams_say(conf);
	ld_reload_begin(parent->reload, false);
	return ld_system_user(conf->user, report);
}

/* How a child ended that was to end: nothing to say if it did so well. */
static void
kid_end(struct ld_parent *parent, struct ld_kid *kid)
{
	struct ld_report how;
	int status;

	if (kid == NULL)
		return;
	status = ld_kid_end(kid, END_WAIT_MS);
	ld_spawn_describe(status, &how);
	if (status != 0 && !parent->failed) {
		fprintf(stderr, "lindung: %s: %s\n", ld_kid_name(kid), how.text);
		parent->failed = true;
	}
	ld_kid_free(kid);
}

static void
end(struct ld_parent *parent)
{
	ld_following_free(parent->following);
	ld_reload_free(parent->reload);
	ld_certificate_free(parent->certificate);
	for (unsigned i = 0; i < KIDS; i++)
		kid_end(parent, parent->kids[i]);
	ld_timer_free(parent->look);
	ld_timer_free(parent->ping);
	for (unsigned i = 0; i < SIGNALS; i++)
		ld_signal_free(parent->signals[i]);
	ld_loop_free(parent->loop);
	ld_sockets_close(&parent->sockets);
	if (parent->metrics_fd >= 0)
		close(parent->metrics_fd);
	if (parent->conf_fd >= 0)
		close(parent->conf_fd);
	ld_buffer_free(&parent->zone_keys);
}

int
ld_parent_run(const struct ld_conf *conf, bool is_asked, struct ld_span protected)
{
	struct ld_parent parent = {
		.conf = *conf,
		.is_asked = is_asked,
		.protected = protected,
		.conf_fd = -1,
		.metrics_fd = -1,
		.walls = LD_WALLS,
		.started_ms = (uint64_t)ld_clock_monotonic_ms(),
	};
	struct ld_report report;

	if (start(&parent, &report) != LINDUNG_OK)
		give_up(&parent, report.text);
	else if (!parent.failed)
		ld_loop_run(parent.loop);
	if (parent.ready)
		ld_system_notify("STOPPING=1");
	end(&parent);
	if (parent.failed)
		return 1;
	say("stopped");
	return 0;
}
