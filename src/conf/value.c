/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/option.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "conf/text.h"
#include "net/server_address.h"

/* ---- Scalars -------------------------------------------------------------------------------- */

/* Reads digits at the front of `text`; returns how many there were, 0 also for an overflow. */
static size_t
digits_read(struct ld_span text, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
		unsigned digit = text.data[i] - '0';

		if (n > (UINT64_MAX - digit) / 10)
			return 0;
		n = n * 10 + digit;
	}
	if (i != 0)
		*ret = n;
	return i;
}

/* The multiplier that a suffix of a size stands for; 0 for none that is known. */
static uint64_t
size_unit(struct ld_span suffix)
{
	if (suffix.len == 0)
		return 1;
	if (suffix.len > 1)
		return 0;
	switch (suffix.data[0]) {
	case 'K':
		return UINT64_C(1) << 10;
	case 'M':
		return UINT64_C(1) << 20;
	case 'G':
		return UINT64_C(1) << 30;
	default:
		return 0;
	}
}

static uint64_t
milliseconds_of(struct ld_span suffix)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (ld_span_equal(suffix, ld_span_str(units[i].suffix)))
			return units[i].ms;
	return 0;
}

/* Any number type, into *ret, in the option's unit. */
static bool
number_read(const struct ld_conf_option *option, struct ld_span text, uint64_t *ret)
{
	uint64_t n = 0, times = 1, per = 1;
	size_t digits = digits_read(text, &n);
	struct ld_span suffix = ld_span_from(text, digits);

	if (digits == 0)
		return false;
	if (option->type == LD_CONF_SIZE) {
		times = size_unit(suffix);
	} else if (option->type == LD_CONF_DURATION && suffix.len != 0) {
		times = milliseconds_of(suffix);
		per = milliseconds_of(ld_span_str(option->unit));
	} else if (suffix.len != 0) {
		return false;
	}
	if (times == 0 || n > UINT64_MAX / times || n * times % per != 0)
		return false;
	n = n * times / per;
	if (n < option->min || n > option->max)
		return false;
	*ret = n;
	return true;
}

static bool
bool_read(struct ld_span text, bool *ret)
{
	bool yes = ld_span_equal(text, LD_SPAN("yes")) || ld_span_equal(text, LD_SPAN("true"));

	if (!yes && !ld_span_equal(text, LD_SPAN("no")) && !ld_span_equal(text, LD_SPAN("false")))
		return false;
	*ret = yes;
	return true;
}

static bool
choice_read(const struct ld_conf_option *option, struct ld_span text, int *ret)
{
	for (const struct ld_conf_choice *c = option->choices; c->key != NULL; c++) {
		if (ld_span_equal(text, ld_span_str(c->key))) {
			*ret = c->value;
			return true;
		}
	}
	return false;
}

static bool
text_is_fit(struct ld_span text, uint64_t max)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return text.len <= max;
}

static bool
key_is_fit(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return text.len >= 1 && text.len <= 63;
}

/* "NAME ADDRESS...", with single blanks. */
static bool
host_is_fit(struct ld_span text)
{
	size_t end = ld_span_find(text, ' ');
	bool fit = ld_conf_text_is_domain(ld_span_first(text, end)) && end < text.len;
	unsigned count = 0;

	for (; fit && end < text.len; count++) {
		char word[INET6_ADDRSTRLEN];
		uint8_t octets[16];

		text = ld_span_from(text, end + 1);
		end = ld_span_find(text, ' ');
		if (end >= sizeof word || count == 16)
			return false;
		memcpy(word, text.data, end);
		word[end] = '\0';
		fit = inet_pton(AF_INET, word, octets) == 1 ||
		      inet_pton(AF_INET6, word, octets) == 1;
	}
	return fit;
}

static bool
ip_read(int family, struct ld_span text, struct ld_conf_ip *ret)
{
	struct ld_conf_ip ip = {.given = true};

	if (text.len == 0) {
		*ret = (struct ld_conf_ip){0};
		return true;
	}
	/* Scalars have a NUL behind them. */
	if (inet_pton(family, (const char *)text.data, ip.octets) != 1)
		return false;
	*ret = ip;
	return true;
}

/* ---- Paths and addresses -------------------------------------------------------------------- */

static int
text_set(const char **ret, struct ld_span text, struct ld_arena *arena)
{
	struct ld_span copy = ld_arena_copy(arena, text);

	if (copy.data == NULL)
		return LINDUNG_ENOMEM;
	*ret = (const char *)copy.data;
	return LINDUNG_OK;
}

static int
path_set(const char **ret, const struct ld_conf_option *option, struct ld_span text,
	 const struct ld_conf_place *place)
{
	size_t size;
	char *joined;

	if (!text_is_fit(text, 4095))
		return LINDUNG_ECONFIG;
	if (text.len == 0) {
		if (option->type != LD_CONF_PATH)
			return LINDUNG_ECONFIG;
		*ret = NULL;
		return LINDUNG_OK;
	}
	if (place->folder == NULL || text.data[0] == '/')
		return text_set(ret, text, place->arena);
	size = strlen(place->folder) + 1 + text.len + 1;
	joined = ld_arena_alloc(place->arena, size);
	if (joined == NULL)
		return LINDUNG_ENOMEM;
	snprintf(joined, size, "%s/%s", place->folder, (const char *)text.data);
	*ret = joined;
	return LINDUNG_OK;
}

