/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/http_request.h"

#include <strings.h>

enum { OK = 200, BAD_REQUEST = 400, NOT_FOUND = 404, URI_TOO_LONG = 414 };

/* 0 to 63; -1: not of the alphabet (RFC 4648 section 5). */
static int
digit_of(uint8_t octet)
{
	if (octet >= 'A' && octet <= 'Z')
		return octet - 'A';
	if (octet >= 'a' && octet <= 'z')
		return octet - 'a' + 26;
	if (octet >= '0' && octet <= '9')
		return octet - '0' + 52;
	if (octet == '-')
		return 62;
	return octet == '_' ? 63 : -1;
}

static bool
base64url_read(struct ld_span text, struct ld_buffer *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	uint8_t *room;

	if (text.len == 0 || text.len % 4 == 1)
		return false;
	room = ld_buffer_room(out, text.len * 3 / 4);
	if (room == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.data[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*room++ = (uint8_t)(bits >> have);
		}
	}
	/* What is left over stands for no octet. */
	return (bits & ((1u << have) - 1)) == 0;
}

static bool
token_is_fit(struct ld_span token)
{
	if (token.len == 0 || token.len > LD_HTTP_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < token.len; i++)
		if (digit_of(token.data[i]) < 0)
			return false;
	return true;
}

/* The value of "dns" among the parameters; NULL data: it is not there. */
static struct ld_span
parameter_dns(struct ld_span query)
{
	while (query.len > 0) {
		struct ld_span one = ld_span_first(query, ld_span_find(query, '&'));

		if (ld_span_starts(one, LD_SPAN("dns=")))
			return ld_span_from(one, 4);
		query = ld_span_from(query, one.len + 1);
	}
	return (struct ld_span){NULL, 0};
}

int
ld_http_path_read(struct ld_span path, struct ld_span *ret_token, struct ld_buffer *message)
{
	static const struct ld_span root = {(const uint8_t *)"/dns-query", 10};
	size_t question = ld_span_find(path, '?');
	struct ld_span place = ld_span_first(path, question), dns;

	*ret_token = (struct ld_span){NULL, 0};
	if (path.len > LD_HTTP_PATH_MAX)
		return URI_TOO_LONG;
	if (!ld_span_starts(place, root))
		return NOT_FOUND;
	place = ld_span_from(place, root.len);
	if (place.len > 0) {
		if (place.data[0] != '/' || !token_is_fit(ld_span_from(place, 1)))
			return NOT_FOUND;
		*ret_token = ld_span_from(place, 1);
	}
	dns = parameter_dns(ld_span_from(path, question + 1));
	return base64url_read(dns, message) && message->len > 0 ? OK : BAD_REQUEST;
}

bool
ld_http_type_is_dns(struct ld_span type)
{
	static const struct ld_span dns = {(const uint8_t *)"application/dns-message", 23};
	struct ld_span bare = ld_span_trim(ld_span_first(type, ld_span_find(type, ';')));

	return bare.len == dns.len &&
	       strncasecmp((const char *)bare.data, (const char *)dns.data, dns.len) == 0;
}
