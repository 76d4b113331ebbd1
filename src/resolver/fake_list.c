/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/fake_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "name/name.h"

static const char *const keys[] = {"adult", "gambling", "safesearch", "phishing"};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

struct lindung {
	const struct fake_entry *entries;
	unsigned count;
	struct ld_name *names;
	unsigned *lookups; /* behind a pointer: looking up leaves a list as it is */
};

static struct lindung_text
text_of(const char *text)
{
	return (struct lindung_text){text, text != NULL ? strlen(text) : 0};
}

struct lindung *
fake_list_new(const struct fake_entry *entries, unsigned count)
{
	struct lindung *list = calloc(1, sizeof *list);

	LD_ASSERT(list != NULL);
	list->entries = entries;
	list->count = count;
	list->names = calloc(count + 1, sizeof *list->names);
	list->lookups = calloc(1, sizeof *list->lookups);
	LD_ASSERT(list->names != NULL && list->lookups != NULL);
	for (unsigned i = 0; i < count; i++) {
		int error = ld_name_from_text(&list->names[i], ld_span_str(entries[i].name));

		LD_ASSERT(error == LINDUNG_OK);
	}
	return list;
}

void
fake_list_free(struct lindung *list)
{
	free(list->names);
	free(list->lookups);
	free(list);
}

unsigned
fake_list_lookups(const struct lindung *list)
{
	return *list->lookups;
}

static void
sealed_look_up(const struct lindung *list, const struct ld_name *name, struct lindung_answer *ret)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (!list->entries[i].is_sealed || !ld_name_is_within(name, &list->names[i]) ||
		    (list->entries[i].is_exact && name->labels != list->names[i].labels))
			continue;
		*ret = (struct lindung_answer){.verdict = LINDUNG_BLOCK,
					       .is_sealed = true,
					       .category = -1,
					       .match_labels = list->names[i].labels,
					       .holds_below = !list->entries[i].is_exact};
	}
}

/* For each category the longest entry decides. */
int
lindung_lookup_wire(const struct lindung *list, const uint8_t *wire, size_t len, uint64_t active,
		    struct lindung_answer *ret)
{
	const struct fake_entry *deciding[KEY_COUNT] = {NULL};
	unsigned labels[KEY_COUNT] = {0};
	struct ld_name name;

	(*list->lookups)++;
	*ret = (struct lindung_answer){.category = -1, .holds_below = true};
	if (ld_name_from_wire(&name, ld_span(wire, len)) != LINDUNG_OK)
		return LINDUNG_ENAME;
	for (unsigned i = 0; i < list->count; i++) {
		if (list->entries[i].is_sealed)
			continue;
		int key = lindung_category_find(list, list->entries[i].category,
						strlen(list->entries[i].category));

		if ((active >> key & 1) == 0 || list->names[i].labels < labels[key] ||
		    !ld_name_is_within(&name, &list->names[i]) ||
		    (list->entries[i].is_exact && name.labels != list->names[i].labels))
			continue;
		deciding[key] = &list->entries[i];
		labels[key] = list->names[i].labels;
		ret->is_protected |= list->entries[i].is_protected;
	}
	for (unsigned key = 0; key < KEY_COUNT && !ret->is_protected; key++) {
		if (deciding[key] == NULL)
			continue;
		if (deciding[key]->action == LINDUNG_ALLOW) {
			ret->allowed |= UINT64_C(1) << key;
			continue;
		}
		if (deciding[key]->action == LINDUNG_BLOCK)
			ret->blocked |= UINT64_C(1) << key;
		if (ret->verdict == LINDUNG_BLOCK)
			continue;
		ret->verdict = deciding[key]->action;
		ret->match_labels = labels[key];
		ret->target = text_of(deciding[key]->target);
		ret->holds_below = !deciding[key]->is_exact;
		if (ret->verdict == LINDUNG_BLOCK) {
			ret->category = (int)key;
			ret->source = text_of("fake");
		}
	}
	if (!ret->is_protected)
		sealed_look_up(list, &name, ret);
	return LINDUNG_OK;
}

void
lindung_lookup_many(const struct lindung *list, struct lindung_question *questions, size_t count)
{
	for (; count > 0; count--, questions++)
		questions->error = lindung_lookup_wire(list, questions->name, questions->len,
						       questions->active, &questions->answer);
}

struct lindung_text
lindung_category_key(const struct lindung *list, unsigned i)
{
	(void)list;
	return text_of(i < KEY_COUNT ? keys[i] : NULL);
}

int
lindung_category_find(const struct lindung *list, const char *key, size_t len)
{
	(void)list;
	for (unsigned i = 0; i < KEY_COUNT; i++) {
		if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
			return (int)i;
	}
	return -1;
}
