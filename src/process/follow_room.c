/* A log to follow, for tests/sync and bench/follow.py: made in a folder, added to as told.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: follow_room DIR ORIGIN [SEED]
 *
 * A command a line, each answered by one line, "ok ..." or "fail ...":
 *   keys                               the verifier keys of log, root and witness
 *   party ID KIND CC                   root takes a party in
 *   list PARTY CATEGORY ENTRY...       -> "ok INDEX ID NANOSECONDS", the time after it was durable
 *   block PARTY CATEGORY FILE          the same with the entries of a file, in a block
 *   seal PARTY CATEGORY RECIPIENT ENTRY...
 *   endorse|withdraw PARTY ID
 *   age SECONDS                        checkpoints from now on were seen so long ago
 *   refresh                            the witness signs again
 * Keys come from SEED, so that two rooms with the same have the same. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "log/block.h"
#include "log/log.h"
#include "log/seal.h"
#include "log/statement.h"

enum { LINE_BYTES = 1024 * 1024, WORDS_MAX = 256, DAY_S = 86400, LIST_MAX = 256 * 1024 * 1024 };

static struct room {
	const char *origin;
	uint8_t seed;
	struct ld_log *log;
	struct ld_signer *log_key, *root_key, *witness;
	int64_t age_s;
	int64_t last_s;
} room;

static struct ld_signer *
signer_make(const char *name, enum ld_key_type type)
{
	struct ld_signer *signer = NULL;
	struct ld_report report;
	uint8_t seed[32] = {0};
	struct ld_hash hash;

	ld_hash_of(&hash, ld_span_str(name));
	memcpy(seed, hash.bytes, sizeof seed);
	seed[0] ^= room.seed;
	seed[1] ^= (uint8_t)type;
	if (ld_signer_from_seed(&signer, name, type, seed, &report) != LINDUNG_OK)
		exit(1);
	return signer;
}

static int
witness_add(void *ctx, uint64_t old_size, const struct ld_proof *proof, struct ld_buffer *note,
	    struct ld_report *report)
{
	(void)ctx;
	(void)old_size;
	(void)proof;
	(void)report;
	return ld_note_add_signature(note, room.witness, (uint64_t)(time(NULL) - room.age_s));
}

static void
key_show(const struct ld_signer *signer)
{
	char text[LD_KEY_TEXT_MAX + 1];

	ld_verifier_format(ld_signer_verifier(signer), text);
	printf(" %s", text);
}

/* Sign and append it. */
static int
submit(const struct ld_statement *statement, const struct ld_signer *signer,
       struct ld_report *report)
{
	struct ld_buffer text, note;
	uint8_t id[LD_STATEMENT_ID_BYTES];
	struct ld_span entry;
	uint64_t index = 0;
	int err;

	ld_buffer_init(&text, LD_NOTE_MAX_BYTES);
	ld_buffer_init(&note, LD_NOTE_MAX_BYTES);
	err = ld_statement_format(&text, statement, report);
	if (err == LINDUNG_OK)
		err = ld_note_sign(&note, ld_buffer_span(&text), &signer, 1, 0);
	entry = ld_buffer_span(&note);
	if (err == LINDUNG_OK)
		err = ld_log_append(room.log, &entry, 1, &index, report);
	if (err == LINDUNG_OK) {
		ld_statement_id(id, ld_buffer_span(&text));
		printf("ok %llu ", (unsigned long long)index);
		for (int i = 0; i < LD_STATEMENT_ID_BYTES; i++)
			printf("%02x", id[i]);
		printf(" %lld\n", (long long)ld_clock_ns());
	}
	ld_buffer_free(&text);
	ld_buffer_free(&note);
	return err;
}

static struct ld_statement
statement_begin(enum ld_statement_action action, const char *party)
{
	int64_t now_s = time(NULL);

	/* The time of what a party says rises. */
	room.last_s = now_s > room.last_s ? now_s : room.last_s;
	return (struct ld_statement){
		.action = action,
		.log = ld_span_str(room.origin),
		.party = ld_span_str(party),
		.time_s = room.last_s,
		.jurisdiction = LD_SPAN("INT"),
		.basis = LD_SPAN("a test"),
		.expires_s = (now_s / DAY_S + 300) * DAY_S,
	};
}

static int
party_add(char *const *words, size_t count, struct ld_report *report)
{
	struct ld_statement s = statement_begin(LD_STATEMENT_PARTY_ADD, "root");
	struct ld_signer *signer;

	if (count != 4)
		return ld_fail(report, LINDUNG_EINVAL, "party ID KIND CC");
	signer = signer_make(words[1], LD_KEY_ED25519);
	s.subject = s.name = ld_span_str(words[1]);
	s.kind = (enum ld_party_kind)ld_party_kind_find(ld_span_str(words[2]));
	s.country = ld_span_str(words[3]);
	s.key = *ld_signer_verifier(signer);
	ld_signer_free(signer);
	return submit(&s, room.root_key, report);
}

