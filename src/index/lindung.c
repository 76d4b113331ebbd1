/* The public interface: an opened index with its overlays, and the judgement of names and URLs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "index/layers.h"
#include "name/url.h"

const char *
lindung_version(void)
{
	return "0.1.0";
}

/* Give each category of a layer its bit in the common numbering, adding new ones behind. */
static int
categories_join(struct lindung *list, struct ld_layer *layer)
{
	unsigned count = list->category_count;

	for (uint32_t i = 0; i < layer->image->categories.count; i++) {
		struct ld_span key = ld_texts_get(&layer->image->categories, i);
		unsigned at = 0;

		while (at < count && !ld_span_equal(list->categories[at], key))
			at++;
		if (at == LINDUNG_CATEGORY_MAX)
			return LINDUNG_ELIMIT;
		if (at == count)
			list->categories[count++] = key;
		layer->map[i] = (uint8_t)at;
	}
	list->category_count = count;
	return LINDUNG_OK;
}

static int
layer_add(struct lindung *list, struct ld_image *image)
{
	struct ld_layer *layer = &list->layers[list->layer_count];
	int err;

	layer->image = image;
	err = categories_join(list, layer);
	if (err == LINDUNG_OK)
		list->layer_count++;
	return err;
}

int
lindung_open(struct lindung **ret, const char *path, unsigned flags)
{
	struct ld_image *image;
	int err = ld_image_open(&image, path, flags);

	return err == LINDUNG_OK ? ld_list_from_image(ret, image) : err;
}

int
ld_list_from_image(struct lindung **ret, struct ld_image *image)
{
	struct lindung *list = calloc(1, sizeof *list);
	int err = list != NULL ? layer_add(list, image) : LINDUNG_ENOMEM;

	if (err != LINDUNG_OK) {
		ld_image_close(image);
		free(list);
		return err;
	}
	*ret = list;
	return LINDUNG_OK;
}

int
lindung_overlay(struct lindung *list, const char *path, unsigned flags)
{
	struct ld_image *image;
	int err;

	if (list->layer_count > LINDUNG_OVERLAY_MAX)
		return LINDUNG_ELIMIT;
	err = ld_image_open(&image, path, flags);
	if (err != LINDUNG_OK)
		return err;
	err = layer_add(list, image);
	if (err != LINDUNG_OK)
		ld_image_close(image);
	return err;
}

void
lindung_close(struct lindung *list)
{
	if (list == NULL)
		return;
	for (unsigned i = 0; i < list->layer_count; i++)
		ld_image_close(list->layers[i].image);
	free(list);
}

/* ---- The name asked about ----------------------------------------------------------------- */

enum { LABEL_SLACK = 16 }; /* ld_key_hash_label() may read so far past a label */

struct question {
	unsigned labels;
	uint8_t start[LD_NAME_LABELS_MAX + 1]; /* of each label in text, the last one first */
	uint8_t len[LD_NAME_LABELS_MAX + 1];
	uint8_t text[LD_NAME_WIRE_MAX + LABEL_SLACK]; /* labels in lower case, somewhere in it */
	bool odd;                                     /* there may be a separator within a label */
	/* Made when the filter first says "perhaps": */
	bool has_key;
	uint8_t key[LD_NAME_WIRE_MAX + LD_KEY_SLACK];
	uint16_t key_len[LD_NAME_LABELS_MAX + 1]; /* of the key with so many labels */
};

#define EACH_OCTET 0x0101010101010101u

/* Eight octets at once, ASCII letters to lower case. */
static inline uint64_t
word_lower(uint64_t word)
{
	uint64_t low = word & EACH_OCTET * 0x7f;
	uint64_t from_a = low + EACH_OCTET * (0x80 - 'A');
	uint64_t past_z = low + EACH_OCTET * (0x80 - 'Z' - 1);

	return word | (from_a & ~past_z & ~word & EACH_OCTET * 0x80) >> 2;
}

/* Bit 7 of each octet that is this one (and perhaps of one above such an octet). */
static inline uint64_t
word_has(uint64_t word, uint8_t octet)
{
	uint64_t differ = word ^ EACH_OCTET * octet;

	return (differ - EACH_OCTET) & ~differ & EACH_OCTET * 0x80;
}

/* Bit 7 of each octet that is a dot, if none has bit 7. */
static inline uint64_t
word_dots(uint64_t word)
{
	uint64_t differ = word ^ EACH_OCTET * '.';

	return ~(differ + EACH_OCTET * 0x7f) & EACH_OCTET * 0x80;
}

