/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/conf.h"

#include <libgen.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/option.h"
#include "conf/yaml.h"

#define LD_X(symbol, value, key, what) {value, key, what},
static const struct ld_conf_choice choices_none[] = {{0, NULL, NULL}};
static const struct ld_conf_choice choices_answers[] = {LD_CONF_ANSWERS(LD_X){0, NULL, NULL}};
static const struct ld_conf_choice choices_reasons[] = {LD_CONF_REASONS(LD_X){0, NULL, NULL}};
static const struct ld_conf_choice choices_denials[] = {LD_CONF_DENIALS(LD_X){0, NULL, NULL}};
static const struct ld_conf_choice choices_digests[] = {LD_CONF_DIGESTS(LD_X){0, NULL, NULL}};
static const struct ld_conf_choice choices_modes[] = {LD_CONF_MODES(LD_X){0, NULL, NULL}};
#undef LD_X

const struct ld_conf_option ld_conf_options[] = {
#define LD_X(type, field, key, fallback, min, max, unit, choices, prose)                           \
	{LD_CONF_##type,                                                                           \
	 key,                                                                                      \
	 fallback,                                                                                 \
	 min,                                                                                      \
	 max,                                                                                      \
	 unit,                                                                                     \
	 choices_##choices,                                                                        \
	 prose,                                                                                    \
	 offsetof(struct ld_conf, field)},
	LD_CONF_OPTIONS(LD_X)
#undef LD_X
};

enum { OPTION_COUNT = sizeof ld_conf_options / sizeof ld_conf_options[0] };
const unsigned ld_conf_option_count = OPTION_COUNT;

enum {
	KEY_MAX = 64, /* bytes of a dotted key that is looked at */
	NO_FILE_LINE = 0,
};

struct loading {
	const char *name;
	struct ld_conf conf;
	unsigned lines[OPTION_COUNT]; /* where each stands; NO_FILE_LINE: it is not in the file */
	struct ld_conf_place place;
	struct ld_report why;
	ld_conf_problem *problem;
	void *ctx;
	unsigned problems;
};

/* ---- Telling -------------------------------------------------------------------------------- */

/* Counts a problem, and hands it on.  LINDUNG_ELIMIT when there are so many that nobody would read
 * on. */
static int
tell(struct loading *l, const struct ld_report *report)
{
	struct ld_report last;

	if (l->problems++ >= LD_CONF_PROBLEMS_MAX) {
		ld_fail(&last, LINDUNG_ELIMIT, "%s: more than %d problems: the rest is not shown",
			l->name, LD_CONF_PROBLEMS_MAX);
		l->problem(l->ctx, &last);
		return LINDUNG_ELIMIT;
	}
	l->problem(l->ctx, report);
	return LINDUNG_OK;
}

static int
tell_value(struct loading *l, const struct ld_conf_option *option, const struct ld_yaml *got)
{
	char expected[LD_CONF_EXPECTED_BYTES], shown[64];
	struct ld_report report;

	if (l->why.text[0] != '\0') {
		ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: %s: %s", l->name, got->line, option->key,
			l->why.text);
		l->why.text[0] = '\0';
		return tell(l, &report);
	}
	ld_conf_expected(option, expected);
	if (got->kind != LD_YAML_SCALAR)
		snprintf(shown, sizeof shown, "%s of %u", ld_yaml_kind_text(got), got->count);
	else if (got->text.len == 0)
		snprintf(shown, sizeof shown, "nothing");
	else
		snprintf(shown, sizeof shown, "\"%.40s%s\"", (const char *)got->text.data,
			 got->text.len > 40 ? "..." : "");
	ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: %s: expected %s, got %s", l->name, got->line,
		option->key, expected, shown);
	return tell(l, &report);
}

static unsigned
smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be changed, added or taken away to make one key of the other. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[KEY_MAX + 1], n = (unsigned)strlen(b);

	LD_ASSERT(n <= KEY_MAX);
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1,
					  corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[n];
}

static int
tell_unknown(struct loading *l, const char *key, unsigned line)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(key) / 3 + 2;
	struct ld_report report;

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		unsigned d = distance(key, ld_conf_options[i].key);

		if (d < least) {
			least = d;
			nearest = ld_conf_options[i].key;
		}
	}
	ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: %s: there is no such option%s%s%s", l->name, line,
		key, nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "?" : "; lindung.conf(5) lists them");
	return tell(l, &report);
}

/* ---- The tree ------------------------------------------------------------------------------- */

static int
option_find(const char *key)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (strcmp(ld_conf_options[i].key, key) == 0)
			return (int)i;
	return -1;
}

/* `key` is the front part, up to a dot, of an option's key. */
static bool
is_group(const char *key)
{
	size_t len = strlen(key);

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (strncmp(ld_conf_options[i].key, key, len) == 0 &&
		    ld_conf_options[i].key[len] == '.')
			return true;
	return false;
}

