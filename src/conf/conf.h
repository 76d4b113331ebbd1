/* The configuration: a YAML file, checked against the table of options, into a struct.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lifetime: what the struct points at lives in the arena given.  Threads: read-only once loaded. */
#ifndef LD_CONF_CONF_H
#define LD_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "conf/options.h"
#include "net/address.h"
#include "net/prefix.h"

enum {
	/* Wrong things reported of one file; whoever has more does not read them. */
	LD_CONF_PROBLEMS_MAX = 100,
};

#define LD_X(symbol, value, key, what) symbol = (value),
enum ld_conf_answer { LD_CONF_ANSWERS(LD_X) };
enum ld_conf_reason { LD_CONF_REASONS(LD_X) };
enum ld_conf_denial { LD_CONF_DENIALS(LD_X) };
enum ld_conf_mode { LD_CONF_MODES(LD_X) };
enum ld_conf_digest { LD_CONF_DIGESTS(LD_X) };
#undef LD_X

/** A socket address as configured. */
struct ld_conf_address {
	const char *text; /* "address@port", always with the port; NULL: none */
	struct ld_address socket;
};

struct ld_conf_addresses {
	const struct ld_conf_address *items;
	const char *const *texts; /* the same, as text */
	unsigned count;
};

struct ld_conf_prefixes {
	const struct ld_prefix *items;
	const char *const *texts; /* the same, as text */
	unsigned count;
};

/** Terminated texts: paths, keys, contacts or domains. */
struct ld_conf_texts {
	const char *const *items;
	unsigned count;
};

struct ld_conf_ip {
	bool given;
	uint8_t octets[16]; /* of IPv4 the first four */
};

/* What a value of each type is in C. */
#define LD_CONF_C_BOOL bool
#define LD_CONF_C_INTEGER uint32_t
#define LD_CONF_C_DURATION uint32_t
#define LD_CONF_C_SIZE uint64_t
#define LD_CONF_C_TEXT const char * /* "" for nothing */
#define LD_CONF_C_PATH const char * /* NULL for nothing */
#define LD_CONF_C_PATHS struct ld_conf_texts
#define LD_CONF_C_KEYS struct ld_conf_texts
#define LD_CONF_C_HOST const char *          /* "" for nothing */
#define LD_CONF_C_HOSTS struct ld_conf_texts /* "NAME ADDRESS...", single blanks */
#define LD_CONF_C_CONTACTS struct ld_conf_texts
#define LD_CONF_C_DOMAINS struct ld_conf_texts
#define LD_CONF_C_LANGUAGE const char *
#define LD_CONF_C_ADDRESS struct ld_conf_address
#define LD_CONF_C_ADDRESSES struct ld_conf_addresses
#define LD_CONF_C_PREFIXES struct ld_conf_prefixes
#define LD_CONF_C_SERVERS struct ld_conf_texts
#define LD_CONF_C_IPV4 struct ld_conf_ip
#define LD_CONF_C_IPV6 struct ld_conf_ip
#define LD_CONF_C_CHOICE int

/** Every option as a field: conf.block_ttl_s for "block.ttl-s". */
struct ld_conf {
#define LD_X(type, field, ...) LD_CONF_C_##type field;
	LD_CONF_OPTIONS(LD_X)
#undef LD_X
};

/** Read the file at `path`; NULL: the defaults.
 * Errors: LINDUNG_ECONFIG (an option is wrong), LINDUNG_ESYNTAX (not such YAML), LINDUNG_EIO,
 * LINDUNG_ELIMIT, LINDUNG_ENOMEM; the report holds the first problem, "FILE:LINE: option: what". */
int ld_conf_load(struct ld_conf *ret, const char *path, struct ld_arena *arena,
		 struct ld_report *report);

/** Called for each problem. */
typedef void ld_conf_problem(void *ctx, const struct ld_report *problem);

/** The same, but reports every problem, not only the first. */
int ld_conf_check(struct ld_conf *ret, const char *path, struct ld_arena *arena,
		  ld_conf_problem *problem, void *ctx);

/** The same from memory; `name` stands for the file in reports.  Relative paths are left so. */
int ld_conf_parse(struct ld_conf *ret, const char *name, struct ld_span text,
		  struct ld_arena *arena, ld_conf_problem *problem, void *ctx);

/** Write all options with their values, as a file that ld_conf_load() reads back to the same. */
void ld_conf_print(const struct ld_conf *conf, struct ld_buffer *out);

/** Servers to forward to that do not go together, or are this very server.  Loading checks this
 * without `probe`, which asks the kernel for the machine's addresses: for who starts it.
 * Errors: LINDUNG_ECONFIG with a report. */
int ld_conf_servers_check(const struct ld_conf *conf, bool probe, struct ld_report *report);

#endif
