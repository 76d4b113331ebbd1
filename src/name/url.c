/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/url.h"

#include <arpa/inet.h>

/* The host as it is being made canonical, and the parts of the decoded URL. */
struct host {
	char text[LD_HOST_MAX + 1];
	size_t len;
	bool is_address;
};

struct parts {
	struct ld_span host;
	uint8_t *path; /* in the decoded URL; dot segments are resolved in place */
	size_t path_len;
	struct ld_span query; /* with its '?'; empty if there is none */
};

/* ---- Decoding ------------------------------------------------------------------------------- */

static int
hex_value(uint8_t octet)
{
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	octet |= 0x20;
	return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* Without tab, CR, LF, the fragment and what is blank at the ends; percent-decoded until nothing
 * changes.  One pass: no two escapes overlap, so the order of decoding does not matter, and after
 * each octet only the last three can have become an escape.  Returns the length. */
static size_t
url_decode(uint8_t *out, struct ld_span url)
{
	size_t len = 0;

	url = ld_span_first(url, ld_span_find(url, '#'));
	while (url.len > 0 && is_blank(url.data[0]))
		url = ld_span_from(url, 1);
	while (url.len > 0 && is_blank(url.data[url.len - 1]))
		url.len--;
	for (size_t i = 0; i < url.len; i++) {
		uint8_t octet = url.data[i];

		if (octet != ' ' && is_blank(octet))
			continue;
		out[len++] = octet;
		while (len >= 3 && out[len - 3] == '%' && hex_value(out[len - 2]) >= 0 &&
		       hex_value(out[len - 1]) >= 0) {
			out[len - 3] =
				(uint8_t)(hex_value(out[len - 2]) << 4 | hex_value(out[len - 1]));
			len -= 2;
		}
	}
	return len;
}

/* ---- Taking it apart ------------------------------------------------------------------------ */

/* Octets of "scheme://", or 0. */
static size_t
scheme_len(struct ld_span url)
{
	size_t i = 0;

	while (i < url.len) {
		uint8_t octet = url.data[i], letter = octet | 0x20;
		bool is_letter = letter >= 'a' && letter <= 'z';
		bool is_other = (octet >= '0' && octet <= '9') || octet == '+' || octet == '-' ||
				octet == '.';

		if (!is_letter && (i == 0 || !is_other))
			break;
		i++;
	}
	return i > 0 && ld_span_starts(ld_span_from(url, i), LD_SPAN("://")) ? i + 3 : 0;
}

/* A port: digits, at most 65535; nothing at all where a scheme says that this is a URL ("http://
 * host:/"), while "mailto:somebody" is not one. */
static bool
port_is_valid(struct ld_span port, bool has_scheme)
{
	unsigned value = 0;

	if (port.len == 0)
		return has_scheme;
	for (size_t i = 0; i < port.len; i++) {
		if (port.data[i] < '0' || port.data[i] > '9')
			return false;
		value = value * 10 + (port.data[i] - '0');
		if (value > 65535)
			return false;
	}
	return true;
}

/* The host in "user:password@host:port". */
static int
authority_host(struct ld_span *ret, struct ld_span authority, bool has_scheme)
{
	size_t start = authority.len, end = 0;

	while (start > 0 && authority.data[start - 1] != '@')
		start--;
	authority = ld_span_from(authority, start);
	/* In "[::1]:80" the port begins behind the bracket. */
	if (authority.len > 0 && authority.data[0] == '[')
		end = ld_span_find(authority, ']');
	while (end < authority.len && authority.data[end] != ':')
		end++;
	if (end < authority.len && !port_is_valid(ld_span_from(authority, end + 1), has_scheme))
		return LINDUNG_EURL;
	*ret = ld_span_first(authority, end);
	return LINDUNG_OK;
}

static int
url_split(struct parts *ret, uint8_t *url, size_t len)
{
	size_t start = scheme_len(ld_span(url, len)), slash = start;

	while (slash < len && url[slash] != '/' && url[slash] != '?')
		slash++;
	struct ld_span rest = ld_span(url + slash, len - slash);
	ret->path = url + slash;
	ret->path_len = ld_span_find(rest, '?');
	ret->query = ld_span_from(rest, ret->path_len);
	return authority_host(&ret->host, ld_span(url + start, slash - start), start != 0);
}

/* ---- The host ------------------------------------------------------------------------------- */

/* One number of an address, in decimal, octal (leading 0) or hex (leading 0x), as browsers read
 * them.  Past 32 bits it stays at UINT64_MAX. */
static bool
number_parse(uint64_t *ret, struct ld_span text)
{
	uint64_t value = 0;
	unsigned base = 10;

	if (text.len == 0)
		return false;
	if (text.len >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x') {
		base = 16;
		text = ld_span_from(text, 2);
	} else if (text.len >= 2 && text.data[0] == '0') {
		base = 8;
	}
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_value(text.data[i]);

		if (digit < 0 || digit >= (int)base)
			return false;
		if (value <= UINT32_MAX)
			value = value * base + (unsigned)digit;
		if (value > UINT32_MAX)
			value = UINT64_MAX;
	}
	*ret = value;
	return true;
}

