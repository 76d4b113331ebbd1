/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "log/note.h"
#include "log/statement.h"
#include "log/text.h"

enum { TEXT_MAX = 128 * 1024 };

/* ---- tests/log/vectors/statements.txt ------------------------------------------------------- */

struct vector {
	bool good;
	struct ld_span name, expected; /* id, or part of the report */
	struct ld_span text;
};

/* Undo \xHH and \z. */
static struct ld_span
unescape(struct ld_span text, uint8_t *room)
{
	size_t len = 0;

	assert_true(text.len < TEXT_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '\\') {
			room[len++] = text.data[i];
			continue;
		}
		if (text.data[i + 1] == 'z')
			return ld_span(room, len);
		assert_true(ld_text_from_hex(&room[len++], 1, ld_span(text.data + i + 2, 2)));
		i += 3;
	}
	return ld_span(room, len);
}

static void
each_vector(void (*each)(const struct vector *v))
{
	static uint8_t room[TEXT_MAX];
	const char *folder = getenv("LINDUNG_TEST_DATA");
	char path[4096];
	uint8_t *data;
	size_t len;
	unsigned count = 0;

	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/statements.txt", folder);
	assert_int_equal(ld_read_file(path, 1 << 20, &data, &len, NULL), LINDUNG_OK);
	const char *at = strstr((char *)data, "\n=== ");
	while (at != NULL) {
		struct vector v = {.good = strncmp(at + 5, "good ", 5) == 0};
		const char *line = at + (v.good ? 10 : 9), *end = strchr(line, '\n');
		size_t name = strcspn(line, v.good ? " " : ":");

		v.name = ld_span(line, name);
		line += name + (v.good ? 1 : 2);
		v.expected = ld_span(line, (size_t)(end - line));
		at = strstr(end, "\n=== ");
		size_t rest = at != NULL ? (size_t)(at + 1 - (end + 1)) : strlen(end + 1);
		v.text = unescape(ld_span(end + 1, rest), room);
		each(&v);
		count++;
	}
	assert_true(count > 150);
	free(data);
}

static void
try_vector(const struct vector *v)
{
	struct ld_report report = {""};
	struct ld_statement s = {0};
	char name[64], expected[256], hex[2 * LD_STATEMENT_ID_BYTES + 1];
	uint8_t id[LD_STATEMENT_ID_BYTES];
	int err = ld_statement_parse(&s, v->text, &report);

	snprintf(name, sizeof name, "%.*s", (int)v->name.len, (const char *)v->name.data);
	snprintf(expected, sizeof expected, "%.*s", (int)v->expected.len,
		 (const char *)v->expected.data);
	if (!v->good) {
		if (err == LINDUNG_OK || strstr(report.text, expected) == NULL)
			fail_msg("%s: %d %s", name, err, report.text);
		return;
	}
	if (err != LINDUNG_OK)
		fail_msg("%s: %s", name, report.text);
	ld_statement_id(id, v->text);
	ld_text_to_hex(hex, ld_span(id, sizeof id));
	assert_string_equal(hex, expected);
	struct ld_buffer again;
	ld_buffer_init(&again, TEXT_MAX);
	err = ld_statement_format(&again, &s, &report);
	if (err != LINDUNG_OK || !ld_span_equal(ld_buffer_span(&again), v->text))
		fail_msg("%s: written differently: %s", name, report.text);
	ld_buffer_free(&again);
}

static void
vectors(void **state)
{
	(void)state;
	each_vector(try_vector);
}

/* ---- Every change of one octet is refused, or means itself ----------------------------------- */

static unsigned accepted, refused;

static void
try_text(struct ld_span text)
{
	struct ld_statement s;
	struct ld_buffer again;

	if (ld_statement_parse(&s, text, NULL) != LINDUNG_OK) {
		refused++;
		return;
	}
	accepted++;
	ld_buffer_init(&again, TEXT_MAX);
	if (ld_statement_format(&again, &s, NULL) != LINDUNG_OK ||
	    !ld_span_equal(ld_buffer_span(&again), text))
		fail_msg("two texts of one statement: %.*s", (int)text.len,
			 (const char *)text.data);
	ld_buffer_free(&again);
}

