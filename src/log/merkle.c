/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/merkle.h"

#include <sodium.h>

/* Hash of `prefix` and two pieces. */
static void
hash_pieces(struct ld_hash *ret, const uint8_t *prefix, struct ld_span a, struct ld_span b)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	if (prefix != NULL)
		crypto_hash_sha256_update(&state, prefix, 1);
	if (a.len != 0)
		crypto_hash_sha256_update(&state, a.data, a.len);
	if (b.len != 0)
		crypto_hash_sha256_update(&state, b.data, b.len);
	crypto_hash_sha256_final(&state, ret->bytes);
}

void
ld_hash_leaf(struct ld_hash *ret, struct ld_span entry)
{
	static const uint8_t leaf = 0;

	hash_pieces(ret, &leaf, entry, (struct ld_span){NULL, 0});
}

void
ld_hash_node(struct ld_hash *ret, const struct ld_hash *left, const struct ld_hash *right)
{
	static const uint8_t node = 1;

	hash_pieces(ret, &node, ld_span(left->bytes, LD_HASH_BYTES),
		    ld_span(right->bytes, LD_HASH_BYTES));
}

void
ld_hash_of(struct ld_hash *ret, struct ld_span bytes)
{
	hash_pieces(ret, NULL, bytes, (struct ld_span){NULL, 0});
}

void
ld_hash_empty(struct ld_hash *ret)
{
	ld_hash_of(ret, (struct ld_span){NULL, 0});
}

bool
ld_hash_equal(const struct ld_hash *a, const struct ld_hash *b)
{
	return memcmp(a->bytes, b->bytes, LD_HASH_BYTES) == 0;
}

/* ---- Proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2 ------------------------------------------ */

