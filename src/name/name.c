/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/name.h"

#include <arpa/inet.h>

/* What an octet of host text becomes: letters in lower case, digits, '_', '-' and '.' themselves,
 * 0 for the rest.  '-' and '.' are the only ones that need thought, and sort before all others. */
static const uint8_t host_octets[256] = {
	['-'] = '-', ['.'] = '.', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
	['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['_'] = '_', ['a'] = 'a',
	['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
	['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
	['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
	['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
	['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
	['Y'] = 'y', ['Z'] = 'z',
};

static uint8_t
lower(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
}

static bool
is_digit(uint8_t octet)
{
	return octet >= '0' && octet <= '9';
}

/* ---- Names: any octets ---------------------------------------------------------------------- */

/* The octet written at text[*at], escaped or not; -1 for a bad escape. */
static int
text_octet(struct ld_span text, size_t *at)
{
	const uint8_t *p = text.data + *at;
	size_t left = text.len - *at;

	if (p[0] != '\\') {
		*at += 1;
		return p[0];
	}
	if (left < 2)
		return -1;
	if (!is_digit(p[1])) {
		*at += 2;
		return p[1];
	}
	if (left < 4 || !is_digit(p[2]) || !is_digit(p[3]))
		return -1;
	int value = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
	*at += 4;
	return value <= 255 ? value : -1;
}

int
ld_name_from_text(struct ld_name *ret, struct ld_span text)
{
	uint8_t wire[LD_NAME_WIRE_MAX];
	size_t label = 0, len = 1, at = 0; /* wire[label] is the length octet being counted up */
	uint8_t labels = 0;

	if (text.len == 0)
		return LINDUNG_ENAME;
	if (text.len == 1 && text.data[0] == '.')
		at = 1;
	while (at < text.len) {
		if (text.data[at] != '.') {
			int octet = text_octet(text, &at);

			/* One octet must stay free for the root's zero. */
			if (octet < 0 || len - label > LD_LABEL_MAX || len >= LD_NAME_WIRE_MAX - 1)
				return LINDUNG_ENAME;
			wire[len++] = (uint8_t)octet;
			if (at < text.len && text.data[at] != '.')
				continue;
		}
		/* At a dot, or at the end of the text: the label is complete. */
		if (len - label == 1)
			return LINDUNG_ENAME;
		wire[label] = (uint8_t)(len - label - 1);
		label = len++;
		labels++;
		at++;
	}
	wire[label] = 0;
	memcpy(ret->wire, wire, label + 1);
	ret->len = (uint8_t)(label + 1);
	ret->labels = labels;
	return LINDUNG_OK;
}

int
ld_name_from_wire(struct ld_name *ret, struct ld_span wire)
{
	size_t at = 0;
	uint8_t labels = 0;

	for (;;) {
		if (at >= wire.len || at >= LD_NAME_WIRE_MAX)
			return LINDUNG_ENAME;
		uint8_t len = wire.data[at];
		if (len > LD_LABEL_MAX)
			return LINDUNG_ENAME;
		at += (size_t)len + 1;
		if (len == 0)
			break;
		labels++;
	}
	memmove(ret->wire, wire.data, at);
	ret->len = (uint8_t)at;
	ret->labels = labels;
	return LINDUNG_OK;
}

static char *
octet_to_text(char *out, uint8_t octet)
{
	if (octet <= 0x20 || octet >= 0x7f) {
		*out++ = '\\';
		*out++ = (char)('0' + octet / 100);
		*out++ = (char)('0' + octet / 10 % 10);
		*out++ = (char)('0' + octet % 10);
		return out;
	}
	if (strchr(".\\\"();@$", octet) != NULL)
		*out++ = '\\';
	*out++ = (char)octet;
	return out;
}

size_t
ld_name_to_text(const struct ld_name *name, char *text)
{
	char *out = text;

	for (size_t at = 0; name->wire[at] != 0; at += (size_t)name->wire[at] + 1) {
		if (at != 0)
			*out++ = '.';
		for (size_t i = 1; i <= name->wire[at]; i++)
			out = octet_to_text(out, name->wire[at + i]);
	}
	if (out == text)
		*out++ = '.';
	*out = '\0';
	return (size_t)(out - text);
}

/* A length octet is at most 63, below 'A': whole names can be lowered and compared octet by octet.
 */
void
ld_name_lower(struct ld_name *name)
{
	for (size_t i = 0; i < name->len; i++)
		name->wire[i] = lower(name->wire[i]);
}

static bool
wire_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool
ld_name_equal(const struct ld_name *a, const struct ld_name *b)
{
	return a->len == b->len && wire_equal(a->wire, b->wire, a->len);
}

/* Where each label begins, the leftmost first. */
static void
label_starts(const struct ld_name *name, uint8_t starts[LD_NAME_LABELS_MAX])
{
	size_t at = 0;

	for (size_t i = 0; i < name->labels; i++) {
		starts[i] = (uint8_t)at;
		at += (size_t)name->wire[at] + 1;
	}
}

static int
label_compare(const uint8_t *a, const uint8_t *b)
{
	size_t len = a[0] < b[0] ? a[0] : b[0];

	for (size_t i = 1; i <= len; i++) {
		int order = lower(a[i]) - lower(b[i]);

		if (order != 0)
			return order;
	}
	return a[0] - b[0];
}

int
ld_name_compare(const struct ld_name *a, const struct ld_name *b)
{
	uint8_t starts_a[LD_NAME_LABELS_MAX], starts_b[LD_NAME_LABELS_MAX];
	size_t left_a = a->labels, left_b = b->labels;

	label_starts(a, starts_a);
	label_starts(b, starts_b);
	while (left_a > 0 && left_b > 0) {
		int order =
			label_compare(a->wire + starts_a[--left_a], b->wire + starts_b[--left_b]);

		if (order != 0)
			return order;
	}
	return (int)left_a - (int)left_b;
}

bool
ld_name_is_within(const struct ld_name *name, const struct ld_name *parent)
{
	size_t at = 0;

	if (name->labels < parent->labels)
		return false;
	for (size_t i = name->labels - parent->labels; i > 0; i--)
		at += (size_t)name->wire[at] + 1;
	return (size_t)name->len - at == parent->len &&
	       wire_equal(name->wire + at, parent->wire, parent->len);
}

/* ---- Hosts: what can be listed -------------------------------------------------------------- */

/* Why this text is no host, for text that was found to be none: the reader wants to know whether
 * IDNA may help, then whether it is a name at all, then whether it is only too long. */
static int
host_error(struct ld_span text)
{
	bool past_limit = text.len > LD_HOST_MAX;
	size_t label = 0;
	int error = LINDUNG_ELIMIT;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.data[i] >= 0x80)
			return LINDUNG_ENOTASCII;
		uint8_t octet = i < text.len ? host_octets[text.data[i]] : '.';
		if (octet == 0 || (octet == '-' && i == label))
			error = LINDUNG_ENAME;
		if (octet != '.')
			continue;
		if (i == label || text.data[i - 1] == '-')
			error = LINDUNG_ENAME;
		past_limit |= i - label > LD_LABEL_MAX;
		label = i + 1;
	}
	return past_limit ? error : LINDUNG_ENAME;
}

/* The last label has nothing but digits: an address, or the end of one. */
static bool
ends_in_number(const uint8_t *host, size_t len)
{
	while (len > 0 && is_digit(host[len - 1]))
		len--;
	return len == 0 || host[len - 1] == '.';
}

int
ld_host_from_text(char *host, size_t *ret_len, struct ld_span text)
{
	uint8_t copy[LD_HOST_MAX + 1]; /* one more for the dot that stands for the end */
	size_t label = 0, len = text.len;

	if (len > 0 && text.data[len - 1] == '.')
		len--;
	if (len == 0)
		return LINDUNG_ENAME;
	if (len > LD_HOST_MAX)
		return host_error(ld_span(text.data, len));
	for (size_t i = 0; i <= len; i++) {
		uint8_t octet = i < len ? host_octets[text.data[i]] : '.';

		copy[i] = octet;
		if (octet > '.')
			continue;
		if (octet == '-' && i != label)
			continue;
		if (octet != '.' || i - label - 1 >= LD_LABEL_MAX || copy[i - 1] == '-')
			return host_error(ld_span(text.data, len));
		label = i + 1;
	}
	if (ends_in_number(copy, len))
		return LINDUNG_ENAME;
	memcpy(host, copy, len);
	host[len] = '\0';
	*ret_len = len;
	return LINDUNG_OK;
}

unsigned
ld_host_labels(struct ld_span host)
{
	unsigned dots = 0;

	for (size_t i = 0; i < host.len; i++)
		dots += host.data[i] == '.';
	return host.len != 0 ? dots + 1 : 0;
}

bool
ld_host_is_within(struct ld_span host, struct ld_span parent)
{
	if (!ld_span_ends(host, parent))
		return false;
	return host.len == parent.len || parent.len == 0 ||
	       host.data[host.len - parent.len - 1] == '.';
}

bool
ld_text_is_address(struct ld_span text)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t address[sizeof(struct in6_addr)];
	size_t len = text.len;

	/* Nearly every line of a list is a name: leave early, and without a copy. */
	if (len < 2)
		return false;
	bool is_v6 = ld_span_find(text, ':') < len;
	if (!is_v6 && (!is_digit(text.data[0]) || !is_digit(text.data[len - 1])))
		return false;
	if (is_v6) {
		size_t zone = ld_span_find(text, '%');

		/* Whatever names the interface; only not nothing. */
		if (zone + 1 == text.len)
			return false;
		len = zone;
	}
	if (len >= sizeof copy || ld_span_find(ld_span_first(text, len), '\0') < len)
		return false;
	memcpy(copy, text.data, len);
	copy[len] = '\0';
	return inet_pton(is_v6 ? AF_INET6 : AF_INET, copy, address) == 1;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

/* Labels in the other order, `from` between them here, `to` there. */
static size_t
labels_reverse(uint8_t *out, struct ld_span in, uint8_t from, uint8_t to)
{
	size_t end = in.len < LD_HOST_MAX ? in.len : LD_HOST_MAX, at = 0;

	for (size_t i = end; i-- > 0;) {
		if (in.data[i] != from)
			continue;
		memcpy(out + at, in.data + i + 1, end - i - 1);
		at += end - i - 1;
		out[at++] = to;
		end = i;
	}
	if (end != 0)
		memcpy(out + at, in.data, end);
	return at + end;
}

size_t
ld_host_to_key(uint8_t *key, struct ld_span host)
{
	return labels_reverse(key, host, '.', LD_KEY_SEPARATOR);
}

size_t
ld_key_to_host(char *host, struct ld_span key)
{
	size_t len = labels_reverse((uint8_t *)host, key, LD_KEY_SEPARATOR, '.');

	host[len] = '\0';
	return len;
}

size_t
ld_name_to_key(uint8_t *key, const struct ld_name *name)
{
	/* Labels and separators take the wire's octets less the first length and the root. */
	size_t len = name->labels != 0 ? (size_t)name->len - 2 : 0, end = len;

	for (size_t at = 0; name->wire[at] != 0; at += (size_t)name->wire[at] + 1) {
		const uint8_t *label = name->wire + at;

		end -= label[0];
		for (size_t i = 0; i < label[0]; i++)
			key[end + i] = label[i + 1] != LD_KEY_SEPARATOR ? label[i + 1] : 0x02;
		if (end != 0)
			key[--end] = LD_KEY_SEPARATOR;
	}
	return len;
}
