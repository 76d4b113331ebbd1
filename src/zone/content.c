/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <arpa/inet.h>

#include "index/export.h"
#include "wire/dns.h"
#include "zone/zone.h"

enum { KEY_MAX = LD_HOST_MAX + 3 };

struct ld_content {
	struct ld_zone_set *set;
	const struct ld_zone *zone;
	/* Of a policy zone. */
	struct ld_export *export;
	struct ld_list_source source;
	struct ld_rpz *rpz;
	/* Of the catalog: the next of its members; 0 is its version. */
	unsigned member;
	/* The record at hand. */
	char host[LD_HOST_MAX + 1];
	size_t key_len;
	uint8_t key[KEY_MAX];
	uint8_t owner[LD_NAME_WIRE_MAX + 2];
	uint8_t rdata[LD_ZONE_RDATA_MAX];
};

static int
policy_begin(struct ld_content *c)
{
	int err = ld_export_new(&c->export, c->set->list, true, c->zone->active);

	if (err != LINDUNG_OK)
		return err;
	c->source = ld_export_source(c->export);
	return ld_rpz_new(&c->rpz, &c->source, c->zone->plan);
}

int
ld_content_new(struct ld_content **ret, struct ld_zone_set *set, const struct ld_zone *zone)
{
	struct ld_content *c = calloc(1, sizeof *c);
	int err;

	if (c == NULL)
		return LINDUNG_ENOMEM;
	c->set = ld_zone_set_hold(set);
	c->zone = zone;
	err = zone->is_catalog ? LINDUNG_OK : policy_begin(c);
	if (err != LINDUNG_OK) {
		ld_content_free(c);
		return err;
	}
	*ret = c;
	return LINDUNG_OK;
}

void
ld_content_free(struct ld_content *c)
{
	if (c == NULL)
		return;
	ld_rpz_free(c->rpz);
	ld_export_free(c->export);
	ld_zone_set_release(c->set);
	free(c);
}

/* Host text into labels, behind what is there; without the root's. */
static size_t
labels_put(uint8_t *wire, size_t at, struct ld_span host)
{
	while (host.len != 0) {
		size_t len = ld_span_find(host, '.');

		wire[at] = (uint8_t)len;
		memcpy(wire + at + 1, host.data, len);
		at += 1 + len;
		host = ld_span_from(host, len + 1);
	}
	return at;
}

static void
owner_set(struct ld_content *c, bool is_wildcard, struct ld_span host, struct ld_zone_record *ret)
{
	size_t len = 0;

	c->key_len = ld_host_to_key(c->key, host);
	if (is_wildcard) {
		memcpy(c->owner, "\x01*", 2);
		len = 2;
		c->key[c->key_len++] = LD_KEY_SEPARATOR;
		c->key[c->key_len++] = '*';
	}
	ret->owner = ld_span(c->owner, labels_put(c->owner, len, host));
}

/* "CNAME name", "A 192.0.2.1": as it stands in the list, which checked it. */
static int
rewrite_set(struct ld_content *c, struct ld_span target, struct ld_zone_record *ret)
{
	size_t space = ld_span_find(target, ' ');
	struct ld_span data = ld_span_from(target, space + 1);
	char text[LD_HOST_MAX + 1];
	struct ld_name name;

	if (data.len >= sizeof text)
		return LINDUNG_EDAMAGED;
	memcpy(text, data.data, data.len);
	text[data.len] = '\0';
	if (ld_span_starts(target, LD_SPAN("A ")) && inet_pton(AF_INET, text, c->rdata) == 1) {
		ret->type = LD_TYPE_A;
		ret->rdata = ld_span(c->rdata, 4);
	} else if (ld_span_starts(target, LD_SPAN("AAAA ")) &&
		   inet_pton(AF_INET6, text, c->rdata) == 1) {
		ret->type = LD_TYPE_AAAA;
		ret->rdata = ld_span(c->rdata, 16);
	} else if (ld_span_starts(target, LD_SPAN("CNAME ")) &&
		   ld_name_from_text(&name, data) == LINDUNG_OK) {
		ret->type = LD_TYPE_CNAME;
		memcpy(c->rdata, name.wire, name.len);
		ret->rdata = ld_span(c->rdata, name.len);
	} else {
		return LINDUNG_EDAMAGED;
	}
	return LINDUNG_OK;
}

static int
policy_next(struct ld_content *c, struct ld_zone_record *ret)
{
	static const uint8_t root[] = "", passthru[] = "\x0crpz-passthru";
	struct ld_rpz_record record;
	int err = ld_rpz_next(c->rpz, &record);

	if (err != LINDUNG_OK)
		return err;
	owner_set(c, record.is_wildcard, record.host, ret);
	if (record.action == LD_ACTION_REWRITE)
		return rewrite_set(c, record.target, ret);
	ret->type = LD_TYPE_CNAME;
	ret->rdata = record.action == LD_ACTION_ALLOW ? ld_span(passthru, sizeof passthru)
						      : ld_span(root, 1);
	return LINDUNG_OK;
}

/* RFC 9432 section 4: "version" TXT "2", then ID.zones PTR ZONE for each member. */
static int
catalog_next(struct ld_content *c, struct ld_zone_record *ret)
{
	static const uint8_t version[] = {1, '2'};
	static const char zones[] = ".zones";
	const struct ld_zone *member;

	if (c->member > c->set->member_count)
		return LINDUNG_ENOTFOUND;
	if (c->member++ == 0) {
		owner_set(c, false, LD_SPAN("version"), ret);
		ret->type = LD_TYPE_TXT;
		ret->rdata = ld_span(version, sizeof version);
		return LINDUNG_OK;
	}
	member = &c->set->zones[c->set->members[c->member - 2]];
	memcpy(c->host, member->member, LD_ZONE_MEMBER_BYTES);
	memcpy(c->host + LD_ZONE_MEMBER_BYTES, zones, sizeof zones);
	owner_set(c, false, ld_span_str(c->host), ret);
	ret->type = LD_TYPE_PTR;
	ret->rdata = ld_span(member->origin.wire, member->origin.len);
	return LINDUNG_OK;
}

int
ld_content_next(struct ld_content *c, struct ld_zone_record *ret)
{
	return c->zone->is_catalog ? catalog_next(c, ret) : policy_next(c, ret);
}

struct ld_span
ld_content_key(const struct ld_content *c)
{
	return ld_span(c->key, c->key_len);
}
