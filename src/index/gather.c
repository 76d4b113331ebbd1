/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "index/image.h"
#include "index/scratch.h"
#include "index/sealed_record.h"
#include "index/tuples.h"
#include "name/name.h"

enum {
	WRITE_BYTES = 256 * 1024,
	/* Past this many keys or octets every second sampled block is let go. */
	SAMPLE_KEYS_MAX = 64 * 1024,
	SAMPLE_BYTES_MAX = 8 * 1024 * 1024,
	MEMBERS_DENSE = 4096, /* so many records of one key are looked through for equal ones */
};

/* A record of the key at hand, its rule by content order. */
struct member {
	uint32_t element; /* of a tuple: rule << 4 | scope */
	uint16_t rule;    /* as interned */
	uint16_t list;
	uint32_t line;
	bool gone;
};

/* A key above the one at hand. */
struct ancestor {
	size_t key_len;
	uint64_t below; /* categories in which names below it are blocked so far */
};

struct gather {
	struct ld_gathered *out;
	const struct ld_rules *rules;
	const struct ld_build_options *options;
	const struct ld_build_rejects *rejects;
	struct ld_tuples *tuples;

	struct member *members;
	size_t member_count, member_size;
	uint8_t key[LD_INDEX_KEY_MAX];
	size_t key_len;

	struct ancestor ancestors[LD_INDEX_LABELS_MAX + 1];
	unsigned ancestor_count;
	uint8_t ancestor_key[LD_INDEX_KEY_MAX];

	uint8_t *buffer; /* to be written */
	size_t buffered;
	uint32_t tuple_before;
	size_t mark_size, hash_size;
	uint8_t before[LD_INDEX_KEY_MAX]; /* the key emitted last */
	size_t before_len;
	/* Of the group of blocks at hand: its first key, and of each block's first key as much as
	 * tells it from the key before it. */
	uint8_t group_first[LD_INDEX_KEY_MAX];
	size_t group_first_len;
	uint8_t fence_texts[LD_INDEX_GROUP_BLOCKS][LD_INDEX_KEY_MAX + LD_KEY_SLACK];
	size_t fence_lens[LD_INDEX_GROUP_BLOCKS];
	unsigned fence_count;

	uint64_t sample_mask; /* blocks whose number has none of these bits are sampled */
	uint64_t *sample_blocks;
	size_t *sample_starts;
	size_t sample_count;
};

static void
member_reject(const struct gather *g, const struct member *m, enum ld_reject reason)
{
	struct ld_record record = {.key = ld_span(g->key, g->key_len),
				   .rule = m->rule,
				   .list = m->list,
				   .scope = m->element & 15,
				   .line = m->line};

	if (g->rejects != NULL)
		g->rejects->reject(g->rejects->ctx, reason, &record);
}

static int
member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->element != y->element)
		return x->element < y->element ? -1 : 1;
	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* Let go of records that say what another one says, so that a list which repeats a name for ever
 * does not fill the memory. */
static void
members_thin(struct gather *g)
{
	size_t kept = 0;

	qsort(g->members, g->member_count, sizeof *g->members, member_order);
	for (size_t i = 0; i < g->member_count; i++) {
		if (kept > 0 && g->members[i].element == g->members[kept - 1].element)
			member_reject(g, &g->members[i], LD_REJECT_DUPLICATE);
		else
			g->members[kept++] = g->members[i];
	}
	g->member_count = kept;
}

static int
member_add(struct gather *g, const struct ld_record *record)
{
	bool full = g->member_count == g->member_size;

	if (full && g->member_count >= MEMBERS_DENSE)
		members_thin(g);
	/* Half of it must be free after that, or it would be looked through again soon. */
	if (full && g->member_count >= g->member_size / 2) {
		size_t size = g->member_size == 0 ? 64 : g->member_size * 2;
		struct member *members = realloc(g->members, size * sizeof *members);

		if (members == NULL)
			return LINDUNG_ENOMEM;
		g->members = members;
		g->member_size = size;
	}
	g->members[g->member_count++] = (struct member){
		.element = (uint32_t)ld_tuples_rank(g->tuples, record->rule) << 4 | record->scope,
		.rule = record->rule,
		.list = record->list,
		.line = record->line,
	};
	return LINDUNG_OK;
}

