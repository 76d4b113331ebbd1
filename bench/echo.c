/* The least that a UDP server does with a query: the ceiling, and an upstream.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_echo PORT [-a | -s BYTES]        on 127.0.0.1, until it is killed
 *
 * Gives every message back with the bit "response" set.  -a: with an A record for its question,
 * which must be the only record in it.  -s: as so many bytes, zeros behind what came. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "bench.h"

enum {
	BATCH = 64,
	MESSAGE_BYTES = 1500,
	DNS_HEADER = 12,
};

/* Pointer to the question's name, A, IN, an hour, 192.0.2.1. */
static const uint8_t record[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 192, 0, 2, 1};

static size_t
answer(uint8_t *message, size_t len, bool with_record, size_t size)
{
	if (len < DNS_HEADER)
		return len;
	message[2] |= 0x80;
	if (!with_record)
		return size != 0 ? size : len;
	/* Behind the question; an OPT record is dropped. */
	size_t end = DNS_HEADER;
	while (end < len && message[end] != 0)
		end += message[end] + 1u;
	end += 5;
	if (end > len)
		return len;
	memcpy(message + end, record, sizeof record);
	message[3] = 0x80; /* recursion available, no error */
	ld_put_be16(message + 6, 1);
	ld_put_be16(message + 10, 0);
	return end + sizeof record;
}

int
main(int argc, char **argv)
{
	static uint8_t messages[BATCH][MESSAGE_BYTES + sizeof record];
	static struct sockaddr_in from[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr batch[BATCH];
	bool with_record = argc == 3 && strcmp(argv[2], "-a") == 0;
	int size = argc == 4 && strcmp(argv[2], "-s") == 0 ? atoi(argv[3]) : 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc < 2 || (argc == 3) != with_record || (argc == 4) != (size > 0) || argc > 4 ||
	    size > MESSAGE_BYTES)
		bench_die("usage: bench_echo PORT [-a | -s BYTES]");
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(argv[1])),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0)
		bench_die("port %s: %m", argv[1]);
	for (;;) {
		for (unsigned i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){messages[i], MESSAGE_BYTES};
			batch[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							   .msg_namelen = sizeof from[i],
							   .msg_iov = &parts[i],
							   .msg_iovlen = 1};
		}
		int count = recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++)
			parts[i].iov_len =
				answer(messages[i], batch[i].msg_len, with_record, (size_t)size);
		for (int sent = 0; sent < count;) {
			int n = sendmmsg(fd, batch + sent, (unsigned)(count - sent), 0);

			sent += n > 0 ? n : 1; /* one that cannot be sent is lost */
		}
	}
}
