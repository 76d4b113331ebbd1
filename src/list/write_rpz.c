/* Writer of response policy zones.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A wildcard answers for a name only if no name between the two stands in the zone: with d and *.d
 * and a.b.d listed, b.d exists (empty), and hides *.d from all below b.d (RFC 4592 section 2.2.2).
 * So each name between a listed one and its nearest listed parent gets records of its own, which
 * say what the parent says of what lies below it; once, however many names share it. */
#include "list/rpz.h"

#include <stdlib.h>

#include "list/write.h"

enum {
	/* Records of one host: its own, and of the names up to its parent; each with a target. */
	PENDING_MAX_BYTES = 2 * LD_NAME_LABELS_MAX * (LD_HOST_MAX + LD_EXPORT_TARGET_MAX + 16),
};

/* A record that waits to be handed out; host and target stand behind it. */
struct pending {
	uint8_t is_wildcard, action, host_len;
	uint16_t target_len;
};

struct ld_rpz_plan {
	struct ld_write_options options;
	uint64_t *ordinals;
	size_t count;
	char origin[]; /* terminated */
};

struct ld_rpz {
	struct ld_export *walk;
	struct ld_list_source source;
	struct ld_buffer pending;
	size_t at; /* in `pending` */
	bool ended;
};

static const char default_origin[] = "rpz.lindung.";

static size_t
origin_octets(const struct ld_export *x)
{
	const char *origin = ld_export_options(x)->rpz_origin;
	size_t len = strlen(origin != NULL ? origin : default_origin);

	/* "rpz.lindung." takes as many octets as letters, and one for the root. */
	return len + (len != 0 && (origin != NULL ? origin : default_origin)[len - 1] != '.') + 1;
}

/* "32.1.2.0.192.rpz-ip" is a trigger of another kind, "CNAME rpz-drop." an action: names from a
 * list must not become either. */
static bool
is_reserved(struct ld_span name)
{
	size_t last = name.len;

	while (last != 0 && name.data[last - 1] != '.')
		last--;
	return ld_span_starts(ld_span_from(name, last), LD_SPAN("rpz-"));
}

static bool
rpz_says(const struct ld_act *act)
{
	struct ld_span target = ld_span(act->target, act->target_len);

	return !ld_span_starts(target, LD_SPAN("CNAME ")) || !is_reserved(ld_span_from(target, 6));
}

static bool
rpz_can(const struct ld_export *x, struct ld_node *node)
{
	/* The owner: "*." where it covers what lies below, the host, a dot, the origin. */
	size_t owner = node->host.len + 1 + origin_octets(x);

	if (!ld_act_is(&node->below, LD_ACTION_NONE))
		owner += 2;
	return owner <= LD_NAME_WIRE_MAX && !is_reserved(node->host) && rpz_says(&node->self) &&
	       rpz_says(&node->below);
}

/* For who walks through the records. */
static void
keep_record(struct ld_rpz *rpz, bool is_wildcard, struct ld_span host, const struct ld_act *act)
{
	struct pending record = {
		.is_wildcard = is_wildcard,
		.action = act->action,
		.host_len = (uint8_t)host.len,
		.target_len = act->target_len,
	};

	ld_buffer_bytes(&rpz->pending, ld_span(&record, sizeof record));
	ld_buffer_bytes(&rpz->pending, host);
	ld_buffer_bytes(&rpz->pending, ld_span(act->target, act->target_len));
}

static void
put_record(struct ld_export *x, const char *prefix, struct ld_span host, const struct ld_act *act)
{
	struct ld_span target = ld_span(act->target, act->target_len);
	struct ld_rpz *rpz = ld_export_ctx(x);

	if (ld_act_is(act, LD_ACTION_NONE))
		return;
	if (rpz != NULL) {
		keep_record(rpz, *prefix != '\0', host, act);
		return;
	}
	ld_export_printf(x, "%s%.*s ", prefix, LD_SPAN_ARGS(host));
	if (ld_act_is(act, LD_ACTION_BLOCK))
		ld_export_printf(x, "CNAME .\n");
	else if (ld_act_is(act, LD_ACTION_ALLOW))
		ld_export_printf(x, "CNAME rpz-passthru.\n");
	else
		ld_export_printf(x, "%.*s%s\n", LD_SPAN_ARGS(target),
				 ld_span_starts(target, LD_SPAN("CNAME ")) ? "." : "");
}

static void
put_node(struct ld_export *x, const struct ld_node *node)
{
	put_record(x, "", node->host, &node->self);
	put_record(x, "*.", node->host, &node->below);
}

/* The names between the parent and `host`, from the top. */
static void
put_between(struct ld_export *x, const struct ld_node *parent, struct ld_span host)
{
	size_t starts[LD_NAME_LABELS_MAX];
	size_t count = 0;

	for (size_t at = ld_span_find(host, '.') + 1; host.len - at > parent->host.len;
	     at += ld_span_find(ld_span_from(host, at), '.') + 1)
		starts[count++] = at;
	struct ld_act act = parent->below;
	while (count-- > 0) {
		struct ld_node between = {.self = act, .below = act};
		struct ld_span name = ld_span_from(host, starts[count]);

		memcpy(between.host_text, name.data, name.len);
		between.host = ld_span(between.host_text, name.len);
		put_node(x, &between);
		ld_export_between(x, &between);
	}
}

