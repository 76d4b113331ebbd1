/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/following.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/loop.h"
#include "process/channel.h"
#include "process/reload.h"
#include "process/snapshot.h"

struct ld_following {
	struct ld_reload *reload;
	int protected_fd;
	struct ld_channel *channel; /* NULL: does not run */
	struct ld_timer *look;
	bool rests, wanted; /* a hint was passed on just now; there was another since */
	struct ld_follow_facts facts;
	void (*changed)(void *ctx);
	void *ctx;
};

/* ---- Hints ---------------------------------------------------------------------------------- */

static void
look_send(struct ld_following *following)
{
	following->wanted = false;
	if (following->channel == NULL)
		return;
	(void)ld_channel_send(following->channel, LD_MESSAGE_LOOK, ld_span(NULL, 0),
			      ld_span(NULL, 0));
	following->rests = true;
	ld_timer_set(following->look, LD_FOLLOW_LOOK_MS);
}

static void
look_due(void *ctx)
{
	struct ld_following *following = ctx;

	following->rests = false;
	if (following->wanted)
		look_send(following);
}

void
ld_following_news(struct ld_following *following)
{
	if (following == NULL)
		return;
	following->facts.news++;
	following->wanted = true;
	if (!following->rests)
		look_send(following);
}

/* ---- What comes ----------------------------------------------------------------------------- */

/* Nobody can write to it, make it shorter or longer: whoever maps it reads what was checked. */
static bool
is_sealed(int fd)
{
	int wanted = F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

	return (fcntl(fd, F_GET_SEALS) & wanted) == wanted && fcntl(fd, F_GET_SEALS) >= 0;
}

bool
ld_following_came(struct ld_following *following, struct ld_message *message)
{
	struct ld_reader r = ld_reader(message->body);
	struct ld_file_set files = {.count = 0};
	uint64_t news;
	bool first;
	struct ld_span line;

	if (following == NULL)
		return false;
	for (unsigned i = 0; i < message->fd_count; i++)
		if (!is_sealed(message->fds[i]))
			return false;
	first = following->facts.on == 0;
	news = following->facts.news;
	ld_follow_facts_read(&r, &following->facts);
	following->facts.on = 1;
	following->facts.news = news;
	line = ld_reader_take(&r, ld_reader_left(&r));
	if (line.len != 0) {
		struct ld_report report;

		ld_fail(&report, LINDUNG_OK, "%.*s", (int)line.len, (const char *)line.data);
		fprintf(stderr, "lindung: %s\n", report.text);
	}
	for (unsigned i = 0; i < message->fd_count; i++) {
		files.fds[files.count++] = message->fds[i];
		message->fds[i] = -1;
	}
	if (first || files.count != 0)
		ld_reload_followed(following->reload, &files);
	following->changed(following->ctx);
	return true;
}

void
ld_following_facts(const struct ld_following *following, struct ld_follow_facts *ret)
{
	*ret = following != NULL ? following->facts : (struct ld_follow_facts){.on = 0};
}

/* ---- Its life ------------------------------------------------------------------------------- */

void
ld_following_born(struct ld_following *following, struct ld_channel *channel)
{
	if (following == NULL)
		return;
	following->channel = channel;
	(void)ld_channel_send_fds(channel, LD_MESSAGE_FOLLOW, ld_span(NULL, 0),
				  &following->protected_fd, 1);
}

void
ld_following_gone(struct ld_following *following)
{
	if (following != NULL)
		following->channel = NULL;
}

int
ld_following_new(struct ld_following **ret, struct event_base *loop, struct ld_reload *reload,
		 const struct ld_conf *conf, struct ld_span protected, void (*changed)(void *ctx),
		 void *ctx, struct ld_report *report)
{
	struct ld_following *following;
	int err;

	if (conf->follow_url[0] == '\0') {
		*ret = NULL;
		return LINDUNG_OK;
	}
	following = calloc(1, sizeof *following);
	if (following == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	following->reload = reload;
	following->changed = changed;
	following->ctx = ctx;
	following->protected_fd = -1;
	following->look = ld_timer_new(loop, look_due, following);
	err = ld_snapshot_of(&following->protected_fd, protected, report);
	if (err == LINDUNG_OK && following->look == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (err != LINDUNG_OK) {
		ld_following_free(following);
		return err;
	}
	*ret = following;
	return LINDUNG_OK;
}

void
ld_following_free(struct ld_following *following)
{
	if (following == NULL)
		return;
	ld_timer_free(following->look);
	if (following->protected_fd >= 0)
		close(following->protected_fd);
	free(following);
}
