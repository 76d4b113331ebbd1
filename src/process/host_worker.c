/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "process/host_parts.h"

void
host_job_free(struct host_job *job)
{
	if (job == NULL)
		return;
	if (job->answer.status != 0) {
		if (job->answer.fd >= 0)
			close(job->answer.fd);
		ld_buffer_free(&job->answer.body);
	}
	ld_buffer_free(&job->body);
	free(job);
}

void
host_job_say(struct host_job *job, int status, const char *format, ...)
{
	char text[LD_REPORT_MAX_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	job->answer = (struct ld_web_answer){
		.status = status,
		.type = "text/plain; charset=utf-8",
		.fd = -1,
		.retry_after_s = status == 503 || status == 429 ? 5 : 0,
	};
	ld_buffer_init(&job->answer.body, sizeof text + 1);
	ld_buffer_printf(&job->answer.body, "%s\n", text);
}

int
host_worker_init(struct host_worker *worker, int (*work)(void *ctx, struct host_job *jobs),
		 void *ctx)
{
	pthread_condattr_t attributes;

	*worker = (struct host_worker){.work = work, .ctx = ctx};
	worker->last = &worker->first;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->wakes, &attributes);
	pthread_condattr_destroy(&attributes);
	return LINDUNG_OK;
}

/* All that wait; NULL: time is over.  With the lock held. */
static struct host_job *
jobs_take(struct host_worker *worker, int timeout_ms)
{
	struct timespec until;
	struct host_job *jobs;
	int waited = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	if (timeout_ms > 0) {
		until.tv_sec += timeout_ms / 1000;
		until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
	}
	while (worker->first == NULL && !worker->stops && waited != ETIMEDOUT)
		waited = timeout_ms < 0
				 ? pthread_cond_wait(&worker->wakes, &worker->lock)
				 : pthread_cond_timedwait(&worker->wakes, &worker->lock, &until);
	jobs = worker->first;
	worker->first = NULL;
	worker->last = &worker->first;
	worker->count = 0;
	return jobs;
}

static void
jobs_drop(struct host_job *jobs)
{
	while (jobs != NULL) {
		struct host_job *next = jobs->next;

		host_job_free(jobs);
		jobs = next;
	}
}

static void *
worker_run(void *ctx)
{
	struct host_worker *worker = ctx;
	int timeout_ms = 0;

	for (;;) {
		struct host_job *jobs;
		bool stops;

		pthread_mutex_lock(&worker->lock);
		jobs = jobs_take(worker, timeout_ms);
		stops = worker->stops;
		pthread_mutex_unlock(&worker->lock);
		if (stops) {
			jobs_drop(jobs);
			return NULL;
		}
		timeout_ms = worker->work(worker->ctx, jobs);
	}
}

int
host_worker_start(struct host_worker *worker)
{
	worker->started = pthread_create(&worker->thread, NULL, worker_run, worker) == 0;
	return worker->started ? LINDUNG_OK : LINDUNG_ENOMEM;
}

bool
host_worker_give(struct host_worker *worker, struct host_job *job)
{
	bool taken;

	pthread_mutex_lock(&worker->lock);
	taken = worker->count < LD_HOST_JOBS_MAX;
	if (taken) {
		job->next = NULL;
		*worker->last = job;
		worker->last = &job->next;
		worker->count++;
		pthread_cond_signal(&worker->wakes);
	}
	pthread_mutex_unlock(&worker->lock);
	return taken;
}

void
host_worker_stop(struct host_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->stops = true;
	pthread_cond_signal(&worker->wakes);
	pthread_mutex_unlock(&worker->lock);
	if (worker->started)
		pthread_join(worker->thread, NULL);
	jobs_drop(worker->first);
	worker->first = NULL;
	worker->started = false;
}
