/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "log/disk.h"
#include "log/parcel.h"
#include "log/text.h"
#include "net/shares.h"
#include "process/host_parts.h"
#include "process/sandbox.h"

enum { CLIENT_BUCKETS = 1024, NETWORK_BYTES = 8 };

struct host {
	const struct ld_host_config *config;
	struct event_base *loop;
	struct ld_web *web;
	struct ld_shares *shares;
	struct host_writer *writer;
	struct host_export *export;
	struct host_notify *notify;
	struct ld_signal *ends[2];
	int listeners[LD_HOST_LISTEN_MAX];
	unsigned listener_count;
	int log_fd; /* the log's directory; -1: there is none */
	/* What the workers are done with. */
	pthread_mutex_t lock;
	struct host_job *done;
	struct ld_bell *bell;
	atomic_bool news;
	/* What strangers may ask for, all of them together ... */
	struct bucket {
		int64_t per_s, at_once;
		int64_t level, filled_ms; /* in thousandths; when it was looked at */
	} posts, lookups;
	/* ... and those whose addresses meet in one bucket.  Who it was is not kept. */
	struct bucket clients[CLIENT_BUCKETS];
	uint8_t clients_key[LD_SIPHASH_KEY_BYTES];
};

static const char forever[] = "public, max-age=31536000, immutable";

struct host_export *
host_exports(struct host *host)
{
	return host->export;
}

/* ---- From the workers ----------------------------------------------------------------------- */

void
host_done(struct host *host, struct host_job *job)
{
	pthread_mutex_lock(&host->lock);
	job->next = host->done;
	host->done = job;
	pthread_mutex_unlock(&host->lock);
	ld_bell_ring(host->bell);
}

void
host_news(struct host *host)
{
	atomic_store(&host->news, true);
	ld_bell_ring(host->bell);
}

static void
bell_rung(void *ctx)
{
	struct host *host = ctx;
	struct host_job *jobs;

	pthread_mutex_lock(&host->lock);
	jobs = host->done;
	host->done = NULL;
	pthread_mutex_unlock(&host->lock);
	while (jobs != NULL) {
		struct host_job *next = jobs->next;

		ld_web_answer(host->web, jobs->ref, &jobs->answer);
		jobs->answer.status = 0; /* it is the server's */
		host_job_free(jobs);
		jobs = next;
	}
	if (atomic_exchange(&host->news, false))
		host_notify_send(host->notify);
}

/* ---- Which address is what ------------------------------------------------------------------ */

enum place {
	PLACE_NONE,
	PLACE_ROOT,
	PLACE_CHECKPOINT,
	PLACE_TILE,
	PLACE_BLOCK,
	PLACE_RECEIPT,
	PLACE_EXPORT,
	PLACE_WITNESSED,
	PLACE_SUBMIT,
	PLACE_ADD_CHECKPOINT,
};

/* Whether it is `before` and something behind it. */
static bool
is_below(struct ld_span path, struct ld_span before, struct ld_span *ret_rest)
{
	if (!ld_span_starts(path, before))
		return false;
	*ret_rest = ld_span_from(path, before.len);
	return true;
}

static bool
is_hash(struct ld_span text)
{
	uint8_t octets[LD_HASH_BYTES];

	return ld_text_from_hex(octets, sizeof octets, text);
}

static enum place
place_of_log(struct ld_span path, struct ld_span *ret_rest)
{
	struct ld_tile tile;

	if (ld_span_equal(path, LD_SPAN("/checkpoint")))
		return PLACE_CHECKPOINT;
	if (is_below(path, LD_SPAN("/tile/"), ret_rest))
		return ld_tile_parse(&tile, ld_span_from(path, 1)) == LINDUNG_OK ? PLACE_TILE
										 : PLACE_NONE;
	if (is_below(path, LD_SPAN("/block/"), ret_rest))
		return is_hash(*ret_rest) ? PLACE_BLOCK : PLACE_NONE;
	if (is_below(path, LD_SPAN("/receipt/"), ret_rest))
		return is_hash(*ret_rest) ? PLACE_RECEIPT : PLACE_NONE;
	if (is_below(path, LD_SPAN("/export/"), ret_rest))
		return host_export_is_name(*ret_rest) ? PLACE_EXPORT : PLACE_NONE;
	return ld_span_equal(path, LD_SPAN("/submit")) ? PLACE_SUBMIT : PLACE_NONE;
}

