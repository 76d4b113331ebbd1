/* What a quorum holds: statements, parties, cells, and what is due.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     statement --records--> cells: one for each category and entry
 *        |  ^                  |
 *     speakers                 chain of all records of statements that speak of it
 *
 * Statements, cells and records are named by their numbers, so that everything is an array that
 * may move.  A statement that speaks of all of another has no records: it hangs at the other, among
 * its speakers.
 *
 * For the files of this folder.  One thread's. */
#ifndef LD_QUORUM_STATE_H
#define LD_QUORUM_STATE_H

#include "quorum/quorum.h"
#include "quorum/rules.h"
#include "quorum/story.h"

#define LD_NONE UINT32_MAX

enum {
	LD_QUORUM_KEYS_MAX = 65536, /* that parties have or had */
	/* What one party may take of the whole, that nobody can use up what is everybody's: */
	LD_QUORUM_PARTY_STATEMENTS_MAX = LD_QUORUM_STATEMENTS_MAX / 4,
	LD_QUORUM_PARTY_ENTRIES_MAX = LD_QUORUM_ENTRIES_MAX / 4,
	/* Of one party about all of one statement, of a kind.  What is said of all of it costs each
	 * of its entries something, whenever one of them is looked at. */
	LD_QUORUM_ALIKE_MAX = 16,
	LD_DAY_S = 86400,
};

enum {
	LD_SAID_UPHOLDS = 1,
	LD_SAID_WHOLE = 2,   /* speaks of all of its target */
	LD_SAID_FLOODS = 4,  /* more than its party may say in a day */
	LD_SAID_VOID = 8,    /* made on or after the time from which its party's key was revoked */
	LD_SAID_WAITS = 16,  /* for its block */
	LD_SAID_CLOSED = 32, /* sealed, and not for us */
	LD_SAID_TAKEN_BACK = 64, /* a withdraw speaks of all of it */
	LD_SAID_BROKEN = 256,    /* its block does not follow the format */
	LD_SAID_DIRTY = 128,     /* what was decided about it is to be worked out anew */
};

/** A statement; its number is its index in the log. */
struct ld_said {
	uint8_t id[LD_STATEMENT_ID_BYTES];
	int64_t time_s, until_s;
	uint32_t party;
	uint32_t target, base; /* what it speaks of; the list or allow behind that, or itself */
	uint32_t next_of_party;
	uint32_t speakers, next_speaker; /* of all of it, newest first */
	uint32_t first_record, record_count;
	uint32_t entry_count;
	uint32_t decided_at;
	uint32_t covered;              /* numbers of looks at a cell: it lists it, */
	uint32_t taken_back, seconded; /* that part was withdrawn, another party endorses it */
	uint16_t category, flags;
	uint8_t action, refusal, entries, decided;
};

struct ld_party {
	const char *id, *name;
	struct ld_voter voter;
	bool has_key; /* now, at this place in the log */
	struct ld_verifier key;
	int64_t since_s, until_s; /* of its newest party-add */
	int64_t root_s;           /* time of the newest statement about it */
	int64_t last_s;           /* of the newest statement by this key */
	int64_t day;              /* of these: */
	struct ld_flood spoken;
	uint32_t statements, entries;                  /* since its party-add */
	uint32_t newest;                               /* statement */
	uint32_t added;                                /* statement */
	uint32_t counted[2], rejected[2], disputes[2]; /* numbers of looks, by side */
};

struct ld_category {
	char key[33];
	const struct ld_rule *rule;
};

enum { LD_CELL_TOUCHED = 1, LD_CELL_POPULAR = 2, LD_CELL_SEALED = 4 };

struct ld_cell {
	uint32_t text;   /* in the pool */
	uint32_t record; /* newest */
	uint32_t effect;
	uint16_t category;
	uint8_t flags;
};

struct ld_record {
	uint32_t cell, next, said;
};

