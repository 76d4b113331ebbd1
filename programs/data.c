/* SPDX-License-Identifier: BSD-2-Clause */
#include "data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "conf/yaml.h"
#include "name/name.h"

enum { PROTECTED_TEXT_BYTES = 8 * 1024 * 1024 };

static const char version_known[] = "1";

static const char *
path_join(const char *folder, size_t folder_len, const char *rest, struct ld_arena *arena)
{
	size_t size = folder_len + strlen(rest) + 2;
	char *path = ld_arena_alloc(arena, size);

	if (path != NULL)
		snprintf(path, size, "%.*s/%s", (int)folder_len, folder, rest);
	return path;
}

const char *
ld_data_path(const char *file, struct ld_arena *arena)
{
	static const char *const beside[] = {"../share/lindung", "../../data"};
	const char *folder = getenv("LINDUNG_DATA");
	char program[PATH_MAX];
	ssize_t len;

	if (folder != NULL && *folder != '\0') {
		const char *path = path_join(folder, strlen(folder), file, arena);

		return path != NULL && access(path, R_OK) == 0 ? path : NULL;
	}
	len = readlink("/proc/self/exe", program, sizeof program - 1);
	while (len > 0 && program[len - 1] != '/')
		len--;
	for (size_t i = 0; len > 0 && i < sizeof beside / sizeof beside[0]; i++) {
		const char *data = path_join(program, (size_t)len - 1, beside[i], arena);
		const char *path = data != NULL ? path_join(data, strlen(data), file, arena) : NULL;

		if (path != NULL && access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

/* Load a file of version 1 and give the sequence under `key`. */
static int
sequence_load(const struct ld_yaml **ret, const char *path, const char *key, struct ld_arena *arena,
	      struct ld_report *report)
{
	const struct ld_yaml *root, *found;
	int err = ld_yaml_load(&root, path, arena, report);

	if (err != LINDUNG_OK)
		return err;
	if (!ld_span_equal(ld_yaml_text(root, "version"), ld_span_str(version_known)))
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: expected \"version: %s\"", path,
			       root->line, version_known);
	found = ld_yaml_find(root, key);
	if (found == NULL || found->kind != LD_YAML_SEQUENCE)
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: expected a list under \"%s:\"",
			       path, found != NULL ? found->line : root->line, key);
	*ret = found;
	return LINDUNG_OK;
}

static int
protected_read(struct ld_protected *ret, const struct ld_yaml *name, const char *path,
	       struct ld_report *report)
{
	char host[LD_HOST_MAX + 1];
	size_t len = 0;

	ret->exact = ld_span_starts(name->text, LD_SPAN("="));
	ret->host = ld_span_from(name->text, ret->exact);
	if (name->kind != LD_YAML_SCALAR ||
	    ld_host_from_text(host, &len, ret->host) != LINDUNG_OK ||
	    !ld_span_equal(ld_span(host, len), ret->host))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "%s:%u: expected a name in lower case, as \"example.org\" or "
			       "\"=www.example.org\"",
			       path, name->line);
	return LINDUNG_OK;
}

int
ld_data_protected(const struct ld_protected **ret, size_t *ret_count, const char *path,
		  struct ld_arena *arena, struct ld_report *report)
{
	const struct ld_yaml *groups, *group, *names, *name;
	struct ld_protected *list;
	size_t count = 0;
	int err = sequence_load(&groups, path, "protected", arena, report);

	if (err != LINDUNG_OK)
		return err;
	for (group = groups->first; group != NULL; group = group->next) {
		names = ld_yaml_find(group, "names");
		count += names != NULL ? names->count : 0;
	}
	list = ld_arena_alloc(arena, (count + 1) * sizeof *list);
	if (list == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	count = 0;
	for (group = groups->first; group != NULL; group = group->next) {
		names = ld_yaml_find(group, "names");
		for (name = names != NULL ? names->first : NULL; name != NULL; name = name->next) {
			err = protected_read(&list[count++], name, path, report);
			if (err != LINDUNG_OK)
				return err;
		}
	}
	*ret = list;
	*ret_count = count;
	return LINDUNG_OK;
}

static int
categories_load(const char *const **ret, size_t *ret_count, bool only_locked, const char *path,
		struct ld_arena *arena, struct ld_report *report)
{
	const struct ld_yaml *list, *item;
	const char **keys;
	size_t count = 0;
	int err = sequence_load(&list, path, "categories", arena, report);

