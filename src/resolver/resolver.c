/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/resolver.h"

#include <stdlib.h>
#include <sys/random.h>

#include "resolver/worker.h"

/* ---- The resolver: what its workers share ------------------------------------------------- */

static int
check_config(const struct ld_resolver_config *config, struct ld_report *report)
{
	if (config->udp_payload_bytes < LD_UDP_MIN_BYTES)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "the UDP payload size is %u: give at least %d bytes",
			       config->udp_payload_bytes, LD_UDP_MIN_BYTES);
	if (config->cache_bytes != 0 && config->cache_bytes < LD_CACHE_BYTES_MIN)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "the cache has %zu bytes for each thread: give at least %d "
			       "(cache.size-bytes is for all of them)",
			       config->cache_bytes, LD_CACHE_BYTES_MIN);
	if (config->block_mode == LD_BLOCK_ADDRESS && !config->has_address4 &&
	    !config->has_address6)
		return ld_fail(report, LINDUNG_ECONFIG,
			       "closed names are to be answered with an address: give one");
	return LINDUNG_OK;
}

/* mname, rname, serial, refresh, retry, expire, and how long "no" holds. */
static void
make_soa(struct ld_resolver *resolver)
{
	struct ld_writer w = ld_writer(resolver->soa, sizeof resolver->soa);

	ld_writer_bytes(&w, LD_SPAN("\7lindung\7invalid\0\6nobody\7invalid\0"));
	ld_writer_be32(&w, 1);
	ld_writer_be32(&w, 3600);
	ld_writer_be32(&w, 1200);
	ld_writer_be32(&w, 604800);
	ld_writer_be32(&w, resolver->config.block_ttl_s);
	LD_ASSERT(!w.failed);
	resolver->soa_len = w.len;
}

static int
copy_categories(struct ld_resolver *resolver, const struct ld_resolver_config *config)
{
	if (config->categories == NULL)
		return LINDUNG_OK;
	/* One more, so that an empty list is not a failed allocation. */
	resolver->categories = calloc(config->category_count + 1u, sizeof *resolver->categories);
	if (resolver->categories == NULL)
		return LINDUNG_ENOMEM;
	for (unsigned i = 0; i < config->category_count; i++) {
		resolver->categories[i] = strdup(config->categories[i]);
		if (resolver->categories[i] == NULL)
			return LINDUNG_ENOMEM;
	}
	return LINDUNG_OK;
}

/* Errors: LINDUNG_ENOMEM, LINDUNG_ENAME. */
static int
copy_names(struct ld_name **ret, unsigned *ret_count, const char *const *texts, unsigned count)
{
	*ret = calloc(count + 1u, sizeof **ret);
	if (*ret == NULL)
		return LINDUNG_ENOMEM;
	for (; *ret_count < count; (*ret_count)++) {
		int error = ld_name_from_text(&(*ret)[*ret_count], ld_span_str(texts[*ret_count]));

		if (error != LINDUNG_OK)
			return error;
	}
	return LINDUNG_OK;
}

static int
copy_domains(struct ld_resolver *resolver, const struct ld_resolver_config *config)
{
	int error = copy_names(&resolver->rebinding_allowed, &resolver->rebinding_allowed_count,
			       config->rebinding_allowed, config->rebinding_allowed_count);

	if (error == LINDUNG_OK)
		error = copy_names(&resolver->shared, &resolver->shared_count, config->shared,
				   config->shared_count);
	return error;
}

/* All that the resolver knows without asking anybody. */
static int
make_parts(struct ld_resolver *resolver, const struct ld_resolver_config *config,
	   struct ld_report *report)
{
	struct ld_discovery_config identity = {
		.name = config->identity_name,
		.info_url = config->info_url,
		.tls_port = config->tls_port,
		.https_port = config->https_port,
		.recursive = config->recursive,
	};
	int error = copy_categories(resolver, config);

