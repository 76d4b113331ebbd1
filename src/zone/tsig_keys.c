/* Keys of TSIG as BIND writes them into files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "zone/tsig.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

enum { FILE_MAX_BYTES = 64 * 1024 };

/* Words of a file: bare, in quotes, or one of { } ; */
struct words {
	struct ld_span rest;
	struct ld_span word;
	unsigned line;
};

static void
blanks_skip(struct words *w)
{
	while (w->rest.len != 0) {
		uint8_t c = w->rest.data[0];

		if (c == '#' || ld_span_starts(w->rest, LD_SPAN("//"))) {
			w->rest = ld_span_from(w->rest, ld_span_find(w->rest, '\n'));
			continue;
		}
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return;
		w->line += c == '\n';
		w->rest = ld_span_from(w->rest, 1);
	}
}

/* False at the end. */
static bool
word_next(struct words *w)
{
	size_t len = 0;

	blanks_skip(w);
	if (w->rest.len == 0) {
		w->word = w->rest;
		return false;
	}
	if (w->rest.data[0] == '"') {
		w->rest = ld_span_from(w->rest, 1);
		len = ld_span_find(w->rest, '"');
		w->word = ld_span_first(w->rest, len);
		w->rest = ld_span_from(w->rest, len + 1);
		return true;
	}
	if (ld_span_has_any(ld_span_first(w->rest, 1), "{};")) {
		len = 1;
	} else {
		while (len < w->rest.len && !isspace(w->rest.data[len]) &&
		       !ld_span_has_any(ld_span(w->rest.data + len, 1), "{};\""))
			len++;
	}
	w->word = ld_span_first(w->rest, len);
	w->rest = ld_span_from(w->rest, len);
	return true;
}

static bool
word_is(struct words *w, const char *text)
{
	return word_next(w) && ld_span_equal(w->word, ld_span_str(text));
}

static int
base64_value(uint8_t c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* The octets that base64 stands for; false if it is not that, or has more than there is room for.
 */
static bool
secret_read(struct ld_span text, struct ld_tsig_key *key)
{
	uint32_t bits = 0;
	unsigned held = 0, pads = 0;

	if (text.len % 4 != 0)
		return false;
	key->secret_len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.data[i]);

		if (text.data[i] == '=' && i + 2 >= text.len) {
			pads++;
			continue;
		}
		if (value < 0 || pads != 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (key->secret_len == LD_TSIG_SECRET_MAX)
			return false;
		key->secret[key->secret_len++] = (uint8_t)(bits >> held);
	}
	return (bits & ((1u << held) - 1)) == 0 && key->secret_len >= LD_TSIG_SECRET_MIN;
}

/* Behind the word "key". */
static bool
key_read(struct words *w, struct ld_tsig_key *key, const char **ret_expected)
{
	bool has_algorithm = false, has_secret = false;

	*ret_expected = "expected key \"NAME\" { algorithm hmac-sha256; secret \"BASE64\"; };";
	if (!word_next(w) || ld_name_from_text(&key->name, w->word) != LINDUNG_OK ||
	    key->name.labels == 0)
		return false;
	ld_name_lower(&key->name);
	if (!word_is(w, "{"))
		return false;
	while (word_next(w) && !ld_span_equal(w->word, LD_SPAN("}"))) {
		if (ld_span_equal(w->word, LD_SPAN("algorithm"))) {
			*ret_expected = "the algorithm must be hmac-sha256 (tsig-keygen makes one)";
			has_algorithm = word_is(w, "hmac-sha256");
			if (!has_algorithm)
				return false;
		} else if (ld_span_equal(w->word, LD_SPAN("secret"))) {
			*ret_expected = "the secret must be 16 to 128 octets in base64";
			has_secret = word_next(w) && secret_read(w->word, key);
			if (!has_secret)
				return false;
		} else {
			return false;
		}
		*ret_expected = "expected ;";
		if (!word_is(w, ";"))
			return false;
	}
	*ret_expected = "a key needs an algorithm and a secret, and ends with };";
	return has_algorithm && has_secret && word_is(w, ";");
}

int
ld_tsig_keys_parse(struct ld_tsig_keys *keys, const char *what, struct ld_span text,
		   struct ld_report *report)
{
	struct words w = {.rest = text, .line = 1};
	struct ld_tsig_key key;
	const char *expected;
	unsigned before = keys->count;

	while (word_next(&w)) {
		if (!ld_span_equal(w.word, LD_SPAN("key")))
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "%s:%u: \"%.*s\": expected key \"NAME\" { ... };", what,
				       w.line, (int)w.word.len, (const char *)w.word.data);
		if (!key_read(&w, &key, &expected))
			return ld_fail(report, LINDUNG_ESYNTAX, "%s:%u: %s", what, w.line,
				       expected);
		if (ld_tsig_key_find(keys, &key.name) != NULL)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "%s:%u: there is another key of that name", what, w.line);
		if (keys->count == LD_TSIG_KEYS_MAX)
			return ld_fail(report, LINDUNG_ELIMIT, "%s:%u: more than %d keys", what,
				       w.line, LD_TSIG_KEYS_MAX);
		keys->items[keys->count++] = key;
	}
	if (keys->count == before)
		return ld_fail(report, LINDUNG_ESYNTAX, "%s: there is no key in it", what);
	return LINDUNG_OK;
}

int
ld_tsig_keys_read(struct ld_tsig_keys *keys, const char *path, struct ld_report *report)
{
	struct stat st;
	uint8_t *data;
	size_t len;
	int err;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return ld_fail(report, LINDUNG_EDENIED,
			       "%s: others can read or write it: chmod o=,g-w", path);
	err = ld_read_file(path, FILE_MAX_BYTES, &data, &len, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_tsig_keys_parse(keys, path, ld_span(data, len), report);
	explicit_bzero(data, len);
	free(data);
	return err;
}
