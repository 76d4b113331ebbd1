/* Writing lists: nodes from entries, survey, output.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "list/write.h"

enum {
	FLUSH_BYTES = 64 * 1024,
	PATTERNS_MAX_BYTES = 32 * 1024 * 1024,
	SURVEYS_MAX = LD_NAME_LABELS_MAX + 2,
};

struct patterns {
	struct ld_buffer text; /* each ends with '\n' */
	unsigned count;
};

/* Ordinals of hosts whose entry cannot be said for what lies below them. */
struct narrowed {
	uint64_t *at;
	size_t count;
	size_t size;
	size_t sorted; /* those before were known when the pass began */
	size_t next;
};

/* The entries of one host, as they come. */
struct group {
	struct ld_node node;
	unsigned entries;
};

struct ld_export {
	const struct ld_export_format *format;
	const struct ld_write_options *options;
	const struct ld_list_source *source;
	struct ld_write_summary summary;
	struct ld_node path[LD_NAME_LABELS_MAX + 1];
	unsigned depth;
	struct group group;
	bool has_group;
	uint64_t ordinal;
	struct narrowed narrowed;
	struct patterns patterns[2];
	bool is_over[2];
	bool writing;
	void *ctx;
	int fd;
	struct ld_buffer out;
	int error;
};

/* ---- Output ---------------------------------------------------------------------------------- */

static void
flush(struct ld_export *x)
{
	if (x->error == LINDUNG_OK && x->out.failed)
		x->error = LINDUNG_ENOMEM;
	if (x->error == LINDUNG_OK && x->out.len != 0)
		x->error = ld_write_all(x->fd, x->out.data, x->out.len);
	x->out.len = 0;
}

void
ld_export_bytes(struct ld_export *x, struct ld_span text)
{
	if (!x->writing)
		return;
	ld_buffer_bytes(&x->out, text);
	if (x->out.len >= FLUSH_BYTES || x->out.failed)
		flush(x);
}

void
ld_export_printf(struct ld_export *x, const char *format, ...)
{
	char small[1024];
	va_list args;

	if (!x->writing)
		return;
	va_start(args, format);
	int len = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof small) {
		ld_export_bytes(x, ld_span(small, (size_t)len));
		return;
	}
	char *text = NULL;
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		x->error = LINDUNG_ENOMEM;
		return;
	}
	ld_export_bytes(x, ld_span(text, (size_t)len));
	free(text);
}

void
ld_export_pattern(struct ld_export *x, bool opens, const char *format, ...)
{
	struct patterns *patterns = &x->patterns[opens];
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		x->error = LINDUNG_ENOMEM;
		return;
	}
	ld_buffer_bytes(&patterns->text, ld_span(text, (size_t)len));
	ld_buffer_bytes(&patterns->text, LD_SPAN("\n"));
	patterns->count++;
	free(text);
}

void
ld_export_patterns(struct ld_export *x, bool opens,
		   void (*each)(struct ld_export *x, struct ld_span text, bool is_first))
{
	struct ld_span rest = ld_buffer_span(&x->patterns[opens].text);

	for (bool is_first = true; rest.len != 0; is_first = false) {
		size_t end = ld_span_find(rest, '\n');

		each(x, ld_span_first(rest, end), is_first);
		rest = ld_span_from(rest, end + 1);
	}
}

const struct ld_write_options *
ld_export_options(const struct ld_export *x)
{
	return x->options;
}

void *
ld_export_ctx(const struct ld_export *x)
{
	return x->writing ? x->ctx : NULL;
}

const struct ld_write_summary *
ld_export_summary(const struct ld_export *x)
{
	return &x->summary;
}

/* ---- Nodes ------------------------------------------------------------------------------------
 */

bool
ld_act_equal(const struct ld_act *a, const struct ld_act *b)
{
	return a->action == b->action && a->important == b->important &&
	       a->target_len == b->target_len && memcmp(a->target, b->target, a->target_len) == 0;
}

struct ld_span
ld_act_address(const struct ld_act *act)
{
	struct ld_span target = ld_span(act->target, act->target_len);

	if (act->action != LD_ACTION_REWRITE)
		return ld_span(NULL, 0);
	if (ld_span_starts(target, LD_SPAN("A ")))
		return ld_span_from(target, 2);
	if (ld_span_starts(target, LD_SPAN("AAAA ")))
		return ld_span_from(target, 5);
	return ld_span(NULL, 0);
}

