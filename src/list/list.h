/* Lists of websites, in the formats that people use: text to entries, entries to text.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     input  --chunks of whole lines-->  parser  --entries, rejections-->  sink
 *     source --entries in canonical order-->  writer  --text-->  file descriptor
 *
 * Nothing is dropped silently: every line gives entries, or rejections with a reason.
 *
 * Threads: an input is one thread's; of a format whose lines stand alone (ld_list_lines_alone())
 * chunks may be parsed in any order by several parsers, one a thread; other formats need one
 * parser that sees all chunks in order. */
#ifndef LD_LIST_LIST_H
#define LD_LIST_LIST_H

#include "base/error.h"
#include "base/span.h"
#include "list/entry.h"

enum {
	LD_LIST_LINE_MAX_BYTES = 16 * 1024, /* of a line; a longer one is rejected as too long */
	LD_LIST_CHUNK_BYTES = 1024 * 1024,  /* about what one chunk holds */
};

/* X(symbol, key, what it is, file ending) */
#define LD_LIST_FORMATS(X)                                                                         \
	X(AUTO, "auto", "found out from the content", "")                                          \
	X(LINDUNG, "lindung", "our own: action, category, entry, sources", ".list")                \
	X(HOSTS, "hosts", "address and names, as in /etc/hosts", ".hosts")                         \
	X(DOMAINS, "domains", "one name a line", ".txt")                                           \
	X(WILDCARD, "wildcard", "one name a line as *.name or .name", ".txt")                      \
	X(ADBLOCK, "adblock", "AdBlock rules as AdGuard defines them for DNS", ".txt")             \
	X(DNSMASQ, "dnsmasq", "address=, server= or local= lines", ".conf")                        \
	X(UNBOUND, "unbound", "local-zone lines", ".conf")                                         \
	X(RPZ, "rpz", "a response policy zone", ".rpz")                                            \
	X(SQUID, "squid", "Squid or e2guardian domain or URL list", ".acl")                        \
	X(CSV, "csv", "a table with a named column", ".csv")                                       \
	X(URLS, "urls", "one URL a line", ".txt")                                                  \
	X(CHROMIUM, "chromium", "Chromium and Edge URLBlocklist policy (written only)", ".json")   \
	X(FIREFOX, "firefox", "Firefox policies.json (written only)", ".json")                     \
	X(APPLE, "apple", "Apple .mobileconfig web content filter (written only)",                 \
	  ".mobileconfig")                                                                         \
	X(SQUID_URLS, "squid-urls", "Squid url_regex list, for parts of sites (written only)",     \
	  ".acl")

enum ld_list_format {
#define LD_X(symbol, key, what, ending) LD_LIST_##symbol,
	LD_LIST_FORMATS(LD_X)
#undef LD_X
		LD_LIST_FORMAT_COUNT
};

/* Why text gave no entry. X(symbol, key, what a person reads, whether --strict minds) */
#define LD_REJECTS(X)                                                                              \
	X(COMMENT, "comment", "a comment or header", false)                                        \
	X(BLANK, "blank", "a blank line", false)                                                   \
	X(DUPLICATE, "duplicate", "the same entry stands in this list already", true)              \
	X(COVERED, "covered", "a parent is listed alike", true)                                    \
	X(NOT_A_NAME, "not-a-name", "not a domain name", true)                                     \
	X(IDNA, "idna", "a name that IDNA does not allow", true)                                   \
	X(TOO_LONG, "too-long", "a label past 63, a name past 253 or a line past 16384 bytes",     \
	  true)                                                                                    \
	X(PUBLIC_SUFFIX, "public-suffix", "a public suffix: would close everybody below it", true) \
	X(SINGLE_LABEL, "single-label", "a single label: would close a top-level domain", true)    \
	X(IP_ADDRESS, "ip-address", "an IP address, not a name", true)                             \
	X(LOCAL, "local", "a name of the machine itself, as localhost", false)                     \
	X(PROTECTED, "protected", "a protected name: help lines and the like stay open", true)     \
	X(PORT, "port", "a name with a port: would close more than was meant", true)               \
	X(PATTERN, "pattern", "a pattern that is not a whole name", true)                          \
	X(REGEX, "regex", "a regular expression", true)                                            \
	X(COSMETIC, "cosmetic", "a rule for the look of pages", true)                              \
	X(MODIFIER, "modifier", "a modifier that the list cannot express", true)                   \
	X(TRIGGER, "trigger", "an RPZ trigger other than the name asked for", true)                \
	X(ACTION, "action", "an action that the list cannot express", true)                        \
	X(SYNTAX, "syntax", "does not follow the format", true)                                    \
	X(ENCODING, "encoding", "not text in UTF-8", true)                                         \
	X(BINARY, "binary", "binary data", true)                                                   \
	X(BADFILTERED, "badfiltered", "taken back by a $badfilter rule", false)

