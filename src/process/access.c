/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/access.h"

static int
set_make(struct ld_prefixes **ret, const struct ld_conf_prefixes *in,
	 const struct ld_conf_prefixes *out, const char *what, struct ld_report *report)
{
	int err = ld_prefixes_new(ret, in->items, in->count, out != NULL ? out->items : NULL,
				  out != NULL ? out->count : 0);

	if (err == LINDUNG_ELIMIT)
		return ld_fail(report, err, "%s: more than %d prefixes: leave out some", what,
			       LD_PREFIXES_MAX);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s: not enough memory for the prefixes", what);
	return LINDUNG_OK;
}

int
ld_access_make(struct ld_access *ret, const struct ld_conf *conf, struct ld_report *report)
{
	struct ld_access access = {0};
	int err = set_make(&access.allowed, &conf->access_allow, &conf->access_deny,
			   "access.allow and access.deny", report);

	if (err == LINDUNG_OK)
		err = set_make(&access.exempt, &conf->rate_exempt, NULL, "rate.exempt", report);
	if (err == LINDUNG_OK)
		err = set_make(&access.proxies, &conf->proxy_from, NULL, "proxy.from", report);
	access.proxied = &conf->proxy_listen;
	if (err != LINDUNG_OK) {
		ld_access_clear(&access);
		return err;
	}
	*ret = access;
	return LINDUNG_OK;
}

struct ld_rate_config
ld_access_rate(const struct ld_access *access, const struct ld_conf *conf)
{
	return (struct ld_rate_config){
		.per_second = conf->rate_per_second,
		.nodata_per_second = conf->rate_nodata_per_second,
		.nxdomain_per_second = conf->rate_nxdomain_per_second,
		.error_per_second = conf->rate_error_per_second,
		.client_per_second = conf->rate_client_per_second,
		.window_s = conf->rate_window_s,
		.slip = conf->rate_slip,
		.leak = conf->rate_leak,
		.prefix4 = (uint8_t)conf->rate_prefix4,
		.prefix6 = (uint8_t)conf->rate_prefix6,
		.exempt = access->exempt,
	};
}

bool
ld_access_proxied(const struct ld_access *access, int socket)
{
	struct ld_address address = {.len = sizeof address.v6};

	if (access->proxied->count == 0 || getsockname(socket, &address.any, &address.len) != 0)
		return false;
	for (unsigned i = 0; i < access->proxied->count; i++)
		if (ld_address_same(&access->proxied->items[i].socket, &address))
			return true;
	return false;
}

void
ld_access_clear(struct ld_access *access)
{
	ld_prefixes_free(access->allowed);
	ld_prefixes_free(access->exempt);
	ld_prefixes_free(access->proxies);
	*access = (struct ld_access){0};
}
