/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/key.h"

#include "name/name.h"

uint64_t
ld_key_hash(struct ld_span key, unsigned *ret_labels)
{
	struct ld_span host = ld_span_first(key, ld_span_find(key, '/'));
	uint8_t label[LD_KEY_MAX + 16];
	uint64_t hash = LD_KEY_HASH_ROOT;
	unsigned labels = 0;
	size_t longest = 0;

	for (size_t at = 0; at < host.len;) {
		struct ld_span rest = ld_span_from(host, at);
		size_t len = ld_span_find(rest, LD_KEY_SEPARATOR);

		memcpy(label, rest.data, len);
		hash = ld_key_hash_label(hash, label, len);
		if (len > longest)
			longest = len;
		labels++;
		at += len + 1;
	}
	explicit_bzero(label, longest);
	*ret_labels = labels;
	return host.len < key.len ? ld_key_hash_path(hash, ld_span_from(key, host.len)) : hash;
}
