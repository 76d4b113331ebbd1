/* The tables of formats and of reasons for rejections.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "list/list.h"

static const char *const format_keys[] = {
#define LD_X(symbol, key, what, ending) key,
	LD_LIST_FORMATS(LD_X)
#undef LD_X
};

static const struct {
	const char *key;
	const char *text;
	bool strict;
} rejects[] = {
#define LD_X(symbol, key, what, strict) {key, what, strict},
	LD_REJECTS(LD_X)
#undef LD_X
};

const char *
ld_reject_key(enum ld_reject reason)
{
	return (unsigned)reason < LD_REJECT_COUNT ? rejects[reason].key : "unknown";
}

const char *
ld_reject_text(enum ld_reject reason)
{
	return (unsigned)reason < LD_REJECT_COUNT ? rejects[reason].text : "unknown";
}

bool
ld_reject_is_strict(enum ld_reject reason)
{
	return (unsigned)reason < LD_REJECT_COUNT && rejects[reason].strict;
}

int
ld_list_format_find(const char *key)
{
	for (int i = 0; i < LD_LIST_FORMAT_COUNT; i++) {
		if (strcmp(format_keys[i], key) == 0)
			return i;
	}
	return -1;
}

const char *
ld_list_format_key(enum ld_list_format format)
{
	return (unsigned)format < LD_LIST_FORMAT_COUNT ? format_keys[format] : "unknown";
}

bool
ld_list_format_is_read(enum ld_list_format format)
{
	return format > LD_LIST_AUTO && format < LD_LIST_CHROMIUM;
}

bool
ld_list_format_is_written(enum ld_list_format format)
{
	return format > LD_LIST_AUTO && format < LD_LIST_FORMAT_COUNT && format != LD_LIST_CSV &&
	       format != LD_LIST_URLS;
}

bool
ld_list_lines_alone(enum ld_list_format format)
{
	return format != LD_LIST_RPZ && format != LD_LIST_CSV && format != LD_LIST_UNBOUND;
}