	if (error != LINDUNG_OK)
		return ld_fail(report, error, "no memory for the resolver");
	error = copy_domains(resolver, config);
	if (error != LINDUNG_OK)
		return ld_fail(report, error,
			       error == LINDUNG_ENAME ? "an allowed or shared domain is no name"
						      : "no memory for the resolver");
	error = ld_local_init(resolver, config, report);
	if (error == LINDUNG_OK)
		error = ld_discovery_init(&resolver->discovery, &identity, resolver->house, report);
	if (error != LINDUNG_OK)
		return error;
	error = ld_cookie_secrets_init(&resolver->cookies, config->cookie_secrets,
				       config->cookie_secret_count);
	if (error != LINDUNG_OK)
		return ld_fail(report, error, "no secret for cookies: %s", lindung_strerror(error));
	make_soa(resolver);
	return ld_explain_init(&resolver->explain, &config->explain, report);
}

int
ld_resolver_new(struct ld_resolver **ret, const struct ld_resolver_config *config,
		struct ld_report *report)
{
	int error = check_config(config, report);
	struct ld_resolver *resolver;

	if (error != LINDUNG_OK)
		return error;
	resolver = calloc(1, sizeof *resolver);
	if (resolver == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "no memory for the resolver");
	resolver->config = *config;
	error = make_parts(resolver, config, report);
	if (error != LINDUNG_OK) {
		ld_resolver_free(resolver);
		return error;
	}
	/* Copied; what they pointed at may go. */
	resolver->config.categories = NULL;
	resolver->config.cookie_secrets = NULL;
	resolver->config.explain = (struct ld_explain_config){0};
	resolver->config.local_names = NULL;
	resolver->config.identity_name = resolver->config.info_url = NULL;
	resolver->config.rebinding_allowed = resolver->config.shared = NULL;
	*ret = resolver;
	return LINDUNG_OK;
}

void
ld_resolver_free(struct ld_resolver *resolver)
{
	if (resolver == NULL)
		return;
	for (unsigned i = 0; resolver->categories != NULL && resolver->categories[i] != NULL; i++)
		free(resolver->categories[i]);
	free(resolver->categories);
	ld_house_free(resolver->house);
	free(resolver->rebinding_allowed);
	free(resolver->shared);
	free(resolver);
}

/* ---- A worker ----------------------------------------------------------------------------- */

int
ld_worker_new(struct ld_worker **ret, const struct ld_resolver *resolver)
{
	struct ld_worker *worker = calloc(1, sizeof *worker);
	int error = LINDUNG_OK;

	if (worker == NULL)
		return LINDUNG_ENOMEM;
	worker->resolver = resolver;
	if (getrandom(&worker->secret, sizeof worker->secret, 0) != sizeof worker->secret)
		error = LINDUNG_EIO;
	else
		error = ld_rate_new(&worker->rate, &resolver->config.rate);
	if (error == LINDUNG_OK && resolver->config.cache_bytes != 0)
		error = ld_cache_new(&worker->cache, resolver->config.cache_bytes,
				     (int64_t)resolver->config.cache_stale_s * 1000);
	if (error != LINDUNG_OK) {
		ld_worker_free(worker);
		return error;
	}
	worker->cache_bytes = ld_cache_used_bytes(worker->cache);
	*ret = worker;
	return LINDUNG_OK;
}

void
ld_worker_free(struct ld_worker *worker)
{
	if (worker == NULL)
		return;
	ld_cache_free(worker->cache);
	ld_rate_free(worker->rate);
	free(worker);
}

void
ld_worker_set_list(struct ld_worker *worker, const struct lindung *list)
{
	char *const *categories = worker->resolver->categories;

	worker->list = list;
	worker->list_generation++;
	worker->foreseen_at = worker->foreseen_count = 0;
	worker->active = categories == NULL ? LINDUNG_ALL : 0;
	ld_explain_set_list(worker);
	if (list == NULL)
		return;
	for (unsigned i = 0; categories != NULL && categories[i] != NULL; i++) {
		int number = lindung_category_find(list, categories[i], strlen(categories[i]));

		if (number >= 0)
			worker->active |= UINT64_C(1) << number;
	}
}

void
ld_worker_count(struct ld_worker *worker, enum ld_counter counter)
{
	/* One writer: no locked addition is needed, only that readers see whole numbers. */
	uint64_t now = atomic_load_explicit(&worker->counters[counter], memory_order_relaxed);

	atomic_store_explicit(&worker->counters[counter], now + 1, memory_order_relaxed);
}

uint64_t
ld_worker_counter(const struct ld_worker *worker, enum ld_counter counter)
{
	return atomic_load_explicit(&worker->counters[counter], memory_order_relaxed);
}

