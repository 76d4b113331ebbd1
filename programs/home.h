/* Where a party or an operator has its things: its *home*.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     HOME/keys/NAME.key     keys that sign (formats/key.md)
 *     HOME/keys/NAME.age     secret keys that open what is sealed, as age-keygen writes them
 *     HOME/policy            which log, and whom to believe (formats/policy.md)
 *     HOME/log/              the log: its operator has it here;
 *     HOME/log.url           everybody else, the URL (or directory) where it is, a line
 *     HOME/mirror/           what was fetched of it, and verified
 *     HOME/store.sqlite      the operator's queue
 *
 * It is the directory of --home, else $LINDUNG_HOME, else $XDG_CONFIG_HOME/lindung, else
 * ~/.config/lindung; `lindung init DIR` makes one for an operator.  Paths returned live as long as
 * the home. */
#ifndef LD_PROGRAMS_HOME_H
#define LD_PROGRAMS_HOME_H

#include "base/arena.h"
#include "base/error.h"
#include "log/key.h"

enum { LD_HOME_URL_MAX = 2048 };

struct ld_home {
	struct ld_arena arena;
	const char *path;
};

/** Find it; it need not be there.  `option`: of --home, or NULL.
 * Errors: LINDUNG_ENOTFOUND (nothing says where), LINDUNG_ENOMEM. */
int ld_home_find(struct ld_home *ret, const char *option, struct ld_report *report);
/** Where `where` is an operator's directory, or the log in one, that directory is the home from now
 * on; else false. */
bool ld_home_enter(struct ld_home *home, const char *where);
/** As ld_home_find(), for a program that is told of a log, `where` (or NULL): without `option` it
 * is asked first whether that is a home. */
int ld_home_find_for(struct ld_home *ret, const char *option, const char *where,
		     struct ld_report *report);
void ld_home_free(struct ld_home *home);
/** A path below it, as "keys/%s.key"; NULL without memory. */
const char *ld_home_path(struct ld_home *home, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Make it and its keys/, readable by its owner alone, where they are not there. */
int ld_home_make(struct ld_home *home, struct ld_report *report);

/** Remove a directory that was not finished, with everything in it.  NULL is a no-op. */
void ld_home_discard(const char *path);

/** The file of a key: `name` is a path (it has a '/', or ends in `ending`), or stands for
 * HOME/keys/NAMEending; NULL: the only key there is.  `ending`: ".key" or ".age".
 * Errors: LINDUNG_ENOTFOUND (the report says how to make one), LINDUNG_EINVAL (several: which?). */
int ld_home_key(const char **ret, struct ld_home *home, const char *name, const char *ending,
		struct ld_report *report);
/** Open it; where it is encrypted, ask for its passphrase (`passphrase_fd`, or
 * LD_PASSPHRASE_TERMINAL).  Errors: those of ld_signer_open() and ld_passphrase_ask(). */
int ld_home_signer(struct ld_signer **ret, const char *path, int passphrase_fd,
		   struct ld_report *report);

/** Where the log is: `option` (a directory or a URL) if it is given, else HOME/log, else what
 * HOME/log.url says.  A home that `lindung init` made stands for its log.
 * Errors: LINDUNG_ENOTFOUND, LINDUNG_EIO. */
int ld_home_log(const char **ret, struct ld_home *home, const char *option,
		struct ld_report *report);
bool ld_home_is_url(const char *where);
/** Whether the directory is one that `lindung init` made: with log/checkpoint in it. */
bool ld_home_holds_log(const char *path);
/** The policy: `option`, else HOME/policy.  Errors: LINDUNG_ENOTFOUND. */
int ld_home_policy(const char **ret, struct ld_home *home, const char *option,
		   struct ld_report *report);

/** "2026-11-22T07:00:00Z" or a day (its beginning) into seconds since 1970, as --at takes it; NULL:
 * now.  Errors: LINDUNG_EINVAL with a report. */
int ld_home_time(int64_t *ret, const char *option, struct ld_report *report);

/** Ask a question on the terminal; true: y or yes.  Without a terminal: false. */
bool ld_home_confirm(const char *question);

#endif
