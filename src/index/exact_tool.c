/* Ask an image about every name of a list, its neighbours and random names, and compare each answer
 * with that of the sorted text: for the tests, not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: exact_tool IMAGE LIST RANDOM [SEED]
 *
 * LIST is what the image was made of, in our own format as list_tool writes it, in any order: the
 * oracle is a binary search in it and the rules of design ("a name is judged"), nothing of the
 * index.  RANDOM random names are asked about beside the listed ones, their children, their parents
 * and near misses.  Prints counts; exit 1 if an answer was wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lindung/lindung.h>

#include "base/file.h"
#include "index/beside.h"
#include "list/entry.h"
#include "name/name.h"

enum { WRONG_SHOWN = 20 };

struct line {
	const char *host, *path; /* terminated; path "" where there is none */
	uint8_t action, scope;
	bool important, badfilter, gone;
	uint64_t categories;
};

struct oracle {
	struct line *lines; /* in order of hosts */
	size_t count, size;
};

struct tool {
	struct lindung *list;
	struct oracle oracle;
	uint64_t asked, wrong, random;
};

/* ---- The list -------------------------------------------------------------------------------- */

static char *
field_cut(char **text)
{
	char *field = *text, *end = strchr(field, '\t');

	if (end != NULL)
		*end++ = '\0';
	*text = end != NULL ? end : field + strlen(field);
	return field;
}

static uint64_t
categories_of(const struct lindung *list, const char *key)
{
	int i = lindung_category_find(list, key, strlen(key));

	if (strcmp(key, "*") == 0)
		return UINT64_MAX >> (64 - lindung_category_count(list));
	return i < 0 ? 0 : UINT64_C(1) << i;
}

static bool
line_read(struct tool *t, char *text, struct line *ret)
{
	char *action = field_cut(&text), *category = field_cut(&text), *site = field_cut(&text);
	size_t len = strlen(action);
	struct line line = {.scope = LD_SCOPE_TREE, .path = ""};

	for (; len > 0 && strchr("!~", action[len - 1]) != NULL; action[--len] = '\0') {
		line.important |= action[len - 1] == '!';
		line.badfilter |= action[len - 1] == '~';
	}
	line.action = strcmp(action, "block") == 0   ? LD_ACTION_BLOCK
		      : strcmp(action, "allow") == 0 ? LD_ACTION_ALLOW
						     : LD_ACTION_REWRITE;
	if (*site == '=') {
		line.scope = LD_SCOPE_SELF;
		site++;
	} else if (strncmp(site, "*.", 2) == 0) {
		line.scope = LD_SCOPE_BELOW;
		site += 2;
	}
	line.host = site;
	char *slash = strchr(site, '/');
	if (slash != NULL) {
		line.scope = LD_SCOPE_URL;
		line.path = strdup(slash);
		*slash = '\0';
	}
	line.categories = categories_of(t->list, category);
	*ret = line;
	/* A single label cannot be listed. */
	return strchr(line.host, '.') != NULL;
}

static int
line_order(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->host, y->host);

	return order != 0 ? order : strcmp(x->path, y->path);
}

/* The lines of this host: [*from, *to). */
static void
host_find(const struct oracle *o, const char *host, size_t *from, size_t *to)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(o->lines[middle].host, host) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*from = low;
	while (low < o->count && strcmp(o->lines[low].host, host) == 0)
		low++;
	*to = low;
}

/* $badfilter takes back what is otherwise the same. */
static void
badfilters_apply(struct oracle *o)
{
	for (size_t i = 0; i < o->count; i++) {
		size_t from, to;

		if (!o->lines[i].badfilter)
			continue;
		o->lines[i].gone = true;
		host_find(o, o->lines[i].host, &from, &to);
		for (; from < to; from++)
			if (o->lines[from].action == o->lines[i].action &&
			    o->lines[from].scope == o->lines[i].scope &&
			    o->lines[from].important == o->lines[i].important &&
			    strcmp(o->lines[from].path, o->lines[i].path) == 0)
				o->lines[from].gone = true;
	}
}

