/* Inside src/conf: texts that must be of some form.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_CONF_TEXT_H
#define LD_CONF_TEXT_H

#include "base/span.h"

enum {
	LD_CONF_CONTACT_MAX = 128,
	LD_CONF_DOMAIN_MAX = 253,
	LD_CONF_LANGUAGE_MAX = 35, /* RFC 5646 section 4.4.1 */
};

/** A URI with tel: or mailto:, the only ones that a structured error may hold. */
bool ld_conf_text_is_contact(struct ld_span text);

/** A domain name in A-labels, without the last dot. */
bool ld_conf_text_is_domain(struct ld_span text);

/** A tag like "en" or "zh-Hant-TW", as far as RFC 5646 section 2.1 can be checked without its
 * registry: subtags of 1 to 8 letters and digits, the first of letters alone. */
bool ld_conf_text_is_language(struct ld_span text);

#endif
