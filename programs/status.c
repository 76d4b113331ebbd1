/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

int
ld_status_parties(const struct ld_ledger *ledger, bool json, struct ld_report *report)
{
	(void)ledger;
	(void)json;
	return ld_fail(report, LINDUNG_EINVAL, "not yet");
}
