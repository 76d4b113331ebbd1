/* SPDX-License-Identifier: BSD-2-Clause */
#include "quorum/popular.h"

#include <stdlib.h>

#include "list/entry.h"
#include "name/name.h"
#include "quorum/policy.h"

static struct ld_span
key_span(const uint8_t *key)
{
	return ld_span(key + 1, key[0]);
}

static int
key_order(const void *a, const void *b)
{
	const uint8_t *const *x = a, *const *y = b;

	return ld_span_compare(key_span(*x), key_span(*y));
}

static int
key_add(struct ld_popular *popular, struct ld_span host)
{
	uint8_t *key;

	if (popular->count == popular->size) {
		size_t size = popular->size * 2 + 256;
		uint8_t **keys = reallocarray(popular->keys, size, sizeof *keys);

		if (keys == NULL)
			return LINDUNG_ENOMEM;
		popular->keys = keys;
		popular->size = size;
	}
	key = malloc(1 + LD_HOST_MAX);
	if (key == NULL)
		return LINDUNG_ENOMEM;
	key[0] = (uint8_t)ld_host_to_key(key + 1, host);
	popular->keys[popular->count++] = key;
	return LINDUNG_OK;
}

static void
sort_once(struct ld_popular *popular)
{
	size_t kept = 0;

	if (popular->count == 0)
		return;
	qsort(popular->keys, popular->count, sizeof *popular->keys, key_order);
	for (size_t i = 1; i < popular->count; i++) {
		if (key_order(&popular->keys[kept], &popular->keys[i]) == 0)
			free(popular->keys[i]);
		else
			popular->keys[++kept] = popular->keys[i];
	}
	popular->count = kept + 1;
}

int
ld_popular_read(struct ld_popular *popular, struct ld_span text, const char *name,
		struct ld_report *report)
{
	for (unsigned number = 1; text.len > 0; number++) {
		size_t end = ld_span_find(text, '\n');
		struct ld_span line = ld_span_first(text, end);
		char host[LD_HOST_MAX + 1];
		size_t len;
		int err;

		text = ld_span_from(text, end + 1);
		line = ld_span_trim(ld_span_first(line, ld_span_find(line, '#')));
		if (line.len == 0)
			continue;
		if (ld_host_from_text(host, &len, line) != LINDUNG_OK)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "%s:%u: \"%.*s\" is not a domain name", name, number,
				       (int)(line.len < 64 ? line.len : 64), line.data);
		if (popular->count >= LD_POLICY_POPULAR_MAX)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "%s:%u: more than %d well-known names", name, number,
				       (int)LD_POLICY_POPULAR_MAX);
		err = key_add(popular, ld_span(host, len));
		if (err != LINDUNG_OK)
			return ld_fail(report, err, "%s: not enough memory", name);
	}
	sort_once(popular);
	return LINDUNG_OK;
}

void
ld_popular_clear(struct ld_popular *popular)
{
	for (size_t i = 0; i < popular->count; i++)
		free(popular->keys[i]);
	free(popular->keys);
	*popular = (struct ld_popular){0};
}

/* The first that is not before `key`. */
static size_t
lower_bound(const struct ld_popular *popular, struct ld_span key)
{
	size_t low = 0, high = popular->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ld_span_compare(key_span(popular->keys[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_there(const struct ld_popular *popular, struct ld_span key)
{
	size_t at = lower_bound(popular, key);

	return at < popular->count && ld_span_equal(key_span(popular->keys[at]), key);
}

/* The key sorts directly before those below it. */
static bool
is_one_below(const struct ld_popular *popular, struct ld_span key)
{
	size_t at = lower_bound(popular, key);

	if (at < popular->count && ld_span_equal(key_span(popular->keys[at]), key))
		at++;
	if (at == popular->count)
		return false;
	struct ld_span next = key_span(popular->keys[at]);
	return next.len > key.len && ld_span_starts(next, key) &&
	       next.data[key.len] == LD_KEY_SEPARATOR;
}

bool
ld_popular_has(const struct ld_popular *popular, struct ld_span key, uint8_t scope)
{
	static const struct ld_span fronts[] = {LD_SPAN("\x01www"), LD_SPAN("\x01m")};

	if (scope == LD_SCOPE_URL || popular->count == 0)
		return false;
	if (is_there(popular, key) || ((scope & LD_SCOPE_BELOW) != 0 && is_one_below(popular, key)))
		return true;
	for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++)
		if (ld_span_ends(key, fronts[i]) &&
		    is_there(popular, ld_span_first(key, key.len - fronts[i].len)))
			return true;
	return false;
}
