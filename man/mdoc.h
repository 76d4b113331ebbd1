/* Writing parts of manual pages, to standard output, for the programs that make them from our
 * tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_MAN_MDOC_H
#define LD_MAN_MDOC_H

#include <stddef.h>

/** Text of mdoc(7): nothing in it is a request. */
void ld_mdoc_text(const char *text, size_t len);

/** Text in lines of at most `columns`, each with `prefix` before it; without a prefix it is mdoc.
 */
void ld_lines(const char *prefix, size_t columns, const char *text, size_t len);

/** Prose, a sentence a line, as mdoc wants it. */
void ld_mdoc_prose(const char *prose);

/** Copy the template at `path` out, with what `write` writes in place of its line "@HERE@".
 * Returns an exit status; what is wrong is said on standard error. */
int ld_mdoc_template(const char *program, const char *path, void (*write)(void));

#endif
