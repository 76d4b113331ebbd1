/* Any bytes as a key file: none may ask for more than is done.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/key_file.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_report report = {.text = ""};
	struct ld_key_file file;
	struct ld_buffer head;

	if (ld_key_file_parse(&file, ld_span(data, size), &report) != LINDUNG_OK) {
		LD_ASSERT(report.text[0] != '\0');
		return 0;
	}
	LD_ASSERT(!file.is_encrypted || (file.passes >= 1 && file.passes <= LD_KEY_PASSES_MAX &&
					 file.memory_kib >= LD_KEY_MEMORY_MIN_KIB &&
					 file.memory_kib <= LD_KEY_MEMORY_MAX_KIB));
	ld_buffer_init(&head, LD_KEY_FILE_MAX_BYTES);
	ld_key_file_head(&head, &file);
	LD_ASSERT(ld_span_equal(ld_buffer_span(&head), file.head));
	ld_buffer_free(&head);
	return 0;
}
