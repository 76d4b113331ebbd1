/* lindung query: is this name or URL closed, why, and who says so?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "name/idna.h"
#include "name/url.h"
#include "open.h"
#include "show.h"

int query_main(int argc, char **argv);

#define SEALED_TEXT "closed by an authority's order"

enum {
	NAME_WIDTH_MAX = 48,
	ARENA_BYTES = 16 * 1024 * 1024, /* for the reasons of one question */
	STATUS_ERROR = 2,
};

static const char usage[] =
	"usage: lindung query [OPTION ...] FILE NAME|URL ...\n"
	"\n"
	"Asks an image about names and URLs (\"-\": those on standard input, one a line).\n"
	"\n"
	"  -o, --overlay FILE      lay this over the image; may be given several times\n"
	"  -c, --categories A,B    only these count\n"
	"  -e, --explain           tell everything that speaks of the name\n"
	"      --operator          tell of sealed names why they are closed, too\n"
	"      --json              one JSON object a line\n"
	"  -h, --help              this\n"
	"\n"
	"Exit: 0 all are allowed, 1 one is blocked, 2 an error. See lindung(1).\n";

struct query {
	const struct lindung *list;
	uint64_t active;
	bool explain, json;
	unsigned open_flags;
	int width;
	bool blocked, failed;
	struct ld_arena arena;
};

/* A reason, kept. */
struct kept {
	struct lindung_reason reason;
	struct kept *next;
};

/* One question and what came of it. */
struct question {
	struct query *query;
	struct ld_span asked;
	struct lindung_answer answer;
	struct kept *first, **last;
};

static struct ld_span
span(struct lindung_text text)
{
	return ld_span(text.data, text.len);
}

/* ---- Names that are not ASCII --------------------------------------------------------------- */

/* The host in a URL, as it is written. */
static struct ld_span
url_host(struct ld_span url)
{
	struct ld_span rest = url;

	for (size_t i = 0; i + 2 < url.len; i++) {
		if (memcmp(url.data + i, "://", 3) == 0) {
			rest = ld_span_from(url, i + 3);
			break;
		}
		if (url.data[i] == '/')
			break;
	}
	size_t end = 0;
	while (end < rest.len && memchr("/?#\\", rest.data[end], 4) == NULL)
		end++;
	rest = ld_span_first(rest, end);
	const uint8_t *user = rest.len != 0 ? memrchr(rest.data, '@', rest.len) : NULL;
	if (user != NULL)
		rest = ld_span_from(rest, (size_t)(user - rest.data) + 1);
	return ld_span_first(rest, ld_span_find(rest, ':'));
}

/* The same question with A-labels, in the arena. */
static int
question_to_ascii(struct question *q, struct ld_span *ret)
{
	bool is_url = ld_span_find(q->asked, '/') != q->asked.len;
	struct ld_span host = is_url ? url_host(q->asked) : q->asked;
	char ascii[LD_HOST_MAX + 1];
	size_t len, before = host.data != NULL ? (size_t)(host.data - q->asked.data) : 0;
	int err = ld_idna_to_host(ascii, &len, host);

	if (err != LINDUNG_OK)
		return err;
	size_t total = q->asked.len - host.len + len;
	uint8_t *text = ld_arena_alloc(&q->query->arena, total + 1);
	if (text == NULL)
		return LINDUNG_ENOMEM;
	memcpy(text, q->asked.data, before);
	memcpy(text + before, ascii, len);
	memcpy(text + before + len, host.data + host.len, q->asked.len - before - host.len);
	*ret = ld_span(text, total);
	return LINDUNG_OK;
}

/* ---- Asking --------------------------------------------------------------------------------- */

static int
lookup(const struct query *query, struct ld_span asked, struct lindung_answer *ret)
{
	const char *text = (const char *)asked.data;

	if (ld_span_find(asked, '/') != asked.len)
		return lindung_lookup_url(query->list, text, asked.len, query->active, ret);
	return lindung_lookup_name(query->list, text, asked.len, query->active, ret);
}