int
ld_proof_check_inclusion(const struct ld_proof *proof, uint64_t index, uint64_t size,
			 const struct ld_hash *leaf, const struct ld_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct ld_hash r = *leaf;

	if (index >= size || proof->count > LD_PROOF_HASHES_MAX)
		return LINDUNG_ESIGNATURE;
	for (unsigned i = 0; i < proof->count; i++) {
		const struct ld_hash *p = &proof->hashes[i];

		if (sn == 0)
			return LINDUNG_ESIGNATURE;
		if ((fn & 1) != 0 || fn == sn) {
			ld_hash_node(&r, p, &r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ld_hash_node(&r, &r, p);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && ld_hash_equal(&r, root) ? LINDUNG_OK : LINDUNG_ESIGNATURE;
}

/* Both sizes above 0 and different. */
static int
check_growth(const struct ld_proof *proof, uint64_t old_size, uint64_t new_size,
	     const struct ld_hash *old_root, const struct ld_hash *new_root)
{
	uint64_t fn = old_size - 1, sn = new_size - 1;
	struct ld_hash fr, sr;
	unsigned i = 0;

	if (proof->count == 0 || proof->count > LD_PROOF_HASHES_MAX)
		return LINDUNG_ESIGNATURE;
	/* A full old tree is the first hash itself, and is left out. */
	if ((old_size & (old_size - 1)) == 0)
		fr = *old_root;
	else
		fr = proof->hashes[i++];
	sr = fr;
	while ((fn & 1) != 0) {
		fn >>= 1;
		sn >>= 1;
	}
	for (; i < proof->count; i++) {
		const struct ld_hash *c = &proof->hashes[i];

		if (sn == 0)
			return LINDUNG_ESIGNATURE;
		if ((fn & 1) != 0 || fn == sn) {
			ld_hash_node(&fr, c, &fr);
			ld_hash_node(&sr, c, &sr);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ld_hash_node(&sr, &sr, c);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && ld_hash_equal(&fr, old_root) && ld_hash_equal(&sr, new_root)
		       ? LINDUNG_OK
		       : LINDUNG_ESIGNATURE;
}

int
ld_proof_check_consistency(const struct ld_proof *proof, uint64_t old_size, uint64_t new_size,
			   const struct ld_hash *old_root, const struct ld_hash *new_root)
{
	struct ld_hash empty;

	if (old_size > new_size)
		return LINDUNG_ESIGNATURE;
	ld_hash_empty(&empty);
	if (old_size == 0 && !ld_hash_equal(old_root, &empty))
		return LINDUNG_ESIGNATURE;
	if (old_size == new_size)
		return proof->count == 0 && ld_hash_equal(old_root, new_root) ? LINDUNG_OK
									      : LINDUNG_ESIGNATURE;
	/* Every tree continues the empty one (tlog-witness). */
	if (old_size == 0)
		return proof->count == 0 ? LINDUNG_OK : LINDUNG_ESIGNATURE;
	return check_growth(proof, old_size, new_size, old_root, new_root);
}

/* ---- A tree read from tiles ------------------------------------------------------------------ */

enum { TILE_HEIGHT = 8 };

/* The root of the full subtree of 2^level leaves, the index-th of them, in a tree of `size`. */
static int
subtree(struct ld_hash *ret, unsigned level, uint64_t index, uint64_t size,
	const struct ld_tile_source *source)
{
	unsigned tile_level = level / TILE_HEIGHT, within = level % TILE_HEIGHT;
	uint64_t first = index << within, all = size >> (TILE_HEIGHT * tile_level);
	struct ld_tile tile = {.level = (int)tile_level, .number = first / LD_TILE_WIDTH};
	struct ld_hash hashes[LD_TILE_WIDTH], *at = hashes + first % LD_TILE_WIDTH;
	uint64_t left = all - tile.number * LD_TILE_WIDTH;
	int err;

	tile.width = left < LD_TILE_WIDTH ? (unsigned)left : LD_TILE_WIDTH;
	err = source->tile(source->ctx, &tile, hashes);
	if (err != LINDUNG_OK)
		return err;
	for (unsigned n = 1U << within; n > 1; n /= 2) {
		for (unsigned i = 0; i < n / 2; i++)
			ld_hash_node(&at[i], &at[2 * i], &at[2 * i + 1]);
	}
	*ret = *at;
	return LINDUNG_OK;
}

static unsigned
bit_length(uint64_t n)
{
	return n == 0 ? 0 : 64 - (unsigned)__builtin_clzll(n);
}

/* The root of leaves [begin, end), in a tree of `size`: `begin` is a multiple of the largest power
 * of two that is not above their number. */
static int
range(struct ld_hash *ret, uint64_t begin, uint64_t end, uint64_t size,
      const struct ld_tile_source *source)
{
	struct ld_hash parts[64];
	unsigned count = 0;

	while (begin < end) {
		unsigned level = bit_length(end - begin) - 1;
		int err = subtree(&parts[count], level, begin >> level, size, source);

		if (err != LINDUNG_OK)
			return err;
		count++;
		begin += UINT64_C(1) << level;
	}
	while (count > 1) {
		ld_hash_node(&parts[count - 2], &parts[count - 2], &parts[count - 1]);
		count--;
	}
	*ret = parts[0];
	return LINDUNG_OK;
}

int
ld_tree_root(struct ld_hash *ret, uint64_t size, const struct ld_tile_source *source)
{
	if (size > LD_TREE_SIZE_MAX)
		return LINDUNG_EINVAL;
	if (size == 0) {
		ld_hash_empty(ret);
		return LINDUNG_OK;
	}
	return range(ret, 0, size, size, source);
}

/* The largest power of two below n; n is 2 or more. */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (bit_length(n - 1) - 1);
}

static void
reverse(struct ld_proof *proof)
{
	for (unsigned i = 0, j = proof->count; i + 1 < j; i++) {
		struct ld_hash hash = proof->hashes[i];

		proof->hashes[i] = proof->hashes[--j];
		proof->hashes[j] = hash;
	}
}

/* The other half, where one half of [begin, end) was gone into. */
static int
sibling(struct ld_proof *proof, uint64_t begin, uint64_t end, uint64_t size,
	const struct ld_tile_source *source)
{
	int err = range(&proof->hashes[proof->count], begin, end, size, source);

	if (err == LINDUNG_OK)
		proof->count++;
	return err;
}

int
ld_tree_prove_inclusion(struct ld_proof *ret, uint64_t index, uint64_t size,
			const struct ld_tile_source *source)
{
	struct ld_proof proof = {.count = 0};
	uint64_t begin = 0, end = size;

	if (size > LD_TREE_SIZE_MAX || index >= size)
		return LINDUNG_EINVAL;
	while (end - begin > 1) {
		uint64_t middle = begin + split(end - begin);
		int err;

		if (index < middle) {
			err = sibling(&proof, middle, end, size, source);
			end = middle;
		} else {
			err = sibling(&proof, begin, middle, size, source);
			begin = middle;
		}
		if (err != LINDUNG_OK)
			return err;
	}
	reverse(&proof);
	*ret = proof;
	return LINDUNG_OK;
}

int
ld_tree_prove_consistency(struct ld_proof *ret, uint64_t old_size, uint64_t new_size,
			  const struct ld_tile_source *source)
{
	struct ld_proof proof = {.count = 0};
	uint64_t begin = 0, end = new_size;
	bool whole = true; /* what is left of the old tree begins at 0: the verifier knows it */
	int err = LINDUNG_OK;

	if (new_size > LD_TREE_SIZE_MAX || old_size > new_size)
		return LINDUNG_EINVAL;
	if (old_size == 0 || old_size == new_size) {
		*ret = proof;
		return LINDUNG_OK;
	}
	while (end != old_size && err == LINDUNG_OK) {
		uint64_t middle = begin + split(end - begin);

		if (old_size <= middle) {
			err = sibling(&proof, middle, end, new_size, source);
			end = middle;
		} else {
			err = sibling(&proof, begin, middle, new_size, source);
			begin = middle;
			whole = false;
		}
	}
	if (err == LINDUNG_OK && !whole)
		err = sibling(&proof, begin, end, new_size, source);
	if (err != LINDUNG_OK)
		return err;
	reverse(&proof);
	*ret = proof;
	return LINDUNG_OK;
}

/* ---- A tree that grows ----------------------------------------------------------------------- */

void
ld_tree_append(struct ld_tree *tree, const struct ld_hash *leaf)
{
	struct ld_hash hash = *leaf;
	unsigned level = 0;

	LD_ASSERT(tree->size < LD_TREE_SIZE_MAX);
	while ((tree->size >> level & 1) != 0) {
		ld_hash_node(&hash, &tree->edge[level], &hash);
		level++;
	}
	tree->edge[level] = hash;
	tree->size++;
}

void
ld_tree_root_now(const struct ld_tree *tree, struct ld_hash *ret)
{
	struct ld_hash root;
	bool begun = false;

	if (tree->size == 0) {
		ld_hash_empty(ret);
		return;
	}
	for (unsigned level = 0; level < 63; level++) {
		if ((tree->size >> level & 1) == 0)
			continue;
		if (begun)
			ld_hash_node(&root, &tree->edge[level], &root);
		else
			root = tree->edge[level];
		begun = true;
	}
	*ret = root;
}

int
ld_tree_load(struct ld_tree *ret, uint64_t size, const struct ld_tile_source *source)
{
	struct ld_tree tree = {.size = size};
	uint64_t begin = 0;

	if (size > LD_TREE_SIZE_MAX)
		return LINDUNG_EINVAL;
	for (unsigned level = 63; level-- > 0;) {
		int err;

		if ((size >> level & 1) == 0)
			continue;
		err = subtree(&tree.edge[level], level, begin >> level, size, source);
		if (err != LINDUNG_OK)
			return err;
		begin += UINT64_C(1) << level;
	}
	*ret = tree;
	return LINDUNG_OK;
}
