/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	SVC_PARAM_IPV4HINT = 4,
	SVC_PARAM_IPV6HINT = 6,
};

/* Where a name of the public DNS has no business to
 * point: RFC 6890 and the registries after it. */
static const struct {
	uint8_t prefix[4];
	uint8_t bits;
} ipv4[] = {
	{{0}, 8},         /* this network; 0.0.0.0 reaches this machine on most systems */
	{{10}, 8},        /* RFC 1918 */
	{{100, 64}, 10},  /* RFC 6598: between a carrier's NAT and its customers */
	{{127}, 8},       /* loopback */
	{{169, 254}, 16}, /* link-local */
	{{172, 16}, 12},  /* RFC 1918 */
	{{192, 168}, 16}, /* RFC 1918 */
};

static const struct {
	uint8_t prefix[12];
	uint8_t bits;
	bool holds_ipv4; /* then the last four octets decide */
} ipv6[] = {
	{{0}, 96, true},                      /* ::, ::1, and RFC 4291 section 2.5.5.1 */
	{{[10] = 0xff, 0xff}, 96, true},      /* mapped */
	{{0x00, 0x64, 0xff, 0x9b}, 96, true}, /* RFC 6052 */
	{{0xfc}, 7, false},                   /* RFC 4193 */
	{{0xfe, 0x80}, 10, false},            /* link-local */
	{{0xfe, 0xc0}, 10, false},            /* RFC 3879: site-local */
};

static bool
has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
	unsigned octets = bits / 8, rest = bits % 8;

	return memcmp(address, prefix, octets) == 0 &&
	       (rest == 0 || ((address[octets] ^ prefix[octets]) >> (8 - rest)) == 0);
}

static bool
is_private_ipv4(const uint8_t *address)
{
	for (size_t i = 0; i < sizeof ipv4 / sizeof ipv4[0]; i++) {
		if (has_prefix(address, ipv4[i].prefix, ipv4[i].bits))
			return true;
	}
	return false;
}

static bool
is_private_ipv6(const uint8_t *address)
{
	for (size_t i = 0; i < sizeof ipv6 / sizeof ipv6[0]; i++) {
		if (has_prefix(address, ipv6[i].prefix, ipv6[i].bits))
			return !ipv6[i].holds_ipv4 || is_private_ipv4(address + 12);
	}
	return false;
}

/* One of the addresses in a row of them. */
static bool
has_private(struct ld_span addresses, size_t octets)
{
	for (; addresses.len >= octets; addresses = ld_span_from(addresses, octets)) {
		if (octets == 4 ? is_private_ipv4(addresses.data) : is_private_ipv6(addresses.data))
			return true;
	}
	return false;
}

/* RFC 9460 section 2.2: priority, target, and parameters with their lengths. */
static bool
has_private_hint(struct ld_span rdata)
{
	struct ld_reader r = ld_reader(rdata);
	uint8_t label;

	ld_reader_take(&r, 2);
	while ((label = ld_reader_u8(&r)) != 0)
		ld_reader_take(&r, label);
	while (ld_reader_left(&r) != 0) {
		uint16_t key = ld_reader_be16(&r);
		struct ld_span value = ld_reader_take(&r, ld_reader_be16(&r));

		if ((key == SVC_PARAM_IPV4HINT && has_private(value, 4)) ||
		    (key == SVC_PARAM_IPV6HINT && has_private(value, 16)))
			return true;
	}
	return false;
}

static bool
is_allowed(const struct ld_resolver *resolver, const struct ld_name *name)
{
	for (unsigned i = 0; i < resolver->rebinding_allowed_count; i++) {
		if (ld_name_is_within(name, &resolver->rebinding_allowed[i]))
			return true;
	}
	return false;
}

bool
ld_rebind_found(const struct ld_resolver *resolver, const struct ld_name *name,
		struct ld_span message)
{
	struct ld_walk walk;
	struct ld_record record;
	bool found = false;

	if (!resolver->config.rebinding_protection || !ld_walk_begin(&walk, message))
		return false;
	while (!found && ld_walk_next(&walk, &record) && record.section == LD_SECTION_ANSWER) {
		if (record.type == LD_TYPE_A)
			found = has_private(record.rdata, 4);
		else if (record.type == LD_TYPE_AAAA)
			found = has_private(record.rdata, 16);
		else if (record.type == LD_TYPE_SVCB || record.type == LD_TYPE_HTTPS)
			found = has_private_hint(record.rdata);
	}
	return found && !is_allowed(resolver, name);
}
