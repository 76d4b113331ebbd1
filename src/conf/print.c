/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include "conf/option.h"

/* "64M" rather than 67108864, where that is exact. */
static void
size_text(uint64_t n, char text[32])
{
	static const char units[] = {'K', 'M', 'G'};
	char unit[2] = "";

	for (size_t i = 0; i < sizeof units && n != 0 && n % 1024 == 0; i++) {
		n /= 1024;
		unit[0] = units[i];
	}
	snprintf(text, 32, "%" PRIu64 "%s", n, unit);
}

static void
choices_text(const struct ld_conf_choice *choice, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (; choice->key != NULL && len < size; choice++)
		len += (size_t)snprintf(text + len, size - len, "%s%s",
					len == 0                ? ""
					: choice[1].key == NULL ? " or "
								: ", ",
					choice->key);
}

static void
number_expected(const struct ld_conf_option *option, char *text)
{
	char low[32], high[32];

	if (option->type == LD_CONF_SIZE) {
		size_text(option->min, low);
		size_text(option->max, high);
		snprintf(text, LD_CONF_EXPECTED_BYTES, "a number of %s from %s to %s", option->unit,
			 low, high);
	} else if (option->type == LD_CONF_DURATION) {
		snprintf(text, LD_CONF_EXPECTED_BYTES,
			 "a time from %" PRIu64 " to %" PRIu64
			 " %s (or with a unit: ms, s, m, h, d)",
			 option->min, option->max, option->unit);
	} else {
		snprintf(text, LD_CONF_EXPECTED_BYTES,
			 "a whole number from %" PRIu64 " to %" PRIu64 " (%s)", option->min,
			 option->max, option->unit);
	}
}

static void
list_expected(const struct ld_conf_option *option, const char *what, char *text)
{
	snprintf(text, LD_CONF_EXPECTED_BYTES, "a list of %" PRIu64 " to %" PRIu64 " %s",
		 option->min, option->max, what);
}

void
ld_conf_expected(const struct ld_conf_option *option, char text[LD_CONF_EXPECTED_BYTES])
{
	const char *what = "";

	switch (option->type) {
	case LD_CONF_INTEGER:
	case LD_CONF_DURATION:
	case LD_CONF_SIZE:
		number_expected(option, text);
		return;
	case LD_CONF_PATHS:
		list_expected(option, "paths", text);
		return;
	case LD_CONF_KEYS:
		list_expected(option, "keys (a-z, 0-9, '-', '_')", text);
		return;
	case LD_CONF_HOSTS:
		list_expected(option,
			      "names with their addresses, as \"nas.home.arpa 192.168.1.10 "
			      "fd00::10\"",
			      text);
		return;
	case LD_CONF_CONTACTS:
		list_expected(option, "contacts, as tel:+62-21-500-000 or mailto:help@example.org",
			      text);
		return;
	case LD_CONF_DOMAINS:
		list_expected(option,
			      "domains in ASCII (A-labels), as example.org, without the last dot",
			      text);
		return;
	case LD_CONF_LANGUAGE:
		snprintf(text, LD_CONF_EXPECTED_BYTES, "a language tag (RFC 5646), as en or pt-BR");
		return;
	case LD_CONF_ADDRESSES:
		list_expected(option, "addresses, as 192.0.2.1@53 or 2001:db8::1@53", text);
		return;
	case LD_CONF_PREFIXES:
		list_expected(option,
			      "prefixes, as 192.0.2.0/24 or 2001:db8::/32, no bits set behind the "
			      "length",
			      text);
		return;
	case LD_CONF_SERVERS:
		list_expected(option, "servers, as 192.0.2.1@53 or tls://192.0.2.1#dns.example",
			      text);
		return;
	case LD_CONF_CHOICE:
		choices_text(option->choices, text, LD_CONF_EXPECTED_BYTES);
		return;
	case LD_CONF_TEXT:
		snprintf(text, LD_CONF_EXPECTED_BYTES,
			 "a text of at most %" PRIu64 " bytes in one line", option->max);
		return;
	case LD_CONF_BOOL:
		what = "yes or no";
		break;
	case LD_CONF_PATH:
		what = "the path of a file";
		break;
	case LD_CONF_HOST:
		what = "the name of a host, as dns.example.net, or \"\"";
		break;
	case LD_CONF_ADDRESS:
		what = "an address with a port, as 127.0.0.1@9354, or \"\"";
		break;
	case LD_CONF_IPV4:
		what = "an IPv4 address";
		break;
	case LD_CONF_IPV6:
		what = "an IPv6 address";
		break;
	default:
		break;
	}
	snprintf(text, LD_CONF_EXPECTED_BYTES, "%s", what);
}

