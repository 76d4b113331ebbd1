/* Random lists and random changes: a base with overlays, one image of the same, and an oracle that
 * was written from the rules as they are published must give the same answers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/test_image.h"

/* Few labels, so that parents, children, siblings and equal names abound. */
static const char *const labels[] = {"a", "b", "a-a"};
static const char *const paths[] = {"", "/", "/x", "/x/y", "/X-"};
static const char *const asked_paths[] = {"/",       "/x",    "/x/",   "/x/y",
					  "/x/yy?q", "/x?/y", "/X-/x", "/xx"};

enum {
	LABELS = 3,
	LABELS_MAX = 4,
	HOSTS = 3 + 9 + 27 + 81,
	PATHS = 5,
	KEYS = HOSTS * PATHS,
	CATEGORIES = 4,
	ENTRIES_MAX = 6, /* of one key */
	LAYERS_MAX = 4,
};

struct entry {
	int action; /* enum ld_action */
	int scope, category, source, target;
	bool important, protects;
};

/* What is said of a key; count < 0: that it has no entry. */
struct said {
	bool any;
	int count;
	struct entry entries[ENTRIES_MAX];
};

struct model {
	char hosts[HOSTS][32];
	int host_labels[HOSTS];
	struct said layers[LAYERS_MAX][KEYS];
	struct said final[KEYS];
	char text[1 << 20];
};

static void
hosts_make(struct model *m)
{
	int n = 0;

	for (int count = 1; count <= LABELS_MAX; count++) {
		int all = 1;

		for (int i = 0; i < count; i++)
			all *= LABELS;
		for (int number = 0; number < all; number++) {
			int rest = number;

			m->hosts[n][0] = '\0';
			m->host_labels[n] = count;
			for (int i = 0; i < count; i++, rest /= LABELS) {
				if (i > 0)
					strcat(m->hosts[n], ".");
				strcat(m->hosts[n], labels[rest % LABELS]);
			}
			n++;
		}
	}
	assert_int_equal(n, HOSTS);
}

/* ---- Lists at random ------------------------------------------------------------------------ */

static unsigned
draw(uint64_t *seed, unsigned below)
{
	return (unsigned)(ld_test_random(seed) % below);
}

static struct entry
entry_make(uint64_t *seed, bool url)
{
	unsigned kind = draw(seed, 20);
	struct entry e = {.action = kind < 11   ? LD_ACTION_BLOCK
				    : kind < 17 ? LD_ACTION_ALLOW
				    : kind < 19 ? LD_ACTION_REWRITE
						: LD_ACTION_ALLOW,
			  .scope = url ? LD_SCOPE_URL : 1 + (int)draw(seed, 3),
			  .category = (int)draw(seed, CATEGORIES),
			  .source = (int)draw(seed, 2),
			  .target = (int)draw(seed, 3)};

	e.protects = kind == 19 && draw(seed, 2) == 0;
	if (url && e.action == LD_ACTION_REWRITE)
		e.action = LD_ACTION_BLOCK;
	if (e.action != LD_ACTION_REWRITE)
		e.target = 0;
	e.important = !e.protects && e.action != LD_ACTION_REWRITE && draw(seed, 5) == 0;
	return e;
}

static void
layer_make(struct model *m, int layer, uint64_t *seed)
{
	unsigned density = layer == 0 ? 4 + draw(seed, 60) : 10 + draw(seed, 100);

	for (int key = 0; key < KEYS; key++) {
		struct said *s = &m->layers[layer][key];

		*s = (struct said){.any = draw(seed, density * (key % PATHS == 0 ? 1 : 4)) == 0};
		if (!s->any)
			continue;
		if (layer > 0 && draw(seed, 3) == 0)
			s->count = -1;
		else
			s->count = 1 + (int)draw(seed, ENTRIES_MAX);
		for (int i = 0; i < s->count; i++)
			s->entries[i] = entry_make(seed, key % PATHS != 0);
	}
	for (int key = 0; key < KEYS; key++)
		if (m->layers[layer][key].any)
			m->final[key] = m->layers[layer][key];
}