const struct ld_node *
ld_export_parent(const struct ld_export *x)
{
	return x->depth != 0 ? &x->path[x->depth - 1] : NULL;
}

static const struct ld_act no_act = {.action = LD_ACTION_NONE};

struct ld_act
ld_export_inherited(const struct ld_export *x)
{
	return x->depth != 0 && !x->format->is_exact ? x->path[x->depth - 1].below : no_act;
}

int
ld_export_inherited_level(const struct ld_export *x)
{
	return x->depth != 0 ? x->path[x->depth - 1].below_level : -1;
}

static void
push(struct ld_export *x, const struct ld_node *node)
{
	LD_ASSERT(x->depth < sizeof x->path / sizeof x->path[0]);
	struct ld_node *top = &x->path[x->depth++];
	*top = *node;
	top->host = ld_span(top->host_text, node->host.len);
}

void
ld_export_between(struct ld_export *x, const struct ld_node *node)
{
	x->summary.between++;
	push(x, node);
}

static void
pop_to(struct ld_export *x, struct ld_span host)
{
	while (x->depth != 0 && !ld_host_is_within(host, x->path[x->depth - 1].host))
		x->depth--;
}

/* ---- Parents that cannot be said ----------------------------------------------------------------
 */

static bool
narrowed_add(struct narrowed *n, uint64_t ordinal)
{
	if (n->count == n->size) {
		size_t size = n->size != 0 ? 2 * n->size : 64;
		uint64_t *at = realloc(n->at, size * sizeof *at);

		if (at == NULL)
			return false;
		n->at = at;
		n->size = size;
	}
	n->at[n->count++] = ordinal;
	return true;
}

