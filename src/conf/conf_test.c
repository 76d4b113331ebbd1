/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/conf.h"

static struct ld_arena arena;
static struct ld_buffer told; /* all problems, a line each */

static int
arena_begin(void **state)
{
	(void)state;
	ld_arena_init(&arena, 16 * 1024 * 1024);
	ld_buffer_init(&told, 1024 * 1024);
	return 0;
}

static int
arena_end(void **state)
{
	(void)state;
	ld_arena_clear(&arena);
	ld_buffer_free(&told);
	return 0;
}

static void
keep(void *ctx, const struct ld_report *problem)
{
	(void)ctx;
	ld_buffer_printf(&told, "%s\n", problem->text);
}

static int
parse(struct ld_conf *ret, const char *text)
{
	ld_buffer_free(&told);
	return ld_conf_parse(ret, "f", ld_span_str(text), &arena, keep, NULL);
}

static void
assert_told(const char *expected)
{
	ld_buffer_bytes(&told, LD_SPAN("\0"));
	assert_string_equal((const char *)told.data, expected);
}

/* `text` is refused with exactly this. */
static void
assert_refused(const char *text, const char *expected)
{
	struct ld_conf conf;

	assert_int_equal(parse(&conf, text), LINDUNG_ECONFIG);
	assert_told(expected);
}

static void
defaults(void **state)
{
	struct ld_conf conf, parsed;

	(void)state;
	assert_int_equal(ld_conf_load(&conf, NULL, &arena, NULL), LINDUNG_OK);
	assert_int_equal(conf.listen.count, 2);
	assert_string_equal(conf.listen.texts[0], "127.0.0.1@5354");
	assert_string_equal(conf.listen.items[1].text, "::1@5354");
	assert_int_equal(conf.listen.items[0].socket.any.sa_family, AF_INET);
	assert_int_equal(conf.listen.items[1].socket.any.sa_family, AF_INET6);
	assert_int_equal(conf.listen.items[1].socket.len, sizeof(struct sockaddr_in6));
	assert_int_equal(conf.threads, 0);
	assert_null(conf.list_image);
	assert_int_equal(conf.list_overlays.count, 0);
	assert_int_equal(conf.list_categories.count, 0);
	assert_true(conf.list_watch);
	assert_int_equal(conf.list_shrink_max_percent, 50);
	assert_int_equal(conf.block_answer, LD_CONF_ANSWER_NXDOMAIN);
	assert_false(conf.block_address4.given);
	assert_int_equal(conf.block_ttl_s, 30);
	assert_int_equal(conf.block_reason, 17);
	assert_int_equal(conf.upstream_mode, LD_CONF_MODE_RECURSION);
	assert_int_equal(conf.upstream_timeout_ms, 4000);
	assert_true(conf.upstream_dnssec);
	assert_null(conf.upstream_trust_anchor);
	assert_int_equal(conf.cache_size_bytes, 64 * 1024 * 1024);
	assert_string_equal(conf.metrics_listen.text, "127.0.0.1@9354");
	assert_int_equal(parse(&parsed, "---\n"), LINDUNG_OK);
	assert_int_equal(parsed.block_ttl_s, 30);
}

static const char full[] = "listen: [192.0.2.1, '2001:db8::1@53', 0.0.0.0@5300]\n"
			   "threads: 4\n"
			   "user: lindung\n"
			   "list:\n"
			   "  image: family.ldx\n"
			   "  overlays: [/a/b.ldx, 'with \"blanks\" \\ and #']\n"
			   "  categories: [adult, gambling]\n"
			   "  watch: no\n"
			   "  shrink-max-percent: 100\n"
			   "block:\n"
			   "  answer: address\n"
			   "  address4: 192.0.2.7\n"
			   "  address6: 2001:db8::7\n"
			   "  ttl-s: 1m\n"
			   "  reason: authority\n"
			   "explain:\n"
			   "  text: Diblokir\n"
			   "  contacts: ['mailto:help@school.example', 'tel:+62-21-500-000']\n"
			   "  organisation: SD \"Harapan\"\n"
			   "  language: id-ID\n"
			   "upstream:\n"
			   "  mode: forward\n"
			   "  servers: 192.0.2.53\n"
			   "  timeout-ms: 2s\n"
			   "  dnssec: false\n"
			   "  rebinding-allowed: [school.example, _x.Corp-1.example]\n"
			   "cache:\n"
			   "  size-bytes: 1G\n"
			   "  ttl-max-s: 2h\n"
			   "tcp: {idle-ms: 1500}\n"
			   "metrics:\n"
			   "  listen: \"\"\n";

