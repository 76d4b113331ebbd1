/* Each wall, tried from inside: what a process may not do fails, whichever process it is.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For each attempt a process is made that goes behind the walls of a role, as that role does, and
 * tries.  First behind all walls, then behind each one alone: none is there for show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/sandbox.h"
#include "process/sanitized.h"

enum { ALLOWED = 0, SETUP_FAILED = 99 };

/* A listening TCP socket of ours, that is not behind the walls. */
static struct sockaddr_in listening;
static int listener;
static int shared[2];

/* The one that may be written to by the process that has one. */
static char folder[] = "/tmp/lindung-wall-XXXXXX";

/* The walls that the kernel has, and that this user can put up. */
static unsigned offered;

/* ---- What is tried: 0 if it could be done, else -1 with errno ------------------------------- */

static int
try_open_read(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
try_open_write(void)
{
	return open("/tmp/lindung-wall-test", O_WRONLY | O_CREAT, 0600);
}

static int
try_open_proc(void)
{
	return open("/proc/self/mem", O_RDWR);
}

static int
try_rename(void)
{
	return rename("/tmp/lindung-wall-none", "/tmp/lindung-wall-new") != 0 && errno == ENOENT
		       ? 0
		       : -1;
}

static int
try_mkdir(void)
{
	return mkdir("/tmp/lindung-wall-dir", 0700) == 0 ? rmdir("/tmp/lindung-wall-dir") : -1;
}

static int
try_execute(void)
{
	static char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	static char *const envp[] = {NULL};

	execve("/bin/true", argv, envp);
	return -1;
}

static int
try_fork(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int
try_tcp_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&listening, sizeof listening);
}

static int
try_udp_send(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&listening, sizeof listening);
}

static int
try_tcp_listen(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0)
		return -1;
	return listen(fd, 1);
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
try_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int
try_trace_parent(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
try_kill_parent(void)
{
	return kill(getppid(), 0);
}

/* One that another process has, too. */
static int
try_end_socket(void)
{
	return shutdown(shared[0], SHUT_RD);
}

/* A socket that has a signal sent to a process when something comes. */
static int
try_signal_by_socket(void)
{
	return fcntl(listener, F_SETOWN, getpid()) == 0 ? fcntl(listener, F_SETSIG, SIGURG) : -1;
}

static int
try_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}

static int
try_become_root(void)
{
	return setresuid(0, 0, 0);
}

static int
try_chroot(void)
{
	return chroot("/");
}

static int
try_namespace(void)
{
	return (int)syscall(SYS_unshare, 0x40000000 /* CLONE_NEWNET */);
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? -1
		       : 0;
}

static int
try_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
try_io_uring(void)
{
	char params[120] = {0};

	return (int)syscall(SYS_io_uring_setup, 1, params);
}