/* A $badfilter rule takes back its like in every list. */
static void
badfilters_apply(struct gather *g)
{
	for (size_t i = 0; i < g->member_count; i++) {
		const struct ld_rule_text *bad = ld_rules_get(g->rules, g->members[i].rule);

		if ((bad->flags & LD_ENTRY_BADFILTER) == 0)
			continue;
		g->members[i].gone = true;
		for (size_t j = 0; j < g->member_count; j++) {
			const struct ld_rule_text *rule =
				ld_rules_get(g->rules, g->members[j].rule);

			if (rule->action == bad->action &&
			    rule->flags == (bad->flags & ~LD_ENTRY_BADFILTER) &&
			    ((g->members[i].element ^ g->members[j].element) & 15) == 0)
				g->members[j].gone = true;
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		if (g->members[i].gone)
			member_reject(g, &g->members[i], LD_REJECT_BADFILTERED);
		else
			g->members[kept++] = g->members[i];
	}
	g->member_count = kept;
}

/* The members' elements, each once: the same rule with several scopes is one with all of them. */
static int
elements_make(struct gather *g, uint32_t elements[LD_INDEX_TUPLE_RULES_MAX], uint32_t *ret_count)
{
	bool only_removes = true;
	uint32_t count = 0;

	if (g->member_count > 1)
		qsort(g->members, g->member_count, sizeof *g->members, member_order);
	for (size_t i = 0; i < g->member_count; i++)
		only_removes &=
			ld_rules_get(g->rules, g->members[i].rule)->action == LD_ACTION_REMOVE;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct member *m = &g->members[i];

		if (i > 0 && m->element == g->members[i - 1].element)
			member_reject(g, m, LD_REJECT_DUPLICATE);
		else if (!only_removes &&
			 ld_rules_get(g->rules, m->rule)->action == LD_ACTION_REMOVE)
			continue; /* it has an entry after all */
		else if (count > 0 && elements[count - 1] >> 4 == m->element >> 4)
			elements[count - 1] |= m->element & 15;
		else if (count < LD_INDEX_TUPLE_RULES_MAX)
			elements[count++] = m->element;
		else
			return LINDUNG_ELIMIT;
	}
	*ret_count = count;
	return LINDUNG_OK;
}

/* Does what the parents say make this key's entry needless?  Keeps the stack of parents. */
static bool
covered(struct gather *g, const uint32_t *elements, uint32_t count)
{
	uint64_t block = 0, block_below = 0, allow = 0, inherited;
	bool simple = true;

	while (g->ancestor_count > 0) {
		size_t len = g->ancestors[g->ancestor_count - 1].key_len;

		if (g->key_len > len && g->key[len] == LD_KEY_SEPARATOR &&
		    memcmp(g->key, g->ancestor_key, len) == 0)
			break;
		g->ancestor_count--;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct ld_rule_text *rule = ld_tuples_rule(g->tuples, elements[i] >> 4);
		uint64_t set = ld_tuples_categories(g->tuples, elements[i] >> 4);

		simple &= rule->action == LD_ACTION_BLOCK && rule->flags == 0 &&
			  (elements[i] & 15) != LD_SCOPE_URL;
		if (rule->action == LD_ACTION_BLOCK) {
			block |= set;
			if ((elements[i] & LD_SCOPE_BELOW) != 0)
				block_below |= set;
		} else if (rule->action == LD_ACTION_ALLOW) {
			allow |= set;
		}
	}
	inherited = g->ancestor_count > 0 ? g->ancestors[g->ancestor_count - 1].below : 0;
	if (memchr(g->key, '/', g->key_len) == NULL && g->ancestor_count <= LD_INDEX_LABELS_MAX) {
		memcpy(g->ancestor_key, g->key, g->key_len);
		g->ancestors[g->ancestor_count++] =
			(struct ancestor){g->key_len, (inherited | block_below) & ~allow};
	}
	return simple && (block & ~inherited) == 0;
}

static int
buffer_flush(struct gather *g)
{
	int err = ld_write_all(g->out->fd, g->buffer, g->buffered);

	g->buffered = 0;
	return err;
}

/* Let go of the sampled blocks that a longer mask does not choose. */
static void
samples_thin(struct gather *g)
{
	struct ld_buffer *samples = &g->out->samples;
	size_t kept = 0, len = 0;

	g->sample_mask = g->sample_mask * 2 + 1;
	for (size_t i = 0; i < g->sample_count; i++) {
		size_t start = g->sample_starts[i];
		size_t end = i + 1 < g->sample_count ? g->sample_starts[i + 1] : samples->len;

		if ((g->sample_blocks[i] & g->sample_mask) != 0)
			continue;
		memmove(samples->data + len, samples->data + start, end - start);
		g->sample_blocks[kept] = g->sample_blocks[i];
		g->sample_starts[kept++] = len;
		len += end - start;
	}
	g->sample_count = kept;
	samples->len = len;
}

