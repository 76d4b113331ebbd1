/* One query's life, from bytes to bytes: parse, judge, find in the cache, answer.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * No sockets, no clock, no allocation on the way of a query: the server (process/thread) hands in
 * bytes and the time, and takes bytes out.  A query that no list closes and that the cache does not
 * hold is asked upstream by the server, which brings the reply back:
 *
 *     ld_worker_query() -> LD_STEP_ANSWER  send `answer`
 *                       -> LD_STEP_DROP    send nothing
 *                       -> LD_STEP_ASK     ask upstream for `ask`; then
 *                            ld_worker_learn()    once a question: into the cache
 *                            ld_worker_finish()   once a waiting client: its answer
 *
 * With an answer, too, `ask.refresh` may say that its end is near and that it is asked for often:
 * ask upstream once more, and ld_worker_learn(); no client waits for that.  With LD_STEP_ASK,
 * `ask.has_stale` says that there is an answer that has expired (RFC 8767): a client that has
 * waited for LD_STALE_WAIT_MS is told that by ld_worker_stale(), while the question goes on.
 *
 * In which order a query is decided: who may not ask, and who asks too often; what is wrong with
 * it; classes and types that are refused; special names that never leave (localhost, .local,
 * .onion, private reverse zones ...: local.c), with the names of the house below them; the list;
 * other names of the house, unless they are protected; ANY (RFC 8482); a rewritten name, and where
 * it leads; without RD: refused, so that nobody learns from the cache what others asked for; the
 * cache; upstream.
 * What comes back is judged too: an answer that leads (CNAME, DNAME, SVCB, HTTPS) to a closed name
 * is closed, also when it comes out of the cache after the list has changed.  A protected name may
 * lead where it likes, and one that the list opens in some categories is not closed in these by
 * where it leads.
 *
 * Threads: a `struct ld_resolver` is read-only after it is made and shared; a `struct ld_worker`
 * (cache, counters, scratch) is one thread's.  Counters may be read by another thread at any time.
 */
#ifndef LD_RESOLVER_RESOLVER_H
#define LD_RESOLVER_RESOLVER_H

#include <lindung/lindung.h>

#include "base/bytes.h"
#include "base/error.h"
#include "name/name.h"
#include "net/prefix.h"

enum ld_transport {
	LD_TRANSPORT_UDP,
	LD_TRANSPORT_TCP,
	LD_TRANSPORT_TLS,   /* DoT, RFC 7858 */
	LD_TRANSPORT_HTTPS, /* DoH, RFC 8484 */
};

/** Who asks, and over what.  Never written anywhere. */
struct ld_from {
	uint8_t transport;   /* enum ld_transport */
	uint8_t address_len; /* octets: 4 or 16; 0 where nobody knows */
	uint8_t address[16]; /* in network order; IPv4 in the first four */
};

enum ld_step { LD_STEP_ANSWER, LD_STEP_DROP, LD_STEP_ASK };

/** How a closed name is answered (design: "A blocked answer"). */
enum ld_block_mode {
	LD_BLOCK_NXDOMAIN,
	LD_BLOCK_NODATA,
	LD_BLOCK_ZERO,    /* 0.0.0.0 and ::, other types NODATA */
	LD_BLOCK_ADDRESS, /* address4 and address6, other types NODATA */
};

/** What clients are told of closed names, beside why.  Texts are UTF-8; NULL: the default. */
struct ld_explain_config {
	const char *text;            /* before the categories; "Blocked"; at most 48 octets */
	const char *const *contacts; /* URIs with tel: or mailto: */
	unsigned contact_count;
	const char *organisation; /* who closed it; none */
	const char *language;     /* of `text` and `organisation`, as in RFC 5646; "en" */
};

