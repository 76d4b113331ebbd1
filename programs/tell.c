/* SPDX-License-Identifier: BSD-2-Clause */
#include "tell.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "show.h"

void
ld_tale_init(struct ld_tale *tale)
{
	*tale = (struct ld_tale){.is_readable = false};
	ld_buffer_init(&tale->bytes, LD_ENTRY_MAX_BYTES);
}

int
ld_tale_read(struct ld_tale *tale, struct ld_log *log, uint64_t index, struct ld_report *report)
{
	int err;

	tale->bytes.len = 0;
	tale->is_readable = false;
	err = ld_log_entry(log, index, &tale->bytes, report);
	if (err == LINDUNG_OK)
		tale->is_readable =
			ld_note_parse(&tale->note, ld_buffer_span(&tale->bytes), NULL) ==
				LINDUNG_OK &&
			ld_statement_parse(&tale->statement, tale->note.text, NULL) == LINDUNG_OK;
	return err;
}

void
ld_tale_free(struct ld_tale *tale)
{
	ld_buffer_free(&tale->bytes);
}

void
ld_tell_id(char ret[LD_STATEMENT_ID_SHOWN + 1], const uint8_t id[LD_STATEMENT_ID_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < LD_STATEMENT_ID_SHOWN; i++)
		ret[i] = digits[id[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
	ret[LD_STATEMENT_ID_SHOWN] = '\0';
}

/* ---- Times, parties
 * ------------------------------------------------------------------------------ */

struct ld_tell_time
ld_tell_time(int64_t time_s)
{
	struct ld_tell_time ret = {"never"};
	time_t t = (time_t)time_s;
	struct tm tm;

	if (time_s != INT64_MAX && gmtime_r(&t, &tm) != NULL)
		strftime(ret.text, sizeof ret.text, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return ret;
}

struct ld_tell_time
ld_tell_day(int64_t time_s)
{
	struct ld_tell_time ret = ld_tell_time(time_s);

	if (time_s != INT64_MAX)
		ret.text[strcspn(ret.text, " ")] = '\0';
	return ret;
}

struct party_wanted {
	FILE *to;
	struct ld_span id;
};

static int
party_print(void *ctx, const struct ld_story_party *party)
{
	const struct party_wanted *wanted = ctx;

	if (!ld_span_equal(party->id, wanted->id))
		return LINDUNG_OK;
	fputs(" (", wanted->to);
	ld_show_text(wanted->to, party->name);
	fprintf(wanted->to, ", %s, %s)", ld_party_kind_key(party->kind), party->country);
	return LINDUNG_EEXISTS; /* found: no need to look further */
}

void
ld_tell_party(FILE *to, const struct ld_quorum *quorum, struct ld_span id)
{
	struct party_wanted wanted = {to, id};

	if (ld_span_equal(id, LD_SPAN("root"))) {
		fputs("the root keys", to);
		return;
	}
	ld_show_text(to, id);
	(void)ld_story_parties(quorum, party_print, &wanted);
}

/* ---- What it says
 * ---------------------------------------------------------------------------------- */

static const char *
plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* "3 websites" */
static void
websites_print(FILE *to, uint64_t count)
{
	fprintf(to, "%s website%s", ld_show_number(count).text, plural(count));
}

/* "of No. 5", and of which part. */
static void
target_print(FILE *to, const struct ld_story_said *said)
{
	if (said->entry_count != 0) {
		websites_print(to, said->entry_count);
		fputs(" of ", to);
	}
	if (said->has_target && said->refusal == LD_REFUSAL_NONE)
		fprintf(to, "No. %" PRIu64, said->target);
	else
		fputs("a statement", to);
}

static void
member_print(FILE *to, const struct ld_statement *s)
{
	ld_show_text(to, s->subject);
	if (s->action == LD_STATEMENT_PARTY_REVOKE) {
		fprintf(to, ": from %s on its statements mean nothing",
			ld_tell_time(s->from_s).text);
		return;
	}
	fputs(" (", to);
	ld_show_text(to, s->name);
	fprintf(to, ", %s, ", ld_party_kind_key(s->kind));
	ld_show_text(to, s->country);
	fprintf(to, ") with the key %08" PRIx32, s->key.id);
}

static void
sentence_print(FILE *to, const struct ld_story_said *said, const struct ld_statement *s)
{
	switch (s->action) {
	case LD_STATEMENT_LIST:
	case LD_STATEMENT_ALLOW:
		fputs(s->action == LD_STATEMENT_LIST ? " lists " : " says of ", to);
		websites_print(to, s->entry_count);
		fputs(s->action == LD_STATEMENT_LIST ? " in the category "
						     : " that they are not of the category ",
		      to);
		ld_show_text(to, s->category);
		if (s->entries == LD_ENTRIES_SEALED)
			fputs(", sealed", to);
		break;
	case LD_STATEMENT_PARTY_ADD:
	case LD_STATEMENT_PARTY_REVOKE:
		fputs(s->action == LD_STATEMENT_PARTY_ADD ? " take in " : " end ", to);
		member_print(to, s);
		break;
	case LD_STATEMENT_DECIDE:
		fputs(s->upholds ? " upholds " : " rejects ", to);
		target_print(to, said);
		break;
	case LD_STATEMENT_RELEASE:
		fprintf(to, " publishes a file of %s", ld_show_bytes(s->data_bytes).text);
		break;
	case LD_STATEMENT_ENDORSE:
	case LD_STATEMENT_DISPUTE:
	case LD_STATEMENT_WITHDRAW:
	case LD_STATEMENT_APPEAL:
	case LD_STATEMENT_ACTION_COUNT:
	default:
		fputs(s->action == LD_STATEMENT_ENDORSE    ? " agrees with "
		      : s->action == LD_STATEMENT_DISPUTE  ? " disputes "
		      : s->action == LD_STATEMENT_WITHDRAW ? " takes back "
							   : " enters an appeal against ",
		      to);
		target_print(to, said);
		break;
	}
	fputs(".\n", to);
}

static void
field_print(FILE *to, int indent, const char *name, struct ld_span text)
{
	if (text.len == 0)
		return;
	fprintf(to, "%*s%s: ", indent, "", name);
	ld_show_text(to, text);
	putc('\n', to);
}

void
ld_tell_said(FILE *to, const struct ld_quorum *quorum, const struct ld_story_said *said,
	     const struct ld_tale *tale, int indent)
{
	const struct ld_statement *s = &tale->statement;
	char id[LD_STATEMENT_ID_SHOWN + 1];

	fprintf(to, "%*sNo. %" PRIu64 ", ", indent, "", said->index);
	if (!tale->is_readable) {
		fputs("which is no statement that can be read.\n", to);
		return;
	}
	ld_tell_id(id, said->id);
	fprintf(to, "%s, %s: ",
		s->action == LD_STATEMENT_APPEAL ? ld_tell_day(s->time_s).text
						 : ld_tell_time(s->time_s).text,
		id);
	ld_tell_party(to, quorum, s->party);
	sentence_print(to, said, s);
	indent += 4;
	if (s->basis.len != 0) {
		fprintf(to, "%*sGround: ", indent, "");
		ld_show_text(to, s->basis);
		fputs(" (", to);
		ld_show_text(to, s->jurisdiction);
		fputs(")\n", to);
	}
	field_print(to, indent, "Reasons", s->reasons);
	field_print(to, indent, "Evidence", s->evidence);
	field_print(to, indent, "To those whose site it is", s->note);
	if (s->expires_s != INT64_MAX)
		fprintf(to, "%*sUntil: %s\n", indent, "", ld_tell_day(s->expires_s).text);
}

void
ld_tell_standing(FILE *to, const struct ld_story_said *said)
{
	if (said->refusal != LD_REFUSAL_NONE)
		fprintf(to, "It means nothing: %s", ld_refusal_text(said->refusal));
	else if (said->standing == LD_STANDING_EXPIRED)
		fprintf(to, "It expired on %s", ld_tell_day(said->until_s).text);
	else
		fprintf(to, "How it stands: %s", ld_standing_text(said->standing));
	if (said->standing == LD_STANDING_UPHELD || said->standing == LD_STANDING_REJECTED)
		fprintf(to, " by No. %" PRIu64, said->decided_at);
	if ((said->standing == LD_STANDING_PENDING || said->standing == LD_STANDING_SHOWN) &&
	    said->overdue_s != INT64_MAX)
		fprintf(to, "; undecided on %s it suspends", ld_tell_time(said->overdue_s).text);
}

/* ---- JSON
 * -------------------------------------------------------------------------------------------- */

static void
text_set(json_t *object, const char *key, struct ld_span text)
{
	if (text.len != 0)
		json_object_set_new(object, key, ld_show_json(text));
}

json_t *
ld_tell_json(const struct ld_story_said *said, const struct ld_tale *tale)
{
	const struct ld_statement *s = &tale->statement;
	char when[32], id[LD_STATEMENT_ID_SHOWN + 1];
	json_t *object = json_pack("{s:I, s:s, s:s}", "number", (json_int_t)said->index, "standing",
				   ld_standing_key(said->standing), "refusal",
				   ld_refusal_key(said->refusal));

	if (object == NULL || !tale->is_readable)
		return object;
	ld_tell_id(id, said->id);
	ld_statement_time_format(when, s->time_s, s->action == LD_STATEMENT_APPEAL);
	json_object_set_new(object, "id", json_string(id));
	json_object_set_new(object, "time", json_string(when));
	json_object_set_new(object, "action", json_string(ld_statement_action_key(s->action)));
	text_set(object, "party", s->party);
	text_set(object, "category", s->category);
	text_set(object, "jurisdiction", s->jurisdiction);
	text_set(object, "basis", s->basis);
	text_set(object, "reasons", s->reasons);
	text_set(object, "evidence", s->evidence);
	text_set(object, "note", s->note);
	text_set(object, "subject", s->subject);
	if (s->expires_s != INT64_MAX)
		json_object_set_new(object, "expires", json_string(ld_tell_day(s->expires_s).text));
	if (said->has_target && said->refusal == LD_REFUSAL_NONE)
		json_object_set_new(object, "speaks-of", json_integer((json_int_t)said->target));
	if (s->action == LD_STATEMENT_DECIDE)
		json_object_set_new(object, "decision",
				    json_string(s->upholds ? "uphold" : "reject"));
	if (s->entries != LD_ENTRIES_NONE)
		json_object_set_new(object, "entries", json_integer(s->entry_count));
	if (s->entries == LD_ENTRIES_SEALED)
		json_object_set_new(object, "sealed", json_true());
	return object;
}

/* ---- What is missing
 * ---------------------------------------------------------------------------------- */

static int
missing_take(void *ctx, const struct ld_story_entry *e)
{
	struct ld_missing *m = ctx;

	if (e->effective.entry.action == LD_ACTION_REMOVE && *m->takes == '\0' &&
	    ld_span_equal(e->effective.entry.category, m->category))
		snprintf(m->takes, sizeof m->takes, "%.*s", (int)e->takes.len,
			 (const char *)e->takes.data);
	return LINDUNG_OK;
}

static int
said_ignore(void *ctx, const struct ld_story_said *said)
{
	(void)ctx;
	(void)said;
	return LINDUNG_OK;
}

static int
missing_look(void *ctx, const struct ld_entry *entry)
{
	struct ld_missing *m = ctx;
	const struct ld_story_teller teller = {
		.ctx = m, .entry = missing_take, .said = said_ignore};
	struct ld_buffer text;

	(void)ld_story_why(m->quorum, entry->host, entry->path, false, &teller);
	if (*m->takes == '\0')
		return LINDUNG_OK;
	ld_buffer_init(&text, LD_ENTRY_TEXT_MAX_BYTES);
	ld_entry_write(&text, entry);
	snprintf(m->entry, sizeof m->entry, "%.*s", (int)text.len, (const char *)text.data);
	ld_buffer_free(&text);
	return LINDUNG_EEXISTS; /* one is enough */
}

bool
ld_missing_find(struct ld_missing *ret, struct ld_quorum *quorum,
		const struct ld_statement *statement, struct ld_span block)
{
	*ret = (struct ld_missing){.quorum = quorum, .category = statement->category};
	if (statement->entries == LD_ENTRIES_INLINE)
		(void)ld_block_inline(statement, missing_look, ret);
	else if (statement->entries == LD_ENTRIES_BLOCK && block.len != 0)
		(void)ld_block_read(statement, block, NULL, missing_look, ret, NULL);
	return *ret->takes != '\0';
}

void
ld_missing_print(const struct ld_missing *missing, int indent)
{
	struct ld_span rest = ld_span_str(missing->takes);

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');

		printf("%*sMissing for ", indent, "");
		ld_show_text(stdout, ld_span_str(missing->entry));
		fputs(": ", stdout);
		ld_show_text(stdout, ld_span_first(rest, end));
		putchar('\n');
		rest = ld_span_from(rest, end + 1);
	}
}
