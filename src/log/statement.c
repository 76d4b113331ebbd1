/* Statements: text to fields, and back.  One table of fields says it all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "log/statement.h"

#include "list/canonical.h"
#include "log/note.h"
#include "log/text.h"
#include "name/prose.h"

enum {
	LINE_MAX_BYTES = 1024,
	CATEGORY_MAX = 32,
	SHORT_TEXT_MAX = 500,
	REASONS_MAX = 1000,
	NAME_MAX_BYTES = 200,
	DAY_S = 24 * 60 * 60,
};

/* The most octets of a file that is released. */
#define RELEASE_MAX_BYTES UINT64_C(999999999999999)

static const char first_line[] = "lindung statement 1";

/* ---- The table of fields -------------------------------------------------------------------- */

/* While it is read. */
struct reading {
	struct ld_statement s;
	struct ld_span rest; /* lines that were not read yet */
	unsigned line;       /* number of the one in hand */
	bool time_is_day;
};

struct field {
	const char *key;
	uint16_t required, optional; /* bits of actions */
	uint16_t max;                /* octets of text */
	size_t at;                   /* of the span in struct ld_statement */
	/* Take the value.  NULL, or what is wrong with it: a predicate. */
	const char *(*read)(struct reading *r, const struct field *f, struct ld_span value);
	/* Write the value.  NULL: it is the span. */
	void (*write)(struct ld_buffer *b, const struct ld_statement *s);
	/* Whether it is there.  NULL: of a span, when it is not empty; else always. */
	bool (*has)(const struct ld_statement *s);
};

static const char no_memory[] = "cannot be checked: not enough memory";

static struct ld_span *
span_of(struct ld_statement *s, const struct field *f)
{
	return (struct ld_span *)((char *)s + f->at);
}

static struct ld_span
span_in(const struct ld_statement *s, const struct field *f)
{
	return *(const struct ld_span *)((const char *)s + f->at);
}

/* ---- Values --------------------------------------------------------------------------------- */

static bool
take(struct ld_span *rest, const char *literal)
{
	struct ld_span start = ld_span_str(literal);

	if (!ld_span_starts(*rest, start))
		return false;
	*rest = ld_span_from(*rest, start.len);
	return true;
}

static bool
take_hash(struct ld_span *rest, uint8_t hash[32])
{
	struct ld_span hex = ld_span_first(*rest, LD_STATEMENT_ID_TEXT);

	*rest = ld_span_from(*rest, hex.len);
	return ld_text_from_hex(hash, 32, hex);
}

/* All that is left is a number from 1 to `max`. */
static bool
take_number(struct ld_span rest, uint64_t max, uint64_t *ret)
{
	return ld_text_number(ret, rest) && *ret >= 1 && *ret <= max;
}

static void
put_hash(struct ld_buffer *b, const uint8_t hash[32])
{
	char hex[LD_STATEMENT_ID_TEXT + 1];

	ld_text_to_hex(hex, ld_span(hash, 32));
	ld_buffer_printf(b, "%s", hex);
}

static const char *
read_text(struct reading *r, const struct field *f, struct ld_span value)
{
	const char *fault = NULL;

	if (value.len > f->max)
		return f->max == NAME_MAX_BYTES   ? "has more than 200 octets"
		       : f->max == SHORT_TEXT_MAX ? "has more than 500 octets"
						  : "has more than 1000 octets";
	switch (ld_prose_check(value, &fault)) {
	case LINDUNG_OK:
		*span_of(&r->s, f) = value;
		return NULL;
	case LINDUNG_ENOMEM:
		return no_memory;
	default:
		return fault;
	}
}

static const char *
read_origin(struct reading *r, const struct field *f, struct ld_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] <= ' ' || value.data[i] > '~' || value.data[i] == '+')
			return "is no origin of a log: printable ASCII without blanks and '+'";
	}
	if (value.len > LD_KEY_NAME_MAX)
		return "has more than 128 octets";
	*span_of(&r->s, f) = value;
	return NULL;
}