/* The text is a number or means to be one ("08"): nothing but digits, or 0x and hex digits. */
static bool
is_numeric(struct ld_span text)
{
	uint64_t value;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return number_parse(&value, text);
	}
	return text.len != 0;
}

/* One to four numbers; the last fills what is left of the 32 bits. */
static bool
ipv4_parse(uint32_t *ret, struct ld_span text)
{
	uint64_t address = 0, number;

	for (unsigned bits_left = 32;; bits_left -= 8) {
		size_t dot = ld_span_find(text, '.');

		if (!number_parse(&number, ld_span_first(text, dot)))
			return false;
		if (dot == text.len) {
			if (number >> bits_left != 0)
				return false;
			*ret = (uint32_t)(address | number);
			return true;
		}
		if (number > 255 || bits_left == 8)
			return false;
		address |= number << (bits_left - 8);
		text = ld_span_from(text, dot + 1);
	}
}

static int
host_from_ipv4(struct host *ret, uint32_t address)
{
	struct in_addr in = {.s_addr = htonl(address)};

	inet_ntop(AF_INET, &in, ret->text, sizeof ret->text);
	ret->len = strlen(ret->text);
	ret->is_address = true;
	return LINDUNG_OK;
}

/* "[address]".  The two ways to write an IPv4 address as an IPv6 one are that IPv4 address. */
static int
host_from_ipv6(struct host *ret, struct ld_span text)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr in;
	size_t len = text.len;

	if (len < 2 || len - 2 >= sizeof copy || text.data[len - 1] != ']')
		return LINDUNG_EURL;
	memcpy(copy, text.data + 1, len - 2);
	copy[len - 2] = '\0';
	if (strlen(copy) != len - 2 || inet_pton(AF_INET6, copy, &in) != 1)
		return LINDUNG_EURL;
	if (memcmp(in.s6_addr, mapped, sizeof mapped) == 0 ||
	    memcmp(in.s6_addr, nat64, sizeof nat64) == 0)
		return host_from_ipv4(ret, (uint32_t)in.s6_addr[12] << 24 |
						   (uint32_t)in.s6_addr[13] << 16 |
						   (uint32_t)in.s6_addr[14] << 8 | in.s6_addr[15]);
	ret->text[0] = '[';
	inet_ntop(AF_INET6, &in, ret->text + 1, sizeof ret->text - 2);
	strcat(ret->text, "]");
	ret->len = strlen(ret->text);
	ret->is_address = true;
	return LINDUNG_OK;
}

/* Without leading and trailing dots, runs of dots made one.  Returns the length. */
static size_t
dots_tidy(uint8_t *out, struct ld_span text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '.' || (len > 0 && out[len - 1] != '.'))
			out[len++] = text.data[i];
	}
	return len > 0 && out[len - 1] == '.' ? len - 1 : len;
}

