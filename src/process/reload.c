/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/loop.h"
#include "process/family.h"
#include "process/system.h"

enum {
	CHECK_MAX_MS = 120 * 1000, /* for the loader; then it is ended, and the list refused */
};

/* How far the next list has come. */
enum stage {
	STAGE_NONE,    /* there is none */
	STAGE_CHECKED, /* it waits for a resolver */
	STAGE_CHECKING,
	STAGE_GIVEN, /* the resolver puts it up */
};

struct ld_reload {
	const struct ld_conf *conf;
	int conf_fd;
	const struct ld_reload_events *events;
	void *ctx;
	struct ld_store store;
	struct ld_kid *loader;
	struct ld_timer *limit;
	struct ld_channel *resolver; /* NULL: does not run */
	bool is_up;                  /* the resolver has the list in force */
	uint64_t number;             /* of the list given to it last */
	const char *name;            /* of what is loaded, for people */
	struct ld_file_set followed; /* of the log */
	bool waits;                  /* to be told of it */
	struct ld_file_set files;    /* in force */
	struct ld_list_facts facts;
	int64_t loaded_ms;
	enum stage stage;
	bool forced;
	struct ld_file_set next;
	struct ld_list_facts next_facts;
	bool wanted, wanted_forced; /* another load, after this one */
};

static bool
is_first(const struct ld_reload *reload)
{
	return reload->files.count == 0;
}

/* ---- How it ends -------------------------------------------------------------------------- */

static void
again_check(struct ld_reload *reload)
{
	bool forced = reload->wanted_forced;

	if (!reload->wanted || reload->stage != STAGE_NONE || ld_kid_runs(reload->loader))
		return;
	reload->wanted = reload->wanted_forced = false;
	ld_reload_begin(reload, forced);
}

static void
refuse(struct ld_reload *reload, const struct ld_report *why)
{
	int64_t age_s = (ld_clock_monotonic_ms() - reload->loaded_ms) / 1000;
	struct ld_report what;

	ld_file_set_close(&reload->next);
	reload->stage = STAGE_NONE;
	if (is_first(reload)) {
		reload->events->failed(reload->ctx, why);
		return;
	}
	reload->facts.load_fails++;
	ld_reload_describe(reload, &what);
	fprintf(stderr, "lindung: %.300s; the list loaded %lld s ago stays in force: %.120s\n",
		why->text, (long long)age_s, what.text);
	ld_system_notify("READY=1");
	reload->events->changed(reload->ctx);
	again_check(reload);
}

static void
take(struct ld_reload *reload)
{
	uint64_t loads = reload->facts.loads + 1, fails = reload->facts.load_fails;
	bool first = is_first(reload);
	struct ld_report what;

	ld_file_set_close(&reload->files);
	reload->files = reload->next;
	reload->next = (struct ld_file_set){.count = 0};
	reload->facts = reload->next_facts;
	reload->facts.loads = loads;
	reload->facts.load_fails = fails;
	reload->loaded_ms = ld_clock_monotonic_ms();
	reload->stage = STAGE_NONE;
	reload->is_up = true;
	if (!first) {
		ld_reload_describe(reload, &what);
		fprintf(stderr, "lindung: %.300s: now in force: %.150s\n", reload->name, what.text);
		ld_system_notify("READY=1");
	}
	reload->events->changed(reload->ctx);
	again_check(reload);
}

/* ---- The resolver ------------------------------------------------------------------------- */

static void
give(struct ld_reload *reload, const struct ld_file_set *files)
{
	uint8_t octets[8 + 1];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	reload->number++;
	ld_writer_be32(&w, (uint32_t)(reload->number >> 32));
	ld_writer_be32(&w, (uint32_t)reload->number);
	ld_writer_u8(&w, (uint8_t)files->followed);
	/* If that fails the resolver is on its way out: see ld_reload_resolver_gone(). */
	(void)ld_channel_send_fds(reload->resolver, LD_MESSAGE_LIST, ld_span(w.data, w.len),
				  files->fds, files->count);
}

static void
next_give(struct ld_reload *reload)
{
	if (reload->stage != STAGE_CHECKED || reload->resolver == NULL ||
	    (!reload->is_up && !is_first(reload)))
		return;
	reload->stage = STAGE_GIVEN;
	give(reload, &reload->next);
}

