/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/subscription.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "index/compile.h"
#include "net/fetch.h"
#include "store/store.h"

enum {
	PATH_BYTES = 4096,
	CONNECT_MS = 10000,
	STALL_MS = 30000,
	TOTAL_MS = 15 * 60 * 1000,
	FAILURES_SHIFT_MAX = 10,
};

const char *
ld_subscription_state_key(enum ld_subscription_state state)
{
	static const char *const keys[] = {
#define LD_X(symbol, key) key,
		LD_SUBSCRIPTION_STATES(LD_X)
#undef LD_X
	};

	LD_ASSERT(state < LD_SUBSCRIPTION_STATE_COUNT);
	return keys[state];
}

/* ---- What came ------------------------------------------------------------------------------ */

struct look {
	const struct ld_subscription *subscription;
	uint64_t entries;
	uint64_t seen, excepted; /* bit i: canaries[i] */
	const struct ld_span *forbidden;
	char foreign[LD_CATEGORY_KEY_MAX + 1]; /* a category that it was not asked for; "": none */
	bool removes;
};

/* Whether the entry closes `name`: itself, or from above. */
static bool
closes(const struct ld_entry *entry, struct ld_span name)
{
	size_t above = entry->host.len + 1;

	if (entry->action != LD_ACTION_BLOCK || entry->scope == LD_SCOPE_URL)
		return false;
	if (ld_span_equal(entry->host, name))
		return (entry->scope & LD_SCOPE_SELF) != 0;
	return (entry->scope & LD_SCOPE_BELOW) != 0 && name.len > above &&
	       name.data[name.len - above] == '.' && ld_span_ends(name, entry->host);
}

static int
look_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct look *look = ctx;
	const struct ld_subscription *s = look->subscription;

	(void)line;
	look->entries++;
	/* In our own format an entry names its category and may open or remove: whoever serves the
	 * list would have a say in what others list. */
	look->removes |= entry->action == LD_ACTION_REMOVE;
	if (entry->category.len != 0 && !ld_span_equal(entry->category, ld_span_str(s->category)))
		snprintf(look->foreign, sizeof look->foreign, "%.*s", (int)entry->category.len,
			 (const char *)entry->category.data);
	for (unsigned i = 0; i < s->canary_count; i++) {
		if (!ld_span_equal(entry->host, s->canaries[i]) || entry->scope == LD_SCOPE_URL)
			continue;
		if (entry->action == LD_ACTION_BLOCK || s->allow)
			look->seen |= UINT64_C(1) << i;
		else /* an exception, which takes back what the list says elsewhere */
			look->excepted |= UINT64_C(1) << i;
	}
	for (unsigned i = 0; i < s->never_count; i++)
		if (closes(entry, s->never[i]))
			look->forbidden = &s->never[i];
	return LINDUNG_OK;
}

static int
look_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	(void)ctx;
	(void)reason;
	(void)line;
	(void)text;
	return LINDUNG_OK;
}

static int
look_through(struct look *look, struct ld_list_input *input, struct ld_report *report)
{
	const struct ld_list_options options = {.csv_column = look->subscription->csv_column};
	const struct ld_list_sink sink = {look, look_entry, look_reject};
	enum ld_list_format format = look->subscription->format;
	struct ld_list_parser *parser;
	struct ld_list_chunk chunk;
	int err;

	if (format == LD_LIST_AUTO)
		format = ld_list_detect(ld_list_input_peek(input));
	if (format == LD_LIST_AUTO)
		return ld_fail(report, LINDUNG_EFORMAT, "what came is no list of any format");
	err = ld_list_parser_new(&parser, format, &options);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s", lindung_strerror(err));
	do {
		void *memory = NULL;

		err = ld_list_input_next(input, &chunk, &memory, report);
		if (err == LINDUNG_OK)
			err = ld_list_parse(parser, &chunk, &sink);
		free(memory);
	} while (err == LINDUNG_OK && chunk.bytes.len != 0);
	ld_list_parser_free(parser);
	return err;
}

