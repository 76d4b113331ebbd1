/* The file that names subscriptions (formats/subscriptions.md).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "index/compile.h"
#include "log/statement.h"
#include "name/idna.h"
#include "process/subscription.h"

enum { DAY_S = 86400, EVERY_DEFAULT_S = DAY_S, EVERY_MAX_S = 30 * DAY_S };

/* What is being read. */
struct file {
	const char *path;
	struct ld_arena *arena;
	struct ld_report *report;
};

static int
fail(const struct file *f, const struct ld_yaml *at, const char *what)
{
	return ld_fail(f->report, LINDUNG_ESYNTAX, "%s:%u: %.*s%s%s", f->path, at->line,
		       (int)at->key.len, at->key.len != 0 ? (const char *)at->key.data : "",
		       at->key.len != 0 ? ": " : "", what);
}

static bool
is_name(struct ld_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (i != 0 && (c == '-' || c == '_' || c == '.'))))
			return false;
	}
	return s.len > 0 && s.len <= LD_SUBSCRIPTION_NAME_MAX;
}

/* "24h", "30m", "7d" */
static bool
duration_read(uint32_t *ret, struct ld_span text)
{
	uint64_t n, unit;

	if (text.len < 2 || !ld_span_number(&n, ld_span_first(text, text.len - 1), 7))
		return false;
	switch (text.data[text.len - 1]) {
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = DAY_S;
		break;
	default:
		return false;
	}
	if (n * unit < LD_SUBSCRIPTION_EVERY_MIN_S || n * unit > EVERY_MAX_S)
		return false;
	*ret = (uint32_t)(n * unit);
	return true;
}

static bool
number_read(uint64_t *ret, struct ld_span text, uint64_t max)
{
	return ld_span_number(ret, text, 9) && *ret <= max;
}

/* "50%" */
static bool
percent_read(unsigned *ret, struct ld_span text, unsigned max)
{
	uint64_t n;

	if (text.len == 0 || text.data[text.len - 1] != '%' ||
	    !number_read(&n, ld_span_first(text, text.len - 1), max))
		return false;
	*ret = (unsigned)n;
	return true;
}

/* Names as they stand in entries: canonical. */
static int
names_read(const struct file *f, const struct ld_yaml *at, struct ld_span *ret, unsigned *ret_count)
{
	if (at->kind != LD_YAML_SEQUENCE)
		return fail(f, at, "expected a list of names");
	for (const struct ld_yaml *item = at->first; item != NULL; item = item->next) {
		char host[LD_HOST_MAX + 1];
		size_t len;

		if (*ret_count == LD_SUBSCRIPTION_CANARIES_MAX)
			return fail(f, item, "too many names");
		if (item->kind != LD_YAML_SCALAR ||
		    ld_idna_to_host(host, &len, item->text) != LINDUNG_OK)
			return fail(f, item, "expected a domain name");
		ret[*ret_count] = ld_arena_copy(f->arena, ld_span(host, len));
		if (ret[(*ret_count)++].data == NULL)
			return ld_fail(f->report, LINDUNG_ENOMEM, "%s: not enough memory", f->path);
	}
	return LINDUNG_OK;
}

static int
format_read(const struct file *f, const struct ld_yaml *at, struct ld_subscription *s)
{
	int format = ld_list_format_find((const char *)at->text.data);

	if (format < 0 ||
	    (format != LD_LIST_AUTO && !ld_list_format_is_read((enum ld_list_format)format)))
		return fail(f, at, "no list is read in this format");
	s->format = (enum ld_list_format)format;
	return LINDUNG_OK;
}

/* Texts that stand as they are; NULL: the key is another. */
static const char **
text_of(struct ld_subscription *s, struct ld_span key)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"name", &s->name},         {"url", &s->url},
		{"category", &s->category}, {"csv-column", &s->csv_column},
		{"party", &s->party},       {"basis", &s->basis},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (ld_span_equal(key, ld_span_str(texts[i].key)))
			return texts[i].to;
	return NULL;
}

