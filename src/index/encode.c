/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/encode.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "index/image.h"

enum {
	TUPLES_CODED_MAX = 2000,
	READ_BYTES = 256 * 1024,
	CODES_MAX = LD_INDEX_KEY_MAX,
};

/* The keys of one block, one behind the other as they were gathered. */
struct keys {
	unsigned count;
	uint32_t prefix; /* octets that all of them share */
	struct ld_span key[LD_INDEX_BLOCK_KEYS];
	uint16_t tuple[LD_INDEX_BLOCK_KEYS];
};

static size_t
shared_octets(struct ld_span a, struct ld_span b)
{
	size_t n = a.len < b.len ? a.len : b.len, i = 0;

	while (i < n && a.data[i] == b.data[i])
		i++;
	return i;
}

/* Cut the keys of a block off `bytes`; returns what is left. */
static struct ld_span
keys_take(struct keys *keys, struct ld_span bytes)
{
	keys->count = 0;
	while (bytes.len != 0 && keys->count < LD_INDEX_BLOCK_KEYS) {
		size_t len = ld_get_le16(bytes.data);

		keys->key[keys->count] = ld_span(bytes.data + LD_GATHERED_HEADER, len);
		keys->tuple[keys->count++] = ld_get_le16(bytes.data + 2);
		bytes = ld_span_from(bytes, LD_GATHERED_HEADER + len);
	}
	keys->prefix = (uint32_t)shared_octets(keys->key[0], keys->key[keys->count - 1]);
	return bytes;
}

/* How a key joins on to the one before it. */
struct join {
	struct ld_span rest; /* what is not shared */
	uint32_t shared;     /* past the block's prefix; of the first key: the prefix */
	bool same_tuple;
};

static struct join
join_of(const struct keys *keys, unsigned i)
{
	if (i == 0)
		return (struct join){.rest = keys->key[0], .shared = keys->prefix};
	/* The second half joins on to the first key of the block, not to the end of the first half.
	 */
	bool half = i == LD_INDEX_HALF_KEYS;
	size_t lcp = shared_octets(keys->key[half ? 0 : i - 1], keys->key[i]);
	return (struct join){.rest = ld_span_from(keys->key[i], lcp),
			     .shared = (uint32_t)lcp - keys->prefix,
			     .same_tuple = !half && keys->tuple[i] == keys->tuple[i - 1]};
}

static unsigned
shape_of(const struct join *join, uint32_t symbols)
{
	uint32_t shared = join->shared < LD_SHAPE_LCP_ESCAPE ? join->shared : LD_SHAPE_LCP_ESCAPE;
	uint32_t count = symbols < LD_SHAPE_COUNT_ESCAPE ? symbols : LD_SHAPE_COUNT_ESCAPE;

	return count << 6 | shared << 1 | join->same_tuple;
}

/* ---- Training ------------------------------------------------------------------------------- */

static int
dictionary_train(struct ld_encoded *e, const struct ld_gathered *g)
{
	struct ld_span samples = ld_buffer_span(&g->samples);
	struct ld_buffer rests;
	struct keys keys;
	int err;

	ld_buffer_init(&rests, SIZE_MAX);
	while (samples.len != 0) {
		samples = keys_take(&keys, samples);
		for (unsigned i = 0; i < keys.count; i++) {
			struct join join = join_of(&keys, i);
			uint8_t *room = ld_buffer_room(&rests, 2 + join.rest.len);

			if (room == NULL)
				break;
			ld_put_le16(room, (uint16_t)join.rest.len);
			memcpy(room + 2, join.rest.data, join.rest.len);
		}
	}
	e->dictionary = malloc(sizeof *e->dictionary);
	err = rests.failed || e->dictionary == NULL
		      ? LINDUNG_ENOMEM
		      : ld_dictionary_train(e->dictionary, g->octets, ld_buffer_span(&rests));
	ld_buffer_free(&rests);
	return err;
}

static int
shapes_train(struct ld_encoded *e, const struct ld_gathered *g)
{
	uint64_t frequencies[LD_SHAPE_SYMBOLS] = {0}, other = 1;
	struct ld_span samples = ld_buffer_span(&g->samples);
	uint16_t codes[CODES_MAX];
	struct keys keys;

	while (samples.len != 0) {
		samples = keys_take(&keys, samples);
		for (unsigned i = 0; i < keys.count; i++) {
			struct join join = join_of(&keys, i);

			frequencies[shape_of(
				&join, ld_dictionary_encode(e->dictionary, join.rest, codes))]++;
		}
	}
	/* What came once may be chance: it costs less in the table of codes to spell it out. */
	for (unsigned i = 0; i < LD_SHAPE_COUNT; i++) {
		if (frequencies[i] == 1) {
			frequencies[i] = 0;
			other++;
		}
	}
	frequencies[LD_SHAPE_OTHER] = other;
	return ld_huffman_lengths(e->shape_lengths, frequencies, LD_SHAPE_SYMBOLS);
}

