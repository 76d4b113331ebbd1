/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	LOCAL_TTL_S = 10800, /* RFC 6303 section 3 */
	ANY_TTL_S = 3600,
};

/* Names that mean something else than a name of the DNS, or something only where they are used.
 * Asking for them elsewhere would tell strangers what a home looks like, and has no useful answer.
 * X(name, kind, low, high): with high != 0 it is the label below that counts, a number from low to
 * high. */
/* clang-format off */
#define LOCALS(X)                                                                                  \
	X("localhost", LOOPBACK, 0, 0)                 /* RFC 6761 section 6.3 */                  \
	X("invalid", NXDOMAIN, 0, 0)                   /* RFC 6761 section 6.4 */                  \
	X("test", NXDOMAIN, 0, 0)                      /* RFC 6761 section 6.2 */                  \
	X("onion", NXDOMAIN, 0, 0)                     /* RFC 7686 */                              \
	X("local", NXDOMAIN, 0, 0)                     /* RFC 6762 section 22.1: multicast only */ \
	X("alt", NXDOMAIN, 0, 0)                       /* RFC 9476 */                              \
	X("home.arpa", ZONE, 0, 0)                     /* RFC 8375 */                              \
	X("service.arpa", ZONE, 0, 0)                  /* RFC 9665 section 10.1 */                 \
	X("resolver.arpa", NODATA, 0, 0)               /* RFC 9462 section 8.2 */                  \
	X("10.in-addr.arpa", ZONE, 0, 0)               /* RFC 6303 section 4, to the end */        \
	X("172.in-addr.arpa", ZONE, 16, 31)                                                        \
	X("168.192.in-addr.arpa", ZONE, 0, 0)                                                      \
	X("100.in-addr.arpa", ZONE, 64, 127)           /* RFC 7793 */                              \
	X("0.in-addr.arpa", ZONE, 0, 0)                                                            \
	X("127.in-addr.arpa", ZONE, 0, 0)                                                          \
	X("254.169.in-addr.arpa", ZONE, 0, 0)                                                      \
	X("2.0.192.in-addr.arpa", ZONE, 0, 0)                                                      \
	X("100.51.198.in-addr.arpa", ZONE, 0, 0)                                                   \
	X("113.0.203.in-addr.arpa", ZONE, 0, 0)                                                    \
	X("255.255.255.255.in-addr.arpa", ZONE, 0, 0)                                              \
	X("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", ZONE, 0, 0)  \
	X("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", ZONE, 0, 0)  \
	X("d.f.ip6.arpa", ZONE, 0, 0)                                                              \
	X("8.e.f.ip6.arpa", ZONE, 0, 0)                                                            \
	X("9.e.f.ip6.arpa", ZONE, 0, 0)                                                            \
	X("a.e.f.ip6.arpa", ZONE, 0, 0)                                                            \
	X("b.e.f.ip6.arpa", ZONE, 0, 0)                                                            \
	X("8.b.d.0.1.0.0.2.ip6.arpa", ZONE, 0, 0)
/* clang-format on */

static const struct {
	const char *name;
	uint8_t kind, low, high;
} locals[] = {
#define X(name, kind, low, high) {name, LD_LOCAL_##kind, low, high},
	LOCALS(X)
#undef X
};

static unsigned
label_number(const uint8_t *label)
{
	unsigned number = 0;

	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[0] > 3 || label[i] < '0' || label[i] > '9')
			return 0;
		number = number * 10 + (label[i] - '0');
	}
	return number;
}

static bool
has_top(const struct ld_resolver *resolver, const uint8_t *label)
{
	if (label[0] >= sizeof resolver->local_tops[0])
		return false;
	for (unsigned i = 0; i < resolver->local_top_count; i++) {
		const uint8_t *top = resolver->local_tops[i];

		/* Length and first letter tell nearly all apart; every query comes by here. */
		if (top[0] == label[0] && top[1] == label[1] &&
		    memcmp(top, label, label[0] + 1u) == 0)
			return true;
	}
	return false;
}

/* Whether the name is a special one or lies below it. */
static bool
find_special(const struct ld_resolver *resolver, const struct ld_name *lower, struct ld_local *ret)
{
	uint8_t starts[LD_NAME_LABELS_MAX];
	size_t at = 0;

	for (unsigned i = 0; i < lower->labels; i++) {
		starts[i] = (uint8_t)at;
		at += lower->wire[at] + 1u;
	}
	if (lower->labels == 0 || !has_top(resolver, lower->wire + starts[lower->labels - 1]))
		return false;
	for (unsigned i = 0; i < LD_LOCAL_COUNT; i++) {
		const struct ld_name *name = &resolver->locals[i];
		unsigned labels = name->labels + (locals[i].high != 0);

		if (lower->len < name->len || lower->labels < labels ||
		    memcmp(lower->wire + lower->len - name->len, name->wire, name->len) != 0 ||
		    starts[lower->labels - name->labels] != lower->len - name->len)
			continue;
		size_t apex_at = starts[lower->labels - labels];
		unsigned number = label_number(lower->wire + apex_at);
		if (locals[i].high != 0 && (number < locals[i].low || number > locals[i].high))
			continue;
		ret->kind = (enum ld_local_kind)locals[i].kind;
		ret->apex_at = (uint8_t)apex_at;
		return true;
	}
	return false;
}

