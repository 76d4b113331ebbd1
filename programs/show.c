/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* Octets of the UTF-8 character at the start, 0 if it is none that may be printed: control
 * characters (C1 too) and marks that turn the direction of text are not. */
static size_t
printable_len(struct ld_span text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text.data[0];
	size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? first : len == 2 ? first & 0x1fu : first & 0xfu;

	if (len == 0 || first > 0xf4 || len > text.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text.data[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	return len;
}

void
ld_show_text(FILE *to, struct ld_span text)
{
	bool cut = text.len > LD_SHOW_MAX_BYTES;
	struct ld_span rest = ld_span_first(text, LD_SHOW_MAX_BYTES);

	while (rest.len != 0) {
		size_t len = printable_len(rest);

		if (len == 0)
			fprintf(to, "\\x%02x", rest.data[0]);
		else if (rest.data[0] == '\\')
			fputs("\\\\", to);
		else
			fwrite(rest.data, 1, len, to);
		rest = ld_span_from(rest, len != 0 ? len : 1);
	}
	if (cut)
		fputs("...", to);
}

struct ld_number
ld_show_number(uint64_t n)
{
	struct ld_number ret;
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
	char *at = ret.text;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return ret;
}

struct ld_number
ld_show_bytes(uint64_t n)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	struct ld_number ret;
	double value = (double)n / 1000;
	size_t unit = 0;

	if (n < 1000) {
		snprintf(ret.text, sizeof ret.text, "%" PRIu64 " bytes", n);
		return ret;
	}
	for (; value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]; unit++)
		value /= 1000;
	snprintf(ret.text, sizeof ret.text, "%.1f %s", value, units[unit]);
	return ret;
}

struct ld_number
ld_show_day(uint32_t days)
{
	struct ld_number ret = {"none"};
	time_t t = (time_t)days * 86400;
	struct tm tm;

	if (days != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(ret.text, sizeof ret.text, "%Y-%m-%d", &tm);
	return ret;
}

json_t *
ld_show_json(struct ld_span text)
{
	json_t *string = json_stringn((const char *)text.data, text.len);
	char *plain;

	if (string != NULL || text.len == 0)
		return string != NULL ? string : json_string("");
	plain = malloc(text.len);
	if (plain == NULL)
		return NULL;
	for (size_t i = 0; i < text.len; i++)
		plain[i] = text.data[i] < 0x80 ? (char)text.data[i] : '?';
	string = json_stringn(plain, text.len);
	free(plain);
	return string;
}

bool
ld_show_object(FILE *to, json_t *object)
{
	bool done = object != NULL && json_dumpf(object, to, JSON_COMPACT) == 0;

	json_decref(object);
	return done && putc('\n', to) != EOF;
}

bool
ld_show_end(const char *program)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	fprintf(stderr, "%s: cannot write to standard output: %s\n", program, strerror(errno));
	return false;
}
