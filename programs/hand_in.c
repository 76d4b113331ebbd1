/* SPDX-License-Identifier: BSD-2-Clause */
#include "hand_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "log/tlog_proof.h"
#include "net/fetch.h"
#include "process/host_parts.h"

enum {
	ANSWER_MAX_BYTES = 32768,
	CONNECT_MS = 10 * 1000,
	STALL_MS = 30 * 1000,
	TOTAL_MS = 10 * 60 * 1000, /* a block has up to 64 MiB */
};

struct ld_hand_in {
	int64_t now_s;
	/* To a directory: */
	struct ld_home home; /* of the log */
	struct ld_ledger ledger;
	struct ld_signer *signer;
	struct ld_log *log;
	struct host_witnesses *witnesses;
	/* To a host: */
	char *url;
	struct ld_fetcher *fetcher;
};

/* ---- A directory ----------------------------------------------------------------------------- */

static void
witness_tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

/* As the host does: about what is there, and from now on about what is added. */
static int
witnesses_ask(struct ld_hand_in *x, struct ld_report *report)
{
	int err = host_witnesses_new(&x->witnesses, x->ledger.policy, NULL, witness_tell, report);

	if (err != LINDUNG_OK)
		return err;
	host_witnesses_for(x->witnesses, x->log);
	return host_witnesses_count(x->witnesses) != 0 ? ld_log_refresh(x->log, report)
						       : LINDUNG_OK;
}

static int
folder_open(struct ld_hand_in *x, const char *where, const struct ld_hand_in_options *options,
	    struct ld_report *report)
{
	const struct ld_ledger_options reading = {
		.log = where, .policy = options->policy, .now_s = options->now_s};
	const char *key = NULL;
	int err = ld_home_key(&key, &x->home, options->log_key != NULL ? options->log_key : "log",
			      ".key", report);

	if (err == LINDUNG_OK)
		err = ld_home_signer(&x->signer, key, options->passphrase_fd, report);
	if (err == LINDUNG_OK)
		err = ld_home_log(&where, &x->home, where, report);
	if (err == LINDUNG_OK)
		err = ld_log_open(&x->log, where, x->signer, report);
	if (err == LINDUNG_OK)
		err = ld_ledger_policy(&x->ledger, &x->home, &reading, report);
	if (err == LINDUNG_OK && ld_policy_trust(x->ledger.policy)->witness_count != 0)
		err = witnesses_ask(x, report);
	/* What a crash left is finished before the log is read: what was handed in then, and is
	 * again now because nobody answered, stands in it already. */
	if (err == LINDUNG_OK)
		err = ld_log_finish(x->log, report);
	if (err == LINDUNG_OK)
		err = ld_ledger_read(&x->ledger, &x->home, &reading, report);
	return err;
}

static int
folder_give(struct ld_hand_in *x, const struct ld_parcel *parcel, uint64_t *ret_index,
	    struct ld_report *report)
{
	const struct ld_block_source blocks = ld_ledger_blocks(&x->ledger);
	struct ld_statement statement;
	uint8_t id[LD_STATEMENT_ID_BYTES];
	int err = ld_quorum_admits(x->ledger.quorum, parcel->note, x->now_s, report);

	if (err == LINDUNG_OK)
		err = ld_parcel_check(parcel, &statement, id, report);
	/* The block first: a follower that sees the statement finds it. */
	if (err == LINDUNG_OK && parcel->block.len != 0)
		err = ld_log_put_block(x->log, statement.block_hash, parcel->block, report);
	if (err == LINDUNG_OK)
		err = ld_log_append(x->log, &parcel->note, 1, ret_index, report);
	if (err == LINDUNG_OK) {
		err = ld_quorum_add(x->ledger.quorum, *ret_index, parcel->note, &blocks);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "%s", lindung_strerror(err));
	}
	return err;
}

/* ---- A host -----------------------------------------------------------------------------------
 */

