/* Any bytes as two wire names, as name text and as host text: what is taken survives the way there
 * and back, and all forms agree with one another.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "name/name.h"

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static void
name_check(const struct ld_name *name)
{
	char text[LD_NAME_TEXT_MAX];
	struct ld_name again;
	size_t len = ld_name_to_text(name, text);

	LD_ASSERT(len < LD_NAME_TEXT_MAX && strlen(text) == len);
	LD_ASSERT(ld_name_from_text(&again, ld_span(text, len)) == LINDUNG_OK);
	LD_ASSERT(again.len == name->len && again.labels == name->labels);
	LD_ASSERT(memcmp(again.wire, name->wire, name->len) == 0);
	ld_name_lower(&again);
	LD_ASSERT(ld_name_equal(name, &again) && ld_name_compare(name, &again) == 0);
	LD_ASSERT(ld_name_is_within(name, &again));
	LD_ASSERT(ld_name_from_wire(&again, ld_span(name->wire, name->len)) == LINDUNG_OK);
	LD_ASSERT(again.len == name->len && again.labels == name->labels);
}

/* Octets 0 and 1 in a label, which no host has, sort otherwise in a key. */
static bool
has_low_octets(const struct ld_name *name)
{
	for (size_t at = 0; name->wire[at] != 0; at += (size_t)name->wire[at] + 1) {
		for (size_t i = 1; i <= name->wire[at]; i++) {
			if (name->wire[at + i] <= LD_KEY_SEPARATOR)
				return true;
		}
	}
	return false;
}

static void
pair_check(struct ld_name *a, struct ld_name *b)
{
	uint8_t key_a[LD_HOST_MAX + 1], key_b[LD_HOST_MAX + 1];
	int order = sign(ld_name_compare(a, b));

	LD_ASSERT(order == -sign(ld_name_compare(b, a)));
	LD_ASSERT((order == 0) == ld_name_equal(a, b));
	LD_ASSERT(!ld_name_is_within(a, b) || order >= 0);
	ld_name_lower(a);
	ld_name_lower(b);
	LD_ASSERT(order == sign(ld_name_compare(a, b)));
	size_t len_a = ld_name_to_key(key_a, a), len_b = ld_name_to_key(key_b, b);
	LD_ASSERT(len_a <= LD_HOST_MAX && len_b <= LD_HOST_MAX);
	if (!has_low_octets(a) && !has_low_octets(b))
		LD_ASSERT(order ==
			  sign(ld_span_compare(ld_span(key_a, len_a), ld_span(key_b, len_b))));
}

static void
host_check(struct ld_span text)
{
	char host[LD_HOST_MAX + 1], again[LD_HOST_MAX + 1];
	uint8_t key[LD_HOST_MAX], name_key[LD_HOST_MAX + 1];
	struct ld_name name;
	size_t len, again_len;

	if (ld_host_from_text(host, &len, text) != LINDUNG_OK)
		return;
	struct ld_span canonical = ld_span(host, len);
	LD_ASSERT(len > 0 && len <= LD_HOST_MAX && strlen(host) == len);
	LD_ASSERT(!ld_text_is_address(text) && !ld_text_is_address(canonical));
	LD_ASSERT(ld_host_from_text(again, &again_len, canonical) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(canonical, ld_span(again, again_len)));
	LD_ASSERT(ld_host_to_key(key, canonical) == len);
	LD_ASSERT(ld_key_to_host(again, ld_span(key, len)) == len);
	LD_ASSERT(ld_span_equal(canonical, ld_span(again, len)));
	LD_ASSERT(ld_name_from_text(&name, text) == LINDUNG_OK);
	ld_name_lower(&name);
	LD_ASSERT(name.labels == ld_host_labels(canonical));
	LD_ASSERT(ld_name_to_key(name_key, &name) == len && memcmp(name_key, key, len) == 0);
	LD_ASSERT(ld_name_to_text(&name, (char[LD_NAME_TEXT_MAX]){0}) == len);
	struct ld_span parent = ld_span_from(canonical, ld_span_find(canonical, '.') + 1);
	LD_ASSERT(ld_host_is_within(canonical, parent));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_span input = ld_span(data, size);
	struct ld_name a, b;

	(void)ld_text_is_address(input);
	if (ld_name_from_text(&a, input) == LINDUNG_OK)
		name_check(&a);
	host_check(input);
	if (ld_name_from_wire(&a, input) != LINDUNG_OK)
		return 0;
	name_check(&a);
	if (ld_name_from_wire(&b, ld_span_from(input, a.len)) == LINDUNG_OK)
		pair_check(&a, &b);
	return 0;
}