static const char *
list_text(struct model *m, const struct said *said)
{
	static const char *const actions[] = {"block", "allow", "rewrite", "remove"};
	static const char *const scopes[] = {"", "=", "*.", "", ""};
	size_t at = (size_t)sprintf(m->text, "# lindung list 1\n");

	for (int key = 0; key < KEYS; key++) {
		const char *host = m->hosts[key / PATHS], *path = paths[key % PATHS];

		if (said[key].any && said[key].count < 0 && said != m->final)
			at += (size_t)sprintf(m->text + at, "remove\tc0\t%s%s\ts0\n", host, path);
		for (int i = 0; i < said[key].count; i++) {
			const struct entry *e = &said[key].entries[i];

			at += (size_t)sprintf(m->text + at, "%s%s\tc%d\t%s%s%s\ts%d",
					      e->protects ? "protect" : actions[e->action],
					      e->important ? "!" : "", e->category,
					      scopes[e->scope], host, path, e->source);
			if (e->action == LD_ACTION_REWRITE)
				at += (size_t)sprintf(m->text + at, "\tA 192.0.2.%d",
						      e->target + 1);
			m->text[at++] = '\n';
			assert_true(at < sizeof m->text - 200);
		}
	}
	m->text[at] = '\0';
	return m->text;
}

/* ---- The oracle ------------------------------------------------------------------------------ */

struct outcome {
	int verdict, category, match, target; /* -1: none */
	bool is_protected, holds_below;
	unsigned blocked, allowed;
};

static bool
host_is_below(const char *host, const char *parent)
{
	size_t a = strlen(host), b = strlen(parent);

	return a > b && host[a - b - 1] == '.' && strcmp(host + a - b, parent) == 0;
}

/* "URLs of that host whose canonical form begins with the path, up to a '/', a '?' or the end" */
static bool
path_covers(const char *path, const char *asked)
{
	size_t len = strlen(path);

	if (strcmp(path, "/") == 0)
		return true;
	return strncmp(path, asked, len) == 0 &&
	       (asked[len] == '\0' || asked[len] == '/' || asked[len] == '?');
}

/* The keys that speak of what is asked, longest first. */
static int
keys_that_speak(const struct model *m, const char *host, const char *path, int *keys, bool *exact)
{
	int n = 0;

	for (int by_url = path != NULL; by_url >= 0; by_url--) {
		for (int count = LABELS_MAX; count > 0; count--) {
			for (int p = by_url ? PATHS - 1 : 0; p >= by_url; p--) {
				for (int h = 0; h < HOSTS; h++) {
					bool same = strcmp(host, m->hosts[h]) == 0;

					if (m->host_labels[h] != count ||
					    m->final[h * PATHS + p].count <= 0 ||
					    (!same && !host_is_below(host, m->hosts[h])) ||
					    (by_url &&
					     (path == NULL || !path_covers(paths[p], path))))
						continue;
					exact[n] = same;
					keys[n++] = h * PATHS + p;
				}
			}
		}
	}
	return n;
}

static bool
entry_speaks(const struct entry *e, bool url, bool same)
{
	if (url)
		return e->scope == LD_SCOPE_URL;
	return same ? e->scope == LD_SCOPE_SELF || e->scope == LD_SCOPE_TREE
		    : e->scope == LD_SCOPE_BELOW || e->scope == LD_SCOPE_TREE;
}

static bool
rewrites_before(const struct entry *a, const struct entry *b)
{
	if (a->category != b->category)
		return a->category < b->category;
	if (a->source != b->source)
		return a->source < b->source;
	return a->target < b->target;
}

