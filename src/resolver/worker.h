/* What the files of this folder share: the resolver and the worker from inside.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_RESOLVER_WORKER_H
#define LD_RESOLVER_WORKER_H

#include <stdatomic.h>

#include "resolver/cache.h"
#include "resolver/cookie.h"
#include "resolver/discovery.h"
#include "resolver/house.h"
#include "resolver/rate.h"
#include "resolver/resolver.h"
#include "upstream/upstream.h"
#include "wire/build.h"

enum {
	LD_LOCAL_COUNT = 28,
	LD_LOCAL_TOPS_MAX = 8,
	LD_SOA_MAX_BYTES = 64,
	LD_MEMO_BITS = 8,
	LD_MEMOS = 1 << LD_MEMO_BITS,
	/* Of explain.text, which stands before the reason; of the JSON in an extended error. */
	LD_EXPLAIN_TEXT_MAX_BYTES = 48,
	LD_EXPLAIN_JSON_MAX_BYTES = 1536,
	LD_TOLD_MAX_BYTES = LD_EXPLAIN_JSON_MAX_BYTES + LD_EDES_MAX_BYTES + LD_EDE_BYTES + 64,
};

/** The registry of sub-errors (draft-ietf-dnsop-structured-dns-error). */
enum ld_sub_error {
	LD_SUB_ERROR_MALWARE = 1,
	LD_SUB_ERROR_PHISHING = 2,
	LD_SUB_ERROR_DNS_OPERATOR = 6,
};

/** What is told of every closed name, ready to be copied: strings and arrays of JSON, but `text`.
 */
struct ld_explain {
	uint16_t contacts_len, organisation_len, language_len, text_len;
	uint8_t contacts[640], organisation[200], language[40];
	uint8_t text[LD_EXPLAIN_TEXT_MAX_BYTES];
};

enum ld_local_kind {
	LD_LOCAL_ZONE,     /* an empty zone: it exists, what is below it does not */
	LD_LOCAL_NODATA,   /* it and what is below it exist and have nothing */
	LD_LOCAL_NXDOMAIN, /* it and what is below it do not exist */
	LD_LOCAL_LOOPBACK, /* it and what is below it are this machine */
};

/** What a name is that is answered here and never asked upstream (RFC 6761 and others). */
struct ld_local {
	enum ld_local_kind kind;
	uint8_t apex_at;                   /* where in the name the special name begins */
	const struct ld_house_name *known; /* what the house itself knows of it, or NULL */
};

struct ld_resolver {
	struct ld_resolver_config config; /* its categories are our own copy */
	char **categories;
	struct ld_name locals[LD_LOCAL_COUNT];
	unsigned local_top_count;
	uint8_t local_tops[LD_LOCAL_TOPS_MAX][16]; /* their last labels, each once */
	struct ld_house *house;
	struct ld_discovery discovery;
	struct ld_cookie_secrets cookies;
	/* Rdata of the SOA in answers that a list closes. */
	uint8_t soa[LD_SOA_MAX_BYTES];
	size_t soa_len;
	struct ld_explain explain;
	struct ld_name *rebinding_allowed, *shared;
	unsigned rebinding_allowed_count, shared_count;
};

/** Why a name is closed, as its client is told. */
struct ld_memo {
	const char *source; /* in the list, whose number is list_generation */
	uint64_t blocked;   /* in which categories */
	int category;       /* that is shown */
	uint32_t list_generation;
	uint8_t len;
	uint8_t text[LD_EDE_TEXT_MAX_BYTES];
};

struct ld_worker {
	const struct ld_resolver *resolver;
	const struct lindung *list;
	uint64_t active; /* the categories that count */
	/* Counts lists set: an entry of the cache remembers with which one it was judged. */
	uint32_t list_generation;
	struct ld_cache *cache;
	struct ld_rate *rate; /* NULL: nothing is limited */
	uint64_t secret;      /* keys the hash of questions */
	_Atomic size_t cache_bytes;
	_Atomic uint64_t counters[LD_COUNTER_COUNT];
	uint8_t sub_errors[LINDUNG_CATEGORY_MAX]; /* 0: none */
	struct ld_memo memos[LD_MEMOS];           /* by a hash: the last one asked for */
	struct ld_cookie_day cookie_days[2];
	/* What was judged ahead; from foreseen_at on it is still to be asked for. */
	unsigned foreseen_at, foreseen_count;
	struct lindung_question foreseen[LD_FORESEE_MAX];
	uint8_t foreseen_names[LD_FORESEE_MAX][LD_NAME_WIRE_MAX + 1];
	/* Scratch of one call. */
	bool closed; /* what is answered is that a list closes the name */
	struct ld_query query;
	struct ld_copy copy;
	uint8_t message[LD_CACHE_MESSAGE_MAX_BYTES];
	uint8_t targets[LD_CACHE_TARGETS_MAX_BYTES];
	uint8_t edes[LD_EDES_MAX_BYTES];      /* what upstream said */
	uint8_t kept_edes[LD_EDES_MAX_BYTES]; /* what is said of an entry */
	struct ld_writer told, told_shorter;  /* over these */
	uint8_t told_memory[2][LD_TOLD_MAX_BYTES];
};

