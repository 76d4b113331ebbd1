/* The log on the disk: appended to, read back, reopened, proofs of every size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "log/log.h"

#define ORIGIN "log.example/test"

struct fixture {
	char directory[64];
	char path[128];
	struct ld_signer *signer;
	struct ld_report report;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const uint8_t seed[32] = {1, 2, 3};

	snprintf(f->directory, sizeof f->directory, "/tmp/lindung-log-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/log", f->directory);
	assert_int_equal(ld_signer_from_seed(&f->signer, ORIGIN, LD_KEY_ED25519, seed, &f->report),
			 LINDUNG_OK);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[256];

	ld_signer_free(f->signer);
	snprintf(command, sizeof command, "rm -rf %s", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void
expect_ok(int err, const struct ld_report *report)
{
	if (err != LINDUNG_OK)
		fail_msg("%s: %s", lindung_strerror(err), report->text);
}

/* Entry `index`: of lengths that differ, now and then long. */
static struct ld_span
entry_of(uint64_t index, char *text, size_t size)
{
	size_t len = index % 97 == 0 ? size : 8 + (size_t)(index % 31);

	memset(text, 'a' + (int)(index % 26), len);
	snprintf(text, len, "%llu", (unsigned long long)index);
	return ld_span(text, len);
}

static void
append(struct fixture *f, struct ld_log *log, size_t count)
{
	char *texts = malloc(count * 2000);
	struct ld_span *entries = malloc(count * sizeof *entries);
	uint64_t first = UINT64_MAX, size = ld_log_size(log);

	for (size_t i = 0; i < count; i++)
		entries[i] = entry_of(size + i, texts + i * 2000, 2000);
	expect_ok(ld_log_append(log, entries, count, &first, &f->report), &f->report);
	assert_int_equal(first, size);
	assert_int_equal(ld_log_size(log), size + count);
	free(texts);
	free(entries);
}

/* Everything that a reader may ask. */
static void
count_fault(void *ctx, const char *path, const char *what)
{
	unsigned *count = ctx;

	assert_true(path[0] != '\0' && what[0] != '\0');
	++*count;
}

static unsigned
count_faults(struct fixture *f)
{
	struct ld_log *log;
	unsigned count = 0;

	expect_ok(ld_log_open(&log, f->path, NULL, &f->report), &f->report);
	expect_ok(ld_log_check_files(log, count_fault, &count, &f->report), &f->report);
	ld_log_close(log);
	return count;
}

static void
check_all(struct fixture *f, uint64_t size)
{
	const struct ld_verifier *key = ld_signer_verifier(f->signer);
	struct ld_trust trust = {.log = *key};
	struct ld_tree tree = {.size = 0};
	struct ld_trusted trusted;
	struct ld_log *log;
	struct ld_hash root;
	struct ld_tile_source source;

	assert_int_equal(count_faults(f), 0);
	expect_ok(ld_log_open(&log, f->path, NULL, &f->report), &f->report);
	expect_ok(ld_checkpoint_check(&trusted, ld_log_checkpoint(log), &trust, 0, &f->report),
		  &f->report);
	assert_int_equal(trusted.checkpoint.size, size);
	source = ld_log_tiles(log);
	for (uint64_t i = 0; i < size; i++) {
		char text[2000];
		struct ld_span expected = entry_of(i, text, sizeof text);
		struct ld_buffer entry;
		struct ld_proof proof;
		struct ld_hash leaf;

		ld_buffer_init(&entry, LD_ENTRY_MAX_BYTES);
		expect_ok(ld_log_entry(log, i, &entry, &f->report), &f->report);
		assert_true(ld_span_equal(ld_buffer_span(&entry), expected));
		ld_hash_leaf(&leaf, ld_buffer_span(&entry));
		ld_buffer_free(&entry);
		/* The tree of the first i leaves, and that this one continues it. */
		ld_tree_root_now(&tree, &root);
		assert_int_equal(ld_tree_prove_consistency(&proof, i, size, &source), LINDUNG_OK);
		assert_int_equal(ld_proof_check_consistency(&proof, i, size, &root,
							    &trusted.checkpoint.root),
				 LINDUNG_OK);
		assert_int_equal(ld_tree_prove_inclusion(&proof, i, size, &source), LINDUNG_OK);
		assert_int_equal(
			ld_proof_check_inclusion(&proof, i, size, &leaf, &trusted.checkpoint.root),
			LINDUNG_OK);
		leaf.bytes[0] ^= 1;
		assert_int_equal(
			ld_proof_check_inclusion(&proof, i, size, &leaf, &trusted.checkpoint.root),
			LINDUNG_ESIGNATURE);
		leaf.bytes[0] ^= 1;
		ld_tree_append(&tree, &leaf);
	}
	ld_tree_root_now(&tree, &root);
	assert_memory_equal(root.bytes, trusted.checkpoint.root.bytes, LD_HASH_BYTES);
	ld_log_close(log);
}

