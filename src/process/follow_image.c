/* What is in effect, compiled: an image of all of it, and an overlay of what changed since.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "process/effective.h"
#include "process/follow_parts.h"
#include "process/snapshot.h"

enum {
	BASE_MEMORY_BYTES = 256 * 1024 * 1024,
	OVERLAY_MEMORY_BYTES = LD_COMPILE_MEMORY_MIN_BYTES,
	DAY_S = 86400,
};

/* ---- Names that changed --------------------------------------------------------------------- */

/* A name: as text, "host" or "host/path"; or a sealed one: its hash and category. */
struct change {
	bool is_sealed;
	uint8_t blind[LD_BLIND_BYTES];
	size_t host_len, len;
	char text[]; /* of a sealed one its category */
};

static int
change_compare(const void *one, const void *other)
{
	const struct change *a = one, *b = other;
	int order;

	if (a->is_sealed != b->is_sealed)
		return a->is_sealed ? 1 : -1;
	order = a->is_sealed ? memcmp(a->blind, b->blind, sizeof a->blind) : 0;
	return order != 0 ? order
			  : ld_span_compare(ld_span(a->text, a->len), ld_span(b->text, b->len));
}

int
ld_follow_change(void *ctx, const struct ld_effective *effective)
{
	const struct ld_entry *entry = &effective->entry;
	struct ld_span first = effective->is_sealed ? entry->category : entry->host;
	struct ld_follow *f = ctx;
	size_t len = first.len + entry->path.len;
	struct change *change = calloc(1, sizeof *change + len + 1);
	struct change **found;

	if (change == NULL)
		return LINDUNG_ENOMEM;
	change->is_sealed = effective->is_sealed;
	memcpy(change->blind, effective->blind, effective->is_sealed ? LD_BLIND_BYTES : 0);
	change->host_len = first.len;
	change->len = len;
	memcpy(change->text, first.data, first.len);
	if (entry->path.len != 0)
		memcpy(change->text + first.len, entry->path.data, entry->path.len);
	found = tsearch(change, &f->changes, change_compare);
	if (found == NULL || *found != change)
		free(change);
	else
		f->change_count++;
	f->is_dirty = true;
	f->result->names++;
	return found == NULL ? LINDUNG_ENOMEM : LINDUNG_OK;
}

void
ld_follow_changes_clear(struct ld_follow *f)
{
	tdestroy(f->changes, free);
	f->changes = NULL;
	f->change_count = 0;
	f->is_dirty = false;
}

/* ---- Into a maker --------------------------------------------------------------------------- */

struct filling {
	struct ld_follow *f;
	struct ld_effective_making *making; /* its `added`: for the name that is looked at */
	int err;
};

static void
change_add(const void *node, VISIT visit, void *ctx)
{
	const struct change *change = *(const struct change *const *)node;
	struct filling *filling = ctx;
	struct ld_effective_making *making = filling->making;
	struct ld_entry removal = {
		.action = LD_ACTION_REMOVE,
		.scope = LD_SCOPE_TREE,
		.category = LD_SPAN("*"),
		.source = LD_SPAN("-"),
	};

	if ((visit != postorder && visit != leaf) || filling->err != LINDUNG_OK)
		return;
	removal.host = ld_span(change->text, change->host_len);
	removal.path = ld_span(change->text + change->host_len, change->len - change->host_len);
	if (removal.path.len != 0)
		removal.scope = LD_SCOPE_URL;
	making->added = 0;
	filling->err = ld_quorum_about(filling->f->quorum, change->is_sealed ? NULL : &removal,
				       change->blind, ld_effective_add, making);
	if (filling->err != LINDUNG_OK || making->added != 0)
		return;
	if (change->is_sealed)
		filling->err =
			ld_maker_seal(making->maker, change->blind,
				      ld_span(change->text, change->len), LD_SPAN("-"), true);
	else
		filling->err = ld_maker_add(making->maker, &removal, NULL);
}

static int
changes_fill(void *ctx, struct ld_effective_making *making)
{
	struct filling filling = {.f = ctx, .making = making};

	twalk_r(filling.f->changes, change_add, &filling);
	return filling.err;
}

