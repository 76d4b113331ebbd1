/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "process/sandbox_calls.h"
#include "process/sanitized.h"

/* What headers older than the kernel lack. */
enum {
	LANDLOCK_ABI_TRUNCATE = 3,
	LANDLOCK_ABI_NET = 4,
	LANDLOCK_ABI_IOCTL = 5,
	LANDLOCK_ABI_SCOPE = 6,
};

static const uint64_t fs_refer = 1 << 13, fs_truncate = 1 << 14, fs_ioctl = 1 << 15,
		      net_bind = 1 << 0, net_connect = 1 << 1, scope_all = (1 << 0) | (1 << 1);

/* struct landlock_ruleset_attr as of ABI 6; older kernels take the shorter one. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* ---- Who it is ---------------------------------------------------------------------------- */

static int
fail_errno(struct ld_report *report, const char *what)
{
	return ld_fail(report, LINDUNG_EINVAL, "cannot %s: %s", what, strerror(errno));
}

static int
user_find(const char *user, struct passwd **ret, struct ld_report *report)
{
	const char *name = user[0] != '\0' ? user : "nobody";

	*ret = getpwnam(name);
	return *ret != NULL
		       ? LINDUNG_OK
		       : ld_fail(report, LINDUNG_ENOTFOUND, "user: there is no user \"%s\"", name);
}

static int
user_become(const struct passwd *entry, struct ld_report *report)
{
	/* What it could gain back by executing something. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap);
	if (setgroups(0, NULL) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return fail_errno(report, "become another user");
	return LINDUNG_OK;
}

/* No capability, no core, no other process that looks in. */
static int
privileges_drop(struct ld_report *report)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	static const struct rlimit no_core = {0, 0};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) != 0)
		return fail_errno(report, "give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(report, "give up new privileges");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		return fail_errno(report, "forbid core dumps");
	/* A leak is looked for by a thread that traces the others. */
	if (!LD_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail_errno(report, "forbid core dumps");
	/* A change of user has cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return fail_errno(report, "end with the parent");
	return LINDUNG_OK;
}

/* ---- What it sees ------------------------------------------------------------------------- */

/* A directory that is removed as soon as it is opened: it is empty, and nothing can be made in it.
 */
static bool
root_empty(void)
{
	char path[] = "/tmp/lindung-XXXXXX";
	int fd;
	bool done;

	if (mkdtemp(path) == NULL)
		return false;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && rmdir(path) == 0 && fchdir(fd) == 0 && chroot(".") == 0;
	if (fd >= 0)
		close(fd);
	return done && chdir("/") == 0;
}

/* The one folder that there is. */
static bool
root_folder(const char *folder)
{
	return chroot(folder) == 0 && chdir("/") == 0;
}

/* Allow `access` to what `fd` is, and below it. */
static bool
landlock_allow(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

static bool
landlock_allow_path(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	bool done = fd >= 0 && landlock_allow(ruleset, fd, access);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Regular files and folders, and nothing to execute.  Of `all` rights that the kernel knows. */
static uint64_t
folder_access(uint64_t all)
{
	return all & (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		      LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		      LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		      LANDLOCK_ACCESS_FS_MAKE_DIR | fs_truncate | fs_refer);
}

static bool
landlock_enter(enum ld_role role, const char *folder)
{
	struct ruleset rules = {.fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t size = offsetof(struct ruleset, net);
	int fd;
	bool done;

	if (abi < 1)
		return false;
	rules.fs |= abi >= 2 ? fs_refer : 0;
	rules.fs |= abi >= LANDLOCK_ABI_TRUNCATE ? fs_truncate : 0;
	rules.fs |= abi >= LANDLOCK_ABI_IOCTL ? fs_ioctl : 0;
	if (abi >= LANDLOCK_ABI_NET) {
		/* Some ask servers wherever they are, and listen nowhere. */
		rules.net = (role & LD_ROLE_ASKERS) != 0 ? net_bind : net_bind | net_connect;
		size = offsetof(struct ruleset, scoped);
	}
	if (abi >= LANDLOCK_ABI_SCOPE) {
		rules.scoped = scope_all;
		size = sizeof rules;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return false;
	done = (folder == NULL || landlock_allow_path(fd, folder, folder_access(rules.fs))) &&
	       syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return done;
}

int
ld_sandbox_folder(const char *folder, const char *user, struct ld_report *report)
{
	struct passwd *entry = NULL;
	int err = LINDUNG_OK;

	if (mkdir(folder, 0700) != 0)
		return errno == EEXIST ? LINDUNG_OK
				       : ld_fail(report, LINDUNG_EIO, "%s: cannot be made: %s",
						 folder, strerror(errno));
	if (geteuid() != 0)
		return LINDUNG_OK;
	err = user_find(user, &entry, report);
	if (err == LINDUNG_OK && chown(folder, entry->pw_uid, entry->pw_gid) != 0)
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", folder, strerror(errno));
	return err;
}

int
ld_sandbox_enter(enum ld_role role, const char *user, const char *folder, unsigned walls,
		 unsigned *ret_up, struct ld_report *report)
{
	bool is_root = geteuid() == 0;
	struct passwd *entry = NULL;
	unsigned up = 0;
	int err = LINDUNG_OK;

	if (LD_SANITIZED)
		walls &= LD_WALL_USER;
	/* The user is looked up while there are files. */
	if ((walls & LD_WALL_USER) != 0 && is_root)
		err = user_find(user, &entry, report);
	if (err == LINDUNG_OK && (walls & LD_WALL_ROOT) != 0 && is_root &&
	    (folder == NULL ? root_empty() : root_folder(folder))) {
		up |= LD_WALL_ROOT;
		folder = folder == NULL ? NULL : "/";
	}
	if (err == LINDUNG_OK && entry != NULL)
		err = user_become(entry, report);
	if (err == LINDUNG_OK && (walls & LD_WALL_USER) != 0) {
		err = privileges_drop(report);
		up |= LD_WALL_USER;
	}
	if (err == LINDUNG_OK && (walls & LD_WALL_LANDLOCK) != 0 && landlock_enter(role, folder))
		up |= LD_WALL_LANDLOCK;
	if (err == LINDUNG_OK)
		*ret_up = up;
	return err;
}

/* ---- What it does ------------------------------------------------------------------------- */

static const struct call {
	int number; /* negative: this architecture has no such call */
	unsigned roles;
} calls[] = {
#define LD_X(call, roles) {SCMP_SYS(call), LD_ROLE_##roles},
	LD_CALLS(LD_X)
#undef LD_X
};

static const int calls_denied[] = {
#define LD_X(call) SCMP_SYS(call),
	LD_CALLS_DENIED(LD_X)
#undef LD_X
};

static bool
is_allowed(int number, enum ld_role role)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (calls[i].number == number && (calls[i].roles & role) != 0)
			return true;
	return false;
}

/* 0, or negative as libseccomp has it. */
static int
calls_add(scmp_filter_ctx filter, enum ld_role role)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && failed == 0; i++)
		if (calls[i].number >= 0 && (calls[i].roles & role) != 0)
			failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
	for (size_t i = 0; i < sizeof calls_denied / sizeof(int) && failed == 0; i++)
		if (calls_denied[i] >= 0 && !is_allowed(calls_denied[i], role))
			failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), calls_denied[i],
						  0);
	return failed;
}

/* TCP and UDP, and nothing raw. */
static int
sockets_add(scmp_filter_ctx filter)
{
	static const int families[] = {AF_INET, AF_INET6}, types[] = {SOCK_DGRAM, SOCK_STREAM};
	const uint64_t kind = ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
	int failed = 0;

	for (unsigned i = 0; i < 4 && failed == 0; i++)
		failed = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)families[i / 2]),
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, kind, (uint64_t)types[i % 2]));
	return failed;
}

