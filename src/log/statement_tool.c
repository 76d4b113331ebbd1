/* Puts statements, entries, text and sealing to the test from outside: a line in, a line out.
 * Not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     statement HEX               "ok ID", or "no REPORT"
 *     entry HEX                   "ok ORDER" (in hexadecimal), or "no"
 *     prose HEX                   "ok", or "no FAULT"
 *     unseal SECRET,... PATH      "ok SHA256", or the number of the error and its report; a secret
 *                                 is AGE-SECRET-KEY-1..., or "passphrase:" and one
 *     seal RECIPIENT,... FROM TO  "ok", or the number of the error */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "list/canonical.h"
#include "log/merkle.h"
#include "log/seal.h"
#include "log/statement.h"
#include "log/text.h"
#include "name/prose.h"

enum { LINE_MAX_BYTES = 1024 * 1024, FILE_MAX_BYTES = 64 * 1024 * 1024 };

static struct ld_report report;

static void
put_octets(const char *word, struct ld_span octets)
{
	printf("%s", word);
	for (size_t i = 0; i < octets.len; i++)
		printf("%02x", octets.data[i]);
	putchar('\n');
}

static void
try_statement(struct ld_span text)
{
	struct ld_statement statement;
	uint8_t id[LD_STATEMENT_ID_BYTES];

	if (ld_statement_parse(&statement, text, &report) != LINDUNG_OK) {
		printf("no %s\n", report.text);
		return;
	}
	ld_statement_id(id, text);
	put_octets("ok ", ld_span(id, sizeof id));
}

static void
try_entry(struct ld_span text)
{
	struct ld_entry entry;
	uint8_t key[LD_ENTRY_ORDER_MAX_BYTES];

	if (ld_entry_parse(&entry, text))
		put_octets("ok ", ld_span(key, ld_entry_order(key, &entry)));
	else
		puts("no");
}

static void
try_prose(struct ld_span text)
{
	const char *fault = NULL;

	if (ld_prose_check(text, &fault) == LINDUNG_OK)
		puts("ok");
	else
		printf("no %s\n", fault);
}

static void
file_read(const char *path, uint8_t **ret, size_t *ret_len)
{
	if (ld_read_file(path, FILE_MAX_BYTES, ret, ret_len, &report) != LINDUNG_OK) {
		fprintf(stderr, "statement_tool: %s\n", report.text);
		exit(1);
	}
}

static int
secret_add(struct ld_openers *openers, struct ld_span text)
{
	struct ld_span prefix = LD_SPAN("passphrase:");

	if (ld_span_starts(text, prefix))
		return ld_openers_passphrase(openers, ld_span_from(text, prefix.len), &report);
	return ld_openers_add(openers, text, &report);
}

static void
try_unseal(char *secrets, const char *path)
{
	struct ld_openers *openers;
	struct ld_opened opened = {0};
	struct ld_hash hash;
	uint8_t *data;
	size_t len;
	int err = ld_openers_new(&openers);

	if (err != LINDUNG_OK)
		exit(1);
	for (char *s = strtok(secrets, ","); s != NULL && err == LINDUNG_OK; s = strtok(NULL, ","))
		err = secret_add(openers, ld_span_str(s));
	file_read(path, &data, &len);
	if (err == LINDUNG_OK)
		err = ld_unseal(&opened, ld_span(data, len), openers, &report);
	if (err == LINDUNG_OK) {
		ld_hash_of(&hash, opened.bytes);
		put_octets("ok ", ld_span(hash.bytes, sizeof hash.bytes));
	} else {
		printf("%d %s\n", err, report.text);
	}
	ld_opened_free(&opened);
	ld_openers_free(openers);
	free(data);
}

static void
try_seal(char *recipients, const char *from, const char *to)
{
	struct ld_recipients *set;
	struct ld_buffer sealed;
	uint8_t *data;
	size_t len;
	int err = ld_recipients_new(&set);

	if (err != LINDUNG_OK)
		exit(1);
	for (char *r = strtok(recipients, ","); r != NULL && err == LINDUNG_OK;
	     r = strtok(NULL, ","))
		err = ld_recipients_add(set, ld_span_str(r), &report);
	file_read(from, &data, &len);
	ld_buffer_init(&sealed, 2 * (size_t)FILE_MAX_BYTES);
	if (err == LINDUNG_OK)
		err = ld_seal(&sealed, ld_span(data, len), set);
	FILE *file = err == LINDUNG_OK ? fopen(to, "we") : NULL;
	if (file == NULL || fwrite(sealed.data, 1, sealed.len, file) != sealed.len ||
	    fclose(file) != 0)
		printf("%d\n", err);
	else
		puts("ok");
	ld_recipients_free(set);
	ld_buffer_free(&sealed);
	free(data);
}

static void
try_line(char *line)
{
	static uint8_t octets[LINE_MAX_BYTES / 2];
	char none[1] = "", *words[4] = {none, none, none, none}, *rest;
	unsigned count = 0;

	for (char *w = strtok_r(line, " \n", &rest); w != NULL && count < 4;
	     w = strtok_r(NULL, " \n", &rest))
		words[count++] = w;
	struct ld_span text = ld_span(octets, strlen(words[1]) / 2);
	bool is_hex = ld_text_from_hex(octets, text.len, ld_span_str(words[1]));
	if (strcmp(words[0], "statement") == 0 && is_hex)
		try_statement(text);
	else if (strcmp(words[0], "entry") == 0 && is_hex)
		try_entry(text);
	else if (strcmp(words[0], "prose") == 0 && is_hex)
		try_prose(text);
	else if (strcmp(words[0], "unseal") == 0)
		try_unseal(words[1], words[2]);
	else if (strcmp(words[0], "seal") == 0)
		try_seal(words[1], words[2], words[3]);
	else
		puts("?");
	fflush(stdout);
}

int
main(void)
{
	static char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof line, stdin) != NULL)
		try_line(line);
	return 0;
}
