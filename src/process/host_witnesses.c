/* Asking witnesses (C2SP tlog-witness), one after the other.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A witness that has signed nothing of this log, or less than we think, says how much (409); then
 * the proof is made for that size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/text.h"
#include "net/fetch.h"
#include "process/host_parts.h"

enum { CONNECT_MS = 3000, STALL_MS = 3000, TOTAL_MS = 10000 };

struct host_witnesses {
	const struct ld_policy *policy;
	struct ld_fetcher *fetcher;
	struct ld_log *log;
	void (*tell)(const char *line);
	unsigned count; /* that have a URL */
};

static int
ask_once(struct host_witnesses *w, unsigned at, uint64_t old_size, const struct ld_proof *proof,
	 struct ld_buffer *note, unsigned *ret_status, uint64_t *ret_size, struct ld_report *report)
{
	const struct ld_verifier *key = &ld_policy_trust(w->policy)->witnesses[at];
	struct ld_fetch fetch = {.limit_bytes = LD_WITNESS_ANSWER_MAX_BYTES};
	struct ld_buffer request;
	struct ld_span body;
	char url[2048];
	int err;

	snprintf(url, sizeof url, "%s/add-checkpoint", ld_policy_witness_url(w->policy, at));
	fetch.url = url;
	ld_buffer_init(&request, LD_WITNESS_REQUEST_MAX_BYTES);
	ld_buffer_init(&fetch.body, fetch.limit_bytes);
	err = ld_witness_request(&request, old_size, proof, ld_buffer_span(note));
	if (err == LINDUNG_OK) {
		ld_fetch_post(w->fetcher, &fetch, "text/plain; charset=utf-8",
			      ld_buffer_span(&request));
		err = fetch.error;
		*report = fetch.report;
	}
	body = ld_buffer_span(&fetch.body);
	*ret_status = fetch.status;
	if (err == LINDUNG_OK && fetch.status == 200)
		err = ld_witness_take(note, body, key, report);
	else if (err == LINDUNG_OK && fetch.status == 409 && body.len > 0 &&
		 ld_text_number(ret_size, ld_span_first(body, body.len - 1)))
		err = LINDUNG_EEXISTS;
	else if (err == LINDUNG_OK)
		err = ld_fail(report, LINDUNG_EWITNESS, "%s: answered %u", url, fetch.status);
	ld_buffer_free(&fetch.body);
	ld_buffer_free(&request);
	return err;
}

/* `size`: of the checkpoint in `note`. */
static int
ask(struct host_witnesses *w, unsigned at, uint64_t old_size, const struct ld_proof *proof,
    uint64_t size, struct ld_buffer *note, struct ld_report *report)
{
	const struct ld_tile_source tiles = ld_log_tiles(w->log);
	uint64_t theirs = old_size;
	unsigned status = 0;
	int err = ask_once(w, at, old_size, proof, note, &status, &theirs, report);

	if (err == LINDUNG_EEXISTS && theirs <= size) {
		struct ld_proof other = {0};

		err = theirs == 0 || theirs == size
			      ? LINDUNG_OK
			      : ld_tree_prove_consistency(&other, theirs, size, &tiles);
		if (err == LINDUNG_OK)
			err = ask_once(w, at, theirs, &other, note, &status, &theirs, report);
	}
	if (err == LINDUNG_EEXISTS)
		err = ld_fail(report, LINDUNG_EWITNESS,
			      "it has signed %llu entries of this log, and there are %llu",
			      (unsigned long long)theirs, (unsigned long long)size);
	return err;
}

/* Do those who have signed suffice? */
static int
witnesses_ask(void *ctx, uint64_t old_size, const struct ld_proof *proof, struct ld_buffer *note,
	      struct ld_report *report)
{
	struct host_witnesses *w = ctx;
	const struct ld_trust *trust = ld_policy_trust(w->policy);
	struct ld_checkpoint checkpoint;
	struct ld_note parsed;
	uint64_t signed_by = 0;
	int err = ld_note_parse(&parsed, ld_buffer_span(note), report);

	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&checkpoint, parsed.text, report);
	if (err != LINDUNG_OK)
		return err;
	/* `note` grows, and may move. */
	uint64_t size = checkpoint.size;
	for (unsigned i = 0; i < trust->witness_count; i++) {
		struct ld_report why = {{0}};
		char line[LD_REPORT_MAX_BYTES + LD_KEY_NAME_MAX + 32];

		if (ld_policy_witness_url(w->policy, i) == NULL)
			continue;
		if (ask(w, i, old_size, proof, size, note, &why) == LINDUNG_OK) {
			signed_by |= UINT64_C(1) << i;
			continue;
		}
		snprintf(line, sizeof line, "witness %s: %s", trust->witnesses[i].name, why.text);
		w->tell(line);
	}
	if (trust->suffices != NULL && !trust->suffices(trust->ctx, signed_by))
		return ld_fail(report, LINDUNG_EWITNESS,
			       "%d of %u witnesses have signed: too few for the policy",
			       __builtin_popcountll(signed_by), w->count);
	return LINDUNG_OK;
}

int
host_witnesses_new(struct host_witnesses **ret, const struct ld_policy *policy, const char *ca_file,
		   void (*tell)(const char *line), struct ld_report *report)
{
	const struct ld_fetch_options options = {
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS,
		.ca_file = ca_file,
	};
	struct host_witnesses *w = calloc(1, sizeof *w);
	int err;

	if (w == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	w->policy = policy;
	w->tell = tell;
	for (unsigned i = 0; i < ld_policy_trust(policy)->witness_count; i++)
		w->count += ld_policy_witness_url(policy, i) != NULL;
	err = ld_fetcher_new(&w->fetcher, &options, report);
	if (err != LINDUNG_OK) {
		free(w);
		return err;
	}
	*ret = w;
	return LINDUNG_OK;
}

unsigned
host_witnesses_count(const struct host_witnesses *witnesses)
{
	return witnesses != NULL ? witnesses->count : 0;
}

void
host_witnesses_for(struct host_witnesses *witnesses, struct ld_log *log)
{
	witnesses->log = log;
	if (witnesses->count != 0)
		ld_log_set_witness(log, witnesses_ask, witnesses);
}

void
host_witnesses_free(struct host_witnesses *witnesses)
{
	if (witnesses == NULL)
		return;
	ld_fetcher_free(witnesses->fetcher);
	free(witnesses);
}
