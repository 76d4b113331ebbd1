/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_EXECUTED = 127 };

static int program_fd = -1;

int
ld_spawn_open(struct ld_report *report)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	/* Out of the way of LD_CHILD_FD. */
	if (fd >= 0) {
		program_fd = fcntl(fd, F_DUPFD_CLOEXEC, LD_CHILD_FD + 1);
		close(fd);
	}
	if (program_fd < 0)
		return ld_fail(report, LINDUNG_EIO,
			       "/proc/self/exe: %s: the processes cannot be started without /proc",
			       strerror(errno));
	return LINDUNG_OK;
}

int
ld_spawn_program(void)
{
	return program_fd;
}

/* Between fork and exec: only what is async-signal-safe. */
static _Noreturn void
child_execute(const struct ld_role_entry *entry, int fd, pid_t parent)
{
	char *argv[] = {(char *)(uintptr_t)entry->title, NULL};
	sigset_t none;

	/* What whoever started us left open is not for a child. */
	close_range(LD_CHILD_FD + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Should the parent be killed, so are we.  It may have been by now. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd == LD_CHILD_FD)
		fcntl(fd, F_SETFD, 0);
	if (getppid() == parent && dup2(fd, LD_CHILD_FD) == LD_CHILD_FD)
		fexecve(program_fd, argv, environ);
	_exit(STATUS_NOT_EXECUTED);
}

int
ld_spawn(pid_t *ret_pid, int *ret_fd, const struct ld_role_entry *entry, struct ld_report *report)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;
	int pair[2];

	if (ld_channel_pair(pair) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EIO, "cannot start the %s: %s", entry->name,
			       strerror(errno));
	/* A signal must not find our handlers in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_execute(entry, pair[1], parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return ld_fail(report, LINDUNG_ENOMEM, "cannot start the %s: %s", entry->name,
			       strerror(errno));
	}
	*ret_pid = pid;
	*ret_fd = pair[0];
	return LINDUNG_OK;
}

void
ld_spawn_describe(int status, struct ld_report *ret)
{
	if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof ret->text, "ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(ret->text, sizeof ret->text, "ended with status %d", WEXITSTATUS(status));
}