	if (err != LINDUNG_OK)
		return err;
	keys = ld_arena_alloc(arena, (list->count + 1) * sizeof *keys);
	if (keys == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	for (item = list->first; item != NULL; item = item->next) {
		struct ld_span key = ld_yaml_text(item, "key");

		if (!ld_category_key_is_valid(key))
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "%s:%u: expected \"key:\" with [a-z0-9-], at most %d", path,
				       item->line, LD_CATEGORY_KEY_MAX);
		if (!only_locked || ld_span_equal(ld_yaml_text(item, "locked"), LD_SPAN("true")))
			keys[count++] = (const char *)key.data;
	}
	*ret = keys;
	*ret_count = count;
	return LINDUNG_OK;
}

int
ld_data_protected_text(struct ld_span *ret, struct ld_arena *arena, struct ld_report *report)
{
	const char *path = ld_data_path("protected.yaml", arena);
	const char *categories = ld_data_path("categories.yaml", arena);
	const struct ld_protected *names;
	const char *const *locked;
	struct ld_buffer text;
	struct ld_span copy;
	size_t count, locked_count = 0;
	int err;

	if (path == NULL)
		return ld_fail(report, LINDUNG_EIO,
			       "protected.yaml is not found: without it a log could close help");
	err = ld_data_protected(&names, &count, path, arena, report);
	if (err == LINDUNG_OK && categories != NULL)
		err = ld_data_locked(&locked, &locked_count, categories, arena, report);
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_init(&text, PROTECTED_TEXT_BYTES);
	for (size_t i = 0; i < count; i++)
		ld_buffer_printf(&text, "%s%.*s\n", names[i].exact ? "=" : "",
				 (int)names[i].host.len, (const char *)names[i].host.data);
	for (size_t i = 0; i < locked_count; i++)
		ld_buffer_printf(&text, "!%s\n", locked[i]);
	copy = ld_arena_copy(arena, ld_buffer_span(&text));
	if (text.failed || copy.data == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	ld_buffer_free(&text);
	if (err == LINDUNG_OK)
		*ret = copy;
	return err;
}

int
ld_data_categories(const char *const **ret, size_t *ret_count, const char *path,
		   struct ld_arena *arena, struct ld_report *report)
{
	return categories_load(ret, ret_count, false, path, arena, report);
}

int
ld_data_locked(const char *const **ret, size_t *ret_count, const char *path, struct ld_arena *arena,
	       struct ld_report *report)
{
	return categories_load(ret, ret_count, true, path, arena, report);
}

int
ld_data_shared(const char *const **ret, unsigned *ret_count, const char *path,
	       struct ld_arena *arena, struct ld_report *report)
{
	const struct ld_yaml *list, *item;
	const char **names;
	unsigned count = 0;
	int err = sequence_load(&list, path, "shared", arena, report);

	if (err != LINDUNG_OK)
		return err;
	names = ld_arena_alloc(arena, (list->count + 1) * sizeof *names);
	if (names == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	for (item = list->first; item != NULL; item = item->next) {
		struct ld_span name = ld_yaml_text(item, "name");
		char host[LD_HOST_MAX + 1];
		size_t len = 0;

		if (ld_host_from_text(host, &len, name) != LINDUNG_OK ||
		    !ld_span_equal(ld_span(host, len), name) || ld_host_labels(name) < 2)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "%s:%u: expected \"name:\" with a domain in lower case, as "
				       "\"cdn.example.net\"",
				       path, item->line);
		names[count++] = (const char *)name.data;
	}
	*ret = names;
	*ret_count = count;
	return LINDUNG_OK;
}

/* How many letters must be added, left out or changed (Levenshtein). */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[LD_CATEGORY_KEY_MAX + 1];
	size_t n = strnlen(b, LD_CATEGORY_KEY_MAX);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; *a != '\0'; i++, a++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned change = diagonal + (*a != b[j - 1]);

			diagonal = row[j];
			row[j] = row[j] + 1 < change ? row[j] + 1 : change;
			row[j] = row[j - 1] + 1 < row[j] ? row[j - 1] + 1 : row[j];
		}
	}
	return row[n];
}

const char *
ld_data_nearest(const char *const *keys, size_t count, const char *key)
{
	const char *nearest = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < count; i++) {
		unsigned d = distance(key, keys[i]);

		if (d < least) {
			least = d;
			nearest = keys[i];
		}
	}
	return nearest;
}

/* ---- Manifests ------------------------------------------------------------------------------ */

static bool
manifest_key_is_known(struct ld_span key)
{
	static const char *const known[] = {"file",       "category", "format", "source",
					    "csv-column", "allow",    "names",  "title",
					    "licence",    "url",      "commit", "date"};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (ld_span_equal(key, ld_span_str(known[i])))
			return true;
	return false;
}

