/* URLs: canonical form and the expressions under which one may be listed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Canonical form as the Safe Browsing API defines it ("URLs and Hashing"): tab, CR and LF taken
 * out; fragment dropped; percent-decoded until nothing changes; host: leading, trailing and double
 * dots, odd IPv4 spellings (octal, hex, one number) resolved, lower case; path: "/../" and "/./"
 * resolved, runs of slashes made one; user, password and port dropped; at last everything at or
 * below 0x20, at or past 0x7f, '#' and '%' percent-escaped again, upper-case hex.
 *
 * Beyond that page: an IPv6 address is written as inet_ntop() does, and one that stands for an IPv4
 * address (::ffff:0:0/96, 64:ff9b::/96) becomes that; a host whose last label is a number, but
 * which is no address, is an error, as is every host that is neither host text nor address.
 *
 * Libc only (part of liblindung): a host that is not ASCII is an error of its own. */
#ifndef LD_NAME_URL_H
#define LD_NAME_URL_H

#include "name/name.h"

enum {
	LD_URL_MAX = 8192,       /* octets of a URL that is looked at */
	LD_URL_PATHS_MAX = 34,   /* path expressions of one URL */
	LD_URL_SEGMENTS_MAX = 15 /* directories of a path that get expressions */
};

struct ld_url {
	char host[LD_HOST_MAX + 1]; /* canonical; may be an IPv4 or [IPv6] address */
	size_t host_len;
	bool host_is_address;
	char text[3 * LD_URL_MAX + 1]; /* path, then '?' and the query if there is one */
	size_t path_len;               /* the path alone: begins with '/' */
	size_t text_len;               /* with the query */
};

/** Canonicalise.  With or without "scheme://" (and schemes other than http, https and ftp are
 * taken alike).  Errors: LINDUNG_EURL, LINDUNG_ENOTASCII (of the host), LINDUNG_ELIMIT. */
int ld_url_canonical(struct ld_url *ret, struct ld_span url);

/** The paths under which this URL may be listed, longest first, as lengths into `url->text`: with
 * the query, without it, without its last slash, each of the first LD_URL_SEGMENTS_MAX directories
 * above it with and without its last slash, down to "/".
 * The empty path (the host alone) is not among them.  Returns how many. */
unsigned ld_url_paths(const struct ld_url *url, size_t lens[LD_URL_PATHS_MAX]);

#endif