/* ---- answer.c: the frame that every answer stands in -------------------------------------- */

/** An answer being written. */
struct ld_answer {
	const struct ld_ask *ask;
	struct ld_writer *w;
	size_t size; /* that it may have */
	size_t question_end;
	struct ld_opt opt;
};

/** What every answer begins with. */
struct ld_answer_start {
	uint16_t rcode; /* up to 12 bits */
	bool authoritative;
	bool secure; /* AD, if the client asked for it */
	/* Extended errors, and in short if there is little room; valid until the end. */
	struct ld_span edes, edes_shorter;
};

/** Name that the client asked for. */
const struct ld_name *ld_ask_client_name(const struct ld_ask *ask);

/** The header's flags for an answer to this client. */
uint16_t ld_answer_flags(const struct ld_ask *ask, const struct ld_answer_start *start);

/** Set the limits of size, leaving room for OPT (but not for extended errors, which take what is
 * left at the end); nothing is written. */
void ld_answer_frame(struct ld_answer *answer, const struct ld_worker *worker,
		     const struct ld_ask *ask, const struct ld_answer_start *start,
		     struct ld_writer *w);
/** Frame, header and question. */
void ld_answer_begin(struct ld_answer *answer, const struct ld_worker *worker,
		     const struct ld_ask *ask, const struct ld_answer_start *start,
		     struct ld_writer *w);
/** Cut it if it did not fit, and close it with OPT. */
void ld_answer_end(struct ld_answer *answer, struct ld_worker *worker);

/** Why nothing can be judged. */
#define LD_NOT_READY_TEXT LD_SPAN("The list is not loaded")
#define LD_UNREADABLE_TEXT LD_SPAN("The list cannot be read")

/** A whole answer without records. */
void ld_answer_bare(struct ld_worker *worker, const struct ld_ask *ask,
		    const struct ld_answer_start *start, struct ld_writer *w);
/** The same with one extended error, or with none (-1). */
void ld_answer_empty(struct ld_worker *worker, const struct ld_ask *ask, unsigned rcode, int ede,
		     struct ld_span ede_text, struct ld_writer *w);

/* ---- local.c: names answered here --------------------------------------------------------- */

/** Why Firefox' and Apple's questions are answered with no. */
#define LD_CANARY_TEXT LD_SPAN("Devices here keep to this resolver")

/** Errors: LINDUNG_ECONFIG, LINDUNG_ENOMEM. */
int ld_local_init(struct ld_resolver *resolver, const struct ld_resolver_config *config,
		  struct ld_report *report);
/** Whether the name is a special one or lies below it: answered before the list is asked.  If not,
 * ret->known may still be set: a name of the house that holds unless the list speaks of it. */
bool ld_local_find(const struct ld_resolver *resolver, const struct ld_name *lower, uint16_t type,
		   struct ld_local *ret);
/** For a rewritten name: the CNAME, and what is known of its target. */
void ld_local_answer(struct ld_worker *worker, const struct ld_local *local,
		     const struct ld_ask *ask, struct ld_writer *w);
/** What we say of ourselves (discovery.h). */
void ld_local_answer_identity(struct ld_worker *worker, const struct ld_ask *ask,
			      struct ld_writer *w);
/** The minimal answer to ANY (RFC 8482). */
void ld_local_answer_any(struct ld_worker *worker, const struct ld_ask *ask, struct ld_writer *w);

/* ---- judge.c: what a list says, of a name and of where an answer leads
 * ---------------------------- */

/** Copy in lower case. */
void ld_lower_wire(uint8_t *ret, const uint8_t *wire, size_t len);
void ld_lower_name(struct ld_name *ret, const struct ld_name *name);

