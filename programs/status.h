/* What is said of a log's parties, in lindung status and lindung party list.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_STATUS_H
#define LD_PROGRAMS_STATUS_H

#include "ledger.h"

/** Print all parties, a line each. Errors: LINDUNG_EIO, LINDUNG_ENOMEM, with a report. */
int ld_status_parties(const struct ld_ledger *ledger, bool json, struct ld_report *report);

#endif
