/* SPDX-License-Identifier: BSD-2-Clause */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "log/key.h"

struct ld_passphrase {
	size_t len;
	char text[LD_KEY_PASSPHRASE_MAX + 1];
};

static struct ld_passphrase *
passphrase_new(struct ld_report *report)
{
	struct ld_passphrase *p =
		mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
		return NULL;
	}
	if (mlock(p, sizeof *p) != 0) {
		ld_fail(report, LINDUNG_ENOMEM,
			"memory for the passphrase cannot be locked: %s (ulimit -l says how much "
			"may be)",
			strerror(errno));
		munmap(p, sizeof *p);
		return NULL;
	}
	madvise(p, sizeof *p, MADV_DONTDUMP);
	return p;
}

struct ld_span
ld_passphrase_text(const struct ld_passphrase *passphrase)
{
	return passphrase != NULL ? ld_span(passphrase->text, passphrase->len) : LD_SPAN("");
}

void
ld_passphrase_free(struct ld_passphrase *passphrase)
{
	if (passphrase == NULL)
		return;
	explicit_bzero(passphrase, sizeof *passphrase);
	munmap(passphrase, sizeof *passphrase);
}

/* With `awake`, signals are blocked, but for those in it while nothing is there to be read: so none
 * comes between a look at whether one came and the wait. */
static ssize_t
octet_read(int fd, char *octet, const sigset_t *awake)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (awake != NULL && ppoll(&ready, 1, NULL, awake) < 0)
		return -1;
	return read(fd, octet, 1);
}

/* One line, octet by octet: what follows belongs to whoever asks next. */
static int
line_read(struct ld_passphrase *p, int fd, const sigset_t *awake, struct ld_report *report)
{
	char octet = '\0';
	ssize_t n;

	p->len = 0;
	while ((n = octet_read(fd, &octet, awake)) == 1 && octet != '\n') {
		if (p->len == LD_KEY_PASSPHRASE_MAX)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "the passphrase is longer than %d octets",
				       LD_KEY_PASSPHRASE_MAX);
		p->text[p->len++] = octet;
	}
	if (n < 0)
		return ld_fail(report, LINDUNG_EIO, "cannot read the passphrase: %s",
			       strerror(errno));
	if (n == 0 && p->len == 0)
		return ld_fail(report, LINDUNG_EIO, "no passphrase: the input has ended");
	return LINDUNG_OK;
}

/* ---- The terminal --------------------------------------------------------------------------- */

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { DEADLY = sizeof deadly / sizeof deadly[0] };
static volatile sig_atomic_t signal_seen;

static void
on_signal(int number)
{
	signal_seen = number;
}

struct terminal {
	int fd;
	struct termios before;
	sigset_t mask; /* as it was */
	struct sigaction actions[DEADLY];
};

static int
terminal_open(struct terminal *t, struct ld_report *report)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct termios quiet;
	sigset_t blocked;

	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0 || tcgetattr(t->fd, &t->before) != 0) {
		if (t->fd >= 0)
			close(t->fd);
		return ld_fail(report, LINDUNG_EIO,
			       "there is no terminal to ask for the passphrase on: hand it over "
			       "with --passphrase-fd");
	}
	signal_seen = 0;
	sigemptyset(&blocked);
	for (int i = 0; i < DEADLY; i++)
		sigaddset(&blocked, deadly[i]);
	sigprocmask(SIG_BLOCK, &blocked, &t->mask);
	for (int i = 0; i < DEADLY; i++)
		sigaction(deadly[i], &action, &t->actions[i]);
	quiet = t->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	tcsetattr(t->fd, TCSAFLUSH, &quiet);
	return LINDUNG_OK;
}

/* As it was, also for who was interrupted. */
static void
terminal_close(struct terminal *t)
{
	tcsetattr(t->fd, TCSAFLUSH, &t->before);
	for (int i = 0; i < DEADLY; i++)
		sigaction(deadly[i], &t->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &t->mask, NULL);
	close(t->fd);
	if (signal_seen != 0)
		raise(signal_seen);
}

static int
terminal_ask(struct ld_passphrase *p, const char *prompt, struct ld_report *report)
{
	struct terminal t;
	int err;

	do {
		err = terminal_open(&t, report);
		if (err != LINDUNG_OK)
			return err;
		dprintf(t.fd, "%s: ", prompt);
		err = line_read(p, t.fd, &t.mask, report);
		dprintf(t.fd, "\n");
		terminal_close(&t);
		/* Whoever stopped us and has come back is asked anew. */
	} while (err != LINDUNG_OK && signal_seen == SIGTSTP);
	return err;
}

/* ---- What is offered ------------------------------------------------------------------------ */

static int
ask(struct ld_passphrase **ret, int fd, const char *prompt, struct ld_report *report)
{
	struct ld_passphrase *p = passphrase_new(report);
	int err;

	if (p == NULL)
		return LINDUNG_ENOMEM;
	err = fd >= 0 ? line_read(p, fd, NULL, report) : terminal_ask(p, prompt, report);
	if (err != LINDUNG_OK) {
		ld_passphrase_free(p);
		return err;
	}
	*ret = p;
	return LINDUNG_OK;
}

int
ld_passphrase_ask(struct ld_passphrase **ret, int fd, const char *prompt, struct ld_report *report)
{
	return ask(ret, fd, prompt, report);
}

static bool
is_good(const struct ld_passphrase *p)
{
	return p->len == 0 || p->len >= LD_PASSPHRASE_LEAST;
}

int
ld_passphrase_choose(struct ld_passphrase **ret, int fd, const char *prompt,
		     struct ld_report *report)
{
	struct ld_passphrase *first, *second = NULL;
	int err;
	bool same;

	for (;;) {
		err = ask(&first, fd, prompt, report);
		if (err != LINDUNG_OK)
			return err;
		if (!is_good(first) && fd >= 0) {
			ld_passphrase_free(first);
			return ld_fail(report, LINDUNG_EINVAL,
				       "the passphrase is shorter than %d characters",
				       LD_PASSPHRASE_LEAST);
		}
		if (fd >= 0)
			break;
		if (!is_good(first)) {
			fprintf(stderr, "At least %d characters, or none at all.\n",
				LD_PASSPHRASE_LEAST);
			ld_passphrase_free(first);
			continue;
		}
		err = ask(&second, fd, "The same again", report);
		if (err != LINDUNG_OK) {
			ld_passphrase_free(first);
			return err;
		}
		same = ld_span_equal(ld_passphrase_text(first), ld_passphrase_text(second));
		ld_passphrase_free(second);
		if (same)
			break;
		fputs("They differ. Once more:\n", stderr);
		ld_passphrase_free(first);
	}
	*ret = first;
	return LINDUNG_OK;
}

int
ld_passphrase_fd_read(int *ret, const char *text, struct ld_report *report)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end != '\0' || fd < 0 || fd > 65535)
		return ld_fail(report, LINDUNG_EINVAL,
			       "--passphrase-fd: expected the number of a descriptor, not %s",
			       text);
	if (fcntl((int)fd, F_GETFD) < 0)
		return ld_fail(report, LINDUNG_EINVAL, "--passphrase-fd %ld: it is not open", fd);
	*ret = (int)fd;
	return LINDUNG_OK;
}
