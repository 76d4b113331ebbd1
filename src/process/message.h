/* What the processes tell each other: one table of messages, and their form in octets.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A packet of a SOCK_SEQPACKET holds one or more messages, each a header (version, type, length)
 * and a body; descriptors travel with a packet of one message.  Integers are big-endian.
 *
 * Whoever reads takes the other side for an enemy: a message that its sender may not send, that is
 * longer or shorter than the table allows, that brings more descriptors, or whose body does not
 * read to its end is a violation, and ends the conversation (channel.h).  Nothing here allocates;
 * what is read points into the packet. */
#ifndef LD_PROCESS_MESSAGE_H
#define LD_PROCESS_MESSAGE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "name/name.h"
#include "upstream/upstream.h"

/** The processes, as bits so that several can be named. */
enum ld_role {
	LD_ROLE_PARENT = 1,
	LD_ROLE_RESOLVER = 2,
	LD_ROLE_RECURSOR = 4,
	LD_ROLE_LOADER = 8,
	LD_ROLE_SYNC = 16,
	LD_ROLE_ASKERS = LD_ROLE_RECURSOR | LD_ROLE_SYNC, /* those that go out to the network */
	LD_ROLE_LONG_LIVED = LD_ROLE_RESOLVER | LD_ROLE_ASKERS,
	LD_ROLE_CHILDREN = LD_ROLE_LONG_LIVED | LD_ROLE_LOADER,
};

enum {
	LD_MESSAGE_VERSION = 1,
	LD_MESSAGE_HEADER_BYTES = 8,
	LD_MESSAGE_BODY_MAX = 68 * 1024, /* an answer of 65535 octets, with its errors */
	LD_PACKET_MAX = LD_MESSAGE_HEADER_BYTES + LD_MESSAGE_BODY_MAX,
	LD_MESSAGE_FDS_MAX = 33,        /* an image and its overlays */
	LD_MESSAGE_FDS_BODY_MAX = 1024, /* of one that comes with descriptors */
	LD_ASKING_BODY_MAX = 4 + 2 + 1 + LD_NAME_WIRE_MAX,
	LD_ANSWER_TEXT_MAX = 255, /* of one extended error; what is more is cut */
	/* Id, error, code, secure, text, extended errors: what stands before the DNS message. */
	LD_ANSWER_HEAD_MAX = 4 + 4 + 4 + 1 + 1 + LD_ANSWER_TEXT_MAX + 1 +
			     LD_UPSTREAM_EDE_MAX * (2 + 1 + LD_ANSWER_TEXT_MAX),
	LD_FACTS_BYTES = 9 * 8,
	LD_FOLLOWED_BYTES = 10 * 8,
	LD_STATUS_BYTES = LD_FACTS_BYTES + LD_FOLLOWED_BYTES + 9 * 8,
	LD_CHECK_BYTES = 1 + 1 + 8 + LD_FACTS_BYTES,
	LD_SHOWN_BYTES = 4 + 4 + 8,
	LD_ZONE_KEYS_MAX = 64 * 1024,
	LD_REPORT_LINE_MAX = LD_REPORT_MAX_BYTES - 1,
	LD_COUNTS_BYTES = 8 * LD_UPSTREAM_COUNTER_COUNT,
};

