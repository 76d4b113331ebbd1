/* The log under a process that dies at every system call, and a disk that fails at every one.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A child appends and is traced.  In one run after the other it is killed at its first, second,
 * third ... system call; or that call fails, once or from there on.  Whatever was acknowledged must
 * be there then, whatever a witness has seen must be what the log goes on from, and the log must
 * open and take more. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/log.h"

#define ORIGIN "log.example/crash"

enum {
	BEGUN_WITH = 254, /* entries: the second append makes a tile full */
	SIZE_MAX_OF_TEST = 320,
	NEVER = 1 << 30,
/* A process of ASan takes long to copy: there every seventh call is tried. */
#ifdef __SANITIZE_ADDRESS__
	STEP = 7,
#else
	STEP = 1,
#endif
};

/* What outlives the child. */
static struct shared {
	uint64_t nonce; /* no two entries are alike */
	uint64_t content[SIZE_MAX_OF_TEST];
	uint64_t acknowledged; /* entries */
	struct ld_hash shown[SIZE_MAX_OF_TEST];
	bool is_shown[SIZE_MAX_OF_TEST]; /* a witness has seen a tree of that size */
	bool has_block;
	char wrong[LD_REPORT_MAX_BYTES]; /* what the child found */
} * shared;

static struct ld_signer *signer;
static char directory[64], path[128];

/* ---- What the child does -------------------------------------------------------------------- */

static void
complain(const char *what)
{
	if (shared->wrong[0] == '\0')
		snprintf(shared->wrong, sizeof shared->wrong, "%s", what);
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
	if (shared->is_shown[checkpoint.size] &&
	    !ld_hash_equal(&shared->shown[checkpoint.size], &checkpoint.root))
		complain("a witness is shown two trees of one size");
	if (shared->is_shown[old_size] &&
	    ld_proof_check_consistency(proof, old_size, checkpoint.size, &shared->shown[old_size],
				       &checkpoint.root) != LINDUNG_OK)
		complain("a witness is shown a fork");
	shared->shown[checkpoint.size] = checkpoint.root;
	shared->is_shown[checkpoint.size] = true;
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
		uint64_t first, nonce = shared->nonce, size = ld_log_size(log);

		shared->nonce += count;
		for (size_t i = 0; i < count; i++)
			entries[i] = entry_of(nonce + i, texts[i]);
		if (ld_log_append(log, entries, count, &first, &report) == LINDUNG_OK) {
			for (size_t i = 0; i < count; i++)
				shared->content[first + i] = nonce + i;
			shared->acknowledged = first + count;
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
		shared->has_block = true;
}

static void
work(void)
{
	struct ld_log *log;

	if (ld_log_open(&log, path, signer, NULL) != LINDUNG_OK)
		return;
	ld_log_set_witness(log, see, NULL);
	append(log, 1);
	append(log, 1);
	put_block(log);
	append(log, 3);
	ld_log_close(log);
}

static void
recover(void)
{
	struct ld_log *log;

	if (ld_log_open(&log, path, signer, NULL) != LINDUNG_OK)
		return;
	ld_log_set_witness(log, see, NULL);
	ld_log_finish(log, NULL);
	ld_log_close(log);
}

/* ---- Tracing -------------------------------------------------------------------------------- */

/* What becomes of a system call. */
struct plan {
	int at;             /* the at-th call; NEVER */
	int error;          /* it fails so; 0: the child is killed at it */
	bool from_there_on; /* it and all later ones that write */
	bool torn;          /* a write writes half, and then the child is killed */
};

#if defined(__x86_64__)
#define CAN_INTERFERE 1

static void
skip_call(pid_t child, struct user_regs_struct *registers)
{
	registers->orig_rax = (unsigned long long)-1;
	assert_int_equal(ptrace(PTRACE_SETREGS, child, NULL, registers), 0);
}

static void
set_result(pid_t child, int error)
{
	struct user_regs_struct registers;

	assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &registers), 0);
	registers.rax = (unsigned long long)-error;
	assert_int_equal(ptrace(PTRACE_SETREGS, child, NULL, &registers), 0);
}

