/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "name/url.h"

struct row {
	const char *url;
	int error;
	const char *canonical; /* host and text, one after the other */
};

static void
rows_check(const struct row *rows, size_t count)
{
	static struct ld_url url;
	char joined[sizeof url.host + sizeof url.text];

	for (size_t i = 0; i < count; i++) {
		int err = ld_url_canonical(&url, ld_span_str(rows[i].url));

		if (err != rows[i].error)
			print_error("%s\n", rows[i].url);
		assert_int_equal(err, rows[i].error);
		if (err != LINDUNG_OK)
			continue;
		snprintf(joined, sizeof joined, "%s%s", url.host, url.text);
		assert_string_equal(joined, rows[i].canonical);
		assert_int_equal(url.host_len, strlen(url.host));
		assert_int_equal(url.text_len, strlen(url.text));
		assert_int_equal(url.path_len, strcspn(url.text, "?"));
	}
}

#define ROWS_CHECK(rows) rows_check(rows, sizeof rows / sizeof rows[0])

/* The examples of the Safe Browsing API v4, "URLs and Hashing", all of them in its order.  Where a
 * host comes out there that is no host name (with '#', 0x01, 0x80 or a blank), none does here. */
static void
published_examples(void **state)
{
	static const struct row rows[] = {
		{"http://host/%25%32%35", 0, "host/%25"},
		{"http://host/%25%32%35%25%32%35", 0, "host/%25%25"},
		{"http://host/%2525252525252525", 0, "host/%25"},
		{"http://host/asdf%25%32%35asd", 0, "host/asdf%25asd"},
		{"http://host/%%%25%32%35asd%%", 0, "host/%25%25%25asd%25%25"},
		{"http://www.google.com/", 0, "www.google.com/"},
		{"http://%31%36%38%2e%31%38%38%2e%39%39%2e%32%36/%2E%73%65%63%75%72%65/"
		 "%77%77%77%2E%65%62%61%79%2E%63%6F%6D/",
		 0, "168.188.99.26/.secure/www.ebay.com/"},
		{"http://195.127.0.11/uploads/%20%20%20%20/.verify/"
		 ".eBaysecure=updateuserdataxplimnbqmn-xplmvalidateinfoswqpcmlx=hgplmcx/",
		 0,
		 "195.127.0.11/uploads/%20%20%20%20/.verify/"
		 ".eBaysecure=updateuserdataxplimnbqmn-xplmvalidateinfoswqpcmlx=hgplmcx/"},
		{"http://host%23.com/%257Ea%2521b%2540c%2523d%2524e%25f%255E00%252611%252A22%"
		 "252833%252944_55%252B",
		 LINDUNG_EURL, NULL},
		{"http://3279880203/blah", 0, "195.127.0.11/blah"},
		{"http://www.google.com/blah/..", 0, "www.google.com/"},
		{"www.google.com/", 0, "www.google.com/"},
		{"www.google.com", 0, "www.google.com/"},
		{"http://www.evil.com/blah#frag", 0, "www.evil.com/blah"},
		{"http://www.GOOgle.com/", 0, "www.google.com/"},
		{"http://www.google.com.../", 0, "www.google.com/"},
		{"http://www.google.com/foo\tbar\rbaz\n2", 0, "www.google.com/foobarbaz2"},
		{"http://www.google.com/q?", 0, "www.google.com/q?"},
		{"http://www.google.com/q?r?", 0, "www.google.com/q?r?"},
		{"http://www.google.com/q?r?s", 0, "www.google.com/q?r?s"},
		{"http://evil.com/foo#bar#baz", 0, "evil.com/foo"},
		{"http://evil.com/foo;", 0, "evil.com/foo;"},
		{"http://evil.com/foo?bar;", 0, "evil.com/foo?bar;"},
		{"http://\x01\x80.com/", LINDUNG_ENOTASCII, NULL},
		{"http://notrailingslash.com", 0, "notrailingslash.com/"},
		{"http://www.gotaport.com:1234/", 0, "www.gotaport.com/"},
		{"  http://www.google.com/  ", 0, "www.google.com/"},
		{"http:// leadingspace.com/", LINDUNG_EURL, NULL},
		{"http://%20leadingspace.com/", LINDUNG_EURL, NULL},
		{"%20leadingspace.com/", LINDUNG_EURL, NULL},
		{"https://www.securesite.com/", 0, "www.securesite.com/"},
		{"http://host.com/ab%23cd", 0, "host.com/ab%23cd"},
		{"http://host.com//twoslashes?more//slashes", 0,
		 "host.com/twoslashes?more//slashes"},
		/* The path of the ninth, under a host that is one. */
		{"http://host.com/%257Ea%2521b%2540c%2523d%2524e%25f%255E00%252611%252A22%"
		 "252833%252944_55%252B",
		 0, "host.com/~a!b@c%23d$e%25f^00&11*22(33)44_55+"},
	};

	(void)state;
	ROWS_CHECK(rows);
}