/* Up to eight octets, zeros behind the end. */
static inline uint64_t
word_load(const uint8_t *from, size_t left)
{
	uint64_t word = 0;

	if (left >= 8)
		return ld_get_le64(from);
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)from[i] << (8 * i);
	return word;
}

static int
question_from_text(struct question *q, const char *name, size_t len)
{
	uint8_t ends[LD_NAME_LABELS_MAX + 2];
	unsigned labels = 0;
	size_t start = 0;
	uint64_t odd = 0;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > LD_HOST_MAX)
		return LINDUNG_ENAME;
	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = word_load((const uint8_t *)name + at, len - at);

		if ((word & EACH_OCTET * 0x80) != 0)
			return LINDUNG_ENOTASCII;
		odd |= word_has(word, LD_KEY_SEPARATOR);
		ld_put_le64(q->text + at, word_lower(word));
		for (uint64_t dots = word_dots(word); dots != 0; dots &= dots - 1) {
			size_t end = at + (unsigned)__builtin_ctzll(dots) / 8;

			if (end - start - 1 >= LD_LABEL_MAX)
				return LINDUNG_ENAME;
			ends[labels++] = (uint8_t)end;
			start = end + 1;
		}
	}
	if (len - start - 1 >= LD_LABEL_MAX)
		return LINDUNG_ENAME;
	ends[labels++] = (uint8_t)len;
	q->odd = odd != 0;
	q->labels = labels;
	for (unsigned i = 0; i < labels; i++) {
		unsigned from = labels - 1 - i;
		unsigned begin = from > 0 ? ends[from - 1] + 1u : 0;

		q->start[i] = (uint8_t)begin;
		q->len[i] = (uint8_t)(ends[from] - begin);
	}
	return LINDUNG_OK;
}

static int
question_from_wire(struct question *q, const uint8_t *wire, size_t len)
{
	uint8_t starts[LD_NAME_LABELS_MAX + 1];
	unsigned labels = 0;
	size_t at = 0;
	uint64_t odd = 0;

	if (len == 0 || len > LD_NAME_WIRE_MAX)
		return LINDUNG_ENAME;
	while (wire[at] != 0) {
		if (wire[at] > LD_LABEL_MAX || at + wire[at] + 1u >= len)
			return LINDUNG_ENAME;
		starts[labels++] = (uint8_t)at;
		at += wire[at] + 1u;
	}
	if (at + 1 != len)
		return LINDUNG_ENAME;
	/* Lengths are below 'A', so that they pass through unchanged. */
	for (size_t i = 0; i < at; i += 8) {
		uint64_t word = word_load(wire + i, at - i);

		odd |= word_has(word, LD_KEY_SEPARATOR);
		ld_put_le64(q->text + i, word_lower(word));
	}
	q->odd = odd != 0;
	q->labels = labels;
	for (unsigned i = 0; i < labels; i++) {
		q->start[i] = (uint8_t)(starts[labels - 1 - i] + 1);
		q->len[i] = wire[starts[labels - 1 - i]];
	}
	return LINDUNG_OK;
}

/* Copy a label, eight octets at a time: both ends have room behind them. */
static size_t
label_copy(uint8_t *to, const uint8_t *from, size_t len, bool odd)
{
	for (size_t i = 0; i < len; i += 8)
		ld_put_le64(to + i, ld_get_le64(from + i));
	/* A separator within a label must not pass for the end of one. */
	for (size_t i = 0; odd && i < len; i++)
		if (to[i] == LD_KEY_SEPARATOR)
			to[i] = LD_KEY_SEPARATOR + 1;
	return len;
}

static struct ld_span
question_key(struct question *q, unsigned labels)
{
	if (!q->has_key) {
		size_t at = 0;

		q->has_key = true;
		for (unsigned i = 0; i < q->labels; i++) {
			if (i != 0)
				q->key[at++] = LD_KEY_SEPARATOR;
			at += label_copy(q->key + at, q->text + q->start[i], q->len[i], q->odd);
			q->key_len[i + 1] = (uint16_t)at;
		}
	}
	return ld_span(q->key, q->key_len[labels]);
}

/* ---- Judging ------------------------------------------------------------------------------ */

/* Called for each entry found, longest first.  False stops. */
typedef bool found(void *ctx, unsigned layer, uint32_t tuple, unsigned labels,
		   enum ld_relation relation, struct ld_span key);

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

