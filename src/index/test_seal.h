/* Images with sealed entries, for tests: by ld_maker, from text.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_TEST_SEAL_H
#define LD_INDEX_TEST_SEAL_H

#include "index/make.h"

/** Protected in images that are no overlays.  The category "csam" is locked in all. */
#define LD_TEST_PROTECTED "help.example"

/** Build an image at `path` from lines in our own format (formats/list.md), and two more kinds of
 * them, with tabs between:  seal CATEGORY ENTRY SOURCES  and  unseal * ENTRY.
 * Errors: those of ld_maker_*(), LINDUNG_ESYNTAX (a line gave no entry; printed). */
int ld_test_make(const char *path, const char *text, const uint8_t key[LD_BLIND_KEY_BYTES],
		 bool overlay, struct ld_build_stats *ret);

/** The same, opened or laid over, and verified; ends the program with a message if that fails. */
struct lindung *ld_test_make_open(const char *text, const uint8_t key[LD_BLIND_KEY_BYTES],
				  unsigned flags);
void ld_test_make_overlay(struct lindung *list, const char *text,
			  const uint8_t key[LD_BLIND_KEY_BYTES]);

#endif
