/* Inside src/conf: a row of the table at run time, and what can be done with a value of its type.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_CONF_OPTION_H
#define LD_CONF_OPTION_H

#include "conf/conf.h"
#include "conf/yaml.h"

enum ld_conf_type {
	LD_CONF_BOOL,
	LD_CONF_INTEGER,
	LD_CONF_DURATION,
	LD_CONF_SIZE,
	LD_CONF_TEXT,
	LD_CONF_PATH,
	LD_CONF_PATHS,
	LD_CONF_KEYS,
	LD_CONF_HOST,
	LD_CONF_HOSTS,
	LD_CONF_CONTACTS,
	LD_CONF_DOMAINS,
	LD_CONF_LANGUAGE,
	LD_CONF_ADDRESS,
	LD_CONF_ADDRESSES,
	LD_CONF_PREFIXES,
	LD_CONF_SERVERS,
	LD_CONF_IPV4,
	LD_CONF_IPV6,
	LD_CONF_CHOICE,
};

struct ld_conf_choice {
	int value;
	const char *key; /* NULL behind the last */
	const char *what;
};

struct ld_conf_option {
	enum ld_conf_type type;
	const char *key;
	const char *fallback;
	uint64_t min, max;
	const char *unit;
	const struct ld_conf_choice *choices;
	const char *prose;
	size_t offset; /* of the field in struct ld_conf */
};

extern const struct ld_conf_option ld_conf_options[];
extern const unsigned ld_conf_option_count;

/** Where values are made. */
struct ld_conf_place {
	struct ld_arena *arena;
	const char *folder; /* that relative paths begin at; NULL: leave them */
	/* For a value that can be wrong in many ways: which it is; empty if there is nothing to
	 * add to what ld_conf_expected() says. */
	struct ld_report *why;
};

enum { LD_CONF_EXPECTED_BYTES = 256 };

/** A value from the file (or NULL for the default) into `field`.  LINDUNG_ECONFIG if it is not what
 * ld_conf_expected() says, with `*ret_got` the node that is to blame; LINDUNG_ENOMEM. */
int ld_conf_value_set(void *field, const struct ld_conf_option *option, const struct ld_yaml *node,
		      const struct ld_conf_place *place, const struct ld_yaml **ret_got);

/** What a value must be, "a whole number from 0 to 100 (percent)". */
void ld_conf_expected(const struct ld_conf_option *option, char text[LD_CONF_EXPECTED_BYTES]);

/** The value as it would be written in a file. */
void ld_conf_value_print(const void *field, const struct ld_conf_option *option,
			 struct ld_buffer *out);

#endif