static void
rpz_node(struct ld_export *x, const struct ld_node *node)
{
	const struct ld_node *parent = ld_export_parent(x);

	if (parent != NULL && !ld_act_is(&parent->below, LD_ACTION_NONE))
		put_between(x, parent, node->host);
	put_node(x, node);
}

static void
rpz_begin(struct ld_export *x)
{
	const struct ld_write_options *options = ld_export_options(x);
	const char *origin = options->rpz_origin != NULL ? options->rpz_origin : default_origin;
	size_t len = strlen(origin);

	ld_export_header(x, ";");
	ld_export_printf(x, "$ORIGIN %s%s\n$TTL 60\n", origin,
			 len != 0 && origin[len - 1] == '.' ? "" : ".");
	ld_export_printf(x, "@ SOA localhost. nobody.invalid. %lu 3600 600 604800 60\n",
			 (unsigned long)options->rpz_serial);
	ld_export_printf(x, "@ NS localhost.\n");
}

const struct ld_export_format ld_export_rpz = {
	.format = LD_LIST_RPZ,
	.limits = "QNAME triggers; blocked names answer NXDOMAIN. Cannot say: URLs, names that are "
		  "longer "
		  "than 255 octets together with the name of the zone.",
	.can = rpz_can,
	.node = rpz_node,
	.begin = rpz_begin,
};

/* ---- Record by record ------------------------------------------------------------------------ */

int
ld_rpz_plan_new(struct ld_rpz_plan **ret, const struct ld_list_source *source, const char *origin)
{
	struct ld_rpz_plan *plan = calloc(1, sizeof *plan + strlen(origin) + 1);
	struct ld_export *walk = NULL;
	int err = LINDUNG_ENOMEM;

	if (plan != NULL) {
		memcpy(plan->origin, origin, strlen(origin) + 1);
		plan->options.rpz_origin = plan->origin;
		err = ld_export_walk_new(&walk, &ld_export_rpz, source, &plan->options, NULL);
	}
	if (err == LINDUNG_OK)
		err = ld_export_walk_survey(walk, &plan->ordinals, &plan->count);
	ld_export_walk_free(walk);
	if (err != LINDUNG_OK) {
		ld_rpz_plan_free(plan);
		return err;
	}
	*ret = plan;
	return LINDUNG_OK;
}

void
ld_rpz_plan_free(struct ld_rpz_plan *plan)
{
	if (plan == NULL)
		return;
	free(plan->ordinals);
	free(plan);
}

const char *
ld_rpz_plan_origin(const struct ld_rpz_plan *plan)
{
	return plan->origin;
}

int
ld_rpz_new(struct ld_rpz **ret, const struct ld_list_source *source, const struct ld_rpz_plan *plan)
{
	struct ld_rpz *rpz = calloc(1, sizeof *rpz);
	int err;

	if (rpz == NULL)
		return LINDUNG_ENOMEM;
	rpz->source = *source;
	ld_buffer_init(&rpz->pending, PENDING_MAX_BYTES);
	err = ld_export_walk_new(&rpz->walk, &ld_export_rpz, &rpz->source, &plan->options, rpz);
	if (err == LINDUNG_OK)
		err = ld_export_walk_begin(rpz->walk, plan->ordinals, plan->count);
	if (err != LINDUNG_OK) {
		ld_rpz_free(rpz);
		return err;
	}
	*ret = rpz;
	return LINDUNG_OK;
}

void
ld_rpz_free(struct ld_rpz *rpz)
{
	if (rpz == NULL)
		return;
	ld_export_walk_free(rpz->walk);
	ld_buffer_free(&rpz->pending);
	free(rpz);
}

int
ld_rpz_next(struct ld_rpz *rpz, struct ld_rpz_record *ret)
{
	struct pending record;
	const uint8_t *at;

	while (rpz->at == rpz->pending.len) {
		int err;

		rpz->at = rpz->pending.len = 0;
		if (rpz->ended)
			return LINDUNG_ENOTFOUND;
		err = ld_export_walk_step(rpz->walk);
		rpz->ended = err == LINDUNG_ENOTFOUND;
		if (rpz->pending.failed)
			return LINDUNG_ENOMEM;
		if (err != LINDUNG_OK && !rpz->ended)
			return err;
	}
	at = rpz->pending.data + rpz->at;
	memcpy(&record, at, sizeof record);
	at += sizeof record;
	*ret = (struct ld_rpz_record){
		.is_wildcard = record.is_wildcard,
		.action = record.action,
		.host = ld_span(at, record.host_len),
		.target = ld_span(at + record.host_len, record.target_len),
	};
	rpz->at += sizeof record + record.host_len + record.target_len;
	return LINDUNG_OK;
}