static int
size_judge(const struct ld_subscription *s, uint64_t count, uint64_t last, struct ld_report *report)
{
	if (count < s->least || count > s->most)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "%llu entries: from %llu to %llu are expected",
			       (unsigned long long)count, (unsigned long long)s->least,
			       (unsigned long long)s->most);
	if (last == 0)
		return LINDUNG_OK;
	if (count < last - last * s->shrink_percent / 100)
		return ld_fail(
			report, LINDUNG_ELIMIT,
			"%llu entries instead of %llu: it shrinks by more than %u%%; if that "
			"is right: --accept %s",
			(unsigned long long)count, (unsigned long long)last, s->shrink_percent,
			s->name);
	if (count > last + last * s->grow_percent / 100)
		return ld_fail(
			report, LINDUNG_ELIMIT,
			"%llu entries instead of %llu: it grows by more than %u%%; if that is "
			"right: --accept %s",
			(unsigned long long)count, (unsigned long long)last, s->grow_percent,
			s->name);
	return LINDUNG_OK;
}

int
ld_subscription_check(const struct ld_subscription *subscription, const char *path,
		      uint64_t last_count, uint64_t *ret_count, struct ld_report *report)
{
	struct look look = {.subscription = subscription};
	struct ld_list_input *input;
	int err = ld_list_input_open(&input, path, report);

	if (err != LINDUNG_OK)
		return err;
	err = look_through(&look, input, report);
	ld_list_input_close(input);
	if (err == LINDUNG_OK && look.forbidden != NULL)
		err = ld_fail(report, LINDUNG_EDENIED, "it closes %.*s, which it must not",
			      (int)look.forbidden->len, (const char *)look.forbidden->data);
	if (err == LINDUNG_OK && look.foreign[0] != '\0')
		err = ld_fail(report, LINDUNG_EDENIED,
			      "it has entries of category %s, and is subscribed to for %s",
			      look.foreign, subscription->category);
	if (err == LINDUNG_OK && look.removes)
		err = ld_fail(report, LINDUNG_EDENIED,
			      "it removes entries, which no list of others may");
	for (unsigned i = 0; i < subscription->canary_count && err == LINDUNG_OK; i++)
		if (((look.seen & ~look.excepted) >> i & 1) == 0)
			err = ld_fail(report, LINDUNG_EDENIED, "it lacks %.*s, which it must list",
				      (int)subscription->canaries[i].len,
				      (const char *)subscription->canaries[i].data);
	if (err == LINDUNG_OK)
		err = size_judge(subscription, look.entries, last_count, report);
	if (err == LINDUNG_OK)
		*ret_count = look.entries;
	return err;
}

/* ---- The store ------------------------------------------------------------------------------ */

static const struct ld_migration migrations[] = {
	{"CREATE TABLE subscription (name TEXT PRIMARY KEY, url TEXT NOT NULL, state BIGINT NOT "
	 "NULL, "
	 "tag TEXT NOT NULL, entries BIGINT NOT NULL, good_s BIGINT NOT NULL, "
	 "checked_s BIGINT NOT NULL, next_s BIGINT NOT NULL, failures BIGINT NOT NULL, "
	 "why TEXT NOT NULL)",
	 NULL},
};

struct ld_subscriber {
	struct ld_subscriber_options options;
	struct ld_store *store;
	struct ld_fetcher *fetcher;
};

struct row {
	struct ld_subscription_facts facts;
	char tag[LD_FETCH_TAG_MAX];
	char url[2048];
	bool found;
};

static void
text_take(char *to, size_t size, struct ld_span text)
{
	snprintf(to, size, "%.*s", (int)text.len, (const char *)text.data);
}