/* `port`: what stands where none is named; 0: one must be. */
static int
address_set(struct ld_conf_address *ret, struct ld_span text, uint16_t port, struct ld_arena *arena)
{
	struct ld_conf_address address = {0};
	size_t at = ld_span_find(text, '@');
	char whole[LD_ADDRESS_TEXT_MAX];
	int len;

	if (ld_address_from_text(&address.socket, text, port, NULL) != LINDUNG_OK ||
	    ld_address_port(&address.socket) == 0)
		return LINDUNG_ECONFIG;
	len = snprintf(whole, sizeof whole, "%.*s@%u", (int)at, (const char *)text.data,
		       ld_address_port(&address.socket));
	LD_ASSERT(len > 0 && (size_t)len < sizeof whole);
	address.text = (const char *)ld_arena_copy(arena, ld_span(whole, (size_t)len)).data;
	if (address.text == NULL)
		return LINDUNG_ENOMEM;
	*ret = address;
	return LINDUNG_OK;
}

static int
server_set(const char **ret, struct ld_span text, const struct ld_conf_place *place)
{
	struct ld_server_address remote;

	if (ld_server_address_from_text(&remote, text, place->why) != LINDUNG_OK)
		return LINDUNG_ECONFIG;
	return text_set(ret, text, place->arena);
}

/* ---- Lists ---------------------------------------------------------------------------------- */

static bool
item_is_fit(const struct ld_conf_option *option, struct ld_span text)
{
	if (option->type == LD_CONF_HOSTS)
		return host_is_fit(text);
	if (option->type == LD_CONF_CONTACTS)
		return ld_conf_text_is_contact(text);
	if (option->type == LD_CONF_DOMAINS)
		return ld_conf_text_is_domain(text);
	return key_is_fit(text);
}

