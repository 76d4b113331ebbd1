/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

#include "base/hash.h"

/* ---- JSON (RFC 8259, and as I-JSON wants it: RFC 7493) ------------------------------------- */

/* U+FDD0 to U+FDEF and the last two of each plane: no characters (RFC 7493 section 2.1). */
static bool
is_noncharacter(const uint8_t *c, size_t octets)
{
	if (octets == 3)
		return (c[0] == 0xef && c[1] == 0xb7 && c[2] >= 0x90 && c[2] <= 0xaf) ||
		       (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe);
	return octets == 4 && (c[1] & 0x0f) == 0x0f && c[2] == 0xbf && c[3] >= 0xbe;
}

/* A string with its quotation marks, from text of whatever octets. */
static void
json_string(struct ld_writer *w, struct ld_span text)
{
	static const char digits[] = "0123456789abcdef";

	ld_writer_u8(w, '"');
	while (text.len != 0) {
		size_t octets = ld_utf8_character(text);
		uint8_t c = text.data[0];

		if (octets == 0 || is_noncharacter(text.data, octets)) {
			ld_writer_bytes(w, LD_SPAN("\xef\xbf\xbd"));
		} else if (c == '"' || c == '\\') {
			ld_writer_u8(w, '\\');
			ld_writer_u8(w, c);
		} else if (c < ' ') {
			ld_writer_bytes(w, LD_SPAN("\\u00"));
			ld_writer_u8(w, (uint8_t)digits[c >> 4]);
			ld_writer_u8(w, (uint8_t)digits[c & 15]);
		} else {
			ld_writer_bytes(w, ld_span_first(text, octets));
		}
		text = ld_span_from(text, octets != 0 ? octets : 1);
	}
	ld_writer_u8(w, '"');
}

/* "name": behind what is there. */
static void
json_name(struct ld_writer *w, struct ld_span name)
{
	LD_ASSERT(w->failed || w->len != 0);
	if (!w->failed && w->data[w->len - 1] != '{')
		ld_writer_u8(w, ',');
	json_string(w, name);
	ld_writer_u8(w, ':');
}

void
ld_explain_json(const struct ld_explain *explain, const struct ld_explanation *what, bool is_short,
		struct ld_writer *w)
{
	/* Without one of these a client throws all away. */
	if (explain->contacts_len == 0 && what->sub_error == 0 &&
	    (is_short || what->justification.len == 0))
		return;
	ld_writer_u8(w, '{');
	if (explain->contacts_len != 0) {
		json_name(w, LD_SPAN("c"));
		ld_writer_bytes(w, ld_span(explain->contacts, explain->contacts_len));
	}
	if (!is_short && what->justification.len != 0) {
		json_name(w, LD_SPAN("j"));
		json_string(w, what->justification);
	}
	if (what->sub_error != 0) {
		json_name(w, LD_SPAN("s"));
		ld_writer_u8(w, (uint8_t)('0' + what->sub_error));
	}
	if (!is_short && explain->organisation_len != 0) {
		json_name(w, LD_SPAN("o"));
		ld_writer_bytes(w, ld_span(explain->organisation, explain->organisation_len));
	}
	if (!is_short && (what->justification.len != 0 || explain->organisation_len != 0)) {
		json_name(w, LD_SPAN("l"));
		ld_writer_bytes(w, ld_span(explain->language, explain->language_len));
	}
	if (what->log_id.len != 0) {
		json_name(w, LD_SPAN("fdbs"));
		ld_writer_bytes(w, LD_SPAN("[{\"db\":"));
		json_string(w, what->log);
		ld_writer_bytes(w, LD_SPAN(",\"id\":"));
		json_string(w, what->log_id);
		ld_writer_bytes(w, LD_SPAN("}]"));
	}
	ld_writer_u8(w, '}');
}

int
ld_explain_init(struct ld_explain *ret, const struct ld_explain_config *config,
		struct ld_report *report)
{
	struct ld_writer contacts = ld_writer(ret->contacts, sizeof ret->contacts);
	struct ld_writer organisation = ld_writer(ret->organisation, sizeof ret->organisation);
	struct ld_writer language = ld_writer(ret->language, sizeof ret->language);
	struct ld_writer text = ld_writer(ret->text, sizeof ret->text);

	for (unsigned i = 0; i < config->contact_count; i++) {
		ld_writer_u8(&contacts, i == 0 ? '[' : ',');
		json_string(&contacts, ld_span_str(config->contacts[i]));
	}
	if (config->contact_count != 0)
		ld_writer_u8(&contacts, ']');
	if (config->organisation != NULL && *config->organisation != '\0')
		json_string(&organisation, ld_span_str(config->organisation));
	json_string(&language, ld_span_str(config->language != NULL ? config->language : "en"));
	ld_writer_bytes(&text, ld_span_str(config->text != NULL ? config->text : "Blocked"));
	if (contacts.failed || organisation.failed || language.failed || text.failed)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "what clients are told of closed names is too long: shorten "
			       "explain.contacts, explain.organisation or explain.text");
	ret->contacts_len = (uint16_t)contacts.len;
	ret->organisation_len = (uint16_t)organisation.len;
	ret->language_len = (uint16_t)language.len;
	ret->text_len = (uint16_t)text.len;
	return LINDUNG_OK;
}

