/* Exports: what is in effect, in one category or all, as a file that other programs subscribe to.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The writer compiles an image of the effective list when one is asked for and the log, or the
 * clock, has gone on; the exporter writes a file for each export that is asked for, and keeps it
 * as long as that image is the newest. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "index/export_file.h"
#include "log/text.h"
#include "process/effective.h"
#include "process/host_parts.h"

enum {
	REBUILD_MIN_S = 5, /* between two images, however the log grows */
	PATH_BYTES = 4096,
	KEPT_MAX = 256, /* exports of one image */
	HASH_HEX = 32,
};

struct host_export {
	struct host *host;
	const struct ld_host_config *config;
	struct host_worker worker;
	/* The writer's. */
	uint64_t built_size, version;
	int64_t built_s, next_s, settled_s;
	/* Handed from the writer to the exporter. */
	pthread_mutex_t lock;
	uint64_t newest; /* version; 0: there is none */
	uint32_t serial; /* for zones */
	char origin[LD_EFFECTIVE_ORIGIN_MAX];
	/* The exporter's. */
	struct lindung *list;
	uint64_t opened; /* version of `list` */
	char opened_origin[LD_EFFECTIVE_ORIGIN_MAX];
	uint32_t opened_serial;
	struct {
		char name[128];
		char tag[LD_WEB_TAG_MAX];
	} kept[KEPT_MAX];
	unsigned kept_count;
};

static void
image_path(const struct host_export *x, uint64_t version, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/effective-%llu.image", x->config->work,
		 (unsigned long long)version);
}

/* ---- The image: in the writer's thread ------------------------------------------------------ */

static int
image_make(struct host_export *x, struct ld_quorum *quorum, int64_t now_s, const char *path,
	   struct ld_report *report)
{
	struct ld_compile_options options = x->config->compile;
	int err;

	/* A clock that is put back does not stop exports: they stand still until it is past. */
	if (now_s < x->settled_s)
		now_s = x->settled_s;
	x->settled_s = now_s;
	err = ld_quorum_settle(quorum, now_s, NULL, NULL, &x->next_s);
	options.date_day = (uint32_t)(now_s / 86400);
	options.directory = x->config->work;
	return err == LINDUNG_OK ? ld_effective_compile(quorum, &options, NULL, NULL, path, report)
				 : ld_fail(report, err, "%s", lindung_strerror(err));
}

void
host_export_ask(struct host_export *export, struct ld_quorum *quorum, struct ld_log *log,
		int64_t now_s, struct host_job *job)
{
	struct host_export *x = export;
	bool is_old =
		x->version == 0 || x->built_size != ld_quorum_size(quorum) || now_s >= x->next_s;
	struct ld_report report = {{0}};
	char path[PATH_BYTES];
	int err;

	if (is_old && (x->version == 0 || now_s >= x->built_s + REBUILD_MIN_S)) {
		image_path(x, x->version + 1, path);
		err = image_make(x, quorum, now_s, path, &report);
		if (err != LINDUNG_OK) {
			x->config->tell(report.text[0] != '\0' ? report.text
							       : lindung_strerror(err));
			host_job_say(job, 503, "the list cannot be compiled now");
			host_done(x->host, job);
			return;
		}
		x->version++;
		x->built_size = ld_quorum_size(quorum);
		x->built_s = now_s;
		pthread_mutex_lock(&x->lock);
		x->newest = x->version;
		x->serial = (uint32_t)now_s;
		ld_effective_origin(x->origin, ld_log_checkpoint(log));
		pthread_mutex_unlock(&x->lock);
	}
	if (!host_worker_give(&x->worker, job)) {
		host_job_say(job, 503, "too many exports are asked for at once");
		host_done(x->host, job);
	}
}

/* ---- The files: in the exporter's thread ---------------------------------------------------- */