static void
hosts(void **state)
{
	static const struct row rows[] = {
		{"http://...a..b...com...:80/", 0, "a.b.com/"},
		{"http://user:pass@host.com:80/", 0, "host.com/"},
		{"http://a@b@host.com/", 0, "host.com/"},
		{"http://bank.com%40evil.com/", 0, "evil.com/"},
		{"ftp://host.com/f", 0, "host.com/f"},
		{"whatever+1.2-x://host.com/f", 0, "host.com/f"},
		{"HTTPS%3a//Host.com/", 0, "host.com/"},
		{"host.com:8080/x", 0, "host.com/x"},
		{"http://host.com:/", 0, "host.com/"},
		{"http://host.com:65535/", 0, "host.com/"},
		{"http://host.com:65536/", LINDUNG_EURL, NULL},
		{"http://host.com:x/", LINDUNG_EURL, NULL},
		{"mailto:someone@host.com", 0, "host.com/"},
		{"javascript:alert(1)", LINDUNG_EURL, NULL},
		{"http:/host.com/", LINDUNG_EURL, NULL},
		{"http:///host.com/", LINDUNG_EURL, NULL},
		{"//host.com/", LINDUNG_EURL, NULL},
		{"/path", LINDUNG_EURL, NULL},
		{"?q", LINDUNG_EURL, NULL},
		{"#f", LINDUNG_EURL, NULL},
		{"", LINDUNG_EURL, NULL},
		{"http://", LINDUNG_EURL, NULL},
		{"http://.../", LINDUNG_EURL, NULL},
		{"http://a_b-c.com?q", 0, "a_b-c.com/?q"},
		{"http://-a.com/", LINDUNG_EURL, NULL},
		{"http://a b.com/", LINDUNG_EURL, NULL},
		{"http://a\\b.com/", LINDUNG_EURL, NULL},
		{"http://*.a.com/", LINDUNG_EURL, NULL},
		{"http://n\xc3\xb8gne.com/", LINDUNG_ENOTASCII, NULL},
		{"http://n%C3%B8gne.com/", LINDUNG_ENOTASCII, NULL},
		{"http://xn--ngne-gra.com/", 0, "xn--ngne-gra.com/"},
		{"127.0.0.1 host.com", LINDUNG_EURL, NULL},
	};

	(void)state;
	ROWS_CHECK(rows);
}