/** Limits on how often those from one place are answered (rate.h); all zero: none. */
struct ld_rate_config {
	/* Answers to one prefix; of those without data, of names that are not, of errors: 0 as the
	 * first.  At most 1000000. */
	uint32_t per_second, nodata_per_second, nxdomain_per_second, error_per_second;
	uint32_t client_per_second;       /* queries of one IPv4 address or IPv6 prefix */
	uint32_t window_s;                /* how long at most one is shut out who asks no more */
	uint32_t slip, leak;              /* of those held back every n-th is sent: cut, or whole */
	uint8_t prefix4, prefix6;         /* bits of an address that make a place */
	const struct ld_prefixes *exempt; /* who is not counted; borrowed, may be NULL */
};

struct ld_resolver_config {
	enum ld_block_mode block_mode;
	uint8_t address4[4];
	uint8_t address6[16];
	bool has_address4, has_address6;
	uint32_t block_ttl_s; /* 10 to 60 */
	uint16_t block_ede;   /* 15, 16 or 17 */
	struct ld_explain_config explain;
	bool upstream_filters;     /* it closes names without an extended error */
	bool rebinding_protection; /* refuse private addresses for names of the public DNS */
	const char *const *rebinding_allowed; /* but for these domains */
	unsigned rebinding_allowed_count;
	/* Domains under which strangers share an infrastructure: an entry that is one of them, or
	 * above it, does not close a name by being its alias's target. */
	const char *const *shared;
	unsigned shared_count;
	const char *const *categories; /* keys enforced; NULL: every category of the index */
	unsigned category_count;
	size_t cache_bytes; /* of one worker, all included; 0: no cache, else at least 262144 */
	uint32_t cache_ttl_max_s, cache_negative_ttl_max_s, cache_ttl_min_s;
	/* For so long after it has expired an answer is given if there is no other; 0: never. */
	uint32_t cache_stale_s;
	uint32_t cache_failure_ttl_max_s; /* a failure is remembered for a second at least */
	bool cache_prefetch;
	uint16_t udp_payload_bytes; /* advertised and respected at most; 1232 */
	/* Seconds since 1970, for the times in cookies; NULL: none are given out. */
	uint32_t (*unix_s)(void);
	/* For cookies that other machines know, too (cookie.h); none: random ones. */
	const uint8_t *cookie_secrets;
	unsigned cookie_secret_count;
	bool cookie_required; /* over UDP, whoever sends a cookie that is not ours gets no more */
	/* Names of the house, each "NAME ADDRESS..." (house.h); copied. */
	const char *const *local_names;
	unsigned local_name_count;
	bool canaries; /* the names that ask whether a filter may be gone round are closed */
	/* Who we are, for clients that look for encrypted transports (RFC 9462) or ask what we do
	 * (RFC 9606).  NULL or "": nobody in particular. */
	const char *identity_name, *info_url;
	uint16_t tls_port, https_port; /* 0: not served */
	bool recursive; /* upstream are the authoritative servers themselves (RFC 9156) */
	uint32_t tcp_idle_ms, tls_idle_ms; /* told to clients that ask how long (RFC 7828) */
	/* Who may ask; NULL: everybody.  Borrowed.  Others are answered REFUSED, or not at all. */
	const struct ld_prefixes *access;
	bool access_drop;
	struct ld_rate_config rate;
};

struct ld_resolver;
struct ld_worker;

/** Errors: LINDUNG_ECONFIG (udp_payload_bytes below 512, cache_bytes, no address for
 * LD_BLOCK_ADDRESS), LINDUNG_ENOMEM.  `config` and its keys are copied. */
int ld_resolver_new(struct ld_resolver **ret, const struct ld_resolver_config *config,
		    struct ld_report *report);
void ld_resolver_free(struct ld_resolver *resolver);

/** All memory that the worker will ever use is taken here.  Errors: LINDUNG_ENOMEM, LINDUNG_EIO (no
 * random numbers). */
int ld_worker_new(struct ld_worker **ret, const struct ld_resolver *resolver);
void ld_worker_free(struct ld_worker *worker);

/** The image that queries are judged by from now on; NULL: none (everything is answered SERVFAIL
 * with EDE 14 Not Ready: a filter without its list must not let names through).  Borrowed until
 * the next call. */
void ld_worker_set_list(struct ld_worker *worker, const struct lindung *list);