static int
tuples_train(struct ld_encoded *e, const struct ld_gathered *g)
{
	uint64_t frequencies[TUPLES_CODED_MAX + 1] = {0};

	e->coded_tuples = g->tuple_count < TUPLES_CODED_MAX ? g->tuple_count : TUPLES_CODED_MAX;
	for (uint32_t i = 0; i < g->tuple_count; i++)
		frequencies[i < e->coded_tuples ? i : e->coded_tuples] += g->tuple_changes[i];
	return ld_huffman_lengths(e->tuple_lengths, frequencies, e->coded_tuples + 1);
}

/* ---- Encoding ------------------------------------------------------------------------------- */

/* Bits, least significant first, into a buffer. */
struct bits {
	struct ld_buffer *out;
	uint64_t held;
	unsigned count;
};

static void
bits_put(struct bits *b, uint32_t value, unsigned count)
{
	b->held |= (uint64_t)value << b->count;
	b->count += count;
	if (b->count >= 32) {
		uint8_t *room = ld_buffer_room(b->out, 4);

		if (room != NULL)
			ld_put_le32(room, (uint32_t)b->held);
		b->held >>= 32;
		b->count -= 32;
	}
}

static void
bits_flush(struct bits *b)
{
	while (b->count > 0) {
		uint8_t *room = ld_buffer_room(b->out, 1);

		if (room != NULL)
			*room = (uint8_t)b->held;
		b->held >>= 8;
		b->count = b->count > 8 ? b->count - 8 : 0;
	}
	b->held = 0;
}

struct encoder {
	struct ld_encoded *e;
	const struct ld_gathered *g;
	uint16_t shape_codes[LD_SHAPE_SYMBOLS];
	uint16_t tuple_codes[TUPLES_CODED_MAX + 1];
	uint16_t codes[LD_INDEX_HALF_KEYS * CODES_MAX]; /* of the half block at hand */
	/* this thread's share */
	size_t mark_from, mark_to;
	struct ld_buffer *out;
	int error;
	pthread_t thread;
};

static void
shape_put(const struct encoder *c, struct bits *b, const struct join *join, uint32_t symbols)
{
	unsigned shape = shape_of(join, symbols);

	if (c->e->shape_lengths[shape] != 0) {
		bits_put(b, c->shape_codes[shape], c->e->shape_lengths[shape]);
	} else {
		bits_put(b, c->shape_codes[LD_SHAPE_OTHER], c->e->shape_lengths[LD_SHAPE_OTHER]);
		bits_put(b, shape, 10);
	}
	if (join->shared >= LD_SHAPE_LCP_ESCAPE)
		bits_put(b, join->shared, 12);
	if (symbols >= LD_SHAPE_COUNT_ESCAPE)
		bits_put(b, symbols, 12);
}

static void
tuple_put(const struct encoder *c, struct bits *b, uint16_t gathered)
{
	uint32_t tuple = c->g->tuple_final[gathered], coded = c->e->coded_tuples;

	if (tuple < coded) {
		bits_put(b, c->tuple_codes[tuple], c->e->tuple_lengths[tuple]);
	} else {
		bits_put(b, c->tuple_codes[coded], c->e->tuple_lengths[coded]);
		bits_put(b, tuple, 16);
	}
}

/* Symbols stand from the end of the block backwards: the last one first. */
static void
symbols_put(struct bits *b, const uint16_t *codes, uint32_t count)
{
	while (count > 0)
		bits_put(b, codes[--count], LD_INDEX_CODE_BITS);
}

static void
half_encode(struct encoder *c, const struct keys *keys, unsigned from, unsigned to)
{
	struct bits bits = {.out = c->out};
	size_t start = c->out->len;
	uint64_t shape_bits;
	uint32_t count = 0;

	for (unsigned i = from; i < to; i++) {
		struct join join = join_of(keys, i);
		uint32_t symbols =
			ld_dictionary_encode(c->e->dictionary, join.rest, c->codes + count);

		shape_put(c, &bits, &join, symbols);
		if (!join.same_tuple)
			tuple_put(c, &bits, keys->tuple[i]);
		count += symbols;
	}
	/* Fill up to a whole octet between the two strings, so that the second ends with one. */
	shape_bits = (c->out->len - start) * 8 + bits.count;
	bits_put(&bits, 0, (8 - (shape_bits + (uint64_t)count * LD_INDEX_CODE_BITS) % 8) % 8);
	symbols_put(&bits, c->codes, count);
	bits_flush(&bits);
}

