/* Whether the compiler puts in a sanitizer, whose run-time library needs more than the program
 * does. SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SANITIZED_H
#define LD_PROCESS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define LD_SANITIZED 1
#endif
#endif
#ifndef LD_SANITIZED
#define LD_SANITIZED 0
#endif

#endif