static bool
is_true(struct ld_span text)
{
	return ld_span_equal(text, LD_SPAN("true"));
}

static const char *
text_or_null(const struct ld_yaml *mapping, const char *key)
{
	struct ld_span text = ld_yaml_text(mapping, key);

	return text.len != 0 ? (const char *)text.data : NULL;
}

/* A file beside the manifest. */
static const char *
path_beside(const char *manifest, const char *file, struct ld_arena *arena)
{
	const char *slash = strrchr(manifest, '/');

	if (file[0] == '/' || slash == NULL)
		return file;
	return path_join(manifest, (size_t)(slash - manifest), file, arena);
}

static int
manifest_list_read(struct ld_manifest_list *ret, const struct ld_yaml *item, const char *path,
		   struct ld_arena *arena, struct ld_report *report)
{
	const char *file = text_or_null(item, "file"), *format = text_or_null(item, "format");
	struct ld_span allow = ld_yaml_text(item, "allow"), names = ld_yaml_text(item, "names");
	struct ld_compile_list *list = &ret->list;
	int found = format != NULL ? ld_list_format_find(format) : LD_LIST_AUTO;

	for (const struct ld_yaml *child = item->first; child != NULL; child = child->next)
		if (!manifest_key_is_known(child->key))
			return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: there is no key \"%.*s\"",
				       path, child->line, (int)child->key.len,
				       (const char *)child->key.data);
	if (file == NULL)
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: expected \"file:\"", path,
			       item->line);
	if (found < 0)
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: there is no format \"%s\"", path,
			       item->line, format);
	if (allow.len != 0 && !is_true(allow) && !ld_span_equal(allow, LD_SPAN("false")))
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: allow: expected true or false",
			       path, item->line);
	ret->counted = names.len != 0;
	if (ret->counted && !ld_span_number(&ret->names, names, 18))
		return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: names: expected a number", path,
			       item->line);
	list->path = path_beside(path, file, arena);
	list->format = (enum ld_list_format)found;
	list->allow = is_true(allow);
	list->category = text_or_null(item, "category");
	list->csv_column = text_or_null(item, "csv-column");
	list->source = text_or_null(item, "source");
	if (list->source == NULL)
		list->source = ld_data_label(file, arena);
	return list->path != NULL && list->source != NULL
		       ? LINDUNG_OK
		       : ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
}

int
ld_data_manifest(const struct ld_manifest_list **ret, size_t *ret_count, const char *path,
		 struct ld_arena *arena, struct ld_report *report)
{
	const struct ld_yaml *lists, *item;
	struct ld_manifest_list *all;
	size_t count = 0;
	int err = sequence_load(&lists, path, "lists", arena, report);

	if (err != LINDUNG_OK)
		return err;
	all = ld_arena_alloc(arena, (lists->count + 1) * sizeof *all);
	if (all == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	for (item = lists->first; item != NULL; item = item->next) {
		err = manifest_list_read(&all[count++], item, path, arena, report);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret = all;
	*ret_count = count;
	return LINDUNG_OK;
}

const char *
ld_data_label(const char *path, struct ld_arena *arena)
{
	static const char *const endings[] = {".gz",  ".zst",  ".txt", ".hosts", ".list",
					      ".csv", ".conf", ".rpz", ".acl"};
	const char *slash = strrchr(path, '/');
	struct ld_span name = ld_span_str(slash != NULL ? slash + 1 : path);
	bool again = true;

	if (strcmp(path, "-") == 0)
		return "stdin";
	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
			struct ld_span ending = ld_span_str(endings[i]);

			if (name.len > ending.len && ld_span_ends(name, ending)) {
				name.len -= ending.len;
				again = true;
			}
		}
	}
	char *label = ld_arena_alloc(arena, name.len + 1);
	for (size_t i = 0; label != NULL && i < name.len; i++)
		label[i] = name.data[i] < 0x20 || name.data[i] == 0x7f || name.data[i] == ','
				   ? '_'
				   : (char)name.data[i];
	return label;
}

int
ld_data_today(uint32_t *ret, struct ld_report *report)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	long long t = time(NULL);

	if (epoch != NULL) {
		t = strtoll(epoch, &end, 10);
		if (end == epoch || *end != '\0' || t < 0 || t / 86400 > UINT32_MAX)
			return ld_fail(report, LINDUNG_EINVAL,
				       "SOURCE_DATE_EPOCH: expected seconds since 1970, not %s",
				       epoch);
	}
	*ret = (uint32_t)(t / 86400);
	return LINDUNG_OK;
}
