/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/beside.h"

#include <stdbool.h>
#include <stdio.h>

#include "name/name.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

static char
letter(uint64_t *random)
{
	return letters[ld_beside_draw(random) % (sizeof letters - 1)];
}

static bool
is_name(struct ld_span name)
{
	size_t label = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '.' && label == 0)
			return false;
		label = name.data[i] == '.' ? 0 : label + 1;
		if (label > LD_LABEL_MAX)
			return false;
	}
	return label > 0 && name.len <= LD_HOST_MAX;
}

void
ld_beside(struct ld_span host, uint64_t *random, ld_beside_each *each, void *ctx)
{
	const char *text = (const char *)host.data;
	int len = (int)host.len, dot = (int)ld_span_find(host, '.');
	int at = (int)(ld_beside_draw(random) % host.len);
	char one = letter(random), made[LD_BESIDE_KINDS][LD_BESIDE_NAME_BYTES];

	if (host.len > LD_HOST_MAX)
		return;
	snprintf(made[LD_BESIDE_CHILD], sizeof *made, "%c%c.%.*s", one, letter(random), len, text);
	snprintf(made[LD_BESIDE_CHANGED], sizeof *made, "%.*s%c%.*s", at, text,
		 text[at] == '.' ? '.' : one, len - at - 1, text + at + 1);
	snprintf(made[LD_BESIDE_INSERTED], sizeof *made, "%.*s%c%.*s", at, text, one, len - at,
		 text + at);
	snprintf(made[LD_BESIDE_TAKEN], sizeof *made, "%.*s%.*s", at, text, len - at - 1,
		 text + at + 1);
	snprintf(made[LD_BESIDE_PARENT], sizeof *made, "%.*s", dot < len ? len - dot - 1 : 0,
		 text + dot + (dot < len));
	snprintf(made[LD_BESIDE_WITHIN], sizeof *made, "%.*s.%c%.*s", dot, text, one, len - dot,
		 text + dot);
	for (int kind = 0; kind < LD_BESIDE_KINDS; kind++)
		if (is_name(ld_span_str(made[kind])))
			each(ctx, (enum ld_beside)kind, ld_span_str(made[kind]));
}

struct ld_span
ld_beside_random(char *name, struct ld_span one, struct ld_span other, uint64_t *random)
{
	size_t len = ld_beside_draw(random) % 10;
	char middle[16];

	for (size_t i = 0; i < len; i++)
		middle[i] = letter(random);
	middle[len] = '\0';
	one = ld_span_first(one, ld_span_find(one, '.'));
	switch (ld_beside_draw(random) % 3) {
	case 0: /* a label of one before the parents of the other */
		other = ld_span_from(other, ld_span_find(other, '.') + 1);
		break;
	case 1: /* letters alone, and a top-level domain */
		one = ld_span_first(one, 0);
		while (ld_span_find(other, '.') < other.len)
			other = ld_span_from(other, ld_span_find(other, '.') + 1);
		break;
	default:
		break;
	}
	int made = snprintf(name, LD_BESIDE_NAME_BYTES, "%.*s%s%s%.*s", (int)one.len,
			    (const char *)one.data, middle,
			    one.len + len != 0 && other.len != 0 ? "." : "", (int)other.len,
			    (const char *)other.data);
	struct ld_span ret = ld_span(name, made);
	return is_name(ret) ? ret : ld_span_first(ret, 0);
}
