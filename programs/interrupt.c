/* SPDX-License-Identifier: BSD-2-Clause */
#include "interrupt.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"

enum { LINK_MAX_BYTES = 4096, SUFFIX_LEN = 7 /* ".XXXXXX" */ };

static sigset_t deadly;

/* `name` is that of a file being written beside the one whose name is `base`. */
static bool
is_unfinished(struct ld_span name, struct ld_span base)
{
	struct ld_span last = ld_span_from(
		name, (size_t)((const uint8_t *)memrchr(name.data, '/', name.len) - name.data) + 1);

	return last.len == base.len + SUFFIX_LEN && ld_span_starts(last, base) &&
	       last.data[base.len] == '.';
}

/* Only what this very process holds open: another one may be writing to the same place. */
static void
unfinished_remove(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct ld_span base = ld_span_str(slash != NULL ? slash + 1 : path);
	DIR *open_files = opendir("/proc/self/fd");
	struct dirent *file;
	char name[LINK_MAX_BYTES + 1];

	while (open_files != NULL && (file = readdir(open_files)) != NULL) {
		ssize_t len = readlinkat(dirfd(open_files), file->d_name, name, LINK_MAX_BYTES);

		if (len <= 0 || name[0] != '/' || !is_unfinished(ld_span(name, (size_t)len), base))
			continue;
		name[len] = '\0';
		unlink(name);
	}
	if (open_files != NULL)
		closedir(open_files);
}

static void *
wait_run(void *path)
{
	int number;

	while (sigwait(&deadly, &number) != 0)
		;
	unfinished_remove(path);
	signal(number, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &deadly, NULL);
	raise(number);
	return NULL;
}

int
ld_interrupt_guard(const char *path, struct ld_report *report)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	char *copy = strdup(path);
	pthread_t thread;

	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&deadly);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct sigaction now;

		/* What was ignored when we were started (nohup) stays ignored. */
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&deadly, numbers[i]);
	}
	pthread_sigmask(SIG_BLOCK, &deadly, NULL);
	if (copy == NULL || pthread_create(&thread, NULL, wait_run, copy) != 0) {
		free(copy);
		pthread_sigmask(SIG_UNBLOCK, &deadly, NULL);
		return ld_fail(report, LINDUNG_ENOMEM, "cannot start a thread");
	}
	/* It lives as long as the process, and so does its copy of the path. */
	pthread_detach(thread);
	return LINDUNG_OK;
}