static void
addresses(void **state)
{
	static const struct row rows[] = {
		{"http://1.2.3.4/", 0, "1.2.3.4/"},
		{"http://..1..2.3.4../", 0, "1.2.3.4/"},
		{"http://0x12.0x43.0x44.0x01/", 0, "18.67.68.1/"},
		{"http://0x12434401/", 0, "18.67.68.1/"},
		{"http://022.0103.0104.1/", 0, "18.67.68.1/"},
		{"http://02220642001/", 0, "18.67.68.1/"},
		{"http://0X7F.1/", 0, "127.0.0.1/"},
		{"http://127.0.1/", 0, "127.0.0.1/"},
		{"http://10.258/", 0, "10.0.1.2/"},
		{"http://1.2.772/", 0, "1.2.3.4/"},
		{"http://0/", 0, "0.0.0.0/"},
		{"http://0x/", 0, "0.0.0.0/"},
		{"http://00000000000000000000000000000000001/", 0, "0.0.0.1/"},
		{"http://4294967295/", 0, "255.255.255.255/"},
		{"http://4294967296/", LINDUNG_EURL, NULL},
		{"http://18446744073709551617/", LINDUNG_EURL, NULL},
		{"http://1.16777215/", 0, "1.255.255.255/"},
		{"http://1.16777216/", LINDUNG_EURL, NULL},
		{"http://1.2.65536/", LINDUNG_EURL, NULL},
		{"http://1.2.3.256/", LINDUNG_EURL, NULL},
		{"http://256.2.3.4/", LINDUNG_EURL, NULL},
		{"http://1.2.3.08/", LINDUNG_EURL, NULL},
		{"http://1.2.3.4.5/", LINDUNG_EURL, NULL},
		{"http://host.123/", LINDUNG_EURL, NULL},
		{"http://host.0x1f/", LINDUNG_EURL, NULL},
		{"http://1.2.3.0xg/", 0, "1.2.3.0xg/"},
		{"http://[2001:0DB8:0000::1]:80/x", 0, "[2001:db8::1]/x"},
		{"http://[::ffff:1.2.3.4]/", 0, "1.2.3.4/"},
		{"http://[64:ff9b::102:304]/", 0, "1.2.3.4/"},
		{"http://[::]/", 0, "[::]/"},
		{"http://[::1/", LINDUNG_EURL, NULL},
		{"http://[::1]x/", LINDUNG_EURL, NULL},
		{"http://[]/", LINDUNG_EURL, NULL},
		{"http://[1.2.3.4]/", LINDUNG_EURL, NULL},
		{"http://[fe80::1%25eth0]/", LINDUNG_EURL, NULL},
		{"http://[::1%00]/", LINDUNG_EURL, NULL},
		{"http://::1/", LINDUNG_EURL, NULL},
	};
	static struct ld_url url;

	(void)state;
	ROWS_CHECK(rows);
	assert_int_equal(ld_url_canonical(&url, LD_SPAN("http://1.2/")), LINDUNG_OK);
	assert_true(url.host_is_address);
	assert_int_equal(ld_url_canonical(&url, LD_SPAN("http://[::1]/")), LINDUNG_OK);
	assert_true(url.host_is_address);
	assert_int_equal(ld_url_canonical(&url, LD_SPAN("http://a.b/")), LINDUNG_OK);
	assert_false(url.host_is_address);
}

static void
paths(void **state)
{
	static const struct row rows[] = {
		{"h/a/./b", 0, "h/a/b"},
		{"h/a/../b", 0, "h/b"},
		{"h/a/b/..", 0, "h/a/"},
		{"h/a/b/.", 0, "h/a/b/"},
		{"h/../../a", 0, "h/a"},
		{"h/..", 0, "h/"},
		{"h/.", 0, "h/"},
		{"h/a//../b", 0, "h/a/b"},
		{"h/a///b////", 0, "h/a/b/"},
		{"h/.../..a/a..", 0, "h/.../..a/a.."},
		{"h/%2e%2E/a%2Fb", 0, "h/a/b"},
		{"h/a%3Fb", 0, "h/a?b"},
		{"h/?a/../b//c/./", 0, "h/?a/../b//c/./"},
		{"h/a%0ab%00c%7F%80\x7f\xff", 0, "h/a%0Ab%00c%7F%80%7F%FF"},
		{"h/a?b%20c%23d%25", 0, "h/a?b%20c%23d%25"},
		{"h/%zz%4", 0, "h/%25zz%254"},
		{"h/%%34%31", 0, "h/A"},
		{"h/a b ", 0, "h/a%20b"},
		{"h/ %20 #x", 0, "h/%20%20"},
		{"h/a\\b", 0, "h/a\\b"},
	};

	(void)state;
	ROWS_CHECK(rows);
}

