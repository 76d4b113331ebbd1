/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/news.h"

#include "net/loop.h"
#include "net/prefix.h"
#include "wire/dns.h"
#include "wire/notify.h"

int
ld_news_make(struct ld_news *ret, const struct ld_conf *conf, struct ld_bell *bell,
	     struct ld_report *report)
{
	const struct ld_conf_prefixes *from = &conf->follow_notify_from;
	struct ld_news news = {.bell = bell};
	int err;

	*ret = news;
	if (conf->follow_url[0] == '\0' || from->count == 0)
		return LINDUNG_OK;
	if (ld_name_from_text(&news.zone, ld_span_str(conf->follow_zone)) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ECONFIG, "follow.zone: \"%s\" is no name",
			       conf->follow_zone);
	err = ld_prefixes_new(&news.from, from->items, from->count, NULL, 0);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "follow.notify-from: %s", lindung_strerror(err));
	*ret = news;
	return LINDUNG_OK;
}

void
ld_news_clear(struct ld_news *news)
{
	ld_prefixes_free(news->from);
	*news = (struct ld_news){.from = NULL};
}

bool
ld_news_take(const struct ld_news *news, const struct ld_from *from, struct ld_span query,
	     struct ld_writer *w)
{
	struct ld_name zone;
	uint16_t id;
	bool ours;

	/* Most are none. */
	if (news->from == NULL || !ld_notify_is(query) ||
	    !ld_prefixes_hold(news->from, from->address, from->address_len) ||
	    !ld_notify_read(query, &id, &zone))
		return false;
	ours = ld_name_equal(&zone, &news->zone);
	ld_notify_answer(w, id, &zone, ours ? LD_RCODE_NOERROR : LD_RCODE_NOTAUTH);
	if (ours)
		ld_bell_ring(news->bell);
	return true;
}
