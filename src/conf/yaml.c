/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"

struct reading {
	yaml_parser_t parser;
	const char *name;
	struct ld_span text;
	struct ld_arena *arena;
	struct ld_report *report;
};

static unsigned
line_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}

static int
refuse(struct reading *r, int error, unsigned line, const char *what)
{
	return ld_fail(r->report, error, "%s:%u: %s", r->name, line, what);
}

/* The reader runs ahead of the parser: where it fails, only the offset is known. */
static unsigned
line_at(struct ld_span text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.data[i] == '\n';
	return line;
}

static int
event_next(struct reading *r, yaml_event_t *event)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, event))
		return LINDUNG_OK;
	if (p->error == YAML_MEMORY_ERROR)
		return refuse(r, LINDUNG_ENOMEM, line_of(&p->mark), "not enough memory");
	return ld_fail(r->report, LINDUNG_ESYNTAX, "%s:%u: not YAML: %s", r->name,
		       p->error == YAML_READER_ERROR ? line_at(r->text, p->problem_offset)
						     : line_of(&p->problem_mark),
		       p->problem != NULL ? p->problem : "unknown fault");
}

/* Anchors and tags are refused wherever they stand. */
static int
check_plain(struct reading *r, const yaml_event_t *event, const yaml_char_t *anchor,
	    const yaml_char_t *tag)
{
	if (anchor != NULL)
		return refuse(r, LINDUNG_ESYNTAX, line_of(&event->start_mark),
			      "anchors (&name) are not taken: write the value out");
	if (tag != NULL)
		return refuse(r, LINDUNG_ESYNTAX, line_of(&event->start_mark),
			      "tags (!name) are not taken");
	return LINDUNG_OK;
}

static int
scalar_read(struct reading *r, const yaml_event_t *event, struct ld_span *ret_text)
{
	struct ld_span text = ld_span(event->data.scalar.value, event->data.scalar.length);
	int err = check_plain(r, event, event->data.scalar.anchor, event->data.scalar.tag);

	if (err != LINDUNG_OK)
		return err;
	if (ld_span_find(text, '\0') != text.len)
		return refuse(r, LINDUNG_ESYNTAX, line_of(&event->start_mark),
			      "a NUL character in a text");
	text = ld_arena_copy(r->arena, text);
	if (text.data == NULL)
		return refuse(r, LINDUNG_ENOMEM, line_of(&event->start_mark), "not enough memory");
	*ret_text = text;
	return LINDUNG_OK;
}

static int node_read(struct reading *r, yaml_event_t *event, unsigned depth, struct ld_yaml *ret);

/* Reads the key that `event` is, and has the next event ready as the value. */
static int
key_read(struct reading *r, yaml_event_t *event, struct ld_yaml *child)
{
	unsigned line = line_of(&event->start_mark);
	int err = LINDUNG_OK;

	if (event->type != YAML_SCALAR_EVENT)
		err = refuse(r, LINDUNG_ESYNTAX, line, "a key must be text");
	if (err == LINDUNG_OK)
		err = scalar_read(r, event, &child->key);
	child->line = line;
	yaml_event_delete(event);
	return err == LINDUNG_OK ? event_next(r, event) : err;
}

/* Both kinds end with the event type `end`.  `event` is the parent's first; consumed. */
static int
children_read(struct reading *r, yaml_event_type_t end, unsigned depth, struct ld_yaml *parent)
{
	const struct ld_yaml **link = &parent->first;
	yaml_event_t event;
	int err;

	while ((err = event_next(r, &event)) == LINDUNG_OK && event.type != end) {
		struct ld_yaml *child = ld_arena_alloc(r->arena, sizeof *child);

		if (child == NULL) {
			err = refuse(r, LINDUNG_ENOMEM, line_of(&event.start_mark),
				     "not enough memory");
			yaml_event_delete(&event);
			return err;
		}
		if (parent->kind == LD_YAML_MAPPING)
			err = key_read(r, &event, child);
		if (err == LINDUNG_OK)
			err = node_read(r, &event, depth, child);
		if (err != LINDUNG_OK)
			return err;
		*link = child;
		link = &child->next;
		parent->count++;
	}
	if (err == LINDUNG_OK)
		yaml_event_delete(&event);
	return err;
}

static int
by_key_and_line(const void *a, const void *b)
{
	const struct ld_yaml *x = *(const struct ld_yaml *const *)a;
	const struct ld_yaml *y = *(const struct ld_yaml *const *)b;
	int order = ld_span_compare(x->key, y->key);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorted, not compared each with each: a file of 4 MiB can hold a million keys. */
static int
check_twice(struct reading *r, const struct ld_yaml *mapping)
{
	const struct ld_yaml **all;
	unsigned n = 0;
	int err = LINDUNG_OK;

	if (mapping->count < 2)
		return LINDUNG_OK;
	all = calloc(mapping->count, sizeof *all);
	if (all == NULL)
		return refuse(r, LINDUNG_ENOMEM, mapping->line, "not enough memory");
	for (const struct ld_yaml *child = mapping->first; child != NULL; child = child->next)
		all[n++] = child;
	qsort(all, n, sizeof *all, by_key_and_line);
	for (unsigned i = 1; i < n && err == LINDUNG_OK; i++)
		if (ld_span_equal(all[i - 1]->key, all[i]->key))
			err = ld_fail(r->report, LINDUNG_ESYNTAX,
				      "%s:%u: the key %.60s stands here twice, first in line %u",
				      r->name, all[i]->line, (const char *)all[i]->key.data,
				      all[i - 1]->line);
	free(all);
	return err;
}

static int
container_read(struct reading *r, const yaml_event_t *event, unsigned depth, struct ld_yaml *ret)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	int err;

	if (mapping)
		err = check_plain(r, event, event->data.mapping_start.anchor,
				  event->data.mapping_start.tag);
	else
		err = check_plain(r, event, event->data.sequence_start.anchor,
				  event->data.sequence_start.tag);
	if (err == LINDUNG_OK && depth >= LD_YAML_DEPTH_MAX)
		err = ld_fail(r->report, LINDUNG_ELIMIT, "%s:%u: nested deeper than %d levels",
			      r->name, line_of(&event->start_mark), LD_YAML_DEPTH_MAX);
	if (err != LINDUNG_OK)
		return err;
	ret->kind = mapping ? LD_YAML_MAPPING : LD_YAML_SEQUENCE;
	err = children_read(r, mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT,
			    depth + 1, ret);
	return err == LINDUNG_OK && mapping ? check_twice(r, ret) : err;
}