/** What an entry comes to; few are different.  Number 0: nothing. */
struct ld_effect {
	uint8_t action, count;
	uint32_t sources[LD_EFFECTIVE_SOURCES_MAX];
};

struct ld_due {
	int64_t time_s;
	uint32_t number;
	bool is_party;
};

struct ld_wait {
	uint8_t hash[LD_BLOCK_HASH_BYTES];
	uint32_t said;
};

struct ld_key_seen {
	uint8_t key[LD_KEY_PUBLIC_BYTES];
	uint32_t party;
	bool is_revoked;
};

/** An array that grows.  `count` and `size` are of items. */
#define LD_ARRAY(type)                                                                             \
	struct {                                                                                   \
		type *at;                                                                          \
		size_t count, size;                                                                \
	}

/** A table of numbers of things that are kept elsewhere; open addressing. */
struct ld_table {
	struct ld_slot {
		uint32_t number, tag;
	} * slots;
	size_t size, count; /* a power of two */
};

struct ld_quorum {
	const struct ld_policy *policy;
	const struct ld_openers *openers;
	const struct ld_psl *suffixes; /* or NULL */
	uint8_t secret[16];            /* of the tables: nobody outside can make them collide */
	uint8_t blind_key[LD_BLIND_KEY_BYTES];
	int64_t now_s;
	bool is_broken;
	LD_ARRAY(struct ld_said) said;
	LD_ARRAY(struct ld_party *) parties;
	LD_ARRAY(struct ld_category) categories;
	uint32_t other_categories; /* of these, such as the policy does not name */
	uint64_t entry_count;      /* that statements say they have; cells may have fewer */
	LD_ARRAY(struct ld_cell) cells;
	LD_ARRAY(struct ld_record) records;
	LD_ARRAY(uint8_t) pool;
	LD_ARRAY(struct ld_effect) effects;
	LD_ARRAY(struct ld_due) due; /* a heap */
	LD_ARRAY(struct ld_wait) waits;
	LD_ARRAY(struct ld_key_seen) keys;
	LD_ARRAY(uint32_t) touched, dirty;
	LD_ARRAY(uint32_t) heard; /* statements about the cell that is looked at */
	struct ld_table ids, by_id, by_entry, by_effect;
	struct ld_arena texts;
	struct ld_voter *voters; /* LD_QUORUM_PARTIES_MAX, to count with */
	uint32_t look;
};

/** Room for `more` items.  Errors: LINDUNG_ENOMEM. */
int ld_array_room(void **at, size_t *size, size_t count, size_t more, size_t item);
#define LD_ROOM(array, more)                                                                       \
	ld_array_room((void **)&(array)->at, &(array)->size, (array)->count, (more),               \
		      sizeof *(array)->at)

/** The slot of what has this hash and is `same`, or the empty slot where it would stand. */
struct ld_slot *ld_table_find(const struct ld_table *table, uint64_t hash,
			      bool (*same)(const void *ctx, uint32_t number), const void *ctx);
/** Room for one more; slots move.  Errors: LINDUNG_ENOMEM. */
int ld_table_room(struct ld_table *table, uint64_t (*hash)(const void *ctx, uint32_t number),
		  const void *ctx);
void ld_slot_take(struct ld_table *table, struct ld_slot *slot, uint64_t hash, uint32_t number);

static inline struct ld_said *
ld_said_at(const struct ld_quorum *q, uint32_t number)
{
	return &q->said.at[number];
}

static inline bool
ld_party_is_valid(const struct ld_party *party, int64_t now_s)
{
	return party->has_key && now_s < party->until_s;
}

/* ---- check.c: what a note would mean as the next entry ----------------------------------------
 */

struct ld_checked {
	struct ld_statement statement;
	uint8_t id[LD_STATEMENT_ID_BYTES];
	enum ld_refusal refusal;
	uint32_t party; /* who says it; of root statements whom they are about; or LD_NONE */
	uint32_t target, base;
	uint32_t category; /* number, or LD_NONE where it is new */
	bool floods;
	uint32_t listed, disputed; /* what it adds to the day's */
	struct ld_report report;   /* where the refusal alone does not say it */
};

