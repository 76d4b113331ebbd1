/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/udp.h"

#include <errno.h>
#include <stdlib.h>

/* Room for the packet information of either family, aligned as control messages must be. */
union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

/* Packets are short: of each only the first lines are touched.  A line more than the room, and they
 * do not all fall into the same few sets of the cache. */
enum { PACKET_STRIDE = LD_UDP_PACKET_MAX + 64 };

struct slot {
	struct iovec in_vector, out_vector;
	struct ld_address from;
	union control control;
};

struct ld_udp_batch {
	uint8_t in_bytes[LD_UDP_BATCH_MAX][PACKET_STRIDE];
	/* Answers, one behind the other, so that they take as little of the cache as may be. */
	uint8_t out_bytes[LD_UDP_BATCH_MAX][LD_UDP_PACKET_MAX];
	uint8_t *out_end;
	struct slot slots[LD_UDP_BATCH_MAX];
	struct mmsghdr in[LD_UDP_BATCH_MAX];
	struct mmsghdr out[LD_UDP_BATCH_MAX];
	unsigned received; /* of the last batch; the kernel wrote into so many headers */
	unsigned answers;
};

static void
header_reset(struct ld_udp_batch *batch, unsigned i)
{
	struct slot *slot = &batch->slots[i];

	batch->in[i].msg_hdr = (struct msghdr){
		.msg_name = &slot->from.any,
		.msg_namelen = sizeof slot->from.v6,
		.msg_iov = &slot->in_vector,
		.msg_iovlen = 1,
		.msg_control = slot->control.bytes,
		.msg_controllen = sizeof slot->control.bytes,
	};
}

struct ld_udp_batch *
ld_udp_batch_new(void)
{
	struct ld_udp_batch *batch = calloc(1, sizeof *batch);

	if (batch == NULL)
		return NULL;
	for (unsigned i = 0; i < LD_UDP_BATCH_MAX; i++) {
		batch->slots[i].in_vector = (struct iovec){batch->in_bytes[i], LD_UDP_PACKET_MAX};
		header_reset(batch, i);
	}
	return batch;
}

void
ld_udp_batch_free(struct ld_udp_batch *batch)
{
	free(batch);
}

unsigned
ld_udp_batch_receive(struct ld_udp_batch *batch, int fd)
{
	int got;

	for (unsigned i = 0; i < batch->received; i++)
		header_reset(batch, i);
	batch->answers = 0;
	batch->out_end = batch->out_bytes[0];
	do
		got = recvmmsg(fd, batch->in, LD_UDP_BATCH_MAX, MSG_DONTWAIT, NULL);
	while (got < 0 && errno == EINTR);
	batch->received = got > 0 ? (unsigned)got : 0;
	return batch->received;
}

struct ld_span
ld_udp_batch_packet(const struct ld_udp_batch *batch, unsigned i)
{
	if (batch->in[i].msg_hdr.msg_flags & MSG_TRUNC)
		return (struct ld_span){NULL, 0};
	return ld_span(batch->in_bytes[i], batch->in[i].msg_len);
}

/* The address a packet was sent to, from its control messages; len 0 without one. */
static struct ld_address
sent_to(struct msghdr *header)
{
	struct ld_address to = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			to.v4.sin_family = AF_INET;
			to.v4.sin_addr = info.ipi_addr;
			to.len = sizeof to.v4;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			to.v6.sin6_family = AF_INET6;
			to.v6.sin6_addr = info.ipi6_addr;
			to.v6.sin6_scope_id = info.ipi6_ifindex;
			to.len = sizeof to.v6;
		}
	}
	return to;
}

/* Control messages that let a packet leave from `to`. */
static size_t
control_fill(union control *control, const struct ld_address *to)
{
	struct cmsghdr *c = (struct cmsghdr *)control->bytes;

	memset(control, 0, sizeof *control);
	if (to->any.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = to->v4.sin_addr};

		*c = (struct cmsghdr){.cmsg_level = IPPROTO_IP,
				      .cmsg_type = IP_PKTINFO,
				      .cmsg_len = CMSG_LEN(sizeof info)};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	}
	/* Only a link-local address needs its interface; others go where the routes say. */
	struct in6_pktinfo info = {.ipi6_addr = to->v6.sin6_addr,
				   .ipi6_ifindex = IN6_IS_ADDR_LINKLOCAL(&to->v6.sin6_addr)
							   ? to->v6.sin6_scope_id
							   : 0};

	*c = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6,
			      .cmsg_type = IPV6_PKTINFO,
			      .cmsg_len = CMSG_LEN(sizeof info)};
	memcpy(CMSG_DATA(c), &info, sizeof info);
	return CMSG_SPACE(sizeof info);
}

const struct ld_address *
ld_udp_batch_from(const struct ld_udp_batch *batch, unsigned i)
{
	return &batch->slots[i].from;
}

void
ld_udp_batch_peer(const struct ld_udp_batch *batch, unsigned i, struct ld_udp_peer *ret)
{
	struct msghdr header = batch->in[i].msg_hdr;

	ret->from = batch->slots[i].from;
	ret->from.len = header.msg_namelen;
	ret->to = sent_to(&header);
}

uint8_t *
ld_udp_batch_room(struct ld_udp_batch *batch)
{
	return batch->out_end;
}

void
ld_udp_batch_answer(struct ld_udp_batch *batch, unsigned i, size_t len)
{
	struct slot *slot = &batch->slots[i];
	struct ld_address to = sent_to(&batch->in[i].msg_hdr);
	struct msghdr *header = &batch->out[batch->answers++].msg_hdr;

	LD_ASSERT(len <= LD_UDP_PACKET_MAX);
	slot->out_vector = (struct iovec){batch->out_end, len};
	/* The next one begins on a line of its own: two would be written for each else. */
	batch->out_end += (len + 63) & ~(size_t)63;
	*header = (struct msghdr){
		.msg_name = &slot->from.any,
		.msg_namelen = batch->in[i].msg_hdr.msg_namelen,
		.msg_iov = &slot->out_vector,
		.msg_iovlen = 1,
	};
	if (to.len != 0) {
		header->msg_controllen = control_fill(&slot->control, &to);
		header->msg_control = slot->control.bytes;
	}
}

void
ld_udp_batch_send(struct ld_udp_batch *batch, int fd)
{
	unsigned at = 0;

	while (at < batch->answers) {
		int sent = sendmmsg(fd, batch->out + at, batch->answers - at, MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		/* One that cannot be sent (no route back, say) must not hold up those behind it. */
		at += sent > 0 ? (unsigned)sent : 1;
	}
	batch->answers = 0;
}

void
ld_udp_send(int fd, const struct ld_udp_peer *peer, struct ld_span packet)
{
	struct ld_udp_peer copy = *peer;
	struct iovec vector = {(void *)(uintptr_t)packet.data, packet.len};
	union control control;
	struct msghdr header = {
		.msg_name = &copy.from.any,
		.msg_namelen = copy.from.len,
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};

	if (copy.to.len != 0) {
		header.msg_controllen = control_fill(&control, &copy.to);
		header.msg_control = control.bytes;
	}
	while (sendmsg(fd, &header, MSG_DONTWAIT) < 0 && errno == EINTR)
		continue;
}
