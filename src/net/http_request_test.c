/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/http_request.h"

static void
paths_are_read(void **state)
{
	static const struct {
		const char *path;
		int status;
		const char *token, *message;
	} cases[] = {
		{"/dns-query?dns=Zm9v", 200, "", "foo"},
		{"/dns-query?dns=Zm8", 200, "", "fo"},
		{"/dns-query?dns=Zg", 200, "", "f"},
		{"/dns-query/child_1-A?x&dns=Zg&y=1", 200, "child_1-A", "f"},
		{"/dns-query?dns=-_8", 200, "", "\xfb\xff"},
		{"/dns-query?dns=Zm9", 400, "", ""}, /* bits that stand for nothing */
		{"/dns-query?dns=Z", 400, "", ""},
		{"/dns-query?dns=", 400, "", ""},
		{"/dns-query?xdns=Zg", 400, "", ""},
		{"/dns-query?dns=Zg==", 400, "", ""},
		{"/dns-query?dns=+/8", 400, "", ""},
		{"/dns-query", 400, "", ""},
		{"/dns-query/", 404, "", ""},
		{"/dns-query/a.b?dns=Zg", 404, "", ""},
		{"/dns-query/a/b?dns=Zg", 404, "", ""},
		{"/dns-querys?dns=Zg", 404, "", ""},
		{"", 404, "", ""},
		{"*", 404, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_buffer message;
		struct ld_span token;

		ld_buffer_init(&message, 100);
		assert_int_equal(ld_http_path_read(ld_span_str(cases[i].path), &token, &message),
				 cases[i].status);
		assert_true(ld_span_equal(token, ld_span_str(cases[i].token)));
		if (cases[i].status == 200)
			assert_true(ld_span_equal(ld_buffer_span(&message),
						  ld_span_str(cases[i].message)));
		ld_buffer_free(&message);
	}
}

static void
types_are_read(void **state)
{
	(void)state;
	assert_true(ld_http_type_is_dns(LD_SPAN("application/dns-message")));
	assert_true(ld_http_type_is_dns(LD_SPAN("Application/DNS-Message ; x=1")));
	assert_false(ld_http_type_is_dns(LD_SPAN("application/dns-messages")));
	assert_false(ld_http_type_is_dns(LD_SPAN("application/dns")));
	assert_false(ld_http_type_is_dns(LD_SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_read),
		cmocka_unit_test(types_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
