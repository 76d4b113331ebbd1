/* IP addresses in lists.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "list/address.h"

static bool
is_sink4(const uint8_t octets[4])
{
	static const uint8_t nowhere[4] = {0, 0, 0, 0};
	static const uint8_t everywhere[4] = {255, 255, 255, 255};

	return octets[0] == 127 || memcmp(octets, nowhere, 4) == 0 ||
	       memcmp(octets, everywhere, 4) == 0;
}

static bool
is_sink6(const uint8_t octets[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t zeros[15] = {0};

	if (memcmp(octets, mapped, 12) == 0)
		return is_sink4(octets + 12);
	return memcmp(octets, zeros, 15) == 0 && octets[15] <= 1;
}

enum ld_address_kind
ld_address_read(char target[LD_TARGET_MAX], struct ld_span text)
{
	char copy[INET6_ADDRSTRLEN];
	char canonical[INET6_ADDRSTRLEN];
	uint8_t octets[16];
	size_t zone = ld_span_find(text, '%');
	bool is_sink;
	int family = AF_INET;

	if (zone >= sizeof(copy))
		return LD_ADDRESS_NONE;
	for (size_t i = 0; i < zone; i++)
		copy[i] = (char)text.data[i];
	copy[zone] = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1 && zone == text.len) {
		is_sink = is_sink4(octets);
	} else if (inet_pton(AF_INET6, copy, octets) == 1) {
		family = AF_INET6;
		is_sink = is_sink6(octets);
	} else {
		return LD_ADDRESS_NONE;
	}
	if (is_sink)
		return LD_ADDRESS_SINK;
	if (zone != text.len)
		return LD_ADDRESS_SCOPED;
	inet_ntop(family, octets, canonical, sizeof(canonical));
	snprintf(target, LD_TARGET_MAX, "%s %s", family == AF_INET ? "A" : "AAAA", canonical);
	return LD_ADDRESS_REAL;
}