static enum place
place_of(const struct host *host, struct ld_span path, struct ld_span *ret_rest)
{
	enum place place = host->config->log != NULL ? place_of_log(path, ret_rest) : PLACE_NONE;

	if (place != PLACE_NONE)
		return place;
	if (ld_span_equal(path, LD_SPAN("/")))
		return PLACE_ROOT;
	if (host->config->witness == NULL)
		return PLACE_NONE;
	if (ld_span_equal(path, LD_SPAN("/add-checkpoint")))
		return PLACE_ADD_CHECKPOINT;
	if (path.len == 1 + 2 * LD_HASH_BYTES + 11 && ld_span_ends(path, LD_SPAN("/checkpoint"))) {
		*ret_rest = ld_span(path.data + 1, 2 * LD_HASH_BYTES);
		return is_hash(*ret_rest) ? PLACE_WITNESSED : PLACE_NONE;
	}
	return PLACE_NONE;
}

/* Take one out, if there is one. */
static bool
bucket_take(struct bucket *bucket)
{
	int64_t now_ms = ld_clock_monotonic_ms();

	bucket->level += (now_ms - bucket->filled_ms) * bucket->per_s;
	bucket->filled_ms = now_ms;
	if (bucket->level > bucket->at_once * 1000)
		bucket->level = bucket->at_once * 1000;
	if (bucket->level < 1000)
		return false;
	bucket->level -= 1000;
	return true;
}

/* Of a client's own first: what it is refused for that is not taken from the others. */
static bool
post_take(struct host *host, const struct ld_address *from)
{
	uint8_t octets[16];
	unsigned len = ld_address_octets(from, octets);
	uint64_t hash = ld_siphash(host->clients_key,
				   ld_span(octets, len < NETWORK_BYTES ? len : NETWORK_BYTES));

	return bucket_take(&host->clients[hash % CLIENT_BUCKETS]) && bucket_take(&host->posts);
}

static int
admit(void *ctx, const struct ld_address *from, const struct ld_web_request *request,
      uint64_t *ret_body_max)
{
	struct host *host = ctx;
	struct ld_span rest;
	enum place place = place_of(host, request->path, &rest);
	bool posted = place == PLACE_SUBMIT || place == PLACE_ADD_CHECKPOINT;

	if (place == PLACE_NONE)
		return 404;
	if (posted != (request->method == LD_WEB_POST))
		return 405;
	if (place == PLACE_RECEIPT || place == PLACE_EXPORT || place == PLACE_WITNESSED)
		return bucket_take(&host->lookups) ? 200 : 429;
	if (!posted)
		return 200;
	*ret_body_max = place == PLACE_SUBMIT ? LD_PARCEL_MAX_BYTES : LD_WITNESS_REQUEST_MAX_BYTES;
	if (request->length == 0)
		return 400;
	return post_take(host, from) ? 200 : 429;
}

/* ---- Answers -------------------------------------------------------------------------------- */

/* Open a file of the log; nothing but what was named, whatever links there are. */
static int
file_open(const struct host *host, struct ld_span path, uint64_t *ret_size)
{
	char name[LD_WEB_PATH_MAX + 1];
	struct stat st;
	int fd;

	LD_ASSERT(path.len > 1 && path.len < sizeof name);
	snprintf(name, sizeof name, "%.*s", (int)path.len - 1, (const char *)path.data + 1);
	fd = openat(host->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -1;
	}
	*ret_size = (uint64_t)st.st_size;
	return fd;
}