/* Hashes of the name and its parents, by labels. */
static void
question_hash(const struct question *q, uint64_t *hashes)
{
	uint64_t hash = LD_KEY_HASH_ROOT;

	for (unsigned i = 0; i < q->labels; i++) {
		hash = ld_key_hash_label(hash, q->text + q->start[i], q->len[i]);
		hashes[i + 1] = hash;
	}
}

static void
names_search(const struct lindung *list, struct question *q, const uint64_t *hashes, found *each,
	     void *ctx)
{
	uint64_t hits[LD_NAME_LABELS_MAX + 1];
	uint64_t any = 0;

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
		struct ld_span key = question_key(q, labels);
		if (key_find(list, hits[labels], key, &layer, &tuple) &&
		    !each(ctx, layer, tuple, labels,
			  labels == q->labels ? LD_RELATION_SELF : LD_RELATION_PARENT, key))
			return;
	}
}

static void
urls_search(const struct lindung *list, struct question *q, const uint64_t *hashes,
	    const struct ld_url *url, found *each, void *ctx)
{
	size_t lens[LD_URL_PATHS_MAX];
	unsigned count = ld_url_paths(url, lens);
	uint8_t *key = NULL;
	uint8_t buffer[LD_INDEX_KEY_MAX + LD_KEY_SLACK];

	for (unsigned labels = q->labels; labels > 0; labels--) {
		struct ld_span host = question_key(q, labels);

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
			if (key == NULL)
				key = buffer;
			memcpy(key, host.data, host.len);
			memcpy(key + host.len, path.data, path.len);
			struct ld_span whole = ld_span(key, host.len + path.len);
			if (key_find(list, hits, whole, &layer, &tuple) &&
			    !each(ctx, layer, tuple, labels, LD_RELATION_URL, whole))
				return;
		}
	}
}

struct judgement {
	const struct lindung *list;
	uint64_t active;
	struct ld_effect effect;
	/* the longest entry that blocked each category, for the category to show */
	struct {
		uint64_t block;
		unsigned labels;
	} steps[LD_NAME_LABELS_MAX * 2];
	unsigned step_count;
	unsigned rewrite_labels, allow_labels, protected_labels;
};

static bool
judgement_add(void *ctx, unsigned layer, uint32_t tuple, unsigned labels, enum ld_relation relation,
	      struct ld_span key)
{
	struct judgement *j = ctx;
	struct ld_effect one = ld_effect_of(j->list->layers[layer].image, tuple, relation,
					    j->list->layers[layer].map, j->active);

	(void)key;
	if (one.rewrites && !j->effect.rewrites)
		j->rewrite_labels = labels;
	if (one.is_protected && !j->effect.is_protected)
		j->protected_labels = labels;
	if (j->allow_labels == 0 && (one.allow | one.important_allow) != 0)
		j->allow_labels = labels;
	if ((one.block | one.important_block) != 0 &&
	    j->step_count < sizeof j->steps / sizeof *j->steps) {
		j->steps[j->step_count].block = one.block | one.important_block;
		j->steps[j->step_count++].labels = labels;
	}
	ld_effect_over(&j->effect, &one);
	return true;
}

static void
judgement_answer(const struct judgement *j, struct lindung_answer *ret)
{
	struct lindung_answer answer = {
		.blocked = ld_effect_blocked(&j->effect),
		.allowed = ld_effect_allowed(&j->effect),
		.is_protected = j->effect.is_protected,
		.category = -1,
	};

	/* An entry for all categories sets every bit; only those that exist are told. */
	if (j->list->category_count < 64)
		answer.allowed &= (UINT64_C(1) << j->list->category_count) - 1;
	if (answer.blocked != 0) {
		answer.verdict = LINDUNG_BLOCK;
		for (unsigned i = 0; i < j->step_count; i++) {
			uint64_t set = j->steps[i].block & answer.blocked;

			if (set != 0) {
				answer.category = __builtin_ctzll(set);
				answer.match_labels = j->steps[i].labels;
				break;
			}
		}
	} else if (j->effect.is_protected) {
		answer.match_labels = j->protected_labels;
	} else if (j->effect.rewrites) {
		answer.verdict = LINDUNG_REWRITE;
		answer.match_labels = j->rewrite_labels;
		answer.target.data = (const char *)j->effect.target.data;
		answer.target.len = j->effect.target.len;
	} else {
		answer.match_labels = j->allow_labels;
	}
	*ret = answer;
}