/* Remove what an older image left behind. */
static void
work_clear(const struct host_export *x, uint64_t version)
{
	char keep[64];
	DIR *dir = opendir(x->config->work);
	struct dirent *entry;

	snprintf(keep, sizeof keep, "effective-%llu.image", (unsigned long long)version);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		unsigned long long number = 0;

		if (strncmp(entry->d_name, "export-", 7) == 0 ||
		    (sscanf(entry->d_name, "effective-%llu.image", &number) == 1 &&
		     (version == 0 || number < version)))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

static int
newest_open(struct host_export *x, struct ld_report *report)
{
	struct lindung *list = NULL;
	char path[PATH_BYTES];
	uint64_t newest;
	int err;

	pthread_mutex_lock(&x->lock);
	newest = x->newest;
	if (newest != x->opened) {
		memcpy(x->opened_origin, x->origin, sizeof x->origin);
		x->opened_serial = x->serial;
	}
	pthread_mutex_unlock(&x->lock);
	if (newest == x->opened)
		return LINDUNG_OK;
	image_path(x, newest, path);
	err = lindung_open(&list, path, 0);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s: %s", path, lindung_strerror(err));
	lindung_close(x->list);
	x->list = list;
	x->opened = newest;
	x->kept_count = 0;
	work_clear(x, newest);
	return LINDUNG_OK;
}

static void
name_split(struct ld_span name, struct ld_span *ret_category, int *ret_format)
{
	size_t dot = ld_span_find(name, '.');
	struct ld_span format = ld_span_from(name, dot + 1);
	char key[32] = "";

	*ret_category = ld_span_first(name, dot);
	if (dot < name.len && format.len < sizeof key)
		memcpy(key, format.data, format.len);
	*ret_format = key[0] != '\0' ? ld_list_format_find(key) : -1;
	if (*ret_format >= 0 && !ld_list_format_is_written((enum ld_list_format) * ret_format))
		*ret_format = -1;
}

bool
host_export_is_name(struct ld_span name)
{
	struct ld_span category;
	int format;

	name_split(name, &category, &format);
	return format >= 0 && ld_category_key_is_valid(category);
}

/* False: nobody knows this category. */
static bool
category_choose(const struct host_export *x, struct ld_span key, uint64_t *ret_active)
{
	int number = lindung_category_find(x->list, (const char *)key.data, key.len);

	*ret_active = 0;
	if (ld_span_equal(key, LD_SPAN("all"))) {
		*ret_active = UINT64_MAX;
		return true;
	}
	if (number >= 0) {
		*ret_active = UINT64_C(1) << number;
		return true;
	}
	for (size_t i = 0; i < x->config->category_count; i++)
		if (ld_span_equal(key, ld_span_str(x->config->categories[i])))
			return true; /* empty now */
	return false;
}

/* Write the export to a file, and find its tag. */
static int
file_make(struct host_export *x, const char *path, const struct ld_export_file *file, char *tag,
	  struct ld_report *report)
{
	struct ld_export_outcome outcome;
	struct ld_replace out = {.fd = -1};
	struct ld_map map = {0};
	struct ld_hash hash;
	char hex[2 * LD_HASH_BYTES + 1];
	int err = ld_replace_begin(&out, path, report);

	if (err == LINDUNG_OK)
		err = ld_export_file(out.fd, x->list, file, &outcome, report);
	if (err == LINDUNG_OK)
		err = ld_map_fd(&map, out.fd);
	if (err == LINDUNG_OK) {
		ld_hash_of(&hash, map.bytes);
		ld_text_to_hex(hex, ld_span(hash.bytes, LD_HASH_BYTES));
		snprintf(tag, LD_WEB_TAG_MAX, "\"%.*s\"", HASH_HEX, hex);
		ld_map_close(&map);
		err = ld_replace_commit(&out, report);
	}
	ld_replace_abandon(&out);
	return err;
}

static const char *
type_of(enum ld_list_format format)
{
	if (format == LD_LIST_CHROMIUM || format == LD_LIST_FIREFOX)
		return "application/json";
	if (format == LD_LIST_APPLE)
		return "application/x-apple-aspen-config";
	return "text/plain; charset=utf-8";
}

static void
file_answer(const struct host_export *x, struct host_job *job, const char *path, const char *tag,
	    enum ld_list_format format)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd >= 0)
			close(fd);
		host_job_say(job, 503, "the export cannot be read");
		return;
	}
	job->answer = (struct ld_web_answer){
		.status = 200,
		.type = type_of(format),
		.cache = "public, max-age=60",
		.fd = fd,
		.size = (uint64_t)st.st_size,
	};
	snprintf(job->answer.tag, sizeof job->answer.tag, "%s", tag);
	/* Of formats without comments, this alone names the checkpoint. */
	snprintf(job->extra, sizeof job->extra, "Lindung-Origin: %.400s\r\n", x->opened_origin);
	job->answer.extra = job->extra;
}

static void
export_answer(struct host_export *x, struct host_job *job)
{
	struct ld_span category;
	struct ld_export_file file = {.origin = NULL};
	struct ld_report report = {{0}};
	char path[PATH_BYTES], key[LD_CATEGORY_KEY_MAX + 1], tag[LD_WEB_TAG_MAX];
	int format, err = newest_open(x, &report);

	name_split(ld_span_str(job->name), &category, &format);
	if (err == LINDUNG_OK && !category_choose(x, category, &file.active)) {
		host_job_say(job, 404, "there is no such category");
		return;
	}
	snprintf(path, sizeof path, "%s/export-%s", x->config->work, job->name);
	for (unsigned i = 0; i < x->kept_count && err == LINDUNG_OK; i++)
		if (strcmp(x->kept[i].name, job->name) == 0) {
			file_answer(x, job, path, x->kept[i].tag, (enum ld_list_format)format);
			return;
		}
	snprintf(key, sizeof key, "%.*s", (int)category.len, (const char *)category.data);
	file.format = (enum ld_list_format)format;
	file.titles = key;
	file.origin = x->opened_origin;
	file.options.cut = true;
	file.options.rpz_serial = x->opened_serial;
	if (err == LINDUNG_OK)
		err = file_make(x, path, &file, tag, &report);
	if (err != LINDUNG_OK) {
		x->config->tell(report.text);
		host_job_say(job, 503, "the export cannot be written now");
		return;
	}
	if (x->kept_count < KEPT_MAX) {
		snprintf(x->kept[x->kept_count].name, sizeof x->kept[0].name, "%s", job->name);
		snprintf(x->kept[x->kept_count].tag, sizeof x->kept[0].tag, "%s", tag);
		x->kept_count++;
	}
	file_answer(x, job, path, tag, file.format);
}

static int
exporter_work(void *ctx, struct host_job *jobs)
{
	struct host_export *x = ctx;

	while (jobs != NULL) {
		struct host_job *next = jobs->next;

		export_answer(x, jobs);
		host_done(x->host, jobs);
		jobs = next;
	}
	return -1;
}

struct host_worker *
host_export_worker(struct host_export *export)
{
	return &export->worker;
}

int
host_export_new(struct host_export **ret, struct host *host, const struct ld_host_config *config,
		struct ld_report *report)
{
	struct host_export *x = calloc(1, sizeof *x);

	if (x == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	x->host = host;
	x->config = config;
	pthread_mutex_init(&x->lock, NULL);
	host_worker_init(&x->worker, exporter_work, x);
	work_clear(x, 0);
	*ret = x;
	return LINDUNG_OK;
}

void
host_export_free(struct host_export *export)
{
	if (export == NULL)
		return;
	host_worker_stop(&export->worker);
	lindung_close(export->list);
	pthread_mutex_destroy(&export->lock);
	free(export);
}