enum ld_reject {
#define LD_X(symbol, key, what, strict) LD_REJECT_##symbol,
	LD_REJECTS(LD_X)
#undef LD_X
		LD_REJECT_COUNT
};

const char *ld_reject_key(enum ld_reject reason);
const char *ld_reject_text(enum ld_reject reason);
bool ld_reject_is_strict(enum ld_reject reason);

/* ---- Reading ------------------------------------------------------------------------------ */

/** Where entries and rejections go.  A callback returns LINDUNG_OK to go on; anything else stops
 * the parser, which returns it.  `line` counts from 1. */
struct ld_list_sink {
	void *ctx;
	int (*entry)(void *ctx, const struct ld_entry *entry, uint64_t line);
	int (*reject)(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text);
};

/** Whole lines of a list, as UTF-8 where the file said that it is UTF-16.  A last line without an
 * end is whole too. */
struct ld_list_chunk {
	struct ld_span bytes;
	uint64_t first_line;     /* number of its first line, from 1 */
	uint64_t consumed_bytes; /* of the file as it lies on the disk, so far: for progress */
};

struct ld_list_input;

/** Open `path` ("-": standard input).  gzip and zstd are recognised by content and unpacked while
 * reading; a byte order mark is taken off, UTF-16 converted.
 * Errors: LINDUNG_EIO, LINDUNG_ENOMEM, with a report. */
int ld_list_input_open(struct ld_list_input **ret, const char *path, struct ld_report *report);
/** Size of the file on the disk; 0 if not known (a pipe). */
uint64_t ld_list_input_size_bytes(const struct ld_list_input *input);
/** The first bytes, at most 64 KiB, unpacked, without reading past them: for ld_list_detect(). */
struct ld_span ld_list_input_peek(struct ld_list_input *input);
/** The next chunk into the caller's `*ret`; its bytes are malloc()ed into `*ret_memory`, the
 * caller's to free (so that chunks can be handed to threads).  An empty chunk is the end.  A line
 * past LD_LIST_LINE_MAX_BYTES may be cut to that and one byte, so that the parser sees it is too
 * long; memory stays bounded whatever comes.
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED (the packed data is cut or wrong), LINDUNG_ELIMIT (zstd
 * with a window past 8 MiB; more than 1 GiB out of a packed file), LINDUNG_ENOMEM. */
int ld_list_input_next(struct ld_list_input *input, struct ld_list_chunk *ret, void **ret_memory,
		       struct ld_report *report);
void ld_list_input_close(struct ld_list_input *input);

/** The format of this beginning of a file; LD_LIST_AUTO if it is no list: of its lines (comments
 * left out) not one in ten looks like one of any format. */
enum ld_list_format ld_list_detect(struct ld_span beginning);

/** "hosts" to LD_LIST_HOSTS; -1 if there is none of that key. */
int ld_list_format_find(const char *key);
const char *ld_list_format_key(enum ld_list_format format);
bool ld_list_format_is_read(enum ld_list_format format);
bool ld_list_format_is_written(enum ld_list_format format);
/** Its lines can be understood one by one (all formats but RPZ, CSV and Unbound, where a zone of
 * type redirect means what the data behind it say). */