static struct outcome
oracle(const struct model *m, const char *host, const char *path, unsigned active)
{
	struct outcome o = {.category = -1, .target = -1};
	int keys[KEYS], deciders[CATEGORIES] = {0};
	int protected_by = -1, opened_by = -1, rewritten_by = -1;
	const struct entry *rewrite = NULL;
	bool exact[KEYS], said[CATEGORIES][2] = {{false}};
	int n = keys_that_speak(m, host, path, keys, exact);

	for (int i = 0; i < n; i++) {
		const struct said *s = &m->final[keys[i]];
		bool url = keys[i] % PATHS != 0, opens[CATEGORIES][2] = {{false}};
		bool closes[CATEGORIES][2] = {{false}};

		for (int j = 0; j < s->count; j++) {
			const struct entry *e = &s->entries[j];

			if (!entry_speaks(e, url, exact[i]))
				continue;
			if (e->protects && protected_by < 0)
				protected_by = i;
			if ((active >> e->category & 1) == 0)
				continue;
			if (e->action == LD_ACTION_BLOCK)
				closes[e->category][e->important] = true;
			if (e->action == LD_ACTION_ALLOW)
				opens[e->category][e->important] = true;
			if (e->action == LD_ACTION_ALLOW && opened_by < 0)
				opened_by = i;
			if (e->action == LD_ACTION_REWRITE &&
			    (rewritten_by < 0 ||
			     (rewritten_by == i && rewrites_before(e, rewrite)))) {
				rewritten_by = i;
				rewrite = e;
			}
		}
		/* Each category is decided by the longest entry that speaks of it; an important one
		 * beats one that is not; at one name allow beats block. */
		for (int c = 0; c < CATEGORIES; c++) {
			for (int important = 0; important < 2; important++) {
				bool open = opens[c][important], close = closes[c][important];

				if (said[c][important] || (!open && !close))
					continue;
				said[c][important] = true;
				if (important == 0 && said[c][1])
					continue;
				o.blocked &= ~(1u << c);
				o.allowed &= ~(1u << c);
				*(open ? &o.allowed : &o.blocked) |= 1u << c;
				deciders[c] = i;
			}
		}
	}
	o.is_protected = protected_by >= 0;
	if (o.is_protected)
		o.blocked = 0;
	int by = -1;
	if (o.blocked != 0) {
		o.verdict = LINDUNG_BLOCK;
		for (int c = CATEGORIES - 1; c >= 0; c--)
			if ((o.blocked >> c & 1) != 0 && (by < 0 || deciders[c] <= by)) {
				by = deciders[c];
				o.category = c;
			}
	} else if (o.is_protected) {
		by = protected_by;
	} else if (rewritten_by >= 0) {
		o.verdict = LINDUNG_REWRITE;
		o.target = rewrite->target;
		by = rewritten_by;
	} else {
		by = opened_by;
	}
	o.match = by < 0 ? 0 : m->host_labels[keys[by] / PATHS];
	return o;
}

/* The same, and whether a name below, which has no entry of its own, comes out alike. */
static struct outcome
oracle_with_below(const struct model *m, const char *host, const char *path, unsigned active)
{
	struct outcome o = oracle(m, host, path, active);
	char below[48];

	snprintf(below, sizeof below, "yy.%s", host);
	struct outcome b = oracle(m, below, NULL, active);
	o.holds_below = o.verdict == b.verdict && o.target == b.target;
	return o;
}

/* ---- The image --------------------------------------------------------------------------------
 */

/* Categories by name, since layers number them as they come. */
static int
category_of(const struct lindung *list, unsigned i)
{
	struct lindung_text key = lindung_category_key(list, i);

	return key.len == 2 && key.data[0] == 'c' ? key.data[1] - '0' : -1;
}

static unsigned
set_of(const struct lindung *list, uint64_t bits)
{
	unsigned set = 0;

	for (unsigned i = 0; i < 64; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		assert_in_range(category_of(list, i), 0, CATEGORIES - 1);
		set |= 1u << category_of(list, i);
	}
	return set;
}