bool
ld_party_id_is_valid(struct ld_span id)
{
	unsigned labels = 0;
	size_t start = 0;

	if (id.len > LD_PARTY_ID_MAX)
		return false;
	for (size_t i = 0; i <= id.len; i++) {
		uint8_t c = i < id.len ? id.data[i] : '.';

		if (c == '.') {
			if (i == start || i - start > 63 || id.data[start] == '-' ||
			    id.data[i - 1] == '-')
				return false;
			start = i + 1;
			labels++;
		} else if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
			return false;
		}
	}
	return labels >= 2 && labels <= 8;
}

static const char *
read_party(struct reading *r, const struct field *f, struct ld_span value)
{
	if (!ld_party_id_is_valid(value))
		return "is no id of a party: two to eight labels of a-z, 0-9 and inner '-', with "
		       "dots between them";
	*span_of(&r->s, f) = value;
	return NULL;
}

static const char *
read_speaker(struct reading *r, const struct field *f, struct ld_span value)
{
	if (!ld_span_equal(value, LD_SPAN("root")))
		return read_party(r, f, value);
	*span_of(&r->s, f) = value;
	return NULL;
}

static const char *
read_time(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	r->time_is_day = value.len == LD_STATEMENT_DAY_TEXT;
	if (ld_statement_time_parse(&r->s.time_s, value, r->time_is_day) != LINDUNG_OK)
		return "is no time as 2026-11-22T07:00:00Z (of an appeal: the day, 2026-11-22)";
	return NULL;
}

static void
write_time(struct ld_buffer *b, const struct ld_statement *s)
{
	char text[LD_STATEMENT_TIME_TEXT + 1];

	ld_statement_time_format(text, s->time_s, s->action == LD_STATEMENT_APPEAL);
	ld_buffer_printf(b, "%s", text);
}

static const char *
read_action(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	for (int i = 0; i < LD_STATEMENT_ACTION_COUNT; i++) {
		if (!ld_span_equal(value, ld_span_str(ld_statement_action_key(
						  (enum ld_statement_action)i))))
			continue;
		r->s.action = (enum ld_statement_action)i;
		return r->time_is_day == (i == LD_STATEMENT_APPEAL)
			       ? NULL
			       : "does not go with this form of time: an appeal has the day alone, "
				 "and no other has";
	}
	return "is no action (formats/statement.md lists them)";
}

static void
write_action(struct ld_buffer *b, const struct ld_statement *s)
{
	ld_buffer_printf(b, "%s", ld_statement_action_key(s->action));
}

static const char *
read_category(struct reading *r, const struct field *f, struct ld_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
			return "is no key of a category: a-z, 0-9 and '-'";
	}
	if (value.len > CATEGORY_MAX)
		return "has more than 32 octets";
	*span_of(&r->s, f) = value;
	return NULL;
}

static const char *
read_country(struct reading *r, const struct field *f, struct ld_span value)
{
	bool good = value.len == 2 || ld_span_equal(value, LD_SPAN("INT"));

	for (size_t i = 0; i < value.len; i++)
		good = good && value.data[i] >= 'A' && value.data[i] <= 'Z';
	if (!good)
		return "is neither two capital letters (ISO 3166-1) nor INT";
	*span_of(&r->s, f) = value;
	return NULL;
}

static const char *
read_target(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	r->s.has_target = true;
	return take_hash(&value, r->s.target) && value.len == 0
		       ? NULL
		       : "is no id of a statement: 64 digits of 0-9 and a-f";
}

static void
write_target(struct ld_buffer *b, const struct ld_statement *s)
{
	put_hash(b, s->target);
}

static bool
has_target(const struct ld_statement *s)
{
	return s->has_target;
}

static const char *
read_decision(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	r->s.upholds = ld_span_equal(value, LD_SPAN("uphold"));
	return r->s.upholds || ld_span_equal(value, LD_SPAN("reject"))
		       ? NULL
		       : "is neither uphold nor reject";
}

static void
write_decision(struct ld_buffer *b, const struct ld_statement *s)
{
	ld_buffer_printf(b, "%s", s->upholds ? "uphold" : "reject");
}

static const char *
read_kind(struct reading *r, const struct field *f, struct ld_span value)
{
	int kind = ld_party_kind_find(value);

	(void)f;
	if (kind < 0)
		return "is no kind of party (formats/statement.md lists them)";
	r->s.kind = (enum ld_party_kind)kind;
	return NULL;
}

static void
write_kind(struct ld_buffer *b, const struct ld_statement *s)
{
	ld_buffer_printf(b, "%s", ld_party_kind_key(s->kind));
}