/* Tiles and blocks: whatever stands at an address once stands there for ever. */
static void
file_answer(struct host *host, struct ld_web_ref ref, struct ld_span path)
{
	struct ld_web_answer answer = {
		.status = 200, .type = "application/octet-stream", .cache = forever, .fd = -1};
	struct ld_hash hash;
	char hex[2 * LD_HASH_BYTES + 1];

	answer.fd = file_open(host, path, &answer.size);
	if (answer.fd < 0) {
		ld_web_say(host->web, ref, errno == ENOENT || errno == ENOTDIR ? 404 : 503, NULL);
		return;
	}
	ld_hash_of(&hash, path);
	ld_text_to_hex(hex, ld_span(hash.bytes, LD_HASH_BYTES));
	snprintf(answer.tag, sizeof answer.tag, "\"%.16s-%llx\"", hex,
		 (unsigned long long)answer.size);
	ld_web_answer(host->web, ref, &answer);
}

static void
checkpoint_answer(struct host *host, struct ld_web_ref ref)
{
	struct ld_web_answer answer = {.status = 200,
				       .type = "text/plain; charset=utf-8",
				       .cache = "public, max-age=1, must-revalidate",
				       .fd = -1};
	struct ld_hash hash;
	char hex[2 * LD_HASH_BYTES + 1];

	ld_buffer_init(&answer.body, LD_CHECKPOINT_MAX_BYTES);
	if (ld_disk_read(host->log_fd, "checkpoint", &answer.body, NULL) != LINDUNG_OK) {
		ld_buffer_free(&answer.body);
		ld_web_say(host->web, ref, 503, NULL);
		return;
	}
	ld_hash_of(&hash, ld_buffer_span(&answer.body));
	ld_text_to_hex(hex, ld_span(hash.bytes, LD_HASH_BYTES));
	snprintf(answer.tag, sizeof answer.tag, "\"%.32s\"", hex);
	ld_web_answer(host->web, ref, &answer);
}

static void
root_answer(struct host *host, struct ld_web_ref ref)
{
	const struct ld_host_config *c = host->config;
	char text[LD_WEB_NOTE_MAX];

	snprintf(text, sizeof text,
		 "This is a host of Lindung (child online protection).%s%s\n%s%s%s",
		 c->log != NULL ? "\n\nLog: " : "",
		 c->log != NULL ? ld_signer_verifier(c->signer)->name : "",
		 c->log != NULL ? "Read it: /checkpoint, /tile/..., /block/HASH (C2SP tlog-tiles)\n"
				  "Subscribe to a list: /export/CATEGORY.FORMAT\n"
				  "Hand in a statement: POST /submit, then /receipt/ID\n"
				: "",
		 c->witness != NULL ? "Witness: POST /add-checkpoint (C2SP tlog-witness), as " : "",
		 c->witness != NULL ? ld_signer_verifier(c->witness)->name : "");
	ld_web_say(host->web, ref, 200, text);
}

static void
job_give(struct host *host, struct ld_web_ref ref, enum host_job_kind kind, struct ld_span name,
	 struct ld_buffer *body)
{
	struct host_job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		ld_web_say(host->web, ref, 503, NULL);
		return;
	}
	job->kind = kind;
	job->ref = ref;
	LD_ASSERT(name.len < sizeof job->name);
	if (name.len != 0)
		memcpy(job->name, name.data, name.len);
	if (kind == HOST_RECEIPT)
		(void)ld_text_from_hex(job->id, sizeof job->id, name);
	if (kind == HOST_SUBMIT || kind == HOST_ADD_CHECKPOINT) {
		job->body = *body;
		ld_buffer_init(body, 0);
	}
	if (!host_worker_give(host_writer_worker(host->writer), job)) {
		host_job_free(job);
		ld_web_say(host->web, ref, 503, NULL);
	}
}