static void
record_put(uint8_t *at, const struct gather *g, uint32_t tuple)
{
	ld_put_le16(at, (uint16_t)g->key_len);
	ld_put_le16(at + 2, (uint16_t)tuple);
	memcpy(at + LD_GATHERED_HEADER, g->key, g->key_len);
}

static void
sample_key(struct gather *g, uint32_t tuple)
{
	uint64_t block = g->out->key_count / LD_INDEX_BLOCK_KEYS;

	if ((block & g->sample_mask) != 0)
		return;
	if (g->out->key_count % LD_INDEX_BLOCK_KEYS == 0) {
		while (g->sample_count == SAMPLE_KEYS_MAX / LD_INDEX_BLOCK_KEYS ||
		       (g->sample_count > 1 && g->out->samples.len > SAMPLE_BYTES_MAX))
			samples_thin(g);
		if ((block & g->sample_mask) != 0)
			return;
		g->sample_blocks[g->sample_count] = block;
		g->sample_starts[g->sample_count++] = g->out->samples.len;
	}
	uint8_t *room = ld_buffer_room(&g->out->samples, LD_GATHERED_HEADER + g->key_len);
	if (room != NULL)
		record_put(room, g, tuple);
}

static int
block_mark(struct gather *g)
{
	struct ld_gathered *out = g->out;

	if (out->mark_count == g->mark_size) {
		size_t size = g->mark_size == 0 ? 256 : g->mark_size * 2;
		uint64_t *marks = realloc(out->marks, size * sizeof *marks);

		if (marks == NULL)
			return LINDUNG_ENOMEM;
		out->marks = marks;
		g->mark_size = size;
	}
	out->marks[out->mark_count++] = out->len;
	return LINDUNG_OK;
}

static size_t
octets_shared(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t n = 0;

	while (n < a_len && n < b_len && a[n] == b[n])
		n++;
	return n;
}

/* How many windows two cuts have in common, at most `limit`. */
static uint32_t
windows_shared(struct ld_span a, struct ld_span b, size_t from, uint32_t limit)
{
	uint32_t n = 0;

	while (n < limit && ld_fence(a, from + n * LD_INDEX_FENCE_OCTETS) ==
				    ld_fence(b, from + n * LD_INDEX_FENCE_OCTETS))
		n++;
	return n;
}

/* All keys of a group are known: g->before is its last. */
static void
group_end(struct gather *g)
{
	struct ld_gathered *out = g->out;
	size_t prefix = octets_shared(g->group_first, g->group_first_len, g->before, g->before_len);
	uint8_t octet = prefix < 255 ? (uint8_t)prefix : 255, *room;
	uint32_t level = 0;

	if (g->fence_count == 0)
		return;
	ld_buffer_bytes(&out->prefixes, ld_span(&octet, 1));
	for (unsigned i = 0; i < LD_INDEX_STEP_WORDS; i++)
		if ((room = ld_buffer_room(&out->steps[i], 8)) != NULL)
			ld_put_le64(room, ld_step(ld_span(g->fence_texts[0], g->fence_lens[0]), i));
	for (unsigned i = 0; i < g->fence_count; i++) {
		struct ld_span cut = ld_span(g->fence_texts[i], g->fence_lens[i]);

		/* Windows are known one by one: a level is at most one above that before it, so
		 * that 4 bits are enough for 16 blocks. */
		if (i > 0)
			level = windows_shared(ld_span(g->fence_texts[i - 1], g->fence_lens[i - 1]),
					       cut, octet, level + 1);
		if ((room = ld_buffer_room(&out->fences, 4)) != NULL)
			ld_put_le32(room,
				    level << LD_INDEX_FENCE_LEVEL |
					    ld_fence(cut, octet + (size_t)level *
									  LD_INDEX_FENCE_OCTETS));
	}
	g->fence_count = 0;
}

/* A block begins. */
static void
fence_add(struct gather *g)
{
	size_t shared = octets_shared(g->before, g->before_len, g->key, g->key_len);

	if (g->fence_count == LD_INDEX_GROUP_BLOCKS)
		group_end(g);
	if (g->fence_count == 0) {
		memcpy(g->group_first, g->key, g->key_len);
		g->group_first_len = g->key_len;
	}
	LD_ASSERT(shared < g->key_len);
	memcpy(g->fence_texts[g->fence_count], g->key, shared + 1);
	g->fence_lens[g->fence_count++] = shared + 1;
}

