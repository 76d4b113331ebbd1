/* The corpus of the target "message", made of the table of messages: their numbers are places in
 * that table, and inputs with numbers written down become others whenever a row is put into it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: message_seeds DIRECTORY             every seed is there as it should be, and no other file
 *        message_seeds --write DIRECTORY     make it so; what is no seed (any more) stays */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"
#include "message_ways.h"

enum { SEED_MAX_BYTES = 4096, NAME_MAX_BYTES = 64, SEEDS_MAX = 64 };

struct seed {
	char name[NAME_MAX_BYTES];
	struct ld_writer bytes;
	uint8_t room[SEED_MAX_BYTES];
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count;

/* ---- Making them ---------------------------------------------------------------------------- */

static struct seed *
seed_begin(const char *name, unsigned from, unsigned to, unsigned fds)
{
	struct seed *seed = &seeds[seed_count++];
	unsigned way = 0;

	LD_ASSERT(seed_count <= SEEDS_MAX);
	while (way < MESSAGE_WAYS &&
	       ((message_ways[way][0] & from) == 0 || (message_ways[way][1] & to) == 0))
		way++;
	LD_ASSERT(way < MESSAGE_WAYS);
	snprintf(seed->name, sizeof seed->name, "%s", name);
	for (char *c = seed->name; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c == '_' ? '-' : *c;
	seed->bytes = ld_writer(seed->room, sizeof seed->room);
	ld_writer_u8(&seed->bytes, (uint8_t)way);
	ld_writer_u8(&seed->bytes, (uint8_t)fds);
	return seed;
}

/* What is in it is taken by its reader, to the last octet; or it is not, if that is its purpose. */
static void
seed_end(struct seed *seed, unsigned count, bool good)
{
	const uint8_t *data = seed->bytes.data;
	struct ld_reader packet = ld_reader(ld_span(data + 2, seed->bytes.len - 2));
	struct ld_message message = {.fds = NULL};
	unsigned taken = 0;

	LD_ASSERT(!seed->bytes.failed);
	while (ld_message_next(&packet, message_ways[data[0]][0], message_ways[data[0]][1], data[1],
			       &message))
		taken++;
	LD_ASSERT(taken == count && packet.failed == !good);
	LLVMFuzzerTestOneInput(data, seed->bytes.len);
}

static void
message_add(struct seed *seed, enum ld_message_type type, struct ld_span body)
{
	ld_message_header(&seed->bytes, type, body.len);
	ld_writer_bytes(&seed->bytes, body);
}

/* One of each kind, as short as it may be and with as few descriptors. */
static void
shortest_make(void)
{
	static const uint8_t zeros[SEED_MAX_BYTES];

#define LD_X(symbol, from, to, min, max, fds_min, fds_max)                                         \
	do {                                                                                       \
		struct seed *one = seed_begin(#symbol, LD_ROLE_##from, LD_ROLE_##to, fds_min);     \
		message_add(one, LD_MESSAGE_##symbol, ld_span(zeros, min));                        \
		seed_end(one, 1, true);                                                            \
	} while (0);
	LD_MESSAGES(LD_X)
#undef LD_X
}

static void
question_add(struct seed *seed, struct ld_asking asking, const char *name)
{
	uint8_t room[LD_ASKING_BODY_MAX];
	struct ld_writer w = ld_writer(room, sizeof room);

	LD_ASSERT(ld_name_from_text(&asking.name, ld_span_str(name)) == LINDUNG_OK);
	ld_asking_write(&w, &asking);
	message_add(seed, LD_MESSAGE_QUESTION, ld_span(w.data, w.len));
}

static void
answer_add(struct seed *seed, uint32_t id, const struct ld_upstream_result *result)
{
	uint8_t room[SEED_MAX_BYTES];
	struct ld_writer w = ld_writer(room, sizeof room);
	struct ld_answered answered;

	ld_answer_head_write(&w, id, result);
	ld_writer_bytes(&w, result->message);
	LD_ASSERT(ld_answered_read(&answered, ld_span(w.data, w.len)) && answered.id == id);
	message_add(seed, LD_MESSAGE_ANSWER, ld_span(w.data, w.len));
}

/* Packets of several, with bodies that say something. */
static void
talk_make(void)
{
	const struct ld_upstream_result full = {
		.message = LD_SPAN("twelve octets"), .secure = true, .ede = LD_UPSTREAM_EDE_NONE};
	const struct ld_upstream_result failed = {
		.error = LINDUNG_ENET, .ede = 23, .ede_text = "no connection"};
	const struct ld_upstream_result told = {.message = LD_SPAN("more octets"),
						.ede = LD_UPSTREAM_EDE_NONE,
						.edes = {{15, LD_SPAN("blocked")}, {9, {NULL, 0}}},
						.ede_count = 2};
	struct seed *seed = seed_begin("questions", LD_ROLE_RESOLVER, LD_ROLE_RECURSOR, 0);

	question_add(seed, (struct ld_asking){.id = 1, .type = 1}, "www.example.com");
	question_add(seed, (struct ld_asking){.id = 4097, .type = 28, .checking_disabled = true},
		     "www.example.com");
	question_add(seed, (struct ld_asking){.id = 2, .type = 1}, ".");
	seed_end(seed, 3, true);
	seed = seed_begin("answers", LD_ROLE_RECURSOR, LD_ROLE_RESOLVER, 0);
	answer_add(seed, 1, &full);
	answer_add(seed, 2, &failed);
	answer_add(seed, 3, &told);
	seed_end(seed, 3, true);
}

/* What a process that was taken over might send. */
static void
violations_make(void)
{
	/* Id, ENET, no code, insecure, "a\0b", no errors, no message. */
	static const char text[] = "\0\0\0\2"
				   "\0\0\0\21"
				   "\0\0\0\0"
				   "\0"
				   "\3a\0b"
				   "\0";
	struct seed *seed = seed_begin("nul-in-text", LD_ROLE_RECURSOR, LD_ROLE_RESOLVER, 0);

	message_add(seed, LD_MESSAGE_ANSWER, ld_span(text, sizeof text - 1));
	seed_end(seed, 1, true);
	seed = seed_begin("cut", LD_ROLE_RESOLVER, LD_ROLE_RECURSOR, 0);
	question_add(seed, (struct ld_asking){.id = 1, .type = 1}, "www.example.com");
	seed->bytes.len--;
	seed_end(seed, 0, false);
	seed = seed_begin("wrong-sender", LD_ROLE_RESOLVER, LD_ROLE_PARENT, 0);
	message_add(seed, LD_MESSAGE_PING, LD_SPAN("\0\0\0\1"));
	seed_end(seed, 0, false);
}

/* ---- The folder ----------------------------------------------------------------------------- */

static bool
seed_is_there(const char *path, const struct seed *seed)
{
	struct ld_map map;
	bool same;

	if (ld_map_open(&map, path) != LINDUNG_OK)
		return false;
	same = ld_span_equal(map.bytes, ld_span(seed->room, seed->bytes.len));
	ld_map_close(&map);
	return same;
}

static bool
seed_write(const char *path, const struct seed *seed)
{
	FILE *file = fopen(path, "wb");
	bool good = file != NULL && fwrite(seed->room, 1, seed->bytes.len, file) == seed->bytes.len;

	if (file == NULL || fclose(file) != 0 || !good) {
		fprintf(stderr, "message_seeds: %s: %s\n", path, strerror(errno));
		return false;
	}
	return true;
}

static int
not_a_seed(const struct dirent *entry)
{
	if (entry->d_name[0] == '.')
		return 0;
	for (size_t i = 0; i < seed_count; i++)
		if (strcmp(entry->d_name, seeds[i].name) == 0)
			return 0;
	return 1;
}

/* Returns how many there are. */
static int
strangers_tell(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, not_a_seed, alphasort);

	if (count < 0) {
		fprintf(stderr, "message_seeds: %s: %s\n", directory, strerror(errno));
		return 1;
	}
	for (int i = 0; i < count; i++) {
		fprintf(stderr, "message_seeds: %s/%s: no seed (any more): remove it\n", directory,
			entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return count;
}

int
main(int argc, char **argv)
{
	bool write = argc == 3 && strcmp(argv[1], "--write") == 0;
	const char *directory = argv[argc - 1];
	int faults = 0;

	if (argc != 2 && !write) {
		fprintf(stderr, "usage: message_seeds [--write] DIRECTORY\n");
		return 2;
	}
	shortest_make();
	talk_make();
	violations_make();
	for (size_t i = 0; i < seed_count; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", directory, seeds[i].name);
		if (seed_is_there(path, &seeds[i]) || (write && seed_write(path, &seeds[i])))
			continue;
		faults++;
		fprintf(stderr,
			"message_seeds: %s: not what the table of messages makes of it: run "
			"message_seeds --write %s\n",
			path, directory);
	}
	faults += strangers_tell(directory);
	printf("%zu seeds\n", seed_count);
	return faults != 0;
}