static int
texts_set(struct ld_conf_texts *ret, const struct ld_conf_option *option,
	  const struct ld_yaml *first, unsigned count, const struct ld_conf_place *place,
	  const struct ld_yaml **ret_got)
{
	const char **items = ld_arena_alloc(place->arena, (count + 1) * sizeof *items);
	unsigned i = 0;

	if (items == NULL)
		return LINDUNG_ENOMEM;
	for (const struct ld_yaml *item = first; i < count; item = item->next, i++) {
		int err = LINDUNG_ECONFIG;

		*ret_got = item;
		if (item->kind != LD_YAML_SCALAR)
			return LINDUNG_ECONFIG;
		if (option->type == LD_CONF_PATHS)
			err = path_set(&items[i], option, item->text, place);
		else if (option->type == LD_CONF_SERVERS)
			err = server_set(&items[i], item->text, place);
		else if (item_is_fit(option, item->text))
			err = text_set(&items[i], item->text, place->arena);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret = (struct ld_conf_texts){.items = items, .count = count};
	return LINDUNG_OK;
}

static int
addresses_set(struct ld_conf_addresses *ret, const struct ld_conf_option *option,
	      const struct ld_yaml *first, unsigned count, struct ld_arena *arena,
	      const struct ld_yaml **ret_got)
{
	uint16_t port = (uint16_t)strtoul(option->unit, NULL, 10);
	struct ld_conf_address *items = ld_arena_alloc(arena, (count + 1) * sizeof *items);
	const char **texts = ld_arena_alloc(arena, (count + 1) * sizeof *texts);
	unsigned i = 0;

	if (items == NULL || texts == NULL)
		return LINDUNG_ENOMEM;
	for (const struct ld_yaml *item = first; i < count; item = item->next, i++) {
		int err = LINDUNG_ECONFIG;

		*ret_got = item;
		if (item->kind == LD_YAML_SCALAR)
			err = address_set(&items[i], item->text, port, arena);
		if (err != LINDUNG_OK)
			return err;
		texts[i] = items[i].text;
	}
	*ret = (struct ld_conf_addresses){.items = items, .texts = texts, .count = count};
	return LINDUNG_OK;
}

static int
prefixes_set(struct ld_conf_prefixes *ret, const struct ld_yaml *first, unsigned count,
	     struct ld_arena *arena, const struct ld_yaml **ret_got)
{
	struct ld_prefix *items = ld_arena_alloc(arena, (count + 1) * sizeof *items);
	const char **texts = ld_arena_alloc(arena, (count + 1) * sizeof *texts);
	unsigned i = 0;

	if (items == NULL || texts == NULL)
		return LINDUNG_ENOMEM;
	for (const struct ld_yaml *item = first; i < count; item = item->next, i++) {
		int err;

		*ret_got = item;
		if (item->kind != LD_YAML_SCALAR ||
		    ld_prefix_from_text(&items[i], item->text, NULL) != LINDUNG_OK)
			return LINDUNG_ECONFIG;
		err = text_set(&texts[i], item->text, arena);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret = (struct ld_conf_prefixes){.items = items, .texts = texts, .count = count};
	return LINDUNG_OK;
}

static int
list_set(void *field, const struct ld_conf_option *option, const struct ld_yaml *node,
	 const struct ld_conf_place *place, const struct ld_yaml **ret_got)
{
	const struct ld_yaml *first = node->first;
	unsigned count = node->count;

	/* One item may stand for a list of one; nothing, for an empty one. */
	if (node->kind == LD_YAML_SCALAR) {
		first = node;
		count = node->text.len == 0 && !node->quoted ? 0 : 1;
	}
	if (count < option->min || count > option->max)
		return LINDUNG_ECONFIG;
	if (option->type == LD_CONF_ADDRESSES)
		return addresses_set(field, option, first, count, place->arena, ret_got);
	if (option->type == LD_CONF_PREFIXES)
		return prefixes_set(field, first, count, place->arena, ret_got);
	return texts_set(field, option, first, count, place, ret_got);
}

/* ---- All types ------------------------------------------------------------------------------ */

static int
scalar_set(void *field, const struct ld_conf_option *option, struct ld_span text,
	   const struct ld_conf_place *place)
{
	uint64_t number;
	bool fit;

	switch (option->type) {
	case LD_CONF_BOOL:
		fit = bool_read(text, field);
		break;
	case LD_CONF_INTEGER:
	case LD_CONF_DURATION:
		fit = number_read(option, text, &number);
		if (fit)
			*(uint32_t *)field = (uint32_t)number;
		break;
	case LD_CONF_SIZE:
		fit = number_read(option, text, field);
		break;
	case LD_CONF_TEXT:
		if (!text_is_fit(text, option->max))
			return LINDUNG_ECONFIG;
		return text_set(field, text, place->arena);
	case LD_CONF_HOST:
		if (text.len != 0 && !ld_conf_text_is_domain(text))
			return LINDUNG_ECONFIG;
		return text_set(field, text, place->arena);
	case LD_CONF_LANGUAGE:
		if (!ld_conf_text_is_language(text))
			return LINDUNG_ECONFIG;
		return text_set(field, text, place->arena);
	case LD_CONF_PATH:
		return path_set(field, option, text, place);
	case LD_CONF_IPV4:
		fit = ip_read(AF_INET, text, field);
		break;
	case LD_CONF_IPV6:
		fit = ip_read(AF_INET6, text, field);
		break;
	case LD_CONF_CHOICE:
		fit = choice_read(option, text, field);
		break;
	case LD_CONF_ADDRESS:
		if (text.len == 0) {
			*(struct ld_conf_address *)field = (struct ld_conf_address){0};
			return LINDUNG_OK;
		}
		return address_set(field, text, 0, place->arena);
	case LD_CONF_PATHS:
	case LD_CONF_KEYS:
	case LD_CONF_HOSTS:
	case LD_CONF_CONTACTS:
	case LD_CONF_DOMAINS:
	case LD_CONF_ADDRESSES:
	case LD_CONF_PREFIXES:
	case LD_CONF_SERVERS:
	default:
		fit = false;
	}
	return fit ? LINDUNG_OK : LINDUNG_ECONFIG;
}

static bool
is_list(const struct ld_conf_option *option)
{
	return option->type == LD_CONF_PATHS || option->type == LD_CONF_KEYS ||
	       option->type == LD_CONF_HOSTS || option->type == LD_CONF_CONTACTS ||
	       option->type == LD_CONF_DOMAINS || option->type == LD_CONF_ADDRESSES ||
	       option->type == LD_CONF_PREFIXES || option->type == LD_CONF_SERVERS;
}

/* The default as it would stand in a file. */
static int
fallback_set(void *field, const struct ld_conf_option *option, const struct ld_conf_place *place)
{
	struct ld_yaml items[8] = {0}, list = {.kind = LD_YAML_SEQUENCE, .first = items};
	char words[8][64];
	const struct ld_yaml *got;
	struct ld_span rest = ld_span_str(option->fallback);

	if (!is_list(option))
		return scalar_set(field, option, rest, place);
	for (; rest.len != 0; list.count++) {
		size_t end = ld_span_find(rest, ' ');

		LD_ASSERT(list.count < 8 && end < sizeof words[0]);
		memcpy(words[list.count], rest.data, end);
		words[list.count][end] = '\0';
		items[list.count].text = ld_span(words[list.count], end);
		if (list.count != 0)
			items[list.count - 1].next = &items[list.count];
		rest = ld_span_from(rest, end + 1);
	}
	return list_set(field, option, &list, place, &got);
}

int
ld_conf_value_set(void *field, const struct ld_conf_option *option, const struct ld_yaml *node,
		  const struct ld_conf_place *place, const struct ld_yaml **ret_got)
{
	if (node == NULL)
		return fallback_set(field, option, place);
	*ret_got = node;
	if (node->kind != LD_YAML_MAPPING && is_list(option))
		return list_set(field, option, node, place, ret_got);
	if (node->kind != LD_YAML_SCALAR)
		return LINDUNG_ECONFIG;
	return scalar_set(field, option, node->text, place);
}
