/* What a policy comes to once it is read: groups, and one rule a category.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the files of this folder.  Immutable once read; any number of threads. */
#ifndef LD_QUORUM_RULES_H
#define LD_QUORUM_RULES_H

#include "base/arena.h"
#include "log/merkle.h"
#include "quorum/policy.h"
#include "quorum/popular.h"

enum {
	LD_RULE_NONE = -1, /* no group */
	LD_KIND_ANY = 0xff,
};

/* "INT" in two octets that are no country's. */
#define LD_COUNTRY_INT "**"

/* X(symbol, key) */
#define LD_SEALED(X)                                                                               \
	X(ALLOWED, "allowed")                                                                      \
	X(REQUIRED, "required")                                                                    \
	X(REFUSED, "refused")

enum ld_sealed {
#define LD_X(symbol, key) LD_SEALED_##symbol,
	LD_SEALED(LD_X)
#undef LD_X
};

enum ld_member_type {
	LD_MEMBER_PARTY,     /* number: of the policy's parties */
	LD_MEMBER_ATTRIBUTE, /* kind, country */
	LD_MEMBER_WITNESS,
	LD_MEMBER_GROUP,
};

struct ld_member {
	uint8_t type;    /* enum ld_member_type */
	uint8_t kind;    /* enum ld_party_kind, or LD_KIND_ANY */
	char country[2]; /* or two zeros: any */
	uint32_t number;
};

struct ld_group {
	const char *name; /* NULL: a member that stands where a group may */
	uint32_t needed;
	uint32_t member_count;
	const struct ld_member *members;
	uint32_t depth, cost;
	bool is_of_witnesses;
	bool is_used;
	struct ld_hash meaning; /* the same for groups that are the same by any name */
};

struct ld_rule {
	char category[33]; /* "*": of those that are not named */
	int agree;         /* numbers of groups, or LD_RULE_NONE */
	int popular;
	int suspend;
	uint32_t suspend_count; /* 0: never */
	int uphold;
	int64_t lives_s;
	int64_t clock_s; /* 0: never */
	enum ld_sealed sealed;
	const char *laxer; /* the reason that it gives, or NULL */
};

struct ld_roots {
	uint32_t needed, key_count;
	struct ld_verifier keys[LD_POLICY_ROOTS_MAX];
	int64_t until_s;
};

/** What a party may say in a day (UTC); 0: no limit. */
struct ld_flood {
	uint32_t statements, listed, disputed;
};

struct ld_remark {
	struct ld_remark *next;
	const char *text;
	bool is_wrong; /* it cannot work as it is written */
};

struct ld_policy {
	struct ld_arena arena;
	bool has_log;
	struct ld_verifier log;
	const char *log_url;
	struct ld_verifier witnesses[LD_POLICY_WITNESSES_MAX];
	const char *witness_names[LD_POLICY_WITNESSES_MAX], *witness_urls[LD_POLICY_WITNESSES_MAX];
	uint32_t witness_count;
	struct ld_group groups[LD_POLICY_GROUPS_MAX];
	uint32_t group_count;
	bool has_quorum;
	int quorum; /* group of witnesses, or LD_RULE_NONE */
	int64_t age_max_s;
	struct ld_roots roots[LD_POLICY_ROOTS_MAX];
	uint32_t roots_count;
	struct ld_popular popular;
	const char *parties[LD_POLICY_PARTIES_MAX]; /* that it names */
	uint32_t party_count;
	uint32_t operators[LD_POLICY_OPERATORS_MAX], operator_count; /* numbers of parties */
	bool has_upholder;
	int upholder;
	struct ld_flood flood;
	struct ld_rule rules[LD_POLICY_CATEGORIES_MAX];
	uint32_t rule_count;
	struct ld_remark *remarks; /* oldest first */
	struct ld_trust trust;
	struct ld_hash hash;
};

/** Who agrees, as groups see it. */
struct ld_voter {
	int32_t named; /* number among the policy's parties, or -1 */
	uint8_t kind;
	char country[2];
};

/** Do these suffice?  Each of them is one party. */
bool ld_group_agrees(const struct ld_policy *policy, int group, const struct ld_voter *voters,
		     size_t count);
/** How many of its members count, and how many it needs. */
uint32_t ld_group_count(const struct ld_policy *policy, int group, const struct ld_voter *voters,
			size_t count);
/** Is this party one of its members, or of a group in it? */
bool ld_group_has(const struct ld_policy *policy, int group, const struct ld_voter *voter);
/** The same for a group of witnesses. */
bool ld_group_witnesses(const struct ld_policy *policy, int group, uint64_t witnesses);
/** Work out depth, cost and meaning.  Errors: LINDUNG_ELIMIT with a report. */
int ld_group_finish(struct ld_policy *policy, struct ld_group *group, struct ld_report *report);
/** Whoever satisfies `group` satisfies `other`: true only if it can be shown. */
bool ld_group_implies(const struct ld_policy *policy, int group, int other);
/** Write what a group wants, for a person: "2 of kind:ngo, ministry.example". */
void ld_group_text(const struct ld_policy *policy, int group, struct ld_buffer *ret);
void ld_member_text(const struct ld_policy *policy, const struct ld_member *member,
		    struct ld_buffer *ret);

/** A country of two capitals, or INT, in two octets. */
bool ld_country_read(struct ld_span word, char ret[2]);

/** The rule for a category, or NULL. */
const struct ld_rule *ld_policy_rule(const struct ld_policy *policy, struct ld_span category);
/** Is it that of the categories which are not named? */
static inline bool
ld_rule_is_of_others(const struct ld_rule *rule)
{
	return rule->category[0] == '*';
}
/** Number of a party that the policy names, or -1. */
int32_t ld_policy_party(const struct ld_policy *policy, struct ld_span id);

/** What is odd about it, into policy->remarks. Errors: LINDUNG_ENOMEM. */
int ld_policy_look(struct ld_policy *policy);
int ld_policy_remark(struct ld_policy *policy, bool is_wrong, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Work out the hash of its meaning. Errors: LINDUNG_ENOMEM. */
int ld_policy_digest(struct ld_policy *policy);
/** `rule` comes after `before`: LINDUNG_EDENIED, with a report, if it may be laxer and gives no
 * reason. */
int ld_rule_follows(struct ld_policy *policy, const struct ld_rule *before,
		    const struct ld_rule *rule, const char *where, struct ld_report *report);

#endif
