/* What a server of DNS over HTTPS sends, of any octets: the requests end at most once each, and no
 * response is longer than it may be.  Behind each octet 0xfe of the input a request is sent, behind
 * 0xfd one is cancelled.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include "net/http2_client.h"

enum { BODY_MAX = 600 };

static int32_t last;

static void
octets_give(struct ld_http2_client *client, struct ld_span octets)
{
	struct ld_http2_response response;
	size_t out = 0;

	if (octets.len != 0 && ld_http2_client_receive(client, octets) != LINDUNG_OK)
		return;
	while (ld_http2_client_next(client, &response))
		if (response.request <= 0 || response.body_len > BODY_MAX ||
		    (response.body_len != 0 && response.body == NULL))
			__builtin_trap();
	while (out < 1 << 20) {
		size_t len = ld_http2_client_output(client).len;

		if (len == 0)
			break;
		out += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_http2_client *client = ld_http2_client_new(&(struct ld_http2_client_config){
		.authority = "dns.example",
		.path = "/dns-query",
		.media_type = "application/dns-message",
		.body_max = BODY_MAX,
	});
	size_t from = 0;

	if (client == NULL)
		return 0;
	last = ld_http2_client_post(client, LD_SPAN("question"));
	octets_give(client, ld_span(NULL, 0));
	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] < 0xfd)
			continue;
		octets_give(client, ld_span(data + from, i - from));
		from = i + 1;
		if (i < size && data[i] == 0xfe)
			last = ld_http2_client_post(client, LD_SPAN("question"));
		else if (last > 0)
			ld_http2_client_cancel(client, last);
	}
	ld_http2_client_free(client);
	return 0;
}