/* ---- Why a name is closed ------------------------------------------------------------------ */

/* Add the text if all of it fits. */
static bool
add_whole(struct ld_writer *text, struct ld_span before, struct lindung_text what)
{
	if (before.len + what.len > text->size - text->len)
		return false;
	ld_writer_bytes(text, before);
	ld_writer_bytes(text, ld_span(what.data, what.len));
	return true;
}

/* "Blocked: gambling, scam (list ut1-gambling)": all categories, the one that is shown first, and
 * the list that it comes from. */
static void
write_reason(const struct ld_worker *worker, const struct lindung_answer *verdict,
	     struct ld_writer *text)
{
	const struct ld_explain *explain = &worker->resolver->explain;
	unsigned shown = (unsigned)verdict->category;

	ld_writer_bytes(text, ld_span(explain->text, explain->text_len));
	if (!add_whole(text, LD_SPAN(": "), lindung_category_key(worker->list, shown)))
		return;
	for (unsigned i = 0; i < LINDUNG_CATEGORY_MAX; i++) {
		if (i != shown && (verdict->blocked >> i & 1) != 0 &&
		    !add_whole(text, LD_SPAN(", "), lindung_category_key(worker->list, i)))
			return;
	}
	/* The bracket is closed, or there is none. */
	struct ld_writer kept = *text;
	if (verdict->source.len == 0 || !add_whole(text, LD_SPAN(" (list "), verdict->source) ||
	    !add_whole(text, LD_SPAN(")"), (struct lindung_text){NULL, 0}))
		*text = kept;
}

/* The reason is for people, and only for a client that can take it.  There are few different ones:
 * they are remembered. */
static struct ld_span
reason_text(struct ld_worker *worker, const struct lindung_answer *verdict)
{
	const struct ld_explain *explain = &worker->resolver->explain;
	uint8_t memory[LD_EDE_TEXT_MAX_BYTES];

	if (verdict->category < 0 || verdict->category >= LINDUNG_CATEGORY_MAX)
		return ld_span(explain->text, explain->text_len);
	uint64_t mixed =
		(verdict->blocked ^ (uintptr_t)verdict->source.data) * UINT64_C(0x9e3779b97f4a7c15);
	struct ld_memo *memo = &worker->memos[mixed >> (64 - LD_MEMO_BITS)];
	if (memo->source != verdict->source.data || memo->blocked != verdict->blocked ||
	    memo->category != verdict->category ||
	    memo->list_generation != worker->list_generation) {
		struct ld_writer raw = ld_writer(memory, sizeof memory);
		struct ld_writer text = ld_writer(memo->text, sizeof memo->text);

		write_reason(worker, verdict, &raw);
		ld_utf8_clean(&text, ld_span(raw.data, raw.len));
		memo->source = verdict->source.data;
		memo->category = verdict->category;
		memo->blocked = verdict->blocked;
		memo->list_generation = worker->list_generation;
		memo->len = (uint8_t)text.len;
	}
	return ld_span(memo->text, memo->len);
}

void
ld_explain_set_list(struct ld_worker *worker)
{
	/* What the registry of sub-errors has a word for; there is none for what harms children. */
	static const struct {
		const char *key;
		uint8_t sub_error;
	} rows[] = {
		{"malware", LD_SUB_ERROR_MALWARE},
		{"phishing", LD_SUB_ERROR_PHISHING},
	};

	memset(worker->sub_errors, 0, sizeof worker->sub_errors);
	for (size_t i = 0; worker->list != NULL && i < sizeof rows / sizeof rows[0]; i++) {
		int category =
			lindung_category_find(worker->list, rows[i].key, strlen(rows[i].key));

		if (category >= 0 && category < LINDUNG_CATEGORY_MAX)
			worker->sub_errors[category] = rows[i].sub_error;
	}
}

/* As the registry's "EDE Codes Applicability" allows: 1 to 4 with 15, 17 and 35, 5 and 6 with 15
 * alone, none with 16. */
static uint8_t
sub_error(const struct ld_worker *worker, uint16_t ede, int category)
{
	if (ede == LD_EDE_CENSORED || category < 0 || category >= LINDUNG_CATEGORY_MAX)
		return 0;
	if (worker->sub_errors[category] == 0 && ede == LD_EDE_BLOCKED)
		return LD_SUB_ERROR_DNS_OPERATOR;
	return worker->sub_errors[category];
}

/* ---- What a client is told ----------------------------------------------------------------- */

