/* liblindung: ask whether a website harms children.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An *index* is one immutable file, compiled by `lindung compile` (see formats/index.md).  This
 * library maps it read-only and answers questions about names and URLs:
 *
 *     struct lindung *list;
 *     struct lindung_answer answer;
 *     int err = lindung_open(&list, "family.ldx", 0);
 *     if (err == LINDUNG_OK)
 *         err = lindung_lookup_name(list, "www.example.com", 15, LINDUNG_ALL, &answer);
 *     if (err == LINDUNG_OK && answer.verdict == LINDUNG_BLOCK)
 *         puts("closed");
 *     lindung_close(list);
 *
 * How a name is judged.  An entry speaks of one or more categories, and covers a domain, its
 * subdomains, or both.  A name is judged at its label boundaries, category by category: each
 * category is decided by the longest entry that speaks of it.  So "example.com blocked as
 * gambling, shop.example.com allowed" closes www.example.com and opens shop.example.com.
 * A protected name (help lines, emergency services) is open whatever any entry says; a name that an
 * authority ordered to be closed is closed whatever any other entry says (doc/sealed.md).
 *
 * Rules for callers
 *   - Any number of threads may look up in one `struct lindung` at a time.  Opening, adding an
 *     overlay and closing are for one thread, while no other uses that handle.
 *   - A look-up allocates nothing, takes no lock and makes no system call (but a page of the file
 *     that is not in memory is read in by the kernel).
 *   - Text is pointer and length, not terminated.  Texts that the library returns point into the
 *     mapped file: valid until lindung_close(), not terminated.
 *   - Every function returns LINDUNG_OK or a negative `enum lindung_error`; on an error nothing
 *     behind a `ret` pointer is changed.
 *   - The file may be replaced by rename(2) while it is open.  It must not be written to in place
 *     or cut short: as with any mapped file, that ends the process with SIGBUS.
 *
 * What is not declared here is not part of the interface and may change.
 */
#ifndef LINDUNG_LINDUNG_H
#define LINDUNG_LINDUNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lindung/errors.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINDUNG_API __attribute__((visibility("default")))
#define LINDUNG_CHECK __attribute__((warn_unused_result))

/** Version of the interface in this header: major * 10000 + minor * 100 + patch. */
#define LINDUNG_VERSION 100

/** Version of the library at run time, as "0.1.0". */
LINDUNG_API const char *lindung_version(void);

/** At most this many categories stand in one index; a set of them is a 64-bit mask. */
#define LINDUNG_CATEGORY_MAX 64

/** At most this many overlays may lie over one base. */
#define LINDUNG_OVERLAY_MAX 32

/** Every category: the value for `active` where no profile narrows it. */
#define LINDUNG_ALL UINT64_MAX

/** An opened index with its overlays. */
struct lindung;

/** What is to be done with a name or URL. */
enum lindung_verdict {
	LINDUNG_ALLOW = 0,
	LINDUNG_BLOCK = 1,
	/** Answer with something else: see lindung_answer.target (SafeSearch lists do this). */
	LINDUNG_REWRITE = 2,
};

/** Text in the mapped file: `len` bytes at `data`, not terminated; {NULL, 0} where there is none.
 */
struct lindung_text {
	const char *data;
	size_t len;
};

/** The answer to one question.  Sets of categories: bit i stands for lindung_category_key(i). */
struct lindung_answer {
	enum lindung_verdict verdict;
	/** The name is protected (help lines and the like): allowed, and nothing may close it. */
	bool is_protected;
	/** Closed by an authority's order: by a sealed entry or in a locked category (which of them
	 * is not told).  Nothing but a protection opens it, and it is closed whichever categories
	 * are active.  Then `blocked`, `category` and `source` tell nothing. */
	bool is_sealed;
	/** Names below the one asked about get the same verdict, but for those with entries of
	 * their own.  False where an entry for the name alone ("=host.example") decided: whoever
	 * answers in DNS must not deny what lies below it (RFC 8020). */
	bool holds_below;
	/** Categories, of those active, in which the name is blocked. */
	uint64_t blocked;
	/** Categories, of those active, in which an allow entry decided. */
	uint64_t allowed;
	/** The category to show: the lowest set bit of `blocked` by the longest entry; -1 if none.
	 */
	int category;
	/** LINDUNG_BLOCK: the list or statement by which the category to show was decided; of
	 * several the first in the image's order. */
	struct lindung_text source;
	/** Labels of the entry that gave the verdict: 2 for "example.com"; 0 if none did. */
	unsigned match_labels;
	/** LINDUNG_REWRITE: what to answer, as "A 192.0.2.1", "AAAA 2001:db8::1" or "CNAME name".
	 */
	struct lindung_text target;
};

/** One entry that speaks of the name or URL asked about, as lindung_explain() reports it. */
struct lindung_reason {
	/** The entry as written canonically: "example.com", "=host.example", "example.com/path". */
	struct lindung_text entry;
	struct lindung_text category;
	/** The list or statement it came from. */
	struct lindung_text source;
	enum lindung_verdict action;
	/** It decided its category; false: a longer or stronger entry did. */
	bool decides;
	bool important;
	bool is_protected;
	/** An entry that is sealed.  Without LINDUNG_OPERATOR one reason stands for all of them,
	 * the first one told, and `entry`, `category`, `source` and `layer` tell nothing. */
	bool is_sealed;
	/** 0 for the base, 1 for the first overlay ... */
	unsigned layer;
	struct lindung_text target;
};