static int
host_canonical(struct host *ret, struct ld_span text)
{
	uint8_t tidy[LD_URL_MAX];
	uint32_t address;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 0x80)
			return LINDUNG_ENOTASCII;
	}
	if (text.len > 0 && text.data[0] == '[')
		return host_from_ipv6(ret, text);
	size_t len = dots_tidy(tidy, text), last = len;
	while (last > 0 && tidy[last - 1] != '.')
		last--;
	/* A name that ends in a number is an address or nothing, never a domain. */
	if (is_numeric(ld_span(tidy + last, len - last)))
		return ipv4_parse(&address, ld_span(tidy, len)) ? host_from_ipv4(ret, address)
								: LINDUNG_EURL;
	ret->is_address = false;
	int err = ld_host_from_text(ret->text, &ret->len, ld_span(tidy, len));
	return err == LINDUNG_ENAME ? LINDUNG_EURL : err;
}

/* ---- The path ------------------------------------------------------------------------------- */

/* Resolve "." and ".." in place, as segments between slashes: "/a//../b" is "/a/b", for the empty
 * segment is what ".." takes away; then make runs of slashes one.  Returns the length. */
static size_t
path_resolve(uint8_t *path, size_t len)
{
	size_t out = 0, end;

	/* path[out] is where the next segment's slash goes; path[at] is that slash. */
	for (size_t at = 0; at < len; at = end) {
		end = at + 1;
		while (end < len && path[end] != '/')
			end++;
		struct ld_span segment = ld_span(path + at + 1, end - at - 1);
		bool is_up = ld_span_equal(segment, LD_SPAN(".."));
		if (is_up) {
			while (out > 0 && path[--out] != '/')
				;
		} else if (!ld_span_equal(segment, LD_SPAN("."))) {
			memmove(path + out, path + at, end - at);
			out += end - at;
			continue;
		}
		/* "/a/.." and "/a/." are directories: the slash stays. */
		if (end == len)
			path[out++] = '/';
	}
	len = out;
	out = 0;
	for (size_t at = 0; at < len; at++) {
		if (path[at] != '/' || out == 0 || path[out - 1] != '/')
			path[out++] = path[at];
	}
	return out;
}

static size_t
escape(char *out, struct ld_span text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t octet = text.data[i];

		if (octet > ' ' && octet < 0x7f && octet != '#' && octet != '%') {
			out[len++] = (char)octet;
			continue;
		}
		out[len++] = '%';
		out[len++] = hex[octet >> 4];
		out[len++] = hex[octet & 15];
	}
	return len;
}

int
ld_url_canonical(struct ld_url *ret, struct ld_span url)
{
	uint8_t decoded[LD_URL_MAX];
	struct parts parts;
	struct host host;

	if (url.len > LD_URL_MAX)
		return LINDUNG_ELIMIT;
	int err = url_split(&parts, decoded, url_decode(decoded, url));
	if (err == LINDUNG_OK)
		err = host_canonical(&host, parts.host);
	if (err != LINDUNG_OK)
		return err;
	/* A host takes an octet at least: there is room for the '/' of a path that is not there. */
	memcpy(ret->host, host.text, host.len + 1);
	ret->host_len = host.len;
	ret->host_is_address = host.is_address;
	size_t len = path_resolve(parts.path, parts.path_len);
	len = len != 0 ? escape(ret->text, ld_span(parts.path, len))
		       : escape(ret->text, LD_SPAN("/"));
	ret->path_len = len;
	ret->text_len = len + escape(ret->text + len, parts.query);
	ret->text[ret->text_len] = '\0';
	return LINDUNG_OK;
}

unsigned
ld_url_paths(const struct ld_url *url, size_t lens[LD_URL_PATHS_MAX])
{
	size_t directories[LD_URL_SEGMENTS_MAX], path = url->path_len;
	unsigned count = 0, found = 0;

	/* Where the first directories' last slashes stand. */
	for (size_t i = 1; i < path && found < LD_URL_SEGMENTS_MAX; i++) {
		if (url->text[i] == '/')
			directories[found++] = i;
	}
	if (url->text_len > path)
		lens[count++] = url->text_len;
	lens[count++] = path;
	if (path > 1 && url->text[path - 1] == '/')
		lens[count++] = --path;
	while (found-- > 0) {
		if (directories[found] >= path)
			continue;
		lens[count++] = directories[found] + 1;
		lens[count++] = directories[found];
	}
	if (path > 1)
		lens[count++] = 1;
	return count;
}
