/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/search.h"

#include "name/url.h"

/* In the topmost layer of those in `hits` that has the key. */
static bool
key_find(const struct lindung *list, uint64_t hits, struct ld_span key, unsigned *ret_layer,
	 uint32_t *ret_tuple)
{
	while (hits != 0) {
		unsigned layer = 63u - (unsigned)__builtin_clzll(hits);

		if (ld_image_find(list->layers[layer].image, key, ret_tuple)) {
			*ret_layer = layer;
			return true;
		}
		hits &= ~(UINT64_C(1) << layer);
	}
	return false;
}

/* The entry is a protection. */
static bool
tuple_protects(const struct ld_image *image, uint32_t tuple)
{
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(image, tuple, &count);

	for (uint32_t i = 0; i < count; i++)
		if ((ld_image_rule(image, ld_get_le16(rules + 2 * (size_t)i)).flags &
		     LD_ENTRY_PROTECTED) != 0)
			return true;
	return false;
}

/* An overlay replaces what lies below it, but for one thing: nothing takes back a protection.  Find
 * one for this key in the layers below `layer`. */
static bool
protection_find(const struct lindung *list, uint64_t hits, unsigned layer, struct ld_span key,
		unsigned *ret_layer, uint32_t *ret_tuple)
{
	uint64_t below = hits & ((UINT64_C(1) << layer) - 1);

	while (key_find(list, below, key, ret_layer, ret_tuple)) {
		if (tuple_protects(list->layers[*ret_layer].image, *ret_tuple))
			return true;
		below &= (UINT64_C(1) << *ret_layer) - 1;
	}
	return false;
}

static uint64_t
layers_hit(const struct lindung *list, uint64_t hash, unsigned labels)
{
	uint64_t hits = 0;

	for (unsigned i = 0; i < list->layer_count; i++) {
		const struct ld_image *image = list->layers[i].image;

		if (labels >= image->labels_min && labels <= image->labels_max)
			hits |= (uint64_t)ld_image_may_hold(image, hash) << i;
	}
	return hits;
}

void
ld_search_name(const struct lindung *list, struct ld_question *q, ld_found *each, void *ctx)
{
	uint64_t hashes[LD_NAME_LABELS_MAX + 1];
	uint64_t hits[LD_NAME_LABELS_MAX + 1];
	uint64_t any = 0;

	ld_question_hash(q, hashes);
	/* All probes first: they do not wait for each other, and most names end here. */
	for (unsigned labels = 1; labels <= q->labels; labels++)
		any |= hits[labels] = layers_hit(list, hashes[labels], labels);
	if (__builtin_expect(any == 0, 1))
		return;
	for (unsigned labels = q->labels; labels > 0; labels--) {
		unsigned layer;
		uint32_t tuple;

		if (hits[labels] == 0)
			continue;
		struct ld_span key = ld_question_key(q, labels);
		enum ld_relation relation =
			labels == q->labels ? LD_RELATION_SELF : LD_RELATION_PARENT;
		if (!key_find(list, hits[labels], key, &layer, &tuple))
			continue;
		if (!each(ctx, layer, tuple, labels, relation, key))
			return;
		if (layer > 0 && protection_find(list, hits[labels], layer, key, &layer, &tuple) &&
		    !each(ctx, layer, tuple, labels, relation, key))
			return;
	}
}

static void
urls_search(const struct lindung *list, struct ld_question *q, const struct ld_url *url,
	    ld_found *each, void *ctx)
{
	uint64_t hashes[LD_NAME_LABELS_MAX + 1];
	size_t lens[LD_URL_PATHS_MAX];
	unsigned count = ld_url_paths(url, lens);
	uint8_t key[LD_INDEX_KEY_MAX + LD_KEY_SLACK];

	ld_question_hash(q, hashes);
	for (unsigned labels = q->labels; labels > 0; labels--) {
		struct ld_span host = ld_question_key(q, labels);

		for (unsigned i = 0; i < count; i++) {
			struct ld_span path = ld_span(url->text, lens[i]);
			unsigned layer;
			uint32_t tuple;
			uint64_t hits;

			if (host.len + path.len > LD_INDEX_KEY_MAX)
				continue;
			hits = layers_hit(list, ld_key_hash_path(hashes[labels], path), labels);
			if (hits == 0)
				continue;
			memcpy(key, host.data, host.len);
			memcpy(key + host.len, path.data, path.len);
			struct ld_span whole = ld_span(key, host.len + path.len);
			if (key_find(list, hits, whole, &layer, &tuple) &&
			    !each(ctx, layer, tuple, labels, LD_RELATION_URL, whole))
				return;
		}
	}
}

/* Search for a name, or for a URL (the URL's own entries before those of its host). */
int
ld_search_text(const struct lindung *list, const char *text, size_t len, bool is_url,
	       ld_found *each, void *ctx)
{
	struct ld_question q;
	struct ld_url url;
	int err;

	if (is_url) {
		err = ld_url_canonical(&url, ld_span(text, len));
		if (err != LINDUNG_OK)
			return err;
		if (url.host_is_address)
			return LINDUNG_OK; /* addresses are not listed */
		err = ld_question_from_text(&q, url.host, url.host_len);
	} else {
		err = ld_question_from_text(&q, text, len);
	}
	if (err != LINDUNG_OK)
		return err;
	if (is_url)
		urls_search(list, &q, &url, each, ctx);
	ld_search_name(list, &q, each, ctx);
	return LINDUNG_OK;
}
