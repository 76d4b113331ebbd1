/* Every answer against a sorted text: the list as `lindung dump` writes it, searched line by line.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_exact IMAGE RANDOM    figures as JSON
 *
 * The oracle shares no code with the look-up, but takes its text from the image: that the text is
 * what the lists say is for tests/ to show.  Asked are all listed names, children of theirs, names
 * beside them (a letter changed, a label removed or added), and RANDOM names made of their labels
 * and of letters. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "bench.h"
#include "index/beside.h"
#include "index/export.h"

enum {
	FIELDS = 4, /* action, category, entry, sources */
};

enum scope { SCOPE_TREE, SCOPE_SELF, SCOPE_BELOW };

/* A line of the text. */
struct line {
	struct ld_span name;
	uint64_t categories;
	uint8_t scope, action; /* first letter of the action */
	bool important;
};

struct oracle {
	const struct lindung *list;
	struct line *lines; /* by name */
	size_t count;
};

struct tally {
	const char *key;
	uint64_t asked, wrong;
	char first[256];
};

static struct ld_span
list_text(const struct lindung *list)
{
	struct ld_export *export;
	struct ld_write_summary summary;
	const struct ld_write_options options = {.title = "bench"};
	struct ld_report report;
	struct ld_map map;
	char path[64];
	int fd = memfd_create("list", MFD_CLOEXEC);

	if (fd < 0 || ld_export_new(&export, list, false, LINDUNG_ALL) != LINDUNG_OK)
		bench_die("no memory for the list as text");
	struct ld_list_source source = ld_export_source(export);
	if (ld_list_write(fd, LD_LIST_LINDUNG, &source, &options, &summary, &report) != LINDUNG_OK)
		bench_die("%s", report.text);
	ld_export_free(export);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (ld_map_open(&map, path) != LINDUNG_OK)
		bench_die("%s: %m", path);
	close(fd);
	return map.bytes;
}

/* False: a comment, or an entry for URLs. */
static bool
line_read(const struct oracle *o, struct ld_span text, struct line *ret)
{
	struct ld_span fields[FIELDS];

	if (text.len == 0 || text.data[0] == '#')
		return false;
	for (int i = 0; i < FIELDS; i++) {
		size_t end = ld_span_find(text, '\t');

		fields[i] = ld_span_first(text, end);
		text = ld_span_from(text, end + 1);
	}
	struct ld_span action = fields[0], name = fields[2];
	*ret = (struct line){.scope = SCOPE_TREE, .action = action.data[0]};
	ret->important = action.data[action.len - 1] == '!';
	if (name.data[0] == '=') {
		ret->scope = SCOPE_SELF;
		name = ld_span_from(name, 1);
	} else if (name.data[0] == '*' && name.data[1] == '.') {
		ret->scope = SCOPE_BELOW;
		name = ld_span_from(name, 2);
	}
	ret->name = name;
	/* protect and rewrite speak of the name, whatever the category. */
	if (ld_span_equal(fields[1], LD_SPAN("*"))) {
		ret->categories = LINDUNG_ALL;
	} else {
		int category =
			lindung_category_find(o->list, (const char *)fields[1].data, fields[1].len);

		if (category < 0)
			bench_die("a category that the image does not know");
		ret->categories = UINT64_C(1) << category;
	}
	return ld_span_find(name, '/') == name.len;
}

static int
by_name(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return ld_span_compare(x->name, y->name);
}

static void
oracle_make(struct oracle *o, const struct lindung *list)
{
	struct ld_span text = list_text(list), rest = text;
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	o->list = list;
	o->lines = bench_alloc(lines * sizeof *o->lines);
	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');

		o->count += line_read(o, ld_span_first(rest, end), &o->lines[o->count]);
		rest = ld_span_from(rest, end + 1);
	}
	qsort(o->lines, o->count, sizeof *o->lines, by_name);
}