/* All values of the octets that mean something, and each octet left out or doubled. */
static void
mutate(const struct vector *v)
{
	static const uint8_t values[] = {0,   '\n', '\r', ' ',  '\t', ':',  '.', '-',
					 '=', '/',  '*',  '0',  '9',  'a',  'z', 'A',
					 'Z', '+',  '%',  0x7f, 0x80, 0xc3, 0xff};
	uint8_t text[8192];

	if (!v->good || v->text.len + 1 > sizeof text)
		return;
	for (size_t i = 0; i < v->text.len; i++) {
		memcpy(text, v->text.data, v->text.len);
		for (size_t j = 0; j < sizeof values + 8; j++) {
			text[i] = values[j % sizeof values];
			if (j >= sizeof values)
				text[i] = (uint8_t)(v->text.data[i] ^ 1u << (j - sizeof values));
			if (text[i] != v->text.data[i])
				try_text(ld_span(text, v->text.len));
		}
		memcpy(text + i, v->text.data + i + 1, v->text.len - i - 1);
		try_text(ld_span(text, v->text.len - 1));
		memcpy(text + i + 1, v->text.data + i, v->text.len - i);
		text[i] = v->text.data[i];
		try_text(ld_span(text, v->text.len + 1));
	}
}

static void
mutations(void **state)
{
	(void)state;
	accepted = refused = 0;
	each_vector(mutate);
	/* Text for people may change; most of the rest may not. */
	assert_true(accepted > 10000 && refused > 50000);
}

/* ---- What is written is what is read --------------------------------------------------------- */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t
any(uint32_t below)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

static struct ld_span
any_of(const char *const *texts, size_t count)
{
	return ld_span_str(texts[any((uint32_t)count)]);
}

static struct ld_span
any_prose(void)
{
	static const char *const texts[] = {
		"x",
		"Article 27 (1): of the law",
		"a  b",
		"evidence: y",
		"\xe0\xb8\x81\xe0\xb8\xb2",
		"B\xe1\xbb\x99",
		"\xf0\x9f\x9b\x9f",
		"sha256:00",
	};

	return any_of(texts, sizeof texts / sizeof texts[0]);
}

static struct ld_span
any_party(void)
{
	static const char *const texts[] = {"a.b", "hotline.example", "1.2.3.4.5.6.7.8",
					    "xn--80ak6aa92e.example", "a-b.c-d"};

	return any_of(texts, sizeof texts / sizeof texts[0]);
}

static bool
perhaps(void)
{
	return any(2) == 0;
}

static void
any_entries(struct ld_statement *s)
{
	static const char lines[] = " a.example\n =a.example\n *.a.example\n a.example/x\n"
				    " b.a.example\n zoo.test\n";

	s->entries = any(s->action == LD_STATEMENT_ALLOW ? 2 : 3) + LD_ENTRIES_INLINE;
	s->entry_count = any(LD_STATEMENT_ENTRIES_MAX) + 1;
	if (s->entries == LD_ENTRIES_INLINE) {
		const char *end = lines;

		s->entry_count = any(6) + 1;
		for (uint32_t i = 0; i < s->entry_count; i++)
			end = strchr(end, '\n') + 1;
		s->inline_entries = ld_span(lines, (size_t)(end - lines));
	} else {
		for (size_t i = 0; i < sizeof s->block_hash; i++)
			s->block_hash[i] = (uint8_t)any(256);
	}
}

