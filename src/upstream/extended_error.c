/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/extended_error.h"

#include "wire/message.h"

static void
options_read(struct ld_upstream_result *result, struct ld_span options)
{
	struct ld_reader r = ld_reader(options);

	while (ld_reader_left(&r) > 0 && result->ede_count < LD_UPSTREAM_EDE_MAX) {
		uint16_t option = ld_reader_be16(&r);
		struct ld_span data = ld_reader_take(&r, ld_reader_be16(&r));

		if (option != LD_OPTION_EDE || data.len < 2)
			continue;
		result->edes[result->ede_count++] = (struct ld_upstream_ede){
			.code = ld_get_be16(data.data),
			.text = ld_span_from(data, 2),
		};
	}
}

void
ld_extended_errors_read(struct ld_upstream_result *result, struct ld_span message)
{
	struct ld_walk walk;
	struct ld_record record;

	result->ede_count = 0;
	if (!ld_walk_begin(&walk, message))
		return;
	while (ld_walk_next(&walk, &record)) {
		if (record.section == LD_SECTION_ADDITIONAL && record.type == LD_TYPE_OPT) {
			options_read(result, record.rdata);
			return;
		}
	}
}

int
ld_extended_error_bogus(const char *why)
{
	static const struct {
		const char *words;
		int code;
	} reasons[] = {
		{"signature expired", LD_EDE_SIG_EXPIRED},
		{"signature before inception date", LD_EDE_SIG_NOT_YET},
		{"No DNSKEY record", LD_EDE_DNSKEY_MISSING},
		{"no DNSKEY rrset", LD_EDE_DNSKEY_MISSING},
		{"no keys have a DS", LD_EDE_DNSKEY_MISSING},
		{"no signatures", LD_EDE_RRSIGS_MISSING},
		{"signature missing", LD_EDE_RRSIGS_MISSING},
		{"no NSEC", LD_EDE_NSEC_MISSING},
	};
	/* "validation failure <www.example.com. A IN>: signature expired from 192.0.2.1 ...": the
	 * name, which is a stranger's, has no blank in it. */
	const char *said = strstr(why, ">: ");

	if (said == NULL)
		return LD_EDE_BOGUS;
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strstr(said, reasons[i].words) != NULL)
			return reasons[i].code;
	return LD_EDE_BOGUS;
}
