/* The system calls that each process may make; see sandbox.c.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * X(call, roles).  What is not here ends the process; what stands in LD_CALLS_DENIED fails with
 * EACCES instead, as libraries try it and do without. */
#ifndef LD_PROCESS_SANDBOX_CALLS_H
#define LD_PROCESS_SANDBOX_CALLS_H

#define LD_CALLS(X)                                                                                \
	/* Memory (mmap and mprotect: see calls_checked()). */                                     \
	X(brk, CHILDREN)                                                                           \
	X(madvise, CHILDREN)                                                                       \
	X(mremap, CHILDREN)                                                                        \
	X(munmap, CHILDREN)                                                                        \
	/* Descriptors that it has. */                                                             \
	X(close, CHILDREN)                                                                         \
	X(fcntl, CHILDREN)                                                                         \
	X(fstat, CHILDREN)                                                                         \
	X(lseek, CHILDREN)                                                                         \
	X(read, CHILDREN)                                                                          \
	X(readv, LONG_LIVED)                                                                       \
	X(write, CHILDREN)                                                                         \
	X(writev, CHILDREN)                                                                        \
	/* The loop. */                                                                            \
	X(epoll_ctl, CHILDREN)                                                                     \
	X(epoll_pwait, CHILDREN)                                                                   \
	X(epoll_wait, CHILDREN)                                                                    \
	X(poll, CHILDREN)                                                                          \
	/* Sockets that it has. */                                                                 \
	X(recvfrom, LONG_LIVED)                                                                    \
	X(recvmsg, CHILDREN)                                                                       \
	X(sendmsg, CHILDREN)                                                                       \
	X(sendto, LONG_LIVED)                                                                      \
	X(getpeername, LONG_LIVED)                                                                 \
	X(getsockname, LONG_LIVED)                                                                 \
	X(getsockopt, LONG_LIVED)                                                                  \
	X(setsockopt, LONG_LIVED)                                                                  \
	X(shutdown, LONG_LIVED)                                                                    \
	X(accept4, RESOLVER)                                                                       \
	X(recvmmsg, RESOLVER)                                                                      \
	X(sendmmsg, RESOLVER)                                                                      \
	/* Sockets to the outside (socket: see calls_checked()). */                                \
	X(bind, RECURSOR)                                                                          \
	X(connect, RECURSOR)                                                                       \
	/* Threads that it has, time, chance. */                                                   \
	X(clock_getres, CHILDREN)                                                                  \
	X(clock_gettime, CHILDREN)                                                                 \
	X(clock_nanosleep, CHILDREN)                                                               \
	X(futex, CHILDREN)                                                                         \
	X(getpid, CHILDREN)                                                                        \
	X(getrandom, CHILDREN)                                                                     \
	X(gettid, CHILDREN)                                                                        \
	X(gettimeofday, CHILDREN)                                                                  \
	X(getuid, CHILDREN)                                                                        \
	X(geteuid, CHILDREN)                                                                       \
	X(nanosleep, CHILDREN)                                                                     \
	X(rseq, CHILDREN) /* as a thread begins */                                                 \
	X(set_robust_list, CHILDREN)                                                               \
	X(sched_getaffinity, CHILDREN)                                                             \
	X(sched_yield, CHILDREN)                                                                   \
	X(time, CHILDREN)                                                                          \
	/* Its end, and signals (tgkill: see calls_checked()). */                                  \
	X(exit, CHILDREN)                                                                          \
	X(exit_group, CHILDREN)                                                                    \
	X(restart_syscall, CHILDREN)                                                               \
	X(rt_sigaction, CHILDREN)                                                                  \
	X(rt_sigprocmask, CHILDREN)                                                                \
	X(rt_sigreturn, CHILDREN)

/* X(call).  glibc looks at files of /proc when it gives memory back; libunbound at those that were
 * configured. */
#define LD_CALLS_DENIED(X)                                                                         \
	X(access)                                                                                  \
	X(faccessat)                                                                               \
	X(faccessat2)                                                                              \
	X(open)                                                                                    \
	X(openat)                                                                                  \
	X(readlink)                                                                                \
	X(stat)

#endif