/* X(symbol, from, to, octets at least, at most, descriptors at least, at most) */
#define LD_MESSAGES(X)                                                                             \
	/* The configuration: every option as YAML, in sealed memory. */                           \
	X(CONF, PARENT, CHILDREN, 0, 0, 1, 1)                                                      \
	/* What DNS cookies are made with, one secret behind the other; before all that follows.   \
	 */                                                                                        \
	X(SECRETS, PARENT, RESOLVER, 16, 64, 0, 0)                                                 \
	/* Keys with which zones are asked for, as text; before all that follows. */               \
	X(ZONE_KEYS, PARENT, RESOLVER, 1, LD_ZONE_KEYS_MAX, 0, 0)                                  \
	/* Sockets to serve: for which thread, and enum ld_socket_kind. */                         \
	X(SOCKET, PARENT, RESOLVER, 3, 3, 1, 2)                                                    \
	/* Show this from now on: a number; certificate and key, in sealed memory. */              \
	X(CERTIFICATE, PARENT, RESOLVER, 4, 4, 2, 2)                                               \
	/* The certificate with that number is shown, or cannot be: an error, when it expires, a   \
	 * line for a person. */                                                                   \
	X(SHOWN, RESOLVER, PARENT, LD_SHOWN_BYTES, LD_SHOWN_BYTES + LD_REPORT_LINE_MAX, 0, 0)      \
	/* The other end of a thread's link between resolver and recursor. */                      \
	X(LINK, PARENT, LONG_LIVED, 2, 2, 1, 1)                                                    \
	/* That was all: begin. */                                                                 \
	X(START, PARENT, LONG_LIVED, 0, 0, 0, 0)                                                   \
	/* I have begun, behind these walls (enum ld_wall). */                                     \
	X(STARTED, LONG_LIVED, PARENT, 1, 1, 0, 0)                                                 \
	/* I cannot begin: a line for a person. */                                                 \
	X(FAILED, CHILDREN, PARENT, 1, LD_REPORT_LINE_MAX, 0, 0)                                   \
	/* Put up this list: its number; how many of the files are of the list that is followed;   \
	 * these, then the image and its overlays. */                                              \
	X(LIST, PARENT, RESOLVER, 9, 9, 1, LD_MESSAGE_FDS_MAX)                                     \
	/* The list with that number is up, or cannot be: an error. */                             \
	X(LISTED, RESOLVER, PARENT, 12, 12, 0, 0)                                                  \
	/* Check this list: forced or not; how many files are of the list that is followed; which  \
	 * of ours there are; what is in force; the files. */                                      \
	X(CHECK, PARENT, LOADER, LD_CHECK_BYTES, LD_CHECK_BYTES, 1, LD_MESSAGE_FDS_MAX)            \
	/* What it is: an error and what is in it, a line for a person. */                         \
	X(CHECKED, LOADER, PARENT, 4 + LD_FACTS_BYTES, 4 + LD_FACTS_BYTES + LD_REPORT_LINE_MAX, 0, \
	  0)                                                                                       \
	/* How things are, for the metrics. */                                                     \
	X(STATUS, PARENT, RESOLVER, LD_STATUS_BYTES, LD_STATUS_BYTES, 0, 0)                        \
	/* Are all your threads well?  With a number.  They are. */                                \
	X(PING, PARENT, LONG_LIVED, 4, 4, 0, 0)                                                    \
	X(PONG, LONG_LIVED, PARENT, 4, 4, 0, 0)                                                    \
	/* What came over a thread's link is no message. */                                        \
	X(BROKEN, LONG_LIVED, PARENT, 2, 2, 0, 0)                                                  \
	/* Over a link: a question for the Internet, and what came of it. */                       \
	X(QUESTION, RESOLVER, RECURSOR, 8, LD_ASKING_BODY_MAX, 0, 0)                               \
	X(ANSWER, RECURSOR, RESOLVER, 15, LD_ANSWER_HEAD_MAX + 65535, 0, 0)                        \
	/* Over a link: the counters of enum ld_upstream_counter, for the metrics. */              \
	X(COUNTS, RECURSOR, RESOLVER, LD_COUNTS_BYTES, LD_COUNTS_BYTES, 0, 0)                      \
	/* A line for a person, about the servers that are forwarded to. */                        \
	X(NOTICE, RECURSOR, PARENT, 1, LD_REPORT_LINE_MAX, 0, 0)                                   \
	/* Follow the log of the configuration; names that nothing can close, one a line, in       \
	 * sealed memory. */                                                                       \
	X(FOLLOW, PARENT, SYNC, 0, 0, 1, 1)                                                        \
	/* Somebody says that there is news of the log (NOTIFY).  Go and look. */                  \
	X(NEWS, RESOLVER, PARENT, 0, 0, 0, 0)                                                      \
	X(LOOK, PARENT, SYNC, 0, 0, 0, 0)                                                          \
	/* How following goes, a line for a person or none; and if the list changed, or is told    \
	 * for the first time: the image and its overlays, in sealed memory. */                    \
	X(FOLLOWED, SYNC, PARENT, LD_FOLLOWED_BYTES, LD_FOLLOWED_BYTES + LD_REPORT_LINE_MAX, 0,    \
	  LD_MESSAGE_FDS_MAX)

enum ld_message_type {
#define LD_X(symbol, ...) LD_MESSAGE_##symbol,
	LD_MESSAGES(LD_X)
#undef LD_X
		LD_MESSAGE_COUNT
};

/** What SOCKET brings. */
enum ld_socket_kind {
	LD_SOCKET_DNS,     /* UDP and TCP, of one thread */
	LD_SOCKET_METRICS, /* TCP, for HTTP; the thread does not matter */
	LD_SOCKET_TLS,     /* TCP, for DNS over TLS */
	LD_SOCKET_HTTPS,   /* TCP, for DNS over HTTPS */
};