static int
block_encode(struct encoder *c, const struct keys *keys, uint32_t block)
{
	unsigned half = keys->count < LD_INDEX_HALF_KEYS ? keys->count : LD_INDEX_HALF_KEYS;
	size_t start = c->out->len;

	/* The first half's length goes before it: one octet, made room for four if it is long. */
	ld_buffer_room(c->out, 1);
	half_encode(c, keys, 0, half);
	size_t len = c->out->len - start - 1;
	if (len >= 255 && ld_buffer_room(c->out, 3) != NULL) {
		memmove(c->out->data + start + 4, c->out->data + start + 1, len);
		ld_put_le32(c->out->data + start, (uint32_t)len << 8 | 255);
	} else if (!c->out->failed) {
		c->out->data[start] = (uint8_t)len;
	}
	if (half < keys->count)
		half_encode(c, keys, half, keys->count);
	c->e->block_bytes[block] = (uint32_t)(c->out->len - start);
	return c->out->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

/* Read from the scratch file until `len` octets are there. */
static int
scratch_read(int fd, uint8_t *data, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pread(fd, data, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return LINDUNG_EIO;
		data += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return LINDUNG_OK;
}

/* The blocks between two marks: some hundred kilobytes at once. */
static int
mark_encode(struct encoder *c, size_t mark)
{
	const struct ld_gathered *g = c->g;
	uint64_t end = mark + 1 < g->mark_count ? g->marks[mark + 1] : g->len;
	size_t len = (size_t)(end - g->marks[mark]);
	uint8_t *memory = malloc(len);
	uint32_t block = (uint32_t)(mark * LD_GATHER_MARK_BLOCKS);
	struct keys keys;
	int err =
		memory != NULL ? scratch_read(g->fd, memory, len, g->marks[mark]) : LINDUNG_ENOMEM;

	if (err == LINDUNG_OK) {
		struct ld_span bytes = ld_span(memory, len);

		while (bytes.len != 0 && err == LINDUNG_OK) {
			bytes = keys_take(&keys, bytes);
			err = block_encode(c, &keys, block++);
		}
	}
	free(memory);
	return err;
}

static void *
encoder_run(void *argument)
{
	struct encoder *c = argument;

	for (size_t mark = c->mark_from; mark < c->mark_to && c->error == LINDUNG_OK; mark++)
		c->error = mark_encode(c, mark);
	return NULL;
}

static int
blocks_encode(struct ld_encoded *e, const struct ld_gathered *g, unsigned threads)
{
	struct encoder *encoders;
	int err = LINDUNG_OK;

	if (threads > LD_ENCODE_THREADS_MAX)
		threads = LD_ENCODE_THREADS_MAX;
	if (threads > g->mark_count)
		threads = g->mark_count != 0 ? (unsigned)g->mark_count : 1;
	encoders = calloc(threads, sizeof *encoders);
	if (encoders == NULL)
		return LINDUNG_ENOMEM;
	e->buffer_count = threads;
	for (unsigned i = 0; i < threads; i++) {
		struct encoder *c = &encoders[i];

		*c = (struct encoder){.e = e,
				      .g = g,
				      .mark_from = g->mark_count * i / threads,
				      .mark_to = g->mark_count * (i + 1) / threads,
				      .out = &e->blocks[i]};
		ld_buffer_init(c->out, SIZE_MAX);
		ld_huffman_codes(c->shape_codes, e->shape_lengths, LD_SHAPE_SYMBOLS);
		ld_huffman_codes(c->tuple_codes, e->tuple_lengths, e->coded_tuples + 1);
		/* The last share is this thread's; so is any that no thread can be had for. */
		if (i + 1 == threads || pthread_create(&c->thread, NULL, encoder_run, c) != 0) {
			c->thread = pthread_self();
			encoder_run(c);
		}
	}
	for (unsigned i = 0; i < threads; i++) {
		if (!pthread_equal(encoders[i].thread, pthread_self()))
			pthread_join(encoders[i].thread, NULL);
		if (encoders[i].error != LINDUNG_OK)
			err = encoders[i].error;
	}
	free(encoders);
	return err;
}

int
ld_encode(struct ld_encoded *ret, const struct ld_gathered *g, unsigned threads)
{
	struct ld_encoded e = {0};
	int err;

	e.block_count = (uint32_t)((g->key_count + LD_INDEX_BLOCK_KEYS - 1) / LD_INDEX_BLOCK_KEYS);
	e.block_bytes = calloc(e.block_count + 1u, sizeof *e.block_bytes);
	err = e.block_bytes != NULL ? dictionary_train(&e, g) : LINDUNG_ENOMEM;
	if (err == LINDUNG_OK)
		err = shapes_train(&e, g);
	if (err == LINDUNG_OK)
		err = tuples_train(&e, g);
	if (err == LINDUNG_OK)
		err = blocks_encode(&e, g, threads);
	if (err != LINDUNG_OK) {
		ld_encoded_free(&e);
		return err;
	}
	*ret = e;
	return LINDUNG_OK;
}

void
ld_encoded_free(struct ld_encoded *e)
{
	for (unsigned i = 0; i < e->buffer_count; i++)
		ld_buffer_free(&e->blocks[i]);
	free(e->dictionary);
	free(e->block_bytes);
	*e = (struct ld_encoded){0};
}