/* The node that begins with `event`, which is consumed whatever the outcome. */
static int
node_read(struct reading *r, yaml_event_t *event, unsigned depth, struct ld_yaml *ret)
{
	unsigned line = line_of(&event->start_mark);
	int err;

	if (ret->line == 0)
		ret->line = line;
	if (event->type == YAML_SCALAR_EVENT) {
		ret->kind = LD_YAML_SCALAR;
		ret->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		err = scalar_read(r, event, &ret->text);
	} else if (event->type == YAML_ALIAS_EVENT) {
		err = refuse(r, LINDUNG_ESYNTAX, line,
			     "aliases (*name) are not taken: write the value out");
	} else {
		err = container_read(r, event, depth, ret);
	}
	yaml_event_delete(event);
	return err;
}

/* Takes the next event, which must be of this type, away. */
static int
event_skip(struct reading *r, yaml_event_type_t type, const char *otherwise)
{
	yaml_event_t event;
	int err = event_next(r, &event);

	if (err != LINDUNG_OK)
		return err;
	if (event.type != type)
		err = refuse(r, LINDUNG_ESYNTAX, line_of(&event.start_mark), otherwise);
	yaml_event_delete(&event);
	return err;
}

static int
stream_read(struct reading *r, struct ld_yaml *root)
{
	yaml_event_t event;
	int err = event_skip(r, YAML_STREAM_START_EVENT, "not YAML");

	if (err == LINDUNG_OK)
		err = event_next(r, &event);
	if (err != LINDUNG_OK)
		return err;
	if (event.type == YAML_STREAM_END_EVENT) {
		*root = (struct ld_yaml){.kind = LD_YAML_MAPPING, .line = 1};
		yaml_event_delete(&event);
		return LINDUNG_OK;
	}
	yaml_event_delete(&event);
	err = event_next(r, &event);
	if (err == LINDUNG_OK)
		err = node_read(r, &event, 0, root);
	if (err == LINDUNG_OK)
		err = event_skip(r, YAML_DOCUMENT_END_EVENT, "not YAML");
	if (err == LINDUNG_OK)
		err = event_skip(r, YAML_STREAM_END_EVENT,
				 "a second document begins: one file is one document");
	return err;
}

int
ld_yaml_parse(const struct ld_yaml **ret, const char *name, struct ld_span text,
	      struct ld_arena *arena, struct ld_report *report)
{
	struct reading r = {.name = name, .text = text, .arena = arena, .report = report};
	struct ld_yaml *root = ld_arena_alloc(arena, sizeof *root);
	int err;

	if (text.len > LD_YAML_FILE_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "%s: larger than %d bytes", name,
			       LD_YAML_FILE_MAX_BYTES);
	if (root == NULL || !yaml_parser_initialize(&r.parser))
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", name);
	yaml_parser_set_input_string(&r.parser, text.len != 0 ? text.data : (const uint8_t *)"",
				     text.len);
	err = stream_read(&r, root);
	yaml_parser_delete(&r.parser);
	if (err == LINDUNG_OK)
		*ret = root;
	return err;
}

int
ld_yaml_load(const struct ld_yaml **ret, const char *path, struct ld_arena *arena,
	     struct ld_report *report)
{
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, LD_YAML_FILE_MAX_BYTES, &data, &len, report);

	if (err != LINDUNG_OK)
		return err;
	err = ld_yaml_parse(ret, path, ld_span(data, len), arena, report);
	free(data);
	return err;
}

const struct ld_yaml *
ld_yaml_find(const struct ld_yaml *mapping, const char *key)
{
	if (mapping->kind != LD_YAML_MAPPING)
		return NULL;
	for (const struct ld_yaml *child = mapping->first; child != NULL; child = child->next)
		if (ld_span_equal(child->key, ld_span_str(key)))
			return child;
	return NULL;
}

struct ld_span
ld_yaml_text(const struct ld_yaml *mapping, const char *key)
{
	const struct ld_yaml *child = ld_yaml_find(mapping, key);

	return child != NULL && child->kind == LD_YAML_SCALAR ? child->text
							      : (struct ld_span){NULL, 0};
}

const char *
ld_yaml_kind_text(const struct ld_yaml *node)
{
	switch (node->kind) {
	case LD_YAML_MAPPING:
		return "a mapping";
	case LD_YAML_SEQUENCE:
		return "a list";
	case LD_YAML_SCALAR:
	default:
		return "text";
	}
}