static void
every_type(void **state)
{
	static const uint8_t address[4] = {192, 0, 2, 7};
	struct ld_conf conf;

	(void)state;
	assert_int_equal(parse(&conf, full), LINDUNG_OK);
	assert_int_equal(conf.listen.count, 3);
	assert_string_equal(conf.listen.texts[0], "192.0.2.1@53");
	assert_string_equal(conf.listen.texts[2], "0.0.0.0@5300");
	assert_int_equal(ld_address_port(&conf.listen.items[2].socket), 5300);
	assert_int_equal(conf.threads, 4);
	assert_string_equal(conf.list_image, "family.ldx");
	assert_int_equal(conf.list_overlays.count, 2);
	assert_string_equal(conf.list_overlays.items[1], "with \"blanks\" \\ and #");
	assert_string_equal(conf.list_categories.items[1], "gambling");
	assert_false(conf.list_watch);
	assert_int_equal(conf.block_answer, LD_CONF_ANSWER_ADDRESS);
	assert_true(conf.block_address4.given && conf.block_address6.given);
	assert_memory_equal(conf.block_address4.octets, address, 4);
	assert_int_equal(conf.block_address6.octets[15], 7);
	assert_int_equal(conf.block_ttl_s, 60);
	assert_int_equal(conf.block_reason, LD_CONF_REASON_AUTHORITY);
	assert_int_equal(conf.upstream_mode, LD_CONF_MODE_FORWARD);
	assert_int_equal(conf.upstream_servers.count, 1);
	assert_string_equal(conf.upstream_servers.items[0], "192.0.2.53");
	assert_int_equal(conf.upstream_timeout_ms, 2000);
	assert_false(conf.upstream_dnssec);
	assert_string_equal(conf.explain_text, "Diblokir");
	assert_int_equal(conf.explain_contacts.count, 2);
	assert_string_equal(conf.explain_contacts.items[1], "tel:+62-21-500-000");
	assert_string_equal(conf.explain_language, "id-ID");
	assert_int_equal(conf.upstream_rebinding_allowed.count, 2);
	assert_int_equal(conf.cache_size_bytes, 1 << 30);
	assert_int_equal(conf.cache_ttl_max_s, 7200);
	assert_int_equal(conf.tcp_idle_ms, 1500);
	assert_null(conf.metrics_listen.text);
}

/* What is printed is read back to the same, so that it prints the same again. */
static void
print_and_read_back(void **state)
{
	static const char *const texts[] = {"", full};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ld_buffer once, twice;
		struct ld_conf conf;

		ld_buffer_init(&once, 65536);
		ld_buffer_init(&twice, 65536);
		assert_int_equal(parse(&conf, texts[i]), LINDUNG_OK);
		ld_conf_print(&conf, &once);
		assert_int_equal(
			ld_conf_parse(&conf, "printed", ld_buffer_span(&once), &arena, keep, NULL),
			LINDUNG_OK);
		ld_conf_print(&conf, &twice);
		assert_true(once.len > 500);
		assert_true(ld_span_equal(ld_buffer_span(&once), ld_buffer_span(&twice)));
		ld_buffer_free(&once);
		ld_buffer_free(&twice);
	}
}

