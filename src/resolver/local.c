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

int
ld_local_init(struct ld_resolver *resolver)
{
	_Static_assert(sizeof locals / sizeof *locals == LD_LOCAL_COUNT, "one for each row");
	for (unsigned i = 0; i < LD_LOCAL_COUNT; i++) {
		int error = ld_name_from_text(&resolver->locals[i], ld_span_str(locals[i].name));

		if (error != LINDUNG_OK)
			return error;
	}
	return LINDUNG_OK;
}

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

bool
ld_local_find(const struct ld_resolver *resolver, const struct ld_name *lower, struct ld_local *ret)
{
	uint8_t starts[LD_NAME_LABELS_MAX];
	size_t at = 0;

	for (unsigned i = 0; i < lower->labels; i++) {
		starts[i] = (uint8_t)at;
		at += lower->wire[at] + 1u;
	}
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
		*ret = (struct ld_local){(enum ld_local_kind)locals[i].kind, (uint8_t)apex_at};
		return true;
	}
	return false;
}

/* The SOA that RFC 6303 section 3 gives to empty zones, its MNAME the zone itself. */
static void
add_soa(struct ld_writer *w, size_t owner_at)
{
	static const uint8_t rest[] = "\6nobody\7invalid\0\0\0\0\1\0\0\x0e\x10\0\0\4\xb0\0\x09\x3a"
				      "\x80\0\0\x2a\x30";
	uint8_t rdata[2 + sizeof rest - 1];

	ld_put_be16(rdata, (uint16_t)(LD_POINTER | owner_at));
	memcpy(rdata + 2, rest, sizeof rest - 1);
	ld_build_record(w, LD_COUNT_AUTHORITY, owner_at, LD_TYPE_SOA, LOCAL_TTL_S,
			ld_span(rdata, sizeof rdata));
}

void
ld_local_answer(struct ld_worker *worker, const struct ld_local *local, const struct ld_ask *ask,
		struct ld_writer *w)
{
	static const uint8_t loopback[16] = {[15] = 1};
	bool exists = local->kind == LD_LOCAL_LOOPBACK || local->kind == LD_LOCAL_NODATA ||
		      (local->kind == LD_LOCAL_ZONE && local->apex_at == 0);
	struct ld_answer_start start = {
		.rcode = exists ? LD_RCODE_NOERROR : LD_RCODE_NXDOMAIN,
	};
	struct ld_answer answer;

	ld_answer_begin(&answer, worker, ask, &start, w);
	if (local->kind == LD_LOCAL_LOOPBACK && ask->type == LD_TYPE_A)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_A, LOCAL_TTL_S,
				LD_SPAN("\x7f\0\0\1"));
	else if (local->kind == LD_LOCAL_LOOPBACK && ask->type == LD_TYPE_AAAA)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_AAAA, LOCAL_TTL_S,
				ld_span(loopback, sizeof loopback));
	else
		add_soa(w, LD_QUESTION_AT + local->apex_at);
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