static int
row_take(void *ctx, const struct ld_value *v, size_t count)
{
	struct row *row = ctx;

	LD_ASSERT(count == 9);
	row->found = true;
	text_take(row->url, sizeof row->url, v[0].bytes);
	row->facts.state = v[1].integer >= 0 && v[1].integer < LD_SUBSCRIPTION_STATE_COUNT
				   ? (enum ld_subscription_state)v[1].integer
				   : LD_SUBSCRIPTION_NEW;
	text_take(row->tag, sizeof row->tag, v[2].bytes);
	row->facts.entries = (uint64_t)v[3].integer;
	row->facts.good_s = v[4].integer;
	row->facts.checked_s = v[5].integer;
	row->facts.next_s = v[6].integer;
	row->facts.failures = (unsigned)v[7].integer;
	text_take(row->facts.why.text, sizeof row->facts.why.text, v[8].bytes);
	return LINDUNG_OK;
}

static int
row_read(struct ld_subscriber *x, const struct ld_subscription *one, struct row *ret,
	 struct ld_report *report)
{
	struct ld_value value = ld_value_text(ld_span_str(one->name));
	int err;

	*ret = (struct row){.facts = {.state = LD_SUBSCRIPTION_NEW}};
	err = ld_store_run(x->store,
			   "SELECT url, state, tag, entries, good_s, checked_s, next_s, failures, "
			   "why FROM subscription WHERE name = ?1",
			   &value, 1, row_take, ret, NULL, report);
	/* Another address: what was told of the old one says nothing of it. */
	if (err == LINDUNG_OK && ret->found && strcmp(ret->url, one->url) != 0) {
		ret->tag[0] = '\0';
		ret->facts.next_s = 0;
	}
	return err;
}

static int
row_write(struct ld_subscriber *x, const struct ld_subscription *one, const struct row *row,
	  struct ld_report *report)
{
	const struct ld_subscription_facts *f = &row->facts;
	const struct ld_value values[] = {
		ld_value_text(ld_span_str(one->name)),
		ld_value_text(ld_span_str(one->url)),
		ld_value_integer(f->state),
		ld_value_text(ld_span_str(row->tag)),
		ld_value_integer((int64_t)f->entries),
		ld_value_integer(f->good_s),
		ld_value_integer(f->checked_s),
		ld_value_integer(f->next_s),
		ld_value_integer(f->failures),
		ld_value_text(ld_span_str(f->why.text)),
	};

	return ld_store_run(
		x->store,
		"INSERT INTO subscription (name, url, state, tag, entries, good_s, checked_s, "
		"next_s, failures, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT (name) DO UPDATE SET url = excluded.url, state = excluded.state, "
		"tag = excluded.tag, entries = excluded.entries, good_s = excluded.good_s, "
		"checked_s = excluded.checked_s, next_s = excluded.next_s, "
		"failures = excluded.failures, why = excluded.why",
		values, sizeof values / sizeof values[0], NULL, NULL, NULL, report);
}

/* ---- One list ------------------------------------------------------------------------------- */

static void
list_path(const struct ld_subscriber *x, const struct ld_subscription *one, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s.list", x->options.directory, one->name);
}

int
ld_subscriber_facts(struct ld_subscriber *subscriber, const struct ld_subscription *one,
		    int64_t now_s, struct ld_subscription_facts *ret, struct ld_report *report)
{
	char path[PATH_BYTES];
	struct row row;
	int err = row_read(subscriber, one, &row, report);

	if (err != LINDUNG_OK)
		return err;
	list_path(subscriber, one, path);
	row.facts.in_force = row.facts.good_s != 0 && access(path, R_OK) == 0;
	if (now_s >= one->expires_s) {
		row.facts.state = LD_SUBSCRIPTION_EXPIRED;
		row.facts.in_force = false;
	}
	*ret = row.facts;
	return LINDUNG_OK;
}

/* Not all who follow the same list at the same second: a tenth sooner. */
static int64_t
jittered(int64_t wait_s)
{
	uint32_t chance = 0;

	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		chance = 0;
	return wait_s - (int64_t)(chance % (uint32_t)(wait_s / 10 + 1));
}

