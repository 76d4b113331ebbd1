/* Runs a fuzz target over every file of the directories given, so that what was once found, and
 * what was thought of, is tried in every test run and with any compiler.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: NAME_replay DIRECTORY...
 * Exit 1 if a directory cannot be read or if there was no input at all: an empty corpus tests
 * nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"

static int
not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many inputs it ran: 1, or -1 after a message. */
static int
replay_file(const char *path)
{
	struct ld_map map;
	uint8_t *exact;

	if (ld_map_open(&map, path) != LINDUNG_OK) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	/* Exactly as large as the input, so that a sanitizer sees one octet too many. */
	exact = malloc(map.bytes.len != 0 ? map.bytes.len : 1);
	LD_ASSERT(exact != NULL);
	if (map.bytes.len != 0)
		memcpy(exact, map.bytes.data, map.bytes.len);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(exact, map.bytes.len);
	free(exact);
	ld_map_close(&map);
	return 1;
}

static long
replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, not_hidden, alphasort);
	long ran = 0;

	if (count < 0) {
		fprintf(stderr, "replay: %s: %s\n", directory, strerror(errno));
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char *path;

		LD_ASSERT(asprintf(&path, "%s/%s", directory, entries[i]->d_name) >= 0);
		if (ran >= 0)
			ran = replay_file(path) < 0 ? -1 : ran + 1;
		free(path);
		free(entries[i]);
	}
	free(entries);
	return ran;
}

int
main(int argc, char **argv)
{
	long total = 0;

	for (int i = 1; i < argc; i++) {
		long ran = replay_directory(argv[i]);

		if (ran < 0)
			return 1;
		total += ran;
	}
	printf("%ld inputs\n", total);
	if (total == 0)
		fprintf(stderr, "replay: no input found: put some into fuzz/corpus\n");
	return total == 0;
}
