/* Domain names: text and wire form, limits, order.  Knows libc only (part of liblindung).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Three forms of a name:
 *   wire   RFC 1035 section 3.1: length octet and label, ..., a zero octet.  Any octets, any case.
 *   text   RFC 1035 section 5.1: labels with dots, \. \\ and \DDD escapes.  Any name can be shown.
 *   host   what can be listed: lower-case A-labels of [a-z0-9_] and inner '-', no last dot, the
 *          last label not all digits.  "www.example.com"
 * and one made from a host for storing and ordering:
 *   key    its labels reversed, joined by the octet 0x01: "com\x01example\x01www".  Octet order of
 *          keys is the canonical order of names (RFC 4034 section 6.1), so that a name stands
 *          directly before its subdomains. */
#ifndef LD_NAME_NAME_H
#define LD_NAME_NAME_H

#include <stdbool.h>

#include "base/error.h"
#include "base/span.h"

enum {
	LD_NAME_WIRE_MAX = 255, /* octets, RFC 1035 section 2.3.4, with the zero octet */
	LD_LABEL_MAX = 63,
	LD_NAME_LABELS_MAX = 127,
	LD_NAME_TEXT_MAX = 1016, /* every octet as \DDD, the dots, the NUL, and a little */
	LD_HOST_MAX = 253,
	LD_KEY_SEPARATOR = 0x01,
};

/** A name in wire form. */
struct ld_name {
	uint8_t len;    /* octets used in wire[], with the zero octet: 1 for the root */
	uint8_t labels; /* without the root's */
	uint8_t wire[LD_NAME_WIRE_MAX];
};

/** Read text with its escapes; a last dot is allowed and changes nothing; "." is the root.
 * Errors: LINDUNG_ENAME (empty text, empty label, label or name too long, bad escape). */
int ld_name_from_text(struct ld_name *ret, struct ld_span text);

/** Check and copy an uncompressed wire name at the start of `wire` (more may follow it).
 * Errors: LINDUNG_ENAME (a pointer, a label type of its own, past the end, over 255 octets). */
int ld_name_from_wire(struct ld_name *ret, struct ld_span wire);

/** Write as text, terminated, without the last dot ("." for the root): `text` has
 * LD_NAME_TEXT_MAX bytes.  Returns its length.  Octets that are not printable ASCII become \DDD;
 * . \ " ( ) ; @ $ get a backslash. */
size_t ld_name_to_text(const struct ld_name *name, char *text);

/** ASCII letters to lower case (RFC 4343), in place. */
void ld_name_lower(struct ld_name *name);

/** Equal but for the case of ASCII letters. */
bool ld_name_equal(const struct ld_name *a, const struct ld_name *b);

/** Canonical order, RFC 4034 section 6.1: <0, 0, >0. */
int ld_name_compare(const struct ld_name *a, const struct ld_name *b);

/** `name` is `parent` or below it, whatever the case. */
bool ld_name_is_within(const struct ld_name *name, const struct ld_name *parent);

/** Canonicalise ASCII host text: lower case, one last dot taken off, every rule of "host" above
 * checked.  `host` has LD_HOST_MAX + 1 bytes and is terminated.  A fast path: the readers call it
 * for every line.
 * Errors: LINDUNG_ENOTASCII (an octet past 0x7f: try ld_idna_to_host()), LINDUNG_ENAME,
 * LINDUNG_ELIMIT (label past 63 or name past 253 octets). */
int ld_host_from_text(char *host, size_t *ret_len, struct ld_span text);

/** Labels in host text: dots + 1; 0 for none. */
unsigned ld_host_labels(struct ld_span host);

/** `host` is `parent` or below it (both canonical). */
bool ld_host_is_within(struct ld_span host, struct ld_span parent);

/** The text is an IPv4 address in dotted-quad form or an IPv6 address, as inet_pton() takes them
 * (an IPv6 one may have a %zone behind it). */
bool ld_text_is_address(struct ld_span text);

/** Host text to key; `key` has LD_HOST_MAX bytes.  Returns its length (that of the host). */
size_t ld_host_to_key(uint8_t *key, struct ld_span host);

/** Key to host text, terminated; `host` has LD_HOST_MAX + 1 bytes.  Returns its length. */
size_t ld_key_to_host(char *host, struct ld_span key);

/** Lower-case wire name to key, for judging.  Octets that no host has are kept as they are, but
 * LD_KEY_SEPARATOR inside a label becomes 0x02, so that it cannot pass for a label's end.
 * `key` has LD_HOST_MAX + 1 bytes.  Returns its length; 0 for the root. */
size_t ld_name_to_key(uint8_t *key, const struct ld_name *name);

#endif