/* ---- foresee.c: several names judged at once ---------------------------------------------- */

/** Under what hash the answer to a question is kept. */
uint64_t ld_kept_hash(const struct ld_worker *worker, struct ld_span lower, uint16_t type,
		      uint16_t class_, uint16_t flags);

/** What came out for this name, if it was judged ahead by the list in force; NULL if not. */
const struct lindung_question *ld_foreseen_find(struct ld_worker *worker,
						const struct ld_name *lower);

/** Judge a name in lower case.  False if the list could not be asked: answer SERVFAIL. */
bool ld_judge_name(struct ld_worker *worker, const struct ld_name *lower,
		   struct lindung_answer *ret);

/** Where the answer leads to: the next name that must be judged.  A walk over the answer section of
 * a response; see ld_targets_next(). */
struct ld_targets {
	struct ld_span message;
	struct ld_walk walk;
};

bool ld_targets_begin(struct ld_targets *targets, struct ld_span message);
/** The next target, in lower case: of CNAME, of DNAME (put in place of its owner at the end of the
 * name asked for), of SVCB and HTTPS.  False at the end, or where the message is malformed. */
bool ld_targets_next(struct ld_targets *targets, struct ld_name *ret);

/** True, with its verdict, if one of the targets of a name is closed; `verdict`: of that name.
 * Those of a protected name may be anything; those of others are not judged in categories that the
 * name was explicitly allowed in, but always by what an authority ordered.  The second takes them
 * one behind the other in wire form and lower case. */
bool ld_judge_message(const struct ld_worker *worker, const struct lindung_answer *verdict,
		      struct ld_span message, struct ld_name *ret_name, struct lindung_answer *ret);
bool ld_judge_targets(const struct ld_worker *worker, const struct lindung_answer *verdict,
		      struct ld_span targets, struct ld_name *ret_name, struct lindung_answer *ret);

/* ---- explain.c: why, for people and for programs ------------------------------------------- */

/** What is known of one closed name.  Texts are of any octets, `sub_error` 0 for none; `log` and
 * `log_id` name the entry of a public log that says so, if there is one. */
struct ld_explanation {
	struct ld_span justification;
	uint8_t sub_error;
	struct ld_span log, log_id;
};

/** Errors: LINDUNG_ECONFIG with a report. */
int ld_explain_init(struct ld_explain *ret, const struct ld_explain_config *config,
		    struct ld_report *report);

/** The text of a structured error: one object of I-JSON without blanks, nothing if it would say
 * nothing.  `is_short`: without what may be left out where there is little room. */
void ld_explain_json(const struct ld_explain *explain, const struct ld_explanation *what,
		     bool is_short, struct ld_writer *w);

/** A list was set. */
void ld_explain_set_list(struct ld_worker *worker);

/** The extended error for a closed name.  With 16 (an authority's order) no more is told, and
 * whoever has such a name cannot be told from others that have it. */
uint16_t ld_explain_code(const struct ld_worker *worker, const struct lindung_answer *verdict);

/** Put into `start` why the list closes this name... */
void ld_explain_closed(struct ld_worker *worker, const struct ld_ask *ask,
		       const struct lindung_answer *verdict, struct ld_answer_start *start);
/** ... or what others said of the answer, and that a list rewrote it. */
void ld_explain_passed(struct ld_worker *worker, const struct ld_ask *ask, bool is_rewritten,
		       struct ld_span edes, struct ld_answer_start *start);

/** The extended error for an address that is not to be told. */
void ld_explain_rebinding(const struct ld_worker *worker, struct ld_writer *edes);

/* ---- rebind.c: addresses that no name of the public DNS may have ---------------------------- */

/** True if the answer to a question for `name` holds one, in A, AAAA, or a hint of SVCB or HTTPS,
 * and the name is not allowed to. */
bool ld_rebind_found(const struct ld_resolver *resolver, const struct ld_name *name,
		     struct ld_span message);

/* ---- block.c: answers for what a list closes or rewrites ----------------------------------- */

/** The answer for a closed name.  `lower`: the name that is closed, which is the question's, or a
 * target's (`is_target`). */
void ld_block_answer(struct ld_worker *worker, const struct ld_ask *ask,
		     const struct lindung_answer *verdict, const struct ld_name *lower,
		     bool is_target, struct ld_writer *w);

/** The answer where upstream gave addresses that are not to be told; `edes` says so. */
void ld_block_rebinding(struct ld_worker *worker, const struct ld_ask *ask, struct ld_span edes,
			struct ld_writer *w);

