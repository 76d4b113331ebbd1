/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/steer.h"

#include <linux/filter.h>
#include <sched.h>
#include <sys/socket.h>

bool
ld_steer_cores(unsigned count, unsigned ret_cores[])
{
	cpu_set_t set;
	unsigned found = 0;

	if (sched_getaffinity(0, sizeof set, &set) != 0 || (unsigned)CPU_COUNT(&set) != count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		for (unsigned core = i; core < CPU_SETSIZE; core += count) {
			if (CPU_ISSET(core, &set)) {
				ret_cores[i] = core;
				found++;
				break;
			}
		}
	}
	return found == count;
}

bool
ld_steer_sockets(int fd, unsigned count)
{
	struct sock_filter code[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)(SKF_AD_OFF + SKF_AD_CPU)},
		{BPF_ALU | BPF_MOD | BPF_K, 0, 0, count},
		{BPF_RET | BPF_A, 0, 0, 0},
	};
	struct sock_fprog program = {sizeof code / sizeof code[0], code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

void
ld_steer_attributes(pthread_attr_t *attributes, unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	/* Fails for want of memory alone: then the thread goes where it likes, and is slower. */
	(void)pthread_attr_setaffinity_np(attributes, sizeof set, &set);
}
