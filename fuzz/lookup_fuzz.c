/* Any octets as a name, a wire name and a URL asked of one small image.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "index/test_image.h"

static const char text[] = "block\tadult\texample.com\ts\n"
			   "allow\tadult\tshop.example.com\ts\n"
			   "block!\tgambling\t*.example.com\tt\n"
			   "block\tadult\t=a.b\ts\n"
			   "block\tdrugs\ta.b/x/y\ts\n"
			   "block\tdrugs\ta.b/\ts\n"
			   "rewrite\tadult\tr.net\ts\tCNAME safe.r.net\n"
			   "protect\tadult\thelp.example.com\ts\n";

static int
on_reason(void *ctx, const struct lindung_reason *reason)
{
	unsigned *reasons = ctx;

	LD_ASSERT(reason->entry.len > 0 && reason->entry.data != NULL);
	LD_ASSERT(memchr(reason->entry.data, '\001', reason->entry.len) == NULL);
	return ++*reasons > 10000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lindung *list;
	struct lindung_answer by_text, by_wire;
	unsigned reasons = 0;

	if (list == NULL)
		list = ld_test_open(text);
	/* Exactly as large as the input, for the sanitizer. */
	char *exact = malloc(size != 0 ? size : 1);
	LD_ASSERT(exact != NULL);
	if (size != 0)
		memcpy(exact, data, size);
	int err = lindung_lookup_name(list, exact, size, LINDUNG_ALL, &by_text);
	int other = lindung_explain(list, exact, size, LINDUNG_ALL, on_reason, &reasons);
	other |= lindung_lookup_url(list, exact, size, LINDUNG_ALL, &by_wire);
	other |= lindung_lookup_wire(list, (const uint8_t *)exact, size, LINDUNG_ALL, &by_wire);
	free(exact);
	/* What on_reason() returned, or errors: any is right, if only nothing was read past the
	 * end. */
	LD_ASSERT(other <= 1);
	if (err != LINDUNG_OK)
		return 0;
	/* The same name in wire form gets the same answer. */
	uint8_t wire[LD_NAME_WIRE_MAX + 1];
	size_t len = 0, label = 0;
	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] != '.') {
			wire[1 + i] = data[i];
			continue;
		}
		if (i == size && size > 0 && data[size - 1] == '.')
			break;
		wire[label] = (uint8_t)(i - label);
		label = len = i + 1;
	}
	wire[len] = 0;
	LD_ASSERT(lindung_lookup_wire(list, wire, len + 1, LINDUNG_ALL, &by_wire) == LINDUNG_OK);
	LD_ASSERT(by_text.verdict == by_wire.verdict && by_text.blocked == by_wire.blocked &&
		  by_text.allowed == by_wire.allowed && by_text.category == by_wire.category &&
		  by_text.match_labels == by_wire.match_labels &&
		  by_text.holds_below == by_wire.holds_below);
	struct lindung_question question = {.name = wire, .len = len + 1, .active = LINDUNG_ALL};
	lindung_lookup_many(list, &question, 1);
	LD_ASSERT(question.error == LINDUNG_OK && question.answer.verdict == by_wire.verdict &&
		  question.answer.blocked == by_wire.blocked &&
		  question.answer.match_labels == by_wire.match_labels);
	return 0;
}
