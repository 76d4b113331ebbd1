/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/idna.h"

#include <idn2.h>

/* Longest text that is looked at; also a bound on the work libidn2 is given. */
#define UTF8_MAX (4 * (size_t)LD_HOST_MAX)
/* UseSTD3ASCIIRules stays off: '_' is common in names, and the host rules are checked at the end.
 */
#define LOOKUP_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

static bool
is_ascii(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 0x80)
			return false;
	}
	return true;
}

static bool
has_ace_prefix(struct ld_span label)
{
	return label.len >= 4 && (label.data[0] | 0x20) == 'x' && (label.data[1] | 0x20) == 'n' &&
	       label.data[2] == '-' && label.data[3] == '-';
}

/* Octets of the label separator that begins at text[at]; 0 if none does.  IDNA has four: the full
 * stop, U+3002, U+FF0E and U+FF61. */
static size_t
separator_len(struct ld_span text, size_t at)
{
	struct ld_span rest = ld_span_from(text, at);

	if (rest.data[0] == '.')
		return 1;
	if (ld_span_starts(rest, LD_SPAN("\xe3\x80\x82")) ||
	    ld_span_starts(rest, LD_SPAN("\xef\xbc\x8e")) ||
	    ld_span_starts(rest, LD_SPAN("\xef\xbd\xa1")))
		return 3;
	return 0;
}

static int
idn2_error(int rc)
{
	if (rc == IDN2_TOO_BIG_LABEL || rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_PUNYCODE_BIG_OUTPUT)
		return LINDUNG_ELIMIT;
	return rc == IDN2_MALLOC ? LINDUNG_ENOMEM : LINDUNG_EIDNA;
}

/* Append octets to host text that is being put together, one octet kept free. */
static int
host_append(char *host, size_t *len, struct ld_span text)
{
	if (text.len > LD_HOST_MAX - *len)
		return LINDUNG_ELIMIT;
	if (text.len != 0)
		memcpy(host + *len, text.data, text.len);
	*len += text.len;
	return LINDUNG_OK;
}

/* Only labels that need it go through libidn2: it would refuse ASCII ones with "--" in the third
 * and fourth place ("r3---sn-5hne6nsz"), which exist. */
static int
label_append(char *host, size_t *len, struct ld_span label)
{
	char text[UTF8_MAX + 1];
	uint8_t *ascii;

	if (is_ascii(label) && !has_ace_prefix(label))
		return host_append(host, len, label);
	memcpy(text, label.data, label.len);
	text[label.len] = '\0';
	int rc = idn2_lookup_u8((const uint8_t *)text, &ascii, LOOKUP_FLAGS);
	if (rc != IDN2_OK)
		return idn2_error(rc);
	rc = host_append(host, len, ld_span_str((const char *)ascii));
	idn2_free(ascii);
	return rc;
}

int
ld_idna_to_host(char *host, size_t *ret_len, struct ld_span utf8)
{
	char joined[LD_HOST_MAX + 1];
	size_t len = 0, start = 0, at = 0;
	int err;

	if (is_ascii(utf8))
		return ld_host_from_text(host, ret_len, utf8);
	if (utf8.len > UTF8_MAX)
		return LINDUNG_ELIMIT;
	if (ld_span_find(utf8, '\0') < utf8.len)
		return LINDUNG_EIDNA;
	while (at < utf8.len) {
		size_t separator = separator_len(utf8, at);

		if (separator == 0) {
			at++;
			continue;
		}
		err = label_append(joined, &len, ld_span(utf8.data + start, at - start));
		if (err != LINDUNG_OK)
			return err;
		at += separator;
		start = at;
		/* The last dot of a name of full length need not fit: it is taken off anyway. */
		if (at == utf8.len)
			break;
		err = host_append(joined, &len, LD_SPAN("."));
		if (err != LINDUNG_OK)
			return err;
	}
	err = label_append(joined, &len, ld_span_from(utf8, start));
	if (err != LINDUNG_OK)
		return err;
	return ld_host_from_text(host, ret_len, ld_span(joined, len));
}

/* Decode one A-label to `out`; 0 if it does not stand for a valid U-label.  Shown is only what
 * leads back to the same label, so that no hand-made one can show what IDNA forbids. */
static size_t
label_decode(char *out, struct ld_span label)
{
	char ascii[LD_LABEL_MAX + 1], *unicode = NULL;
	uint8_t *again = NULL;
	size_t len = 0;

	if (label.len > LD_LABEL_MAX)
		return 0;
	memcpy(ascii, label.data, label.len);
	ascii[label.len] = '\0';
	if (idn2_to_unicode_8z8z(ascii, &unicode, 0) == IDN2_OK &&
	    idn2_lookup_u8((const uint8_t *)unicode, &again, LOOKUP_FLAGS) == IDN2_OK &&
	    strcmp((const char *)again, ascii) == 0) {
		len = strlen(unicode);
		memcpy(out, unicode, len);
	}
	idn2_free(unicode);
	idn2_free(again);
	return len;
}

size_t
ld_idna_to_unicode(char *text, struct ld_span host)
{
	size_t out = 0;

	host = ld_span_first(host, LD_HOST_MAX);
	for (;;) {
		struct ld_span label = ld_span_first(host, ld_span_find(host, '.'));
		size_t len = has_ace_prefix(label) ? label_decode(text + out, label) : 0;

		if (len == 0 && label.len != 0) {
			memcpy(text + out, label.data, label.len);
			len = label.len;
		}
		out += len;
		if (label.len == host.len)
			break;
		text[out++] = '.';
		host = ld_span_from(host, label.len + 1);
	}
	text[out] = '\0';
	return out;
}

const char *
ld_idna_version(void)
{
	return idn2_check_version(NULL);
}
