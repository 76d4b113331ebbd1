/* Inside the host (host.h): what its files share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_HOST_PARTS_H
#define LD_PROCESS_HOST_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "log/log.h"
#include "log/witness.h"
#include "net/loop.h"
#include "net/web.h"
#include "process/host.h"
#include "quorum/quorum.h"
#include "store/store.h"

/* ---- Jobs: from the loop's thread to a worker, and back ------------------------------------- */

enum host_job_kind {
	HOST_SUBMIT,         /* body: a parcel */
	HOST_RECEIPT,        /* id: of a statement */
	HOST_ADD_CHECKPOINT, /* body: as C2SP tlog-witness has it */
	HOST_WITNESSED,      /* name: hex of an origin's hash */
	HOST_EXPORT,         /* name: CATEGORY.FORMAT; first the writer's, then the exporter's */
};

struct host_job {
	struct host_job *next;
	enum host_job_kind kind;
	struct ld_web_ref ref;
	struct ld_buffer body;
	char name[128];
	uint8_t id[LD_STATEMENT_ID_BYTES];
	struct ld_web_answer answer; /* status 0: there is none yet */
	char extra[512];             /* header lines of the answer */
};

void host_job_free(struct host_job *job);
/** Answer it with a line of text. */
void host_job_say(struct host_job *job, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** A thread that works through jobs.  `work` gets all that wait, as a list (NULL: `timeout_ms` is
 * over), and hands each on to another worker or to ld_host_done(); it returns how long to wait for
 * more, < 0 for ever. */
struct host_worker {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	struct host_job *first, **last;
	unsigned count;
	bool stops;
	int (*work)(void *ctx, struct host_job *jobs);
	void *ctx;
};

int host_worker_init(struct host_worker *worker, int (*work)(void *ctx, struct host_job *jobs),
		     void *ctx);
int host_worker_start(struct host_worker *worker);
/** False: too many wait; the job stays the caller's. */
bool host_worker_give(struct host_worker *worker, struct host_job *job);
/** Let it end, when what it has is done; jobs that wait are dropped. */
void host_worker_stop(struct host_worker *worker);

/* ---- The host ------------------------------------------------------------------------------- */

struct host;

/** A worker is done with a job: answer it in the loop's thread. */
void host_done(struct host *host, struct host_job *job);
/** The checkpoint has changed: tell followers. */
void host_news(struct host *host);

struct host_export;
struct host_export *host_exports(struct host *host);

/* host_writer.c */
struct host_writer;
int host_writer_open(struct host_writer **ret, struct host *host,
		     const struct ld_host_config *config, struct ld_report *report);
struct host_worker *host_writer_worker(struct host_writer *writer);
void host_writer_close(struct host_writer *writer);

/* host_queue.c: statements on their way into the log, in the store. */
int host_queue_open(struct ld_store **ret, const char *where, struct ld_report *report);
/** Keep it; `*ret_new` false: it waits or is placed already (what was refused is tried again). */
int host_queue_put(struct ld_store *store, const uint8_t id[32], struct ld_span note, int64_t now_s,
		   bool *ret_new, struct ld_report *report);
/** It stands at that place of the log now. */
int host_queue_place(struct ld_store *store, const uint8_t id[32], uint64_t index,
		     struct ld_report *report);
/** It will never stand there, and why. */
int host_queue_refuse(struct ld_store *store, const uint8_t id[32], const char *why,
		      struct ld_report *report);
enum host_place { HOST_UNKNOWN, HOST_WAITING, HOST_PLACED, HOST_REFUSED };
/** Where it stands; `why` of what was refused. */
int host_queue_find(struct ld_store *store, const uint8_t id[32], enum host_place *ret,
		    uint64_t *ret_index, struct ld_report *ret_why, struct ld_report *report);
/** The oldest that wait, at most `max`. */
int host_queue_waiting(struct ld_store *store, unsigned max,
		       int (*each)(void *ctx, const uint8_t id[32], struct ld_span note), void *ctx,
		       struct ld_report *report);
int host_queue_count(struct ld_store *store, uint64_t *ret_waiting, uint64_t *ret_next_place,
		     struct ld_report *report);

/* host_witnesses.c: as struct ld_log_witness */
struct host_witnesses;
int host_witnesses_new(struct host_witnesses **ret, const struct ld_policy *policy,
		       const char *ca_file, void (*tell)(const char *line),
		       struct ld_report *report);
unsigned host_witnesses_count(const struct host_witnesses *witnesses);
/** The log whose checkpoints they are asked about. */
void host_witnesses_for(struct host_witnesses *witnesses, struct ld_log *log);
void host_witnesses_free(struct host_witnesses *witnesses);

/* host_notify.c */
struct host_notify;
int host_notify_new(struct host_notify **ret, struct event_base *loop,
		    const struct ld_address *targets, unsigned count, struct ld_span origin,
		    struct ld_report *report);
void host_notify_send(struct host_notify *notify);
void host_notify_free(struct host_notify *notify);

/* host_export.c */
int host_export_new(struct host_export **ret, struct host *host,
		    const struct ld_host_config *config, struct ld_report *report);
/** In the writer's thread: an image of what is in effect at `now_s` is there, for the job.
 * Gives the job away. */
void host_export_ask(struct host_export *export, struct ld_quorum *quorum, struct ld_log *log,
		     int64_t now_s, struct host_job *job);
struct host_worker *host_export_worker(struct host_export *export);
void host_export_free(struct host_export *export);
/** Whether NAME could be one: a category's key or "all", a dot, a format that is written. */
bool host_export_is_name(struct ld_span name);

/* host_walls.c */
/** Become `user` (if this is root), give up what the host does not need; it may still read files,
 * write below these directories (NULL: none; made where they are not there), and use the network.
 * `*ret_up`: enum ld_wall. */
int host_walls(const char *user, const char *const *directories, unsigned count, unsigned *ret_up,
	       struct ld_report *report);

#endif
