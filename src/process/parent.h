/* The parent: opens what must be opened, starts the others, watches over them and the list's files.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It reads no packet and no list.  On standard error it says, a line each, what is served, and
 * later what is loaded or refused.  There is no query log, and no option that makes one. */
#ifndef LD_PROCESS_PARENT_H
#define LD_PROCESS_PARENT_H

#include "conf/conf.h"

/** Serve until SIGINT or SIGTERM; `is_asked`: somebody wrote the configuration; `protected`: names
 * that no log can close, one a line, '=' before one that has nothing below it, and the categories
 * that nothing but the log can open, '!' before each.  The exit status: 0, or 1 if it could not
 * start or a child did not end well. */
int ld_parent_run(const struct ld_conf *conf, bool is_asked, struct ld_span protected);

#endif