static int
field_read(const struct file *f, const struct ld_yaml *at, struct ld_subscription *s)
{
	const char **text = text_of(s, at->key);
	struct ld_span key = at->key;
	bool good = true;

	if (ld_span_equal(key, LD_SPAN("canaries")))
		return names_read(f, at, s->canaries, &s->canary_count);
	if (ld_span_equal(key, LD_SPAN("never")))
		return names_read(f, at, s->never, &s->never_count);
	if (at->kind != LD_YAML_SCALAR || at->text.len == 0)
		return fail(f, at, "expected a text");
	if (text != NULL)
		*text = (const char *)at->text.data;
	else if (ld_span_equal(key, LD_SPAN("format")))
		return format_read(f, at, s);
	else if (ld_span_equal(key, LD_SPAN("allow")))
		good = (s->allow = ld_span_equal(at->text, LD_SPAN("true"))) ||
		       ld_span_equal(at->text, LD_SPAN("false"));
	else if (ld_span_equal(key, LD_SPAN("expires")))
		good = ld_statement_time_parse(&s->expires_s, at->text, true) == LINDUNG_OK;
	else if (ld_span_equal(key, LD_SPAN("every")))
		good = duration_read(&s->every_s, at->text);
	else if (ld_span_equal(key, LD_SPAN("shrink")))
		good = percent_read(&s->shrink_percent, at->text, 100);
	else if (ld_span_equal(key, LD_SPAN("grow")))
		good = percent_read(&s->grow_percent, at->text, 100000);
	else if (ld_span_equal(key, LD_SPAN("least")))
		good = number_read(&s->least, at->text, LD_SUBSCRIPTION_ENTRIES_MAX);
	else if (ld_span_equal(key, LD_SPAN("most")))
		good = number_read(&s->most, at->text, LD_SUBSCRIPTION_ENTRIES_MAX);
	else
		return fail(f, at, "there is no such key");
	return good ? LINDUNG_OK
		    : fail(f, at, "not a value that this may have; see lindung-host(1)");
}

static int
one_check(const struct file *f, const struct ld_yaml *at, const struct ld_subscription *s)
{
	if (s->name == NULL || !is_name(ld_span_str(s->name)))
		return fail(f, at, "name: needed: a-z, 0-9 and \".-_\", at most 64, a file's name");
	if (s->url == NULL ||
	    (strncmp(s->url, "https://", 8) != 0 && strncmp(s->url, "http://", 7) != 0))
		return fail(f, at, "url: needed: http:// or https://");
	if (s->category == NULL ||
	    (strcmp(s->category, "*") != 0 && !ld_category_key_is_valid(ld_span_str(s->category))))
		return fail(f, at, "category: needed: a key of data/categories.yaml");
	if (strcmp(s->category, "*") == 0 && !s->allow)
		return fail(f, at, "category: '*' is for allow alone");
	if (s->party != NULL && !ld_party_id_is_valid(ld_span_str(s->party)))
		return fail(f, at, "party: expected an id, as ecpat.example");
	if (s->basis == NULL)
		return fail(f, at, "basis: needed: on which legal or contractual ground");
	if (s->least > s->most)
		return fail(f, at, "least is more than most");
	return LINDUNG_OK;
}

static int
one_read(const struct file *f, const struct ld_yaml *item, struct ld_subscription *s)
{
	int err = LINDUNG_OK;

	*s = (struct ld_subscription){
		.expires_s = INT64_MAX,
		.every_s = EVERY_DEFAULT_S,
		.shrink_percent = 50,
		.grow_percent = 200,
		.least = 1,
		.most = LD_SUBSCRIPTION_ENTRIES_MAX,
	};
	if (item->kind != LD_YAML_MAPPING)
		return fail(f, item, "expected a list with its keys");
	for (const struct ld_yaml *at = item->first; at != NULL && err == LINDUNG_OK; at = at->next)
		err = field_read(f, at, s);
	return err == LINDUNG_OK ? one_check(f, item, s) : err;
}

int
ld_subscriptions_load(const struct ld_subscription **ret, unsigned *ret_count, const char *path,
		      struct ld_arena *arena, struct ld_report *report)
{
	const struct file f = {path, arena, report};
	const struct ld_yaml *root, *lists;
	struct ld_subscription *all;
	unsigned count = 0;
	int err = ld_yaml_load(&root, path, arena, report);

	if (err != LINDUNG_OK)
		return err;
	if (!ld_span_equal(ld_yaml_text(root, "version"), LD_SPAN("1")))
		return ld_fail(report, LINDUNG_ESYNTAX, "%s: expected \"version: 1\"", path);
	lists = ld_yaml_find(root, "lists");
	if (lists == NULL || lists->kind != LD_YAML_SEQUENCE || root->count != 2)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "%s: expected \"lists:\", and nothing else beside \"version: 1\"",
			       path);
	if (lists->count > LD_SUBSCRIPTIONS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "%s: more than %d lists", path,
			       LD_SUBSCRIPTIONS_MAX);
	all = ld_arena_alloc(arena, (lists->count + 1) * sizeof *all);
	if (all == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	for (const struct ld_yaml *item = lists->first; item != NULL; item = item->next, count++) {
		err = one_read(&f, item, &all[count]);
		if (err != LINDUNG_OK)
			return err;
		for (unsigned i = 0; i < count; i++)
			if (strcmp(all[i].name, all[count].name) == 0)
				return fail(&f, item, "name: there is another list of this name");
	}
	*ret = all;
	*ret_count = count;
	return LINDUNG_OK;
}