static void
failed(struct row *row, const struct ld_subscription *one, int64_t now_s, uint32_t retry_after_s)
{
	unsigned shift =
		row->facts.failures < FAILURES_SHIFT_MAX ? row->facts.failures : FAILURES_SHIFT_MAX;
	int64_t wait_s = (int64_t)LD_SUBSCRIPTION_RETRY_MIN_S << shift;

	row->facts.failures++;
	if (wait_s > one->every_s)
		wait_s = one->every_s;
	if (wait_s < retry_after_s)
		wait_s = retry_after_s;
	row->facts.next_s = now_s + jittered(wait_s);
}

/* Look at what came, and put it in the place of the last one. */
static int
take(struct ld_subscriber *x, const struct ld_subscription *one, struct row *row,
     const struct ld_fetch *fetch, int64_t now_s, struct ld_report *report)
{
	bool accept = x->options.accept != NULL && strcmp(x->options.accept, one->name) == 0;
	struct ld_replace file;
	char path[PATH_BYTES];
	uint64_t count = 0;
	int err;

	list_path(x, one, path);
	err = ld_replace_begin(&file, path, report);
	if (err != LINDUNG_OK)
		return err;
	if (ld_write_all(file.fd, fetch->body.data, fetch->body.len) != LINDUNG_OK) {
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		ld_replace_abandon(&file);
		return err;
	}
	err = ld_subscription_check(one, file.temporary, accept ? 0 : row->facts.entries, &count,
				    &row->facts.why);
	if (err == LINDUNG_ENOMEM || err == LINDUNG_EIO) {
		*report = row->facts.why;
		ld_replace_abandon(&file);
		return err;
	}
	if (err != LINDUNG_OK) {
		row->facts.state = LD_SUBSCRIPTION_REFUSED;
		failed(row, one, now_s, 0);
		ld_replace_abandon(&file);
		return LINDUNG_OK;
	}
	err = ld_replace_commit(&file, report);
	if (err != LINDUNG_OK)
		return err;
	row->facts.state = LD_SUBSCRIPTION_GOOD;
	row->facts.entries = count;
	row->facts.good_s = row->facts.checked_s = now_s;
	row->facts.failures = 0;
	row->facts.why.text[0] = '\0';
	row->facts.next_s = now_s + jittered(one->every_s);
	snprintf(row->tag, sizeof row->tag, "%s", fetch->tag);
	return LINDUNG_OK;
}

static int
fetched(struct ld_subscriber *x, const struct ld_subscription *one, struct row *row,
	const struct ld_fetch *fetch, int64_t now_s, struct ld_report *report)
{
	if (fetch->error == LINDUNG_OK && fetch->status == 200)
		return take(x, one, row, fetch, now_s, report);
	if (fetch->error == LINDUNG_OK && fetch->status == 304) {
		row->facts.state = LD_SUBSCRIPTION_GOOD;
		row->facts.checked_s = now_s;
		row->facts.failures = 0;
		row->facts.why.text[0] = '\0';
		row->facts.next_s = now_s + jittered(one->every_s);
		return LINDUNG_OK;
	}
	row->facts.state = LD_SUBSCRIPTION_FAILED;
	if (fetch->error != LINDUNG_OK)
		row->facts.why = fetch->report;
	else
		ld_fail(&row->facts.why, LINDUNG_ENET, "the server answered %u", fetch->status);
	failed(row, one, now_s, fetch->retry_after_s);
	return LINDUNG_OK;
}