static void
any_statement(struct ld_statement *s, const struct ld_signer *signer)
{
	static const char *const countries[] = {"ID", "INT", "ZZ"};
	unsigned a = any(LD_STATEMENT_ACTION_COUNT);
	bool lists = a == LD_STATEMENT_LIST || a == LD_STATEMENT_ALLOW;
	bool parties = a == LD_STATEMENT_PARTY_ADD || a == LD_STATEMENT_PARTY_REVOKE;
	bool about = a == LD_STATEMENT_ENDORSE || a == LD_STATEMENT_DISPUTE ||
		     a == LD_STATEMENT_WITHDRAW || a == LD_STATEMENT_APPEAL;

	*s = (struct ld_statement){.action = (enum ld_statement_action)a,
				   .log = LD_SPAN("log.example"),
				   .party = parties ? LD_SPAN("root") : any_party(),
				   .expires_s = INT64_MAX};
	s->time_s =
		(int64_t)any(20000) * 86400 + (a == LD_STATEMENT_APPEAL ? 0 : (int64_t)any(86400));
	if (lists)
		s->category = LD_SPAN("self-harm");
	if (a != LD_STATEMENT_APPEAL && a != LD_STATEMENT_RELEASE) {
		s->jurisdiction = any_of(countries, 3);
		s->basis = any_prose();
	}
	if (about || a == LD_STATEMENT_DECIDE) {
		s->has_target = true;
		s->target[any(32)] = (uint8_t)any(256);
	}
	if (a == LD_STATEMENT_DISPUTE || a == LD_STATEMENT_DECIDE || a == LD_STATEMENT_APPEAL)
		s->reasons = any_prose();
	s->upholds = a == LD_STATEMENT_DECIDE && perhaps();
	if (parties)
		s->subject = LD_SPAN("hotline.example");
	if (a == LD_STATEMENT_PARTY_ADD) {
		s->name = any_prose();
		s->kind = (enum ld_party_kind)any(LD_PARTY_KIND_COUNT);
		s->country = any_of(countries, 3);
		s->key = *ld_signer_verifier(signer);
	}
	if (a == LD_STATEMENT_PARTY_REVOKE)
		s->from_s = (int64_t)any(UINT32_MAX);
	if ((lists || a == LD_STATEMENT_ENDORSE || a == LD_STATEMENT_DISPUTE) && perhaps())
		s->evidence = any_prose();
	if (lists || a == LD_STATEMENT_ENDORSE || a == LD_STATEMENT_PARTY_ADD)
		s->expires_s = (s->time_s / 86400 + 1 + any(3653)) * 86400;
	if ((lists || a == LD_STATEMENT_DISPUTE || a == LD_STATEMENT_DECIDE) && perhaps())
		s->note = any_prose();
	if (a == LD_STATEMENT_RELEASE)
		s->data_bytes = any(UINT32_MAX) + UINT64_C(1);
	if (lists || (about && perhaps()))
		any_entries(s);
}

static void
round_trips(void **state)
{
	static const uint8_t seed[32] = {7};
	struct ld_signer *signer;
	struct ld_buffer text, again;
	struct ld_report report;

	(void)state;
	assert_int_equal(
		ld_signer_from_seed(&signer, "hotline.example", LD_KEY_ED25519, seed, NULL),
		LINDUNG_OK);
	for (unsigned i = 0; i < 20000; i++) {
		struct ld_statement s, read;

		any_statement(&s, signer);
		ld_buffer_init(&text, TEXT_MAX);
		ld_buffer_init(&again, TEXT_MAX);
		if (ld_statement_format(&text, &s, &report) != LINDUNG_OK ||
		    ld_statement_parse(&read, ld_buffer_span(&text), &report) != LINDUNG_OK)
			fail_msg("%u: %s", i, report.text);
		assert_int_equal(ld_statement_format(&again, &read, &report), LINDUNG_OK);
		assert_true(ld_span_equal(ld_buffer_span(&text), ld_buffer_span(&again)));
		assert_int_equal(read.time_s, s.time_s);
		assert_int_equal(read.expires_s, s.expires_s);
		assert_int_equal(read.entry_count, s.entry_count);
		assert_true(ld_span_equal(read.reasons, s.reasons));
		ld_buffer_free(&text);
		ld_buffer_free(&again);
	}
	ld_signer_free(signer);
}

/* ---- What is not written --------------------------------------------------------------------- */

static struct ld_statement
decision(void)
{
	return (struct ld_statement){.action = LD_STATEMENT_DECIDE,
				     .log = LD_SPAN("log.example"),
				     .party = LD_SPAN("a.example"),
				     .time_s = 86400,
				     .jurisdiction = LD_SPAN("ID"),
				     .basis = LD_SPAN("x"),
				     .has_target = true,
				     .reasons = LD_SPAN("y"),
				     .expires_s = INT64_MAX};
}

static void
not_written(const struct ld_statement *s, const char *expected)
{
	struct ld_report report = {""};
	struct ld_buffer text;

	ld_buffer_init(&text, TEXT_MAX);
	ld_buffer_printf(&text, "before");
	assert_int_equal(ld_statement_format(&text, s, &report), LINDUNG_EINVAL);
	if (strstr(report.text, expected) == NULL)
		fail_msg("%s", report.text);
	assert_int_equal(text.len, 6);
	ld_buffer_free(&text);
}