/* What who has a folder does in it: write a file beside its place, and put it there. */
static int
try_folder(const char *where)
{
	char from[64], to[64];
	int fd, failed;

	snprintf(from, sizeof from, "%s/new", where);
	snprintf(to, sizeof to, "%s/there", where);
	fd = open(from, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	failed = fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || rename(from, to) != 0 ||
		 unlink(to) != 0;
	return failed ? -1 : 0;
}

static int
try_own_folder(void)
{
	return try_folder(folder);
}

static int
try_own_root(void)
{
	return try_folder("/");
}

/* ---- What is to come of it ------------------------------------------------------------------ */

enum outcome {
	DONE,   /* it may */
	REFUSE, /* it fails */
	KILL,   /* it is the last thing that the process did */
};

static const char *const outcome_names[] = {"was done", "was refused", "ended the process"};

static const struct attempt {
	const char *name;
	int (*try)(void);
	enum outcome resolver, recursor, sync, loader, parent; /* behind all walls */
} attempts[] = {
	{"open a file to read", try_open_read, REFUSE, REFUSE, REFUSE, REFUSE, DONE},
	{"make a file", try_open_write, REFUSE, REFUSE, REFUSE, REFUSE, REFUSE},
	{"open its memory", try_open_proc, REFUSE, REFUSE, REFUSE, REFUSE, REFUSE},
	{"rename a file", try_rename, KILL, KILL, DONE, KILL, REFUSE},
	{"make a directory", try_mkdir, KILL, KILL, REFUSE, KILL, REFUSE},
	{"execute a program", try_execute, KILL, KILL, KILL, KILL, REFUSE},
	{"fork", try_fork, KILL, KILL, KILL, KILL, DONE},
	{"connect to a TCP server", try_tcp_connect, KILL, DONE, DONE, KILL, DONE},
	{"make a UDP socket", try_udp_send, KILL, DONE, DONE, KILL, DONE},
	{"listen at a TCP port", try_tcp_listen, KILL, REFUSE, REFUSE, KILL, DONE},
	{"make a local socket", try_unix_socket, KILL, KILL, KILL, KILL, DONE},
	{"make a raw socket", try_raw_socket, KILL, KILL, KILL, KILL, REFUSE},
	{"trace another process", try_trace_parent, KILL, KILL, KILL, KILL, REFUSE},
	{"signal another process", try_kill_parent, KILL, KILL, KILL, KILL, REFUSE},
	{"have a socket send signals", try_signal_by_socket, KILL, KILL, KILL, KILL, DONE},
	{"end a socket for reading", try_end_socket, KILL, KILL, KILL, KILL, DONE},
	{"mount", try_mount, KILL, KILL, KILL, KILL, REFUSE},
	{"become root", try_become_root, KILL, KILL, KILL, KILL, REFUSE},
	{"change the root directory", try_chroot, KILL, KILL, KILL, KILL, REFUSE},
	{"make a namespace", try_namespace, KILL, KILL, KILL, KILL, REFUSE},
	{"make memory that can be executed", try_code, KILL, KILL, KILL, KILL, DONE},
	{"load a BPF program", try_bpf, KILL, KILL, KILL, KILL, REFUSE},
	{"set up io_uring", try_io_uring, KILL, KILL, KILL, KILL, REFUSE},
};

/* ---- The trial ------------------------------------------------------------------------------ */

static void *
sleeper(void *ctx)
{
	sem_wait(ctx);
	return NULL;
}

/* With a thread that was there before: the last wall must hold for it, too. */
static void
walls_up(enum ld_role role, unsigned walls)
{
	static pthread_t thread;
	static sem_t never;
	struct ld_report report;
	unsigned up = 0;

	sem_init(&never, 0, 0);
	if (ld_sandbox_enter(role, "", role == LD_ROLE_SYNC ? folder : NULL, walls, &up, &report) !=
		    LINDUNG_OK ||
	    pthread_create(&thread, NULL, sleeper, &never) != 0 ||
	    ld_sandbox_seal(role, walls, &up, &report) != LINDUNG_OK || up != (walls & offered))
		_exit(SETUP_FAILED);
}

/* The parent has become its user by then. */
static void
walls_up_parent(unsigned walls, const char *with)
{
	int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct ld_report report;

	if ((geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) || program < 0 ||
	    ld_sandbox_parent(program, with, walls, &report) != LINDUNG_OK)
		_exit(SETUP_FAILED);
}

static _Noreturn void
trial_run(enum ld_role role, unsigned walls, int (*try)(void))
{
	if (role == LD_ROLE_PARENT)
		walls_up_parent(walls, try == try_own_folder ? folder : NULL);
	else
		walls_up(role, walls);
	_exit(try() >= 0 ? ALLOWED : errno < SETUP_FAILED ? errno : SETUP_FAILED - 1);
}

static enum outcome
trial(enum ld_role role, unsigned walls, int (*try)(void), int *ret_error)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		trial_run(role, walls, try);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret_error = 0;
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return KILL;
	}
	*ret_error = WEXITSTATUS(status);
	assert_int_not_equal(*ret_error, SETUP_FAILED);
	return *ret_error == ALLOWED ? DONE : REFUSE;
}

