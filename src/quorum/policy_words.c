/* Words, numbers and times of a policy.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "quorum/policy_read.h"

int
ld_policy_fail(const struct ld_policy_file *f, int error, const char *format, ...)
{
	struct ld_report what;
	va_list args;

	va_start(args, format);
	vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	return ld_fail(f->reader->report, error, "%s:%u: %.400s", f->name, f->line, what.text);
}

char *
ld_policy_copy(const struct ld_policy_file *f, struct ld_span text)
{
	return (char *)(uintptr_t)ld_arena_copy(&f->reader->policy->arena, text).data;
}

/* ---- Words ----------------------------------------------------------------------------------- */

int
ld_words_cut(const struct ld_policy_file *f, struct ld_span line, struct ld_words *ret)
{
	size_t at = 0;

	ret->count = 0;
	for (size_t i = 0; i < line.len; i++)
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
			return ld_policy_fail(f, LINDUNG_ESYNTAX, "control character 0x%02x",
					      line.data[i]);
	for (;;) {
		while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
			at++;
		if (at == line.len || line.data[at] == '#')
			return LINDUNG_OK;
		size_t from = at;
		while (at < line.len && line.data[at] != ' ' && line.data[at] != '\t')
			at++;
		if (ret->count == LD_WORDS_MAX)
			return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d words in a line",
					      (int)LD_WORDS_MAX);
		if (ret->count < 3)
			ret->rest[ret->count] = ld_span_trim(ld_span_from(line, from));
		ret->word[ret->count++] = ld_span(line.data + from, at - from);
	}
}

int
ld_words_expect(const struct ld_policy_file *f, const struct ld_words *w, size_t least, size_t most)
{
	if (w->count < least + 1)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\": something is missing behind it",
				      LD_WORD_SHOWN(w->word[0]));
	if (w->count > most + 1)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\": too much in the line: \"%.*s\"",
				      LD_WORD_SHOWN(w->word[0]), LD_WORD_SHOWN(w->word[most + 1]));
	return LINDUNG_OK;
}

bool
ld_number_read(struct ld_span word, uint32_t most, uint32_t *ret)
{
	uint64_t value;

	if ((word.len > 1 && word.data[0] == '0') || !ld_span_number(&value, word, 10) ||
	    value > most)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "14d", "12h", "90s"; "never" where `never` is what that means. */
int
ld_duration_read(const struct ld_policy_file *f, struct ld_span word, int64_t most_s, int64_t never,
		 int64_t *ret)
{
	int64_t unit = 0;
	uint32_t n;

	if (never >= 0 && ld_word_is(word, "never")) {
		*ret = never;
		return LINDUNG_OK;
	}
	if (word.len >= 2)
		switch (word.data[word.len - 1]) {
		case 'd':
			unit = LD_POLICY_DAY_S;
			break;
		case 'h':
			unit = 3600;
			break;
		case 's':
			unit = 1;
			break;
		default:
			break;
		}
	if (unit == 0 || !ld_number_read(ld_span_first(word, word.len - 1), UINT32_MAX, &n) ||
	    n == 0 || (int64_t)n > most_s / unit)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\" is no time: write 30d, 12h or 90s, at most %" PRId64
				      "d",
				      LD_WORD_SHOWN(word), most_s / LD_POLICY_DAY_S);
	*ret = n * unit;
	return LINDUNG_OK;
}