/* Entries as lines: of the words, or of a file. */
static int
list(char *const *words, size_t count, struct ld_report *report)
{
	bool sealed = strcmp(words[0], "seal") == 0, file = strcmp(words[0], "block") == 0;
	size_t first = sealed ? 4 : 3;
	struct ld_statement s;
	struct ld_buffer lines, inline_text, stored;
	struct ld_recipients *recipients = NULL;
	struct ld_signer *signer;
	int err = LINDUNG_OK;

	if (count <= first && !(file && count == 4))
		return ld_fail(report, LINDUNG_EINVAL, "%s PARTY CATEGORY ...", words[0]);
	s = statement_begin(LD_STATEMENT_LIST, words[1]);
	s.category = ld_span_str(words[2]);
	ld_buffer_init(&lines, LIST_MAX);
	ld_buffer_init(&inline_text, LD_NOTE_MAX_BYTES);
	ld_buffer_init(&stored, LD_BLOCK_STORED_MAX_BYTES);
	if (file) {
		uint8_t *data = NULL;
		size_t len = 0;

		err = ld_read_file(words[3], LIST_MAX, &data, &len, report);
		if (err == LINDUNG_OK)
			ld_buffer_bytes(&lines, ld_span(data, len));
		free(data);
	}
	for (size_t i = first; i < count && !file; i++)
		ld_buffer_printf(&lines, "%s\n", words[i]);
	if (err == LINDUNG_OK && sealed) {
		err = ld_recipients_new(&recipients);
		if (err == LINDUNG_OK)
			err = ld_recipients_add(recipients, ld_span_str(words[3]), report);
	}
	if (err == LINDUNG_OK)
		err = ld_block_make(&s, ld_buffer_span(&lines), recipients, &inline_text, &stored,
				    report);
	if (err == LINDUNG_OK && s.entries != LD_ENTRIES_INLINE)
		err = ld_log_put_block(room.log, s.block_hash, ld_buffer_span(&stored), report);
	signer = signer_make(words[1], LD_KEY_ED25519);
	if (err == LINDUNG_OK)
		err = submit(&s, signer, report);
	ld_signer_free(signer);
	ld_recipients_free(recipients);
	ld_buffer_free(&lines);
	ld_buffer_free(&inline_text);
	ld_buffer_free(&stored);
	return err;
}

static int
about(char *const *words, size_t count, enum ld_statement_action action, struct ld_report *report)
{
	struct ld_signer *signer;
	struct ld_statement s;
	int err;

	if (count != 3 || strlen(words[2]) != LD_STATEMENT_ID_TEXT)
		return ld_fail(report, LINDUNG_EINVAL, "%s PARTY ID", words[0]);
	s = statement_begin(action, words[1]);
	if (action == LD_STATEMENT_WITHDRAW)
		s.expires_s = INT64_MAX;
	s.has_target = true;
	for (int i = 0; i < LD_STATEMENT_ID_BYTES; i++) {
		char two[3] = {words[2][2 * i], words[2][2 * i + 1], '\0'};

		s.target[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	signer = signer_make(words[1], LD_KEY_ED25519);
	err = submit(&s, signer, report);
	ld_signer_free(signer);
	return err;
}

static int
command(char *const *words, size_t count, struct ld_report *report)
{
	int err = LINDUNG_OK;

	if (strcmp(words[0], "party") == 0)
		return party_add(words, count, report);
	if (strcmp(words[0], "list") == 0 || strcmp(words[0], "block") == 0 ||
	    strcmp(words[0], "seal") == 0)
		return list(words, count, report);
	if (strcmp(words[0], "endorse") == 0)
		return about(words, count, LD_STATEMENT_ENDORSE, report);
	if (strcmp(words[0], "withdraw") == 0)
		return about(words, count, LD_STATEMENT_WITHDRAW, report);
	if (strcmp(words[0], "age") == 0 && count == 2) {
		room.age_s = strtoll(words[1], NULL, 10);
		puts("ok");
		return LINDUNG_OK;
	}
	if (strcmp(words[0], "refresh") == 0) {
		err = ld_log_refresh(room.log, report);
		if (err == LINDUNG_OK)
			puts("ok");
		return err;
	}
	if (strcmp(words[0], "keys") == 0) {
		printf("ok");
		key_show(room.log_key);
		key_show(room.root_key);
		key_show(room.witness);
		putchar('\n');
		return LINDUNG_OK;
	}
	return ld_fail(report, LINDUNG_EINVAL, "no such command: %s", words[0]);
}

int
main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	struct ld_report report = {""};
	struct stat st;
	char path[4096];
	int err = LINDUNG_OK;

	if (argc < 3)
		return 2;
	room.origin = argv[2];
	room.seed = argc > 3 ? (uint8_t)strtoul(argv[3], NULL, 10) : 0;
	room.log_key = signer_make(room.origin, LD_KEY_ED25519);
	room.root_key = signer_make("root-1", LD_KEY_ED25519);
	room.witness = signer_make("witness.example", LD_KEY_COSIGNATURE);
	snprintf(path, sizeof path, "%s/checkpoint", argv[1]);
	if (stat(path, &st) != 0)
		err = ld_log_create(argv[1], room.log_key, &report);
	if (err == LINDUNG_OK)
		err = ld_log_open(&room.log, argv[1], room.log_key, &report);
	if (err != LINDUNG_OK) {
		printf("fail %s\n", report.text);
		return 1;
	}
	ld_log_set_witness(room.log, witness_add, NULL);
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *words[WORDS_MAX], *rest = line;
		size_t count = 0;

		while (count < WORDS_MAX && (words[count] = strsep(&rest, " \n")) != NULL)
			count += words[count][0] != '\0';
		if (count == 0)
			continue;
		if (command(words, count, &report) != LINDUNG_OK)
			printf("fail %s\n", report.text);
		fflush(stdout);
	}
	ld_log_close(room.log);
	ld_signer_free(room.log_key);
	ld_signer_free(room.root_key);
	ld_signer_free(room.witness);
	return 0;
}