/* The last labels of the special names: few, so that for most names one look is enough. */
static void
remember_top(struct ld_resolver *resolver, const struct ld_name *name)
{
	const uint8_t *label = name->wire;

	while (label[label[0] + 1] != 0)
		label += label[0] + 1;
	if (has_top(resolver, label))
		return;
	LD_ASSERT(resolver->local_top_count < LD_LOCAL_TOPS_MAX &&
		  label[0] < sizeof resolver->local_tops[0]);
	memcpy(resolver->local_tops[resolver->local_top_count++], label, label[0] + 1u);
}

/* What stands between a name of the house and the special name above it exists (RFC 8020), and so
 * does that itself. */
static int
put_between(void *ctx, const struct ld_name *lower)
{
	struct ld_resolver *resolver = ctx;
	struct ld_name name = *lower;
	struct ld_local local;

	if (!find_special(resolver, lower, &local))
		return LINDUNG_OK;
	for (unsigned at = local.apex_at; at > 0 && name.wire[0] != 0;) {
		unsigned step = name.wire[0] + 1u;
		int error;

		at -= step;
		name.len = (uint8_t)(name.len - step);
		name.labels--;
		memmove(name.wire, name.wire + step, name.len);
		error = ld_house_put(resolver->house, &name, LD_HOUSE_DATA);
		if (error != LINDUNG_OK)
			return error;
	}
	return LINDUNG_OK;
}

/* Firefox asks for the first before it turns DNS over HTTPS on by itself; Apple's devices ask for
 * the others before they send all names through a relay. */
static int
put_canaries(struct ld_resolver *resolver)
{
	static const char *const canaries[] = {"use-application-dns.net", "mask.icloud.com",
					       "mask-h2.icloud.com"};
	int error = LINDUNG_OK;

	for (unsigned i = 0; i < 3 && error == LINDUNG_OK; i++) {
		struct ld_name name;

		error = ld_name_from_text(&name, ld_span_str(canaries[i]));
		if (error == LINDUNG_OK)
			error = ld_house_put(resolver->house, &name, LD_HOUSE_CLOSED);
	}
	return error;
}

int
ld_local_init(struct ld_resolver *resolver, const struct ld_resolver_config *config,
	      struct ld_report *report)
{
	int error = LINDUNG_OK;

	_Static_assert(sizeof locals / sizeof *locals == LD_LOCAL_COUNT, "one for each row");
	if (config->local_name_count > LD_HOUSE_LINES_MAX)
		return ld_fail(report, LINDUNG_ECONFIG, "local.names: more than %d names",
			       LD_HOUSE_LINES_MAX);
	for (unsigned i = 0; i < LD_LOCAL_COUNT && error == LINDUNG_OK; i++) {
		error = ld_name_from_text(&resolver->locals[i], ld_span_str(locals[i].name));
		if (error == LINDUNG_OK)
			remember_top(resolver, &resolver->locals[i]);
	}
	if (error == LINDUNG_OK)
		error = ld_house_new(&resolver->house, 4 * config->local_name_count);
	for (unsigned i = 0; i < config->local_name_count && error == LINDUNG_OK; i++) {
		error = ld_house_add(resolver->house, ld_span_str(config->local_names[i]), report);
		if (error == LINDUNG_ECONFIG)
			return error;
	}
	if (error == LINDUNG_OK && config->local_name_count != 0)
		error = ld_house_each(resolver->house, put_between, resolver);
	if (error == LINDUNG_OK && config->canaries)
		error = put_canaries(resolver);
	return error == LINDUNG_OK ? error
				   : ld_fail(report, error, "no memory for the local names");
}

bool
ld_local_find(const struct ld_resolver *resolver, const struct ld_name *lower, uint16_t type,
	      struct ld_local *ret)
{
	ret->known = ld_house_find(resolver->house, lower);
	ret->apex_at = 0;
	ret->kind = LD_LOCAL_NODATA;
	if (find_special(resolver, lower, ret)) {
		/* Whether a zone is signed, the zone above it says. */
		if (type != LD_TYPE_DS || ret->kind != LD_LOCAL_ZONE || ret->apex_at != 0)
			return true;
		ret->known = NULL;
		return false;
	}
	if (type == LD_TYPE_DS)
		ret->known = NULL;
	return ret->known != NULL && ret->known->kind == LD_HOUSE_CLOSED;
}

/* The SOA that RFC 6303 section 3 gives to empty zones, its MNAME the zone itself.  Where a
 * household has names of its own, "no" holds no longer than these. */