static int
option_take(struct loading *l, unsigned i, const struct ld_yaml *node)
{
	const struct ld_conf_option *option = &ld_conf_options[i];
	const struct ld_yaml *got = node;
	struct ld_report report;
	int err;

	if (l->lines[i] != NO_FILE_LINE) {
		ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: %s: given twice, first in line %u",
			l->name, node->line, option->key, l->lines[i]);
		return tell(l, &report);
	}
	l->lines[i] = node->line;
	err = ld_conf_value_set((char *)&l->conf + option->offset, option, node, &l->place, &got);
	return err == LINDUNG_ECONFIG ? tell_value(l, option, got) : err;
}

/* Goes down the mappings: keys joined by dots are the options' keys.  Depth is bounded by the
 * reader's. */
static int
mapping_take(struct loading *l, const char *prefix, const struct ld_yaml *mapping)
{
	int err = LINDUNG_OK;

	for (const struct ld_yaml *node = mapping->first; node != NULL && err == LINDUNG_OK;
	     node = node->next) {
		char key[KEY_MAX + 1];
		int i;

		snprintf(key, sizeof key, "%s%s%.*s", prefix, prefix[0] != '\0' ? "." : "",
			 (int)(node->key.len < KEY_MAX ? node->key.len : KEY_MAX),
			 (const char *)node->key.data);
		i = option_find(key);
		if (i >= 0)
			err = option_take(l, (unsigned)i, node);
		else if (node->kind == LD_YAML_MAPPING && node->count != 0)
			err = mapping_take(l, key, node);
		else if (!is_group(key) || node->kind == LD_YAML_SEQUENCE || node->text.len != 0)
			err = tell_unknown(l, key, node->line);
	}
	return err;
}

static int
defaults_take(struct loading *l)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct ld_conf_option *option = &ld_conf_options[i];
		int err = ld_conf_value_set((char *)&l->conf + option->offset, option, NULL,
					    &l->place, NULL);

		LD_ASSERT(err != LINDUNG_ECONFIG);
		if (err != LINDUNG_OK)
			return err;
	}
	return LINDUNG_OK;
}

/* ---- Options that depend on each other ------------------------------------------------------ */

static int
tell_pair(struct loading *l, const char *key, const char *other, const char *what)
{
	unsigned line = l->lines[option_find(key)];
	struct ld_report report;

	if (line == NO_FILE_LINE)
		line = l->lines[option_find(other)];
	ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: %s: %s", l->name, line, key, what);
	return tell(l, &report);
}

static int
check_access(struct loading *l)
{
	if (l->conf.access_allow.count + l->conf.access_deny.count <= LD_PREFIXES_MAX)
		return LINDUNG_OK;
	return tell_pair(l, "access.deny", "access.allow",
			 "expected no more than 65536 prefixes together with access.allow");
}

static bool
is_listened_on(const struct ld_conf_addresses *list, const struct ld_conf_address *address)
{
	for (unsigned i = 0; i < list->count; i++)
		if (ld_address_same(&list->items[i].socket, &address->socket))
			return true;
	return false;
}

static int
check_proxy(struct loading *l)
{
	const struct ld_conf *c = &l->conf;

	if (c->proxy_listen.count != 0 && c->proxy_from.count == 0)
		return tell_pair(l, "proxy.from", "proxy.listen",
				 "expected the prefixes of the proxies, because proxy.listen is "
				 "given");
	for (unsigned i = 0; i < c->proxy_listen.count; i++)
		if (!is_listened_on(&c->listen, &c->proxy_listen.items[i]) &&
		    !is_listened_on(&c->tls_listen, &c->proxy_listen.items[i]) &&
		    !is_listened_on(&c->https_listen, &c->proxy_listen.items[i]))
			return tell_pair(
				l, "proxy.listen", "proxy.listen",
				"expected addresses that are also in listen, tls.listen or "
				"https.listen");
	return LINDUNG_OK;
}

static int
check_follow(struct loading *l)
{
	const struct ld_conf *c = &l->conf;

	if (c->follow_url[0] == '\0')
		return LINDUNG_OK;
	if (strncmp(c->follow_url, "https://", 8) != 0 && strncmp(c->follow_url, "http://", 7) != 0)
		return tell_pair(l, "follow.url", "follow.url",
				 "expected an address that begins with https:// or http://");
	if (c->follow_policy == NULL)
		return tell_pair(l, "follow.url", "follow.policy",
				 "expected follow.policy with it: whom to believe");
	if (c->follow_state == NULL)
		return tell_pair(
			l, "follow.url", "follow.state",
			"expected follow.state with it: a folder to keep what was verified");
	return LINDUNG_OK;
}

