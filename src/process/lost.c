/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/lost.h"

#include <stdlib.h>

#include "index/keys.h"
#include "index/layers.h"
#include "list/list.h"

struct count {
	const struct lindung *base, *list;
	uint64_t base_active, list_active;
	uint64_t lost;
};

static uint64_t
active_in(const struct lindung *list, const struct ld_conf_texts *categories)
{
	uint64_t active = 0;

	if (categories->count == 0)
		return LINDUNG_ALL;
	for (unsigned i = 0; i < categories->count; i++) {
		int found = lindung_category_find(list, categories->items[i],
						  strlen(categories->items[i]));

		if (found >= 0)
			active |= (uint64_t)1 << found;
	}
	return active;
}

/* The longest entry decides, so that an overlay's opens a listed name only if it is for that very
 * name; but what is important or protected reaches below. */
static bool
opens_trees(const struct lindung *list, unsigned layer)
{
	const struct ld_image *image = list->layers[layer].image;
	/* The protections that come with a joined list are those of everybody. */
	unsigned reaching = list->joint != 0 && layer >= list->joint ? 0 : LD_ENTRY_PROTECTED;

	for (uint32_t i = 0; i < image->rule_count; i++) {
		struct ld_rule rule = ld_image_rule(image, i);

		if ((rule.flags & reaching) != 0 ||
		    ((rule.flags & LD_ENTRY_IMPORTANT) != 0 && rule.action != LD_ACTION_BLOCK))
			return true;
	}
	return false;
}

static bool
is_closed(const struct lindung *list, uint64_t active, const char *host, size_t len)
{
	struct lindung_answer answer;

	return lindung_lookup_name(list, host, len, active, &answer) == LINDUNG_OK &&
	       answer.verdict == LINDUNG_BLOCK;
}

static void
key_count(struct count *count, struct ld_span key)
{
	char host[LD_HOST_MAX + 1];
	size_t len;

	/* A part of a site is not for DNS to close. */
	if (key.len > LD_HOST_MAX || ld_span_find(key, '/') < key.len)
		return;
	len = ld_key_to_host(host, key);
	if (is_closed(count->base, count->base_active, host, len) &&
	    !is_closed(count->list, count->list_active, host, len))
		count->lost++;
}

/* Of two joined lists both speak: an image of the upper one that only closes takes nothing away. */
static bool
only_closes(const struct lindung *list, unsigned layer)
{
	const struct ld_image *image = list->layers[layer].image;

	if (list->joint == 0 || layer < list->joint)
		return false;
	for (uint32_t i = 0; i < image->rule_count; i++)
		if (ld_image_rule(image, i).action != LD_ACTION_BLOCK &&
		    (ld_image_rule(image, i).flags & LD_ENTRY_PROTECTED) == 0)
			return false;
	return true;
}

/* Each name of one image. */
static int
image_count(struct count *count, const struct ld_image *image)
{
	struct ld_keys walk;
	int err;

	ld_keys_begin(&walk, image);
	while ((err = ld_keys_next(&walk)) == LINDUNG_OK)
		key_count(count, ld_span(walk.key, walk.key_len));
	return err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
}

/* Each name of any overlay, once. */
static int
overlays_count(struct count *count)
{
	unsigned layers = count->list->layer_count, left = 0;
	struct ld_keys *walks = calloc(layers, sizeof *walks);
	int err = walks != NULL ? LINDUNG_OK : LINDUNG_ENOMEM;

	for (unsigned i = 1; i < layers && err == LINDUNG_OK; i++) {
		if (only_closes(count->list, i))
			continue;
		ld_keys_begin(&walks[i], count->list->layers[i].image);
		err = ld_keys_next(&walks[i]);
		left += err == LINDUNG_OK;
		err = err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
	}
	while (err == LINDUNG_OK && left > 0) {
		uint8_t octets[LD_INDEX_KEY_MAX];
		struct ld_span key = {NULL, 0};

		for (unsigned i = 1; i < layers; i++) {
			struct ld_span next = ld_span(walks[i].key, walks[i].key_len);

			if (next.len != 0 && (key.len == 0 || ld_span_compare(next, key) < 0))
				key = next;
		}
		memcpy(octets, key.data, key.len);
		key.data = octets;
		key_count(count, key);
		for (unsigned i = 1; i < layers && err == LINDUNG_OK; i++) {
			if (!ld_span_equal(ld_span(walks[i].key, walks[i].key_len), key))
				continue;
			err = ld_keys_next(&walks[i]);
			left -= err == LINDUNG_ENOTFOUND;
			err = err == LINDUNG_ENOTFOUND ? LINDUNG_OK : err;
		}
	}
	free(walks);
	return err;
}

int
ld_lost_count(const struct lindung *base, const struct lindung *list,
	      const struct ld_conf_texts *categories, uint64_t *ret)
{
	struct count count = {
		.base = base,
		.list = list,
		.base_active = active_in(base, categories),
		.list_active = active_in(list, categories),
	};
	bool all = false;
	int err;

	for (unsigned i = 1; i < list->layer_count; i++)
		all |= opens_trees(list, i);
	err = all ? image_count(&count, list->layers[0].image) : overlays_count(&count);
	if (err == LINDUNG_OK)
		*ret = count.lost;
	return err;
}