static size_t
oracle_find(const struct oracle *o, struct ld_span name)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ld_span_compare(o->lines[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is decided so far, from the longest entry to the shortest. */
struct judgement {
	uint64_t block, allow, important_block, important_allow;
	bool is_protected, rewrites;
};

/* The lines of one name: what they say of it, or (below) of names below it. */
static void
name_judge(const struct oracle *o, struct ld_span name, bool below, struct judgement *j)
{
	struct judgement here = {0};

	for (size_t i = oracle_find(o, name); i < o->count && ld_span_equal(o->lines[i].name, name);
	     i++) {
		const struct line *line = &o->lines[i];

		if (line->scope == (below ? SCOPE_SELF : SCOPE_BELOW))
			continue;
		if (line->action == 'p')
			here.is_protected = true;
		else if (line->action == 'r' && line->name.len != 0)
			here.rewrites = true;
		else if (line->action == 'a' && line->important)
			here.important_allow |= line->categories;
		else if (line->action == 'a')
			here.allow |= line->categories;
		else if (line->important)
			here.important_block |= line->categories;
		else
			here.block |= line->categories;
	}
	uint64_t decided = j->block | j->allow;
	uint64_t important = j->important_block | j->important_allow;
	j->allow |= here.allow & ~decided;
	j->block |= here.block & ~here.allow & ~decided;
	j->important_allow |= here.important_allow & ~important;
	j->important_block |= here.important_block & ~here.important_allow & ~important;
	j->is_protected |= here.is_protected;
	j->rewrites |= here.rewrites;
}

static void
check(const struct oracle *o, struct tally *tally, struct ld_span name)
{
	struct judgement j = {0};
	struct lindung_answer answer;
	bool below = false;

	for (struct ld_span rest = name; rest.len != 0; below = true) {
		name_judge(o, rest, below, &j);
		rest = ld_span_from(rest, ld_span_find(rest, '.') + 1);
	}
	uint64_t important = j.important_block | j.important_allow;
	uint64_t blocked = j.is_protected ? 0 : (j.block & ~important) | j.important_block;
	enum lindung_verdict verdict = blocked != 0                    ? LINDUNG_BLOCK
				       : j.rewrites && !j.is_protected ? LINDUNG_REWRITE
								       : LINDUNG_ALLOW;
	tally->asked++;
	if (lindung_lookup_name(o->list, (const char *)name.data, name.len, LINDUNG_ALL, &answer) ==
		    LINDUNG_OK &&
	    answer.verdict == verdict && answer.blocked == blocked &&
	    answer.is_protected == j.is_protected)
		return;
	if (tally->wrong++ == 0)
		snprintf(tally->first, sizeof tally->first, "%.*s", (int)name.len,
			 (const char *)name.data);
}

/* ---- Names beside listed ones -----------------------------------------------------------------
 */

enum { LISTED = LD_BESIDE_KINDS, RANDOM, TALLIES };

static struct tally tallies[TALLIES] = {
	[LISTED] = {.key = "listed"},
	[LD_BESIDE_CHILD] = {.key = "children of listed"},
	[LD_BESIDE_CHANGED] = {.key = "one letter changed"},
	[LD_BESIDE_INSERTED] = {.key = "one letter added"},
	[LD_BESIDE_TAKEN] = {.key = "one letter removed"},
	[LD_BESIDE_PARENT] = {.key = "a label removed"},
	[LD_BESIDE_WITHIN] = {.key = "a label added within"},
	[RANDOM] = {.key = "random"},
};

static void
beside_check(void *ctx, enum ld_beside kind, struct ld_span name)
{
	check(ctx, &tallies[kind], name);
}

static void
random_check(const struct oracle *o, uint64_t *random)
{
	struct ld_span one = o->lines[ld_beside_draw(random) % o->count].name;
	struct ld_span other = o->lines[ld_beside_draw(random) % o->count].name;
	char made[LD_BESIDE_NAME_BYTES];
	struct ld_span name = ld_beside_random(made, one, other, random);

	if (name.len != 0)
		check(o, &tallies[RANDOM], name);
}

int
main(int argc, char **argv)
{
	struct oracle oracle = {0};
	struct lindung *list;
	uint64_t random = 1;

	if (argc != 3)
		bench_die("usage: bench_exact IMAGE RANDOM");
	int err = lindung_open(&list, argv[1], 0);
	if (err != LINDUNG_OK)
		bench_die("%s: %s", argv[1], lindung_strerror(err));
	oracle_make(&oracle, list);
	if (oracle.count == 0)
		bench_die("%s: no names", argv[1]);
	for (size_t i = 0; i < oracle.count; i++) {
		struct ld_span name = oracle.lines[i].name;

		if (i > 0 && ld_span_equal(name, oracle.lines[i - 1].name))
			continue;
		check(&oracle, &tallies[LISTED], name);
		ld_beside(name, &random, beside_check, &oracle);
	}
	for (long i = atol(argv[2]); i > 0; i--)
		random_check(&oracle, &random);
	for (int i = 0; i < TALLIES; i++)
		printf("%s \"%s\": {\"asked\": %llu, \"wrong\": %llu, \"first\": \"%s\"}",
		       i == 0 ? "{" : ",\n ", tallies[i].key, (unsigned long long)tallies[i].asked,
		       (unsigned long long)tallies[i].wrong, tallies[i].first);
	puts("}");
	lindung_close(list);
	return 0;
}
