/* Text to chunks of whole lines.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "list/list.h"
#include "list/unpack.h"

enum {
	PEEK_BYTES = 64 * 1024,
	/* A line that reaches from one chunk into the next waits here; so does what was peeked. */
	WAITING_BYTES = PEEK_BYTES + LD_LIST_LINE_MAX_BYTES,
};

struct ld_list_input {
	struct ld_unpack *unpack;
	uint64_t next_line;
	int peek_error;
	struct ld_report peek_report;
	bool peeked;
	bool skipping; /* the rest of a line that was cut short */
	size_t waiting_len;
	uint8_t waiting[WAITING_BYTES];
};

int
ld_list_input_open(struct ld_list_input **ret, const char *path, struct ld_report *report)
{
	struct ld_list_input *input = calloc(1, sizeof(*input));

	if (input == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	int err = ld_unpack_open(&input->unpack, path, report);
	if (err != LINDUNG_OK) {
		free(input);
		return err;
	}
	input->next_line = 1;
	*ret = input;
	return LINDUNG_OK;
}

void
ld_list_input_close(struct ld_list_input *input)
{
	if (input == NULL)
		return;
	ld_unpack_close(input->unpack);
	free(input);
}

uint64_t
ld_list_input_size_bytes(const struct ld_list_input *input)
{
	return ld_unpack_size_bytes(input->unpack);
}

/* ---- Line ends ------------------------------------------------------------------------------ */

/* A CR that no LF follows ends a line too: make it an LF.  `at_end`: nothing comes behind. */
static void
normalise_ends(uint8_t *data, size_t len, bool at_end)
{
	uint8_t *end = data + len;

	for (uint8_t *cr = data; (cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL; cr++) {
		if (cr + 1 == end ? at_end : cr[1] != '\n')
			*cr = '\n';
	}
}

static size_t
whole_lines(const uint8_t *data, size_t len)
{
	const uint8_t *last = len != 0 ? memrchr(data, '\n', len) : NULL;

	return last != NULL ? (size_t)(last - data) + 1 : 0;
}

static uint64_t
count_lines(const uint8_t *data, size_t len)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += data[i] == '\n';
	return lines + (len != 0 && data[len - 1] != '\n');
}

/* ---- Chunks --------------------------------------------------------------------------------- */

struct ld_span
ld_list_input_peek(struct ld_list_input *input)
{
	size_t len = 0;
	size_t more = 1;

	while (!input->peeked && more != 0 && PEEK_BYTES - len >= LD_UNPACK_LEAST_BYTES) {
		more = 0;
		input->peek_error = ld_unpack_read(input->unpack, input->waiting + len,
						   PEEK_BYTES - len, &more, &input->peek_report);
		len += more;
	}
	if (!input->peeked) {
		input->peeked = true;
		input->waiting_len = len;
		normalise_ends(input->waiting, len, more == 0);
	}
	return ld_span(input->waiting, input->waiting_len);
}

/* Read `data` full behind what waited.  Of a line that is being skipped nothing is kept. */
static int
fill(struct ld_list_input *input, uint8_t *data, size_t *ret_len, bool *ret_at_end,
     struct ld_report *report)
{
	size_t len = input->waiting_len;
	bool at_end = false;

	memcpy(data, input->waiting, len);
	while (LD_LIST_CHUNK_BYTES - len >= LD_UNPACK_LEAST_BYTES && !at_end) {
		size_t more = 0;
		int err = ld_unpack_read(input->unpack, data + len, LD_LIST_CHUNK_BYTES - len,
					 &more, report);
		if (err != LINDUNG_OK)
			return err;
		at_end = more == 0;
		len += more;
		normalise_ends(data, len, at_end);
		if (input->skipping) {
			const uint8_t *end = memchr(data, '\n', len);
			size_t skip = end != NULL ? (size_t)(end - data) + 1 : len;

			/* A CR at the very end may belong to an LF that comes. */
			if (end == NULL && !at_end && len != 0 && data[len - 1] == '\r')
				skip--;
			len -= skip;
			memmove(data, data + skip, len);
			input->skipping = end == NULL;
		}
	}
	*ret_len = len;
	*ret_at_end = at_end;
	return LINDUNG_OK;
}

int
ld_list_input_next(struct ld_list_input *input, struct ld_list_chunk *ret, void **ret_memory,
		   struct ld_report *report)
{
	size_t len = 0;
	bool at_end = false;

	if (input->peek_error != LINDUNG_OK)
		return ld_fail(report, input->peek_error, "%s", input->peek_report.text);
	uint8_t *data = malloc(LD_LIST_CHUNK_BYTES);
	if (data == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory to read the list");
	int err = fill(input, data, &len, &at_end, report);
	if (err != LINDUNG_OK) {
		free(data);
		return err;
	}
	size_t use = at_end ? len : whole_lines(data, len);
	size_t left = len - use;
	if (left > LD_LIST_LINE_MAX_BYTES) {
		/* The last line is too long, wherever it ends: the parser need not see all of it.
		 */
		use += LD_LIST_LINE_MAX_BYTES + 1;
		left = data[len - 1] == '\r';
		input->skipping = true;
	}
	memcpy(input->waiting, data + len - left, left);
	input->waiting_len = left;
	ret->bytes = ld_span(data, use);
	ret->first_line = input->next_line;
	ret->consumed_bytes = ld_unpack_consumed_bytes(input->unpack);
	input->next_line += count_lines(data, use);
	*ret_memory = data;
	return LINDUNG_OK;
}