static void
wrong_values(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"list: {image: [a]}", "f:1: list.image: expected the path of a file, got a list "
				       "of 1\n"},
		{"block: {ttl-s: 9}", "f:1: block.ttl-s: expected a time from 10 to 60 s (or with "
				      "a unit: ms, s, m, h, d), got \"9\"\n"},
		{"block: {ttl-s: 61}", "f:1: block.ttl-s: expected a time from 10 to 60 s (or "
				       "with a unit: ms, s, m, h, d), got \"61\"\n"},
		{"block: {ttl-s: 10500ms}", "f:1: block.ttl-s: expected a time from 10 to 60 s (or "
					    "with a unit: ms, s, m, h, d), got \"10500ms\"\n"},
		{"threads: -1", "f:1: threads: expected a whole number from 0 to 256 (threads), "
				"got \"-1\"\n"},
		{"threads: 18446744073709551616", "f:1: threads: expected a whole number from 0 "
						  "to 256 (threads), got "
						  "\"18446744073709551616\"\n"},
		{"threads: 4s", "f:1: threads: expected a whole number from 0 to 256 (threads), "
				"got \"4s\"\n"},
		{"cache: {size-bytes: 64MB}", "f:1: cache.size-bytes: expected a number of bytes "
					      "from 256K to 64G, got \"64MB\"\n"},
		{"cache: {size-bytes: 99999999999G}",
		 "f:1: cache.size-bytes: expected a number of "
		 "bytes from 256K to 64G, got \"99999999999G\"\n"},
		{"list: {watch: maybe}", "f:1: list.watch: expected yes or no, got \"maybe\"\n"},
		{"list: {watch: }", "f:1: list.watch: expected yes or no, got nothing\n"},
		{"block: {answer: refuse}", "f:1: block.answer: expected nxdomain, nodata, zero "
					    "or address, got \"refuse\"\n"},
		{"block: {address4: '::1'}", "f:1: block.address4: expected an IPv4 address, got "
					     "\"::1\"\n"},
		{"block: {address6: 192.0.2.1}", "f:1: block.address6: expected an IPv6 address, "
						 "got \"192.0.2.1\"\n"},
		{"listen: []", "f:1: listen: expected a list of 1 to 64 addresses, as "
			       "192.0.2.1@53 or 2001:db8::1@53, got a list of 0\n"},
		{"listen:\n - 127.0.0.1\n - localhost",
		 "f:3: listen: expected a list of 1 to 64 addresses, as 192.0.2.1@53 or "
		 "2001:db8::1@53, got \"localhost\"\n"},
		{"listen: 127.0.0.1@65536", "f:1: listen: expected a list of 1 to 64 addresses, as "
					    "192.0.2.1@53 or 2001:db8::1@53, got "
					    "\"127.0.0.1@65536\"\n"},
		{"listen: 127.0.0.1@", "f:1: listen: expected a list of 1 to 64 addresses, as "
				       "192.0.2.1@53 or 2001:db8::1@53, got \"127.0.0.1@\"\n"},
		{"listen: 127.0.0.1@5x", "f:1: listen: expected a list of 1 to 64 addresses, as "
					 "192.0.2.1@53 or 2001:db8::1@53, got \"127.0.0.1@5x\"\n"},
		{"listen: fe80::1%nosuchif0@53",
		 "f:1: listen: expected a list of 1 to 64 addresses, as 192.0.2.1@53 or "
		 "2001:db8::1@53, got \"fe80::1%nosuchif0@53\"\n"},
		{"metrics: {listen: 127.0.0.1}", "f:1: metrics.listen: expected an address with a "
						 "port, as 127.0.0.1@9354, or \"\", got "
						 "\"127.0.0.1\"\n"},
		{"list: {categories: [Adult]}", "f:1: list.categories: expected a list of 0 to 64 "
						"keys (a-z, 0-9, '-', '_'), got \"Adult\"\n"},
		{"local: {names: [nas.home.arpa 192.168.1.1 x]}",
		 "f:1: local.names: expected a list of 0 to 4096 names with their addresses, as "
		 "\"nas.home.arpa 192.168.1.10 fd00::10\", got \"nas.home.arpa 192.168.1.1 x\"\n"},
		{"local: {names: [nas]}",
		 "f:1: local.names: expected a list of 0 to 4096 names with their addresses, as "
		 "\"nas.home.arpa 192.168.1.10 fd00::10\", got \"nas\"\n"},
		{"identity: {name: dns example}", "f:1: identity.name: expected the name of a "
						  "host, as dns.example.net, or \"\", got "
						  "\"dns example\"\n"},
		{"local: {names: [a..b ::1]}",
		 "f:1: local.names: expected a list of 0 to 4096 names with their addresses, as "
		 "\"nas.home.arpa 192.168.1.10 fd00::10\", got \"a..b ::1\"\n"},
		{"list: {overlays: [[a]]}", "f:1: list.overlays: expected a list of 0 to 32 "
					    "paths, got a list of 1\n"},
		{"list: {overlays: {a: 1}}", "f:1: list.overlays: expected a list of 0 to 32 "
					     "paths, got a mapping of 1\n"},