static int
hash_add(struct gather *g, uint64_t hash, unsigned labels)
{
	struct ld_gathered *out = g->out;

	if (out->hash_count == g->hash_size) {
		size_t size = g->hash_size == 0 ? 65536 : g->hash_size + g->hash_size / 2;
		uint64_t *hashes = realloc(out->hashes, size * sizeof *hashes);

		if (hashes == NULL)
			return LINDUNG_ENOMEM;
		out->hashes = hashes;
		g->hash_size = size;
	}
	out->hashes[out->hash_count++] = hash;
	if (out->labels_min == 0 || labels < out->labels_min)
		out->labels_min = labels;
	if (labels > out->labels_max)
		out->labels_max = labels;
	return LINDUNG_OK;
}

static int
key_emit(struct gather *g, uint32_t tuple)
{
	struct ld_gathered *out = g->out;
	bool first = out->key_count % LD_INDEX_HALF_KEYS == 0;
	unsigned labels;
	uint64_t hash = ld_key_hash(ld_span(g->key, g->key_len), &labels);
	int err = hash_add(g, hash, labels);

	if (err == LINDUNG_OK &&
	    out->key_count % (LD_GATHER_MARK_BLOCKS * LD_INDEX_BLOCK_KEYS) == 0)
		err = block_mark(g);
	if (err == LINDUNG_OK && out->key_count % LD_INDEX_BLOCK_KEYS == 0)
		fence_add(g);
	if (err == LINDUNG_OK && (first || tuple != g->tuple_before))
		ld_tuples_count(g->tuples, tuple);
	if (err == LINDUNG_OK && g->buffered + LD_GATHERED_HEADER + g->key_len > WRITE_BYTES)
		err = buffer_flush(g);
	if (err != LINDUNG_OK)
		return err;
	g->tuple_before = tuple;
	memcpy(g->before, g->key, g->key_len);
	g->before_len = g->key_len;
	sample_key(g, tuple);
	for (size_t i = 0; i < g->key_len; i++)
		out->octets[g->key[i]] = true;
	record_put(g->buffer + g->buffered, g, tuple);
	g->buffered += LD_GATHERED_HEADER + g->key_len;
	out->len += LD_GATHERED_HEADER + g->key_len;
	out->key_count++;
	out->url_count += memchr(g->key, '/', g->key_len) != NULL;
	return LINDUNG_OK;
}

static int
sealed_emit(struct gather *g, uint32_t tuple)
{
	struct ld_gathered *out = g->out;
	uint8_t blind[LD_BLIND_BYTES], *room;

	ld_sealed_record_read(blind, ld_span(g->key, g->key_len));
	ld_buffer_bytes(&out->sealed_hashes, ld_span(blind, LD_BLIND_HASH_BYTES));
	room = ld_buffer_room(&out->sealed_tuples, 2);
	if (room == NULL)
		return LINDUNG_ENOMEM;
	ld_put_le16(room, (uint16_t)tuple);
	out->sealed_count++;
	return hash_add(g, ld_get_le64(blind + LD_BLIND_FILTER_AT), blind[LD_BLIND_LABELS_AT]);
}

/* All members of one key are there. */
static int
key_end(struct gather *g)
{
	uint32_t elements[LD_INDEX_TUPLE_RULES_MAX], count, tuple;
	int err;

	if (g->member_count == 0)
		return LINDUNG_OK;
	if (ld_tuples_any_badfilter(g->tuples))
		badfilters_apply(g);
	err = elements_make(g, elements, &count);
	if (err != LINDUNG_OK || count == 0)
		return err;
	bool is_sealed = g->key[0] == LD_RECORD_SEALED;
	if (!is_sealed && covered(g, elements, count)) {
		g->out->covered_count++;
		if (g->options->drop_covered) {
			for (size_t i = 0; i < g->member_count; i++)
				member_reject(g, &g->members[i], LD_REJECT_COVERED);
			return LINDUNG_OK;
		}
	}
	err = ld_tuples_intern(g->tuples, elements, count, &tuple);
	if (err != LINDUNG_OK)
		return err;
	return is_sealed ? sealed_emit(g, tuple) : key_emit(g, tuple);
}

static int
keys_gather(struct gather *g, struct ld_merge *merge)
{
	struct ld_record record;
	uint64_t seen = 0;
	int err;

	while ((err = ld_merge_next(merge, &record)) == LINDUNG_OK) {
		if (record.key.len != g->key_len ||
		    memcmp(record.key.data, g->key, g->key_len) != 0) {
			err = key_end(g);
			if (err != LINDUNG_OK)
				return err;
			g->member_count = 0;
			memcpy(g->key, record.key.data, record.key.len);
			g->key_len = record.key.len;
		}
		err = member_add(g, &record);
		if (err != LINDUNG_OK)
			return err;
		if ((++seen & 0xffff) == 0 && g->options->progress != NULL)
			g->options->progress(g->options->progress_ctx, "merging", seen, 0);
	}
	if (err != LINDUNG_ENOTFOUND)
		return err;
	err = key_end(g);
	group_end(g);
	return err == LINDUNG_OK ? buffer_flush(g) : err;
}