static int
reason_keep(void *ctx, const struct lindung_reason *reason)
{
	struct question *q = ctx;
	struct kept *kept = ld_arena_alloc(&q->query->arena, sizeof *kept);
	struct ld_span entry;

	if (kept == NULL)
		return LINDUNG_ENOMEM;
	kept->reason = *reason;
	/* The other texts lie in the image. */
	entry = ld_arena_copy(&q->query->arena, span(reason->entry));
	if (entry.data == NULL)
		return LINDUNG_ENOMEM;
	kept->reason.entry.data = (const char *)entry.data;
	*q->last = kept;
	q->last = &kept->next;
	return LINDUNG_OK;
}

static int
ask(struct question *q)
{
	struct ld_span asked = q->asked;
	int err = lookup(q->query, asked, &q->answer);

	if (err == LINDUNG_ENOTASCII) {
		err = question_to_ascii(q, &asked);
		if (err == LINDUNG_OK)
			err = lookup(q->query, asked, &q->answer);
	}
	if (err == LINDUNG_OK)
		err = lindung_explain(q->query->list, (const char *)asked.data, asked.len,
				      q->query->active, reason_keep, q);
	return err;
}

/* The reason speaks for what was decided. */
static bool
gives_verdict(const struct question *q, const struct lindung_reason *reason)
{
	const struct lindung_answer *a = &q->answer;

	if (a->is_protected)
		return reason->is_protected;
	if (a->is_sealed)
		return reason->decides && reason->is_sealed;
	if (!reason->decides || reason->action != a->verdict)
		return false;
	if (a->verdict != LINDUNG_BLOCK || a->category < 0)
		return true;
	struct lindung_text key = lindung_category_key(q->query->list, (unsigned)a->category);
	return ld_span_equal(span(reason->category), span(key));
}

static const struct lindung_reason *
first_reason(const struct question *q)
{
	for (const struct kept *k = q->first; k != NULL; k = k->next)
		if (gives_verdict(q, &k->reason))
			return &k->reason;
	return NULL;
}

/* Columns it takes on a terminal, but for wide and joined letters. */
static int
columns(struct ld_span text)
{
	int n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (text.data[i] & 0xc0) != 0x80;
	return n;
}

/* ---- Telling people ------------------------------------------------------------------------- */

static const char *
verdict_word(enum lindung_verdict verdict)
{
	return verdict == LINDUNG_BLOCK   ? "blocked"
	       : verdict == LINDUNG_ALLOW ? "allowed"
					  : "rewritten";
}

static void
categories_print(const struct question *q)
{
	const struct lindung *list = q->query->list;

	ld_show_text(stdout, span(lindung_category_key(list, (unsigned)q->answer.category)));
	for (unsigned i = 0; i < lindung_category_count(list); i++) {
		if ((int)i == q->answer.category || (q->answer.blocked >> i & 1) == 0)
			continue;
		putchar(',');
		ld_show_text(stdout, span(lindung_category_key(list, i)));
	}
}

/* The sources of all reasons that say what `reason` says. */
static void
sources_print(const struct question *q, const struct lindung_reason *reason)
{
	const char *between = "  (";

	for (const struct kept *k = q->first; k != NULL; k = k->next) {
		if (!gives_verdict(q, &k->reason) ||
		    !ld_span_equal(span(k->reason.entry), span(reason->entry)))
			continue;
		fputs(between, stdout);
		ld_show_text(stdout, span(k->reason.source));
		between = ", ";
	}
	putchar(')');
}

/* One that stands for all that is sealed. */
static bool
is_untold(const struct lindung_reason *reason)
{
	return reason->is_sealed && reason->category.data == NULL;
}

static void
explanation_print(const struct question *q)
{
	static const char *const words[] = {"allow", "block", "rewrite"};

	for (const struct kept *k = q->first; k != NULL; k = k->next) {
		const struct lindung_reason *r = &k->reason;

		if (is_untold(r)) {
			printf("    %-8s" SEALED_TEXT "%s\n", words[r->action],
			       r->decides ? ", decides" : "");
			continue;
		}
		printf("    %-8s", r->is_protected ? "protect" : words[r->action]);
		ld_show_text(stdout, span(r->category));
		fputs(r->important ? " (important) by " : " by ", stdout);
		ld_show_text(stdout, span(r->entry));
		fputs("  (", stdout);
		ld_show_text(stdout, span(r->source));
		putchar(')');
		if (r->target.len != 0) {
			fputs(" -> ", stdout);
			ld_show_text(stdout, span(r->target));
		}
		if (r->layer != 0)
			printf(", overlay %u", r->layer);
		if (r->is_sealed)
			fputs(", sealed", stdout);
		puts(r->decides ? ", decides" : "");
	}
}