/** A verdict "rewrite" that is answered at once: true.  False: `ask` now asks for the target. */
bool ld_rewrite_answer(struct ld_worker *worker, struct ld_ask *ask,
		       const struct lindung_answer *verdict, struct ld_writer *w);
/** The target itself is closed: true, and it is answered so.  `verdict`: of the client's name. */
bool ld_rewrite_closed(struct ld_worker *worker, const struct ld_ask *ask,
		       const struct lindung_answer *verdict, struct ld_writer *w);

/* ---- limit.c: how often those from one place are answered --------------------------------- */

/** Count an answer that is written.  False: it is not to be sent, and is taken back; else it is to
 * be sent as it is now, which may be cut. */
bool ld_limit_answer(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		     struct ld_writer *answer);
/** Count a query.  True: there are too many, and *ret is what becomes of this one. */
bool ld_limit_query(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		    struct ld_writer *answer, enum ld_step *ret);

/* ---- reply.c: what upstream said, written anew for a client -------------------------------- */

/** What is in a response, as far as it concerns us. */
struct ld_reply {
	struct ld_span message; /* empty: a failure */
	uint16_t rcode;
	bool secure;
	bool is_cut;
	uint32_t age_s;
	uint32_t stale_ttl_s; /* TTL of all records; 0: their own */
	bool is_rebinding;    /* it gives addresses that are not to be told */
	struct ld_span edes;  /* extended errors: in the worker's scratch, or in the cache */
};

/** Take in what upstream said.  What is no answer to this question is a failure, and so is a rcode
 * that speaks of what we asked, not of what our client did. */
struct ld_reply ld_reply_read(struct ld_worker *worker, const struct ld_ask *ask,
			      const struct ld_upstream_result *result);

/** A failure because what upstream has cannot be trusted (DNSSEC). */
bool ld_reply_is_bogus(const struct ld_reply *reply);

/** Judge the client's name once more: the list may have been changed since the question was asked.
 * True if it is answered by that. */
bool ld_reply_judge(struct ld_worker *worker, const struct ld_ask *ask,
		    struct lindung_answer *verdict, struct ld_writer *w);

/** Make worker->copy ready for this client's question. */
void ld_reply_prepare_copy(struct ld_worker *worker, const struct ld_ask *ask, uint32_t age_s);

/** Write a response for the client.  False if it turns out malformed: nothing is written then. */
bool ld_reply_write(struct ld_worker *worker, const struct ld_ask *ask,
		    const struct ld_reply *reply, struct ld_writer *w);

/** SERVFAIL, and why: with the extended errors, or with one. */
void ld_reply_failure(struct ld_worker *worker, const struct ld_ask *ask, struct ld_span edes,
		      struct ld_writer *w);
void ld_reply_trouble(struct ld_worker *worker, const struct ld_ask *ask, int ede,
		      struct ld_span text, struct ld_writer *w);

/* ---- kept.c and learn.c: out of the cache and into it -------------------------------------- */

/** The keys of a question. */
struct ld_keys {
	uint64_t name_hash;
	struct ld_cache_key answer;
};

/** `lower`: ask->name; it must stay. */
void ld_keys_init(struct ld_keys *keys, const struct ld_worker *worker, const struct ld_ask *ask,
		  const struct ld_name *lower);
/** That the name does not exist, whatever the type. */
struct ld_cache_key ld_keys_no_name(const struct ld_keys *keys);
/** That upstream failed. */
struct ld_cache_key ld_keys_failure(const struct ld_keys *keys);

/** Answer from the cache if it can be; `lower`: ask->name; `verdict`: of the client's name.  Sets
 * ask->hash, and `refresh` if it is answered, else `has_stale`. */
bool ld_kept_answer(struct ld_worker *worker, int64_t now_ms, struct ld_ask *ask,
		    const struct ld_name *lower, const struct lindung_answer *verdict,
		    struct ld_writer *w);

/** Whether an answer from the cache can be given, fresh or stale. */
bool ld_kept_may_be_stale(const struct ld_worker *worker, int64_t now_ms,
			  const struct ld_cache_entry *entry);

/** Answer with what is in the cache, even if it is stale; false if it is not there.  `causes`:
 * extended errors of upstream's failure. */
bool ld_kept_stale(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		   struct ld_span causes, const struct lindung_answer *verdict,
		   struct ld_writer *w);

#endif
