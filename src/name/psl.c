/* SPDX-License-Identifier: BSD-2-Clause */
#include "name/psl.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "name/idna.h"

#define SYSTEM_LIST "/usr/share/publicsuffix/public_suffix_list.dat"
#define COMPILED_LIST "/usr/share/publicsuffix/public_suffix_list.dafsa"
#define LIST_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* A look-up in libpsl takes near 200 ns, and nearly every name that is asked about is no suffix. So
 * every rule sets one bit of 2^18, by hash: a name whose bits are not set is no suffix, any other
 * is for libpsl to judge. */
enum {
	RULE_BITS = 1 << 18,
	SEED_RULE = 0,    /* "com", and "ck" of "*.ck" */
	SEED_WILDCARD = 1 /* "ck" of "*.ck": asked about with a name's parent */
};

struct ld_psl {
	const psl_ctx_t *list;
	psl_ctx_t *owned; /* `list`, unless that is libpsl's own */
	bool has_filter;
	char date[sizeof "2026-11-01"];
	uint64_t rules[RULE_BITS / 64];
};

/* ---- The filter ----------------------------------------------------------------------------- */

static uint32_t
rule_bit(struct ld_span name, uint64_t seed)
{
	return (uint32_t)ld_hash_bytes(name, seed) % RULE_BITS;
}

static bool
rule_is_set(const struct ld_psl *psl, struct ld_span name, uint64_t seed)
{
	uint32_t bit = rule_bit(name, seed);

	return (psl->rules[bit / 64] >> bit % 64 & 1) != 0;
}