static void
limits(void **state)
{
	static char text[LD_URL_MAX + 2], again[sizeof(struct ld_url)];
	static struct ld_url url;
	struct timespec start, end;

	(void)state;
	memset(text, 0xff, sizeof text);
	memcpy(text, "h/", 2);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, LD_URL_MAX)), LINDUNG_OK);
	assert_int_equal(url.text_len, 1 + 3 * (LD_URL_MAX - 2));
	memcpy(again, &url, sizeof url);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, LD_URL_MAX + 1)), LINDUNG_ELIMIT);
	assert_memory_equal(again, &url, sizeof url);

	text[1] = '?'; /* a '/' more comes out than goes in */
	assert_int_equal(ld_url_canonical(&url, ld_span(text, LD_URL_MAX)), LINDUNG_OK);
	assert_int_equal(url.text_len, 2 + 3 * (LD_URL_MAX - 2));

	/* "%2525...25" takes 4096 rounds to decode if each goes over the whole text. */
	text[1] = '/';
	text[2] = '%';
	for (size_t i = 3; i + 1 < LD_URL_MAX; i += 2)
		memcpy(text + i, "25", 2);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, LD_URL_MAX - 1)), LINDUNG_OK);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_string_equal(url.text, "/%25");
	assert_true((end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec <
		    5000000);

	memset(text, '.', sizeof text);
	memcpy(text + LD_URL_MAX - 1, "a", 1);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, LD_URL_MAX)), LINDUNG_OK);
	assert_string_equal(url.host, "a");
	memset(text, 'a', 64);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, 64)), LINDUNG_ELIMIT);
	assert_int_equal(ld_url_canonical(&url, ld_span(text, 63)), LINDUNG_OK);
	assert_int_equal(ld_url_canonical(&url, (struct ld_span){NULL, 0}), LINDUNG_EURL);
}

/* The expressions, joined by blanks. */
static void
expressions_check(const char *text, const char *expected)
{
	static struct ld_url url;
	size_t lens[LD_URL_PATHS_MAX], at = 0;
	char joined[4096];

	assert_int_equal(ld_url_canonical(&url, ld_span_str(text)), LINDUNG_OK);
	unsigned count = ld_url_paths(&url, lens);
	assert_in_range(count, 1, LD_URL_PATHS_MAX);
	for (unsigned i = 0; i < count; i++)
		at += (size_t)snprintf(joined + at, sizeof joined - at, "%s%.*s", i != 0 ? " " : "",
				       (int)lens[i], url.text);
	assert_string_equal(joined, expected);
}

static void
path_expressions(void **state)
{
	char text[128], *at = text;
	size_t lens[LD_URL_PATHS_MAX];
	static struct ld_url url;

	(void)state;
	expressions_check("h", "/");
	expressions_check("h/?", "/? /");
	expressions_check("h/?a/b", "/?a/b /");
	expressions_check("h/a", "/a /");
	expressions_check("h/a/", "/a/ /a /");
	expressions_check("h/1/2.html?param=1", "/1/2.html?param=1 /1/2.html /1/ /1 /");
	expressions_check("h/1/2/?p", "/1/2/?p /1/2/ /1/2 /1/ /1 /");

	/* Sixteen directories deep: the deepest only as the path itself. */
	at += sprintf(at, "h");
	for (int i = 0; i < 16; i++)
		at += sprintf(at, "/d");
	sprintf(at, "/?q");
	assert_int_equal(ld_url_canonical(&url, ld_span_str(text)), LINDUNG_OK);
	assert_int_equal(ld_url_paths(&url, lens), LD_URL_PATHS_MAX);
	assert_int_equal(lens[0], 35);
	assert_int_equal(lens[1], 33);
	assert_int_equal(lens[2], 32);
	assert_int_equal(lens[3], 31); /* fifteen directories */
	for (unsigned i = 1; i < LD_URL_PATHS_MAX; i++)
		assert_true(lens[i] < lens[i - 1]);
	assert_int_equal(lens[LD_URL_PATHS_MAX - 1], 1);
	sprintf(at, "/e/f?q");
	assert_int_equal(ld_url_canonical(&url, ld_span_str(text)), LINDUNG_OK);
	assert_int_equal(ld_url_paths(&url, lens), LD_URL_PATHS_MAX - 1);
	assert_int_equal(lens[1], 36);
	assert_int_equal(lens[2], 31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_examples),
		cmocka_unit_test(hosts),
		cmocka_unit_test(addresses),
		cmocka_unit_test(paths),
		cmocka_unit_test(limits),
		cmocka_unit_test(path_expressions),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