/* Put an extended error with its JSON, whole and short, behind what is told. */
static void
put_structured(struct ld_worker *worker, uint16_t code, const struct ld_explanation *what)
{
	struct ld_writer *const to[] = {&worker->told, &worker->told_shorter};
	uint8_t memory[LD_EXPLAIN_JSON_MAX_BYTES];

	for (unsigned i = 0; i < 2; i++) {
		struct ld_writer json = ld_writer(memory, sizeof memory);

		ld_explain_json(&worker->resolver->explain, what, i == 1, &json);
		ld_ede_put(to[i], code, ld_span(json.data, json.failed ? 0 : json.len));
	}
}

static void
put_plain(struct ld_worker *worker, uint16_t code, struct ld_span text)
{
	ld_ede_put(&worker->told, code, text);
	ld_ede_put(&worker->told_shorter, code, text);
}

static void
begin(struct ld_worker *worker)
{
	worker->told = ld_writer(worker->told_memory[0], sizeof worker->told_memory[0]);
	worker->told_shorter = ld_writer(worker->told_memory[1], sizeof worker->told_memory[1]);
}

static void
end(const struct ld_worker *worker, const struct ld_ask *ask, struct ld_answer_start *start)
{
	start->edes = ld_span(worker->told.data, worker->told.len);
	start->edes_shorter = (struct ld_span){NULL, 0};
	if (ask->structured_error)
		start->edes_shorter = ld_span(worker->told_shorter.data, worker->told_shorter.len);
}

uint16_t
ld_explain_code(const struct ld_worker *worker, const struct lindung_answer *verdict)
{
	return verdict->is_sealed ? LD_EDE_CENSORED : worker->resolver->config.block_ede;
}

void
ld_explain_closed(struct ld_worker *worker, const struct ld_ask *ask,
		  const struct lindung_answer *verdict, struct ld_answer_start *start)
{
	const struct ld_explain *explain = &worker->resolver->explain;
	uint16_t code = ld_explain_code(worker, verdict);
	struct ld_span reason = ld_span(explain->text, explain->text_len);

	if (!ask->edns)
		return;
	/* Of an authority's order, no more: else those names that are sealed would stand out. */
	if (code != LD_EDE_CENSORED)
		reason = reason_text(worker, verdict);
	begin(worker);
	if (ask->structured_error)
		put_structured(worker, code,
			       &(struct ld_explanation){
				       .justification = reason,
				       .sub_error = sub_error(worker, code, verdict->category)});
	else
		ld_ede_put(&worker->told, code, reason);
	end(worker, ask, start);
}

void
ld_explain_rebinding(const struct ld_worker *worker, struct ld_writer *edes)
{
	const struct ld_explain *explain = &worker->resolver->explain;
	uint8_t memory[LD_EXPLAIN_TEXT_MAX_BYTES + 16];
	struct ld_writer text = ld_writer(memory, sizeof memory);

	ld_writer_bytes(&text, ld_span(explain->text, explain->text_len));
	ld_writer_bytes(&text, LD_SPAN(": DNS rebinding"));
	ld_ede_put(edes, worker->resolver->config.block_ede, ld_span(text.data, text.len));
}

static bool
is_structured(uint16_t code)
{
	return code == LD_EDE_BLOCKED || code == LD_EDE_CENSORED || code == LD_EDE_FILTERED ||
	       code == LD_EDE_BLOCKED_UPSTREAM;
}

/* What is closed, though not by the list; if it is upstream's doing, in our words and its own. */
static void
put_passed(struct ld_worker *worker, const struct ld_ede_read *one)
{
	const struct ld_explain *explain = &worker->resolver->explain;
	uint8_t memory[LD_EXPLAIN_TEXT_MAX_BYTES + 2 + LD_EDE_TEXT_MAX_BYTES];
	struct ld_writer text = ld_writer(memory, sizeof memory);

	if (one->code == LD_EDE_BLOCKED_UPSTREAM) {
		ld_writer_bytes(&text, ld_span(explain->text, explain->text_len));
		if (one->text.len != 0)
			ld_writer_bytes(&text, LD_SPAN(": "));
	}
	ld_writer_bytes(&text, one->text);
	put_structured(worker, one->code,
		       &(struct ld_explanation){.justification = {text.data, text.len}});
}

void
ld_explain_passed(struct ld_worker *worker, const struct ld_ask *ask, bool is_rewritten,
		  struct ld_span edes, struct ld_answer_start *start)
{
	bool is_told = false;
	struct ld_ede_read one;

	if (!ask->edns)
		return;
	if (!is_rewritten && !ask->structured_error) {
		start->edes = edes;
		return;
	}
	begin(worker);
	/* Not 4 Forged Answer to a client that takes structured errors. */
	if (is_rewritten)
		put_plain(worker, ask->structured_error ? LD_EDE_SYNTHESIZED : LD_EDE_FORGED,
			  LD_SPAN("Rewritten by a list"));
	while (ld_ede_next(&edes, &one)) {
		if (!ask->structured_error ||
		    (!is_structured(one.code) && one.code != LD_EDE_FORGED)) {
			put_plain(worker, one.code, one.text);
		} else if (is_structured(one.code) && !is_told) {
			put_passed(worker, &one);
			is_told = true; /* one object, however many reasons */
		}
	}
	end(worker, ask, start);
}