static const char *
read_key(struct reading *r, const struct field *f, struct ld_span value)
{
	char again[LD_KEY_TEXT_MAX];

	(void)f;
	if (ld_verifier_parse(&r->s.key, value, NULL) != LINDUNG_OK ||
	    !ld_span_equal(ld_span(again, ld_verifier_format(&r->s.key, again)), value))
		return "is no key as NAME+HASH+BASE64";
	if (r->s.key.type != LD_KEY_ED25519)
		return "is no key that signs statements (Ed25519, type 1)";
	if (!ld_span_equal(ld_span_str(r->s.key.name), r->s.subject))
		return "has another name than the party's id in subject";
	return NULL;
}

static void
write_key(struct ld_buffer *b, const struct ld_statement *s)
{
	char text[LD_KEY_TEXT_MAX];

	ld_buffer_bytes(b, ld_span(text, ld_verifier_format(&s->key, text)));
}

static const char *
read_from(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	return ld_statement_time_parse(&r->s.from_s, value, false) == LINDUNG_OK
		       ? NULL
		       : "is no time as 2026-11-22T07:00:00Z";
}

static void
write_from(struct ld_buffer *b, const struct ld_statement *s)
{
	char text[LD_STATEMENT_TIME_TEXT + 1];

	ld_statement_time_format(text, s->from_s, false);
	ld_buffer_printf(b, "%s", text);
}

static const char *
read_expires(struct reading *r, const struct field *f, struct ld_span value)
{
	struct ld_statement *s = &r->s;

	(void)f;
	if (ld_statement_time_parse(&s->expires_s, value, true) != LINDUNG_OK)
		return "is no day as 2026-11-22";
	if (s->expires_s <= s->time_s)
		return "does not lie after the statement's time";
	if (s->expires_s - s->time_s > (int64_t)LD_STATEMENT_LIFE_MAX_DAYS * DAY_S)
		return "lies more than 3653 days after the statement's time";
	return NULL;
}

static void
write_expires(struct ld_buffer *b, const struct ld_statement *s)
{
	char text[LD_STATEMENT_DAY_TEXT + 1];

	ld_statement_time_format(text, s->expires_s, true);
	ld_buffer_printf(b, "%s", text);
}

static const char *
read_data(struct reading *r, const struct field *f, struct ld_span value)
{
	(void)f;
	return take(&value, "sha256:") && take_hash(&value, r->s.data_hash) &&
			       take(&value, " size ") &&
			       take_number(value, RELEASE_MAX_BYTES, &r->s.data_bytes)
		       ? NULL
		       : "is not sha256:HEX size N";
}

static void
write_data(struct ld_buffer *b, const struct ld_statement *s)
{
	ld_buffer_printf(b, "sha256:");
	put_hash(b, s->data_hash);
	ld_buffer_printf(b, " size %llu", (unsigned long long)s->data_bytes);
}

/* ---- Entries -------------------------------------------------------------------------------- */

/* The lines behind `entries: inline N`. */
static const char *
read_inline(struct reading *r)
{
	uint8_t keys[2][LD_ENTRY_ORDER_MAX_BYTES];
	struct ld_span before = {NULL, 0}, line;

	r->s.inline_entries = r->rest;
	for (uint32_t i = 0; i < r->s.entry_count; i++) {
		struct ld_entry entry;

		r->line++;
		if (!ld_text_line(&r->rest, &line))
			return "says that more entries follow than do";
		if (!take(&line, " "))
			return "has here a line that is no entry with one blank before it";
		if (!ld_entry_parse(&entry, line))
			return "has here an entry that is not a canonical name or URL";
		struct ld_span key = ld_span(keys[i % 2], ld_entry_order(keys[i % 2], &entry));
		if (i != 0 && ld_span_compare(before, key) >= 0)
			return "has here an entry twice or out of order";
		before = key;
	}
	r->s.inline_entries.len -= r->rest.len;
	return NULL;
}