void ld_check(const struct ld_quorum *q, struct ld_span note, struct ld_checked *ret);
uint32_t ld_party_find(const struct ld_quorum *q, struct ld_span id);
uint32_t ld_said_find(const struct ld_quorum *q, const uint8_t id[LD_STATEMENT_ID_BYTES]);
uint32_t ld_category_find(const struct ld_quorum *q, struct ld_span key);
uint32_t ld_key_find(const struct ld_quorum *q, const uint8_t key[LD_KEY_PUBLIC_BYTES]);

/* ---- cells.c ----------------------------------------------------------------------------------
 */

/** The host's key, path and scope of an entry as it is kept. */
struct ld_cell_text {
	uint8_t scope;
	struct ld_span key, path; /* empty where it is sealed */
	const uint8_t *blind;
};
struct ld_cell_text ld_cell_text(const struct ld_quorum *q, const struct ld_cell *cell);
/** The cell of an entry, or LD_NONE. */
uint32_t ld_cell_find(const struct ld_quorum *q, uint16_t category,
		      const struct ld_cell_text *text);
/** Take the entries of statement `number`, which are in `stored` (of a block) or in itself.
 * Errors: those of ld_block_read(), LINDUNG_ELIMIT. */
int ld_cells_take(struct ld_quorum *q, uint32_t number, const struct ld_statement *statement,
		  struct ld_span stored, struct ld_report *report);
int ld_cell_touch(struct ld_quorum *q, uint32_t cell);
/** All cells that the statement speaks of. */
int ld_said_touch(struct ld_quorum *q, uint32_t number);

/* ---- judge.c ----------------------------------------------------------------------------------
 */

enum { LD_UNDECIDED, LD_UPHELD, LD_REJECTED };

/** What a look at one side of a cell found: [0] it is listed, [1] it is allowed. */
struct ld_side {
	uint32_t voter_count;
	uint32_t sources[LD_EFFECTIVE_SOURCES_MAX];
	uint32_t source_count;
	uint32_t barrier; /* what stands before it in the log was ended */
	uint32_t disputes, agree_has;
	bool is_suspended, is_heard;
	bool agrees, popular_agrees;
};

/** Work out what a dispute or appeal came to. Errors: LINDUNG_ENOMEM. */
int ld_decide(struct ld_quorum *q, uint32_t number);
/** Look at a cell at the time q->now_s.  Errors: LINDUNG_ENOMEM. */
int ld_judge(struct ld_quorum *q, uint32_t cell, struct ld_side ret[2], struct ld_effect *effect);
/** Does a statement count now, but for what a cell alone knows (barrier, parts withdrawn)? */
bool ld_said_counts(const struct ld_quorum *q, const struct ld_said *said);
/** Is there a withdraw of all of it that counts? */
bool ld_said_is_taken_back(const struct ld_quorum *q, const struct ld_said *said);

/** Hand an entry over with this effect (nothing: it is removed). */
int ld_cell_tell(const struct ld_quorum *q, const struct ld_cell *cell,
		 const struct ld_effect *effect, ld_quorum_each *each, void *ctx);

/* ---- quorum.c ---------------------------------------------------------------------------------
 */

/** What a party's statements come to is to be worked out anew. */
int ld_party_touch(struct ld_quorum *q, uint32_t number);
/** What was decided about this dispute or appeal is to be worked out anew. */
int ld_decision_touch(struct ld_quorum *q, uint32_t number);

/* ---- due.c ------------------------------------------------------------------------------------
 */

int ld_due_add(struct ld_quorum *q, int64_t time_s, uint32_t number, bool is_party);
/** Take the next that is due at `now_s`; false if none is. */
bool ld_due_take(struct ld_quorum *q, int64_t now_s, struct ld_due *ret);

#endif