static void
what_cannot_be_written(void **state)
{
	struct ld_statement s = decision();
	struct ld_buffer text;

	(void)state;
	ld_buffer_init(&text, TEXT_MAX);
	assert_int_equal(ld_statement_format(&text, &s, NULL), LINDUNG_OK);
	ld_buffer_free(&text);
	s.reasons = LD_SPAN("y\nnote: smuggled");
	not_written(&s, "more than one line");
	s = decision();
	s.category = LD_SPAN("adult");
	not_written(&s, "category does not belong in a decide");
	s = decision();
	s.basis = LD_SPAN("");
	not_written(&s, "basis is missing");
	s = decision();
	s.basis = LD_SPAN(" x");
	not_written(&s, "blank");
	s = decision();
	s.has_target = false;
	not_written(&s, "statement is missing");
	s = decision();
	s.time_s = -1;
	not_written(&s, "a time before 1970");
	s.time_s = LD_STATEMENT_TIME_MAX_S + 1;
	not_written(&s, "after 9999");
	s = decision();
	s.action = LD_STATEMENT_APPEAL;
	s.jurisdiction = s.basis = (struct ld_span){NULL, 0};
	s.time_s = 86401;
	not_written(&s, "with a time of day");
	s = decision();
	s.entries = LD_ENTRIES_INLINE;
	s.entry_count = 1;
	s.inline_entries = LD_SPAN(" a.example\n");
	not_written(&s, "entries does not belong");
	s = decision();
	s.action = LD_STATEMENT_WITHDRAW;
	s.reasons = (struct ld_span){NULL, 0};
	s.entries = LD_ENTRIES_INLINE;
	s.entry_count = 1;
	s.inline_entries = LD_SPAN(" b.example\n a.example\n");
	not_written(&s, "no field");
	s.entry_count = 2;
	not_written(&s, "out of order");
	s.inline_entries = LD_SPAN(" a.example\n b.example\n");
	s.entry_count = 3;
	not_written(&s, "more entries follow");
}

static void
limits(void **state)
{
	static uint8_t text[LD_NOTE_MAX_BYTES + 1];
	struct ld_statement s;

	(void)state;
	memset(text, 'x', sizeof text);
	assert_int_equal(ld_statement_parse(&s, ld_span(text, sizeof text), NULL), LINDUNG_ELIMIT);
	assert_int_equal(ld_statement_parse(&s, ld_span(text, sizeof text - 1), NULL),
			 LINDUNG_ESYNTAX);
	assert_int_equal(ld_statement_parse(&s, ld_span(NULL, 0), NULL), LINDUNG_ESYNTAX);
}

static void
words(void **state)
{
	(void)state;
	assert_int_equal(ld_party_kind_find(LD_SPAN("hotline")), LD_PARTY_HOTLINE);
	assert_int_equal(ld_party_kind_find(LD_SPAN("hotlin")), -1);
	assert_string_equal(ld_party_kind_key(LD_PARTY_FAMILY), "family");
	assert_string_equal(ld_statement_action_key(LD_STATEMENT_PARTY_ADD), "party-add");
	assert_true(ld_party_id_is_valid(LD_SPAN("ecpat.id")));
	assert_false(ld_party_id_is_valid(LD_SPAN("root")));
	assert_false(ld_party_id_is_valid(LD_SPAN("")));
	assert_false(ld_party_id_is_valid(LD_SPAN("ecpat.")));
	assert_false(ld_party_id_is_valid(LD_SPAN("\xd0\xb5"
						  "cpat.id"))); /* U+0435 for e */
}

static void
times(void **state)
{
	char text[LD_STATEMENT_TIME_TEXT + 1];
	int64_t t = 7;

	(void)state;
	ld_statement_time_format(text, 1795330800, false);
	assert_string_equal(text, "2026-11-22T07:00:00Z");
	ld_statement_time_format(text, 1795330800, true);
	assert_string_equal(text, "2026-11-22");
	assert_int_equal(ld_statement_time_parse(&t, LD_SPAN("1970-01-01T00:00:00Z"), false), 0);
	assert_int_equal(t, 0);
	assert_int_equal(ld_statement_time_parse(&t, LD_SPAN("9999-12-31T23:59:59Z"), false), 0);
	assert_int_equal(t, LD_STATEMENT_TIME_MAX_S);
	assert_int_equal(ld_statement_time_parse(&t, LD_SPAN("2100-02-29"), true), LINDUNG_ESYNTAX);
	assert_int_equal(t, LD_STATEMENT_TIME_MAX_S);
	assert_int_equal(ld_statement_time_parse(&t, LD_SPAN("2000-02-29"), true), 0);
	assert_int_equal(t, 951782400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),     cmocka_unit_test(mutations),
		cmocka_unit_test(round_trips), cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(limits),      cmocka_unit_test(words),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
