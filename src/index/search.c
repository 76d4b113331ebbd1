/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/search.h"

#include "name/url.h"

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

/* ---- One question, step by step ------------------------------------------------------------- */

/* Look into the filter for the levels and layers to come, longest names and topmost layers first.
 * `ahead`: only ask memory for its octets; others are asked about before they are looked at. */
static inline __attribute__((always_inline)) void
probes_take(struct ld_search *s, bool ahead)
{
	const struct lindung *list = s->list;
	unsigned count = 0;

	for (; s->labels >= list->labels_min; s->labels--, s->layers = list->layer_count) {
		for (; s->layers > 0; s->layers--) {
			const struct ld_image *image = list->layers[s->layers - 1].image;

			if (s->labels < image->labels_min || s->labels > image->labels_max)
				continue;
			if (count == LD_SEARCH_PROBES)
				goto full;
			struct ld_search_probe *p = &s->probes[count];
			struct ld_probe at = ld_image_probe(image, s->question->hashes[s->labels]);
			if (!ahead && __builtin_expect(!ld_probe_agrees(&at), 1))
				continue;
			*p = (struct ld_search_probe){at, (uint8_t)s->labels,
						      (uint8_t)(s->layers - 1)};
			count++;
			for (unsigned i = 0; ahead && i < 3; i++)
				__builtin_prefetch(at.octet[i]);
		}
	}
full:
	s->probe_count = count;
	s->probe_next = 0;
}

static inline __attribute__((always_inline)) void
search_begin(struct ld_search *s, const struct lindung *list, struct ld_question *q, bool ahead)
{
	s->list = list;
	s->question = q;
	s->labels = q->labels;
	s->layers = list->layer_count;
	for (unsigned i = 0; i < 2; i++)
		s->spoke[i] = s->guarded[i] = s->spoke_sealed[i] = 0;
	s->without_sealed = false;
	probes_take(s, ahead);
}

/* What the filter lets through, as far as there is room. */
static inline void
finds_take(struct ld_search *s)
{
	s->find_count = 0;
	for (; s->probe_next < s->probe_count; s->probe_next++) {
		const struct ld_search_probe *p = &s->probes[s->probe_next];

		if (__builtin_expect(!ld_probe_agrees(&p->at), 1))
			continue;
		if (s->find_count == LD_SEARCH_FINDS)
			return;
		struct ld_span key = ld_question_key(s->question, p->labels);
		s->found[s->find_count] = (struct ld_search_found){p->labels, p->layer};
		const struct ld_image *image = s->list->layers[p->layer].image;
		ld_find_group(&s->finds[s->find_count], image, key);
		if (image->sealed_count != 0)
			ld_sealed_begin(&s->sealed[s->find_count], image, key);
		s->find_count++;
	}
}

static bool
match_tell(struct ld_search *s, const struct ld_search_found *found, uint32_t tuple, bool is_sealed,
	   ld_found *each, void *ctx)
{
	bool is_self = found->labels == s->question->labels;
	const struct ld_match match = {.tuple = tuple,
				       .layer = found->layer,
				       .labels = found->labels,
				       .relation = is_self ? LD_RELATION_SELF : LD_RELATION_PARENT,
				       .is_sealed = is_sealed,
				       .key = ld_question_key(s->question, found->labels)};

	return each(ctx, &match);
}

/* The topmost layer that has a key speaks for it; of those below only a protection is heard, so
 * that nothing takes it back.  False: the asker wants no more. */
static bool
found_tell(struct ld_search *s, const struct ld_search_found *found, uint32_t tuple, ld_found *each,
	   void *ctx)
{
	unsigned labels = found->labels, which = found->layer < s->list->joint;

	if (s->spoke[which] == labels) {
		if (s->guarded[which] == labels ||
		    !tuple_protects(s->list->layers[found->layer].image, tuple))
			return true;
		s->guarded[which] = labels;
	}
	s->spoke[which] = labels;
	return match_tell(s, found, tuple, false, each, ctx);
}

/* The same name among the sealed ones, which are names of their own: the topmost layer that has it
 * there speaks for it. */
