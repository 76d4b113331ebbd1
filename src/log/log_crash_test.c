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

#include "log/test_trial.h"

enum {
	NEVER = 1 << 30,
/* A process of ASan takes long to copy: there every seventh call is tried. */
#ifdef __SANITIZE_ADDRESS__
	STEP = 7,
#else
	STEP = 1,
#endif
};

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

/* ---- Tests ---------------------------------------------------------------------------------- */

static void
test_killed_at_every_call(void **state)
{
	const struct plan quietly = {.at = NEVER};
	int count, second = 0;

	(void)state;
	trial_begin();
	count = run(trial_work, &quietly);
	assert_int_equal(trial->acknowledged, TRIAL_BEGUN_WITH + 5);
	trial_check();
	/* Fewer would mean that it was not watched. */
	assert_true(count > 100);
	for (int at = 1; at <= count; at += STEP) {
		trial_begin();
		assert_int_equal(run(trial_work, &(struct plan){.at = at}), at);
		/* And again while it recovers, at another call each time. */
		second = 1 + (second + 5) % 61;
		run(trial_recover, &(struct plan){.at = second});
		trial_check();
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
	trial_begin();
	count = run(trial_work, &quietly);
	for (int at = 1; at <= count; at += STEP) {
		if (calls[at] != SYS_write)
			continue;
		trial_begin();
		run(trial_work, &(struct plan){.at = at, .torn = true});
		trial_check();
	}
}

static void
fail_each(int error, bool from_there_on)
{
	const struct plan quietly = {.at = NEVER};
	int count;

	if (!CAN_INTERFERE)
		skip();
	trial_begin();
	count = run(trial_work, &quietly);
	for (int at = 1; at <= count; at += STEP) {
		if (!can_fail(calls[at]))
			continue;
		trial_begin();
		run(trial_work,
		    &(struct plan){.at = at, .error = error, .from_there_on = from_there_on});
		/* Once is no reason to lose an append: the second attempt gets through. */
		trial_check();
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

	return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