static void
asked(void *ctx, struct ld_web_ref ref, const struct ld_web_request *request,
      struct ld_buffer *body)
{
	struct host *host = ctx;
	struct ld_span rest = {NULL, 0};

	switch (place_of(host, request->path, &rest)) {
	case PLACE_ROOT:
		root_answer(host, ref);
		break;
	case PLACE_CHECKPOINT:
		checkpoint_answer(host, ref);
		break;
	case PLACE_TILE:
	case PLACE_BLOCK:
		file_answer(host, ref, request->path);
		break;
	case PLACE_RECEIPT:
		job_give(host, ref, HOST_RECEIPT, rest, NULL);
		break;
	case PLACE_EXPORT:
		job_give(host, ref, HOST_EXPORT, rest, NULL);
		break;
	case PLACE_WITNESSED:
		job_give(host, ref, HOST_WITNESSED, rest, NULL);
		break;
	case PLACE_SUBMIT:
		job_give(host, ref, HOST_SUBMIT, (struct ld_span){NULL, 0}, body);
		break;
	case PLACE_ADD_CHECKPOINT:
		job_give(host, ref, HOST_ADD_CHECKPOINT, (struct ld_span){NULL, 0}, body);
		break;
	case PLACE_NONE:
	default:
		ld_web_say(host->web, ref, 404, NULL);
		break;
	}
}

/* ---- The whole ------------------------------------------------------------------------------ */

static void
end_came(void *ctx, int number)
{
	struct host *host = ctx;

	(void)number;
	ld_loop_stop(host->loop);
}

static int
network_open(struct host *host, struct ld_report *report)
{
	const struct ld_host_config *c = host->config;
	const struct ld_web_config web = {
		.shares = host->shares,
		.connections_max = LD_HOST_CONNECTIONS_MAX,
		.bodies_max_bytes = LD_HOST_BODIES_MAX_BYTES,
		.admit = admit,
		.asked = asked,
		.ctx = host,
	};
	int err = ld_web_new(&host->web, host->loop, &web);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "not enough memory");
	for (unsigned i = 0; i < c->listen_count && err == LINDUNG_OK; i++) {
		int *fd = &host->listeners[i];

		err = ld_listen_check(&c->listen[i], LD_LISTEN_TCP, NULL, report);
		if (err == LINDUNG_OK)
			err = ld_listen_open(fd, &c->listen[i], LD_LISTEN_TCP, report);
		host->listener_count += err == LINDUNG_OK;
	}
	if (err == LINDUNG_OK && c->log != NULL)
		err = host_notify_new(&host->notify, host->loop, c->notify, c->notify_count,
				      ld_span_str(ld_signer_verifier(c->signer)->name), report);
	return err;
}

static int
walls_enter(struct host *host, struct ld_report *report)
{
	const struct ld_host_config *c = host->config;
	char store[4096] = "";
	const char *directories[] = {c->log, c->work, c->witness_state, NULL};
	unsigned up = 0;
	int err;

	/* SQLite writes beside its file. */
	if (c->log != NULL && strstr(c->store, "://") == NULL) {
		const char *slash = strrchr(c->store, '/');

		snprintf(store, sizeof store, "%.*s",
			 slash != NULL ? (int)(slash - c->store) + 1 : 1,
			 slash != NULL ? c->store : ".");
		directories[3] = store;
	}
	err = host_walls(c->user, directories, 4, &up, report);
	if (err == LINDUNG_OK && (up & LD_WALL_LANDLOCK) == 0)
		c->tell("no Landlock in this kernel, or a sanitizer: what the host may write is "
			"limited by its user alone");
	return err;
}