int
ld_subscriber_update(struct ld_subscriber *subscriber, const struct ld_subscription *one,
		     int64_t now_s, struct ld_report *report)
{
	struct ld_fetch fetch = {.url = one->url, .limit_bytes = LD_SUBSCRIPTION_MAX_BYTES};
	bool accept = subscriber->options.accept != NULL &&
		      strcmp(subscriber->options.accept, one->name) == 0;
	char path[PATH_BYTES];
	struct row row;
	int err = row_read(subscriber, one, &row, report);

	if (err != LINDUNG_OK || now_s >= one->expires_s ||
	    (now_s < row.facts.next_s && !subscriber->options.all_due && !accept))
		return err;
	list_path(subscriber, one, path);
	/* What is not there any more cannot stay the same. */
	if (access(path, R_OK) == 0 && row.facts.good_s != 0 && !accept)
		snprintf(fetch.tag, sizeof fetch.tag, "%s", row.tag);
	ld_buffer_init(&fetch.body, LD_SUBSCRIPTION_MAX_BYTES);
	ld_fetch_all(subscriber->fetcher, &fetch, 1);
	err = fetched(subscriber, one, &row, &fetch, now_s, report);
	ld_buffer_free(&fetch.body);
	return err == LINDUNG_OK ? row_write(subscriber, one, &row, report) : err;
}

/* ---- The whole ------------------------------------------------------------------------------ */

int
ld_subscriber_manifest(struct ld_subscriber *subscriber, const struct ld_subscription *all,
		       unsigned count, int64_t now_s, struct ld_report *report)
{
	struct ld_replace file = {.fd = -1};
	char path[PATH_BYTES];
	struct ld_buffer text;
	int err = LINDUNG_OK;

	ld_buffer_init(&text, LD_SUBSCRIPTIONS_MAX * 4096);
	ld_buffer_printf(&text,
			 "# Made by lindung subscribe: the lists in force.\nversion: 1\nlists:\n");
	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++) {
		const struct ld_subscription *one = &all[i];
		struct ld_subscription_facts facts;

		err = ld_subscriber_facts(subscriber, one, now_s, &facts, report);
		if (err != LINDUNG_OK || !facts.in_force)
			continue;
		ld_buffer_printf(&text, "  - file: %s.list\n    category: \"%s\"\n    source: %s\n",
				 one->name, one->category,
				 one->party != NULL ? one->party : one->name);
		if (one->format != LD_LIST_AUTO)
			ld_buffer_printf(&text, "    format: %s\n",
					 ld_list_format_key(one->format));
		if (one->csv_column != NULL)
			ld_buffer_printf(&text, "    csv-column: \"%s\"\n", one->csv_column);
		if (one->allow)
			ld_buffer_printf(&text, "    allow: true\n");
	}
	snprintf(path, sizeof path, "%s/lists.yaml", subscriber->options.directory);
	if (err == LINDUNG_OK)
		err = ld_replace_begin(&file, path, report);
	if (err == LINDUNG_OK && (text.failed || ld_write_all(file.fd, text.data, text.len) != 0))
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (err == LINDUNG_OK)
		err = ld_replace_commit(&file, report);
	ld_replace_abandon(&file);
	ld_buffer_free(&text);
	return err;
}

int
ld_subscriber_open(struct ld_subscriber **ret, const struct ld_subscriber_options *options,
		   struct ld_report *report)
{
	const struct ld_fetch_options fetching = {
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS,
		.ca_file = options->ca_file,
	};
	struct ld_subscriber *x = calloc(1, sizeof *x);
	char store[PATH_BYTES];
	int err = LINDUNG_OK;

	if (x == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	x->options = *options;
	if (mkdir(options->directory, 0755) != 0 && errno != EEXIST)
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", options->directory, strerror(errno));
	snprintf(store, sizeof store, "%s/store.sqlite", options->directory);
	if (err == LINDUNG_OK)
		err = ld_store_open(&x->store, options->store != NULL ? options->store : store,
				    "subscriptions", migrations,
				    sizeof migrations / sizeof migrations[0], report);
	if (err == LINDUNG_OK)
		err = ld_fetcher_new(&x->fetcher, &fetching, report);
	if (err != LINDUNG_OK) {
		ld_subscriber_close(x);
		return err;
	}
	*ret = x;
	return LINDUNG_OK;
}

void
ld_subscriber_close(struct ld_subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	ld_fetcher_free(subscriber->fetcher);
	ld_store_close(subscriber->store);
	free(subscriber);
}