static void
judgement_begin(struct judgement *j, const struct lindung *list, uint64_t active)
{
	j->list = list;
	j->active = active;
	j->effect = (struct ld_effect){0};
	j->step_count = 0;
	j->rewrite_labels = j->allow_labels = j->protected_labels = 0;
}

static void
question_judge(const struct lindung *list, struct question *q, uint64_t active,
	       struct lindung_answer *ret)
{
	uint64_t hashes[LD_NAME_LABELS_MAX + 1];
	struct judgement j;

	judgement_begin(&j, list, active);
	q->has_key = false;
	question_hash(q, hashes);
	names_search(list, q, hashes, judgement_add, &j);
	judgement_answer(&j, ret);
}

int
lindung_lookup_name(const struct lindung *list, const char *name, size_t len, uint64_t active,
		    struct lindung_answer *ret)
{
	struct question q;
	int err = question_from_text(&q, name, len);

	if (err == LINDUNG_OK)
		question_judge(list, &q, active, ret);
	return err;
}

int
lindung_lookup_wire(const struct lindung *list, const uint8_t *name, size_t len, uint64_t active,
		    struct lindung_answer *ret)
{
	struct question q;
	int err = question_from_wire(&q, name, len);

	if (err == LINDUNG_OK)
		question_judge(list, &q, active, ret);
	return err;
}

/* Search for a name, or for a URL (the URL's own entries before those of its host). */
static int
search(const struct lindung *list, const char *text, size_t len, bool is_url, found *each,
       void *ctx)
{
	uint64_t hashes[LD_NAME_LABELS_MAX + 1];
	struct question q;
	struct ld_url url;
	int err;

	if (is_url) {
		err = ld_url_canonical(&url, ld_span(text, len));
		if (err != LINDUNG_OK)
			return err;
		if (url.host_is_address)
			return LINDUNG_OK; /* addresses are not listed */
		err = question_from_text(&q, url.host, url.host_len);
	} else {
		err = question_from_text(&q, text, len);
	}
	if (err != LINDUNG_OK)
		return err;
	q.has_key = false;
	question_hash(&q, hashes);
	if (is_url)
		urls_search(list, &q, hashes, &url, each, ctx);
	names_search(list, &q, hashes, each, ctx);
	return LINDUNG_OK;
}

int
lindung_lookup_url(const struct lindung *list, const char *url, size_t len, uint64_t active,
		   struct lindung_answer *ret)
{
	struct judgement j;
	int err;

	judgement_begin(&j, list, active);
	err = search(list, url, len, true, judgement_add, &j);
	if (err == LINDUNG_OK)
		judgement_answer(&j, ret);
	return err;
}

/* ---- Explaining --------------------------------------------------------------------------- */

struct explanation {
	const struct lindung *list;
	uint64_t active;
	struct ld_effect effect; /* of the entries seen: all of them are longer */
	int (*each)(void *ctx, const struct lindung_reason *reason);
	void *ctx;
	int stopped;
	struct ld_effect whole; /* of all entries: what came out */
};

/* This rule is why its category came out as it did. */
static bool
rule_decides(const struct explanation *x, const struct ld_rule *rule, uint64_t set)
{
	bool important = (rule->flags & LD_ENTRY_IMPORTANT) != 0;
	const struct ld_effect *longer = &x->effect;
	uint64_t said = longer->important_block | longer->important_allow;

	if ((rule->flags & LD_ENTRY_PROTECTED) != 0)
		return true;
	if (x->whole.is_protected)
		return false;
	if (rule->action == LD_ACTION_REWRITE)
		return !longer->rewrites && ld_effect_blocked(&x->whole) == 0;
	if (!important)
		said |= longer->block | longer->allow | x->whole.important_block |
			x->whole.important_allow;
	set &= ~said;
	if (rule->action == LD_ACTION_BLOCK)
		set &= ld_effect_blocked(&x->whole);
	return set != 0;
}

static size_t
entry_text(char *text, struct ld_span key, uint8_t scope)
{
	struct ld_span host = ld_span_first(key, ld_span_find(key, '/'));
	size_t at = 0;

	if (scope == LD_SCOPE_SELF)
		text[at++] = '=';
	if (scope == LD_SCOPE_BELOW) {
		text[at++] = '*';
		text[at++] = '.';
	}
	at += ld_key_to_host(text + at, host);
	memcpy(text + at, key.data + host.len, key.len - host.len);
	return at + key.len - host.len;
}