static int
host_open(struct ld_hand_in *x, const char *where, struct ld_report *report)
{
	const struct ld_fetch_options options = {
		.connect_ms = CONNECT_MS, .stall_ms = STALL_MS, .total_ms = TOTAL_MS};
	size_t len = strlen(where);

	while (len > 0 && where[len - 1] == '/')
		len--;
	if (asprintf(&x->url, "%.*s/submit", (int)len, where) < 0) {
		x->url = NULL;
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	return ld_fetcher_new(&x->fetcher, &options, report);
}

/* The first line of what the host says, cut. */
static struct ld_span
first_line(const struct ld_buffer *body)
{
	struct ld_span text = ld_span_first(ld_buffer_span(body), 300);

	return ld_span_first(text, ld_span_find(text, '\n'));
}

/* The number of the statement, out of its receipt (C2SP tlog-proof). */
static uint64_t
receipt_index(const struct ld_buffer *body)
{
	static const char field[] = "\nindex ";
	const uint8_t *found =
		body->len != 0 ? memmem(body->data, body->len, field, sizeof field - 1) : NULL;
	uint64_t index = 0;

	if (found == NULL)
		return UINT64_MAX;
	for (found += sizeof field - 1;
	     found < body->data + body->len && *found >= '0' && *found <= '9' && index < UINT32_MAX;
	     found++)
		index = index * 10 + (uint64_t)(*found - '0');
	return index;
}

static int
host_give(struct ld_hand_in *x, const struct ld_parcel *parcel, uint64_t *ret_index,
	  struct ld_report *report)
{
	struct ld_fetch fetch = {.url = x->url, .limit_bytes = ANSWER_MAX_BYTES};
	/* The two parts stand one behind the other where they came from. */
	struct ld_span body = {parcel->note.data, parcel->note.len + parcel->block.len};
	struct ld_span line;
	int err;

	LD_ASSERT(parcel->block.len == 0 ||
		  parcel->block.data == parcel->note.data + parcel->note.len);
	ld_buffer_init(&fetch.body, ANSWER_MAX_BYTES);
	ld_fetch_post(x->fetcher, &fetch, "application/octet-stream", body);
	err = fetch.error;
	line = first_line(&fetch.body);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "%s: %.300s", x->url, fetch.report.text);
	else if (fetch.status != 200 && fetch.status != 202)
		err = ld_fail(report, LINDUNG_EDENIED, "%s: refused (%u): %.*s", x->url,
			      fetch.status, (int)line.len, (const char *)line.data);
	else
		*ret_index = fetch.status == 200 ? receipt_index(&fetch.body) : UINT64_MAX;
	ld_buffer_free(&fetch.body);
	return err;
}

/* ---- What is offered ---------------------------------------------------------------------------
 */

int
ld_hand_in_open(struct ld_hand_in **ret, struct ld_home *home, const char *where,
		const struct ld_hand_in_options *options, struct ld_report *report)
{
	struct ld_hand_in *x = calloc(1, sizeof *x);
	int err;

	if (x == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	x->now_s = options->now_s;
	if (ld_home_is_url(where)) {
		err = host_open(x, where, report);
	} else {
		/* An operator's directory has the keys of its log; a bare log does not. */
		err = ld_home_find(&x->home, home->path, report);
		if (err == LINDUNG_OK)
			ld_home_enter(&x->home, where);
		if (err == LINDUNG_OK)
			err = folder_open(x, where, options, report);
	}
	if (err != LINDUNG_OK) {
		ld_hand_in_close(x);
		return err;
	}
	*ret = x;
	return LINDUNG_OK;
}

int
ld_hand_in_give(struct ld_hand_in *hand_in, const struct ld_parcel *parcel, uint64_t *ret_index,
		struct ld_report *report)
{
	return hand_in->url != NULL ? host_give(hand_in, parcel, ret_index, report)
				    : folder_give(hand_in, parcel, ret_index, report);
}

void
ld_hand_in_close(struct ld_hand_in *hand_in)
{
	if (hand_in == NULL)
		return;
	ld_log_close(hand_in->log);
	host_witnesses_free(hand_in->witnesses);
	ld_ledger_close(&hand_in->ledger);
	ld_signer_free(hand_in->signer);
	ld_fetcher_free(hand_in->fetcher);
	ld_home_free(&hand_in->home);
	free(hand_in->url);
	free(hand_in);
}
