/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/proxy.h"

#include "base/bytes.h"

enum {
	SIGNATURE_BYTES = 12,
	VERSION_2 = 2,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_INET = 1,
	FAMILY_INET6 = 2,
	TRANSPORT_STREAM = 1,
	TRANSPORT_DGRAM = 2,
	INET_BYTES = 4 + 4 + 2 + 2, /* source, destination, their ports */
	INET6_BYTES = 16 + 16 + 2 + 2,
};

static const uint8_t signature[SIGNATURE_BYTES] = {'\r', '\n', '\r', '\n', '\0', '\r',
						   '\n', 'Q',  'U',  'I',  'T',  '\n'};

/* Each a type, a length of two octets, and so many. */
static bool
tlvs_are_whole(struct ld_reader *r)
{
	while (ld_reader_left(r) != 0) {
		(void)ld_reader_u8(r);
		(void)ld_reader_take(r, ld_reader_be16(r));
	}
	return !r->failed;
}

static void
take_inet(struct ld_address *ret, struct ld_reader *r)
{
	*ret = (struct ld_address){.len = sizeof ret->v4};
	ret->v4.sin_family = AF_INET;
	memcpy(&ret->v4.sin_addr, ld_reader_take(r, 4).data, 4);
	(void)ld_reader_take(r, 4);
	ret->v4.sin_port = htons(ld_reader_be16(r));
	(void)ld_reader_be16(r);
}

static void
take_inet6(struct ld_address *ret, struct ld_reader *r)
{
	*ret = (struct ld_address){.len = sizeof ret->v6};
	ret->v6.sin6_family = AF_INET6;
	memcpy(&ret->v6.sin6_addr, ld_reader_take(r, 16).data, 16);
	(void)ld_reader_take(r, 16);
	ret->v6.sin6_port = htons(ld_reader_be16(r));
	(void)ld_reader_be16(r);
}

/* What is behind the first 16 octets, all of it. */
static enum ld_proxy_step
take_client(struct ld_proxy *proxy, uint8_t family, struct ld_span rest)
{
	struct ld_reader r = ld_reader(rest);
	uint8_t transport = family & 0x0f;

	/* Whichever of the two: a proxy may ask in datagrams what it was asked over a connection.
	 */
	if (transport != TRANSPORT_STREAM && transport != TRANSPORT_DGRAM)
		return LD_PROXY_BAD;
	if (family >> 4 == FAMILY_INET && rest.len >= INET_BYTES)
		take_inet(&proxy->from, &r);
	else if (family >> 4 == FAMILY_INET6 && rest.len >= INET6_BYTES)
		take_inet6(&proxy->from, &r);
	else
		return LD_PROXY_BAD;
	return tlvs_are_whole(&r) ? LD_PROXY_TAKEN : LD_PROXY_BAD;
}

enum ld_proxy_step
ld_proxy_read(struct ld_proxy *ret, struct ld_span bytes)
{
	size_t known = bytes.len < SIGNATURE_BYTES ? bytes.len : SIGNATURE_BYTES;
	struct ld_proxy proxy = {.len = LD_PROXY_START_BYTES};
	uint8_t command;

	if (known != 0 && memcmp(bytes.data, signature, known) != 0)
		return LD_PROXY_BAD;
	if (bytes.len < LD_PROXY_START_BYTES) {
		*ret = proxy;
		return LD_PROXY_MORE;
	}
	command = bytes.data[SIGNATURE_BYTES] & 0x0f;
	if (bytes.data[SIGNATURE_BYTES] >> 4 != VERSION_2 ||
	    (command != COMMAND_LOCAL && command != COMMAND_PROXY))
		return LD_PROXY_BAD;
	proxy.len += ld_get_be16(bytes.data + SIGNATURE_BYTES + 2);
	if (proxy.len > LD_PROXY_MAX_BYTES)
		return LD_PROXY_BAD;
	proxy.local = command == COMMAND_LOCAL;
	if (bytes.len >= proxy.len && !proxy.local &&
	    take_client(&proxy, bytes.data[SIGNATURE_BYTES + 1],
			ld_span(bytes.data + LD_PROXY_START_BYTES,
				proxy.len - LD_PROXY_START_BYTES)) != LD_PROXY_TAKEN)
		return LD_PROXY_BAD;
	*ret = proxy;
	return bytes.len < proxy.len ? LD_PROXY_MORE : LD_PROXY_TAKEN;
}
