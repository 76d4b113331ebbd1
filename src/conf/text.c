/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/text.h"

static bool
is_alpha(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_alnum(uint8_t c)
{
	return is_alpha(c) || (c >= '0' && c <= '9');
}

bool
ld_conf_text_is_contact(struct ld_span text)
{
	struct ld_span rest = ld_span_from(text, ld_span_find(text, ':') + 1);

	if ((!ld_span_starts(text, LD_SPAN("tel:")) && !ld_span_starts(text, LD_SPAN("mailto:"))) ||
	    rest.len == 0 || text.len > LD_CONF_CONTACT_MAX)
		return false;
	/* RFC 3986: neither blanks nor what is not ASCII stands in a URI as it is. */
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] <= ' ' || rest.data[i] >= 0x7f ||
		    strchr("\"<>\\^`{|}", rest.data[i]) != NULL)
			return false;
	return text.data[0] == 't' || ld_span_find(rest, '@') != rest.len;
}

bool
ld_conf_text_is_domain(struct ld_span text)
{
	size_t label = 0;

	if (text.len == 0 || text.len > LD_CONF_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '.' && label == 0)
			return false;
		if (c != '.' && !is_alnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label != 0;
}

bool
ld_conf_text_is_language(struct ld_span text)
{
	size_t subtag = 0, first = ld_span_find(text, '-');

	if (text.len == 0 || text.len > LD_CONF_LANGUAGE_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '-' ? subtag == 0 : !(i < first ? is_alpha(c) : is_alnum(c)))
			return false;
		subtag = c == '-' ? 0 : subtag + 1;
		if (subtag > 8)
			return false;
	}
	/* "i-klingon" and "x-ours" are the only ones with one letter in front, and need a second.
	 */
	if (first == 1 && (text.len == 1 || strchr("iIxX", text.data[0]) == NULL))
		return false;
	return subtag != 0;
}