size_t
ld_worker_cache_bytes(const struct ld_worker *worker)
{
	return atomic_load_explicit(&worker->cache_bytes, memory_order_relaxed);
}

/* ---- Questions ---------------------------------------------------------------------------- */

uint64_t
ld_ask_hash(const struct ld_ask *ask)
{
	return ask->hash;
}

bool
ld_ask_same(const struct ld_ask *a, const struct ld_ask *b)
{
	return a->hash == b->hash && a->type == b->type && a->class_ == b->class_ &&
	       ((a->flags ^ b->flags) & LD_FLAG_CD) == 0 && ld_name_equal(&a->name, &b->name);
}

/* What the client told, to answer by. */
static void
take_client(struct ld_ask *ask, const struct ld_from *from, const struct ld_query *query)
{
	ask->hash = 0;
	ask->has_stale = false;
	ask->rewritten.len = 0;
	ask->name.len = ask->name.labels = 0;
	ask->type = ask->class_ = 0;
	if (query->has_question) {
		ask->name.len = query->name.len;
		ask->name.labels = query->name.labels;
		memcpy(ask->name.wire, query->name.wire, query->name.len);
		ask->type = query->type;
		ask->class_ = query->class_;
	}
	ask->id = query->id;
	ask->flags = query->flags;
	ask->udp_size = query->udp_size;
	ask->edns = query->edns;
	ask->dnssec_ok = query->dnssec_ok;
	ask->from = *from;
	ask->proven = from->transport != LD_TRANSPORT_UDP;
	ask->structured_error = query->options.structured_error;
	/* RFC 8467: where an observer sees the length anyhow, padding hides nothing. */
	ask->padding = query->options.padding && (from->transport == LD_TRANSPORT_TLS ||
						  from->transport == LD_TRANSPORT_HTTPS);
	/* RFC 7828 section 3.4; HTTP has its own ways. */
	ask->keepalive = query->options.keepalive && (from->transport == LD_TRANSPORT_TCP ||
						      from->transport == LD_TRANSPORT_TLS);
	ask->cookie_len = 0;
}

/* What the client proves by its cookie, and the one that it gets. */
static void
take_cookie(struct ld_worker *worker, struct ld_ask *ask, struct ld_span cookie)
{
	const struct ld_resolver *resolver = worker->resolver;

	if (cookie.len == 0 || resolver->config.unix_s == NULL || ask->from.address_len == 0)
		return;
	bool valid = ld_cookie_take(&resolver->cookies, worker->cookie_days, cookie,
				    ld_span(ask->from.address, ask->from.address_len),
				    resolver->config.unix_s(), ask->cookie);
	ask->proven |= valid;
	ask->cookie_len = LD_COOKIE_BYTES;
}

/* What is wrong with the options, and known only together with how the query came. */
static enum ld_fault
check_options(struct ld_worker *worker, struct ld_ask *ask, const struct ld_query *query)
{
	if (ask->keepalive && query->options.keepalive_filled) {
		ask->keepalive = false;
		return LD_FAULT_FORMERR;
	}
	if (query->options.cookie.len == 0)
		return LD_FAULT_NONE;
	take_cookie(worker, ask, query->options.cookie);
	/* RFC 7873 section 5.2.3 and 5.2.4. */
	return worker->resolver->config.cookie_required && !ask->proven && ask->cookie_len != 0
		       ? LD_FAULT_BADCOOKIE
		       : LD_FAULT_NONE;
}

static enum ld_step
answer_fault(struct ld_worker *worker, enum ld_fault fault, const struct ld_ask *ask,
	     struct ld_writer *answer)
{
	static const uint8_t rcodes[] = {
		[LD_FAULT_FORMERR] = LD_RCODE_FORMERR,
		[LD_FAULT_NOTIMP] = LD_RCODE_NOTIMP,
		[LD_FAULT_BADVERS] = LD_RCODE_BADVERS,
		[LD_FAULT_BADCOOKIE] = LD_RCODE_BADCOOKIE,
		[LD_FAULT_COOKIE_ONLY] = LD_RCODE_NOERROR,
	};

