/* For tests: write a log, read one and check all of it, sign and check notes.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     log_tool write DIR ORIGIN SEED COUNT BATCH   entries "entry N", BATCH at once
 *     log_tool read DIR VKEY                       size and root, if everything is right
 *     log_tool sign NAME SEED < TEXT               a note
 *     log_tool check VKEY FILE...                  "good" or "bad" for each
 *     log_tool proof DIR INDEX                     a proof to take away */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "log/log.h"
#include "log/text.h"
#include "log/tlog_proof.h"

static struct ld_report report;

static int
fail(int err)
{
	fprintf(stderr, "log_tool: %s: %s\n", lindung_strerror(err), report.text);
	return 1;
}

/* A seed is text, filled up with zeros. */
static struct ld_signer *
signer_of(const char *name, const char *seed_text)
{
	struct ld_signer *signer;
	uint8_t seed[32] = {0};

	memcpy(seed, seed_text, strnlen(seed_text, sizeof seed));
	if (ld_signer_from_seed(&signer, name, LD_KEY_ED25519, seed, &report) != LINDUNG_OK)
		exit(fail(LINDUNG_EINVAL));
	return signer;
}

static int
append_all(struct ld_log *log, uint64_t count, uint64_t batch)
{
	char(*texts)[32] = calloc(batch, sizeof *texts);
	struct ld_span *entries = calloc(batch, sizeof *entries);
	int err = texts != NULL && entries != NULL ? LINDUNG_OK : LINDUNG_ENOMEM;
	uint64_t first;

	for (uint64_t at = 0; at < count && err == LINDUNG_OK; at += batch) {
		uint64_t n = count - at < batch ? count - at : batch;

		for (uint64_t i = 0; i < n; i++)
			entries[i] = ld_span(texts[i], (size_t)snprintf(texts[i], sizeof texts[i],
									"entry %" PRIu64, at + i));
		err = ld_log_append(log, entries, n, &first, &report);
	}
	free(texts);
	free(entries);
	return err;
}

static int
write_log(char **arguments)
{
	struct ld_signer *signer = signer_of(arguments[1], arguments[2]);
	char key[LD_KEY_TEXT_MAX];
	struct ld_log *log = NULL;
	int err = ld_log_create(arguments[0], signer, &report);

	if (err == LINDUNG_OK)
		err = ld_log_open(&log, arguments[0], signer, &report);
	if (err == LINDUNG_OK)
		err = append_all(log, strtoull(arguments[3], NULL, 10),
				 strtoull(arguments[4], NULL, 10));
	ld_verifier_format(ld_signer_verifier(signer), key);
	ld_log_close(log);
	ld_signer_free(signer);
	if (err != LINDUNG_OK)
		return fail(err);
	printf("%s\n", key);
	return 0;
}

static int
read_all(struct ld_log *log, const struct ld_checkpoint *checkpoint)
{
	struct ld_tree tree = {.size = 0};
	struct ld_hash root;

	while (tree.size < checkpoint->size) {
		struct ld_buffer entry;
		struct ld_hash leaf;
		int err;

		ld_buffer_init(&entry, LD_ENTRY_MAX_BYTES);
		err = ld_log_entry(log, tree.size, &entry, &report);
		ld_hash_leaf(&leaf, ld_buffer_span(&entry));
		ld_buffer_free(&entry);
		if (err != LINDUNG_OK)
			return err;
		ld_tree_append(&tree, &leaf);
	}
	ld_tree_root_now(&tree, &root);
	return ld_hash_equal(&root, &checkpoint->root) ? LINDUNG_OK : LINDUNG_EDAMAGED;
}

static int
read_log(char **arguments)
{
	struct ld_trust trust = {.suffices = NULL};
	struct ld_trusted trusted;
	struct ld_log *log = NULL;
	char hex[2 * LD_HASH_BYTES + 1];
	int err = ld_verifier_parse(&trust.log, ld_span_str(arguments[1]), &report);

	if (err == LINDUNG_OK)
		err = ld_log_open(&log, arguments[0], NULL, &report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_check(&trusted, ld_log_checkpoint(log), &trust, 0, &report);
	if (err == LINDUNG_OK)
		err = read_all(log, &trusted.checkpoint);
	if (err == LINDUNG_OK) {
		ld_text_to_hex(hex, ld_span(trusted.checkpoint.root.bytes, LD_HASH_BYTES));
		printf("%" PRIu64 " %s\n", trusted.checkpoint.size, hex);
	}
	ld_log_close(log);
	return err == LINDUNG_OK ? 0 : fail(err);
}

static int
sign(char **arguments)
{
	struct ld_signer *signer = signer_of(arguments[0], arguments[1]);
	static char text[LD_NOTE_MAX_BYTES];
	size_t len = fread(text, 1, sizeof text, stdin);
	struct ld_buffer note;
	int err;

	ld_buffer_init(&note, LD_NOTE_MAX_BYTES);
	err = ld_note_sign(&note, ld_span(text, len), (const struct ld_signer *const *)&signer, 1,
			   0);
	if (err == LINDUNG_OK)
		fwrite(note.data, 1, note.len, stdout);
	ld_buffer_free(&note);
	ld_signer_free(signer);
	return err == LINDUNG_OK ? 0 : fail(err);
}

static int
check(char **arguments)
{
	struct ld_verifier key;
	const struct ld_verifier *keys = &key;

	if (ld_verifier_parse(&key, ld_span_str(arguments[0]), &report) != LINDUNG_OK)
		return fail(LINDUNG_ESYNTAX);
	for (char **file = arguments + 1; *file != NULL; file++) {
		struct ld_note note;
		uint64_t signed_by;
		uint8_t *data;
		size_t len;
		int err = ld_read_file(*file, 1 << 20, &data, &len, &report);

		if (err != LINDUNG_OK)
			return fail(err);
		err = ld_note_parse(&note, ld_span(data, len), &report);
		if (err == LINDUNG_OK)
			err = ld_note_verify(&note, &keys, 1, &signed_by, NULL, &report);
		puts(err == LINDUNG_OK ? "good" : "bad");
		free(data);
	}
	return 0;
}

static int
prove(char **arguments)
{
	struct ld_log *log = NULL;
	struct ld_buffer proof;
	int err = ld_log_open(&log, arguments[0], NULL, &report);

	ld_buffer_init(&proof, LD_TLOG_PROOF_MAX_BYTES);
	if (err == LINDUNG_OK)
		err = ld_tlog_proof_make(&proof, log, strtoull(arguments[1], NULL, 10), &report);
	if (err == LINDUNG_OK)
		fwrite(proof.data, 1, proof.len, stdout);
	ld_buffer_free(&proof);
	ld_log_close(log);
	return err == LINDUNG_OK ? 0 : fail(err);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least;
		int (*run)(char **arguments);
	} commands[] = {
		{"write", 5, write_log}, {"read", 2, read_log}, {"sign", 2, sign},
		{"check", 2, check},     {"proof", 2, prove},
	};

	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(argv[1], commands[i].name) == 0 && argc >= 2 + commands[i].least)
			return commands[i].run(argv + 2);
	}
	fprintf(stderr, "log_tool: no such command, or too few arguments\n");
	return 2;
}
