/* What the readers of the formats share.  Inside src/list only.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A format is a table entry (struct ld_format_reader): a function that is called for every line,
 * and where a line may need the next one, a state with functions to begin and end it.  The
 * functions return LINDUNG_OK, or what the sink returned: that stops the parser. */
#ifndef LD_LIST_PARSER_H
#define LD_LIST_PARSER_H

#include "list/address.h"
#include "list/list.h"
#include "name/name.h"
#include "name/url.h"

/** Of functions that return a reason: there is none, the text is good. */
#define LD_REJECT_NONE LD_REJECT_COUNT

enum {
	/* Bytes shown of a line that is too long to be shown whole. */
	LD_SHOWN_MAX_BYTES = 200,
	/* Names of a line that are looked at for repeats. */
	LD_SEEN_MAX = 64,
};

struct ld_format_reader {
	enum ld_list_format format;
	/** One line, without its end. */
	int (*line)(struct ld_list_parser *p, struct ld_span line);
	/** The rest may be NULL.  Makes p->state; LINDUNG_OK or LINDUNG_ENOMEM. */
	int (*open)(struct ld_list_parser *p, const struct ld_list_options *options);
	/** The input has ended: say what still waits for more. */
	int (*end)(struct ld_list_parser *p);
	void (*close)(struct ld_list_parser *p);
};

extern const struct ld_format_reader ld_reader_lindung, ld_reader_hosts, ld_reader_domains,
	ld_reader_wildcard, ld_reader_squid, ld_reader_urls, ld_reader_adblock, ld_reader_dnsmasq,
	ld_reader_unbound, ld_reader_rpz, ld_reader_csv;

struct ld_list_parser {
	const struct ld_format_reader *reader;
	const struct ld_list_sink *sink;
	uint64_t line_number;
	char host[LD_HOST_MAX + 1];
	char target[LD_TARGET_MAX];
	struct ld_url url;
	char url_text[LD_URL_MAX + LD_HOST_MAX + 2]; /* a URL whose host was made ASCII */
	void *state;                                 /* the format's own */
};

/** Hand an entry to the sink. */
int ld_parser_entry(struct ld_list_parser *p, const struct ld_entry *entry);

/** Hand a rejection to the sink.  Text with control characters is reported as binary. */
int ld_parser_reject(struct ld_list_parser *p, enum ld_reject reason, struct ld_span text);

/** Lines that were kept because one of them seemed to go on, and does not: the first is rejected as
 * not following the format, each other is handed to `line`, which must not wait for more. */
int ld_parser_apart(struct ld_list_parser *p, struct ld_span kept, uint64_t first_line,
		    int (*line)(struct ld_list_parser *p, struct ld_span line));

/** Canonicalise a name, ASCII or UTF-8, into p->host.  Returns LD_REJECT_NONE with it in `ret`, or
 * the reason why it cannot be: never more than the name is looked for in the text. */
enum ld_reject ld_parser_host(struct ld_list_parser *p, struct ld_span text, struct ld_span *ret);

/** Canonicalise a rewrite's target name into p->target, as "CNAME name". The same returns. */
enum ld_reject ld_parser_cname(struct ld_list_parser *p, struct ld_span text, struct ld_span *ret);

/** Canonicalise a URL, with or without a scheme; every octet of it means itself, a '*' too.  Fills
 * host, path ("/" if there is none) and scope of `entry`. */
enum ld_reject ld_parser_url(struct ld_list_parser *p, struct ld_span text, struct ld_entry *entry);

/** A site as people write one in a list: a name, *.name or .name, or a URL.  The entry is like
 * `like`, with `wild_scope` if the name has a wildcard (0: wildcards are patterns here).  Gives
 * one entry or one rejection. */
int ld_parser_site(struct ld_list_parser *p, struct ld_span text, const struct ld_entry *like,
		   uint8_t wild_scope);

/** Whether the line is one of a hosts file: an address, then names.  If so it is parsed, each name
 * that maps to a sink with `scope`. `*ret` is what the sink said. */
bool ld_parser_hosts_line(struct ld_list_parser *p, struct ld_span line, uint8_t scope, int *ret);

/** Names of one line, to find the ones that it repeats. */
struct ld_seen {
	size_t count;
	struct ld_span names[LD_SEEN_MAX];
};

/** Whether the name is among them, in whatever case; if not, it is added (while there is room). */
bool ld_seen_add(struct ld_seen *seen, struct ld_span name);

/** A DNS record as text. */
struct ld_record {
	struct ld_span owner;
	struct ld_span type;
	struct ld_span data;
};

/** Take apart what stands behind the owner: [ttl] [class] type data. */
bool ld_record_split(struct ld_span owner, struct ld_span rest, struct ld_record *ret);

/** What an A, AAAA or CNAME record makes of its name: fills action and target. */
enum ld_reject ld_parser_record(struct ld_list_parser *p, const struct ld_record *record,
				struct ld_entry *entry);

/** The next word up to blanks or tabs, taken off the front of `*rest`; empty at the end. */
struct ld_span ld_word_next(struct ld_span *rest);

/** What stands before the separator, both taken off the front of `*rest`. */
struct ld_span ld_field_next(struct ld_span *rest, uint8_t separator);

/** Whether the text begins like that, whatever the case of ASCII letters. */
bool ld_text_starts(struct ld_span text, const char *prefix);
bool ld_text_is(struct ld_span text, const char *word);

#endif