static void
expect(enum ld_role role, const char *who, unsigned walls, const struct attempt *attempt,
       enum outcome expected)
{
	int error;
	enum outcome outcome = trial(role, walls, attempt->try, &error);

	if (outcome != expected)
		fail_msg("%s, walls %u: to %s %s (%s), but it should be that it %s", who, walls,
			 attempt->name, outcome_names[outcome], strerror(error),
			 outcome_names[expected]);
}

static void
test_behind_all_walls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		const struct attempt *a = &attempts[i];

		expect(LD_ROLE_RESOLVER, "resolver", LD_WALLS, a, a->resolver);
		expect(LD_ROLE_RECURSOR, "recursor", LD_WALLS, a, a->recursor);
		expect(LD_ROLE_SYNC, "sync", LD_WALLS, a, a->sync);
		expect(LD_ROLE_LOADER, "loader", LD_WALLS, a, a->loader);
		/* It ends its children: those of its user are not beyond its signals. */
		if ((offered & LD_WALL_LANDLOCK) != 0 && a->try != try_kill_parent)
			expect(LD_ROLE_PARENT, "parent", LD_WALLS, a, a->parent);
	}
}

/* One process writes, in one folder, which is its root directory where it has one of its own. */
static void
test_a_folder_of_its_own(void **state)
{
	static const struct attempt here = {.name = "write in its folder", .try = try_own_folder},
				    root = {.name = "write in its root", .try = try_own_root};

	(void)state;
	if (geteuid() == 0) {
		expect(LD_ROLE_SYNC, "sync", LD_WALLS, &root, DONE);
		expect(LD_ROLE_SYNC, "sync", LD_WALLS, &here, REFUSE);
	} else {
		expect(LD_ROLE_SYNC, "sync", LD_WALLS, &here, DONE);
		expect(LD_ROLE_SYNC, "sync", LD_WALLS, &root, REFUSE);
	}
	expect(LD_ROLE_RECURSOR, "recursor", LD_WALL_USER | LD_WALL_LANDLOCK, &here,
	       (offered & LD_WALL_LANDLOCK) != 0 ? REFUSE : DONE);
	/* What is started later is to write there. */
	expect(LD_ROLE_PARENT, "parent", LD_WALLS, &here, DONE);
}

/* The trial itself: what it finds refused behind a wall can be done without one.  (As root: most of
 * this is nobody's right but root's.) */
static void
test_without_walls(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		int (*try)(void) = attempts[i].try;

		if (try != try_trace_parent && try != try_mount && try != try_bpf &&
		    try != try_io_uring && try != try_execute && try != try_fork)
			expect(LD_ROLE_RESOLVER, "nobody in particular", 0, &attempts[i], DONE);
	}
}

static const struct attempt *
attempt_find(int (*try)(void))
{
	size_t i = 0;

	while (attempts[i].try != try)
		i++;
	return &attempts[i];
}

static void
test_landlock_alone(void **state)
{
	static int (*const files[])(void) = {try_open_read, try_open_write, try_open_proc,
					     try_mkdir};

	(void)state;
	if ((offered & LD_WALL_LANDLOCK) == 0)
		skip();
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		expect(LD_ROLE_RECURSOR, "recursor", LD_WALL_USER | LD_WALL_LANDLOCK,
		       attempt_find(files[i]), REFUSE);
	expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_USER | LD_WALL_LANDLOCK,
	       attempt_find(try_tcp_connect), REFUSE);
	expect(LD_ROLE_RECURSOR, "recursor", LD_WALL_USER | LD_WALL_LANDLOCK,
	       attempt_find(try_tcp_connect), DONE);
	expect(LD_ROLE_RECURSOR, "recursor", LD_WALL_USER | LD_WALL_LANDLOCK,
	       attempt_find(try_tcp_listen), REFUSE);
	expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_USER | LD_WALL_LANDLOCK,
	       attempt_find(try_kill_parent), REFUSE);
}