static bool
list_read(struct tool *t, char *text)
{
	for (char *next; *text != '\0'; text = next) {
		next = text + strcspn(text, "\n");
		if (*next != '\0')
			*next++ = '\0';
		if (*text == '#' || *text == '\0')
			continue;
		if (t->oracle.count == t->oracle.size) {
			t->oracle.size = t->oracle.size * 2 + 1024;
			t->oracle.lines =
				realloc(t->oracle.lines, t->oracle.size * sizeof *t->oracle.lines);
			if (t->oracle.lines == NULL)
				return false;
		}
		t->oracle.count += line_read(t, text, &t->oracle.lines[t->oracle.count]);
	}
	qsort(t->oracle.lines, t->oracle.count, sizeof *t->oracle.lines, line_order);
	badfilters_apply(&t->oracle);
	return true;
}

/* ---- The oracle -------------------------------------------------------------------------------
 */

struct judged {
	uint64_t blocked, allowed;
	bool rewrites;
	uint64_t said, said_important;
};

static bool
path_covers(const char *path, const char *asked)
{
	size_t len = strlen(path);

	return strncmp(path, asked, len) == 0 && (path[len - 1] == '/' || asked[len] == '\0' ||
						  asked[len] == '/' || asked[len] == '?');
}

/* Lay what one entry (all lines of one host and path that speak) says under what was said. */
static void
entry_judge(struct judged *j, const uint64_t closes[2], const uint64_t opens[2])
{
	uint64_t fresh = (closes[1] | opens[1]) & ~j->said_important;

	j->said_important |= fresh;
	j->blocked = (j->blocked & ~fresh) | (closes[1] & ~opens[1] & fresh);
	j->allowed = (j->allowed & ~fresh) | (opens[1] & fresh);
	fresh = (closes[0] | opens[0]) & ~j->said & ~j->said_important;
	j->said |= closes[0] | opens[0];
	j->blocked |= closes[0] & ~opens[0] & fresh;
	j->allowed |= opens[0] & fresh;
}

static void
lines_judge(const struct oracle *o, size_t from, size_t to, bool same, const char *path,
	    struct judged *j)
{
	/* Within a host longer paths first: the order of lines, read backwards. */
	for (size_t end = to; end > from;) {
		uint64_t closes[2] = {0}, opens[2] = {0};
		size_t start = end;

		for (;
		     start > from && strcmp(o->lines[start - 1].path, o->lines[end - 1].path) == 0;
		     start--) {
			const struct line *l = &o->lines[start - 1];
			bool speaks = l->scope == LD_SCOPE_URL
					      ? path != NULL && path_covers(l->path, path)
				      : path != NULL ? false
				      : same         ? l->scope != LD_SCOPE_BELOW
						     : l->scope != LD_SCOPE_SELF;

			if (!speaks || l->gone)
				continue;
			if (l->action == LD_ACTION_BLOCK)
				closes[l->important] |= l->categories;
			else if (l->action == LD_ACTION_ALLOW)
				opens[l->important] |= l->categories;
			else
				j->rewrites = true;
		}
		entry_judge(j, closes, opens);
		end = start;
	}
}