void
ld_reload_resolver_started(struct ld_reload *reload, struct ld_channel *channel)
{
	reload->resolver = channel;
	if (is_first(reload))
		next_give(reload);
	else
		give(reload, &reload->files);
}

void
ld_reload_resolver_gone(struct ld_reload *reload, const struct ld_report *what)
{
	struct ld_report why;

	if (reload == NULL)
		return;
	reload->resolver = NULL;
	reload->is_up = false;
	if (reload->stage != STAGE_GIVEN)
		return;
	ld_fail(&why, LINDUNG_EINTERNAL, "%.200s: refused: %.200s when it was to use it",
		reload->name, what->text);
	refuse(reload, &why);
}

bool
ld_reload_listed(struct ld_reload *reload, struct ld_span body)
{
	struct ld_reader r = ld_reader(body);
	uint64_t number = (uint64_t)ld_reader_be32(&r) << 32;
	struct ld_report why;
	int err;

	number |= ld_reader_be32(&r);
	err = -(int)(ld_reader_be32(&r) & INT32_MAX);
	if (r.failed || number != reload->number)
		return false;
	if (reload->stage != STAGE_GIVEN) {
		/* The list in force, in a new resolver.  It was good before. */
		if (err != LINDUNG_OK)
			return false;
		reload->is_up = true;
		next_give(reload);
		return true;
	}
	if (err == LINDUNG_OK) {
		take(reload);
		return true;
	}
	ld_fail(&why, err, "%.300s: %s", reload->name, lindung_strerror(err));
	refuse(reload, &why);
	return true;
}

/* ---- The loader --------------------------------------------------------------------------- */

static void
loader_born(void *ctx, struct ld_kid *kid)
{
	struct ld_reload *reload = ctx;
	struct ld_channel *channel = ld_kid_channel(kid);
	uint8_t octets[LD_CHECK_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	ld_writer_u8(&w, reload->forced ? LD_CHECK_FORCED : 0);
	ld_writer_u8(&w, (uint8_t)reload->next.followed);
	ld_writer_be32(&w, (uint32_t)(reload->next.present >> 32));
	ld_writer_be32(&w, (uint32_t)reload->next.present);
	ld_facts_write(&w, &reload->facts);
	(void)ld_channel_send_fds(channel, LD_MESSAGE_CONF, ld_span(NULL, 0), &reload->conf_fd, 1);
	(void)ld_channel_send_fds(channel, LD_MESSAGE_CHECK, ld_span(w.data, w.len),
				  reload->next.fds, reload->next.count);
	ld_timer_set(reload->limit, CHECK_MAX_MS);
}

static bool
loader_came(void *ctx, struct ld_kid *kid, struct ld_message *message)
{
	struct ld_reload *reload = ctx;
	struct ld_reader r = ld_reader(message->body);
	struct ld_report why;
	struct ld_span line;
	int err;

	(void)kid;
	if (message->type != LD_MESSAGE_CHECKED || reload->stage != STAGE_CHECKING)
		return false;
	err = -(int)(ld_reader_be32(&r) & INT32_MAX);
	ld_facts_read(&r, &reload->next_facts);
	line = ld_reader_take(&r, ld_reader_left(&r));
	if (err == LINDUNG_OK) {
		reload->stage = STAGE_CHECKED;
		next_give(reload);
		return true;
	}
	ld_fail(&why, err, "%.*s", (int)line.len, (const char *)line.data);
	refuse(reload, &why);
	return true;
}

static bool
loader_died(void *ctx, struct ld_kid *kid, const struct ld_report *what)
{
	struct ld_reload *reload = ctx;
	struct ld_report why;

	(void)kid;
	if (reload->stage == STAGE_CHECKING) {
		ld_fail(&why, LINDUNG_EDAMAGED, "%.200s: refused: %.200s while it checked it",
			reload->name, what->text);
		refuse(reload, &why);
	}
	again_check(reload);
	return false;
}

static const struct ld_kid_events loader_events = {
	.born = loader_born,
	.came = loader_came,
	.died = loader_died,
};

static void
limit_reached(void *ctx)
{
	struct ld_reload *reload = ctx;

	/* Also one that has told its finding and does not end: no other list could be checked. */
	ld_kid_kill(reload->loader);
}

void
ld_reload_reap(struct ld_reload *reload)
{
	if (reload != NULL)
		ld_kid_reap(reload->loader);
}

/* ---- The beginning ------------------------------------------------------------------------ */

void
ld_reload_begin(struct ld_reload *reload, bool forced)
{
	struct ld_report why;
	char state[64];
	int err;

	if (reload->stage != STAGE_NONE || ld_kid_runs(reload->loader)) {
		reload->wanted = true;
		reload->wanted_forced |= forced;
		return;
	}
	/* There is nothing to load yet. */
	if (reload->waits || reload->followed.count + reload->store.count == 0)
		return;
	if (!is_first(reload)) {
		snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
			 (long long)(ld_clock_ns() / 1000));
		ld_system_notify(state);
	}
	reload->stage = STAGE_CHECKING;
	reload->forced = forced;
	err = ld_store_read(&reload->store, &reload->followed, &reload->files, &reload->next, &why);
	/* Overlays alone, of which there is none yet. */
	if (err == LINDUNG_OK && reload->next.count == 0) {
		reload->stage = STAGE_NONE;
		return;
	}
	if (err == LINDUNG_OK)
		err = ld_kid_start(reload->loader, &why);
	if (err != LINDUNG_OK)
		refuse(reload, &why);
}

