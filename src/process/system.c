/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/system.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
ld_system_limits(void)
{
	static const struct rlimit none = {0, 0};
	struct rlimit files;

	/* None of these is worth not starting for. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

unsigned
ld_system_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > INT32_MAX)
		return INT32_MAX;
	return (unsigned)files.rlim_cur;
}

unsigned
ld_system_connections(unsigned wanted, unsigned parts)
{
	unsigned most = ld_system_files() / 2 / parts;

	return wanted < most ? wanted : most;
}

int
ld_system_user(const char *user, struct ld_report *report)
{
	struct passwd *entry;

	if (user[0] == '\0')
		return LINDUNG_OK;
	entry = getpwnam(user);
	if (entry == NULL)
		return ld_fail(report, LINDUNG_ENOTFOUND, "user: there is no user \"%s\"", user);
	if (geteuid() != 0 && geteuid() == entry->pw_uid)
		return LINDUNG_OK;
	if (initgroups(user, entry->pw_gid) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return ld_fail(report, LINDUNG_EINVAL, "user: cannot become \"%s\": %s", user,
			       strerror(errno));
	return LINDUNG_OK;
}

static int notify_fd = -1; /* connected to systemd */

void
ld_system_notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;

	if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* an abstract name: its first octet is NUL */
		address.sun_path[0] = '\0';
	unsetenv("NOTIFY_SOCKET");
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd >= 0 &&
	    connect(notify_fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(notify_fd);
		notify_fd = -1;
	}
}

unsigned
ld_system_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long usec = text != NULL ? strtoull(text, NULL, 10) : 0;

	if (pid != NULL && strtoull(pid, NULL, 10) != (unsigned long long)getpid())
		return 0;
	usec /= 2000;
	return usec < INT32_MAX ? (unsigned)usec : INT32_MAX;
}

void
ld_system_notify(const char *state)
{
	if (notify_fd >= 0)
		(void)send(notify_fd, state, strlen(state), MSG_NOSIGNAL);
}

unsigned
ld_system_cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 0 ? (unsigned)count : 1;
}
