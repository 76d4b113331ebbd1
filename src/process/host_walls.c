/* What the host gives up before it takes the first connection.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It must write the log and read certificates and host names' configuration, in threads that live
 * as long as it does: so it keeps the file system, read-only but for its own directories
 * (Landlock), becomes another user if it is root, executes nothing, gains nothing, and leaves no
 * core. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/host_parts.h"
#include "process/sandbox.h"
#include "process/sanitized.h"

/* What headers older than the kernel lack. */
static const uint64_t fs_refer = 1 << 13, fs_truncate = 1 << 14;

static int
user_become(const char *user, struct ld_report *report)
{
	const struct passwd *entry = getpwnam(user);

	if (entry == NULL)
		return ld_fail(report, LINDUNG_ENOTFOUND, "there is no user \"%s\"", user);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap);
	if (setgroups(0, NULL) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return ld_fail(report, LINDUNG_EINVAL, "cannot become the user %s: %s", user,
			       strerror(errno));
	return LINDUNG_OK;
}

static bool
allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	bool done;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return false;
	done = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return done;
}

/* Read everything that the user may, write below the directories, execute nothing. */
static bool
landlock(const char *const *directories, unsigned count)
{
	const uint64_t reads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	struct landlock_ruleset_attr rules = {.handled_access_fs =
						      LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t writes = reads | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			  LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
			  LANDLOCK_ACCESS_FS_MAKE_REG;
	bool done;
	int fd;

	if (abi < 1)
		return false;
	if (abi >= 2)
		rules.handled_access_fs |= fs_refer;
	if (abi >= 3)
		rules.handled_access_fs |= fs_truncate;
	writes |= rules.handled_access_fs & (fs_refer | fs_truncate);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
	if (fd < 0)
		return false;
	done = allow(fd, "/", reads);
	for (unsigned i = 0; i < count && done; i++)
		done = directories[i] == NULL || allow(fd, directories[i], writes);
	done = done && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return done;
}

int
host_walls(const char *user, const char *const *directories, unsigned count, unsigned *ret_up,
	   struct ld_report *report)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	static const struct rlimit no_core = {0, 0};
	unsigned up = 0;
	int err = user != NULL && geteuid() == 0 ? user_become(user, report) : LINDUNG_OK;

	/* Made by whom they must belong to. */
	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++)
		if (directories[i] != NULL && mkdir(directories[i], 0700) != 0 && errno != EEXIST)
			err = ld_fail(report, LINDUNG_EIO, "%s: %s", directories[i],
				      strerror(errno));
	if (err != LINDUNG_OK)
		return err;
	if (geteuid() != 0) {
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
		if (syscall(SYS_capset, &header, none) != 0)
			return ld_fail(report, LINDUNG_EINVAL, "cannot give up capabilities: %s",
				       strerror(errno));
		up |= LD_WALL_USER;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &no_core) != 0 ||
	    (!LD_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0))
		return ld_fail(report, LINDUNG_EINVAL, "cannot give up privileges: %s",
			       strerror(errno));
	if (!LD_SANITIZED && landlock(directories, count))
		up |= LD_WALL_LANDLOCK;
	*ret_up = up;
	return LINDUNG_OK;
}