static void
fail_call(pid_t child)
{
	struct user_regs_struct registers;

	assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &registers), 0);
	skip_call(child, &registers);
}

/* write(fd, data, half of it). */
static void
halve_call(pid_t child)
{
	struct user_regs_struct registers;

	assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &registers), 0);
	registers.rdx /= 2;
	assert_int_equal(ptrace(PTRACE_SETREGS, child, NULL, &registers), 0);
}
#else
#define CAN_INTERFERE 0

static void
set_result(pid_t child, int error)
{
	(void)child, (void)error;
}
static void
fail_call(pid_t child)
{
	(void)child;
}
static void
halve_call(pid_t child)
{
	(void)child;
}
#endif

/* Calls that a disk can fail. */
static bool
can_fail(uint64_t nr)
{
	return nr == SYS_write || nr == SYS_fsync || nr == SYS_openat || nr == SYS_renameat ||
	       nr == SYS_mkdirat || nr == SYS_unlinkat || nr == SYS_read;
}

static bool
writes(uint64_t nr)
{
	return nr == SYS_write || nr == SYS_fsync || nr == SYS_renameat || nr == SYS_mkdirat;
}

static bool
stopped_in_call(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return false;
	}
	/* A signal of its own would be a crash of ours. */
	assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
	return true;
}

static void
kill_child(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

/* Which calls the run without a mishap made. */
static uint64_t calls[4096];

/* One call from its beginning to its end. False: the child is no more. */
static bool
pass_call(pid_t child, const struct plan *plan, int count)
{
	struct __ptrace_syscall_info info;
	bool hit, fails = false;

	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) > 0);
	assert_int_equal(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	if (plan->at == NEVER && count < (int)(sizeof calls / sizeof calls[0]))
		calls[count] = info.entry.nr;
	hit = count == plan->at;
	if (hit && plan->error == 0 && !(plan->torn && info.entry.nr == SYS_write)) {
		kill_child(child);
		return false;
	}
	if (hit && plan->error == 0)
		halve_call(child);
	if (plan->error != 0)
		fails = hit ? can_fail(info.entry.nr)
			    : plan->from_there_on && count > plan->at && writes(info.entry.nr);
	if (fails)
		fail_call(child);
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	if (!stopped_in_call(child))
		return false;
	if (fails)
		set_result(child, plan->error);
	if (hit && plan->error == 0) {
		kill_child(child);
		return false;
	}
	return true;
}