bool ld_list_lines_alone(enum ld_list_format format);

struct ld_list_parser;

struct ld_list_options {
	const char *csv_column; /* name of the column; NULL: the first that holds names */
};

/** A parser for one format that is read (not AUTO). Errors: LINDUNG_EINVAL, LINDUNG_ENOMEM. */
int ld_list_parser_new(struct ld_list_parser **ret, enum ld_list_format format,
		       const struct ld_list_options *options);
/** Parse a chunk.  Returns LINDUNG_OK or what the sink returned. No input makes it fail.  The empty
 * chunk at the end must be handed over too where lines do not stand alone: a parser that waited for
 * more then says what it has. */
int ld_list_parse(struct ld_list_parser *parser, const struct ld_list_chunk *chunk,
		  const struct ld_list_sink *sink);
/** Read what formats/list.md calls an ENTRY, in any spelling that a reader takes, and make it
 * canonical: scope, host and path of `ret`, the rest zero; valid until the parser is used again.
 * LD_REJECT_COUNT: it was taken; else why not. */
enum ld_reject ld_list_read_entry(struct ld_list_parser *parser, struct ld_span text,
				  struct ld_entry *ret);
void ld_list_parser_free(struct ld_list_parser *parser);

/* ---- Writing ------------------------------------------------------------------------------ */

/** Entries in canonical order of hosts (keys), as often as asked for: writers go through them
 * twice, first to see what the format cannot hold.  For one host: TREE/SELF/BELOW before URL.
 * They are *effective*: for a host either one TREE entry, or at most one SELF and one BELOW, and
 * any number of URL entries (but the format LINDUNG gets every entry as it stands). */
struct ld_list_source {
	void *ctx;
	int (*rewind)(void *ctx);
	/** LINDUNG_OK with an entry; LINDUNG_ENOTFOUND at the end. */
	int (*next)(void *ctx, struct ld_entry *ret);
};

struct ld_write_options {
	const char *title;      /* for the header: "lindung, adult + gambling" */
	const char *date;       /* "2026-11-22", or NULL */
	const char *rpz_origin; /* zone name; NULL: "rpz.lindung." */
	uint32_t rpz_serial;
	bool cut;                 /* write as many as the target takes; else refuse to */
	const char *sink_address; /* hosts: NULL for 0.0.0.0 */
	uint64_t sealed;          /* entries that nobody may list: said to be left out */
};

struct ld_write_summary {
	uint64_t read;
	uint64_t written; /* entries that the output expresses, exactly */
	/* entries left out because the format cannot say them, by kind: */
	uint64_t no_url, no_self, no_below, no_tree, no_allow, no_rewrite;
	uint64_t no_important; /* written, but without their mark */
	uint64_t past_limit;
	uint64_t between; /* RPZ: extra records for names between two listed ones */
};

/** Write all entries to `fd`.  What cannot be expressed is left out, counted, and said in the
 * header (JSON has none: the caller puts ld_list_format_limits() and the summary beside it); never
 * widened: a domain below which something is open that cannot be opened again is left out too.
 * Errors: LINDUNG_ELIMIT (more than the target takes, without `cut`: nothing written),
 * LINDUNG_EIO, LINDUNG_EINVAL (not a written format), LINDUNG_EEXPRESS (removals, in a format other
 * than LINDUNG), LINDUNG_EINTERNAL (the source changed between two passes), the source's own. */
int ld_list_write(int fd, enum ld_list_format format, const struct ld_list_source *source,
		  const struct ld_write_options *options, struct ld_write_summary *ret,
		  struct ld_report *report);

/** The limits of a target, a sentence or more for the manual and the header. */
const char *ld_list_format_limits(enum ld_list_format format);

#endif