/* Double-quoted unless it is plainly plain; values hold no control characters. */
static void
text_print(const char *text, struct ld_buffer *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-";

	if (text == NULL)
		text = "";
	if (text[0] != '\0' && text[0] != '-' && text[strspn(text, plain)] == '\0') {
		ld_buffer_printf(out, "%s", text);
		return;
	}
	ld_buffer_printf(out, "\"");
	for (; *text != '\0'; text++)
		ld_buffer_printf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	ld_buffer_printf(out, "\"");
}

static void
texts_print(const char *const *items, unsigned count, struct ld_buffer *out)
{
	ld_buffer_printf(out, "[");
	for (unsigned i = 0; i < count; i++) {
		if (i != 0)
			ld_buffer_printf(out, ", ");
		/* Addresses hold ':' and '@', and are quoted by that. */
		text_print(items[i], out);
	}
	ld_buffer_printf(out, "]");
}

static void
ip_print(int family, const struct ld_conf_ip *ip, struct ld_buffer *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (ip->given)
		inet_ntop(family, ip->octets, text, sizeof text);
	text_print(text, out);
}

static void
choice_print(int value, const struct ld_conf_choice *choice, struct ld_buffer *out)
{
	while (choice->key != NULL && choice->value != value)
		choice++;
	LD_ASSERT(choice->key != NULL);
	text_print(choice->key, out);
}

void
ld_conf_value_print(const void *field, const struct ld_conf_option *option, struct ld_buffer *out)
{
	const struct ld_conf_addresses *addresses;
	const struct ld_conf_prefixes *prefixes;
	const struct ld_conf_texts *texts;
	char text[32];

	switch (option->type) {
	case LD_CONF_BOOL:
		ld_buffer_printf(out, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case LD_CONF_INTEGER:
	case LD_CONF_DURATION:
		ld_buffer_printf(out, "%" PRIu32, *(const uint32_t *)field);
		break;
	case LD_CONF_SIZE:
		size_text(*(const uint64_t *)field, text);
		ld_buffer_printf(out, "%s", text);
		break;
	case LD_CONF_TEXT:
	case LD_CONF_HOST:
	case LD_CONF_LANGUAGE:
	case LD_CONF_PATH:
		text_print(*(const char *const *)field, out);
		break;
	case LD_CONF_ADDRESS:
		text_print(((const struct ld_conf_address *)field)->text, out);
		break;
	case LD_CONF_PATHS:
	case LD_CONF_KEYS:
	case LD_CONF_HOSTS:
	case LD_CONF_CONTACTS:
	case LD_CONF_DOMAINS:
	case LD_CONF_SERVERS:
		texts = field;
		texts_print(texts->items, texts->count, out);
		break;
	case LD_CONF_ADDRESSES:
		addresses = field;
		texts_print(addresses->texts, addresses->count, out);
		break;
	case LD_CONF_PREFIXES:
		prefixes = field;
		texts_print(prefixes->texts, prefixes->count, out);
		break;
	case LD_CONF_IPV4:
		ip_print(AF_INET, field, out);
		break;
	case LD_CONF_IPV6:
		ip_print(AF_INET6, field, out);
		break;
	case LD_CONF_CHOICE:
		choice_print(*(const int *)field, option->choices, out);
		break;
	default:
		LD_ASSERT(!"a type of its own");
	}
}

/* Length of the group that a key stands in: 5 for "block.ttl-s", 0 for "listen". */
static size_t
group_len(const char *key)
{
	const char *dot = strchr(key, '.');

	return dot != NULL ? (size_t)(dot - key) : 0;
}

void
ld_conf_print(const struct ld_conf *conf, struct ld_buffer *out)
{
	const char *group = "";

	for (unsigned i = 0; i < ld_conf_option_count; i++) {
		const struct ld_conf_option *option = &ld_conf_options[i];
		size_t len = group_len(option->key);

		if (len != 0 && (group_len(group) != len || strncmp(group, option->key, len) != 0))
			ld_buffer_printf(out, "%.*s:\n", (int)len, option->key);
		group = option->key;
		ld_buffer_printf(out, "%s%s: ", len != 0 ? "  " : "",
				 option->key + (len != 0 ? len + 1 : 0));
		ld_conf_value_print((const char *)conf + option->offset, option, out);
		ld_buffer_printf(out, "\n");
	}
}
