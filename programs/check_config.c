/* lindung check-config: is this configuration right, and what does it amount to?
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>

#include "base/file.h"
#include "conf/conf.h"

int check_config_main(int argc, char **argv);

enum { ARENA_BYTES = 256 * 1024 * 1024 }; /* the tree of the largest file taken */

static const char usage[] =
	"usage: lindung check-config [-c FILE] [-p]\n"
	"\n"
	"Checks a configuration and reports everything that is wrong with it.\n"
	"\n"
	"  -c, --config FILE  the file; without it the defaults are meant\n"
	"  -p, --print        print every option with the value it has\n"
	"  -h, --help         this\n"
	"\n"
	"Exit: 0 it is right, 1 it is not, 2 wrong usage. See lindung.conf(5).\n";

static void
problem_print(void *ctx, const struct ld_report *problem)
{
	unsigned *problems = ctx;

	(*problems)++;
	fprintf(stderr, "%s\n", problem->text);
}

static int
conf_print(const struct ld_conf *conf)
{
	struct ld_buffer text;
	int err;

	ld_buffer_init(&text, 1024 * 1024);
	ld_conf_print(conf, &text);
	err = text.failed ? LINDUNG_ENOMEM : ld_write_all(1, text.data, text.len);
	ld_buffer_free(&text);
	if (err != LINDUNG_OK)
		fprintf(stderr, "lindung check-config: cannot print: %s\n", lindung_strerror(err));
	return err == LINDUNG_OK ? 0 : 1;
}

static int
check(const char *path, bool print)
{
	struct ld_arena arena;
	struct ld_conf conf;
	struct ld_report report;
	unsigned problems = 0;
	int status = 1;

	ld_arena_init(&arena, ARENA_BYTES);
	if (ld_conf_check(&conf, path, &arena, problem_print, &problems) != LINDUNG_OK)
		fprintf(stderr, "lindung check-config: %s: %u problem%s\n", path, problems,
			problems == 1 ? "" : "s");
	else if (ld_conf_servers_check(&conf, true, &report) != LINDUNG_OK)
		fprintf(stderr, "%s: %s\n", path, report.text);
	else if (print)
		status = conf_print(&conf);
	else
		status = printf("%s: OK\n", path != NULL ? path : "defaults") < 0;
	ld_arena_clear(&arena);
	return status;
}

int
check_config_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"print", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	bool print = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:ph", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'p':
			print = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "lindung check-config: unexpected: %s (use -c FILE)\n",
			argv[optind]);
		return 2;
	}
	return check(path, print);
}
