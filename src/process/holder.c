/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/holder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/snapshot.h"

/* A file of the list: the image, or an overlay. */
struct layer {
	const char *path;
	struct ld_mark read; /* as it was when last read, whatever came of it */
	struct ld_mark seen; /* as it was at the last look */
};

/* A list that is, or was, in force. */
struct version {
	STAILQ_ENTRY(version) link;
	struct lindung *list;
	uint64_t generation; /* the one that replaced it */
};

struct ld_holder {
	struct ld_holder_config config;
	struct ld_board *board;
	struct version *current;
	STAILQ_HEAD(, version) retired;
	struct ld_holder_facts facts;
	uint64_t image_entries;
	int image_fd; /* of the current image; -1: none yet */
	struct ld_mark image_mark;
	unsigned layer_count;
	struct layer layers[1 + LINDUNG_OVERLAY_MAX]; /* the image first */
};

/* A list being loaded. */
struct load {
	struct version *version;
	struct ld_holder_facts facts;
	uint64_t image_entries;
	int image_fd;
	struct ld_mark image_mark;
};

static int
layer_fail(struct ld_report *report, int err, const struct layer *layer)
{
	return ld_fail(report, err, "%s: %s", layer->path, lindung_strerror(err));
}

static void
facts_add(struct ld_holder_facts *facts, const struct lindung *list, unsigned layer)
{
	struct lindung_facts added;

	if (lindung_facts(list, layer, &added) != LINDUNG_OK)
		return;
	facts->entries += added.entry_count;
	facts->bytes += added.size_bytes;
	if (added.date_day > facts->date_day)
		facts->date_day = added.date_day;
}

/* The image, from the memory it is in already if its file did not change. */
static int
image_load(struct ld_holder *holder, struct load *load, struct ld_report *report)
{
	const struct layer *layer = &holder->layers[0];
	bool same = holder->image_fd >= 0 && ld_mark_equal(&layer->read, &holder->image_mark);
	char path[LD_SNAPSHOT_PATH_MAX];
	int err;

	if (same)
		load->image_fd = holder->image_fd;
	else if ((err = ld_snapshot_take(&load->image_fd, layer->path, report)) != LINDUNG_OK)
		return err;
	load->image_mark = layer->read;
	ld_snapshot_path(load->image_fd, path);
	err = lindung_open(&load->version->list, path, same ? 0 : LINDUNG_VERIFY);
	if (err != LINDUNG_OK)
		return layer_fail(report, err, layer);
	facts_add(&load->facts, load->version->list, 0);
	load->image_entries = load->facts.entries;
	return LINDUNG_OK;
}

static int
overlays_load(struct ld_holder *holder, struct load *load, struct ld_report *report)
{
	for (unsigned i = 1; i < holder->layer_count; i++) {
		const struct layer *layer = &holder->layers[i];
		char path[LD_SNAPSHOT_PATH_MAX];
		int fd, err = ld_snapshot_take(&fd, layer->path, report);

		if (err == LINDUNG_ENOTFOUND)
			continue;
		if (err != LINDUNG_OK)
			return err;
		ld_snapshot_path(fd, path);
		err = lindung_overlay(load->version->list, path, LINDUNG_VERIFY);
		close(fd);
		if (err != LINDUNG_OK)
			return layer_fail(report, err, layer);
		load->facts.overlays++;
		facts_add(&load->facts, load->version->list, load->facts.overlays);
	}
	load->facts.categories = lindung_category_count(load->version->list);
	return LINDUNG_OK;
}

static int
size_check(const struct ld_holder *holder, const struct load *load, struct ld_report *report)
{
	uint64_t before = holder->image_entries, now = load->image_entries;

	if (now >= before || (before - now) * 100 <= before * holder->config.shrink_max_percent)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_ELIMIT,
		       "%s: refused: it has %llu names, and %llu are in force "
		       "(list.shrink-max-percent: %u); send SIGUSR1 to take it all the same",
		       holder->layers[0].path, (unsigned long long)now, (unsigned long long)before,
		       holder->config.shrink_max_percent);
}

/* Each category that is to be closed must be in the list: one that is misspelt, or that an update
 * lost, would close nothing, and nobody would know. */
static int
categories_check(const struct ld_holder *holder, const struct load *load, struct ld_report *report)
{
	const struct ld_holder_config *config = &holder->config;
	const struct lindung *list = load->version->list;
	char known[160] = "";

	for (unsigned i = 0; i < config->category_count; i++) {
		const char *key = config->categories[i];

		if (lindung_category_find(list, key, strlen(key)) >= 0)
			continue;
		for (unsigned c = 0, at = 0; c < load->facts.categories && at < sizeof known; c++) {
			struct lindung_text has = lindung_category_key(list, c);

			at += (unsigned)snprintf(known + at, sizeof known - at, "%s%.*s",
						 c > 0 ? ", " : "", (int)has.len, has.data);
		}
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "list.categories: \"%s\" is not in %s, so it would close nothing; "
			       "there are: %s",
			       key, holder->layers[0].path, known);
	}
	return LINDUNG_OK;
}

static void
version_free(struct version *version)
{
	if (version == NULL)
		return;
	lindung_close(version->list);
	free(version);
}