/** Flags of lindung_open(). */
enum {
	/** Check every section's hash before returning (reads the whole file). */
	LINDUNG_VERIFY = 1,
	/** Who asks may know why a name is sealed: lindung_explain() tells it (lindung_open()). */
	LINDUNG_OPERATOR = 2,
};

/** Open the index file at `path` (terminated).  The structure is always checked as far as it must
 * be so that no look-up can read outside the file; hashes only with LINDUNG_VERIFY.
 *
 * Errors: LINDUNG_EIO (with errno), LINDUNG_EFORMAT (not an index), LINDUNG_EVERSION,
 * LINDUNG_EDAMAGED, LINDUNG_ENOMEM.  *ret is the caller's to close. */
LINDUNG_API LINDUNG_CHECK int lindung_open(struct lindung **ret, const char *path, unsigned flags);

/** Lay the index file at `path` over what is open: where an overlay has an entry for a name, it
 * replaces what lies below it for that very name; where it says "removed", that name has no entry.
 * A protected name stays protected whatever overlays say.  Sealed entries are names of their own
 * kind: what an overlay says of a name openly leaves them as they are.
 * Later overlays lie above earlier ones.  Categories are matched by key.
 *
 * Errors: as lindung_open(), and LINDUNG_ELIMIT past LINDUNG_OVERLAY_MAX or LINDUNG_CATEGORY_MAX.
 */
LINDUNG_API LINDUNG_CHECK int lindung_overlay(struct lindung *list, const char *path,
					      unsigned flags);

/** Close it and unmap the files.  NULL is a no-op. */
LINDUNG_API void lindung_close(struct lindung *list);

/** Check every section's hash and every entry of all layers.  Reads it all; slow on purpose.
 * LINDUNG_OK, or LINDUNG_EDAMAGED. */
LINDUNG_API LINDUNG_CHECK int lindung_verify(const struct lindung *list);

/** Judge a host name in ASCII ("www.example.com", any case, with or without the last dot).
 * `active`: the categories that count; LINDUNG_ALL for every one.
 *
 * Errors: LINDUNG_ENOTASCII (convert it to A-labels first: that is the caller's), LINDUNG_ENAME
 * (not a name: empty label, label past 63 or name past 253 octets).  A name with octets that no
 * host name has is judged like any other: parents may still be listed. */
LINDUNG_API LINDUNG_CHECK int lindung_lookup_name(const struct lindung *list, const char *name,
						  size_t len, uint64_t active,
						  struct lindung_answer *ret);

/** Judge a name in DNS wire form, uncompressed, with its zero octet (RFC 1035 section 3.1).
 * Errors: LINDUNG_ENAME. */
LINDUNG_API LINDUNG_CHECK int lindung_lookup_wire(const struct lindung *list, const uint8_t *name,
						  size_t len, uint64_t active,
						  struct lindung_answer *ret);

/** One of many questions: a name in wire form and the categories that count; then what came out. */
struct lindung_question {
	const uint8_t *name;
	size_t len;
	uint64_t active;
	/** LINDUNG_OK, or why `answer` is as it was: as lindung_lookup_wire() returns. */
	int error;
	struct lindung_answer answer;
};

/** Judge many names at once: each as lindung_lookup_wire() does, but the waiting for memory is done
 * together.  Whoever takes packets by the batch asks by the batch. */
LINDUNG_API void lindung_lookup_many(const struct lindung *list, struct lindung_question *questions,
				     size_t count);

/** Judge a URL: its host as lindung_lookup_name() does, and entries for parts of a site.
 * The URL is canonicalised first, as the Safe Browsing API defines it.
 * Errors: as lindung_lookup_name(), LINDUNG_EURL, LINDUNG_ELIMIT past 8192 octets. */
LINDUNG_API LINDUNG_CHECK int lindung_lookup_url(const struct lindung *list, const char *url,
						 size_t len, uint64_t active,
						 struct lindung_answer *ret);

/** Call `each` for every entry that speaks of the name or URL (it is a URL if it has a '/'),
 * longest first.  `each` returns 0 to go on; anything else stops and is returned.  The reason and
 * its `entry` are valid during the call only. */
LINDUNG_API LINDUNG_CHECK int
lindung_explain(const struct lindung *list, const char *name_or_url, size_t len, uint64_t active,
		int (*each)(void *ctx, const struct lindung_reason *reason), void *ctx);

/** How many categories there are; their keys are numbered from 0. */
LINDUNG_API unsigned lindung_category_count(const struct lindung *list);

/** Key of category `i`, as "adult"; {NULL, 0} past the last. */
LINDUNG_API struct lindung_text lindung_category_key(const struct lindung *list, unsigned i);

/** Number of the category with this key, or -1. */
LINDUNG_API int lindung_category_find(const struct lindung *list, const char *key, size_t len);

/** Facts about one layer (0: the base). */
struct lindung_facts {
	uint64_t size_bytes;
	/** Keys stored: names and URLs, each once. */
	uint64_t entry_count;
	uint32_t category_count;
	uint32_t source_count;
	/** Days since 1970-01-01 UTC that the compiler was told; 0 if none. */
	uint32_t date_day;
	uint32_t format_version;
	/** Sealed names and URLs: not among entry_count, and never listed. */
	uint64_t sealed_count;
};

/** Facts about layer `layer`.  LINDUNG_EINVAL past the last. */
LINDUNG_API LINDUNG_CHECK int lindung_facts(const struct lindung *list, unsigned layer,
					    struct lindung_facts *ret);

#ifdef __cplusplus
}
#endif
#endif