static int
compare_ordinals(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* True if this pass found parents that the one before did not know of. */
static bool
narrowed_settle(struct narrowed *n)
{
	size_t kept = 0;
	bool grew = n->count != n->sorted;

	if (grew)
		qsort(n->at, n->count, sizeof n->at[0], compare_ordinals);
	for (size_t i = 0; i < n->count; i++) {
		if (kept == 0 || n->at[kept - 1] != n->at[i])
			n->at[kept++] = n->at[i];
	}
	n->count = kept;
	n->sorted = kept;
	n->next = 0;
	return grew;
}

static bool
is_narrowed(struct narrowed *n, uint64_t ordinal)
{
	while (n->next < n->sorted && n->at[n->next] < ordinal)
		n->next++;
	return n->next < n->sorted && n->at[n->next] == ordinal;
}

/* `wanted` cannot be said below the path: no parent may say something else there. */
static void
narrow_parents(struct ld_export *x, const struct ld_act *wanted)
{
	if (wanted->action == LD_ACTION_BLOCK || x->format->is_exact)
		return;
	for (unsigned i = x->depth; i-- > 0;) {
		struct ld_node *parent = &x->path[i];

		if (parent->below.action == LD_ACTION_NONE ||
		    (parent->below.action == wanted->action && wanted->action == LD_ACTION_ALLOW) ||
		    ld_act_equal(&parent->below, wanted))
			return;
		if (parent->own_below && !narrowed_add(&x->narrowed, parent->ordinal))
			x->error = LINDUNG_ENOMEM;
	}
}

/* ---- A host ------------------------------------------------------------------------------------
 */

static void
count_left_out(struct ld_export *x, uint8_t action, uint8_t scope)
{
	struct ld_write_summary *s = &x->summary;

	if (scope == LD_SCOPE_URL)
		s->no_url++;
	else if (action == LD_ACTION_ALLOW)
		s->no_allow++;
	else if (action == LD_ACTION_REWRITE)
		s->no_rewrite++;
	else if (scope == LD_SCOPE_SELF)
		s->no_self++;
	else if (scope == LD_SCOPE_BELOW)
		s->no_below++;
	else
		s->no_tree++;
}

static bool
try_node(const struct ld_export *x, struct ld_node *node, const struct ld_node *wanted, bool self,
	 bool below)
{
	struct ld_act inherited = ld_export_inherited(x);
	int level = ld_export_inherited_level(x);

	*node = *wanted;
	node->host = ld_span(node->host_text, wanted->host.len);
	node->own_self = self;
	node->own_below = below;
	node->is_tree = self && below && wanted->is_tree;
	node->self = self ? wanted->self : inherited;
	node->below = below ? wanted->below : inherited;
	node->self_level = level;
	node->below_level = level;
	return (!self && !below) || x->format->can(x, node);
}

/* As much of what is wanted as the format can say. */
static void
fit_node(const struct ld_export *x, struct ld_node *node, const struct ld_node *wanted)
{
	bool self = wanted->own_self, below = wanted->own_below;

	if (try_node(x, node, wanted, self, below) || try_node(x, node, wanted, self, false))
		return;
	if (wanted->is_tree || !try_node(x, node, wanted, false, below))
		(void)try_node(x, node, wanted, false, false);
}

static void
write_node(struct ld_export *x, struct ld_node *node, unsigned entries)
{
	struct ld_act inherited = ld_export_inherited(x);
	unsigned count[2] = {x->patterns[0].count, x->patterns[1].count};
	size_t len[2] = {x->patterns[0].text.len, x->patterns[1].text.len};
	bool fits = true;

	if (!x->format->is_redundant_said && ld_act_equal(&node->self, &inherited) &&
	    ld_act_equal(&node->below, &inherited)) {
		x->summary.written += entries;
		return;
	}
	x->format->node(x, node);
	for (int i = 0; i < 2; i++) {
		if (x->format->limit != 0 && x->patterns[i].count > x->format->limit) {
			x->is_over[i] = true;
			fits = false;
		}
	}
	if (fits) {
		x->summary.written += entries;
		push(x, node);
		return;
	}
	for (int i = 0; i < 2; i++) {
		x->patterns[i].count = count[i];
		x->patterns[i].text.len = len[i];
	}
	x->summary.past_limit += entries;
}

static void
end_group(struct ld_export *x)
{
	struct group *g = &x->group;
	struct ld_node *wanted = &g->node, node;
	unsigned written = 0;

	if (!x->has_group)
		return;
	x->has_group = false;
	pop_to(x, wanted->host);
	bool was_tree = wanted->is_tree;
	bool is_cut = wanted->own_below && is_narrowed(&x->narrowed, wanted->ordinal);
	struct ld_node asked = *wanted;
	asked.host = ld_span(asked.host_text, wanted->host.len);
	asked.is_tree = wanted->own_self && wanted->own_below &&
			ld_act_equal(&wanted->self, &wanted->below);
	if (is_cut) {
		asked.own_below = false;
		asked.is_tree = false;
	}
	fit_node(x, &node, &asked);
	if (wanted->own_self && !node.own_self)
		narrow_parents(x, &wanted->self);
	if (wanted->own_below && !node.own_below && !is_cut)
		narrow_parents(x, &wanted->below);
	if (was_tree) {
		bool whole = node.own_self && node.own_below;

		if (!whole)
			count_left_out(x, wanted->self.action, LD_SCOPE_TREE);
		written = whole;
	} else {
		if (wanted->own_self && !node.own_self)
			count_left_out(x, wanted->self.action, LD_SCOPE_SELF);
		if (wanted->own_below && !node.own_below)
			count_left_out(x, wanted->below.action, LD_SCOPE_BELOW);
		written = (unsigned)node.own_self + (unsigned)node.own_below;
	}
	if (node.own_self || node.own_below)
		write_node(x, &node, written);
}

static void
set_act(const struct ld_export *x, struct ld_act *act, const struct ld_entry *entry)
{
	*act = (struct ld_act){
		.action = entry->action,
		.important = x->format->says_important &&
			     (entry->flags & (LD_ENTRY_IMPORTANT | LD_ENTRY_PROTECTED)) != 0,
	};
	if (entry->action != LD_ACTION_REWRITE)
		return;
	LD_ASSERT(entry->target.len <= sizeof act->target);
	memcpy(act->target, entry->target.data, entry->target.len);
	act->target_len = (uint16_t)entry->target.len;
}

static void
add_to_group(struct ld_export *x, const struct ld_entry *entry)
{
	struct ld_node *node = &x->group.node;

	if (!x->has_group || !ld_span_equal(node->host, entry->host)) {
		end_group(x);
		LD_ASSERT(entry->host.len <= LD_HOST_MAX);
		memset(node, 0, sizeof *node);
		memcpy(node->host_text, entry->host.data, entry->host.len);
		node->host = ld_span(node->host_text, entry->host.len);
		node->ordinal = x->ordinal++;
		node->self = node->below = no_act;
		x->has_group = true;
	}
	node->is_tree = entry->scope == LD_SCOPE_TREE;
	if (entry->scope & LD_SCOPE_SELF) {
		node->own_self = true;
		set_act(x, &node->self, entry);
	}
	if (entry->scope & LD_SCOPE_BELOW) {
		node->own_below = true;
		set_act(x, &node->below, entry);
	}
}

/* ---- Passes ------------------------------------------------------------------------------------
 */

static void
write_url(struct ld_export *x, const struct ld_entry *entry)
{
	struct ld_node host = {0};
	const struct ld_node *parent;
	unsigned count[2] = {x->patterns[0].count, x->patterns[1].count};
	size_t len[2] = {x->patterns[0].text.len, x->patterns[1].text.len};
	bool is_over = false;

	end_group(x);
	pop_to(x, entry->host);
	parent = ld_export_parent(x);
	host.host = entry->host;
	host.self = ld_export_inherited(x);
	host.self_level = ld_export_inherited_level(x);
	if (parent != NULL && ld_span_equal(parent->host, entry->host)) {
		host.self = parent->self;
		host.self_level = parent->self_level;
	}
	if (x->format->url == NULL || !x->format->url(x, entry, &host)) {
		count_left_out(x, entry->action, LD_SCOPE_URL);
		return;
	}
	for (int i = 0; i < 2; i++) {
		if (x->format->limit != 0 && x->patterns[i].count > x->format->limit) {
			x->patterns[i].count = count[i];
			x->patterns[i].text.len = len[i];
			x->is_over[i] = true;
			is_over = true;
		}
	}
	if (is_over)
		x->summary.past_limit++;
	else
		x->summary.written++;
}

static int
pass_begin(struct ld_export *x)
{
	x->depth = 0;
	x->ordinal = 0;
	x->has_group = false;
	x->narrowed.next = 0;
	memset(&x->summary, 0, sizeof x->summary);
	for (int i = 0; i < 2; i++) {
		x->patterns[i].count = 0;
		x->patterns[i].text.len = 0;
		x->is_over[i] = false;
	}
	return x->source->rewind(x->source->ctx);
}

/* One entry; LINDUNG_ENOTFOUND behind the last. */
static int
pass_step(struct ld_export *x)
{
	struct ld_entry entry;
	int err = x->source->next(x->source->ctx, &entry);

	if (err == LINDUNG_ENOTFOUND)
		end_group(x);
	if (err != LINDUNG_OK)
		return err;
	if (entry.action == LD_ACTION_REMOVE)
		return LINDUNG_EEXPRESS;
	x->summary.read++;
	if (!x->format->says_important && (entry.flags & LD_ENTRY_IMPORTANT))
		x->summary.no_important++;
	if (entry.scope == LD_SCOPE_URL)
		write_url(x, &entry);
	else
		add_to_group(x, &entry);
	return LINDUNG_OK;
}

static int
pass(struct ld_export *x)
{
	int err = pass_begin(x);

	while (err == LINDUNG_OK && x->error == LINDUNG_OK)
		err = pass_step(x);
	return err == LINDUNG_ENOTFOUND || err == LINDUNG_OK ? x->error : err;
}

static int
check_limit(const struct ld_export *x, struct ld_report *report)
{
	const char *key = ld_list_format_key(x->format->format);

	if (x->is_over[1])
		return ld_fail(report, LINDUNG_ELIMIT,
			       "%s takes %u exceptions, this list has more: without them it would "
			       "close what is open; choose fewer categories",
			       key, x->format->limit);
	if (x->summary.past_limit != 0 && !x->options->cut)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "%s takes %u patterns: %llu of %llu entries do not fit; choose "
			       "fewer categories, or ask for the list to be cut",
			       key, x->format->limit, (unsigned long long)x->summary.past_limit,
			       (unsigned long long)x->summary.read);
	return LINDUNG_OK;
}