static void
test_append_and_read(void **state)
{
	static const size_t counts[] = {1, 1, 3, 250, 1, 1, 255, 256, 700, 64, 1};
	struct fixture *f = *state;
	struct ld_log *log;
	uint64_t size = 0;

	expect_ok(ld_log_create(f->path, f->signer, &f->report), &f->report);
	check_all(f, 0);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		append(f, log, counts[i]);
		size += counts[i];
		check_all(f, size);
		if (i % 2 == 0) {
			ld_log_close(log);
			expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
			assert_int_equal(ld_log_size(log), size);
		}
	}
	ld_log_close(log);
}

static void
test_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct ld_log *log;

	expect_ok(ld_log_create(f->path, f->signer, &f->report), &f->report);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	append(f, log, 3);
	/* A tile of level 2. */
	append(f, log, 65536);
	append(f, log, 1);
	ld_log_close(log);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	assert_int_equal(ld_log_size(log), 65540);
	ld_log_close(log);
}

static void
test_one_writer(void **state)
{
	struct fixture *f = *state;
	struct ld_log *log, *again;

	expect_ok(ld_log_create(f->path, f->signer, &f->report), &f->report);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	assert_int_equal(ld_log_open(&again, f->path, f->signer, &f->report), LINDUNG_EBUSY);
	assert_int_equal(ld_log_create(f->path, f->signer, &f->report), LINDUNG_EEXISTS);
	ld_log_close(log);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	ld_log_close(log);
}

static void
test_blocks(void **state)
{
	struct fixture *f = *state;
	struct ld_log *log;
	struct ld_hash hash, other = {.bytes = {0}};
	struct ld_buffer block;

	expect_ok(ld_log_create(f->path, f->signer, &f->report), &f->report);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	ld_hash_of(&hash, LD_SPAN("a block"));
	ld_buffer_init(&block, 100);
	assert_int_equal(ld_log_get_block(log, hash.bytes, &block, &f->report), LINDUNG_ENOTFOUND);
	assert_int_equal(ld_log_put_block(log, other.bytes, LD_SPAN("a block"), &f->report),
			 LINDUNG_EDAMAGED);
	for (int i = 0; i < 2; i++)
		expect_ok(ld_log_put_block(log, hash.bytes, LD_SPAN("a block"), &f->report),
			  &f->report);
	expect_ok(ld_log_get_block(log, hash.bytes, &block, &f->report), &f->report);
	assert_true(ld_span_equal(ld_buffer_span(&block), LD_SPAN("a block")));
	ld_buffer_free(&block);
	ld_log_close(log);
}

/* ---- What is wrong is said ------------------------------------------------------------------ */

/* A file of the log, as it is and as it is put there again. */
struct kept {
	char path[256];
	struct ld_buffer bytes;
};

static struct kept
keep(struct fixture *f, const char *name)
{
	struct kept kept;
	uint8_t *data;
	size_t len;

	snprintf(kept.path, sizeof kept.path, "%s/%s", f->path, name);
	expect_ok(ld_read_file(kept.path, 1 << 20, &data, &len, &f->report), &f->report);
	ld_buffer_init(&kept.bytes, SIZE_MAX);
	ld_buffer_bytes(&kept.bytes, ld_span(data, len));
	free(data);
	return kept;
}

