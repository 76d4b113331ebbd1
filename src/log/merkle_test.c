/* Trees: vectors of others, every proof of small trees against a plain recursion, names of tiles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "log/merkle.h"
#include "log/text.h"

/* ---- tests/log/vectors/merkle.txt ----------------------------------------------------------- */

/* Theirs of other lengths are filled up with zeros: what is equal stays equal.  What is none equals
 * nothing. */
static struct ld_hash
hash_of_hex(struct ld_span hex)
{
	static uint8_t nothing;
	struct ld_hash hash = {.bytes = {0}};

	if (ld_span_equal(hex, LD_SPAN("-")))
		memset(hash.bytes, ++nothing, sizeof hash.bytes);
	else
		assert_true(ld_text_from_hex(hash.bytes, hex.len / 2, hex));
	return hash;
}

/* Not inlined: GCC 12 makes a length of SIZE_MAX out of it, and warns. */
static __attribute__((noinline)) struct ld_span
word(struct ld_span *rest, uint8_t end)
{
	struct ld_span first = ld_span_first(*rest, ld_span_find(*rest, end));

	*rest = ld_span_from(*rest, first.len + 1);
	return first;
}

static bool
run_vector(struct ld_span line)
{
	struct ld_span name = word(&line, ' '), a_text = word(&line, ' ');
	struct ld_span b_text = word(&line, ' ');
	uint64_t a = strtoull((const char *)a_text.data, NULL, 10);
	uint64_t b = strtoull((const char *)b_text.data, NULL, 10);
	struct ld_hash first = hash_of_hex(word(&line, ' ')),
		       second = hash_of_hex(word(&line, ' '));
	bool good = ld_span_equal(word(&line, ' '), LD_SPAN("good"));
	struct ld_proof proof = {.count = 0};
	int err;

	while (line.len != 0 && line.data[0] != '\n' && !ld_span_equal(line, LD_SPAN("-"))) {
		struct ld_span hex = word(&line, ',');

		/* One that is not whole is refused where proofs are read. */
		if (hex.len != 2 * LD_HASH_BYTES) {
			assert_false(good);
			return good;
		}
		proof.hashes[proof.count++] = hash_of_hex(hex);
	}
	err = ld_span_starts(name, LD_SPAN("inclusion"))
		      ? ld_proof_check_inclusion(&proof, a, b, &first, &second)
		      : ld_proof_check_consistency(&proof, a, b, &first, &second);
	/* Theirs proves nothing of an empty tree; tlog-witness has every tree continue it. */
	if (ld_span_ends(name, LD_SPAN("/size1-is-zero-and-size2-is-not-zero"))) {
		assert_int_equal(err, LINDUNG_OK);
		return good;
	}
	if ((err == LINDUNG_OK) != good)
		fail_msg("%.*s: %s", (int)name.len, (const char *)name.data, lindung_strerror(err));
	return good;
}

static void
test_vectors(void **state)
{
	const char *folder = getenv("LINDUNG_TEST_DATA");
	struct ld_span rest, line;
	char path[4096];
	struct ld_map map;
	size_t count = 0, good = 0;

	(void)state;
	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/merkle.txt", folder);
	assert_int_equal(ld_map_open(&map, path), LINDUNG_OK);
	rest = map.bytes;
	while (ld_text_line(&rest, &line)) {
		if (line.data[0] == '#')
			continue;
		good += run_vector(line);
		count++;
	}
	ld_map_close(&map);
	assert_int_equal(count, 196);
	assert_int_equal(good, 12);
}

/* ---- Against the definition ------------------------------------------------------------------ */

enum { LEAVES = 600 };

static struct ld_hash leaves[LEAVES];

/* RFC 6962, section 2.1, word for word. */
static struct ld_hash
root_of(size_t begin, size_t end)
{
	struct ld_hash root, left, right;
	size_t k = 1;

	if (begin == end) {
		ld_hash_empty(&root);
		return root;
	}
	if (end - begin == 1)
		return leaves[begin];
	while (2 * k < end - begin)
		k *= 2;
	left = root_of(begin, begin + k);
	right = root_of(begin + k, end);
	ld_hash_node(&root, &left, &right);
	return root;
}