#define CONTACTS                                                                                   \
	"f:1: explain.contacts: expected a list of 0 to 4 contacts, as tel:+62-21-500-000 or "     \
	"mailto:help@example.org, got "
		{"explain: {contacts: 'https://a.example/'}", CONTACTS "\"https://a.example/\"\n"},
		{"explain: {contacts: 'sips:a@b.example'}", CONTACTS "\"sips:a@b.example\"\n"},
		{"explain: {contacts: 'mailto:'}", CONTACTS "\"mailto:\"\n"},
		{"explain: {contacts: 'mailto:nobody'}", CONTACTS "\"mailto:nobody\"\n"},
		{"explain: {contacts: 'tel:1 2'}", CONTACTS "\"tel:1 2\"\n"},
		{"explain: {contacts: [1, 2, 3, 4, 5]}", CONTACTS "a list of 5\n"},
#define LANGUAGE "f:1: explain.language: expected a language tag (RFC 5646), as en or pt-BR, got "
		{"explain: {language: ''}", LANGUAGE "nothing\n"},
		{"explain: {language: en_GB}", LANGUAGE "\"en_GB\"\n"},
		{"explain: {language: e}", LANGUAGE "\"e\"\n"},
		{"explain: {language: en-}", LANGUAGE "\"en-\"\n"},
		{"explain: {language: 1x}", LANGUAGE "\"1x\"\n"},
		{"explain: {language: englishes}", LANGUAGE "\"englishes\"\n"},
#define DOMAINS                                                                                    \
	"f:1: upstream.rebinding-allowed: expected a list of 0 to 256 domains in ASCII "           \
	"(A-labels), as example.org, without the last dot, got "
		{"upstream: {rebinding-allowed: a..b}", DOMAINS "\"a..b\"\n"},
		{"upstream: {rebinding-allowed: 'example.org.'}", DOMAINS "\"example.org.\"\n"},
		{"upstream: {rebinding-allowed: '*.a.example'}", DOMAINS "\"*.a.example\"\n"},
		{"user: \"a\\nb\"", "f:1: user: expected a text of at most 32 bytes in one line, "
				    "got \"a?b\"\n"},
		{"- a", "f:1: expected options as \"key: value\", got a list\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		print_message("%s\n", cases[i].text);
		assert_refused(cases[i].text, cases[i].told);
	}
}

static void
unknown_keys(void **state)
{
	(void)state;
	assert_refused("list:\n  imagee: x\n",
		       "f:2: list.imagee: there is no such option; did you mean list.image?\n");
	assert_refused("blok:\n  answer: zero\n",
		       "f:2: blok.answer: there is no such option; did you mean block.answer?\n");
	assert_refused("colour: blue\n",
		       "f:1: colour: there is no such option; lindung.conf(5) lists them\n");
	assert_refused("block: 7\n",
		       "f:1: block: there is no such option; lindung.conf(5) lists them\n");
}

static void
all_problems_are_told(void **state)
{
	struct ld_report first;
	struct ld_conf conf = {.threads = 77};

	(void)state;
	assert_refused("threads: x\nlist:\n  wach: yes\n  image: {}\nblock:\n  ttl-s: 5\n",
		       "f:1: threads: expected a whole number from 0 to 256 (threads), got "
		       "\"x\"\n"
		       "f:3: list.wach: there is no such option; did you mean list.watch?\n"
		       "f:4: list.image: expected the path of a file, got a mapping of 0\n"
		       "f:6: block.ttl-s: expected a time from 10 to 60 s (or with a unit: ms, s, "
		       "m, h, d), got \"5\"\n");
	assert_refused("block.ttl-s: 20\nblock: {ttl-s: 20}\n",
		       "f:2: block.ttl-s: given twice, first in line 1\n");
	/* A failure leaves the caller's struct alone. */
	assert_int_equal(parse(&conf, "threads: x\n"), LINDUNG_ECONFIG);
	assert_int_equal(conf.threads, 77);
	assert_int_equal(ld_conf_load(&conf, "/nowhere/x", &arena, &first), LINDUNG_EIO);
	assert_string_equal(first.text, "/nowhere/x: No such file or directory");
}