static struct lindung_text
text_of(struct ld_span span)
{
	return (struct lindung_text){(const char *)span.data, span.len};
}

static bool
explanation_add(void *ctx, unsigned layer_index, uint32_t tuple, unsigned labels,
		enum ld_relation relation, struct ld_span key)
{
	struct explanation *x = ctx;
	const struct ld_layer *layer = &x->list->layers[layer_index];
	char text[LD_INDEX_KEY_MAX + 8];
	uint32_t count;
	const uint8_t *rules = ld_image_tuple(layer->image, tuple, &count);

	(void)labels;
	for (uint32_t i = 0; i < count && x->stopped == 0; i++) {
		struct ld_rule rule =
			ld_image_rule(layer->image, ld_get_le16(rules + 2 * (size_t)i));
		bool all = rule.category == LD_RULE_CATEGORY_ALL;
		uint64_t set =
			(all ? UINT64_MAX : UINT64_C(1) << layer->map[rule.category]) & x->active;

		if (!ld_rule_applies(rule.scope, relation) || set == 0 ||
		    rule.action == LD_ACTION_REMOVE)
			continue;
		struct lindung_reason reason = {
			.entry = {text, entry_text(text, key, rule.scope)},
			.category = all ? (struct lindung_text){"*", 1}
					: text_of(ld_texts_get(&layer->image->categories,
							       rule.category)),
			.source = text_of(ld_texts_get(&layer->image->sources, rule.source)),
			.action = rule.action == LD_ACTION_BLOCK     ? LINDUNG_BLOCK
				  : rule.action == LD_ACTION_REWRITE ? LINDUNG_REWRITE
								     : LINDUNG_ALLOW,
			.decides = rule_decides(x, &rule, set),
			.important = (rule.flags & LD_ENTRY_IMPORTANT) != 0,
			.is_protected = (rule.flags & LD_ENTRY_PROTECTED) != 0,
			.layer = layer_index,
			.target = text_of(ld_texts_get(&layer->image->targets, rule.target)),
		};
		x->stopped = x->each(x->ctx, &reason);
	}
	struct ld_effect one = ld_effect_of(layer->image, tuple, relation, layer->map, x->active);
	ld_effect_over(&x->effect, &one);
	return x->stopped == 0;
}

int
lindung_explain(const struct lindung *list, const char *name_or_url, size_t len, uint64_t active,
		int (*each)(void *ctx, const struct lindung_reason *reason), void *ctx)
{
	struct explanation x = {.list = list, .active = active, .each = each, .ctx = ctx};
	bool is_url = len != 0 && memchr(name_or_url, '/', len) != NULL;
	struct judgement j;
	int err;

	judgement_begin(&j, list, active);
	err = search(list, name_or_url, len, is_url, judgement_add, &j);
	if (err != LINDUNG_OK)
		return err;
	x.whole = j.effect;
	err = search(list, name_or_url, len, is_url, explanation_add, &x);
	return err != LINDUNG_OK ? err : x.stopped;
}

/* ---- Facts -------------------------------------------------------------------------------- */

unsigned
lindung_category_count(const struct lindung *list)
{
	return list->category_count;
}

struct lindung_text
lindung_category_key(const struct lindung *list, unsigned i)
{
	return i < list->category_count ? text_of(list->categories[i])
					: (struct lindung_text){NULL, 0};
}

int
lindung_category_find(const struct lindung *list, const char *key, size_t len)
{
	for (unsigned i = 0; i < list->category_count; i++)
		if (ld_span_equal(list->categories[i], ld_span(key, len)))
			return (int)i;
	return -1;
}

int
lindung_facts(const struct lindung *list, unsigned layer, struct lindung_facts *ret)
{
	if (layer >= list->layer_count)
		return LINDUNG_EINVAL;
	const struct ld_image *image = list->layers[layer].image;
	*ret = (struct lindung_facts){
		.size_bytes = image->map.bytes.len,
		.entry_count = image->entry_count,
		.category_count = image->categories.count,
		.source_count = image->sources.count,
		.date_day = image->date_day,
		.format_version = LD_INDEX_VERSION,
	};
	return LINDUNG_OK;
}

int
lindung_verify(const struct lindung *list)
{
	int err = LINDUNG_OK;

	for (unsigned i = 0; err == LINDUNG_OK && i < list->layer_count; i++) {
		err = ld_image_verify_hashes(list->layers[i].image);
		if (err == LINDUNG_OK)
			err = ld_image_verify_entries(list->layers[i].image);
	}
	return err;
}
