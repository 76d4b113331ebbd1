/* The walls around each process.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each is there for the case that the others have a hole: another user without privileges, an empty
 * root directory, Landlock (no file may be opened, no TCP port but what is passed on), and a list
 * of the system calls that the process needs; any other ends it.  What the kernel lacks is left out
 * and told, not taken for granted.
 *
 * ld_sandbox_enter() comes before threads are made (Landlock holds for the thread that asks for it,
 * and those made later); ld_sandbox_seal() after that, and before the first octet of a stranger. */
#ifndef LD_PROCESS_SANDBOX_H
#define LD_PROCESS_SANDBOX_H

#include "base/error.h"
#include "process/message.h"

/** Which walls there are, as bits. */
enum ld_wall {
	LD_WALL_USER = 1,     /* not root, no capability, and no way back */
	LD_WALL_ROOT = 2,     /* an empty root directory: only root can have it */
	LD_WALL_LANDLOCK = 4, /* no files; the resolver and the loader: no TCP connections either */
	LD_WALL_CALLS = 8,    /* seccomp */
	LD_WALLS = 15,
};

/** Put up those of `walls` that can be, but for LD_WALL_CALLS.  `user`: whom to become if this is
 * root; "" for nobody.  `folder`: the only one in which files can be used (NULL: none); where the
 * root directory is a wall, it is that.  *ret_up: those that stand.
 * Errors: LINDUNG_EINVAL, LINDUNG_ENOTFOUND with a report, for what is not the kernel's lack. */
int ld_sandbox_enter(enum ld_role role, const char *user, const char *folder, unsigned walls,
		     unsigned *ret_up, struct ld_report *report);

/** Make the folder, of mode 0700 and the user's that a child of this one is to become, if it does
 * not exist.  Errors: LINDUNG_EIO, LINDUNG_ENOTFOUND with a report. */
int ld_sandbox_folder(const char *folder, const char *user, struct ld_report *report);

/** Allow nothing but the system calls of the role from here on, in all threads.
 * *ret_up gains LD_WALL_CALLS if that stands.  Errors: LINDUNG_ENOMEM with a report. */
int ld_sandbox_seal(enum ld_role role, unsigned walls, unsigned *ret_up, struct ld_report *report);

/** The parent's own, once the children are there: it writes no file outside of `folder` (NULL:
 * none; a child's), executes nothing but this program, and makes no call that neither it nor a
 * child needs.  It must still be able to start
 * children, which inherit all of this: their walls are higher.  Whoever is not root loses his
 * capabilities.  `program_fd`: this program's file.
 * Errors: LINDUNG_EINVAL, LINDUNG_ENOMEM with a report. */
int ld_sandbox_parent(int program_fd, const char *folder, unsigned walls, struct ld_report *report);

/** What is missing, for a person: "no Landlock in this kernel ..."; false if nothing is. */
bool ld_sandbox_missing(unsigned up, struct ld_report *ret);

#endif