static const char *
read_entries(struct reading *r, const struct field *f, struct ld_span value)
{
	struct ld_statement *s = &r->s;
	uint64_t count;

	(void)f;
	if (take(&value, "inline ")) {
		if (!take_number(value, LD_STATEMENT_INLINE_MAX, &count))
			return "is not inline and a number from 1 to 200";
		s->entries = LD_ENTRIES_INLINE;
		s->entry_count = (uint32_t)count;
		return read_inline(r);
	}
	s->entries = take(&value, "sealed ") ? LD_ENTRIES_SEALED : LD_ENTRIES_BLOCK;
	if (s->entries == LD_ENTRIES_BLOCK && !take(&value, "block "))
		return "is neither inline, block nor sealed";
	if (s->entries == LD_ENTRIES_SEALED && s->action == LD_STATEMENT_ALLOW)
		return "may not be sealed: what is open is no secret";
	if (!take(&value, "sha256:") || !take_hash(&value, s->block_hash) ||
	    !take(&value, " count ") || !take_number(value, LD_STATEMENT_ENTRIES_MAX, &count))
		return "is not sha256:HEX count N, with N from 1 to 2000000";
	s->entry_count = (uint32_t)count;
	return NULL;
}

static void
write_entries(struct ld_buffer *b, const struct ld_statement *s)
{
	if (s->entries == LD_ENTRIES_INLINE) {
		/* The line's end stands behind what is written here: not the last entry's. */
		struct ld_span lines = s->inline_entries;

		if (ld_span_ends(lines, LD_SPAN("\n")))
			lines.len--;
		ld_buffer_printf(b, "inline %u\n", s->entry_count);
		ld_buffer_bytes(b, lines);
		return;
	}
	ld_buffer_printf(b, "%s sha256:", s->entries == LD_ENTRIES_BLOCK ? "block" : "sealed");
	put_hash(b, s->block_hash);
	ld_buffer_printf(b, " count %u", s->entry_count);
}

static bool
has_entries(const struct ld_statement *s)
{
	return s->entries != LD_ENTRIES_NONE;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define A(action) (1u << LD_STATEMENT_##action)
#define AT(member) offsetof(struct ld_statement, member)

enum {
	EVERY = (1u << LD_STATEMENT_ACTION_COUNT) - 1,
	GROUNDED = EVERY & ~(A(APPEAL) | A(RELEASE)),
	ABOUT = A(ENDORSE) | A(DISPUTE) | A(WITHDRAW) | A(APPEAL) | A(DECIDE),
	LISTS = A(LIST) | A(ALLOW),
	PARTIES = A(PARTY_ADD) | A(PARTY_REVOKE),
	FIELDS_FIRST = 4, /* those that say what may follow */
};

/* In the order in which they stand. */
static const struct field fields[] = {
	{"log", EVERY, 0, 0, AT(log), read_origin, NULL, NULL},
	{"party", EVERY, 0, 0, AT(party), read_speaker, NULL, NULL},
	{"time", EVERY, 0, 0, 0, read_time, write_time, NULL},
	{"action", EVERY, 0, 0, 0, read_action, write_action, NULL},
	{"category", LISTS, 0, 0, AT(category), read_category, NULL, NULL},
	{"jurisdiction", GROUNDED, 0, 0, AT(jurisdiction), read_country, NULL, NULL},
	{"basis", GROUNDED, 0, SHORT_TEXT_MAX, AT(basis), read_text, NULL, NULL},
	{"statement", ABOUT, 0, 0, 0, read_target, write_target, has_target},
	{"decision", A(DECIDE), 0, 0, 0, read_decision, write_decision, NULL},
	{"reasons", A(DISPUTE) | A(DECIDE) | A(APPEAL), 0, REASONS_MAX, AT(reasons), read_text,
	 NULL, NULL},
	{"subject", PARTIES, 0, 0, AT(subject), read_party, NULL, NULL},
	{"name", A(PARTY_ADD), 0, NAME_MAX_BYTES, AT(name), read_text, NULL, NULL},
	{"kind", A(PARTY_ADD), 0, 0, 0, read_kind, write_kind, NULL},
	{"country", A(PARTY_ADD), 0, 0, AT(country), read_country, NULL, NULL},
	{"key", A(PARTY_ADD), 0, 0, 0, read_key, write_key, NULL},
	{"from", A(PARTY_REVOKE), 0, 0, 0, read_from, write_from, NULL},
	{"evidence", 0, LISTS | A(ENDORSE) | A(DISPUTE), SHORT_TEXT_MAX, AT(evidence), read_text,
	 NULL, NULL},
	{"expires", LISTS | A(ENDORSE) | A(PARTY_ADD), 0, 0, 0, read_expires, write_expires, NULL},
	{"note", 0, LISTS | A(DISPUTE) | A(DECIDE), SHORT_TEXT_MAX, AT(note), read_text, NULL,
	 NULL},
	{"data", A(RELEASE), 0, 0, 0, read_data, write_data, NULL},
	{"entries", LISTS, A(ENDORSE) | A(DISPUTE) | A(WITHDRAW) | A(APPEAL), 0, 0, read_entries,
	 write_entries, has_entries},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

/* The field whose line this is; FIELD_COUNT: of none.  `*ret_value`: what stands behind. */
static unsigned
field_of(struct ld_span line, struct ld_span *ret_value)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		*ret_value = line;
		if (take(ret_value, fields[i].key) && take(ret_value, ": "))
			return i;
	}
	return FIELD_COUNT;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Why the line in hand is not what it should be: `wanted`, or nothing at all (FIELD_COUNT). */
static int
order_fail(const struct reading *r, unsigned wanted, struct ld_report *report)
{
	const char *action = ld_statement_action_key(r->s.action);
	struct ld_span line, value, rest = r->rest;

	if (rest.len == 0)
		return ld_fail(report, LINDUNG_ESYNTAX, "line %u: the field %s is missing", r->line,
			       fields[wanted].key);
	if (!ld_text_line(&rest, &line))
		return ld_fail(report, LINDUNG_ESYNTAX, "line %u: it does not end with LF",
			       r->line);
	unsigned found = field_of(line, &value);
	if (found == FIELD_COUNT)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "line %u: no field of a statement stands here (KEY: VALUE)",
			       r->line);
	if (wanted >= FIELDS_FIRST &&
	    ((fields[found].required | fields[found].optional) & 1u << r->s.action) == 0)
		return ld_fail(report, LINDUNG_ESYNTAX, "line %u: %s does not belong in a %s",
			       r->line, fields[found].key, action);
	if (wanted != FIELD_COUNT && found > wanted)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "line %u: the field %s is missing before %s", r->line,
			       fields[wanted].key, fields[found].key);
	return ld_fail(report, LINDUNG_ESYNTAX, "line %u: %s stands here twice or out of order",
		       r->line, fields[found].key);
}

