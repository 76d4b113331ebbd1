/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/identity.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"

enum { SECRET_FILE_MAX_BYTES = 4096 };

static int
digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
secret_read(struct ld_span line, uint8_t ret[LD_COOKIE_SECRET_BYTES])
{
	for (size_t i = 0; i < line.len; i++) {
		int value = digit_value(line.data[i]);

		if (value < 0 || line.len != 2 * LD_COOKIE_SECRET_BYTES)
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | value);
	}
	return true;
}

/* A secret a line; empty lines are passed over. */
static int
secrets_read(struct ld_secrets *secrets, const char *path, struct ld_span text,
	     struct ld_report *report)
{
	for (unsigned number = 1; text.len != 0; number++) {
		size_t end = ld_span_find(text, '\n');
		struct ld_span line = ld_span_first(text, end);

		text = ld_span_from(text, end + 1);
		if (line.len == 0)
			continue;
		if (secrets->count == LD_COOKIE_SECRETS_MAX)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "cookie.secret-file: %s:%u: more than %d secrets", path,
				       number, LD_COOKIE_SECRETS_MAX);
		if (!secret_read(line, secrets->octets[secrets->count++]))
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "cookie.secret-file: %s:%u: expected %d hexadecimal digits "
				       "(openssl rand -hex %d)",
				       path, number, 2 * LD_COOKIE_SECRET_BYTES,
				       LD_COOKIE_SECRET_BYTES);
	}
	return secrets->count != 0
		       ? LINDUNG_OK
		       : ld_fail(report, LINDUNG_ESYNTAX, "cookie.secret-file: %s is empty", path);
}

int
ld_secrets_load(struct ld_secrets *ret, const char *path, struct ld_report *report)
{
	struct ld_secrets secrets = {0};
	uint8_t *data;
	size_t len;
	int err = LINDUNG_OK;

	if (path != NULL) {
		err = ld_read_file(path, SECRET_FILE_MAX_BYTES, &data, &len, report);
		if (err != LINDUNG_OK)
			return err;
		err = secrets_read(&secrets, path, ld_span(data, len), report);
		explicit_bzero(data, len);
		free(data);
	}
	if (err == LINDUNG_OK)
		*ret = secrets;
	explicit_bzero(&secrets, sizeof secrets);
	return err;
}

bool
ld_secrets_take(struct ld_secrets *ret, struct ld_span octets)
{
	if (octets.len % LD_COOKIE_SECRET_BYTES != 0 || octets.len > sizeof ret->octets)
		return false;
	memcpy(ret->octets, octets.data, octets.len);
	ret->count = (unsigned)(octets.len / LD_COOKIE_SECRET_BYTES);
	return true;
}

void
ld_identity_take(const struct ld_conf *conf, const struct ld_secrets *secrets,
		 struct ld_resolver_config *ret)
{
	ret->local_names = conf->local_names.items;
	ret->local_name_count = conf->local_names.count;
	ret->canaries = conf->local_canaries;
	ret->identity_name = conf->identity_name;
	ret->info_url = conf->identity_info_url;
	ret->recursive = conf->upstream_mode == LD_CONF_MODE_RECURSION;
	if (conf->tls_listen.count != 0)
		ret->tls_port = ld_address_port(&conf->tls_listen.items[0].socket);
	if (conf->https_listen.count != 0)
		ret->https_port = ld_address_port(&conf->https_listen.items[0].socket);
	ret->tls_idle_ms = conf->tls_idle_ms;
	ret->unix_s = ld_clock_unix_s;
	ret->cookie_required = conf->cookie_required;
	ret->cookie_secrets = secrets->octets[0];
	ret->cookie_secret_count = secrets->count;
}