static struct judged
judge(const struct oracle *o, const char *host, const char *path)
{
	struct judged j = {0};

	for (int pass = path != NULL ? 0 : 1; pass < 2; pass++) {
		for (const char *at = host; at != NULL; at = strchr(at, '.')) {
			size_t from, to;

			at += *at == '.';
			host_find(o, at, &from, &to);
			lines_judge(o, from, to, at == host, pass == 0 ? path : NULL, &j);
		}
	}
	return j;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static void
ask(struct tool *t, const char *host, const char *path)
{
	struct lindung_answer a;
	char url[LD_HOST_MAX + 8192];
	struct judged j;
	int err;

	if (path != NULL) {
		snprintf(url, sizeof url, "http://%s%s", host, path);
		err = lindung_lookup_url(t->list, url, strlen(url), LINDUNG_ALL, &a);
	} else {
		err = lindung_lookup_name(t->list, host, strlen(host), LINDUNG_ALL, &a);
	}
	t->asked++;
	if (err == LINDUNG_OK) {
		j = judge(&t->oracle, host, path);
		enum lindung_verdict verdict = j.blocked != 0 ? LINDUNG_BLOCK
					       : j.rewrites   ? LINDUNG_REWRITE
							      : LINDUNG_ALLOW;
		if (a.verdict == verdict && a.blocked == j.blocked && a.allowed == j.allowed)
			return;
		if (t->wrong < WRONG_SHOWN)
			printf("%s%s: verdict %d, blocked %#" PRIx64 ", allowed %#" PRIx64
			       "; the text says %d, %#" PRIx64 ", %#" PRIx64 "\n",
			       host, path != NULL ? path : "", (int)a.verdict, a.blocked, a.allowed,
			       (int)verdict, j.blocked, j.allowed);
	} else if (t->wrong < WRONG_SHOWN) {
		printf("%s%s: %s\n", host, path != NULL ? path : "", lindung_strerror(err));
	}
	t->wrong++;
}

static bool
is_askable(const char *host)
{
	size_t label = 0, len = strlen(host);

	for (const char *at = host; *at != '\0'; at++) {
		label = *at == '.' ? 0 : label + 1;
		if (label > LD_LABEL_MAX || (*at == '.' && (at == host || at[-1] == '.')))
			return false;
	}
	return len > 0 && len <= LD_HOST_MAX && host[len - 1] != '.';
}

static void
ask_beside(void *ctx, enum ld_beside kind, struct ld_span name)
{
	(void)kind;
	ask(ctx, (const char *)name.data, NULL);
}

static void
ask_about_lines(struct tool *t)
{
	char child[LD_HOST_MAX + 16];

	for (size_t i = 0; i < t->oracle.count; i++) {
		const struct line *line = &t->oracle.lines[i];

		if (line->path[0] != '\0') {
			ask(t, line->host, line->path);
			snprintf(child, sizeof child, "x.%s", line->host);
			if (is_askable(child))
				ask(t, child, line->path);
			ask(t, line->host, "/");
		}
		if (i > 0 && strcmp(line->host, t->oracle.lines[i - 1].host) == 0)
			continue;
		ask(t, line->host, NULL);
		for (const char *up = strchr(line->host, '.'); up != NULL; up = strchr(up + 1, '.'))
			ask(t, up + 1, NULL);
		ld_beside(ld_span_str(line->host), &t->random, ask_beside, t);
	}
}

static void
ask_at_random(struct tool *t)
{
	const struct oracle *o = &t->oracle;
	const char *one = o->lines[ld_beside_draw(&t->random) % o->count].host;
	const char *other = o->lines[ld_beside_draw(&t->random) % o->count].host;
	char name[LD_BESIDE_NAME_BYTES];

	if (ld_beside_random(name, ld_span_str(one), ld_span_str(other), &t->random).len != 0)
		ask(t, name, NULL);
}

static int
run(struct tool *t, const char *image, const char *list, uint64_t random_count)
{
	struct ld_report report = {{0}};
	uint8_t *text;
	size_t len;
	int err = lindung_open(&t->list, image, LINDUNG_VERIFY);

	if (err == LINDUNG_OK)
		err = lindung_verify(t->list);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "exact_tool: %s: %s\n", image, lindung_strerror(err));
		return 2;
	}
	if (ld_read_file(list, SIZE_MAX / 2, &text, &len, &report) != LINDUNG_OK ||
	    !list_read(t, (char *)text)) {
		fprintf(stderr, "exact_tool: %s\n", report.text);
		return 2;
	}
	ask_about_lines(t);
	uint64_t near = t->asked;
	for (uint64_t i = 0; t->oracle.count > 0 && i < random_count; i++)
		ask_at_random(t);
	printf("%zu lines, %" PRIu64 " names and URLs asked, %" PRIu64
	       " of them at random, %" PRIu64 " wrong\n",
	       t->oracle.count, t->asked, t->asked - near, t->wrong);
	free(text);
	return t->wrong != 0 || t->oracle.count == 0;
}

int
main(int argc, char **argv)
{
	struct tool t = {.random = 1};
	int status;

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: exact_tool IMAGE LIST RANDOM [SEED]\n");
		return 2;
	}
	if (argc == 5)
		t.random = strtoull(argv[4], NULL, 0);
	status = run(&t, argv[1], argv[2], strtoull(argv[3], NULL, 0));
	lindung_close(t.list);
	for (size_t i = 0; i < t.oracle.count; i++)
		if (t.oracle.lines[i].path[0] != '\0')
			free((char *)(uintptr_t)t.oracle.lines[i].path);
	free(t.oracle.lines);
	return status;
}