static struct outcome
image_outcome(const struct lindung *list, const char *host, const char *path, unsigned active)
{
	struct lindung_answer a;
	char url[128];
	uint64_t bits = 0;
	int err;

	for (unsigned i = 0; i < lindung_category_count(list); i++)
		if ((active >> category_of(list, i) & 1) != 0)
			bits |= UINT64_C(1) << i;
	snprintf(url, sizeof url, "http://%s%s", host, path != NULL ? path : "");
	err = path != NULL ? lindung_lookup_url(list, url, strlen(url), bits, &a)
			   : lindung_lookup_name(list, host, strlen(host), bits, &a);
	if (err != LINDUNG_OK)
		fail_msg("%s: %s", url, lindung_strerror(err));
	return (struct outcome){
		.verdict = (int)a.verdict,
		.category = a.category < 0 ? -1 : category_of(list, (unsigned)a.category),
		.match = (int)a.match_labels,
		.target = a.target.len != 0 ? a.target.data[a.target.len - 1] - '1' : -1,
		.is_protected = a.is_protected,
		.holds_below = a.holds_below,
		.blocked = set_of(list, a.blocked),
		.allowed = set_of(list, a.allowed),
	};
}

/* Of several categories blocked by one entry the lowest number is shown: numbers differ between an
 * image and layers, so that only what kind of answer it is can be compared. */
static void
compare(struct model *m, const struct lindung *list, const char *what, const char *host,
	const char *path, unsigned active, bool numbers_alike)
{
	struct outcome a = oracle_with_below(m, host, path, active);
	struct outcome b = image_outcome(list, host, path, active);

	if (a.verdict == b.verdict && a.match == b.match && a.target == b.target &&
	    a.is_protected == b.is_protected && a.blocked == b.blocked && a.allowed == b.allowed &&
	    a.holds_below == b.holds_below &&
	    (numbers_alike ? a.category == b.category
			   : (a.category < 0) == (b.category < 0) &&
				     (b.category < 0 || (b.blocked >> b.category & 1) != 0)))
		return;
	printf("%s\n", list_text(m, m->final));
	fail_msg("%s: %s%s, active %x: verdict %d (oracle %d), category %d (%d), match %d (%d), "
		 "target %d (%d), protected %d (%d), blocked %x (%x), allowed %x (%x), "
		 "holds below %d (%d)",
		 what, host, path != NULL ? path : "", active, b.verdict, a.verdict, b.category,
		 a.category, b.match, a.match, b.target, a.target, b.is_protected, a.is_protected,
		 b.blocked, a.blocked, b.allowed, a.allowed, b.holds_below, a.holds_below);
}

static void
compare_all(struct model *m, const struct lindung *list, const char *what, uint64_t seed,
	    bool numbers_alike)
{
	for (int h = 0; h < HOSTS; h++) {
		char below[48];

		compare(m, list, what, m->hosts[h], NULL, 15, numbers_alike);
		compare(m, list, what, m->hosts[h], NULL, draw(&seed, 16), numbers_alike);
		snprintf(below, sizeof below, "zz.%s", m->hosts[h]);
		compare(m, list, what, below, NULL, 15, numbers_alike);
		if (h % 4 != 0)
			continue;
		for (size_t p = 0; p < sizeof asked_paths / sizeof asked_paths[0]; p++)
			compare(m, list, what, m->hosts[h], asked_paths[p], 15, numbers_alike);
	}
}

/* All at once, with some that are no names among them, as one by one. */
static void
compare_many(struct model *m, const struct lindung *list, uint64_t seed)
{
	enum { MANY = 2 * HOSTS };
	static struct lindung_question questions[MANY];
	static struct ld_name names[MANY];
	unsigned count = 1 + draw(&seed, MANY);

	for (unsigned i = 0; i < count; i++) {
		char text[48];

		snprintf(text, sizeof text, "%s%s", draw(&seed, 3) == 0 ? "zz.zz." : "",
			 m->hosts[draw(&seed, HOSTS)]);
		assert_int_equal(ld_name_from_text(&names[i], ld_span_str(text)), LINDUNG_OK);
		questions[i] = (struct lindung_question){
			.name = names[i].wire,
			.len = names[i].len - (draw(&seed, 9) == 0),
			.active = draw(&seed, 2) == 0 ? LINDUNG_ALL : draw(&seed, 1 << CATEGORIES),
			.error = 1,
			.answer = {.match_labels = 99},
		};
	}
	lindung_lookup_many(list, questions, count);
	for (unsigned i = 0; i < count; i++) {
		const struct lindung_question *q = &questions[i];
		struct lindung_answer one = {.match_labels = 99};

		assert_int_equal(q->error,
				 lindung_lookup_wire(list, q->name, q->len, q->active, &one));
		assert_int_equal(q->answer.verdict, one.verdict);
		assert_int_equal(q->answer.is_protected, one.is_protected);
		assert_int_equal(q->answer.holds_below, one.holds_below);
		assert_true(q->answer.blocked == one.blocked && q->answer.allowed == one.allowed);
		assert_int_equal(q->answer.category, one.category);
		assert_int_equal(q->answer.match_labels, one.match_labels);
		assert_ptr_equal(q->answer.target.data, one.target.data);
		assert_int_equal(q->answer.target.len, one.target.len);
	}
}

