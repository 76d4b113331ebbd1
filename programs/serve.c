/* lindung serve: the resolver.  Here is its command line; what it does is in process/parent.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>

#include <lindung/lindung.h>

#include "process/parent.h"
#include "quorum/policy.h"
#include "wire/notify.h"

#include "data.h"

int serve_main(int argc, char **argv);

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	SHARED_MAX = 1024, /* as list.shared-targets has */
};

static const char usage[] =
	"usage: lindung serve [-c FILE] [-i IMAGE] [-o OVERLAY]...\n"
	"\n"
	"Answers DNS queries: names on the list are closed, others are resolved.\n"
	"\n"
	"  -c, --config FILE      the configuration; see lindung.conf(5)\n"
	"  -i, --image FILE       the index to serve, in place of list.image\n"
	"  -o, --overlay FILE     an index with changes, after those in list.overlays; it need\n"
	"                         not exist yet\n"
	"  -h, --help             this\n"
	"\n"
	"SIGHUP loads the list and the certificate again; SIGUSR1 the list, even if it lost\n"
	"most of its names or a category.\n"
	"A list whose files were replaced is loaded within a second (list.watch).\n"
	"Exit: 0 after SIGINT or SIGTERM, 1 it cannot start, 2 wrong usage.\n";

struct server {
	struct ld_arena arena;
	struct ld_conf conf;
	const char *overlays[LINDUNG_OVERLAY_MAX];
	unsigned overlay_count;
	struct ld_span protected; /* names, one a line */
};

static int
overlay_add(struct server *server, const char *path)
{
	if (server->overlay_count == LINDUNG_OVERLAY_MAX) {
		fprintf(stderr, "lindung serve: more than %d overlays\n", LINDUNG_OVERLAY_MAX);
		return 2;
	}
	server->overlays[server->overlay_count++] = path;
	return 0;
}

/* Shared targets: those known, and those configured.  Without the file that names them an entry for
 * a whole network closes too much, but nothing stays open. */
static int
shared_add(struct server *server, struct ld_report *report)
{
	const char *path = ld_data_path("shared-targets.yaml", &server->arena);
	struct ld_conf_texts *shared = &server->conf.list_shared_targets;
	const char *const *known = NULL;
	const char **all;
	unsigned count = 0;
	int err = LINDUNG_OK;

	if (path == NULL)
		fprintf(stderr, "lindung: shared-targets.yaml is not found: an entry for a whole "
				"network closes all that it delivers\n");
	else
		err = ld_data_shared(&known, &count, path, &server->arena, report);
	if (err != LINDUNG_OK || count == 0)
		return err;
	all = ld_arena_alloc(&server->arena, (count + shared->count) * sizeof *all);
	if (all == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < shared->count; i++)
		all[i] = shared->items[i];
	for (unsigned i = 0; i < count && shared->count < SHARED_MAX; i++)
		all[shared->count++] = known[i];
	shared->items = all;
	return LINDUNG_OK;
}

/* What following a log needs beside its options. */
static int
follow_add(struct server *server, struct ld_report *report)
{
	struct ld_conf *conf = &server->conf;
	struct ld_policy *policy;
	struct ld_name zone;
	char text[LD_NAME_TEXT_MAX + 1];
	int err;

	if (conf->follow_url[0] == '\0')
		return LINDUNG_OK;
	if (conf->follow_popular == NULL)
		conf->follow_popular = ld_data_path("popular.txt", &server->arena);
	/* What is wrong with it is told before anything is opened. */
	err = ld_policy_open(&policy, conf->follow_policy, conf->follow_popular, report);
	if (err != LINDUNG_OK)
		return err;
	if (conf->follow_zone[0] == '\0' &&
	    ld_notify_zone(&zone, ld_policy_origin(policy)) == LINDUNG_OK) {
		size_t len = ld_name_to_text(&zone, text);

		conf->follow_zone =
			(const char *)ld_arena_copy(&server->arena, ld_span(text, len)).data;
	}
	ld_policy_free(policy);
	return ld_data_protected_text(&server->protected, &server->arena, report);
}

/* The configuration, then what the command line puts in its place. */
static int
configure(struct server *server, const char *path, const char *image, const char *const *overlays,
	  unsigned overlay_count)
{
	struct ld_report report;
	int status = 0;

	ld_arena_init(&server->arena, ARENA_BYTES);
	if (ld_conf_load(&server->conf, path, &server->arena, &report) != LINDUNG_OK ||
	    shared_add(server, &report) != LINDUNG_OK ||
	    follow_add(server, &report) != LINDUNG_OK) {
		fprintf(stderr, "lindung: %s\n", report.text);
		ld_arena_clear(&server->arena);
		return 1;
	}
	if (image != NULL)
		server->conf.list_image = image;
	for (unsigned i = 0; i < server->conf.list_overlays.count && status == 0; i++)
		status = overlay_add(server, server->conf.list_overlays.items[i]);
	for (unsigned i = 0; i < overlay_count && status == 0; i++)
		status = overlay_add(server, overlays[i]);
	server->conf.list_overlays = (struct ld_conf_texts){
		.items = server->overlays,
		.count = server->overlay_count,
	};
	if (status != 0)
		ld_arena_clear(&server->arena);
	return status;
}

int
serve_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"image", required_argument, NULL, 'i'},
		{"overlay", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL, *image = NULL, *overlays[LINDUNG_OVERLAY_MAX + 1];
	unsigned overlay_count = 0;
	struct server server = {0};
	int c, status;

	while ((c = getopt_long(argc, argv, "c:i:o:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'i':
			image = optarg;
			break;
		case 'o':
			if (overlay_count <= LINDUNG_OVERLAY_MAX)
				overlays[overlay_count++] = optarg;
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
		fprintf(stderr, "lindung serve: unexpected: %s (use -c FILE)\n", argv[optind]);
		return 2;
	}
	status = configure(&server, path, image, overlays, overlay_count);
	if (status != 0)
		return status;
	status = ld_parent_run(&server.conf, path != NULL, server.protected);
	ld_arena_clear(&server.arena);
	return status;
}