/* The line in hand, if it is the field's, is taken. */
static int
field_read(struct reading *r, unsigned wanted, struct ld_report *report)
{
	const struct field *f = &fields[wanted];
	unsigned may = wanted < FIELDS_FIRST ? EVERY : 1u << r->s.action;
	struct ld_span line, value, rest = r->rest;
	unsigned start = r->line;

	if (((f->required | f->optional) & may) == 0)
		return LINDUNG_OK;
	if (!ld_text_line(&rest, &line) || field_of(line, &value) != wanted)
		return (f->required & may) != 0 ? order_fail(r, wanted, report) : LINDUNG_OK;
	if (line.len > LINE_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "line %u: %s: longer than 1024 octets",
			       r->line, f->key);
	if (value.len == 0 || value.data[0] == ' ' || value.data[value.len - 1] == ' ')
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "line %u: %s: empty, or with a blank at an end", r->line, f->key);
	r->rest = rest;
	const char *fault = f->read(r, f, value);
	if (fault != NULL && r->line == start)
		return ld_fail(report, fault == no_memory ? LINDUNG_ENOMEM : LINDUNG_ESYNTAX,
			       "line %u: %s: %s", r->line, f->key, fault);
	if (fault != NULL)
		return ld_fail(report, LINDUNG_ESYNTAX, "line %u: %s %s", r->line, f->key, fault);
	r->line++;
	return LINDUNG_OK;
}

/* What only root says, and all that root says. */
static int
speaker_check(const struct ld_statement *s, struct ld_report *report)
{
	bool is_root = ld_span_equal(s->party, LD_SPAN("root"));
	bool is_for_root = ((1u << s->action) & PARTIES) != 0;

	if (is_root == is_for_root)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_ESYNTAX,
		       is_root ? "line 3: root says party-add and party-revoke, nothing else"
			       : "line 3: only root says party-add and party-revoke");
}

