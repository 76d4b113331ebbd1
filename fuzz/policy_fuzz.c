/* Any bytes as a policy: what is taken means the same when it is read again, and what is shown of
 * two groups holds for some sets of parties. SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "quorum/rules.h"

enum { VOTERS = 6, SETS = 24, PAIRS_MAX = 64 };

/* Parties of which some bits say who they are. */
static size_t
voters_make(struct ld_voter *voters, const struct ld_policy *policy, uint32_t bits)
{
	size_t count = 0;

	for (uint32_t i = 0; i < VOTERS; i++, bits = bits * 1103515245u + 12345u) {
		struct ld_voter voter = {.named = -1, .kind = (uint8_t)(bits >> 16 & 7)};

		if (i < policy->party_count && (bits >> 20 & 1) != 0)
			voter.named = (int32_t)i;
		memcpy(voter.country, (bits >> 21 & 1) != 0 ? "ID" : "MY", 2);
		voters[count] = voter;
		count += bits >> 22 & 1;
	}
	return count;
}

static void
groups_check(const struct ld_policy *policy, uint32_t bits)
{
	uint32_t pairs = 0;

	for (uint32_t g = 0; g < policy->group_count; g++)
		for (uint32_t o = 0; o < policy->group_count && pairs < PAIRS_MAX; o++) {
			if (policy->groups[g].is_of_witnesses || policy->groups[o].is_of_witnesses)
				continue;
			pairs++;
			if (!ld_group_implies(policy, (int)g, (int)o))
				continue;
			for (uint32_t s = 0; s < SETS; s++) {
				struct ld_voter voters[VOTERS];
				size_t count = voters_make(voters, policy, bits + s * 2654435761u);

				LD_ASSERT(!ld_group_agrees(policy, (int)g, voters, count) ||
					  ld_group_agrees(policy, (int)o, voters, count));
			}
		}
}

/* One more never makes fewer. */
static void
growth_check(const struct ld_policy *policy, uint32_t bits)
{
	for (uint32_t g = 0; g < policy->group_count; g++) {
		struct ld_voter voters[VOTERS];
		size_t count = voters_make(voters, policy, bits);

		if (policy->groups[g].is_of_witnesses || count == 0)
			continue;
		LD_ASSERT(ld_group_count(policy, (int)g, voters, count - 1) <=
			  ld_group_count(policy, (int)g, voters, count));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_policy *policy, *again;
	struct ld_report report;
	uint8_t hash[32], hash_again[32];
	uint32_t bits = (uint32_t)size;

	if (ld_policy_parse(&policy, ld_span(data, size), NULL, &report) != LINDUNG_OK) {
		LD_ASSERT(report.text[0] != '\0');
		return 0;
	}
	LD_ASSERT(ld_policy_parse(&again, ld_span(data, size), NULL, &report) == LINDUNG_OK);
	ld_policy_hash(policy, hash);
	ld_policy_hash(again, hash_again);
	LD_ASSERT(memcmp(hash, hash_again, sizeof hash) == 0);
	for (size_t i = 0; i < size; i++)
		bits = bits * 31 + data[i];
	groups_check(policy, bits);
	growth_check(policy, bits);
	ld_policy_free(policy);
	ld_policy_free(again);
	return 0;
}
