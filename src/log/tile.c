/* Names of tiles, and entries of a bundle.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "log/merkle.h"
#include "log/text.h"

size_t
ld_tile_path(const struct ld_tile *tile, char *path)
{
	uint64_t number = tile->number, unit = 1;
	size_t len;

	while (number / unit >= 1000)
		unit *= 1000;
	if (tile->level == LD_TILE_ENTRIES)
		len = (size_t)snprintf(path, LD_TILE_PATH_MAX, "tile/entries");
	else
		len = (size_t)snprintf(path, LD_TILE_PATH_MAX, "tile/%d", tile->level);
	for (; unit != 0; unit /= 1000)
		len += (size_t)snprintf(path + len, LD_TILE_PATH_MAX - len, "/%s%03u",
					unit > 1 ? "x" : "", (unsigned)(number / unit % 1000));
	if (tile->width < LD_TILE_WIDTH)
		len += (size_t)snprintf(path + len, LD_TILE_PATH_MAX - len, ".p/%u", tile->width);
	return len;
}

/* The next part of a path, up to a '/' or the end. */
static struct ld_span
part(struct ld_span *rest)
{
	struct ld_span first = ld_span_first(*rest, ld_span_find(*rest, '/'));

	*rest = ld_span_from(*rest, first.len + 1);
	return first;
}

int
ld_tile_parse(struct ld_tile *ret, struct ld_span path)
{
	struct ld_tile tile = {.width = LD_TILE_WIDTH};
	struct ld_span rest = path, level;
	char again[LD_TILE_PATH_MAX];
	uint64_t n;
	bool more = true, partial = false;

	if (path.len >= LD_TILE_PATH_MAX || !ld_span_equal(part(&rest), LD_SPAN("tile")))
		return LINDUNG_ESYNTAX;
	level = part(&rest);
	if (ld_span_equal(level, LD_SPAN("entries")))
		tile.level = LD_TILE_ENTRIES;
	else if (ld_text_number(&n, level) && n < LD_TILE_LEVELS_MAX)
		tile.level = (int)n;
	else
		return LINDUNG_ESYNTAX;
	while (more) {
		struct ld_span group = part(&rest);

		more = group.len != 0 && group.data[0] == 'x';
		if (more)
			group = ld_span_from(group, 1);
		partial = !more && ld_span_ends(group, LD_SPAN(".p"));
		if (partial)
			group.len -= 2;
		if (group.len != 3 || tile.number > LD_TREE_SIZE_MAX / 1000)
			return LINDUNG_ESYNTAX;
		for (size_t i = 0; i < 3; i++)
			tile.number = tile.number * 10 + (unsigned)(group.data[i] - '0');
	}
	if (partial) {
		if (!ld_text_number(&n, part(&rest)) || n == 0 || n >= LD_TILE_WIDTH)
			return LINDUNG_ESYNTAX;
		tile.width = (unsigned)n;
	}
	/* What is not exactly what we would write (other octets than digits, groups of zeros,
	 * something behind it) comes out here. */
	if (tile.number > LD_TREE_SIZE_MAX / LD_TILE_WIDTH ||
	    !ld_span_equal(ld_span(again, ld_tile_path(&tile, again)), path))
		return LINDUNG_ESYNTAX;
	*ret = tile;
	return LINDUNG_OK;
}

uint64_t
ld_tile_count(int level, uint64_t size)
{
	unsigned shift = level == LD_TILE_ENTRIES ? 0 : 8 * (unsigned)level;

	return shift > 63 ? 0 : size >> shift;
}

bool
ld_tile_of(struct ld_tile *ret, int level, uint64_t number, uint64_t size)
{
	uint64_t count = ld_tile_count(level, size), first;

	if (number > LD_TREE_SIZE_MAX / LD_TILE_WIDTH || number * LD_TILE_WIDTH >= count)
		return false;
	first = number * LD_TILE_WIDTH;
	*ret = (struct ld_tile){
		.level = level,
		.number = number,
		.width = count - first < LD_TILE_WIDTH ? (unsigned)(count - first) : LD_TILE_WIDTH,
	};
	return true;
}

bool
ld_bundle_next(struct ld_reader *bundle, struct ld_span *ret_entry)
{
	size_t len;
	struct ld_span entry;

	if (ld_reader_left(bundle) == 0)
		return false;
	len = ld_reader_be16(bundle);
	entry = ld_reader_take(bundle, len);
	if (bundle->failed)
		return false;
	*ret_entry = entry;
	return true;
}