enum { LD_FORESEE_MAX = 16 };

/** Judge the names of up to LD_FORESEE_MAX queries at once, ahead of ld_worker_query() for each of
 * them in this order: the waiting for memory is done together.  It changes nothing but how long
 * they take.  Forgotten by the next call and with the list. */
void ld_worker_foresee(struct ld_worker *worker, const struct ld_span *queries, unsigned count);

/** What the server keeps of a query while upstream is asked.  Plain data, made by
 * ld_worker_query(): copy it, change nothing. */
struct ld_ask {
	uint64_t hash;       /* what ld_ask_hash() gives */
	struct ld_name name; /* what to ask upstream for, in the case the client used */
	/* The client's own name, where a list rewrites it to `name` by a CNAME; else len 0. */
	struct ld_name rewritten;
	uint16_t type;
	uint16_t class_;
	uint16_t id;
	uint16_t flags;    /* of the query's header */
	uint16_t udp_size; /* what the client takes over UDP: 512 without EDNS */
	bool edns, dnssec_ok;
	bool proven;           /* he receives at `from`: a connection, or a cookie of ours */
	bool structured_error; /* he understands structured errors (option 26) */
	bool padding;          /* he pads, over an encrypted transport */
	bool keepalive;        /* he asks how long a connection may be idle */
	uint8_t cookie_len;    /* of the one to answer with; 0: none */
	uint8_t cookie[24];
	bool refresh;   /* it is answered, but ask for it again */
	bool has_stale; /* an answer that has expired is there */
	struct ld_from from;
};

/** Hash of what makes two questions the same upstream (name in any case, type, class, CD).  Keyed
 * by a secret of the worker that made the ask: compare only asks of one worker. */
uint64_t ld_ask_hash(const struct ld_ask *ask);
bool ld_ask_same(const struct ld_ask *a, const struct ld_ask *b);

/** Take one query in; `answer` is an empty writer over the send buffer: for UDP of at
 * least the configured payload size, else of 65535 bytes.  *ret_ask is scratch unless LD_STEP_ASK
 * is returned; but `refresh` is always set. */
enum ld_step ld_worker_query(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms,
			     struct ld_span query, struct ld_writer *answer,
			     struct ld_ask *ret_ask);

/** Whether an answer over UDP that somebody else made, of a zone, may be sent: rate limits are for
 * all that leaves.  If not, it is emptied. */
bool ld_worker_may_answer(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms,
			  struct ld_writer *answer);

struct ld_upstream_result;

enum {
	LD_STALE_WAIT_MS = 1800, /* RFC 8767 section 5: the client response timer */
};

/** Answer a client with what has expired.  False if that is gone: let it wait on. */
bool ld_worker_stale(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		     struct ld_writer *answer);

/** Put what upstream said into the cache, or the failure for a while (RFC 9520). */
void ld_worker_learn(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		     const struct ld_upstream_result *result);

/** Write the answer for one client that waited; judges what came back, too (targets of CNAME).  If
 * upstream failed it is a stale one, if there is one; but not if what upstream has is bogus. */
void ld_worker_finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		      const struct ld_upstream_result *result, struct ld_writer *answer);

/* Counters: X(symbol, metric name, help).  Each is a total since the start; no label ever holds a
 * name or a client.  Every answer is of one kind: `local` are special names and ANY, `formerr` also
 * NOTIMP, BADVERS and BADCOOKIE, `failed` every SERVFAIL. */
