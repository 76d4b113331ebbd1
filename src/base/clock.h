/* Time.  A function that decides by time takes it as an argument; only programs ask these.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_BASE_CLOCK_H
#define LD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Milliseconds of a clock that never jumps. */
static inline int64_t
ld_clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** The same, cheaper, as of the last tick (some milliseconds ago): for the hot path. */
static inline int64_t
ld_clock_coarse_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Seconds of the calendar since 1970, in UTC; they jump when somebody sets the clock.  As of the
 * last tick. */
static inline uint32_t
ld_clock_unix_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return (uint32_t)t.tv_sec;
}

/** Nanoseconds, for measuring. */
static inline int64_t
ld_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