static void
test_random_edits(void **state)
{
	const char *rounds_text = getenv("LINDUNG_TEST_ROUNDS");
	int rounds = rounds_text != NULL ? atoi(rounds_text) : 60;
	struct model *m = calloc(1, sizeof *m);
	uint64_t seed = ld_test_seed(30);

	(void)state;
	assert_non_null(m);
	hosts_make(m);
	for (int round = 0; round < rounds; round++) {
		int layers = 1 + (int)draw(&seed, LAYERS_MAX);
		struct lindung *layered, *scratch;

		memset(m->final, 0, sizeof m->final);
		layer_make(m, 0, &seed);
		layered = ld_test_open(list_text(m, m->layers[0]));
		for (int layer = 1; layer < layers; layer++) {
			layer_make(m, layer, &seed);
			assert_int_equal(ld_test_overlay(layered, list_text(m, m->layers[layer])),
					 LINDUNG_OK);
		}
		scratch = ld_test_open(list_text(m, m->final));
		compare_all(m, scratch, "one image", seed, true);
		compare_all(m, layered, "layers", seed, false);
		compare_many(m, layered, seed);
		compare_many(m, scratch, seed + 1);
		lindung_close(layered);
		lindung_close(scratch);
	}
	free(m);
}

/* The file depends on what is in it, not on how it came there. */
static void
test_same_bytes(void **state)
{
	static const struct ld_test_options ways[] = {
		{.sorters = 1, .threads = 1},
		{.sorters = 3, .threads = 2, .shuffle = 1},
		{.sorters = 16, .threads = 5, .shuffle = 2, .memory_bytes = 8192},
		{.sorters = 2, .threads = 16, .shuffle = 3, .memory_bytes = 4096},
	};
	struct model *m = calloc(1, sizeof *m);
	uint64_t seed = ld_test_seed(31);
	size_t size = 8 << 20, at;
	char *text = malloc(size), path[64];
	uint8_t *first = NULL, *again;
	size_t first_len = 0, again_len;

	(void)state;
	assert_non_null(m);
	assert_non_null(text);
	hosts_make(m);
	layer_make(m, 0, &seed);
	at = (size_t)sprintf(text, "%s", list_text(m, m->layers[0]));
	for (unsigned i = 0; i < 40000; i++)
		at += (size_t)snprintf(text + at, size - at, "block\tc%u\tn%u.%s.com%s\ts%u,s%u\n",
				       draw(&seed, 4), draw(&seed, 30000), labels[draw(&seed, 3)],
				       paths[draw(&seed, 20) / 16], draw(&seed, 4),
				       draw(&seed, 4) + 4);
	snprintf(path, sizeof path, "/tmp/lindung-same-%ld", (long)getpid());
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct ld_report report = {{0}};
		int err = ld_test_build(path, ld_span(text, at), &ways[i], NULL, &report);

		if (err != LINDUNG_OK)
			fail_msg("%s", report.text);
		assert_int_equal(ld_read_file(path, 64 << 20, &again, &again_len, NULL),
				 LINDUNG_OK);
		if (first == NULL) {
			first = again;
			first_len = again_len;
			continue;
		}
		assert_int_equal(again_len, first_len);
		assert_memory_equal(again, first, first_len);
		free(again);
	}
	unlink(path);
	free(first);
	free(text);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_edits),
		cmocka_unit_test(test_same_bytes),
	};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
