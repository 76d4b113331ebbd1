/* An image with sealed entries, for tests that ask a program: make_tool OUT [overlay] < LINES
 * (test_seal.h says what lines there are).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "index/test_seal.h"

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024 };

int
main(int argc, char **argv)
{
	static const uint8_t key[LD_BLIND_KEY_BYTES] = "sixteen octets!";
	struct ld_buffer text;
	char chunk[65536];
	size_t len;
	int err;

	if (argc < 2 || argc > 3) {
		fputs("usage: make_tool OUT [overlay] < LINES\n", stderr);
		return 2;
	}
	ld_buffer_init(&text, TEXT_MAX_BYTES);
	while ((len = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		ld_buffer_bytes(&text, ld_span(chunk, len));
	ld_buffer_bytes(&text, ld_span("", 1));
	err = text.failed ? LINDUNG_ENOMEM
			  : ld_test_make(argv[1], (const char *)text.data, key, argc == 3, NULL);
	if (err != LINDUNG_OK)
		fprintf(stderr, "make_tool: %s\n", lindung_strerror(err));
	ld_buffer_free(&text);
	return err == LINDUNG_OK ? 0 : 1;
}