static void
write_file(const char *path, struct ld_span bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

static void
put_back(struct kept *kept)
{
	write_file(kept->path, ld_buffer_span(&kept->bytes));
	ld_buffer_free(&kept->bytes);
}

static void
expect_refused(struct fixture *f, int error, const char *word)
{
	struct ld_log *log = NULL;

	f->report.text[0] = '\0';
	assert_int_equal(ld_log_open(&log, f->path, f->signer, &f->report), error);
	assert_null(log);
	assert_non_null(strstr(f->report.text, f->path));
	if (strstr(f->report.text, word) == NULL)
		fail_msg("%s", f->report.text);
}

static void
begin_with(struct fixture *f, size_t count)
{
	struct ld_log *log;

	expect_ok(ld_log_create(f->path, f->signer, &f->report), &f->report);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	append(f, log, count);
	ld_log_close(log);
}

static void
test_damage(void **state)
{
	static const char *const files[] = {"tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
					    "tile/entries/001.p/44", "checkpoint"};
	struct fixture *f = *state;

	begin_with(f, 300);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct kept kept = keep(f, files[i]);
		struct ld_log *log = NULL;
		int err;

		/* The full tile of leaves is behind the edge: found when it is read. */
		kept.bytes.data[kept.bytes.len / 2] ^= 1;
		write_file(kept.path, ld_buffer_span(&kept.bytes));
		err = ld_log_open(&log, f->path, f->signer, &f->report);
		if (i == 0) {
			struct ld_buffer entry;

			expect_ok(err, &f->report);
			ld_buffer_init(&entry, LD_ENTRY_MAX_BYTES);
			assert_int_equal(ld_log_entry(log, 3, &entry, &f->report),
					 LINDUNG_EDAMAGED);
			ld_buffer_free(&entry);
		} else {
			assert_true(err == LINDUNG_EDAMAGED || err == LINDUNG_ESIGNATURE);
			assert_null(log);
		}
		ld_log_close(log);
		/* And gone, but for what only readers need. */
		unlink(kept.path);
		if (i != 0)
			expect_refused(f, i == 4 ? LINDUNG_EIO : LINDUNG_EDAMAGED, "");
		kept.bytes.data[kept.bytes.len / 2] ^= 1;
		put_back(&kept);
	}
	check_all(f, 300);
}

/* Also what nobody reads. */
static void
test_check_files(void **state)
{
	static const char *const files[] = {"tile/0/000",           "tile/0/001.p/43",
					    "tile/0/001.p/44",      "tile/1/000.p/1",
					    "tile/entries/000",     "tile/entries/001.p/43",
					    "tile/entries/001.p/44"};
	struct fixture *f = *state;
	struct ld_log *log;

	begin_with(f, 299);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	append(f, log, 1);
	ld_log_close(log);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct kept kept = keep(f, files[i]);

		for (size_t at = 0; at < kept.bytes.len; at += kept.bytes.len / 3) {
			kept.bytes.data[at] ^= 1;
			write_file(kept.path, ld_buffer_span(&kept.bytes));
			if (count_faults(f) == 0)
				fail_msg("%s at %zu", files[i], at);
			kept.bytes.data[at] ^= 1;
		}
		write_file(kept.path,
			   ld_span_first(ld_buffer_span(&kept.bytes), kept.bytes.len - 1));
		assert_true(count_faults(f) != 0);
		unlink(kept.path);
		assert_true(count_faults(f) != 0 || strstr(files[i], "/43") != NULL);
		put_back(&kept);
	}
	check_all(f, 300);
}

static void
test_old_checkpoint(void **state)
{
	struct fixture *f = *state;
	struct ld_log *log;

	begin_with(f, 255);
	for (size_t i = 0; i < 3; i++) {
		struct kept old = keep(f, "checkpoint"), newest;

		expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
		append(f, log, 1);
		ld_log_close(log);
		newest = keep(f, "checkpoint");
		put_back(&old);
		expect_refused(f, LINDUNG_EDAMAGED, "fork");
		put_back(&newest);
	}
	check_all(f, 258);
}

/* As a backup has it that was made while the log went on: the checkpoint of before an append, what
 * was pending then, and the tiles of another append behind it. */
static void
test_old_pending(void **state)
{
	struct fixture *f = *state;
	struct ld_log *log;
	char pending[256];

	begin_with(f, 254);
	snprintf(pending, sizeof pending, "%s/.private/pending", f->path);
	for (size_t i = 0; i < 2; i++) {
		struct kept old = keep(f, "checkpoint"), between, newest;

		expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
		append(f, log, 1);
		between = keep(f, "checkpoint");
		append(f, log, 1);
		ld_log_close(log);
		newest = keep(f, "checkpoint");
		write_file(pending, ld_buffer_span(&between.bytes));
		ld_buffer_free(&between.bytes);
		put_back(&old);
		expect_refused(f, LINDUNG_EDAMAGED, "fork");
		assert_int_equal(unlink(pending), 0);
		put_back(&newest);
	}
	check_all(f, 258);
}

