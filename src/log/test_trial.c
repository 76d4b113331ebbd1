/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/test_trial.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define ORIGIN "log.example/crash"

struct trial *trial;
char trial_path[TRIAL_PATH_MAX];
static char directory[64];
static struct ld_signer *signer;

/* ---- What is done to it ---------------------------------------------------------------------- */

static void
complain(const char *what)
{
	if (trial->wrong[0] == '\0')
		snprintf(trial->wrong, sizeof trial->wrong, "%s", what);
}

/* A witness as it is: it must never be shown two trees of one size. */
static int
see(void *ctx, uint64_t old_size, const struct ld_proof *proof, struct ld_buffer *bytes,
    struct ld_report *report)
{
	struct ld_checkpoint checkpoint;
	struct ld_note note;

	(void)ctx;
	if (ld_note_parse(&note, ld_buffer_span(bytes), report) != LINDUNG_OK ||
	    ld_checkpoint_parse(&checkpoint, note.text, report) != LINDUNG_OK) {
		complain(report->text);
		return LINDUNG_EWITNESS;
	}
	if (trial->is_shown[checkpoint.size] &&
	    !ld_hash_equal(&trial->shown[checkpoint.size], &checkpoint.root))
		complain("a witness is shown two trees of one size");
	if (trial->is_shown[old_size] &&
	    ld_proof_check_consistency(proof, old_size, checkpoint.size, &trial->shown[old_size],
				       &checkpoint.root) != LINDUNG_OK)
		complain("a witness is shown a fork");
	trial->shown[checkpoint.size] = checkpoint.root;
	trial->is_shown[checkpoint.size] = true;
	return LINDUNG_OK;
}

static struct ld_span
entry_of(uint64_t nonce, char text[64])
{
	return ld_span(text, (size_t)snprintf(text, 64, "entry %llu", (unsigned long long)nonce));
}

/* As a server would: what fails is tried again a few times, as a new statement. */
static bool
append(struct ld_log *log, size_t count)
{
	struct ld_report report = {.text = ""};

	for (int attempt = 0; attempt < 3; attempt++) {
		char texts[256][64];
		struct ld_span entries[256];
		uint64_t first, nonce = trial->nonce, size = ld_log_size(log);

		trial->nonce += count;
		for (size_t i = 0; i < count; i++)
			entries[i] = entry_of(nonce + i, texts[i]);
		if (ld_log_append(log, entries, count, &first, &report) == LINDUNG_OK) {
			for (size_t i = 0; i < count; i++)
				trial->content[first + i] = nonce + i;
			trial->acknowledged = first + count;
			return true;
		}
		/* Another one, that was pending, may have become public. */
		if (ld_log_size(log) < size)
			complain("the log shrank");
	}
	return false;
}

static void
put_block(struct ld_log *log)
{
	struct ld_hash hash;

	ld_hash_of(&hash, LD_SPAN("a block"));
	if (ld_log_put_block(log, hash.bytes, LD_SPAN("a block"), NULL) == LINDUNG_OK)
		trial->has_block = true;
}

void
trial_work(void)
{
	struct ld_log *log;

	if (ld_log_open(&log, trial_path, signer, NULL) != LINDUNG_OK)
		return;
	ld_log_set_witness(log, see, NULL);
	append(log, 1);
	append(log, 1);
	put_block(log);
	append(log, 3);
	ld_log_close(log);
}

void
trial_recover(void)
{
	struct ld_log *log;

	if (ld_log_open(&log, trial_path, signer, NULL) != LINDUNG_OK)
		return;
	ld_log_set_witness(log, see, NULL);
	ld_log_finish(log, NULL);
	ld_log_close(log);
}

/* ---- What must be true afterwards ------------------------------------------------------------ */

