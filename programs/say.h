/* What the commands that make a statement share: list, endorse, dispute, withdraw, allow, appeal,
 * decide, release; and party add, party revoke.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_SAY_H
#define LD_PROGRAMS_SAY_H

#include "arguments.h"
#include "entries.h"
#include "ledger.h"

enum { LD_SAY_SIGNERS_MAX = 16 };

/** A statement on its way: made, signed, shown, handed in. */
struct ld_say {
	const char *command; /* "list", for messages */
	struct ld_report report;
	struct ld_home home;
	struct ld_ledger ledger;
	bool has_log; /* the ledger was read; else its report says why not */
	struct ld_report no_log;
	int passphrase_fd;
	int64_t now_s;
	unsigned signer_count;
	struct ld_signer *signers[LD_SAY_SIGNERS_MAX];
	struct ld_entries entries;
	unsigned recipient_count;
	struct ld_statement statement;
	struct ld_buffer inline_entries, block, text, note;
	char id[LD_STATEMENT_ID_TEXT + 1];
};

struct ld_say_finish {
	bool dry_run, yes, submit;
	const char *output; /* NULL: ACTION-ID.statement in the folder one is in */
};

/** Begin: home, policy, log (which may be out of reach). */
int ld_say_begin(struct ld_say *say, const char *command, const char *home,
		 const struct ld_ledger_options *options);
/** Open one more key and sign with it, too. */
int ld_say_signer(struct ld_say *say, const char *name);
/** Write the statement's text, sign it, show it with what it would do, ask, and hand it in or write
 * it to a file.  Returns an exit status; what is wrong was said. */
int ld_say_finish(struct ld_say *say, const struct ld_say_finish *how);
void ld_say_end(struct ld_say *say);

/** Show a statement for a last look (say_look.c). */
void ld_say_look(struct ld_say *say);

/** Print on standard error: "lindung COMMAND: report". */
void ld_say_complain(const struct ld_say *say);

#endif