static void
test_damaged_pending(void **state)
{
	struct fixture *f = *state;
	struct ld_checkpoint other = {.origin = LD_SPAN(ORIGIN), .size = 3};
	struct ld_buffer text, note;
	char path[256];

	begin_with(f, 3);
	snprintf(path, sizeof path, "%s/.private/pending", f->path);
	write_file(path, LD_SPAN("not what was signed\n"));
	expect_refused(f, LINDUNG_EDAMAGED, "pending");
	/* Two trees of one size. */
	ld_buffer_init(&text, 1000);
	ld_buffer_init(&note, 1000);
	expect_ok(ld_checkpoint_format(&text, &other), &f->report);
	expect_ok(ld_note_sign(&note, ld_buffer_span(&text),
			       (const struct ld_signer *const *)&f->signer, 1, 0),
		  &f->report);
	write_file(path, ld_buffer_span(&note));
	expect_refused(f, LINDUNG_EFORK, "both signed");
	/* One whose files are gone. */
	text.len = note.len = 0;
	other.size = 4;
	expect_ok(ld_checkpoint_format(&text, &other), &f->report);
	expect_ok(ld_note_sign(&note, ld_buffer_span(&text),
			       (const struct ld_signer *const *)&f->signer, 1, 0),
		  &f->report);
	write_file(path, ld_buffer_span(&note));
	expect_refused(f, LINDUNG_EIO, "cannot be put into its place");
	unlink(path);
	ld_buffer_free(&text);
	ld_buffer_free(&note);
	check_all(f, 3);
}

static void
test_refused(void **state)
{
	static uint8_t large[LD_ENTRY_MAX_BYTES + 1];
	struct fixture *f = *state;
	const struct ld_span good = LD_SPAN("good"),
			     mixed[] = {LD_SPAN("good"), ld_span(large, sizeof large)};
	struct ld_span entry = ld_span(large, sizeof large);
	struct ld_signer *other, *own = f->signer;
	struct ld_log *log;
	uint64_t first = 77;

	begin_with(f, 3);
	expect_ok(ld_log_open(&log, f->path, f->signer, &f->report), &f->report);
	assert_int_equal(ld_log_append(log, &entry, 1, &first, &f->report), LINDUNG_ELIMIT);
	entry.len = 0;
	assert_int_equal(ld_log_append(log, &entry, 1, &first, &f->report), LINDUNG_ELIMIT);
	assert_int_equal(ld_log_append(log, mixed, 2, &first, &f->report), LINDUNG_ELIMIT);
	assert_int_equal(ld_log_append(log, &good, 0, &first, &f->report), LINDUNG_EINVAL);
	assert_int_equal(ld_log_append(log, &good, LD_LOG_APPEND_MAX + 1, &first, &f->report),
			 LINDUNG_ELIMIT);
	assert_int_equal(first, 77);
	entry.len = LD_ENTRY_MAX_BYTES;
	expect_ok(ld_log_append(log, &entry, 1, &first, &f->report), &f->report);
	ld_log_close(log);
	expect_ok(ld_log_open(&log, f->path, NULL, &f->report), &f->report);
	assert_int_equal(ld_log_append(log, &good, 1, &first, &f->report), LINDUNG_EINVAL);
	assert_int_equal(ld_log_put_block(log, large, good, &f->report), LINDUNG_EINVAL);
	ld_log_close(log);
	/* Another key of the same name; and one that is none for a log. */
	expect_ok(ld_signer_generate(&other, ORIGIN, LD_KEY_ED25519, &f->report), &f->report);
	f->signer = other;
	expect_refused(f, LINDUNG_ESIGNATURE, "");
	ld_signer_free(other);
	expect_ok(ld_signer_generate(&other, ORIGIN, LD_KEY_COSIGNATURE, &f->report), &f->report);
	f->signer = other;
	expect_refused(f, LINDUNG_EINVAL, "0x01");
	ld_signer_free(other);
	f->signer = own;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_append_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_checkpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
