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
	/* Descriptors that it has (fcntl: see calls_checked()). */                                \
	X(close, CHILDREN)                                                                         \
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
	/* Sockets that it has (shutdown: see calls_checked()). */                                 \
	X(recvfrom, LONG_LIVED)                                                                    \
	X(recvmsg, CHILDREN)                                                                       \
	X(sendmsg, CHILDREN)                                                                       \
	X(sendto, LONG_LIVED)                                                                      \
	X(getpeername, LONG_LIVED)                                                                 \
	X(getsockname, LONG_LIVED)                                                                 \
	X(getsockopt, LONG_LIVED)                                                                  \
	X(setsockopt, LONG_LIVED)                                                                  \
	X(accept4, RESOLVER)                                                                       \
	X(recvmmsg, RESOLVER)                                                                      \
	X(sendmmsg, RESOLVER)                                                                      \
	/* Sockets to the outside (socket: see calls_checked()). */                                \
	X(bind, ASKERS)                                                                            \
	X(connect, ASKERS)                                                                         \
	/* Files of its folder (Landlock and the root directory hold it there); memory to hand     \
	 * over; memory that is not written out. */                                                \
	X(access, SYNC)                                                                            \
	X(fallocate, SYNC)                                                                         \
	X(fchmod, SYNC)                                                                            \
	X(fdatasync, SYNC)                                                                         \
	X(fsync, SYNC)                                                                             \
	X(ftruncate, SYNC)                                                                         \
	X(getdents64, SYNC)                                                                        \
	X(memfd_create, SYNC)                                                                      \
	X(mkdir, SYNC)                                                                             \
	X(mkdirat, SYNC)                                                                           \
	X(mlock, SYNC)                                                                             \
	X(munlock, SYNC)                                                                           \
	X(open, SYNC)                                                                              \
	X(openat, SYNC)                                                                            \
	X(pread64, SYNC)                                                                           \
	X(pwrite64, SYNC)                                                                          \
	X(rename, SYNC)                                                                            \
	X(renameat, SYNC)                                                                          \
	X(renameat2, SYNC)                                                                         \
	X(sendfile, SYNC)                                                                          \
	X(stat, SYNC)                                                                              \
	X(umask, SYNC)                                                                             \
	X(unlink, SYNC)                                                                            \
	X(unlinkat, SYNC)                                                                          \
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
	X(sysinfo, CHILDREN) /* qsort(), of more than a KiB */                                     \
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

/* X(call).  What the parent may do beside all of the above.  A child inherits its parent's list
 * while it is executed and put up, so that this has what that takes; any other call fails with
 * EPERM. */
#define LD_CALLS_PARENT(X)                                                                         \
	/* Children: made, executed, waited for, ended. */                                         \
	X(clone)                                                                                   \
	X(clone3)                                                                                  \
	X(execve)                                                                                  \
	X(execveat)                                                                                \
	X(getppid)                                                                                 \
	X(kill)                                                                                    \
	X(tgkill)                                                                                  \
	X(wait4)                                                                                   \
	X(waitid)                                                                                  \
	/* The files of the list, certificates. */                                                 \
	X(access)                                                                                  \
	X(faccessat)                                                                               \
	X(faccessat2)                                                                              \
	X(getdents64)                                                                              \
	X(flock)                                                                                   \
	X(lstat)                                                                                   \
	X(memfd_create)                                                                            \
	X(newfstatat)                                                                              \
	X(open)                                                                                    \
	X(openat)                                                                                  \
	X(pread64)                                                                                 \
	X(readlink)                                                                                \
	X(sendfile)                                                                                \
	X(stat)                                                                                    \
	X(statfs)                                                                                  \
	X(fstatfs)                                                                                 \
	/* Descriptors and sockets. */                                                             \
	X(accept)                                                                                  \
	X(close_range)                                                                             \
	X(dup)                                                                                     \
	X(dup2)                                                                                    \
	X(dup3)                                                                                    \
	X(epoll_create1)                                                                           \
	X(eventfd2)                                                                                \
	X(fcntl)                                                                                   \
	X(ioctl)                                                                                   \
	X(listen)                                                                                  \
	X(pipe2)                                                                                   \
	X(ppoll)                                                                                   \
	X(pselect6)                                                                                \
	X(select)                                                                                  \
	X(shutdown)                                                                                \
	X(socket)                                                                                  \
	X(socketpair)                                                                              \
	X(timerfd_create)                                                                          \
	X(timerfd_settime)                                                                         \
	/* A program begins: memory, threads, what it learns of the machine. */                    \
	X(arch_prctl)                                                                              \
	X(getcwd)                                                                                  \
	X(getegid)                                                                                 \
	X(getgid)                                                                                  \
	X(getrlimit)                                                                               \
	X(get_mempolicy)                                                                           \
	X(membarrier)                                                                              \
	X(mmap)                                                                                    \
	X(mprotect)                                                                                \
	X(prctl)                                                                                   \
	X(prlimit64)                                                                               \
	X(sched_getparam)                                                                          \
	X(sched_getscheduler)                                                                      \
	X(sched_setaffinity)                                                                       \
	X(set_tid_address)                                                                         \
	X(setrlimit)                                                                               \
	X(sigaltstack)                                                                             \
	X(uname)                                                                                   \
	/* A child puts up its walls. */                                                           \
	X(capget)                                                                                  \
	X(capset)                                                                                  \
	X(chdir)                                                                                   \
	X(chroot)                                                                                  \
	X(fchdir)                                                                                  \
	X(landlock_add_rule)                                                                       \
	X(landlock_create_ruleset)                                                                 \
	X(landlock_restrict_self)                                                                  \
	X(mkdir)                                                                                   \
	X(mkdirat)                                                                                 \
	X(rmdir)                                                                                   \
	X(seccomp)                                                                                 \
	X(setgroups)                                                                               \
	X(setresgid)                                                                               \
	X(setresuid)                                                                               \
	X(unlinkat)

#endif
