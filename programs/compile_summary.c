/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <inttypes.h>
#include <stdio.h>

#include "show.h"

/* Lines that hold nothing to take are not rejections to speak of. */
static bool
is_nothing(enum ld_reject reason)
{
	return reason == LD_REJECT_COMMENT || reason == LD_REJECT_BLANK;
}

static uint64_t
rejected(const struct ld_compile_counts *counts)
{
	uint64_t sum = 0;

	for (int i = 0; i < LD_REJECT_COUNT; i++)
		if (!is_nothing((enum ld_reject)i))
			sum += counts->rejects[i];
	return sum;
}

static const char *
category_of(const struct ld_compile_list *list)
{
	return list->category != NULL ? list->category : "(its own)";
}

static void
row(const char *source, const char *category, const char *format,
    const struct ld_compile_counts *counts)
{
	printf("%-30s %-14s %-9s %12s %12s %12s\n", source, category, format,
	       ld_show_number(counts->lines).text, ld_show_number(counts->entries).text,
	       ld_show_number(rejected(counts)).text);
}

static double
bytes_a_name(const struct ld_build_stats *build)
{
	return build->keys != 0 ? (double)build->size_bytes / (double)build->keys : 0;
}

static double
lines_a_second(const struct ld_compile_summary *s)
{
	return s->seconds > 0 ? (double)s->stats->total.lines / s->seconds : 0;
}

void
ld_compile_print(const struct ld_compile_summary *s)
{
	const struct ld_compile_stats *stats = s->stats;
	const struct ld_build_stats *build = &stats->build;
	bool any = false;

	printf("%-30s %-14s %-9s %12s %12s %12s\n", "list", "category", "format", "lines",
	       "entries", "rejected");
	for (size_t i = 0; i < s->list_count; i++)
		row(s->lists[i].source, category_of(&s->lists[i]),
		    ld_list_format_key(stats->lists[i].format), &stats->lists[i]);
	row("total", "", "", &stats->total);
	for (int i = 0; i < LD_REJECT_COUNT; i++) {
		if (stats->total.rejects[i] == 0)
			continue;
		if (!any)
			puts("\nlines and entries that were not taken:");
		any = true;
		printf("%12s  %-14s %s\n", ld_show_number(stats->total.rejects[i]).text,
		       ld_reject_key((enum ld_reject)i), ld_reject_text((enum ld_reject)i));
	}
	printf("\n%s: %s names", s->output, ld_show_number(build->keys - build->urls).text);
	if (build->urls != 0)
		printf(", %s URLs", ld_show_number(build->urls).text);
	printf(", %s, %.2f bytes a name, date %s\n", ld_show_bytes(build->size_bytes).text,
	       bytes_a_name(build), ld_show_day(s->date_day).text);
	if (build->covered != 0)
		printf("%s of them are covered by a parent\n", ld_show_number(build->covered).text);
	printf("%.2f s, %s lines/s, memory %s\n", s->seconds,
	       ld_show_number((uint64_t)lines_a_second(s)).text,
	       ld_show_bytes(s->memory_bytes).text);
}

static json_t *
counts_json(const struct ld_compile_counts *counts)
{
	json_t *rejects = json_object();

	for (int i = 0; i < LD_REJECT_COUNT; i++)
		if (counts->rejects[i] != 0)
			json_object_set_new(rejects, ld_reject_key((enum ld_reject)i),
					    json_integer((json_int_t)counts->rejects[i]));
	return json_pack("{s:I, s:I, s:o}", "lines", (json_int_t)counts->lines, "entries",
			 (json_int_t)counts->entries, "rejected", rejects);
}

static json_t *
list_json(const struct ld_compile_list *list, const struct ld_compile_counts *counts)
{
	json_t *object = counts_json(counts);

	json_object_set_new(object, "source", ld_show_json(ld_span_str(list->source)));
	json_object_set_new(object, "file", ld_show_json(ld_span_str(list->path)));
	json_object_set_new(object, "format", json_string(ld_list_format_key(counts->format)));
	json_object_set_new(object, "allow", json_boolean(list->allow));
	if (list->category != NULL)
		json_object_set_new(object, "category", json_string(list->category));
	return object;
}

void
ld_compile_print_json(const struct ld_compile_summary *s)
{
	const struct ld_build_stats *build = &s->stats->build;
	json_t *lists = json_array(), *object;

	for (size_t i = 0; i < s->list_count; i++)
		json_array_append_new(lists, list_json(&s->lists[i], &s->stats->lists[i]));
	object = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:I}", "lists", lists,
			   "total", counts_json(&s->stats->total), "names",
			   (json_int_t)(build->keys - build->urls), "urls", (json_int_t)build->urls,
			   "covered", (json_int_t)build->covered, "size_bytes",
			   (json_int_t)build->size_bytes, "bytes_a_name", bytes_a_name(build),
			   "seconds", s->seconds, "lines_a_second", lines_a_second(s),
			   "memory_bytes", (json_int_t)s->memory_bytes);
	if (object != NULL) {
		json_object_set_new(object, "output", ld_show_json(ld_span_str(s->output)));
		json_object_set_new(object, "date", json_string(ld_show_day(s->date_day).text));
	}
	ld_show_object(stdout, object);
}