static void
problems_are_bounded(void **state)
{
	struct ld_buffer text;
	struct ld_conf conf;
	unsigned lines = 0;

	(void)state;
	ld_buffer_init(&text, 65536);
	for (unsigned i = 0; i < 2 * LD_CONF_PROBLEMS_MAX; i++)
		ld_buffer_printf(&text, "unknown%u: 1\n", i);
	ld_buffer_free(&told);
	assert_int_equal(ld_conf_parse(&conf, "f", ld_buffer_span(&text), &arena, keep, NULL),
			 LINDUNG_ECONFIG);
	for (size_t i = 0; i < told.len; i++)
		lines += told.data[i] == '\n';
	assert_int_equal(lines, LD_CONF_PROBLEMS_MAX + 1);
	ld_buffer_free(&text);
}

static void
options_together(void **state)
{
	struct ld_conf conf;

	(void)state;
	assert_refused("upstream:\n  mode: forward\n",
		       "f:2: upstream.servers: expected at least one server, because "
		       "upstream.mode is forward\n");
	assert_refused("upstream:\n  servers: 192.0.2.1\n",
		       "f:2: upstream.servers: would not be used, because upstream.mode is "
		       "recursion: set it to forward, or take the servers out\n");
	assert_refused("block:\n  ttl-s: 20\n  answer: address\n",
		       "f:3: block.answer: expected block.address4 or block.address6 with it, "
		       "because it is address\n");
	assert_refused("cache:\n  ttl-min-s: 60\n  ttl-max-s: 59\n",
		       "f:2: cache.ttl-min-s: expected at most the value of cache.ttl-max-s\n");
	/* A group with everything in it commented out. */
	assert_int_equal(parse(&conf, "block:\n#  ttl-s: 20\nthreads: 1\n"), LINDUNG_OK);
}

static void
paths_begin_at_the_file(void **state)
{
	char folder[] = "/tmp/lindung-conf-XXXXXX", path[64], expected[64];
	const char *text = "list: {image: a/b.ldx, overlays: [/c, d]}\nuser: u\n";
	struct ld_conf conf;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/c.yaml", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ld_write_all(fd, text, strlen(text)), LINDUNG_OK);
	close(fd);
	assert_int_equal(ld_conf_load(&conf, path, &arena, NULL), LINDUNG_OK);
	snprintf(expected, sizeof expected, "%s/a/b.ldx", folder);
	assert_string_equal(conf.list_image, expected);
	assert_string_equal(conf.list_overlays.items[0], "/c");
	snprintf(expected, sizeof expected, "%s/d", folder);
	assert_string_equal(conf.list_overlays.items[1], expected);
	assert_string_equal(conf.user, "u");
	unlink(path);
	rmdir(folder);
}

static void
small_arena_is_an_error(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 32768; limit += 64) {
		struct ld_conf conf;
		struct ld_arena small;
		int err;

		ld_arena_init(&small, limit);
		err = ld_conf_parse(&conf, "f", ld_span_str(full), &small, keep, NULL);
		assert_true(err == LINDUNG_OK || err == LINDUNG_ENOMEM);
		assert_true(limit != 0 || err == LINDUNG_ENOMEM);
		assert_true(limit < 32000 || err == LINDUNG_OK);
		ld_arena_clear(&small);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_type),
		cmocka_unit_test(print_and_read_back),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(unknown_keys),
		cmocka_unit_test(all_problems_are_told),
		cmocka_unit_test(problems_are_bounded),
		cmocka_unit_test(options_together),
		cmocka_unit_test(paths_begin_at_the_file),
		cmocka_unit_test(small_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