/* Read all files anew; nothing in force is touched. */
static int
load_all(struct ld_holder *holder, struct load *load, bool forced, struct ld_report *report)
{
	int err;

	*load = (struct load){.image_fd = -1, .version = calloc(1, sizeof *load->version)};
	if (load->version == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the list");
	for (unsigned i = 0; i < holder->layer_count; i++) {
		ld_mark_take(&holder->layers[i].read, holder->layers[i].path);
		holder->layers[i].seen = holder->layers[i].read;
	}
	err = image_load(holder, load, report);
	if (err == LINDUNG_OK)
		err = overlays_load(holder, load, report);
	if (err == LINDUNG_OK && !forced)
		err = size_check(holder, load, report);
	if (err == LINDUNG_OK && !forced)
		err = categories_check(holder, load, report);
	if (err == LINDUNG_OK)
		return LINDUNG_OK;
	version_free(load->version);
	if (load->image_fd >= 0 && load->image_fd != holder->image_fd)
		close(load->image_fd);
	return err;
}

static void
load_take(struct ld_holder *holder, const struct load *load)
{
	uint64_t generation =
		atomic_load_explicit(&holder->board->generation, memory_order_relaxed) + 1;
	uint64_t loads = holder->facts.loads + 1, fails = holder->facts.load_fails;

	atomic_store_explicit(&holder->board->list, load->version->list, memory_order_release);
	atomic_store_explicit(&holder->board->generation, generation, memory_order_release);
	if (holder->current != NULL) {
		holder->current->generation = generation;
		STAILQ_INSERT_TAIL(&holder->retired, holder->current, link);
	}
	if (holder->image_fd >= 0 && holder->image_fd != load->image_fd)
		close(holder->image_fd);
	holder->current = load->version;
	holder->image_fd = load->image_fd;
	holder->image_mark = load->image_mark;
	holder->image_entries = load->image_entries;
	holder->facts = load->facts;
	holder->facts.loaded_ms = ld_clock_monotonic_ms();
	holder->facts.loads = loads;
	holder->facts.load_fails = fails;
}

int
ld_holder_open(struct ld_holder **ret, const struct ld_holder_config *config,
	       struct ld_board *board, struct ld_report *report)
{
	struct ld_holder *holder;
	struct load load;
	int err;

	if (config->overlay_count > LINDUNG_OVERLAY_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "%u overlays: expected at most %d",
			       config->overlay_count, LINDUNG_OVERLAY_MAX);
	holder = calloc(1, sizeof *holder);
	if (holder == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the list");
	holder->config = *config;
	holder->board = board;
	holder->image_fd = -1;
	STAILQ_INIT(&holder->retired);
	holder->layer_count = 1 + config->overlay_count;
	holder->layers[0].path = config->image;
	for (unsigned i = 0; i < config->overlay_count; i++)
		holder->layers[1 + i].path = config->overlays[i];
	err = load_all(holder, &load, false, report);
	if (err != LINDUNG_OK) {
		free(holder);
		return err;
	}
	load_take(holder, &load);
	*ret = holder;
	return LINDUNG_OK;
}

void
ld_holder_close(struct ld_holder *holder)
{
	if (holder == NULL)
		return;
	ld_holder_sweep(holder, UINT64_MAX);
	version_free(holder->current);
	close(holder->image_fd);
	free(holder);
}

bool
ld_holder_changed(struct ld_holder *holder)
{
	bool changed = false, moving = false;

	for (unsigned i = 0; i < holder->layer_count; i++) {
		struct layer *layer = &holder->layers[i];
		struct ld_mark now;

		ld_mark_take(&now, layer->path);
		changed |= !ld_mark_equal(&now, &layer->read);
		moving |= !ld_mark_equal(&now, &layer->seen);
		layer->seen = now;
	}
	return changed && !moving;
}

int
ld_holder_reload(struct ld_holder *holder, bool forced, struct ld_report *report)
{
	struct ld_report why, what;
	struct load load;
	int err = load_all(holder, &load, forced, &why);
	int64_t age_s = (ld_clock_monotonic_ms() - holder->facts.loaded_ms) / 1000;

	if (err != LINDUNG_OK) {
		holder->facts.load_fails++;
		ld_holder_describe(holder, &what);
		return ld_fail(report, err,
			       "%.300s; the list loaded %lld s ago stays in force: %.120s",
			       why.text, (long long)age_s, what.text);
	}
	load_take(holder, &load);
	ld_holder_describe(holder, &what);
	ld_fail(report, LINDUNG_OK, "%.300s: now in force: %.150s", holder->layers[0].path,
		what.text);
	return LINDUNG_OK;
}

void
ld_holder_sweep(struct ld_holder *holder, uint64_t generation)
{
	struct version *version;

	while ((version = STAILQ_FIRST(&holder->retired)) != NULL &&
	       version->generation <= generation) {
		STAILQ_REMOVE_HEAD(&holder->retired, link);
		version_free(version);
	}
}

/* "1,234,567" */
static void
number_text(uint64_t number, char text[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), out = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
}

void
ld_holder_describe(const struct ld_holder *holder, struct ld_report *ret)
{
	const struct ld_holder_facts *facts = &holder->facts;
	time_t date = (time_t)facts->date_day * 86400;
	char names[32], day[32] = "", overlays[48] = "";
	struct tm tm;

	number_text(facts->entries, names);
	if (facts->date_day != 0 && gmtime_r(&date, &tm) != NULL)
		strftime(day, sizeof day, ", of %Y-%m-%d", &tm);
	if (facts->overlays != 0)
		snprintf(overlays, sizeof overlays, ", with %u overlay%s", facts->overlays,
			 facts->overlays == 1 ? "" : "s");
	snprintf(ret->text, sizeof ret->text, "%s names in %u categories, %.1f MB%s%s", names,
		 facts->categories, (double)facts->bytes / 1e6, day, overlays);
}

void
ld_holder_facts(const struct ld_holder *holder, struct ld_holder_facts *ret)
{
	*ret = holder->facts;
}