/* Run it by the plan; how many system calls it made. */
static int
run(void (*what)(void), const struct plan *plan)
{
	pid_t child = fork();
	int status, count = 0;

	assert_true(child >= 0);
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
		0);
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	while (stopped_in_call(child)) {
		count++;
		if (!pass_call(child, plan, count))
			break;
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	}
	return count;
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
	if (index < shared->acknowledged && shared->content[index] != 0)
		assert_true(ld_span_equal(ld_buffer_span(&entry),
					  entry_of(shared->content[index], text)));
	ld_hash_leaf(&leaf, ld_buffer_span(&entry));
	ld_buffer_free(&entry);
	ld_tree_append(tree, &leaf);
	ld_tree_root_now(tree, &root);
	if (shared->is_shown[tree->size])
		assert_memory_equal(root.bytes, shared->shown[tree->size].bytes, LD_HASH_BYTES);
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

	if (ld_log_open(&log, path, NULL, &report) != LINDUNG_OK ||
	    ld_checkpoint_check(&trusted, ld_log_checkpoint(log), &trust, 0, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_true(ld_log_size(log) >= shared->acknowledged);
	for (uint64_t i = 0; i < ld_log_size(log); i++)
		check_entry(log, i, &tree);
	ld_tree_root_now(&tree, &root);
	assert_memory_equal(root.bytes, trusted.checkpoint.root.bytes, LD_HASH_BYTES);
	if (shared->has_block) {
		ld_hash_of(&hash, LD_SPAN("a block"));
		ld_buffer_init(&block, 100);
		assert_int_equal(ld_log_get_block(log, hash.bytes, &block, &report), LINDUNG_OK);
		ld_buffer_free(&block);
	}
	ld_log_close(log);
	return tree.size;
}

static void
check_after(void)
{
	struct ld_report report = {.text = ""};
	struct ld_log *log;
	uint64_t size;

	if (shared->wrong[0] != '\0')
		fail_msg("%s", shared->wrong);
	check_public();
	if (ld_log_open(&log, path, signer, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	ld_log_set_witness(log, see, NULL);
	if (ld_log_finish(log, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	/* What was shown is what it goes on from. */
	size = ld_log_size(log);
	for (uint64_t i = size + 1; i < SIZE_MAX_OF_TEST; i++)
		assert_false(shared->is_shown[i]);
	assert_true(append(log, 1));
	assert_true(append(log, 2));
	assert_int_equal(ld_log_size(log), size + 3);
	ld_log_close(log);
	if (shared->wrong[0] != '\0')
		fail_msg("%s", shared->wrong);
	assert_int_equal(check_public(), size + 3);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void
remove_log(void)
{
	char command[192];

	snprintf(command, sizeof command, "rm -rf %s", path);
	assert_int_equal(system(command), 0);
}

static void
begin_log(void)
{
	struct ld_report report = {.text = ""};
	struct ld_log *log;

	remove_log();
	memset(shared, 0, sizeof *shared);
	shared->nonce = 1;
	if (ld_log_create(path, signer, &report) != LINDUNG_OK ||
	    ld_log_open(&log, path, signer, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_true(append(log, BEGUN_WITH));
	ld_log_close(log);
}

static void
test_killed_at_every_call(void **state)
{
	const struct plan quietly = {.at = NEVER};
	int count, second = 0;

	(void)state;
	begin_log();
	count = run(work, &quietly);
	assert_int_equal(shared->acknowledged, BEGUN_WITH + 5);
	check_after();
	/* Fewer would mean that it was not watched. */
	assert_true(count > 100);
	for (int at = 1; at <= count; at += STEP) {
		begin_log();
		assert_int_equal(run(work, &(struct plan){.at = at}), at);
		/* And again while it recovers, at another call each time. */
		second = 1 + (second + 5) % 61;
		run(recover, &(struct plan){.at = second});
		check_after();
	}
	print_message("killed at %d of %d system calls\n", (count + STEP - 1) / STEP, count);
}

static void
test_killed_within_writes(void **state)
{
	const struct plan quietly = {.at = NEVER};
	int count;

	(void)state;
	if (!CAN_INTERFERE)
		skip();
	begin_log();
	count = run(work, &quietly);
	for (int at = 1; at <= count; at += STEP) {
		if (calls[at] != SYS_write)
			continue;
		begin_log();
		run(work, &(struct plan){.at = at, .torn = true});
		check_after();
	}
}

static void
fail_each(int error, bool from_there_on)
{
	const struct plan quietly = {.at = NEVER};
	int count;

	if (!CAN_INTERFERE)
		skip();
	begin_log();
	count = run(work, &quietly);
	for (int at = 1; at <= count; at += STEP) {
		if (!can_fail(calls[at]))
			continue;
		begin_log();
		run(work, &(struct plan){.at = at, .error = error, .from_there_on = from_there_on});
		/* Once is no reason to lose an append: the second attempt gets through. */
		check_after();
	}
}

static void
test_input_output_error(void **state)
{
	(void)state;
	fail_each(EIO, false);
}

static void
test_disk_full_once(void **state)
{
	(void)state;
	fail_each(ENOSPC, false);
}

static void
test_disk_full_for_good(void **state)
{
	(void)state;
	fail_each(ENOSPC, true);
}

static int
setup(void **state)
{
	const uint8_t seed[32] = {7};

	(void)state;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -1;
	/* What is tested is the order of calls; a real disk only makes it slow. */
	snprintf(directory, sizeof directory, "%s/lindung-crash-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/log", directory);
	return ld_signer_from_seed(&signer, ORIGIN, LD_KEY_ED25519, seed, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	remove_log();
	rmdir(directory);
	ld_signer_free(signer);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_every_call),
		cmocka_unit_test(test_killed_within_writes),
		cmocka_unit_test(test_input_output_error),
		cmocka_unit_test(test_disk_full_once),
		cmocka_unit_test(test_disk_full_for_good),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
