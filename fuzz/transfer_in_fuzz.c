/* A stream of messages that claims to be a transfer: taken to its end or refused; a copy that came
 * out of it is written, read again and the same. SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet: 1 there is a copy already, 2 all of the zone is asked for, 4 signed.  Then
 * messages, each behind a length of two octets; the id of each is made right. */
#include "fuzz.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "zone/intake.h"

enum { NOW_S = 1800000000, MESSAGES_MAX = 64 };

static const char known[] =
	"rpz.lindung. 60 IN SOA localhost. nobody.invalid. 3 3600 600 604800 60\n"
	"rpz.lindung. 60 IN NS localhost.\n"
	"a.example.rpz.lindung. 60 IN CNAME .\n"
	"*.a.example.rpz.lindung. 60 IN CNAME .\n";

static struct ld_zone_copy *
copy_new(void)
{
	static const struct ld_copy_limits limits = {10000, 1 << 20};
	struct ld_name origin;
	struct ld_zone_copy *copy;

	if (ld_name_from_text(&origin, LD_SPAN("rpz.lindung")) != LINDUNG_OK ||
	    ld_zone_copy_new(&copy, &origin, &limits) != LINDUNG_OK)
		abort();
	return copy;
}

static uint8_t *
text_of(struct ld_zone_copy *copy, size_t *ret_len)
{
	char path[] = "/tmp/lindung-fuzz-XXXXXX";
	int fd = mkstemp(path);
	uint8_t *text;

	if (fd < 0 || ld_zone_copy_write(copy, fd) != LINDUNG_OK ||
	    ld_read_file(path, 1 << 26, &text, ret_len, NULL) != LINDUNG_OK)
		abort();
	close(fd);
	unlink(path);
	return text;
}

static void
round_trip(struct ld_zone_copy *copy)
{
	struct ld_zone_copy *again = copy_new();
	size_t len, again_len;
	uint8_t *text = text_of(copy, &len), *again_text;

	if (ld_zone_copy_read(again, ld_span(text, len)) != LINDUNG_OK)
		__builtin_trap();
	again_text = text_of(again, &again_len);
	if (!ld_span_equal(ld_span(text, len), ld_span(again_text, again_len)))
		__builtin_trap();
	free(text);
	free(again_text);
	ld_zone_copy_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ld_tsig_keys keys;
	struct ld_zone_copy *copy = copy_new();
	struct ld_intake *intake;
	struct ld_reader r = ld_reader(ld_span(data, size));
	unsigned how = ld_reader_u8(&r), digests;
	uint8_t request[1024], message[65535];
	struct ld_writer w = ld_writer(request, sizeof request);
	enum ld_intake_state state = LD_INTAKE_GOES_ON;

	if (keys.count == 0 &&
	    ld_tsig_keys_parse(&keys, "fuzz",
			       LD_SPAN("key \"k\" { algorithm hmac-sha256; secret "
				       "\"QUFBQUFBQUFBQUFBQUFBQQ==\"; };"),
			       NULL) != LINDUNG_OK)
		abort();
	if ((how & 1) != 0 && ld_zone_copy_read(copy, ld_span_str(known)) != LINDUNG_OK)
		__builtin_trap();
	if (ld_intake_new(&intake, copy, (how & 4) != 0 ? &keys.items[0] : NULL) != LINDUNG_OK)
		abort();
	ld_intake_request(intake, &w, (how & 2) != 0, NOW_S);
	for (unsigned i = 0; i < MESSAGES_MAX && state == LD_INTAKE_GOES_ON; i++) {
		struct ld_span taken = ld_reader_take(&r, ld_reader_be16(&r));

		if (r.failed)
			break;
		memcpy(message, taken.data, taken.len);
		if (taken.len >= 2)
			memcpy(message, request, 2);
		if (ld_intake_take(intake, ld_span(message, taken.len), NOW_S, &state, NULL) !=
		    LINDUNG_OK)
			break;
	}
	if (state == LD_INTAKE_DONE) {
		(void)ld_zone_copy_verify(copy, &digests, NULL);
		round_trip(copy);
	}
	ld_intake_free(intake);
	ld_zone_copy_free(copy);
	return 0;
}