static int
check_together(struct loading *l)
{
	const struct ld_conf *c = &l->conf;
	struct ld_report report;
	int err = LINDUNG_OK;

	if (c->upstream_mode == LD_CONF_MODE_FORWARD && c->upstream_servers.count == 0)
		err = tell_pair(l, "upstream.servers", "upstream.mode",
				"expected at least one server, because upstream.mode is forward");
	if (err == LINDUNG_OK && c->upstream_mode == LD_CONF_MODE_RECURSION &&
	    c->upstream_servers.count != 0)
		err = tell_pair(l, "upstream.servers", "upstream.mode",
				"would not be used, because upstream.mode is recursion: "
				"set it to forward, or take the servers out");
	if (err == LINDUNG_OK && c->upstream_mode == LD_CONF_MODE_FORWARD &&
	    ld_conf_servers_check(c, false, &report) != LINDUNG_OK)
		err = tell_pair(l, "upstream.servers", "upstream.mode",
				report.text + strlen("upstream.servers: "));
	if (err == LINDUNG_OK && c->block_answer == LD_CONF_ANSWER_ADDRESS &&
	    !c->block_address4.given && !c->block_address6.given)
		err = tell_pair(l, "block.answer", "block.answer",
				"expected block.address4 or block.address6 with it, because it "
				"is address");
	if (err == LINDUNG_OK && c->cache_ttl_min_s > c->cache_ttl_max_s)
		err = tell_pair(l, "cache.ttl-min-s", "cache.ttl-max-s",
				"expected at most the value of cache.ttl-max-s");
	if (err == LINDUNG_OK)
		err = check_access(l);
	if (err == LINDUNG_OK)
		err = check_proxy(l);
	if (err == LINDUNG_OK)
		err = check_follow(l);
	return err;
}

/* ---- Loading -------------------------------------------------------------------------------- */

static int
tell_not_mapping(struct loading *l, const struct ld_yaml *root)
{
	struct ld_report report;

	ld_fail(&report, LINDUNG_ECONFIG, "%s:%u: expected options as \"key: value\", got %s",
		l->name, root->line, ld_yaml_kind_text(root));
	return tell(l, &report);
}

static int
tree_take(struct loading *l, const struct ld_yaml *root)
{
	int err;

	/* "---" alone, or comments only: nothing given. */
	if (root->kind == LD_YAML_MAPPING)
		err = mapping_take(l, "", root);
	else if (root->kind == LD_YAML_SCALAR && root->text.len == 0)
		err = LINDUNG_OK;
	else
		err = tell_not_mapping(l, root);
	if (err == LINDUNG_OK && l->problems == 0)
		err = check_together(l);
	return err;
}

/* `root` NULL: defaults alone. */
static int
conf_make(struct ld_conf *ret, const char *name, const struct ld_yaml *root,
	  const struct ld_conf_place *place, ld_conf_problem *problem, void *ctx)
{
	struct loading l = {.name = name, .place = *place, .problem = problem, .ctx = ctx};
	struct ld_report report;
	int err;

	l.place.why = &l.why;
	err = defaults_take(&l);

	if (err == LINDUNG_OK && root != NULL)
		err = tree_take(&l, root);
	if (l.problems != 0)
		return LINDUNG_ECONFIG;
	if (err != LINDUNG_OK) {
		ld_fail(&report, err, "%s: %s", name, lindung_strerror(err));
		problem(ctx, &report);
		return err;
	}
	*ret = l.conf;
	return LINDUNG_OK;
}

int
ld_conf_parse(struct ld_conf *ret, const char *name, struct ld_span text, struct ld_arena *arena,
	      ld_conf_problem *problem, void *ctx)
{
	struct ld_conf_place place = {.arena = arena};
	const struct ld_yaml *root;
	struct ld_report report;
	int err = ld_yaml_parse(&root, name, text, arena, &report);

	if (err != LINDUNG_OK) {
		problem(ctx, &report);
		return err;
	}
	return conf_make(ret, name, root, &place, problem, ctx);
}

/* The folder of the file, as an absolute path that the caller frees; NULL without memory. */
static char *
folder_of(const char *path)
{
	char *copy = strdup(path);
	char *folder = copy != NULL ? realpath(dirname(copy), NULL) : NULL;

	free(copy);
	return folder;
}

int
ld_conf_check(struct ld_conf *ret, const char *path, struct ld_arena *arena,
	      ld_conf_problem *problem, void *ctx)
{
	struct ld_conf_place place = {.arena = arena};
	const struct ld_yaml *root;
	struct ld_report report;
	char *folder;
	int err;

	if (path == NULL)
		return conf_make(ret, "defaults", NULL, &place, problem, ctx);
	err = ld_yaml_load(&root, path, arena, &report);
	if (err != LINDUNG_OK) {
		problem(ctx, &report);
		return err;
	}
	folder = folder_of(path);
	place.folder = folder;
	err = conf_make(ret, path, root, &place, problem, ctx);
	free(folder);
	return err;
}

/* Keeps the first report of several. */
struct first {
	struct ld_report *report;
	bool kept;
};

static void
keep_first(void *ctx, const struct ld_report *problem)
{
	struct first *first = ctx;

	if (!first->kept && first->report != NULL)
		*first->report = *problem;
	first->kept = true;
}

int
ld_conf_load(struct ld_conf *ret, const char *path, struct ld_arena *arena,
	     struct ld_report *report)
{
	struct first first = {.report = report};

	return ld_conf_check(ret, path, arena, keep_first, &first);
}