static int
tile_of_leaves(void *ctx, const struct ld_tile *tile, struct ld_hash *ret)
{
	size_t each = tile->level == 0 ? 1 : 256, first = tile->number * 256 * each;

	(void)ctx;
	assert_in_range(tile->level, 0, 1);
	assert_in_range(tile->width, 1, LD_TILE_WIDTH);
	for (size_t i = 0; i < tile->width; i++) {
		assert_true(first + (i + 1) * each <= LEAVES);
		ret[i] = root_of(first + i * each, first + (i + 1) * each);
	}
	return LINDUNG_OK;
}

static void
test_every_size(void **state)
{
	const struct ld_tile_source source = {.tile = tile_of_leaves};
	struct ld_tree tree = {.size = 0};

	(void)state;
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t text[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

		ld_hash_leaf(&leaves[i], ld_span(text, 2));
	}
	for (size_t size = 0; size <= LEAVES; size++) {
		struct ld_hash root, expected = root_of(0, size);
		struct ld_tree loaded;

		ld_tree_root_now(&tree, &root);
		assert_memory_equal(root.bytes, expected.bytes, LD_HASH_BYTES);
		assert_int_equal(ld_tree_root(&root, size, &source), LINDUNG_OK);
		assert_memory_equal(root.bytes, expected.bytes, LD_HASH_BYTES);
		assert_int_equal(ld_tree_load(&loaded, size, &source), LINDUNG_OK);
		ld_tree_root_now(&loaded, &root);
		assert_memory_equal(root.bytes, expected.bytes, LD_HASH_BYTES);
		if (size < LEAVES)
			ld_tree_append(&tree, &leaves[size]);
	}
}

/* What a proof does not say, it does not prove. */
static void
spoil(const struct ld_proof *proof, uint64_t a, uint64_t b, const struct ld_hash *first,
      const struct ld_hash *second, bool inclusion)
{
	for (unsigned i = 0; i <= proof->count; i++) {
		struct ld_proof other = *proof;

		if (i == proof->count) {
			other.hashes[other.count++] = *second;
		} else {
			other.hashes[i].bytes[31] ^= 1;
		}
		assert_int_equal(inclusion
					 ? ld_proof_check_inclusion(&other, a, b, first, second)
					 : ld_proof_check_consistency(&other, a, b, first, second),
				 LINDUNG_ESIGNATURE);
	}
}

static void
test_every_proof(void **state)
{
	const struct ld_tile_source source = {.tile = tile_of_leaves};
	const size_t sizes[] = {1, 2, 3, 7, 8, 31, 255, 256, 257, 511, 512, 600};

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct ld_hash root = root_of(0, sizes[s]);
		struct ld_proof proof;

		for (size_t i = 0; i < sizes[s]; i += 1 + sizes[s] / 40) {
			struct ld_hash old = root_of(0, i);

			assert_int_equal(ld_tree_prove_inclusion(&proof, i, sizes[s], &source),
					 LINDUNG_OK);
			assert_int_equal(
				ld_proof_check_inclusion(&proof, i, sizes[s], &leaves[i], &root),
				LINDUNG_OK);
			spoil(&proof, i, sizes[s], &leaves[i], &root, true);
			assert_int_equal(ld_tree_prove_consistency(&proof, i, sizes[s], &source),
					 LINDUNG_OK);
			assert_int_equal(
				ld_proof_check_consistency(&proof, i, sizes[s], &old, &root),
				LINDUNG_OK);
			spoil(&proof, i, sizes[s], &old, &root, false);
		}
		assert_int_equal(ld_tree_prove_inclusion(&proof, sizes[s], sizes[s], &source),
				 LINDUNG_EINVAL);
		assert_int_equal(ld_tree_prove_consistency(&proof, sizes[s] + 1, sizes[s], &source),
				 LINDUNG_EINVAL);
	}
}

/* ---- Tiles ---------------------------------------------------------------------------------- */