static void
rule_set(struct ld_psl *psl, struct ld_span name, uint64_t seed)
{
	uint32_t bit = rule_bit(name, seed);

	psl->rules[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Take in one line of the list.  false: a rule that cannot be written as a host, of which the
 * filter would know nothing. */
static bool
filter_add(struct ld_psl *psl, struct ld_span line)
{
	char host[LD_HOST_MAX + 1];
	size_t len;

	line = ld_span_trim(line);
	line = ld_span_first(line, ld_span_find(line, ' '));
	line = ld_span_first(line, ld_span_find(line, '\t'));
	if (line.len == 0 || ld_span_starts(line, LD_SPAN("//")))
		return true;
	bool is_wildcard = ld_span_starts(line, LD_SPAN("*."));
	if (is_wildcard)
		line = ld_span_from(line, 2);
	else if (line.data[0] == '!')
		return true; /* the wildcard that it is an exception to has a bit */
	if (ld_idna_to_host(host, &len, line) != LINDUNG_OK)
		return false;
	rule_set(psl, ld_span(host, len), SEED_RULE);
	if (is_wildcard)
		rule_set(psl, ld_span(host, len), SEED_WILDCARD);
	return true;
}

static void
filter_build(struct ld_psl *psl, struct ld_span text)
{
	psl->has_filter = true;
	while (text.len != 0 && psl->has_filter) {
		size_t end = ld_span_find(text, '\n');

		psl->has_filter = filter_add(psl, ld_span_first(text, end));
		text = ld_span_from(text, end + 1);
	}
}

/* ---- Opening -------------------------------------------------------------------------------- */

static void
date_from_time(struct ld_psl *psl, time_t when)
{
	struct tm tm;

	if (when <= 0 || gmtime_r(&when, &tm) == NULL ||
	    strftime(psl->date, sizeof psl->date, "%Y-%m-%d", &tm) == 0)
		strcpy(psl->date, "unknown");
}

/* "// VERSION: 2026-11-01_07-31-18_UTC"; false if the list has no such line. */
static bool
date_from_text(struct ld_psl *psl, struct ld_span text)
{
	static const char form[] = "dddd-dd-dd", mark[] = "// VERSION: ";
	const uint8_t *at =
		text.len != 0 ? memmem(text.data, text.len, mark, sizeof mark - 1) : NULL;

	if (at == NULL)
		return false;
	struct ld_span date = ld_span_from(text, (size_t)(at - text.data) + sizeof mark - 1);
	date = ld_span_first(date, sizeof form - 1);
	for (size_t i = 0; form[i] != '\0'; i++) {
		bool is_digit = i < date.len && date.data[i] >= '0' && date.data[i] <= '9';

		if (i >= date.len || (form[i] == 'd' ? !is_digit : date.data[i] != '-'))
			return false;
	}
	memcpy(psl->date, date.data, date.len);
	psl->date[date.len] = '\0';
	return true;
}

static int
list_parse(struct ld_psl *psl, const char *path, struct ld_span text, struct ld_report *report)
{
	static const char mark[] = "===BEGIN ICANN DOMAINS===";
	struct stat st;

	/* libpsl would take any text for a list, and then say that next to nothing is a suffix. */
	if (text.len == 0 || memmem(text.data, text.len, mark, sizeof mark - 1) == NULL)
		return ld_fail(report, LINDUNG_EFORMAT,
			       "%s: not a public suffix list: it has no line \"// %s\"; "
			       "take public_suffix_list.dat from publicsuffix.org",
			       path, mark);
	FILE *file = fmemopen((void *)(uintptr_t)text.data, text.len, "r");
	if (file != NULL) {
		psl->owned = psl_load_fp(file);
		fclose(file);
	}
	if (psl->owned == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	psl->list = psl->owned;
	if (psl_suffix_count(psl->list) == 0)
		return ld_fail(report, LINDUNG_EFORMAT, "%s: the list has no rule", path);
	filter_build(psl, text);
	if (!date_from_text(psl, text))
		date_from_time(psl, stat(path, &st) == 0 ? st.st_mtime : 0);
	return LINDUNG_OK;
}

static int
list_read(struct ld_psl *psl, const char *path, struct ld_report *report)
{
	uint8_t *text;
	size_t len;
	int err = ld_read_file(path, LIST_MAX_BYTES, &text, &len, report);

	if (err == LINDUNG_ELIMIT)
		return ld_fail(report, LINDUNG_EFORMAT,
			       "%s: larger than 16 MiB: not a public suffix list", path);
	if (err != LINDUNG_OK)
		return err;
	err = list_parse(psl, path, ld_span(text, len), report);
	free(text);
	return err;
}

/* The same list as Debian compiles it for libpsl: there at once, but slower to ask, without a
 * filter before it. */
static bool
list_compiled(struct ld_psl *psl)
{
	struct stat st;

	psl->owned = psl_load_file(COMPILED_LIST);
	if (psl->owned == NULL)
		return false;
	psl->list = psl->owned;
	date_from_time(psl, stat(COMPILED_LIST, &st) == 0 ? st.st_mtime : 0);
	return true;
}

int
ld_psl_open_quick(struct ld_psl **ret, struct ld_report *report)
{
	struct ld_psl *psl = calloc(1, sizeof *psl);

	if (psl == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (list_compiled(psl)) {
		*ret = psl;
		return LINDUNG_OK;
	}
	ld_psl_close(psl);
	return ld_psl_open(ret, NULL, report);
}

int
ld_psl_open(struct ld_psl **ret, const char *path, struct ld_report *report)
{
	struct ld_psl *psl = calloc(1, sizeof *psl);
	int err;

	if (psl == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	err = list_read(psl, path != NULL ? path : SYSTEM_LIST, report);
	if (err == LINDUNG_EIO && path == NULL && psl_builtin() != NULL) {
		psl->list = psl_builtin();
		date_from_time(psl, psl_builtin_file_time());
		err = LINDUNG_OK;
	}
	if (err != LINDUNG_OK) {
		ld_psl_close(psl);
		return err;
	}
	*ret = psl;
	return LINDUNG_OK;
}

void
ld_psl_close(struct ld_psl *psl)
{
	if (psl == NULL)
		return;
	psl_free(psl->owned);
	free(psl);
}

/* ---- Asking --------------------------------------------------------------------------------- */

/* libpsl wants terminated text. */
static bool
host_copy(char copy[LD_HOST_MAX + 1], struct ld_span host)
{
	if (host.len == 0 || host.len > LD_HOST_MAX)
		return false;
	memcpy(copy, host.data, host.len);
	copy[host.len] = '\0';
	return true;
}

bool
ld_psl_is_suffix(const struct ld_psl *psl, struct ld_span host)
{
	char copy[LD_HOST_MAX + 1];
	size_t dot = ld_span_find(host, '.');

	if (dot == host.len)
		return host.len != 0;
	if (psl->has_filter && !rule_is_set(psl, host, SEED_RULE) &&
	    !rule_is_set(psl, ld_span_from(host, dot + 1), SEED_WILDCARD))
		return false;
	return host_copy(copy, host) && psl_is_public_suffix(psl->list, copy) != 0;
}

struct ld_span
ld_psl_registrable(const struct ld_psl *psl, struct ld_span host)
{
	char copy[LD_HOST_MAX + 1];

	if (!host_copy(copy, host))
		return (struct ld_span){NULL, 0};
	const char *domain = psl_registrable_domain(psl->list, copy);
	if (domain == NULL)
		return (struct ld_span){NULL, 0};
	return ld_span_from(host, (size_t)(domain - copy));
}

const char *
ld_psl_date(const struct ld_psl *psl)
{
	return psl->date;
}

uint32_t
ld_psl_date_number(const struct ld_psl *psl)
{
	uint32_t number = 0;

	for (const char *c = psl->date; *c != '\0'; c++) {
		if (*c >= '0' && *c <= '9')
			number = number * 10 + (uint32_t)(*c - '0');
		else if (*c != '-')
			return 0;
	}
	return number;
}
