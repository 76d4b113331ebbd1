/* Any bytes as a URL: the canonical form of a canonical form is itself, and holds nothing that
 * would have to be escaped.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "name/url.h"

static void
again_check(const struct ld_url *url, struct ld_span scheme)
{
	static struct ld_url again;
	char text[LD_URL_MAX];
	size_t len = scheme.len + url->host_len + url->text_len;

	if (len > sizeof text)
		return;
	memcpy(text, scheme.data, scheme.len);
	memcpy(text + scheme.len, url->host, url->host_len);
	memcpy(text + scheme.len + url->host_len, url->text, url->text_len);
	LD_ASSERT(ld_url_canonical(&again, ld_span(text, len)) == LINDUNG_OK);
	LD_ASSERT(strcmp(again.host, url->host) == 0 && strcmp(again.text, url->text) == 0);
	LD_ASSERT(again.path_len == url->path_len && again.text_len == url->text_len);
	LD_ASSERT(again.host_is_address == url->host_is_address);
}

static void
host_check(const struct ld_url *url)
{
	char host[LD_HOST_MAX + 1];
	size_t len = url->host_len;

	LD_ASSERT(strlen(url->host) == len && len > 0);
	if (!url->host_is_address) {
		LD_ASSERT(ld_host_from_text(host, &len, ld_span(url->host, len)) == LINDUNG_OK);
		LD_ASSERT(strcmp(host, url->host) == 0);
	} else if (url->host[0] == '[') {
		LD_ASSERT(ld_text_is_address(ld_span(url->host + 1, len - 2)));
	} else {
		LD_ASSERT(ld_text_is_address(ld_span(url->host, len)));
	}
}

static void
paths_check(const struct ld_url *url)
{
	size_t lens[LD_URL_PATHS_MAX];
	unsigned count = ld_url_paths(url, lens);

	LD_ASSERT(count > 0 && count <= LD_URL_PATHS_MAX);
	LD_ASSERT(lens[0] == url->text_len && lens[count - 1] == 1);
	for (unsigned i = 1; i < count; i++)
		LD_ASSERT(lens[i] < lens[i - 1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ld_url url;

	if (ld_url_canonical(&url, ld_span(data, size)) != LINDUNG_OK)
		return 0;
	host_check(&url);
	LD_ASSERT(url.text[0] == '/' && strlen(url.text) == url.text_len);
	for (size_t i = 0; i < url.text_len; i++) {
		LD_ASSERT(url.text[i] > ' ' && url.text[i] < 0x7f && url.text[i] != '#');
		LD_ASSERT(i == 0 || i >= url.path_len || url.text[i] != '/' ||
			  url.text[i - 1] != '/');
	}
	again_check(&url, LD_SPAN("http://"));
	again_check(&url, LD_SPAN(""));
	paths_check(&url);
	return 0;
}