	if (fault == LD_FAULT_DROP) {
		ld_worker_count(worker, LD_COUNTER_DROPPED);
		return LD_STEP_DROP;
	}
	ld_answer_empty(worker, ask, rcodes[fault], -1, (struct ld_span){NULL, 0}, answer);
	ld_worker_count(worker,
			fault == LD_FAULT_COOKIE_ONLY ? LD_COUNTER_LOCAL : LD_COUNTER_FORMERR);
	return LD_STEP_ANSWER;
}

/* Questions that no resolver for the public answers: other classes, zone transfers, and types that
 * are no data. */
static bool
is_refused(const struct ld_ask *ask)
{
	if (ask->class_ != LD_CLASS_IN)
		return true;
	switch (ask->type) {
	case 0:
	case LD_TYPE_OPT:
	case LD_TYPE_TKEY:
	case LD_TYPE_TSIG:
	case LD_TYPE_IXFR:
	case LD_TYPE_AXFR:
	case LD_TYPE_MAILB:
	case LD_TYPE_MAILA:
		return true;
	default:
		return false;
	}
}

static enum ld_step
refuse(struct ld_worker *worker, const struct ld_ask *ask, int ede, struct ld_writer *answer)
{
	ld_answer_empty(worker, ask, LD_RCODE_REFUSED, ede, (struct ld_span){NULL, 0}, answer);
	ld_worker_count(worker, LD_COUNTER_REFUSED);
	return LD_STEP_ANSWER;
}

static enum ld_step
fail(struct ld_worker *worker, const struct ld_ask *ask, int ede, struct ld_span text,
     struct ld_writer *answer)
{
	ld_answer_empty(worker, ask, LD_RCODE_SERVFAIL, ede, text, answer);
	ld_worker_count(worker, LD_COUNTER_FAILED);
	return LD_STEP_ANSWER;
}

static enum ld_step
answer_locally(struct ld_worker *worker, const struct ld_local *local, const struct ld_ask *ask,
	       struct ld_writer *answer)
{
	ld_local_answer(worker, local, ask, answer);
	ld_worker_count(worker, LD_COUNTER_LOCAL);
	return LD_STEP_ANSWER;
}

/* Where a list rewrites a name to is judged like a name asked for, and if it is one that is
 * answered here it does not leave either.  False: it is to be looked for. */
static bool
answer_rewritten(struct ld_worker *worker, const struct ld_ask *ask, const struct ld_name *lower,
		 const struct lindung_answer *verdict, struct ld_writer *answer)
{
	struct lindung_answer target;
	struct ld_local local;
	bool is_local = ld_local_find(worker->resolver, lower, ask->type, &local);

	if (!is_local && ld_rewrite_closed(worker, ask, verdict, answer))
		return true;
	if (!is_local &&
	    (local.known == NULL || !ld_judge_name(worker, lower, &target) || target.is_protected))
		return false;
	ld_local_answer(worker, &local, ask, answer);
	ld_worker_count(worker, LD_COUNTER_REWRITTEN);
	return true;
}

/* A name that no list closes. */
static enum ld_step
find_answer(struct ld_worker *worker, int64_t now_ms, struct ld_ask *ask, struct ld_name *lower,
	    const struct lindung_answer *verdict, struct ld_writer *answer)
{
	if (ask->type == LD_TYPE_ANY) {
		ld_local_answer_any(worker, ask, answer);
		ld_worker_count(worker, LD_COUNTER_LOCAL);
		return LD_STEP_ANSWER;
	}
	if (verdict->verdict == LINDUNG_REWRITE) {
		if (ld_rewrite_answer(worker, ask, verdict, answer))
			return LD_STEP_ANSWER;
		ld_lower_name(lower, &ask->name);
		if (answer_rewritten(worker, ask, lower, verdict, answer))
			return LD_STEP_ANSWER;
	}
	/* Not even from the cache: it would tell what others asked for. */
	if ((ask->flags & LD_FLAG_RD) == 0)
		return refuse(worker, ask, LD_EDE_NOT_AUTHORITATIVE, answer);
	return ld_kept_answer(worker, now_ms, ask, lower, verdict, answer) ? LD_STEP_ANSWER
									   : LD_STEP_ASK;
}

static bool
may_ask(const struct ld_worker *worker, const struct ld_from *from)
{
	const struct ld_prefixes *access = worker->resolver->config.access;

	return access == NULL || ld_prefixes_hold(access, from->address, from->address_len);
}