static void
add_soa(const struct ld_resolver *resolver, struct ld_writer *w, size_t owner_at)
{
	static const uint8_t rest[] = "\6nobody\7invalid\0\0\0\0\1\0\0\x0e\x10\0\0\4\xb0\0\x09\x3a"
				      "\x80";
	uint8_t rdata[2 + sizeof rest - 1 + 4];
	uint32_t ttl = resolver->config.local_name_count != 0 ? LD_HOUSE_TTL_S : LOCAL_TTL_S;

	ld_put_be16(rdata, (uint16_t)(LD_POINTER | owner_at));
	memcpy(rdata + 2, rest, sizeof rest - 1);
	ld_put_be32(rdata + sizeof rdata - 4, ttl);
	ld_build_record(w, LD_COUNT_AUTHORITY, owner_at, LD_TYPE_SOA, ttl,
			ld_span(rdata, sizeof rdata));
}

/* What the house knows of this type; for ANY those of one type (RFC 8482).  False: nothing. */
static bool
add_known(const struct ld_house_name *known, uint16_t type, size_t owner_at, struct ld_writer *w)
{
	const struct ld_house_record *record = known->records;

	if (record != NULL && type == LD_TYPE_ANY)
		type = record->type;
	bool any = false;
	for (; record != NULL; record = record->next) {
		if (record->type != type)
			continue;
		ld_build_record(w, LD_COUNT_ANSWER, owner_at, type, LD_HOUSE_TTL_S, record->rdata);
		any = true;
	}
	return any;
}

static bool
add_loopback(uint16_t type, size_t owner_at, struct ld_writer *w)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if (type == LD_TYPE_A)
		ld_build_record(w, LD_COUNT_ANSWER, owner_at, type, LOCAL_TTL_S,
				LD_SPAN("\x7f\0\0\1"));
	else if (type == LD_TYPE_AAAA)
		ld_build_record(w, LD_COUNT_ANSWER, owner_at, type, LOCAL_TTL_S,
				ld_span(loopback, sizeof loopback));
	return type == LD_TYPE_A || type == LD_TYPE_AAAA;
}

static bool
exists(const struct ld_local *local)
{
	if (local->known != NULL)
		return local->known->kind == LD_HOUSE_DATA;
	return local->kind == LD_LOCAL_LOOPBACK || local->kind == LD_LOCAL_NODATA ||
	       (local->kind == LD_LOCAL_ZONE && local->apex_at == 0);
}

/* The CNAME of a rewritten name; where its target stands. */
static size_t
add_alias(const struct ld_resolver *resolver, const struct ld_ask *ask, struct ld_writer *w)
{
	ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_CNAME,
			resolver->config.block_ttl_s, ld_span(ask->name.wire, ask->name.len));
	return w->failed ? LD_QUESTION_AT : w->len - ask->name.len;
}

void
ld_local_answer(struct ld_worker *worker, const struct ld_local *local, const struct ld_ask *ask,
		struct ld_writer *w)
{
	struct ld_writer edes = ld_writer(worker->edes, sizeof worker->edes);
	struct ld_answer_start start = {.rcode = exists(local) ? LD_RCODE_NOERROR
							       : LD_RCODE_NXDOMAIN};
	bool is_rewritten = ask->rewritten.len != 0;
	struct ld_answer answer;
	size_t owner_at = LD_QUESTION_AT;

	/* A canary: whoever asks is told why. */
	if (local->known != NULL && local->known->kind == LD_HOUSE_CLOSED)
		ld_ede_put(&edes, worker->resolver->config.block_ede, LD_CANARY_TEXT);
	start.edes = ld_span(edes.data, edes.len);
	if (is_rewritten)
		ld_explain_passed(worker, ask, true, start.edes, &start);
	ld_answer_begin(&answer, worker, ask, &start, w);
	if (is_rewritten)
		owner_at = add_alias(worker->resolver, ask, w);
	bool any = local->known != NULL && add_known(local->known, ask->type, owner_at, w);
	if (!any && local->kind == LD_LOCAL_LOOPBACK)
		any = add_loopback(ask->type, owner_at, w);
	if (!any)
		add_soa(worker->resolver, w, owner_at + local->apex_at);
	ld_answer_end(&answer, worker);
}

/* RFC 9606 section 3: without AA it might be the word of some resolver behind us. */
void
ld_local_answer_identity(struct ld_worker *worker, const struct ld_ask *ask, struct ld_writer *w)
{
	struct ld_answer answer;

	ld_answer_begin(&answer, worker, ask, &(struct ld_answer_start){.authoritative = true}, w);
	ld_discovery_add(&worker->resolver->discovery, ask->type, w);
	ld_answer_end(&answer, worker);
}

void
ld_local_answer_any(struct ld_worker *worker, const struct ld_ask *ask, struct ld_writer *w)
{
	struct ld_answer answer;

	ld_answer_begin(&answer, worker, ask, &(struct ld_answer_start){0}, w);
	ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_HINFO, ANY_TTL_S,
			LD_SPAN("\7RFC8482\0"));
	ld_answer_end(&answer, worker);
}
