/* What the writers share: sites resolved along their parents, and the output.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The entries of one host make a node: what applies to the name itself, and what to all below it,
 * each its own or taken over from the nearest listed parent.  A format says whether it can express
 * a node exactly; what it cannot is left out and counted.  If leaving out an allow or a rewrite
 * would close it (a parent is blocked with its subdomains), then the parent's entry cannot be said
 * exactly either: it loses what lies below it.  So nothing is ever widened.
 *
 * One writer is one thread's.  Memory: a path of nodes, and one number for each such parent. */
#ifndef LD_LIST_WRITE_H
#define LD_LIST_WRITE_H

#include "base/bytes.h"
#include "list/list.h"
#include "name/name.h"

enum {
	LD_ACTION_NONE = 0xff,
	LD_EXPORT_TARGET_MAX = LD_HOST_MAX + sizeof("CNAME "),
};

/** What is done with names. */
struct ld_act {
	uint8_t action; /* enum ld_action, or LD_ACTION_NONE */
	bool important;
	uint16_t target_len;
	uint8_t target[LD_EXPORT_TARGET_MAX];
};

struct ld_node {
	struct ld_span host; /* into host_text */
	char host_text[LD_HOST_MAX + 1];
	uint64_t ordinal;
	bool own_self; /* it has an entry for the name */
	bool own_below;
	bool is_tree; /* both are one entry */
	struct ld_act self;
	struct ld_act below;
	/* Formats where one kind of rule beats another whatever its length: how strong the rules
	 * are that apply; -1: none. */
	int self_level;
	int below_level;
};

struct ld_export;

struct ld_export_format {
	enum ld_list_format format;
	const char *limits;
	const char *comment;    /* how a comment line begins; NULL: there are none */
	bool is_exact;          /* its names cover nothing below them */
	bool is_redundant_said; /* names that a parent covers are written too */
	bool says_important;
	unsigned limit; /* patterns to close, and as many to open; 0: none */
	/** Can it say this node exactly?  Sets the levels. */
	bool (*can)(const struct ld_export *x, struct ld_node *node);
	void (*node)(struct ld_export *x, const struct ld_node *node);
	/** NULL: no URLs.  False: not this one. `host` applies to the host of the URL. */
	bool (*url)(struct ld_export *x, const struct ld_entry *entry, const struct ld_node *host);
	void (*begin)(struct ld_export *x);
	void (*end)(struct ld_export *x);
};

extern const struct ld_export_format ld_export_hosts, ld_export_domains, ld_export_wildcard,
	ld_export_adblock, ld_export_dnsmasq, ld_export_unbound, ld_export_squid,
	ld_export_squid_urls, ld_export_rpz, ld_export_chromium, ld_export_firefox, ld_export_apple;

/** The nearest node above the one in hand that was written; NULL if none. */
const struct ld_node *ld_export_parent(const struct ld_export *x);
/** Put a node of the format's own on the path, between the parent and the one in hand. */
void ld_export_between(struct ld_export *x, const struct ld_node *node);
/** What the path says about a name below it. */
struct ld_act ld_export_inherited(const struct ld_export *x);
int ld_export_inherited_level(const struct ld_export *x);

/** What was given to ld_export_walk_new(); NULL while surveying. */
void *ld_export_ctx(const struct ld_export *x);
const struct ld_write_options *ld_export_options(const struct ld_export *x);
const struct ld_write_summary *ld_export_summary(const struct ld_export *x);

/** Text of the output (dropped while surveying). */
void ld_export_printf(struct ld_export *x, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void ld_export_bytes(struct ld_export *x, struct ld_span text);

/** Lists of patterns that are kept until the end: [0] to close, [1] to open. */
void ld_export_pattern(struct ld_export *x, bool opens, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Each pattern in turn: its text, and whether it is the first. */
void ld_export_patterns(struct ld_export *x, bool opens,
			void (*each)(struct ld_export *x, struct ld_span text, bool is_first));

/** The header as lines that begin with `comment`. */
void ld_export_header(struct ld_export *x, const char *comment);

bool ld_act_equal(const struct ld_act *a, const struct ld_act *b);
static inline bool
ld_act_is(const struct ld_act *act, int action)
{
	return act->action == action;
}
/** The address of a rewrite to one ("192.0.2.1"); the empty span of any other. */
struct ld_span ld_act_address(const struct ld_act *act);

/* ---- Step by step: nodes for who takes them as they come, instead of text (rpz.h) -------------
 */

/** What is given must outlive it.  Errors: LINDUNG_ENOMEM. */
int ld_export_walk_new(struct ld_export **ret, const struct ld_export_format *format,
		       const struct ld_list_source *source, const struct ld_write_options *options,
		       void *ctx);
/** Go through all entries, to learn of which hosts not all can be said: their ordinals, the
 * caller's to free.  Errors: LINDUNG_ENOMEM, the source's. */
int ld_export_walk_survey(struct ld_export *x, uint64_t **ret, size_t *ret_count);
/** Begin to hand out nodes, knowing that; `at` is not changed. */
int ld_export_walk_begin(struct ld_export *x, uint64_t *at, size_t count);
/** Take one entry more, which hands out some nodes or none.  LINDUNG_ENOTFOUND behind the last. */
int ld_export_walk_step(struct ld_export *x);
void ld_export_walk_free(struct ld_export *x);

/** Arguments for "%.*s". */
#define LD_SPAN_ARGS(span) (int)(span).len, (const char *)(span).data

#endif
