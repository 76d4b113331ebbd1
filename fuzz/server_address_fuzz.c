/* Servers to forward to, as text of any octets: what is taken is complete.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include <string.h>

#include "net/server_address.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_server_address server;
	struct ld_report report;

	if (ld_server_address_from_text(&server, ld_span(data, size), &report) != LINDUNG_OK)
		return 0;
	if (server.host[0] == '\0' || ld_address_port(&server.address) == 0 ||
	    server.pin_count > LD_SERVER_PINS_MAX || strlen(server.name) > LD_SERVER_NAME_MAX_BYTES)
		__builtin_trap();
	if ((server.way == LD_SERVER_HTTPS) != (server.path[0] == '/'))
		__builtin_trap();
	if (server.way == LD_SERVER_PLAIN && (server.name[0] != '\0' || server.pin_count != 0))
		__builtin_trap();
	return 0;
}
