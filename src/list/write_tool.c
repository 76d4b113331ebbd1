/* Write a list in another format: for the tests, not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: write_tool [-c] [-o ORIGIN] [-t TITLE] FORMAT FILE
 *
 * FILE has the format LINDUNG, its entries in the order that ld_list_write() asks for.  The output
 * goes to standard output, the summary to standard error, a "name count" a line. -c: cut. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "list/list.h"

enum {
	MEMORY_MAX_BYTES = 1024 * 1024 * 1024,
};

struct list {
	struct ld_arena arena;
	struct ld_entry *entries;
	size_t count;
	size_t size;
	size_t at;
};

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct list *list = ctx;

	(void)line;
	if (list->count == list->size) {
		list->size = list->size != 0 ? 2 * list->size : 1024;
		list->entries = reallocarray(list->entries, list->size, sizeof *entry);
		if (list->entries == NULL)
			return LINDUNG_ENOMEM;
	}
	struct ld_entry *copy = &list->entries[list->count++];
	*copy = *entry;
	struct ld_span *spans[] = {&copy->host, &copy->path, &copy->target, &copy->category,
				   &copy->source};
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
		*spans[i] = ld_arena_copy(&list->arena, *spans[i]);
		if (spans[i]->data == NULL)
			return LINDUNG_ENOMEM;
	}
	return LINDUNG_OK;
}

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	(void)ctx;
	if (reason != LD_REJECT_COMMENT && reason != LD_REJECT_BLANK) {
		fprintf(stderr, "write_tool: line %llu: %s: %.*s\n", (unsigned long long)line,
			ld_reject_key(reason), (int)text.len, (const char *)text.data);
		return LINDUNG_ESYNTAX;
	}
	return LINDUNG_OK;
}

static int
read_list(struct list *list, const char *path, struct ld_report *report)
{
	const struct ld_list_sink sink = {list, on_entry, on_reject};
	struct ld_list_input *input;
	struct ld_list_parser *parser;
	struct ld_list_chunk chunk;

	int err = ld_list_input_open(&input, path, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_list_parser_new(&parser, LD_LIST_LINDUNG, NULL);
	while (err == LINDUNG_OK) {
		void *memory = NULL;

		err = ld_list_input_next(input, &chunk, &memory, report);
		if (err == LINDUNG_OK)
			err = ld_list_parse(parser, &chunk, &sink);
		free(memory);
		if (chunk.bytes.len == 0)
			break;
	}
	ld_list_parser_free(parser);
	ld_list_input_close(input);
	return err;
}

static int
list_rewind(void *ctx)
{
	((struct list *)ctx)->at = 0;
	return LINDUNG_OK;
}

static int
list_next(void *ctx, struct ld_entry *ret)
{
	struct list *list = ctx;

	if (list->at == list->count)
		return LINDUNG_ENOTFOUND;
	*ret = list->entries[list->at++];
	return LINDUNG_OK;
}

static void
print_summary(const struct ld_write_summary *s)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"read", s->read},
		{"written", s->written},
		{"no_url", s->no_url},
		{"no_self", s->no_self},
		{"no_below", s->no_below},
		{"no_tree", s->no_tree},
		{"no_allow", s->no_allow},
		{"no_rewrite", s->no_rewrite},
		{"no_important", s->no_important},
		{"past_limit", s->past_limit},
		{"between", s->between},
	};

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		fprintf(stderr, "%s %llu\n", counts[i].name, (unsigned long long)counts[i].count);
}

int
main(int argc, char **argv)
{
	struct list list = {0};
	struct ld_report report = {0};
	struct ld_write_options options = {.rpz_serial = 1};
	struct ld_write_summary summary;
	int option;

	while ((option = getopt(argc, argv, "co:t:")) != -1) {
		if (option == 'c')
			options.cut = true;
		else if (option == 'o')
			options.rpz_origin = optarg;
		else if (option == 't')
			options.title = optarg;
		else
			return 2;
	}
	int format = argc - optind == 2 ? ld_list_format_find(argv[optind]) : -1;
	if (format < 0) {
		fputs("usage: write_tool [-c] [-o ORIGIN] [-t TITLE] FORMAT FILE\n", stderr);
		return 2;
	}
	ld_arena_init(&list.arena, MEMORY_MAX_BYTES);
	int err = read_list(&list, argv[optind + 1], &report);
	const struct ld_list_source source = {&list, list_rewind, list_next};
	if (err == LINDUNG_OK)
		err = ld_list_write(STDOUT_FILENO, (enum ld_list_format)format, &source, &options,
				    &summary, &report);
	if (err == LINDUNG_OK)
		print_summary(&summary);
	else
		fprintf(stderr, "write_tool: %s: %s\n", lindung_strerror(err), report.text);
	ld_arena_clear(&list.arena);
	free(list.entries);
	return err == LINDUNG_OK ? 0 : 1;
}