/* Until it is known of all parents what cannot be said of them. */
static int
survey(struct ld_export *x)
{
	int surveys = 0, err;

	do {
		/* Each survey finds a level of parents more at least; names have a last label. */
		LD_ASSERT(surveys++ < SURVEYS_MAX);
		err = pass(x);
	} while (err == LINDUNG_OK && narrowed_settle(&x->narrowed));
	return err;
}

static int
export_all(struct ld_export *x, struct ld_report *report)
{
	struct ld_write_summary surveyed;
	int err = survey(x);

	if (err == LINDUNG_EEXPRESS)
		return ld_fail(report, err, "only the format lindung can say removals");
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the list cannot be read");
	err = check_limit(x, report);
	if (err != LINDUNG_OK)
		return err;
	surveyed = x->summary;
	x->writing = true;
	x->format->begin(x);
	if (x->format->limit == 0) {
		err = pass(x);
		if (err != LINDUNG_OK && x->error == LINDUNG_OK)
			return ld_fail(report, err, "the list cannot be read");
		if (err == LINDUNG_OK && memcmp(&surveyed, &x->summary, sizeof surveyed) != 0)
			return ld_fail(report, LINDUNG_EINTERNAL,
				       "the list changed while it was written");
	}
	if (x->format->end != NULL)
		x->format->end(x);
	flush(x);
	return x->error == LINDUNG_OK ? LINDUNG_OK
				      : ld_fail(report, x->error, "cannot write the list: %s",
						lindung_strerror(x->error));
}

