/* The stream transports of the resolver: their limits, and the certificate that they show.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_STREAMS_H
#define LD_PROCESS_STREAMS_H

#include "conf/conf.h"
#include "process/message.h"
#include "process/thread.h"

struct ld_shares;
struct ld_tls;

struct ld_streams {
	const struct ld_conf *conf;
	struct ld_shares *shares; /* connections of each client */
	struct ld_tls *tls;       /* NULL: not served */
	bool shows;               /* a certificate */
	int64_t expires_s;        /* it does */
	unsigned addresses;       /* that all of them listen on */
};

/** Fill in config->streams and config->addresses.  Errors: LINDUNG_ENOMEM with a report. */
int ld_streams_make(struct ld_streams *ret, const struct ld_conf *conf,
		    struct ld_thread_config *config, struct ld_report *report);
/** All threads are gone.  Safe on a zeroed struct. */
void ld_streams_clear(struct ld_streams *streams);

/** What a socket of that kind (enum ld_socket_kind) is for; false: it is none for queries. */
bool ld_streams_kind(unsigned kind, enum ld_transport *ret);
/** The kind of socket for a transport. */
enum ld_socket_kind ld_streams_socket(enum ld_transport stream);

/** Show the certificate that came, and write what became of it.  False if it was not awaited. */
bool ld_streams_show(struct ld_streams *streams, const struct ld_message *message,
		     struct ld_writer *ret_shown);

/** Say on standard error which limits are lower than wanted. */
void ld_streams_say(const struct ld_conf *conf);

#endif