static int
host_open(struct host *host, struct ld_report *report)
{
	const struct ld_host_config *c = host->config;
	int err = LINDUNG_OK;

	host->loop = ld_loop_new();
	host->shares = ld_shares_new(LD_HOST_CONNECTIONS_MAX, LD_HOST_CLIENT_CONNECTIONS_MAX);
	host->bell = host->loop != NULL ? ld_bell_new(host->loop, bell_rung, host) : NULL;
	if (host->bell == NULL || host->shares == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (c->log != NULL)
		err = ld_disk_open(&host->log_fd, AT_FDCWD, c->log, report);
	if (err == LINDUNG_OK)
		err = network_open(host, report); /* a port below 1024 needs root */
	if (err == LINDUNG_OK)
		err = walls_enter(host, report);
	if (err == LINDUNG_OK && c->log != NULL)
		err = host_export_new(&host->export, host, c, report);
	if (err == LINDUNG_OK)
		err = host_writer_open(&host->writer, host, c, report);
	return err;
}

static void
host_close(struct host *host)
{
	host_writer_close(host->writer);
	host_export_free(host->export);
	while (host->done != NULL) {
		struct host_job *next = host->done->next;

		host_job_free(host->done);
		host->done = next;
	}
	host_notify_free(host->notify);
	ld_web_free(host->web);
	for (unsigned i = 0; i < host->listener_count; i++)
		close(host->listeners[i]);
	for (unsigned i = 0; i < 2; i++)
		ld_signal_free(host->ends[i]);
	ld_bell_free(host->bell);
	ld_loop_free(host->loop);
	ld_shares_free(host->shares);
	if (host->log_fd >= 0)
		close(host->log_fd);
	pthread_mutex_destroy(&host->lock);
}

static int
host_start(struct host *host, struct ld_report *report)
{
	char line[256], text[LD_ADDRESS_TEXT_MAX];
	int err = LINDUNG_OK;

	host->ends[0] = ld_signal_new(host->loop, SIGTERM, end_came, host);
	host->ends[1] = ld_signal_new(host->loop, SIGINT, end_came, host);
	for (unsigned i = 0; i < host->listener_count && err == LINDUNG_OK; i++)
		err = ld_web_listen(host->web, host->listeners[i]);
	if (err == LINDUNG_OK)
		err = host_worker_start(host_writer_worker(host->writer));
	if (err == LINDUNG_OK && host->export != NULL)
		err = host_worker_start(host_export_worker(host->export));
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "threads cannot be started");
	for (unsigned i = 0; i < host->listener_count; i++) {
		ld_address_to_text(&host->config->listen[i], text);
		snprintf(line, sizeof line, "listening on %s", text);
		host->config->tell(line);
	}
	return LINDUNG_OK;
}

int
ld_host_run(const struct ld_host_config *config, struct ld_report *report)
{
	struct host host = {.config = config, .log_fd = -1};
	int err;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is a full disk, and no end */
	pthread_mutex_init(&host.lock, NULL);
	for (unsigned i = 0; i < CLIENT_BUCKETS; i++)
		host.clients[i] = (struct bucket){.per_s = LD_HOST_CLIENT_POSTS_PER_S,
						  .at_once = LD_HOST_CLIENT_POSTS_AT_ONCE};
	if (getrandom(host.clients_key, sizeof host.clients_key, 0) != sizeof host.clients_key)
		return ld_fail(report, LINDUNG_EIO, "there are no random numbers");
	host.posts = (struct bucket){.per_s = LD_HOST_POSTS_PER_S,
				     .at_once = LD_HOST_POSTS_AT_ONCE,
				     .level = LD_HOST_POSTS_AT_ONCE * 1000,
				     .filled_ms = ld_clock_monotonic_ms()};
	host.lookups = (struct bucket){.per_s = LD_HOST_LOOKUPS_PER_S,
				       .at_once = LD_HOST_LOOKUPS_AT_ONCE,
				       .level = LD_HOST_LOOKUPS_AT_ONCE * 1000,
				       .filled_ms = ld_clock_monotonic_ms()};
	err = host_open(&host, report);
	if (err == LINDUNG_OK)
		err = host_start(&host, report);
	if (err == LINDUNG_OK)
		ld_loop_run(host.loop);
	host_close(&host);
	return err;
}