static bool
steps_failed(const struct ld_gathered *out)
{
	bool any = false;

	for (int i = 0; i < LD_INDEX_STEP_WORDS; i++)
		any |= out->steps[i].failed;
	return any;
}

static int
gather_run(struct gather *g, struct ld_merge *merge)
{
	int err = ld_tuples_new(&g->tuples, g->rules);

	if (err != LINDUNG_OK)
		return err;
	g->buffer = malloc(WRITE_BYTES);
	g->sample_blocks = calloc(SAMPLE_KEYS_MAX, sizeof *g->sample_blocks);
	g->sample_starts = calloc(SAMPLE_KEYS_MAX, sizeof *g->sample_starts);
	if (g->buffer == NULL || g->sample_blocks == NULL || g->sample_starts == NULL)
		return LINDUNG_ENOMEM;
	g->out->fd = ld_scratch_open(g->options->directory);
	if (g->out->fd < 0)
		return LINDUNG_EIO;
	err = keys_gather(g, merge);
	if (err == LINDUNG_OK &&
	    (g->out->samples.failed || g->out->fences.failed || steps_failed(g->out) ||
	     g->out->prefixes.failed || g->out->sealed_hashes.failed))
		err = LINDUNG_ENOMEM;
	return err == LINDUNG_OK ? ld_tuples_finish(g->tuples, g->out) : err;
}

int
ld_gather(struct ld_gathered *ret, const struct ld_rules *rules, struct ld_merge *merge,
	  const struct ld_build_options *options, const struct ld_build_rejects *rejects,
	  struct ld_report *report)
{
	struct ld_gathered out = {.fd = -1};
	struct gather *g = calloc(1, sizeof *g);
	int err = LINDUNG_ENOMEM;

	if (g != NULL) {
		ld_buffer_init(&out.samples, SIZE_MAX);
		ld_buffer_init(&out.fences, SIZE_MAX);
		ld_buffer_init(&out.prefixes, SIZE_MAX);
		ld_buffer_init(&out.sealed_hashes, SIZE_MAX);
		ld_buffer_init(&out.sealed_tuples, SIZE_MAX);
		for (int i = 0; i < LD_INDEX_STEP_WORDS; i++)
			ld_buffer_init(&out.steps[i], SIZE_MAX);
		*g = (struct gather){
			.out = &out, .rules = rules, .options = options, .rejects = rejects};
		err = gather_run(g, merge);
		ld_tuples_free(g->tuples);
		free(g->members);
		free(g->buffer);
		free(g->sample_blocks);
		free(g->sample_starts);
		free(g);
	}
	if (err != LINDUNG_OK) {
		ld_gathered_free(&out);
		if (err == LINDUNG_EIO)
			return ld_fail(report, err, "%s: cannot hold the scratch files: %s",
				       options->directory, strerror(errno));
		if (err == LINDUNG_ELIMIT)
			return ld_fail(report, err,
				       "too much of something: an index holds %d categories, %d "
				       "rules (a category, a source, an action and a target "
				       "each), %d sets of rules, and %d rules for one name",
				       LINDUNG_CATEGORY_MAX, LD_INDEX_RULES_MAX,
				       LD_INDEX_TUPLES_MAX, LD_INDEX_TUPLE_RULES_MAX);
		return ld_fail(report, err, "%s", lindung_strerror(err));
	}
	*ret = out;
	return LINDUNG_OK;
}

void
ld_gathered_free(struct ld_gathered *out)
{
	if (out->fd >= 0)
		close(out->fd);
	free(out->marks);
	free(out->hashes);
	ld_buffer_free(&out->fences);
	ld_buffer_free(&out->prefixes);
	ld_buffer_free(&out->sealed_hashes);
	ld_buffer_free(&out->sealed_tuples);
	for (int i = 0; i < LD_INDEX_STEP_WORDS; i++)
		ld_buffer_free(&out->steps[i]);
	free(out->tuple_changes);
	free(out->tuple_final);
	ld_buffer_free(&out->samples);
	ld_buffer_free(&out->categories);
	ld_buffer_free(&out->sources);
	ld_buffer_free(&out->targets);
	ld_buffer_free(&out->rules);
	ld_buffer_free(&out->tuples);
	*out = (struct ld_gathered){.fd = -1};
}