void
ld_reload_followed(struct ld_reload *reload, struct ld_file_set *files)
{
	ld_file_set_close(&reload->followed);
	reload->followed = *files;
	*files = (struct ld_file_set){.count = 0};
	reload->waits = false;
	ld_reload_begin(reload, false);
}

void
ld_reload_look(struct ld_reload *reload)
{
	if (reload->conf->list_watch && ld_store_changed(&reload->store))
		ld_reload_begin(reload, false);
}

int
ld_reload_new(struct ld_reload **ret, struct event_base *loop, const struct ld_conf *conf,
	      int conf_fd, const struct ld_reload_events *events, void *ctx,
	      struct ld_report *report)
{
	struct ld_reload *reload;

	if (conf->list_image == NULL && conf->follow_url[0] == '\0')
		return ld_fail(
			report, LINDUNG_ECONFIG,
			"no list to serve: name an index with -i FILE or list.image (lindung "
			"compile makes one), or a log to follow with follow.url");
	reload = calloc(1, sizeof *reload);
	if (reload == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the list");
	reload->conf = conf;
	reload->conf_fd = conf_fd;
	reload->events = events;
	reload->ctx = ctx;
	reload->waits = conf->follow_url[0] != '\0';
	reload->name = conf->list_image != NULL ? conf->list_image : conf->follow_url;
	reload->store.has_image = conf->list_image != NULL;
	if (conf->list_image != NULL)
		reload->store.files[reload->store.count++].path = conf->list_image;
	for (unsigned i = 0; i < conf->list_overlays.count; i++)
		reload->store.files[reload->store.count++].path = conf->list_overlays.items[i];
	reload->loader = ld_kid_new(loop, LD_ROLE_LOADER, &loader_events, reload);
	reload->limit = ld_timer_new(loop, limit_reached, reload);
	if (reload->loader == NULL || reload->limit == NULL) {
		ld_reload_free(reload);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the list");
	}
	*ret = reload;
	return LINDUNG_OK;
}

void
ld_reload_free(struct ld_reload *reload)
{
	if (reload == NULL)
		return;
	/* There is nothing that it would have to put away. */
	if (reload->loader != NULL)
		(void)ld_kid_end(reload->loader, 0);
	ld_kid_free(reload->loader);
	ld_timer_free(reload->limit);
	ld_file_set_close(&reload->files);
	ld_file_set_close(&reload->next);
	ld_file_set_close(&reload->followed);
	free(reload);
}

bool
ld_reload_is_up(const struct ld_reload *reload)
{
	return reload->is_up;
}

const char *
ld_reload_name(const struct ld_reload *reload)
{
	return reload->name;
}

void
ld_reload_facts(const struct ld_reload *reload, struct ld_list_facts *ret, uint64_t *ret_loaded_ms)
{
	*ret = reload->facts;
	*ret_loaded_ms = (uint64_t)reload->loaded_ms;
}

void
ld_reload_describe(const struct ld_reload *reload, struct ld_report *ret)
{
	ld_facts_describe(&reload->facts, ret);
}
