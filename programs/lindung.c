/* lindung: the program.  Each subcommand is a file of its own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lindung/lindung.h>

#include "process/role.h"

int init_main(int argc, char **argv);
int key_main(int argc, char **argv);
int party_main(int argc, char **argv);
int list_main(int argc, char **argv);
int endorse_main(int argc, char **argv);
int dispute_main(int argc, char **argv);
int withdraw_main(int argc, char **argv);
int allow_main(int argc, char **argv);
int appeal_main(int argc, char **argv);
int decide_main(int argc, char **argv);
int release_main(int argc, char **argv);
int submit_main(int argc, char **argv);
int backup_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int check_config_main(int argc, char **argv);
int check_policy_main(int argc, char **argv);
int status_main(int argc, char **argv);
int why_main(int argc, char **argv);
int audit_main(int argc, char **argv);
int compile_main(int argc, char **argv);
int diff_main(int argc, char **argv);
int dump_main(int argc, char **argv);
int edit_main(int argc, char **argv);
int export_main(int argc, char **argv);
int host_main(int argc, char **argv);
int recheck_main(int argc, char **argv);
int subscribe_main(int argc, char **argv);
int query_main(int argc, char **argv);
int serve_main(int argc, char **argv);
int sync_main(int argc, char **argv);
int transfer_main(int argc, char **argv);
int verify_main(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"compile", compile_main, "lists of websites to one image"},
	{"query", query_main, "ask an image about names and URLs"},
	{"dump", dump_main, "the list in an image as text, in many formats"},
	{"verify", verify_main, "check an image and say what is in it"},
	{"diff", diff_main, "what came and went from one image to another"},
	{"edit", edit_main, "change an overlay"},
	{"subscribe", subscribe_main, "lists of others by URL"},
	{"recheck", recheck_main, "which listed names still exist"},
	{"export", export_main, "what is in effect, for other programs"},
	{"host", host_main, "serve a log, take what is submitted to it"},
	{"serve", serve_main, "answer DNS queries"},
	{"sync", sync_main, "keep up with a log"},
	{"transfer", transfer_main, "get a zone of another server into a file"},
	{"check-config", check_config_main, "check a configuration"},
	{"check-policy", check_policy_main, "check the policy of a follower"},
	{"init", init_main, "begin a log: keys and a policy"},
	{"key", key_main, "keys that sign, and keys that open what is sealed"},
	{"party", party_main, "who takes part: add, revoke, sign, list"},
	{"list", list_main, "say that websites harm children"},
	{"endorse", endorse_main, "agree with a statement"},
	{"dispute", dispute_main, "say that a statement is wrong"},
	{"withdraw", withdraw_main, "take back a statement of one's own"},
	{"allow", allow_main, "say that websites do no harm"},
	{"appeal", appeal_main, "enter the objection of a site's owner"},
	{"decide", decide_main, "answer an appeal or a dispute"},
	{"release", release_main, "publish a file by its hash"},
	{"submit", submit_main, "hand signed statements in to a log"},
	{"audit", audit_main, "verify all of a log, and report"},
	{"why", why_main, "all that a log says of a website"},
	{"status", status_main, "how a log is, and what waits"},
	{"backup", backup_main, "everything of a home in one encrypted file"},
	{"restore", restore_main, "a home again, from a backup"},
};

static void
usage(FILE *to)
{
	fputs("usage: lindung COMMAND ...\n\n", to);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].what);
	fputs("\nlindung COMMAND --help tells more.\n", to);
}

/* Started without one of the first three descriptors, we would open a file or a socket in its
 * place, and write messages into that. */
static void
descriptors_fill(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int status = ld_role_main(argc, argv); /* a process that lindung serve started */

	if (status >= 0)
		return status;
	descriptors_fill();
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0)
		return printf("lindung %s\n", lindung_version()) < 0;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		usage(stdout);
		return 0;
	}
	if (*name != '\0')
		fprintf(stderr, "lindung: there is no command \"%s\"\n", name);
	usage(stderr);
	return 2;
}
