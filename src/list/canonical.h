/* Entries as text of which there is one only, and their order (formats/list.md).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     example.com        the domain and its subdomains
 *     =example.com       that name alone
 *     *.example.com      its subdomains alone
 *     example.com/path   URLs of that host
 *
 * For what is signed or hashed: another spelling of the same is refused here; ld_list_read_entry()
 * makes it canonical.  Hosts have two labels at least, and are no addresses. */
#ifndef LD_LIST_CANONICAL_H
#define LD_LIST_CANONICAL_H

#include "base/bytes.h"
#include "list/entry.h"
#include "name/name.h"

enum {
	LD_ENTRY_TEXT_MAX_BYTES = 1023,
	LD_ENTRY_ORDER_MAX_BYTES = LD_HOST_MAX + 2 + LD_ENTRY_TEXT_MAX_BYTES,
};

/** Take canonical text apart.  Scope, host and path are set, the rest is zero; they point into
 * `text`. False: it is not canonical, or too long. */
bool ld_entry_parse(struct ld_entry *ret, struct ld_span text);
/** The same for text that ld_entry_parse() took before: looks at nothing else. */
void ld_entry_split(struct ld_entry *ret, struct ld_span text);
/** Write it as text; canonical if host and path are. */
void ld_entry_write(struct ld_buffer *ret, const struct ld_entry *entry);

/** Octets whose order is the canonical order of entries: by host (RFC 4034 section 6.1); of one
 * host, in the order of the forms above; paths by octets.  Two entries have the same if they are
 * the same.  `key` has LD_ENTRY_ORDER_MAX_BYTES.  Returns its length. */
size_t ld_entry_order(uint8_t *key, const struct ld_entry *entry);

#endif