static void
answer_print(const struct question *q)
{
	const struct lindung_reason *reason = first_reason(q);
	int pad = q->query->width - columns(q->asked);

	printf("%-9s  ", verdict_word(q->answer.verdict));
	ld_show_text(stdout, q->asked);
	if (q->answer.is_sealed && (reason == NULL || is_untold(reason))) {
		printf("%*s  " SEALED_TEXT, pad > 0 ? pad : 0, "");
	} else if (reason != NULL) {
		printf("%*s  ", pad > 0 ? pad : 0, "");
		if (q->answer.is_protected)
			fputs("protected", stdout);
		else if (q->answer.category >= 0)
			categories_print(q);
		else
			ld_show_text(stdout, span(reason->category));
		fputs("  by ", stdout);
		ld_show_text(stdout, span(reason->entry));
		sources_print(q, reason);
	}
	if (q->answer.target.len != 0) {
		fputs("  -> ", stdout);
		ld_show_text(stdout, span(q->answer.target));
	}
	putchar('\n');
	if (q->query->explain)
		explanation_print(q);
}

/* ---- Telling programs ----------------------------------------------------------------------- */

static json_t *
reason_json(const struct lindung_reason *r)
{
	static const char *const words[] = {"allow", "block", "rewrite"};
	if (is_untold(r))
		return json_pack("{s:s, s:b, s:b}", "action", words[r->action], "decides",
				 r->decides, "sealed", true);
	json_t *object =
		json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:i}", "action",
			  words[r->action], "category", ld_show_json(span(r->category)), "entry",
			  ld_show_json(span(r->entry)), "source", ld_show_json(span(r->source)),
			  "decides", r->decides, "important", r->important, "protected",
			  r->is_protected, "sealed", r->is_sealed, "layer", (int)r->layer);

	if (r->target.len != 0)
		json_object_set_new(object, "target", ld_show_json(span(r->target)));
	return object;
}

static json_t *
categories_json(const struct lindung *list, uint64_t set)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < lindung_category_count(list); i++)
		if ((set >> i & 1) != 0)
			json_array_append_new(array,
					      ld_show_json(span(lindung_category_key(list, i))));
	return array;
}

