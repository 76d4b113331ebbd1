/* SPDX-License-Identifier: BSD-2-Clause */
#include "edit_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "index/admit.h"
#include "index/export.h"
#include "index/layers.h"

/* ---- Sites ---------------------------------------------------------------------------------- */

static bool
same_site(const struct ld_entry *a, const struct ld_entry *b)
{
	return ld_span_equal(a->host, b->host) && ld_span_equal(a->path, b->path);
}

static bool
is_protected(const struct ld_entry *entry)
{
	return (entry->flags & LD_ENTRY_PROTECTED) != 0;
}

bool
ld_edit_has(const struct ld_edit_list *list, const struct ld_entry *site)
{
	for (const struct ld_edit_entry *e = list->first; e != NULL; e = e->next)
		if (same_site(&e->entry, site))
			return true;
	return false;
}

void
ld_edit_drop(struct ld_edit_list *list, const struct ld_entry *entry, bool all)
{
	for (struct ld_edit_entry **at = &list->first; *at != NULL;) {
		const struct ld_entry *e = &(*at)->entry;
		bool alike =
			e->action == LD_ACTION_REMOVE ||
			(e->scope == entry->scope && ld_span_equal(e->category, entry->category));

		if (same_site(e, entry) && !is_protected(e) && (all || alike))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

int
ld_edit_add(struct ld_edit_list *list, const struct ld_entry *entry)
{
	struct ld_edit_entry *added = ld_arena_alloc(&list->arena, sizeof *added);

	if (added == NULL)
		return LINDUNG_ENOMEM;
	added->entry = *entry;
	struct ld_span *texts[] = {&added->entry.host, &added->entry.path, &added->entry.target,
				   &added->entry.category, &added->entry.source};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		*texts[i] = ld_arena_copy(&list->arena, *texts[i]);
		if (texts[i]->data == NULL)
			return LINDUNG_ENOMEM;
	}
	added->next = list->first;
	list->first = added;
	list->protect_count += is_protected(entry);
	return LINDUNG_OK;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int
entry_load(void *ctx, const struct ld_entry *entry)
{
	return ld_edit_add(ctx, entry);
}

int
ld_edit_load(struct ld_edit_list *list, const struct lindung *overlay)
{
	return ld_export_each(overlay, entry_load, list);
}

/* The topmost image that has the site, and what it says there; NULL if none has. */
static const struct ld_image *
site_find(const struct lindung *below, const struct ld_entry *site, uint32_t *ret_tuple)
{
	uint8_t key[LD_INDEX_KEY_MAX + LD_KEY_SLACK] = {0};
	size_t len = ld_entry_key(key, site);

	for (unsigned i = below->layer_count; len != 0 && i-- > 0;)
		if (ld_image_find(below->layers[i].image, ld_span(key, len), ret_tuple))
			return below->layers[i].image;
	return NULL;
}

bool
ld_edit_below_has(const struct lindung *below, const struct ld_entry *site)
{
	uint32_t tuple, count;
	const struct ld_image *image = site_find(below, site, &tuple);
	const uint8_t *rules = image != NULL ? ld_image_tuple(image, tuple, &count) : NULL;

	for (uint32_t i = 0; rules != NULL && i < count; i++)
		if (ld_image_rule(image, ld_get_le16(rules + 2 * (size_t)i)).action !=
		    LD_ACTION_REMOVE)
			return true;
	return false;
}

int
ld_edit_copy_site(struct ld_edit_list *list, const struct lindung *below,
		  const struct ld_entry *site)
{
	uint32_t tuple, count;
	const struct ld_image *image = site_find(below, site, &tuple);
	const uint8_t *rules = image != NULL ? ld_image_tuple(image, tuple, &count) : NULL;
	int err = LINDUNG_OK;

	for (uint32_t i = 0; err == LINDUNG_OK && rules != NULL && i < count; i++) {
		struct ld_rule rule = ld_image_rule(image, ld_get_le16(rules + 2 * (size_t)i));
		const struct ld_entry entry = {
			.action = rule.action,
			.scope = rule.scope,
			.flags = rule.flags,
			.host = site->host,
			.path = site->path,
			.category = rule.category == LD_RULE_CATEGORY_ALL
					    ? LD_SPAN("*")
					    : ld_texts_get(&image->categories, rule.category),
			.source = ld_texts_get(&image->sources, rule.source),
			.target = ld_texts_get(&image->targets, rule.target),
		};

		if (rule.action != LD_ACTION_REMOVE)
			err = ld_edit_add(list, &entry);
	}
	return err;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static int
list_rewind(void *ctx)
{
	struct ld_edit_list *list = ctx;

	list->at = list->first;
	return LINDUNG_OK;
}

/* Protected names are given to the compiler on a way of their own. */
static int
list_next(void *ctx, struct ld_entry *ret)
{
	struct ld_edit_list *list = ctx;

	while (list->at != NULL && is_protected(&list->at->entry))
		list->at = list->at->next;
	if (list->at == NULL)
		return LINDUNG_ENOTFOUND;
	*ret = list->at->entry;
	list->at = list->at->next;
	return LINDUNG_OK;
}

static struct ld_protected *
protects_of(struct ld_edit_list *list)
{
	struct ld_protected *protects =
		ld_arena_alloc(&list->arena, (list->protect_count + 1) * sizeof *protects);
	size_t count = 0;

	for (struct ld_edit_entry *e = list->first; protects != NULL && e != NULL; e = e->next)
		if (is_protected(&e->entry))
			protects[count++] = (struct ld_protected){
				.host = e->entry.host, .exact = e->entry.scope == LD_SCOPE_SELF};
	list->protect_count = count;
	return protects;
}

/* What stood in the overlay, or was admitted, and cannot stand there now: nothing may be lost. */
static int
lost_check(const struct ld_compile_counts *counts, struct ld_report *report)
{
	for (int i = 0; i < LD_REJECT_COUNT; i++)
		if (counts->rejects[i] != 0 && ld_reject_is_strict((enum ld_reject)i))
			return ld_fail(report, LINDUNG_EINTERNAL,
				       "%llu entries of the overlay were lost: %s",
				       (unsigned long long)counts->rejects[i],
				       ld_reject_text((enum ld_reject)i));
	return LINDUNG_OK;
}

int
ld_edit_write(struct ld_edit_list *list, const char *path, const struct ld_compile_options *options,
	      struct ld_report *report)
{
	const struct ld_list_source source = {list, list_rewind, list_next};
	const struct ld_write_options plain = {.title = "changes"};
	struct ld_compile_options compile = *options;
	struct ld_compile_stats stats;
	struct ld_write_summary summary;
	char name[64];
	int fd = memfd_create("lindung-edit", MFD_CLOEXEC);
	int err = LINDUNG_OK;

	compile.overlay = true;
	compile.protects = protects_of(list);
	compile.protect_count = list->protect_count;
	if (fd < 0 || compile.protects == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (err == LINDUNG_OK)
		err = ld_list_write(fd, LD_LIST_LINDUNG, &source, &plain, &summary, report);
	if (err == LINDUNG_OK) {
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		const struct ld_compile_list lists[] = {
			{.path = name, .format = LD_LIST_LINDUNG, .source = "edit"}};

		err = ld_compile(path, lists, 1, &compile, &stats, report);
	}
	if (err == LINDUNG_OK) {
		err = lost_check(&stats.total, report);
		free(stats.lists);
	}
	if (fd >= 0)
		close(fd);
	return err;
}
