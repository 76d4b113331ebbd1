/* The head of an HTTP/1.1 request, read strictly (RFC 9110, RFC 9112).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What two programs on the way could read differently is refused, not mended: bare CR or LF, folded
 * lines, blanks before a colon, two lengths, a length and a coding.  A body comes with its length;
 * no coding is taken.  Pure; spans point into the head. */
#ifndef LD_NET_WEB_REQUEST_H
#define LD_NET_WEB_REQUEST_H

#include "base/span.h"

enum {
	LD_WEB_HEAD_MAX_BYTES = 8192,
	LD_WEB_HEADERS_MAX = 64,
	LD_WEB_PATH_MAX = 1024, /* octets, with the query */
	LD_WEB_TAG_MAX = 96,    /* of an ETag of ours, with quotes and NUL */
};

enum ld_web_method { LD_WEB_GET, LD_WEB_HEAD, LD_WEB_POST };

struct ld_web_request {
	enum ld_web_method method;
	/* Begins with '/'; segments of letters, digits and "-._~+", none empty or beginning with a
	 * dot, but the last may be empty. */
	struct ld_span path;
	bool has_query; /* what it says is not looked at */
	bool keep;      /* the connection goes on after the answer */
	bool awaits;    /* it says Expect: 100-continue */
	bool has_length;
	uint64_t length;
	struct ld_span type, if_none_match, range, if_range; /* empty: not there */
};

/** How many octets the head at the beginning of `bytes` has, with its empty line; 0: it is not all
 * there. */
size_t ld_web_head_len(struct ld_span bytes);

/** Read a whole head.  Returns the HTTP status: 200, or what to refuse it with, after which the
 * connection is of no more use. */
int ld_web_request_read(struct ld_web_request *ret, struct ld_span head);

/** Whether a tag of ours ("\"...\"") is among those of If-None-Match. */
bool ld_web_tag_listed(struct ld_span list, struct ld_span tag);

enum ld_web_range { LD_WEB_RANGE_NONE, LD_WEB_RANGE_ONE, LD_WEB_RANGE_OUTSIDE };

/** Read a Range of something of `size` octets.  More than one range, or what is none: NONE. */
enum ld_web_range ld_web_range_read(uint64_t *ret_first, uint64_t *ret_len, struct ld_span range,
				    uint64_t size);

#endif
