/* YAML files that people edit, read strictly into a tree.  Only this folder knows libyaml.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What makes YAML surprising is refused: anchors, aliases, tags, keys that are not plain text, the
 * same key twice, several documents.  A scalar is text; what it means is the reader's to say.
 *
 * Lifetime: the tree and its texts live in the arena given.  Threads: a tree is read-only. */
#ifndef LD_CONF_YAML_H
#define LD_CONF_YAML_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_YAML_DEPTH_MAX = 16,
	LD_YAML_FILE_MAX_BYTES = 4 * 1024 * 1024,
};

enum ld_yaml_kind { LD_YAML_SCALAR, LD_YAML_SEQUENCE, LD_YAML_MAPPING };

struct ld_yaml {
	enum ld_yaml_kind kind;
	unsigned line;       /* where it begins, from 1; in a mapping, where its key stands */
	unsigned count;      /* how many children */
	struct ld_span key;  /* in a mapping; else empty */
	struct ld_span text; /* of a scalar, with a NUL behind it and none in it */
	bool quoted;         /* a scalar that is not plain: "" is text, nothing is nothing */
	const struct ld_yaml *first; /* of a sequence or mapping, in the file's order */
	const struct ld_yaml *next;  /* the next child of the same parent */
};

/** Read the file.  An empty one gives an empty mapping.
 * Errors: LINDUNG_EIO, LINDUNG_ELIMIT (file too large, too deep), LINDUNG_ESYNTAX, LINDUNG_ENOMEM
 * (the arena's limit, too); the report says "FILE:LINE: what". */
int ld_yaml_load(const struct ld_yaml **ret, const char *path, struct ld_arena *arena,
		 struct ld_report *report);

/** The same from memory; `name` stands for the file in reports. */
int ld_yaml_parse(const struct ld_yaml **ret, const char *name, struct ld_span text,
		  struct ld_arena *arena, struct ld_report *report);

/** The child of a mapping with this key; NULL if there is none, or if it is not a mapping. */
const struct ld_yaml *ld_yaml_find(const struct ld_yaml *mapping, const char *key);

/** Text of the scalar child with this key; the empty span if there is none. */
struct ld_span ld_yaml_text(const struct ld_yaml *mapping, const char *key);

/** "a list", "a mapping" or "text", for messages. */
const char *ld_yaml_kind_text(const struct ld_yaml *node);

#endif