/* ---- Step by step ---------------------------------------------------------------------------- */

int
ld_export_walk_new(struct ld_export **ret, const struct ld_export_format *format,
		   const struct ld_list_source *source, const struct ld_write_options *options,
		   void *ctx)
{
	struct ld_export *x = calloc(1, sizeof *x);

	if (x == NULL)
		return LINDUNG_ENOMEM;
	x->format = format;
	x->options = options;
	x->source = source;
	x->ctx = ctx;
	*ret = x;
	return LINDUNG_OK;
}

int
ld_export_walk_survey(struct ld_export *x, uint64_t **ret, size_t *ret_count)
{
	int err = survey(x);

	if (err != LINDUNG_OK)
		return err;
	*ret = x->narrowed.at;
	*ret_count = x->narrowed.count;
	x->narrowed = (struct narrowed){.at = NULL};
	return LINDUNG_OK;
}

int
ld_export_walk_begin(struct ld_export *x, uint64_t *at, size_t count)
{
	x->narrowed = (struct narrowed){.at = at, .count = count, .size = count, .sorted = count};
	x->writing = true;
	return pass_begin(x);
}

int
ld_export_walk_step(struct ld_export *x)
{
	int err = pass_step(x);

	/* What the surveys found cannot be said is known: nothing is added to it, as it is shared.
	 */
	LD_ASSERT(x->narrowed.count == x->narrowed.sorted);
	return x->error != LINDUNG_OK ? x->error : err;
}

void
ld_export_walk_free(struct ld_export *x)
{
	free(x);
}

/* ---- Header -------------------------------------------------------------------------------------
 */

static void
header_text(struct ld_export *x, const char *text)
{
	for (; *text != '\0'; text++) {
		char c = (uint8_t)*text < 0x20 || *text == 0x7f ? ' ' : *text;

		ld_export_bytes(x, ld_span(&c, 1));
	}
	ld_export_printf(x, "\n");
}

static void
header_count(struct ld_export *x, const char *comment, uint64_t count, const char *what)
{
	if (count != 0)
		ld_export_printf(x, "%s   %llu %s\n", comment, (unsigned long long)count, what);
}

void
ld_export_header(struct ld_export *x, const char *comment)
{
	const struct ld_write_options *o = x->options;
	const struct ld_write_summary s = x->summary;

	ld_export_printf(x, "%s ", comment);
	header_text(x, o->title != NULL ? o->title : "Lindung");
	if (o->date != NULL) {
		ld_export_printf(x, "%s Date: ", comment);
		header_text(x, o->date);
	}
	ld_export_printf(x, "%s Format %s: ", comment, ld_list_format_key(x->format->format));
	header_text(x, x->format->limits);
	ld_export_printf(x, "%s Entries: %llu written of %llu.\n", comment,
			 (unsigned long long)s.written, (unsigned long long)s.read);
	if (s.written != s.read)
		ld_export_printf(x, "%s Left out:\n", comment);
	header_count(x, comment, s.no_url, "for parts of sites (URLs): not expressible here");
	header_count(x, comment, s.no_self, "that block one name alone: not expressible here");
	header_count(x, comment, s.no_below, "that block what lies below: not expressible here");
	header_count(x, comment, s.no_tree, "that block a domain: not expressible exactly");
	header_count(x, comment, s.no_allow, "that allow: not expressible here");
	header_count(x, comment, s.no_rewrite, "that rewrite: not expressible here");
	header_count(x, comment, s.past_limit, "past the limit of the target");
	if (o->sealed != 0)
		ld_export_printf(x, "%s Sealed entries, never listed: %llu.\n", comment,
				 (unsigned long long)o->sealed);
	if (s.no_important != 0)
		ld_export_printf(x, "%s Written without the mark \"important\": %llu.\n", comment,
				 (unsigned long long)s.no_important);
	if (s.between != 0)
		ld_export_printf(x, "%s Records for names between two listed ones: %llu.\n",
				 comment, (unsigned long long)s.between);
}