/* Calls that are harmless with some arguments only. */
static int
calls_checked(scmp_filter_ctx filter, enum ld_role role)
{
	static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	static const unsigned descriptor[] = {F_GETFD, F_SETFD, F_GETFL,
					      F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC};
	int failed = 0;

	/* No memory that can be executed. */
	for (unsigned i = 0; i < 2 && failed == 0; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, memory[i], 1,
					  SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* Not F_SETOWN and F_SETSIG: with them the kernel sends any signal to any process of the
	 * same user, as kill() does. */
	for (size_t i = 0; i < sizeof descriptor / sizeof descriptor[0] && failed == 0; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
					  SCMP_A1_32(SCMP_CMP_EQ, descriptor[i]));
	if (failed == 0 && role == LD_ROLE_SYNC)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
					  SCMP_A1_32(SCMP_CMP_EQ, F_ADD_SEALS));
	/* What its successor goes on with is not for it to end: of a socket that listens, SHUT_RD
	 * would. */
	if (failed == 0 && (role & LD_ROLE_LONG_LIVED) != 0)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(shutdown), 1,
					  SCMP_A1_32(SCMP_CMP_EQ, SHUT_WR));
	/* To end itself: abort(). */
	if (failed == 0)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
					  SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)getpid()));
	/* How fstat() is made: with a path, it tells of a file, but does not open it. */
	if (failed == 0 && role == LD_ROLE_SYNC)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 0);
	else if (failed == 0)
		failed = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
			SCMP_A3_64(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	/* How much waits at a socket: libevent asks. */
	if (failed == 0 && role == LD_ROLE_RESOLVER)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					  SCMP_A1_64(SCMP_CMP_EQ, FIONREAD));
	if (failed == 0 && (role & LD_ROLE_ASKERS) != 0)
		failed = sockets_add(filter);
	return failed;
}