static bool
sealed_tell(struct ld_search *s, unsigned number, ld_found *each, void *ctx)
{
	const struct ld_search_found *found = &s->found[number];
	const struct ld_image *image = s->list->layers[found->layer].image;
	unsigned which = found->layer < s->list->joint;
	uint32_t tuple;

	if (s->without_sealed || s->spoke_sealed[which] == found->labels ||
	    !ld_sealed_end(&s->sealed[number], image, &tuple))
		return true;
	s->spoke_sealed[which] = found->labels;
	return match_tell(s, found, tuple, true, each, ctx);
}

void
ld_search_begin(struct ld_search *search, const struct lindung *list, struct ld_question *q)
{
	search_begin(search, list, q, true);
}

void
ld_search_filter(struct ld_search *search)
{
	finds_take(search);
}

void
ld_search_blocks(struct ld_search *search)
{
	for (unsigned i = 0; i < search->find_count; i++)
		ld_find_block(&search->finds[i]);
}

void
ld_search_end(struct ld_search *s, ld_found *each, void *ctx)
{
	for (;;) {
		for (unsigned i = 0; i < s->find_count; i++) {
			const struct ld_search_found *found = &s->found[i];
			uint32_t tuple;

			if (ld_find_key(&s->finds[i], &tuple) &&
			    !found_tell(s, found, tuple, each, ctx))
				return;
			if (s->list->layers[found->layer].image->sealed_count != 0 &&
			    !sealed_tell(s, i, each, ctx))
				return;
		}
		/* Rarely is there more than had room. */
		if (s->probe_next == s->probe_count) {
			if (s->probe_count < LD_SEARCH_PROBES)
				return;
			probes_take(s, false);
		}
		finds_take(s);
		ld_search_blocks(s);
	}
}

bool
ld_search_name(const struct lindung *list, struct ld_question *q, bool without_sealed,
	       ld_found *each, void *ctx)
{
	struct ld_search s;

	search_begin(&s, list, q, false);
	s.without_sealed = without_sealed;
	/* Most names end here. */
	if (__builtin_expect(s.probe_count == 0, 1))
		return false;
	finds_take(&s);
	ld_search_blocks(&s);
	ld_search_end(&s, each, ctx);
	return (s.spoke[0] | s.spoke[1] | s.spoke_sealed[0] | s.spoke_sealed[1]) != 0;
}

/* ---- URLs ------------------------------------------------------------------------------------ */

/* In the topmost layer that has the key openly, and in the topmost one that has it sealed; so of
 * each of two joined lists.  False: the asker wants no more. */
static bool
url_tell(const struct lindung *list, struct ld_match *match, uint64_t hash, ld_found *each,
	 void *ctx)
{
	bool found[2] = {false, false}, found_sealed[2] = {false, false};

	for (unsigned layer = list->layer_count; layer-- > 0;) {
		const struct ld_image *image = list->layers[layer].image;

		if (match->labels < image->labels_min || match->labels > image->labels_max ||
		    !ld_image_may_hold(image, hash))
			continue;
		unsigned which = layer < list->joint;

		match->layer = layer;
		match->is_sealed = false;
		if (!found[which] && ld_image_find(image, match->key, &match->tuple)) {
			found[which] = true;
			if (!each(ctx, match))
				return false;
		}
		match->is_sealed = true;
		if (!found_sealed[which] && ld_sealed_find(image, match->key, &match->tuple)) {
			found_sealed[which] = true;
			if (!each(ctx, match))
				return false;
		}
	}
	return true;
}

static void
urls_search(const struct lindung *list, struct ld_question *q, const struct ld_url *url,
	    ld_found *each, void *ctx)
{
	size_t lens[LD_URL_PATHS_MAX];
	unsigned count = ld_url_paths(url, lens);
	uint8_t key[LD_INDEX_KEY_MAX + LD_KEY_SLACK];

	for (unsigned labels = q->labels; labels > 0; labels--) {
		struct ld_span host = ld_question_key(q, labels);

		for (unsigned i = 0; i < count; i++) {
			struct ld_span path = ld_span(url->text, lens[i]);
			struct ld_match match = {.labels = labels, .relation = LD_RELATION_URL};

			if (host.len + path.len > LD_INDEX_KEY_MAX)
				continue;
			memcpy(key, host.data, host.len);
			memcpy(key + host.len, path.data, path.len);
			match.key = ld_span(key, host.len + path.len);
			if (!url_tell(list, &match, ld_key_hash_path(q->hashes[labels], path), each,
				      ctx))
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
	ld_search_name(list, &q, false, each, ctx);
	return LINDUNG_OK;
}