#define LD_COUNTERS(X)                                                                             \
	X(QUERIES_UDP, "lindung_queries_total{transport=\"udp\"}", "Queries received.")            \
	X(QUERIES_TCP, "lindung_queries_total{transport=\"tcp\"}", "Queries received.")            \
	X(QUERIES_TLS, "lindung_queries_total{transport=\"tls\"}", "Queries received.")            \
	X(QUERIES_HTTPS, "lindung_queries_total{transport=\"https\"}", "Queries received.")        \
	X(BLOCKED, "lindung_answers_total{kind=\"blocked\"}", "Answers sent, by kind.")            \
	X(REWRITTEN, "lindung_answers_total{kind=\"rewritten\"}", "Answers sent, by kind.")        \
	X(CACHED, "lindung_answers_total{kind=\"cached\"}", "Answers sent, by kind.")              \
	X(STALE, "lindung_answers_total{kind=\"stale\"}", "Answers sent, by kind.")                \
	X(RESOLVED, "lindung_answers_total{kind=\"resolved\"}", "Answers sent, by kind.")          \
	X(FAILED, "lindung_answers_total{kind=\"failed\"}", "Answers sent, by kind.")              \
	X(LOCAL, "lindung_answers_total{kind=\"local\"}", "Answers sent, by kind.")                \
	X(REFUSED, "lindung_answers_total{kind=\"refused\"}", "Answers sent, by kind.")            \
	X(FORMERR, "lindung_answers_total{kind=\"formerr\"}", "Answers sent, by kind.")            \
	X(REBINDING, "lindung_answers_total{kind=\"rebinding\"}", "Answers sent, by kind.")        \
	X(DROPPED, "lindung_dropped_total", "Packets that got no answer.")                         \
	X(DENIED, "lindung_denied_total", "Queries and connections from those who may not ask.")   \
	X(PROXY_REJECTED, "lindung_proxy_rejected_total",                                          \
	  "Where proxies speak: packets without a PROXY header, packets and connections from "     \
	  "elsewhere.")                                                                            \
	X(RATE_DROPPED, "lindung_rate_limited_total{action=\"dropped\"}",                          \
	  "Answers that a rate limit held back, by what was done.")                                \
	X(RATE_SLIPPED, "lindung_rate_limited_total{action=\"slipped\"}",                          \
	  "Answers that a rate limit held back, by what was done.")                                \
	X(RATE_LEAKED, "lindung_rate_limited_total{action=\"leaked\"}",                            \
	  "Answers that a rate limit held back, by what was done.")                                \
	X(RATE_REFUSED, "lindung_rate_limited_total{action=\"refused\"}",                          \
	  "Answers that a rate limit held back, by what was done.")                                \
	X(TRUNCATED, "lindung_truncated_total", "Answers cut to fit UDP.")                         \
	X(CACHE_EVICTED, "lindung_cache_evictions_total", "Entries that made room for others.")    \
	X(FAILED_CACHED, "lindung_failures_cached_total",                                          \
	  "Failures answered from the cache, without asking again.")                               \
	X(PREFETCHED, "lindung_prefetches_total",                                                  \
	  "Questions asked upstream ahead of the end of an answer in use.")                        \
	X(ASKED, "lindung_upstream_questions_total", "Questions asked upstream.")                  \
	X(ASK_JOINED, "lindung_upstream_joined_total", "Queries that waited for one in flight.")   \
	X(WAIT_REFUSED, "lindung_waiters_refused_total{limit=\"all\"}",                            \
	  "Queries that could not wait for upstream, by the limit reached.")                       \
	X(WAIT_REFUSED_CLIENT, "lindung_waiters_refused_total{limit=\"client\"}",                  \
	  "Queries that could not wait for upstream, by the limit reached.")                       \
	X(WAIT_REFUSED_QUESTION, "lindung_waiters_refused_total{limit=\"question\"}",              \
	  "Queries that could not wait for upstream, by the limit reached.")                       \
	X(ASK_FAILED, "lindung_upstream_failures_total", "Questions upstream did not answer.")

enum ld_counter {
#define LD_X(symbol, metric, help) LD_COUNTER_##symbol,
	LD_COUNTERS(LD_X)
#undef LD_X
		LD_COUNTER_COUNT
};

/** Add one (for the server's own: ASKED, ASK_JOINED ...). */
void ld_worker_count(struct ld_worker *worker, enum ld_counter counter);
/** Read a counter, from any thread. */
uint64_t ld_worker_counter(const struct ld_worker *worker, enum ld_counter counter);
/** Bytes that the cache uses now, from any thread. */
size_t ld_worker_cache_bytes(const struct ld_worker *worker);

#endif