/* Who may not ask.  What is malformed, too, gets no answer. */
static enum ld_step
deny(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms, struct ld_span query,
     struct ld_writer *answer, struct ld_ask *ask)
{
	ld_worker_count(worker, LD_COUNTER_DENIED);
	if (worker->resolver->config.access_drop ||
	    ld_query_parse(&worker->query, query) != LD_FAULT_NONE) {
		ld_worker_count(worker, LD_COUNTER_DROPPED);
		return LD_STEP_DROP;
	}
	take_client(ask, from, &worker->query);
	(void)refuse(worker, ask, LD_EDE_PROHIBITED, answer);
	return ld_limit_answer(worker, now_ms, ask, answer) ? LD_STEP_ANSWER : LD_STEP_DROP;
}

/* What the query asks, once it is known who does and what is wrong with it. */
static enum ld_step
decide(struct ld_worker *worker, int64_t now_ms, enum ld_fault fault, struct ld_ask *ask,
       struct ld_writer *answer)
{
	struct ld_name lower;
	struct ld_local local;
	struct lindung_answer verdict;

	if (fault != LD_FAULT_NONE)
		return answer_fault(worker, fault, ask, answer);
	if (is_refused(ask))
		return refuse(worker, ask, -1, answer);
	if (ask->type == LD_TYPE_NXNAME) { /* RFC 9824 section 3.5: never asked for */
		ld_answer_empty(worker, ask, LD_RCODE_FORMERR, LD_EDE_INVALID_TYPE,
				(struct ld_span){NULL, 0}, answer);
		ld_worker_count(worker, LD_COUNTER_FORMERR);
		return LD_STEP_ANSWER;
	}
	ld_lower_name(&lower, &ask->name);
	if (ld_discovery_is_asked(&worker->resolver->discovery, &lower, ask->type)) {
		ld_local_answer_identity(worker, ask, answer);
		ld_worker_count(worker, LD_COUNTER_LOCAL);
		return LD_STEP_ANSWER;
	}
	if (ld_local_find(worker->resolver, &lower, ask->type, &local))
		return answer_locally(worker, &local, ask, answer);
	if (worker->list == NULL)
		return fail(worker, ask, LD_EDE_NOT_READY, LD_NOT_READY_TEXT, answer);
	if (!ld_judge_name(worker, &lower, &verdict))
		return fail(worker, ask, LD_EDE_OTHER, LD_UNREADABLE_TEXT, answer);
	if (verdict.verdict == LINDUNG_BLOCK) {
		ld_block_answer(worker, ask, &verdict, &lower, false, answer);
		return LD_STEP_ANSWER;
	}
	if (local.known != NULL && !verdict.is_protected)
		return answer_locally(worker, &local, ask, answer);
	return find_answer(worker, now_ms, ask, &lower, &verdict, answer);
}

/* As far as who asks decides it. */
static enum ld_step
admit(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms, struct ld_span query,
      struct ld_writer *answer, struct ld_ask *ask)
{
	enum ld_fault fault;
	enum ld_step step;

	if (!may_ask(worker, from))
		return deny(worker, from, now_ms, query, answer, ask);
	fault = ld_query_parse(&worker->query, query);
	take_client(ask, from, &worker->query);
	if (fault == LD_FAULT_NONE || fault == LD_FAULT_COOKIE_ONLY) {
		enum ld_fault more = check_options(worker, ask, &worker->query);

		fault = more != LD_FAULT_NONE ? more : fault;
	}
	if (fault != LD_FAULT_DROP && ld_limit_query(worker, now_ms, ask, answer, &step))
		return step;
	step = decide(worker, now_ms, fault, ask, answer);
	return step == LD_STEP_ANSWER && !ld_limit_answer(worker, now_ms, ask, answer)
		       ? LD_STEP_DROP
		       : step;
}

enum ld_step
ld_worker_query(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms,
		struct ld_span query, struct ld_writer *answer, struct ld_ask *ret_ask)
{
	/* In the order of enum ld_transport. */
	ld_worker_count(worker, (enum ld_counter)(LD_COUNTER_QUERIES_UDP + from->transport));
	worker->closed = false;
	ret_ask->refresh = false;
	return admit(worker, from, now_ms, query, answer, ret_ask);
}