static json_t *
answer_json(const struct question *q)
{
	static const char *const words[] = {"allow", "block", "rewrite"};
	const struct lindung_answer *a = &q->answer;
	const struct lindung_reason *reason = first_reason(q);
	json_t *object =
		json_pack("{s:o, s:s, s:b, s:b, s:o, s:o}", "query", ld_show_json(q->asked),
			  "verdict", words[a->verdict], "protected", a->is_protected, "sealed",
			  a->is_sealed, "blocked", categories_json(q->query->list, a->blocked),
			  "allowed", categories_json(q->query->list, a->allowed));

	if (a->category >= 0)
		json_object_set_new(object, "category",
				    ld_show_json(span(lindung_category_key(
					    q->query->list, (unsigned)a->category))));
	if (a->target.len != 0)
		json_object_set_new(object, "target", ld_show_json(span(a->target)));
	if (reason != NULL && !is_untold(reason)) {
		json_t *sources = json_array();

		for (const struct kept *k = q->first; k != NULL; k = k->next)
			if (gives_verdict(q, &k->reason) &&
			    ld_span_equal(span(k->reason.entry), span(reason->entry)))
				json_array_append_new(sources,
						      ld_show_json(span(k->reason.source)));
		json_object_set_new(object, "entry", ld_show_json(span(reason->entry)));
		json_object_set_new(object, "sources", sources);
	}
	if (q->query->explain) {
		json_t *reasons = json_array();

		for (const struct kept *k = q->first; k != NULL; k = k->next)
			json_array_append_new(reasons, reason_json(&k->reason));
		json_object_set_new(object, "reasons", reasons);
	}
	return object;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void
query_one(struct query *query, struct ld_span asked)
{
	struct question q = {.query = query, .asked = asked};
	int err;

	q.last = &q.first;
	ld_arena_clear(&query->arena);
	err = ask(&q);
	if (err != LINDUNG_OK) {
		query->failed = true;
		if (query->json)
			ld_show_object(stdout, json_pack("{s:o, s:s}", "query", ld_show_json(asked),
							 "error", lindung_strerror(err)));
		fputs("lindung query: ", stderr);
		ld_show_text(stderr, asked);
		fprintf(stderr, ": %s\n", lindung_strerror(err));
		return;
	}
	query->blocked = query->blocked || q.answer.verdict == LINDUNG_BLOCK;
	if (query->json)
		ld_show_object(stdout, answer_json(&q));
	else
		answer_print(&q);
}

static void
query_stdin(struct query *query)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		size_t used = (size_t)len;

		while (used > 0 && (line[used - 1] == '\n' || line[used - 1] == '\r'))
			used--;
		struct ld_span asked = ld_span_trim(ld_span(line, used));
		if (asked.len != 0)
			query_one(query, asked);
	}
	if (ferror(stdin)) {
		fprintf(stderr, "lindung query: cannot read standard input: %s\n", strerror(errno));
		query->failed = true;
	}
	free(line);
}

static int
query_all(struct query *query, char **names)
{
	query->width = names[1] == NULL ? 0 : 24;
	for (char **name = names; *name != NULL; name++)
		if (columns(ld_span_str(*name)) > query->width)
			query->width = columns(ld_span_str(*name));
	if (query->width > NAME_WIDTH_MAX)
		query->width = NAME_WIDTH_MAX;
	for (char **name = names; *name != NULL; name++) {
		if (strcmp(*name, "-") == 0)
			query_stdin(query);
		else
			query_one(query, ld_span_str(*name));
	}
	if (!ld_show_end("lindung query") || query->failed)
		return STATUS_ERROR;
	return query->blocked;
}

static int
query_run(struct query *query, const struct ld_files *files, const char *categories, char **names)
{
	struct ld_report report;
	struct lindung *list = NULL;
	int status = STATUS_ERROR;
	int err = ld_files_open(&list, files, query->open_flags, &report);

	if (err == LINDUNG_OK)
		err = ld_categories_read(&query->active, list, categories, &report);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "lindung query: %s\n", report.text);
	} else {
		ld_arena_init(&query->arena, ARENA_BYTES);
		query->list = list;
		status = query_all(query, names);
		ld_arena_clear(&query->arena);
	}
	lindung_close(list);
	return status;
}

int
query_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"overlay", required_argument, NULL, 'o'},
		{"categories", required_argument, NULL, 'c'},
		{"explain", no_argument, NULL, 'e'},
		{"operator", no_argument, NULL, 'O'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct query query = {0};
	struct ld_files files = {0};
	struct ld_report report;
	const char *categories = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:c:eh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (ld_files_overlay(&files, optarg, &report) != LINDUNG_OK) {
				fprintf(stderr, "lindung query: %s\n", report.text);
				return STATUS_ERROR;
			}
			break;
		case 'c':
			categories = optarg;
			break;
		case 'e':
			query.explain = true;
			break;
		case 'O':
			query.open_flags = LINDUNG_OPERATOR;
			break;
		case 'j':
			query.json = true;
			break;
		case 'h':
			return fputs(usage, stdout) < 0;
		default:
			fputs("lindung query --help tells more.\n", stderr);
			return STATUS_ERROR;
		}
	}
	if (argc - optind < 2) {
		fputs("lindung query: expected an image, and names or URLs\n"
		      "lindung query --help tells more.\n",
		      stderr);
		return STATUS_ERROR;
	}
	files.paths[0] = argv[optind];
	return query_run(&query, &files, categories, argv + optind + 1);
}