/* ---- Our own format
 * ------------------------------------------------------------------------------ */

static const char lindung_limits[] = "says everything that an index holds; see formats/list.md.";

static void
lindung_entry(struct ld_export *x, const struct ld_entry *e)
{
	static const char *const actions[] = {"block", "allow", "rewrite", "remove"};
	bool is_protected = (e->flags & LD_ENTRY_PROTECTED) != 0;

	ld_export_printf(x, "%s%s\t", is_protected ? "protect" : actions[e->action],
			 e->flags & LD_ENTRY_IMPORTANT ? "!" : "");
	ld_export_bytes(x, e->category);
	ld_export_printf(x, "\t%s",
			 e->scope == LD_SCOPE_SELF    ? "="
			 : e->scope == LD_SCOPE_BELOW ? "*."
						      : "");
	ld_export_bytes(x, e->host);
	ld_export_bytes(x, e->path);
	ld_export_printf(x, "\t");
	ld_export_bytes(x, e->source);
	if (e->target.len != 0)
		ld_export_printf(x, "\t");
	ld_export_bytes(x, e->target);
	ld_export_printf(x, "\n");
}

static const struct ld_export_format ld_export_lindung = {
	.format = LD_LIST_LINDUNG,
	.limits = lindung_limits,
	.says_important = true,
};

/* One entry a line, as it stands: nothing to survey but the number. */
static int
lindung_all(struct ld_export *x, struct ld_report *report)
{
	struct ld_entry entry;
	int err;

	for (int i = 0; i < 2; i++) {
		x->writing = i == 1;
		ld_export_printf(x, "# lindung list 1\n");
		ld_export_header(x, "#");
		memset(&x->summary, 0, sizeof x->summary);
		err = x->source->rewind(x->source->ctx);
		while (err == LINDUNG_OK && x->error == LINDUNG_OK &&
		       (err = x->source->next(x->source->ctx, &entry)) == LINDUNG_OK) {
			x->summary.read++;
			x->summary.written++;
			lindung_entry(x, &entry);
		}
		if (err != LINDUNG_OK && err != LINDUNG_ENOTFOUND)
			return ld_fail(report, err, "the list cannot be read");
	}
	flush(x);
	return x->error == LINDUNG_OK ? LINDUNG_OK
				      : ld_fail(report, x->error, "cannot write the list: %s",
						lindung_strerror(x->error));
}

/* ---- The door
 * ------------------------------------------------------------------------------------ */

static const struct ld_export_format *const formats[] = {
	&ld_export_lindung, &ld_export_hosts,      &ld_export_domains,  &ld_export_wildcard,
	&ld_export_adblock, &ld_export_dnsmasq,    &ld_export_unbound,  &ld_export_rpz,
	&ld_export_squid,   &ld_export_squid_urls, &ld_export_chromium, &ld_export_firefox,
	&ld_export_apple,
};

static const struct ld_export_format *
find_format(enum ld_list_format format)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (formats[i]->format == format)
			return formats[i];
	}
	return NULL;
}

const char *
ld_list_format_limits(enum ld_list_format format)
{
	const struct ld_export_format *found = find_format(format);

	return found != NULL ? found->limits : "is not written.";
}

int
ld_list_write(int fd, enum ld_list_format format, const struct ld_list_source *source,
	      const struct ld_write_options *options, struct ld_write_summary *ret,
	      struct ld_report *report)
{
	static const struct ld_write_options defaults;
	const struct ld_export_format *found = find_format(format);

	if (found == NULL)
		return ld_fail(report, LINDUNG_EINVAL, "the format %s is not written",
			       ld_list_format_key(format));
	struct ld_export *x = calloc(1, sizeof *x);
	if (x == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory to write a list");
	x->format = found;
	x->options = options != NULL ? options : &defaults;
	x->source = source;
	x->fd = fd;
	ld_buffer_init(&x->out, 4 * FLUSH_BYTES);
	ld_buffer_init(&x->patterns[0].text, PATTERNS_MAX_BYTES);
	ld_buffer_init(&x->patterns[1].text, PATTERNS_MAX_BYTES);
	int err = found == &ld_export_lindung ? lindung_all(x, report) : export_all(x, report);
	if (ret != NULL && err == LINDUNG_OK)
		*ret = x->summary;
	ld_buffer_free(&x->out);
	ld_buffer_free(&x->patterns[0].text);
	ld_buffer_free(&x->patterns[1].text);
	free(x->narrowed.at);
	free(x);
	return err;
}