int
ld_statement_parse(struct ld_statement *ret, struct ld_span text, struct ld_report *report)
{
	struct reading r = {.s.expires_s = INT64_MAX, .rest = text, .line = 2};
	struct ld_span line;
	int err = LINDUNG_OK;

	if (text.len > LD_NOTE_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "a statement with more than %d octets does not go into a log",
			       LD_NOTE_MAX_BYTES);
	if (!ld_text_line(&r.rest, &line) || !ld_span_equal(line, ld_span_str(first_line)))
		return ld_fail(report, LINDUNG_ESYNTAX, "line 1: it is not \"%s\"", first_line);
	for (unsigned i = 0; i < FIELD_COUNT && err == LINDUNG_OK; i++)
		err = field_read(&r, i, report);
	if (err == LINDUNG_OK && r.rest.len != 0)
		err = order_fail(&r, FIELD_COUNT, report);
	if (err == LINDUNG_OK)
		err = speaker_check(&r.s, report);
	if (err == LINDUNG_OK)
		*ret = r.s;
	return err;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static bool
is_span(const struct field *f)
{
	return f->write == NULL;
}

/* Whether the statement has it.  What has no sign of its own stands where it belongs. */
static bool
field_has(const struct ld_statement *s, const struct field *f)
{
	if (is_span(f))
		return span_in(s, f).len != 0;
	return f->has != NULL ? f->has(s) : (f->required & 1u << s->action) != 0;
}

static bool
time_can_be_written(int64_t time_s, bool day_alone)
{
	return time_s >= 0 && time_s <= LD_STATEMENT_TIME_MAX_S &&
	       (!day_alone || time_s % DAY_S == 0);
}

/* What a text could not show, or would show as something else. */
static int
format_check(const struct ld_statement *s, struct ld_report *report)
{
	if ((unsigned)s->action >= LD_STATEMENT_ACTION_COUNT ||
	    (unsigned)s->kind >= LD_PARTY_KIND_COUNT)
		return ld_fail(report, LINDUNG_EINVAL, "no such action or kind");
	unsigned bit = 1u << s->action;
	if (!time_can_be_written(s->time_s, s->action == LD_STATEMENT_APPEAL) ||
	    ((bit & A(PARTY_REVOKE)) != 0 && !time_can_be_written(s->from_s, false)) ||
	    ((bit & (LISTS | A(ENDORSE) | A(PARTY_ADD))) != 0 &&
	     !time_can_be_written(s->expires_s, true)))
		return ld_fail(report, LINDUNG_EINVAL,
			       "a time before 1970 or after 9999, or a day with a time of day");
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct field *f = &fields[i];

		if (!field_has(s, f))
			continue;
		if (((f->required | f->optional) & bit) == 0)
			return ld_fail(report, LINDUNG_EINVAL, "%s does not belong in a %s", f->key,
				       ld_statement_action_key(s->action));
		if (is_span(f) && ld_span_find(span_in(s, f), '\n') != span_in(s, f).len)
			return ld_fail(report, LINDUNG_EINVAL, "%s: has more than one line",
				       f->key);
	}
	return LINDUNG_OK;
}

static void
format_write(struct ld_buffer *b, const struct ld_statement *s)
{
	ld_buffer_printf(b, "%s\n", first_line);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct field *f = &fields[i];

		if (!field_has(s, f))
			continue;
		ld_buffer_printf(b, "%s: ", f->key);
		if (is_span(f))
			ld_buffer_bytes(b, span_in(s, f));
		else
			f->write(b, s);
		ld_buffer_bytes(b, LD_SPAN("\n"));
	}
}

int
ld_statement_format(struct ld_buffer *ret, const struct ld_statement *statement,
		    struct ld_report *report)
{
	struct ld_statement again;
	size_t start = ret->len;
	int err = format_check(statement, report);

	if (err != LINDUNG_OK)
		return err;
	format_write(ret, statement);
	if (ret->failed)
		return ld_fail(report, LINDUNG_ENOMEM, "no room for the statement");
	/* Whoever reads it decides what is right: so does the writer, by reading it. */
	err = ld_statement_parse(&again, ld_span_from(ld_buffer_span(ret), start), report);
	if (err != LINDUNG_OK) {
		ret->len = start;
		return err == LINDUNG_ENOMEM ? err : LINDUNG_EINVAL;
	}
	return LINDUNG_OK;
}