/** Flags of CHECK. */
enum {
	LD_CHECK_FORCED = 1, /* take it even if it shrank or lost a category */
};

/** A message that came.  A descriptor that the handler keeps is replaced by -1 in `fds`; those left
 * are closed. */
struct ld_message {
	enum ld_message_type type;
	struct ld_span body;
	int *fds;
	unsigned fd_count;
};

/** Write a header; the body of `len` octets follows. */
void ld_message_header(struct ld_writer *w, enum ld_message_type type, size_t len);

/** Take the next message of a packet from `from` to `to` that came with `fd_count` descriptors.
 * False at the end; `packet->failed` is set by a violation. */
bool ld_message_next(struct ld_reader *packet, enum ld_role from, enum ld_role to,
		     unsigned fd_count, struct ld_message *ret);

/* ---- Bodies.  Each _read takes a whole body, and returns false for a violation. ------------ */

/** What a list amounts to. */
struct ld_list_facts {
	uint64_t entries;       /* of all layers */
	uint64_t image_entries; /* of the image */
	uint64_t closed;        /* names of the image that the overlays leave closed */
	uint64_t bytes;
	uint64_t categories;
	uint64_t overlays;
	uint64_t date_day;   /* of the newest layer, since 1970; 0: none */
	uint64_t loads;      /* lists that were taken ... */
	uint64_t load_fails; /* ... and those that were not */
};

void ld_facts_write(struct ld_writer *w, const struct ld_list_facts *facts);
void ld_facts_read(struct ld_reader *r, struct ld_list_facts *ret);

/** How the following of a log goes.  Times are seconds since 1970. */
struct ld_follow_facts {
	uint64_t on;           /* a log is followed */
	uint64_t size;         /* statements in force */
	uint64_t checkpoint_s; /* when witnesses saw its checkpoint; 0: none is needed */
	uint64_t checked_s;    /* when it was last found good; 0: not yet */
	uint64_t max_age_s;    /* past that it is frozen; 0: never */
	uint64_t polls, failures, updates;
	uint64_t trouble; /* an enum lindung_error without its sign; 0: none */
	uint64_t news;    /* NOTIFY that were taken */
};

void ld_follow_facts_write(struct ld_writer *w, const struct ld_follow_facts *facts);
void ld_follow_facts_read(struct ld_reader *r, struct ld_follow_facts *ret);

/** How things are, for the metrics.  Times are of the monotonic clock. */
struct ld_status {
	struct ld_list_facts facts;
	struct ld_follow_facts follow;
	uint64_t loaded_ms;  /* when the list in force was */
	uint64_t started_ms; /* when the parent was */
	uint64_t resolver_restarts, recursor_restarts, sync_restarts;
	uint64_t recursor_up; /* 1 or 0 */
	uint64_t certificate_expires_s, certificate_loads, certificate_load_fails;
};

void ld_status_write(struct ld_writer *w, const struct ld_status *status);
bool ld_status_read(struct ld_status *ret, struct ld_span body);

/** What became of a certificate; `line` points into the body. */
struct ld_shown {
	uint32_t number;
	int error;
	uint64_t expires_s; /* since 1970 */
	struct ld_span line;
};

void ld_shown_write(struct ld_writer *w, const struct ld_shown *shown);
bool ld_shown_read(struct ld_shown *ret, struct ld_span body);

/** The counters of a thread that asks. */
struct ld_counts {
	uint64_t items[LD_UPSTREAM_COUNTER_COUNT];
};

void ld_counts_write(struct ld_writer *w, const struct ld_counts *counts);
bool ld_counts_read(struct ld_counts *ret, struct ld_span body);

/** A question over a link. */
struct ld_asking {
	uint32_t id;
	uint16_t type;
	bool checking_disabled;
	struct ld_name name;
};

void ld_asking_write(struct ld_writer *w, const struct ld_asking *question);
bool ld_asking_read(struct ld_asking *ret, struct ld_span body);

/** The head of an answer: result->message follows it. */
void ld_answer_head_write(struct ld_writer *w, uint32_t id,
			  const struct ld_upstream_result *result);

/** What came of it; `text` holds ede_text, terminated. */
struct ld_answered {
	uint32_t id;
	struct ld_upstream_result result;
	char text[LD_ANSWER_TEXT_MAX + 1];
};

bool ld_answered_read(struct ld_answered *ret, struct ld_span body);

#endif
