/* The loader: checks the files of one list, in a process that can do nothing else and then ends.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A file made to break whoever reads it breaks this process alone; the list in force stays. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process/children.h"
#include "process/holder.h"
#include "process/lost.h"
#include "process/role.h"

/* The list being checked. */
struct check {
	const struct ld_conf *conf;
	const char *paths[LD_MESSAGE_FDS_MAX]; /* of the files that there are, the image first */
	const int *fds;
	unsigned count;
	unsigned followed; /* of them, of the list that is followed: they come first */
	unsigned flags;
	struct ld_list_facts in_force; /* no entries: none yet */
	struct ld_list_facts facts;
	struct lindung *list;
};

static void
facts_take(struct check *check)
{
	struct ld_list_facts *facts = &check->facts;

	for (unsigned i = 0; i < check->count; i++) {
		struct lindung_facts layer;

		if (lindung_facts(check->list, i, &layer) != LINDUNG_OK)
			continue;
		facts->entries += layer.entry_count + layer.sealed_count;
		facts->bytes += layer.size_bytes;
		if (layer.date_day > facts->date_day)
			facts->date_day = layer.date_day;
		if (i == 0)
			facts->image_entries = layer.entry_count + layer.sealed_count;
	}
	facts->overlays = check->count - 1;
	facts->categories = lindung_category_count(check->list);
}

static int
size_check(const struct check *check, struct ld_report *report)
{
	uint64_t before = check->in_force.image_entries, now = check->facts.image_entries;
	unsigned limit = check->conf->list_shrink_max_percent;

	if (now >= before || (double)(before - now) * 100 <= (double)before * limit)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_ELIMIT,
		       "%s: refused: it has %llu names, and %llu are in force "
		       "(list.shrink-max-percent: %u); send SIGUSR1 to take it all the same",
		       check->paths[0], (unsigned long long)now, (unsigned long long)before, limit);
}

/* An overlay that opens most of what is closed is no better than an image that lost it. */
static int
overlays_check(struct check *check, struct ld_report *report)
{
	uint64_t before = check->in_force.closed, lost = 0, now;
	unsigned limit = check->conf->list_shrink_max_percent;
	struct lindung *base;
	int err = LINDUNG_OK;

	if (check->count > 1) {
		err = ld_layers_open(&base, check->fds, 1, 0, false, NULL);
		if (err == LINDUNG_OK) {
			err = ld_lost_count(base, check->list, &check->conf->list_categories,
					    &lost);
			lindung_close(base);
		}
		if (err != LINDUNG_OK)
			return ld_fail(report, err, "%s: %s", check->paths[0],
				       lindung_strerror(err));
	}
	now = check->facts.image_entries - lost;
	check->facts.closed = now;
	if ((check->flags & LD_CHECK_FORCED) != 0 || now >= before ||
	    (double)(before - now) * 100 <= (double)before * limit)
		return LINDUNG_OK;
	return ld_fail(
		report, LINDUNG_ELIMIT,
		"%s: refused: the overlays open %llu of its %llu names, and %llu are in force "
		"(list.shrink-max-percent: %u); send SIGUSR1 to take it all the same",
		check->paths[0], (unsigned long long)lost,
		(unsigned long long)check->facts.image_entries, (unsigned long long)before, limit);
}

/* Each category that is to be closed must be in the list: one that is misspelt, or that an update
 * lost, would close nothing, and nobody would know. */
static int
categories_check(const struct check *check, struct ld_report *report)
{
	const struct ld_conf_texts *categories = &check->conf->list_categories;
	char known[160] = "";

	for (unsigned i = 0; i < categories->count; i++) {
		const char *key = categories->items[i];

		if (lindung_category_find(check->list, key, strlen(key)) >= 0)
			continue;
		for (unsigned c = 0, at = 0; c < check->facts.categories && at < sizeof known;
		     c++) {
			struct lindung_text has = lindung_category_key(check->list, c);

			at += (unsigned)snprintf(known + at, sizeof known - at, "%s%.*s",
						 c > 0 ? ", " : "", (int)has.len, has.data);
		}
		return ld_fail(report, LINDUNG_ENOTFOUND,
			       "list.categories: \"%s\" is not in %s, so it would close nothing; "
			       "there are: %s",
			       key, check->paths[0], known);
	}
	return LINDUNG_OK;
}

static int
check_all(struct check *check, struct ld_report *report)
{
	unsigned failed = 0;
	int err = ld_layers_open(&check->list, check->fds, check->count, check->followed, true,
				 &failed);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s: %s", check->paths[failed], lindung_strerror(err));
	facts_take(check);
	if ((check->flags & LD_CHECK_FORCED) == 0) {
		err = size_check(check, report);
		if (err == LINDUNG_OK)
			err = categories_check(check, report);
	}
	return err == LINDUNG_OK ? overlays_check(check, report) : err;
}

/* Flags, how many are followed, which overlays there are, what is in force. */
static bool
check_read(struct check *check, const struct ld_message *message)
{
	struct ld_reader r = ld_reader(message->body);
	const struct ld_conf_texts *overlays = &check->conf->list_overlays;
	uint64_t present;

	check->flags = ld_reader_u8(&r);
	check->followed = ld_reader_u8(&r);
	present = (uint64_t)ld_reader_be32(&r) << 32;
	present |= ld_reader_be32(&r);
	ld_facts_read(&r, &check->in_force);
	check->fds = message->fds;
	if (r.failed || check->followed > message->fd_count)
		return false;
	while (check->count < check->followed)
		check->paths[check->count++] = check->conf->follow_url;
	if (check->conf->list_image != NULL && check->count < LD_MESSAGE_FDS_MAX)
		check->paths[check->count++] = check->conf->list_image;
	for (unsigned i = 0; i < overlays->count; i++)
		if ((present >> i & 1) != 0 && check->count < LD_MESSAGE_FDS_MAX)
			check->paths[check->count++] = overlays->items[i];
	return check->count == message->fd_count;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct ld_child *child = ctx;
	struct check check = {.conf = &child->conf};
	uint8_t octets[4 + LD_FACTS_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_report report = {""};
	int err;

	if (message->type != LD_MESSAGE_CHECK || !check_read(&check, message))
		return false;
	if (!ld_child_enter(child) || !ld_child_seal(child))
		return true;
	err = check_all(&check, &report);
	ld_writer_be32(&w, (uint32_t)-err);
	ld_facts_write(&w, &check.facts);
	(void)ld_channel_send(child->parent, LD_MESSAGE_CHECKED, ld_span(w.data, w.len),
			      ld_span_str(report.text));
	ld_channel_flush(child->parent);
	/* All that it has goes with it. */
	_exit(0);
}

int
ld_loader_run(struct ld_child *child)
{
	child->came = message_came;
	child->ctx = child;
	ld_child_loop(child);
	return child->status;
}
