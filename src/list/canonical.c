/* SPDX-License-Identifier: BSD-2-Clause */
#include "list/canonical.h"

#include "name/url.h"

void
ld_entry_split(struct ld_entry *ret, struct ld_span text)
{
	struct ld_entry entry = {.scope = LD_SCOPE_TREE};
	size_t slash = ld_span_find(text, '/');

	entry.host = ld_span_first(text, slash);
	if (slash != text.len) {
		entry.scope = LD_SCOPE_URL;
		entry.path = ld_span_from(text, slash);
	} else if (ld_span_starts(text, LD_SPAN("="))) {
		entry.scope = LD_SCOPE_SELF;
		entry.host = ld_span_from(text, 1);
	} else if (ld_span_starts(text, LD_SPAN("*."))) {
		entry.scope = LD_SCOPE_BELOW;
		entry.host = ld_span_from(text, 2);
	}
	*ret = entry;
}

/* Host and path are what they become when they are made canonical. */
static bool
url_is_canonical(struct ld_span text, const struct ld_entry *entry)
{
	struct ld_url url;

	return ld_url_canonical(&url, text) == LINDUNG_OK &&
	       ld_span_equal(ld_span(url.host, url.host_len), entry->host) &&
	       ld_span_equal(ld_span(url.text, url.text_len), entry->path);
}

bool
ld_entry_parse(struct ld_entry *ret, struct ld_span text)
{
	struct ld_entry entry;
	char host[LD_HOST_MAX + 1];
	size_t len;

	if (text.len > LD_ENTRY_TEXT_MAX_BYTES)
		return false;
	ld_entry_split(&entry, text);
	if (ld_host_from_text(host, &len, entry.host) != LINDUNG_OK ||
	    !ld_span_equal(ld_span(host, len), entry.host) ||
	    ld_span_find(entry.host, '.') == entry.host.len)
		return false;
	if (entry.scope == LD_SCOPE_URL && !url_is_canonical(text, &entry))
		return false;
	*ret = entry;
	return true;
}

void
ld_entry_write(struct ld_buffer *ret, const struct ld_entry *entry)
{
	if (entry->scope == LD_SCOPE_SELF)
		ld_buffer_bytes(ret, LD_SPAN("="));
	else if (entry->scope == LD_SCOPE_BELOW)
		ld_buffer_bytes(ret, LD_SPAN("*."));
	ld_buffer_bytes(ret, entry->host);
	ld_buffer_bytes(ret, entry->path);
}

size_t
ld_entry_order(uint8_t *key, const struct ld_entry *entry)
{
	static const uint8_t ranks[] = {
		[LD_SCOPE_TREE] = 1, [LD_SCOPE_SELF] = 2, [LD_SCOPE_BELOW] = 3, [LD_SCOPE_URL] = 4};
	size_t len = ld_host_to_key(key, entry->host);

	/* No host has this octet, and it is less than what parts labels: all of a host stands
	 * before what is below it. */
	key[len++] = 0;
	key[len++] = ranks[entry->scope];
	if (entry->path.len != 0)
		memcpy(key + len, entry->path.data, entry->path.len);
	return len + entry->path.len;
}
