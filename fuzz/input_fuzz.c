/* A list file as it lies on the disk: gzip, zstd, UTF-16, lines without end.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "list/list.h"

enum {
	/* A bomb goes on for long: what the first chunks show is enough. */
	CHUNKS_MAX = 4,
};

static void
read_chunks(struct ld_list_input *input)
{
	struct ld_report report = {0};
	struct ld_list_chunk chunk;
	uint64_t next_line = 1;

	for (int i = 0; i < CHUNKS_MAX; i++) {
		void *memory = NULL;

		int err = ld_list_input_next(input, &chunk, &memory, &report);
		if (err != LINDUNG_OK) {
			LD_ASSERT(memory == NULL && report.text[0] != '\0');
			LD_ASSERT(err == LINDUNG_EDAMAGED || err == LINDUNG_ELIMIT);
			return;
		}
		LD_ASSERT(chunk.first_line == next_line);
		LD_ASSERT(chunk.bytes.len <= LD_LIST_CHUNK_BYTES);
		size_t len = chunk.bytes.len;
		for (size_t at = 0; at < len; at++)
			next_line += chunk.bytes.data[at] == '\n';
		next_line += len != 0 && chunk.bytes.data[len - 1] != '\n';
		free(memory);
		if (len == 0)
			return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_list_input *input;
	char path[64];

	if (size == 0)
		return 0;
	int fd = memfd_create("list", MFD_CLOEXEC);
	LD_ASSERT(fd >= 0 && ld_write_all(fd, data + 1, size - 1) == LINDUNG_OK);
	LD_ASSERT(lseek(fd, 0, SEEK_SET) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ld_list_input_open(&input, path, NULL) == LINDUNG_OK) {
		if (data[0] & 1)
			(void)ld_list_detect(ld_list_input_peek(input));
		read_chunks(input);
		ld_list_input_close(input);
	}
	close(fd);
	return 0;
}