static void
test_tile_names(void **state)
{
	static const struct {
		struct ld_tile tile;
		const char *path;
	} good[] = {
		{{0, 0, 256}, "tile/0/000"},
		{{0, 273, 112}, "tile/0/273.p/112"},
		{{2, 0, 1}, "tile/2/000.p/1"},
		{{1, 1234067, 256}, "tile/1/x001/x234/067"},
		{{LD_TILE_ENTRIES, 1000, 255}, "tile/entries/x001/000.p/255"},
		{{7, 0, 127}, "tile/7/000.p/127"},
		{{LD_TILE_ENTRIES, 36028797018963967, 255},
		 "tile/entries/x036/x028/x797/x018/x963/967.p/255"},
	};
	static const char *const bad[] = {
		"",
		"tile",
		"tile/",
		"tile/0",
		"tile/0/",
		"tile/0/0",
		"tile/0/00",
		"tile/0/0000",
		"tile/0/000/",
		"tile/0/x000/001",
		"tile/0/x001",
		"tile/0/x001/",
		"tile/0/x001/x002",
		"tile/0/001/002",
		"tile/8/000",
		"tile/00/000",
		"tile/-1/000",
		"tile/Entries/000",
		"tile/0/000.p",
		"tile/0/000.p/",
		"tile/0/000.p/0",
		"tile/0/000.p/256",
		"tile/0/000.p/01",
		"tile/0/000.p/1/",
		"tile/0/x001.p/000.p/1",
		"tile/0/00a",
		"tile/0/0 0",
		"tile/0/+00",
		"tile/0/../checkpoint",
		"/tile/0/000",
		"tile//000",
		"tile/0/000.p/1x",
		"tile/0/x999/x999/x999/x999/x999/x999/999",
		"tile/0/x036/x028/x797/x018/x963/968",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char path[LD_TILE_PATH_MAX];
		struct ld_tile tile = {.level = 5};

		assert_int_equal(ld_tile_path(&good[i].tile, path), strlen(good[i].path));
		assert_string_equal(path, good[i].path);
		assert_int_equal(ld_tile_parse(&tile, ld_span_str(good[i].path)), LINDUNG_OK);
		assert_int_equal(tile.level, good[i].tile.level);
		assert_int_equal(tile.number, good[i].tile.number);
		assert_int_equal(tile.width, good[i].tile.width);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ld_tile tile;

		if (ld_tile_parse(&tile, ld_span_str(bad[i])) != LINDUNG_ESYNTAX)
			fail_msg("taken: %s", bad[i]);
	}
}

/* The example of tlog-tiles: a tree of 70,000. */
static void
test_tiles_of_a_tree(void **state)
{
	struct ld_tile tile;

	(void)state;
	assert_true(ld_tile_of(&tile, 0, 272, 70000));
	assert_int_equal(tile.width, 256);
	assert_true(ld_tile_of(&tile, 0, 273, 70000));
	assert_int_equal(tile.width, 112);
	assert_false(ld_tile_of(&tile, 0, 274, 70000));
	assert_true(ld_tile_of(&tile, 1, 0, 70000));
	assert_int_equal(tile.width, 256);
	assert_true(ld_tile_of(&tile, 1, 1, 70000));
	assert_int_equal(tile.width, 17);
	assert_true(ld_tile_of(&tile, 2, 0, 70000));
	assert_int_equal(tile.width, 1);
	assert_false(ld_tile_of(&tile, 3, 0, 70000));
	/* No empty tile: 256 leaves are one full, and one hash above. */
	assert_false(ld_tile_of(&tile, 0, 1, 256));
	assert_true(ld_tile_of(&tile, 1, 0, 256));
	assert_int_equal(tile.width, 1);
	assert_false(ld_tile_of(&tile, 0, UINT64_MAX, LD_TREE_SIZE_MAX));
}

static void
test_bundles(void **state)
{
	struct ld_reader reader = ld_reader(LD_SPAN("\0\2ab\0\0\0\1c"));
	struct ld_span entry;

	(void)state;
	assert_true(ld_bundle_next(&reader, &entry));
	assert_true(ld_span_equal(entry, LD_SPAN("ab")));
	assert_true(ld_bundle_next(&reader, &entry));
	assert_int_equal(entry.len, 0);
	assert_true(ld_bundle_next(&reader, &entry));
	assert_false(ld_bundle_next(&reader, &entry));
	assert_false(reader.failed);
	reader = ld_reader(LD_SPAN("\0\2a"));
	assert_false(ld_bundle_next(&reader, &entry));
	assert_true(reader.failed);
	reader = ld_reader(LD_SPAN("\0"));
	assert_false(ld_bundle_next(&reader, &entry));
	assert_true(reader.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),         cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_every_proof),     cmocka_unit_test(test_tile_names),
		cmocka_unit_test(test_tiles_of_a_tree), cmocka_unit_test(test_bundles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