int
ld_sandbox_seal(enum ld_role role, unsigned walls, unsigned *ret_up, struct ld_report *report)
{
	scmp_filter_ctx filter;
	int failed;

	if (LD_SANITIZED || (walls & LD_WALL_CALLS) == 0)
		return LINDUNG_OK;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for seccomp");
	failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (failed == 0)
		failed = calls_add(filter, role);
	if (failed == 0)
		failed = calls_checked(filter, role);
	if (failed != 0) {
		seccomp_release(filter);
		return ld_fail(report, LINDUNG_EINTERNAL, "libseccomp refuses the filter: %s",
			       strerror(-failed));
	}
	if (seccomp_load(filter) == 0)
		*ret_up |= LD_WALL_CALLS;
	seccomp_release(filter);
	return LINDUNG_OK;
}

/* ---- The parent --------------------------------------------------------------------------- */

static const int calls_parent[] = {
#define LD_X(call) SCMP_SYS(call),
	LD_CALLS_PARENT(LD_X)
#undef LD_X
};

/* Read everything that its user may, write nothing, execute this program and its loader alone. */
static void
landlock_parent(int program_fd, const char *folder)
{
	static const char *const loaders[] = {
		"/lib64/ld-linux-x86-64.so.2",
		"/lib/ld-linux-aarch64.so.1",
		"/lib/ld-linux-armhf.so.3",
	};
	const uint64_t execute = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
	struct ruleset rules = {.fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
	int fd =
		(int)syscall(SYS_landlock_create_ruleset, &rules, offsetof(struct ruleset, net), 0);
	bool done = fd >= 0 &&
		    landlock_allow_path(
			    fd, "/", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR) &&
		    landlock_allow(fd, program_fd, execute);

	for (size_t i = 0; done && i < sizeof loaders / sizeof loaders[0]; i++)
		(void)landlock_allow_path(fd, loaders[i], execute); /* of one of these it is */
	/* Where a child of root makes its empty root directory. */
	if (done && geteuid() == 0)
		(void)landlock_allow_path(
			fd, "/tmp", LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR);
	/* What a child that is started later is to write; it goes behind a wall of its own. */
	if (done && folder != NULL)
		(void)landlock_allow_path(fd, folder, folder_access(rules.fs));
	if (done)
		(void)syscall(SYS_landlock_restrict_self, fd, 0);
	if (fd >= 0)
		close(fd);
}

/* No call that it does not need, nor a child as it begins; `children`: those that there are. */
static int
calls_parent_seal(unsigned children, struct ld_report *report)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = 0;

	if (filter == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for seccomp");
	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && failed == 0; i++)
		if (calls[i].number >= 0 && (calls[i].roles & children) != 0)
			failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
	for (size_t i = 0; i < sizeof calls_parent / sizeof(int) && failed == 0; i++)
		if (calls_parent[i] >= 0)
			failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls_parent[i], 0);
	if (failed == 0)
		(void)seccomp_load(filter); /* what the kernel lacks the children have told */
	seccomp_release(filter);
	return failed == 0 ? LINDUNG_OK
			   : ld_fail(report, LINDUNG_EINTERNAL, "libseccomp refuses the filter: %s",
				     strerror(-failed));
}

int
ld_sandbox_parent(int program_fd, const char *folder, unsigned walls, struct ld_report *report)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	if (LD_SANITIZED)
		return LINDUNG_OK;
	if ((walls & LD_WALL_USER) != 0 && geteuid() != 0) {
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
		if (syscall(SYS_capset, &header, none) != 0)
			return fail_errno(report, "give up capabilities");
	}
	if (walls != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(report, "give up new privileges");
	if ((walls & LD_WALL_LANDLOCK) != 0)
		landlock_parent(program_fd, folder);
	if ((walls & LD_WALL_CALLS) == 0)
		return LINDUNG_OK;
	return calls_parent_seal(
		folder != NULL ? LD_ROLE_CHILDREN : LD_ROLE_CHILDREN & ~LD_ROLE_SYNC, report);
}

bool
ld_sandbox_missing(unsigned up, struct ld_report *ret)
{
	if (LD_SANITIZED)
		ld_fail(ret, LINDUNG_OK,
			"built with a sanitizer, which needs files and more system calls: the "
			"walls "
			"are lower, and not for use");
	else if ((up & (LD_WALL_LANDLOCK | LD_WALL_CALLS)) == 0)
		ld_fail(ret, LINDUNG_OK,
			"no Landlock and no seccomp in this kernel: what the processes may do is "
			"limited by their user%s alone",
			(up & LD_WALL_ROOT) != 0 ? " and an empty root directory" : "");
	else if ((up & LD_WALL_CALLS) == 0)
		ld_fail(ret, LINDUNG_OK,
			"no seccomp in this kernel: the processes may make any system call that "
			"their user and Landlock let through");
	else if ((up & LD_WALL_LANDLOCK) == 0)
		ld_fail(ret, LINDUNG_OK,
			"no Landlock in this kernel: files are out of reach of the processes by "
			"seccomp%s alone",
			(up & LD_WALL_ROOT) != 0 ? " and an empty root directory" : "");
	else
		return false;
	return true;
}
