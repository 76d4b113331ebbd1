/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/role.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "net/loop.h"
#include "process/children.h"
#include "process/sandbox.h"

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	QUEUE_MAX = 1024 * 1024,
};

/* Without them in a build that is to be debugged only: meson setup -Dwalls=false. */
enum { WALLS = LD_WALLS_BUILT ? LD_WALLS : 0 };

/* To add a process: a row here, its messages in message.h, its walls in sandbox.c. */
static const struct ld_role_entry entries[] = {
	{LD_ROLE_RESOLVER, "resolver", "lindung: resolver", ld_resolver_run},
	{LD_ROLE_RECURSOR, "recursor", "lindung: recursor", ld_recursor_run},
	{LD_ROLE_SYNC, "sync", "lindung: sync", ld_sync_run},
	{LD_ROLE_LOADER, "loader", "lindung: loader", ld_loader_run},
};

unsigned
ld_child_walls(void)
{
	return WALLS;
}

const struct ld_role_entry *
ld_role_entry(enum ld_role role)
{
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
		if (entries[i].role == role)
			return &entries[i];
	LD_ASSERT(!"a role that is no child's");
	return NULL;
}

static void
problem_say(void *ctx, const struct ld_report *problem)
{
	const struct ld_child *child = ctx;

	fprintf(stderr, "lindung: %s: %s\n", child->entry->name, problem->text);
}

/* The configuration, as the parent has read it: every option is there. */
static bool
conf_take(struct ld_child *child, const struct ld_message *message)
{
	struct ld_map text;
	int err;

	if (child->has_conf || ld_map_fd(&text, message->fds[0]) != LINDUNG_OK)
		return false;
	ld_arena_init(&child->arena, ARENA_BYTES);
	err = ld_conf_parse(&child->conf, "parent", text.bytes, &child->arena, problem_say, child);
	ld_map_close(&text);
	child->has_conf = err == LINDUNG_OK;
	return child->has_conf;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct ld_child *child = ctx;

	if (message->type == LD_MESSAGE_CONF)
		return conf_take(child, message);
	return child->has_conf && child->came(child->ctx, message);
}

/* The parent ended, or told us to.  It is not for us to judge what it says. */
static void
parent_gone(void *ctx, bool violation)
{
	struct ld_child *child = ctx;

	if (violation) {
		fprintf(stderr, "lindung: %s: a message of the parent cannot be read\n",
			child->entry->name);
		child->status = LD_CHILD_FAILED;
	}
	ld_loop_stop(child->loop);
}

bool
ld_child_enter(struct ld_child *child)
{
	struct ld_report report;

	if (ld_sandbox_enter(child->entry->role, child->conf.user, child->folder, WALLS,
			     &child->walls, &report) == LINDUNG_OK)
		return true;
	ld_child_fail(child, &report);
	return false;
}

bool
ld_child_seal(struct ld_child *child)
{
	struct ld_report report;

	if (ld_sandbox_seal(child->entry->role, WALLS, &child->walls, &report) == LINDUNG_OK)
		return true;
	ld_child_fail(child, &report);
	return false;
}

void
ld_child_started(struct ld_child *child)
{
	uint8_t octets[1];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	ld_writer_u8(&w, (uint8_t)child->walls);
	ld_child_tell(child, LD_MESSAGE_STARTED, &w);
}

void
ld_child_loop(struct ld_child *child)
{
	ld_loop_run(child->loop);
}

void
ld_child_tell(struct ld_child *child, enum ld_message_type type, const struct ld_writer *body)
{
	struct ld_span span = {NULL, 0};

	if (body != NULL) {
		LD_ASSERT(!body->failed);
		span = ld_span(body->data, body->len);
	}
	(void)ld_channel_send(child->parent, type, span, ld_span(NULL, 0));
}

void
ld_child_fail(struct ld_child *child, const struct ld_report *report)
{
	(void)ld_channel_send(child->parent, LD_MESSAGE_FAILED, ld_span_str(report->text),
			      ld_span(NULL, 0));
	ld_channel_flush(child->parent);
	child->status = LD_CHILD_FAILED;
	ld_loop_stop(child->loop);
}

static int
child_main(const struct ld_role_entry *entry)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
	struct ld_child child = {.entry = entry};
	struct ld_channel_config config = {
		.self = entry->role,
		.other = LD_ROLE_PARENT,
		.came = message_came,
		.ended = parent_gone,
		.ctx = &child,
		.queue_max = QUEUE_MAX,
	};
	int status = LD_CHILD_FAILED;

	prctl(PR_SET_NAME, entry->title);
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	child.loop = ld_loop_new();
	if (child.loop != NULL &&
	    ld_channel_new(&child.parent, child.loop, LD_CHILD_FD, &config) == LINDUNG_OK)
		status = entry->run(&child);
	ld_channel_free(child.parent);
	ld_loop_free(child.loop);
	ld_arena_clear(&child.arena);
	return status;
}

int
ld_role_main(int argc, char **argv)
{
	int type;
	socklen_t len = sizeof type;

	if (argc != 1)
		return -1;
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		if (strcmp(argv[0], entries[i].title) != 0)
			continue;
		if (getsockopt(LD_CHILD_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
		    type != SOCK_SEQPACKET)
			break;
		return child_main(&entries[i]);
	}
	return -1;
}
