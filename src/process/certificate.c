/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process/channel.h"
#include "process/snapshot.h"

enum { CERTIFICATE, KEY, FILES };

/* Certificate and key, in sealed memory; all zero: none. */
struct pair {
	bool is_there;
	int fds[FILES];
};

struct ld_certificate {
	const struct ld_certificate_events *events;
	void *ctx;
	struct ld_watched files[FILES];
	struct ld_channel *resolver; /* NULL: does not run */
	uint32_t number;             /* of the pair given to it last */
	struct pair in_force, next;
	bool is_up; /* the resolver shows the one in force */
	bool again; /* read once more, after the next one */
	struct ld_report what;
	uint64_t expires_s, loads, load_fails;
};

static void
pair_close(struct pair *pair)
{
	for (unsigned i = 0; i < FILES && pair->is_there; i++)
		close(pair->fds[i]);
	pair->is_there = false;
}

static int
pair_read(struct ld_certificate *c, struct pair *ret, struct ld_report *report)
{
	struct pair pair = {.is_there = true};
	int err;

	ld_watched_read(c->files, FILES);
	err = ld_snapshot_take(&pair.fds[CERTIFICATE], c->files[CERTIFICATE].path, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_snapshot_take(&pair.fds[KEY], c->files[KEY].path, report);
	if (err != LINDUNG_OK) {
		close(pair.fds[CERTIFICATE]);
		return err;
	}
	*ret = pair;
	return LINDUNG_OK;
}

int
ld_certificate_new(struct ld_certificate **ret, const struct ld_conf *conf,
		   const struct ld_certificate_events *events, void *ctx, struct ld_report *report)
{
	bool has_certificate = conf->tls_certificate != NULL;
	struct ld_certificate *c;
	int err;

	if (conf->tls_listen.count + conf->https_listen.count == 0) {
		*ret = NULL;
		return LINDUNG_OK;
	}
	if (!has_certificate || conf->tls_key == NULL)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "%s is not set, but %s.listen is: name the file with the server's "
			       "%s (PEM)",
			       has_certificate ? "tls.key" : "tls.certificate",
			       conf->tls_listen.count > 0 ? "tls" : "https",
			       has_certificate ? "private key" : "certificate");
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for the certificate");
	c->events = events;
	c->ctx = ctx;
	c->files[CERTIFICATE].path = conf->tls_certificate;
	c->files[KEY].path = conf->tls_key;
	err = pair_read(c, &c->next, report);
	if (err != LINDUNG_OK) {
		free(c);
		return err;
	}
	*ret = c;
	return LINDUNG_OK;
}

void
ld_certificate_free(struct ld_certificate *c)
{
	if (c == NULL)
		return;
	pair_close(&c->in_force);
	pair_close(&c->next);
	free(c);
}

static void
give(struct ld_certificate *c, const struct pair *pair)
{
	uint8_t octets[4];

	if (c->resolver == NULL || !pair->is_there)
		return;
	c->number++;
	ld_put_be32(octets, c->number);
	/* If that fails the resolver is on its way out: see ld_certificate_resolver_gone(). */
	(void)ld_channel_send_fds(c->resolver, LD_MESSAGE_CERTIFICATE,
				  ld_span(octets, sizeof octets), pair->fds, FILES);
}

static void
refuse(struct ld_certificate *c, const struct ld_report *why)
{
	pair_close(&c->next);
	if (c->loads == 0) {
		c->events->failed(c->ctx, why);
		return;
	}
	c->load_fails++;
	fprintf(stderr, "lindung: %.300s; the certificate before stays: %.180s\n", why->text,
		c->what.text);
	c->events->changed(c->ctx);
}

void
ld_certificate_begin(struct ld_certificate *c)
{
	struct ld_report why;

	if (c == NULL)
		return;
	if (c->next.is_there || !c->is_up) {
		c->again = true;
		return;
	}
	c->again = false;
	if (pair_read(c, &c->next, &why) != LINDUNG_OK)
		refuse(c, &why);
	else
		give(c, &c->next);
}

void
ld_certificate_look(struct ld_certificate *c)
{
	if (c != NULL && (ld_watched_changed(c->files, FILES) || c->again))
		ld_certificate_begin(c);
}

void
ld_certificate_resolver_born(struct ld_certificate *c, struct ld_channel *channel)
{
	if (c == NULL)
		return;
	c->resolver = channel;
	give(c, c->in_force.is_there ? &c->in_force : &c->next);
}

void
ld_certificate_resolver_gone(struct ld_certificate *c)
{
	struct ld_report why;

	if (c == NULL)
		return;
	c->resolver = NULL;
	if (c->is_up && c->next.is_there) {
		ld_fail(&why, LINDUNG_EINTERNAL,
			"%.200s: refused: the resolver ended when it was to show it",
			c->files[CERTIFICATE].path);
		refuse(c, &why);
	}
	c->is_up = false;
}

bool
ld_certificate_shown(struct ld_certificate *c, struct ld_span body)
{
	struct ld_shown shown;
	struct ld_report line;

	if (c == NULL || !ld_shown_read(&shown, body) || shown.number != c->number)
		return false;
	/* ld_fail() takes out what does not belong into a line. */
	ld_fail(&line, shown.error, "%.*s", (int)shown.line.len, (const char *)shown.line.data);
	if (c->next.is_there && shown.error != LINDUNG_OK) {
		refuse(c, &line);
		return true;
	}
	/* The one in force, in a new resolver, was good before. */
	if (shown.error != LINDUNG_OK)
		return false;
	c->is_up = true;
	if (!c->next.is_there)
		return true;
	pair_close(&c->in_force);
	c->in_force = c->next;
	c->next.is_there = false;
	c->what = line;
	c->expires_s = shown.expires_s;
	if (c->loads++ > 0)
		fprintf(stderr, "lindung: %.250s: now shown: %.220s\n", c->files[CERTIFICATE].path,
			c->what.text);
	c->events->changed(c->ctx);
	return true;
}

bool
ld_certificate_is_up(const struct ld_certificate *c)
{
	return c == NULL || c->is_up;
}

void
ld_certificate_say(const struct ld_certificate *c)
{
	if (c != NULL)
		fprintf(stderr, "lindung: certificate %s: %s\n", c->files[CERTIFICATE].path,
			c->what.text);
}

void
ld_certificate_facts(const struct ld_certificate *c, struct ld_status *ret)
{
	if (c == NULL)
		return;
	ret->certificate_expires_s = c->expires_s;
	ret->certificate_loads = c->loads;
	ret->certificate_load_fails = c->load_fails;
}
