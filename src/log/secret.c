/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdalign.h>
#include <string.h>

int
ld_secret_alloc(void **ret, size_t bytes, struct ld_report *report)
{
	void *memory;

	if (sodium_init() < 0)
		return ld_fail(report, LINDUNG_EINTERNAL, "libsodium does not start");
	/* It ends where a page ends: only a multiple of the alignment begins aligned. */
	bytes = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	memory = sodium_malloc(bytes);
	if (memory == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for a secret");
	/* sodium_malloc() has tried this and does not say what came of it; a second lock of the
	 * same pages does. */
	if (sodium_mlock(memory, bytes) != 0) {
		int error = errno;

		sodium_free(memory);
		return ld_fail(report, LINDUNG_ENOMEM,
			       "memory for a secret cannot be locked: %s; raise the limit "
			       "(ulimit -l, LimitMEMLOCK=)",
			       strerror(error));
	}
	memset(memory, 0, bytes);
	*ret = memory;
	return LINDUNG_OK;
}

void
ld_secret_free(void *secret)
{
	sodium_free(secret);
}

void
ld_secret_stack_wipe(void)
{
	enum { DEPTH_BYTES = 128 * 1024 };

	sodium_stackzero(DEPTH_BYTES);
}