static void
test_root_directory_alone(void **state)
{
	static int (*const files[])(void) = {try_open_read, try_open_write, try_open_proc,
					     try_mkdir, try_execute};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		expect(LD_ROLE_RECURSOR, "recursor", LD_WALL_USER | LD_WALL_ROOT,
		       attempt_find(files[i]), REFUSE);
}

static void
test_user_alone(void **state)
{
	static int (*const privileged[])(void) = {try_raw_socket, try_mount, try_become_root,
						  try_chroot, try_bpf};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof privileged / sizeof privileged[0]; i++)
		expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_USER, attempt_find(privileged[i]),
		       REFUSE);
	expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_USER, attempt_find(try_kill_parent), REFUSE);
	expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_USER, attempt_find(try_trace_parent), REFUSE);
}

static void
test_system_calls_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		const struct attempt *a = &attempts[i];

		expect(LD_ROLE_RESOLVER, "resolver", LD_WALL_CALLS, a, a->resolver);
	}
}

static void
test_missing_walls_are_told(void **state)
{
	struct ld_report report;

	(void)state;
	assert_false(ld_sandbox_missing(LD_WALLS, &report));
	/* Who is not root has no root directory of his own: that is no lack of the kernel. */
	assert_false(ld_sandbox_missing(LD_WALLS & ~LD_WALL_ROOT, &report));
	assert_true(ld_sandbox_missing(LD_WALL_USER | LD_WALL_CALLS, &report));
	assert_non_null(strstr(report.text, "no Landlock"));
	assert_true(ld_sandbox_missing(LD_WALL_USER | LD_WALL_LANDLOCK, &report));
	assert_non_null(strstr(report.text, "no seccomp"));
	assert_true(ld_sandbox_missing(LD_WALL_USER, &report));
	assert_non_null(strstr(report.text, "no Landlock and no seccomp"));
}

/* What is offered is a matter of this machine, and said aloud; the tests are about what it does. */
static int
offers_find(void)
{
	struct ld_report report;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned up = 0;

		if (ld_sandbox_enter(LD_ROLE_LOADER, "", NULL, LD_WALLS, &up, &report) !=
			    LINDUNG_OK ||
		    ld_sandbox_seal(LD_ROLE_LOADER, LD_WALLS, &up, &report) != LINDUNG_OK)
			_exit(SETUP_FAILED);
		_exit((int)up);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == SETUP_FAILED)
		return -1;
	offered = (unsigned)WEXITSTATUS(status);
	if (ld_sandbox_missing(offered, &report))
		print_message("%s\n", report.text);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int
begin(void **state)
{
	socklen_t len = sizeof listening;

	(void)state;
	listening = (struct sockaddr_in){.sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&listening, sizeof listening) != 0 ||
	    listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&listening, &len) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, shared) != 0 ||
	    mkdtemp(folder) == NULL || (geteuid() == 0 && chown(folder, 65534, 65534) != 0))
		return -1;
	return offers_find();
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behind_all_walls),
		cmocka_unit_test(test_a_folder_of_its_own),
		cmocka_unit_test(test_without_walls),
		cmocka_unit_test(test_landlock_alone),
		cmocka_unit_test(test_root_directory_alone),
		cmocka_unit_test(test_user_alone),
		cmocka_unit_test(test_system_calls_alone),
		cmocka_unit_test(test_missing_walls_are_told),
	};

	/* A run-time library that reads files and makes threads is behind no wall. */
	if (LD_SANITIZED)
		return 77;
	/* As a user who is not root. */
	if (argc == 2 && geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return 1;
	(void)argv;
	return cmocka_run_group_tests(tests, begin, end);
}