static int
make(struct ld_follow *f, const char *path, bool overlay, struct ld_report *report)
{
	const struct ld_compile_options options = {
		.memory_bytes = overlay ? OVERLAY_MEMORY_BYTES : BASE_MEMORY_BYTES,
		.threads = 1,
		.directory = f->state,
		.date_day = (uint32_t)(f->settled_s / DAY_S),
		.overlay = overlay,
		.suffixes = f->suffixes,
		/* The base's protections are heard through any overlay. */
		.protects = overlay ? NULL : f->protects,
		.protect_count = overlay ? 0 : f->protect_count,
		.locked = f->locked,
		.locked_count = f->locked_count,
	};

	return ld_effective_compile(f->quorum, &options, overlay ? changes_fill : NULL, f, path,
				    report);
}

int
ld_follow_compile_to(struct ld_follow *f, const char *path, struct ld_report *report)
{
	return make(f, path, false, report);
}

/* ---- In force ------------------------------------------------------------------------------- */

void
ld_follow_image_clear(struct ld_follow *f, struct follow_image *image, bool remove)
{
	char path[FOLLOW_PATH_MAX];

	if (remove && image->name[0] != '\0')
		(void)unlink(ld_follow_path(f, image->name, path));
	if (image->fd >= 0)
		close(image->fd);
	*image = (struct follow_image){.fd = -1};
}

int
ld_follow_image_load(struct ld_follow *f, struct follow_image *image, bool check,
		     struct ld_report *report)
{
	char path[FOLLOW_PATH_MAX];
	struct ld_hash hash;
	struct ld_map map;
	int fd, err = ld_snapshot_take(&fd, ld_follow_path(f, image->name, path), report);

	if (err != LINDUNG_OK)
		return err;
	if (ld_map_fd(&map, fd) != LINDUNG_OK) {
		close(fd);
		return ld_fail(report, LINDUNG_EIO, "%s: cannot be mapped", path);
	}
	ld_hash_of(&hash, map.bytes);
	ld_map_close(&map);
	if (check && !ld_hash_equal(&hash, &image->hash)) {
		close(fd);
		return ld_fail(report, LINDUNG_EDAMAGED, "%s: it is damaged", path);
	}
	image->hash = hash;
	image->fd = fd;
	return LINDUNG_OK;
}

static int
image_make(struct ld_follow *f, struct follow_image *ret, bool overlay, struct ld_report *report)
{
	struct follow_image image = {.fd = -1};
	char path[FOLLOW_PATH_MAX];
	int err;

	ld_follow_moves(f);
	snprintf(image.name, sizeof image.name, "%s-%llu", overlay ? "changes" : "base",
		 (unsigned long long)++f->image_number);
	ld_follow_path(f, image.name, path);
	err = make(f, path, overlay, report);
	if (err == LINDUNG_OK)
		err = ld_follow_image_load(f, &image, false, report);
	if (err != LINDUNG_OK) {
		(void)unlink(path);
		return err;
	}
	*ret = image;
	return LINDUNG_OK;
}

int
ld_follow_compile_base(struct ld_follow *f, struct ld_report *report)
{
	struct follow_image base;
	int err = image_make(f, &base, false, report);

	if (err != LINDUNG_OK)
		return err;
	/* The files are removed once the state does not name them any more. */
	ld_follow_image_clear(f, &f->base, false);
	ld_follow_image_clear(f, &f->overlay, false);
	f->base = base;
	ld_follow_changes_clear(f);
	f->is_saved = false;
	return LINDUNG_OK;
}

int
ld_follow_compile_overlay(struct ld_follow *f, struct ld_report *report)
{
	struct follow_image overlay;
	int err = image_make(f, &overlay, true, report);

	if (err != LINDUNG_OK)
		return err;
	ld_follow_image_clear(f, &f->overlay, false);
	f->overlay = overlay;
	f->is_dirty = false;
	f->is_saved = false;
	return LINDUNG_OK;
}
