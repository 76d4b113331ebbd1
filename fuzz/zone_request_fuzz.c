/* A request about our zones: answered, given a transfer that comes to its end, or passed on; never
 * more octets than a message has, and never records without the key. SPDX-License-Identifier:
 * BSD-2-Clause
 *
 * The first octet is the transport; of the rest, the message.  With its top bit set, a TSIG record
 * with a good key's name and no good MAC is what may stand in it: nobody here knows the secret. */
#include "fuzz.h"

#include <stdlib.h>

#include "index/test_image.h"
#include "wire/dns.h"
#include "zone/request.h"

enum { NOW_S = 1800000000, MESSAGES_MAX = 64 };

static struct ld_zone_settings settings = {
	.by_category = true, .digests = 3, .journal_max = 8, .journal_max_bytes = 65536};
static struct ld_tsig_keys keys, no_keys;
static struct ld_prefixes *everybody;
static struct ld_zone_set *set;

static void
prepare(void)
{
	static const struct ld_prefix all = {.len = 4};
	static const _Atomic bool never = false;
	struct lindung *list;

	if (ld_name_from_text(&settings.merged, LD_SPAN("rpz.lindung")) != LINDUNG_OK ||
	    ld_name_from_text(&settings.catalog, LD_SPAN("catalog.lindung")) != LINDUNG_OK ||
	    ld_tsig_keys_parse(&keys, "fuzz",
			       LD_SPAN("key \"k\" { algorithm hmac-sha256; secret "
				       "\"QUFBQUFBQUFBQUFBQUFBQQ==\"; };"),
			       NULL) != LINDUNG_OK ||
	    ld_prefixes_new(&everybody, &all, 1, NULL, 0) != LINDUNG_OK)
		abort();
	list = ld_test_open("block\tadult\ta.example\ts\n"
			    "block\tadult\t*.b.example\ts\n"
			    "allow\tadult\tx.y.z.a.example\ts\n"
			    "rewrite\tadult\tr.example\ts\tCNAME safe.example\n");
	if (ld_zone_set_make(&set, &settings, list, NULL, 1700000000, &never) != LINDUNG_OK)
		abort();
}

static void
transfer_run(struct ld_transfer *transfer)
{
	struct ld_span message;
	unsigned count = 0;

	do {
		if (ld_transfer_next(transfer, NOW_S, &message) != LINDUNG_OK ||
		    message.len > LD_TRANSFER_MESSAGE_MAX || ++count > MESSAGES_MAX)
			__builtin_trap();
	} while (message.len != 0);
	if (!ld_transfer_is_done(transfer))
		__builtin_trap();
	ld_transfer_free(transfer);
}

static void
ask(bool open, const struct ld_from *from, struct ld_span message)
{
	static uint8_t room[4096];
	const struct ld_zone_access access = {.keys = open ? &no_keys : &keys,
					      .allowed = open ? everybody : NULL};
	struct ld_writer w = ld_writer(room, sizeof room);
	struct ld_transfer *transfer;
	enum ld_zone_counter counter;

	switch (ld_zone_take(&settings, set, &access, from, NOW_S, true, message, &w, &transfer,
			     &counter)) {
	case LD_ZONE_TRANSFER:
		if (!open)
			__builtin_trap();
		transfer_run(transfer);
		break;
	case LD_ZONE_ANSWER:
		/* Nobody who has no key learns anything. */
		if (!w.failed &&
		    (w.len < LD_HEADER_BYTES || (!open && ld_get_be16(w.data + 6) != 0)))
			__builtin_trap();
		break;
	case LD_ZONE_PASS:
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_from from = {.address_len = 4, .address = {192, 0, 2, 1}};
	struct ld_span message;

	if (set == NULL)
		prepare();
	if (size < 1)
		return 0;
	from.transport = data[0] & 3;
	message = ld_span(data + 1, size - 1);
	(void)ld_zone_is_asked(&settings, message);
	ask(true, &from, message);
	ask(false, &from, message);
	return 0;
}