static void
check_entry(struct ld_log *log, uint64_t index, struct ld_tree *tree)
{
	struct ld_report report = {.text = ""};
	struct ld_buffer entry;
	struct ld_hash leaf, root;
	char text[64];

	ld_buffer_init(&entry, LD_ENTRY_MAX_BYTES);
	if (ld_log_entry(log, index, &entry, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	if (index < trial->acknowledged && trial->content[index] != 0)
		assert_true(ld_span_equal(ld_buffer_span(&entry),
					  entry_of(trial->content[index], text)));
	ld_hash_leaf(&leaf, ld_buffer_span(&entry));
	ld_buffer_free(&entry);
	ld_tree_append(tree, &leaf);
	ld_tree_root_now(tree, &root);
	if (trial->is_shown[tree->size])
		assert_memory_equal(root.bytes, trial->shown[tree->size].bytes, LD_HASH_BYTES);
}

/* As anybody sees it. */
static uint64_t
check_public(void)
{
	struct ld_report report = {.text = ""};
	struct ld_trust trust = {.log = *ld_signer_verifier(signer)};
	struct ld_tree tree = {.size = 0};
	struct ld_trusted trusted;
	struct ld_buffer block;
	struct ld_hash root, hash;
	struct ld_log *log;

	if (ld_log_open(&log, trial_path, NULL, &report) != LINDUNG_OK ||
	    ld_checkpoint_check(&trusted, ld_log_checkpoint(log), &trust, 0, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_true(ld_log_size(log) >= trial->acknowledged);
	for (uint64_t i = 0; i < ld_log_size(log); i++)
		check_entry(log, i, &tree);
	ld_tree_root_now(&tree, &root);
	assert_memory_equal(root.bytes, trusted.checkpoint.root.bytes, LD_HASH_BYTES);
	if (trial->has_block) {
		ld_hash_of(&hash, LD_SPAN("a block"));
		ld_buffer_init(&block, 100);
		assert_int_equal(ld_log_get_block(log, hash.bytes, &block, &report), LINDUNG_OK);
		ld_buffer_free(&block);
	}
	ld_log_close(log);
	return tree.size;
}

void
trial_check(void)
{
	struct ld_report report = {.text = ""};
	struct ld_log *log;
	uint64_t size;

	if (trial->wrong[0] != '\0')
		fail_msg("%s", trial->wrong);
	check_public();
	if (ld_log_open(&log, trial_path, signer, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	ld_log_set_witness(log, see, NULL);
	if (ld_log_finish(log, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	/* What was shown is what it goes on from. */
	size = ld_log_size(log);
	for (uint64_t i = size + 1; i < TRIAL_SIZE_MAX; i++)
		assert_false(trial->is_shown[i]);
	assert_true(append(log, 1));
	assert_true(append(log, 2));
	assert_int_equal(ld_log_size(log), size + 3);
	ld_log_close(log);
	if (trial->wrong[0] != '\0')
		fail_msg("%s", trial->wrong);
	assert_int_equal(check_public(), size + 3);
}

/* ---- Its beginning and end ------------------------------------------------------------------- */

void
trial_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char inside[512];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
		if (unlink(inside) != 0)
			trial_remove(inside);
	}
	closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

void
trial_begin(void)
{
	struct ld_report report = {.text = ""};
	struct ld_log *log;

	trial_remove(trial_path);
	memset(trial, 0, sizeof *trial);
	trial->nonce = 1;
	if (ld_log_create(trial_path, signer, &report) != LINDUNG_OK ||
	    ld_log_open(&log, trial_path, signer, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_true(append(log, TRIAL_BEGUN_WITH));
	ld_log_close(log);
}

int
trial_setup(void **state)
{
	const uint8_t seed[32] = {7};

	(void)state;
	trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (trial == MAP_FAILED)
		return -1;
	/* What is tested is the order of calls; a real disk only makes it slow. */
	snprintf(directory, sizeof directory, "%s/lindung-crash-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(trial_path, sizeof trial_path, "%s/log", directory);
	return ld_signer_from_seed(&signer, ORIGIN, LD_KEY_ED25519, seed, NULL);
}

int
trial_teardown(void **state)
{
	(void)state;
	trial_remove(trial_path);
	rmdir(directory);
	ld_signer_free(signer);
	return 0;
}
