/* Writers of policies for browsers and devices: Chromium and Edge, Firefox, Apple.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Their limits, as their makers state them: Chromium and Edge take 1,000 entries of URLBlocklist
 * and 1,000 of URLAllowlist, and ignore the rest; Firefox takes 1,000 each of Block and Exceptions
 * (LIST_LENGTH_LIMIT of WebsiteFilter.sys.mjs), and ignores the rest; Apple asks for no more than
 * 500 DenyListURLs. */
#include "base/hash.h"
#include "list/write.h"

enum {
	CHROMIUM_LIMIT = 1000,
	FIREFOX_LIMIT = 1000,
	APPLE_LIMIT = 500,
};

/* ---- JSON ----------------------------------------------------------------------------------- */

static void
put_json_string(struct ld_export *x, struct ld_span text)
{
	ld_export_printf(x, "\"");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			ld_export_printf(x, "\\");
		ld_export_bytes(x, ld_span(&text.data[i], 1));
	}
	ld_export_printf(x, "\"");
}

static void
put_json_item(struct ld_export *x, struct ld_span text, bool is_first)
{
	ld_export_printf(x, is_first ? "\n    " : ",\n    ");
	put_json_string(x, text);
}

static void
put_json_list(struct ld_export *x, const char *key, bool opens)
{
	ld_export_printf(x, "  \"%s\": [", key);
	ld_export_patterns(x, opens, put_json_item);
	ld_export_printf(x, "\n  ]");
}

static void
begin_without_header(struct ld_export *x)
{
	(void)x; /* JSON has no comments: what they would say is the caller's to put beside it */
}

/* ---- Chromium and Edge ------------------------------------------------------------------------
 */

static bool
is_closed(const struct ld_act *act)
{
	return ld_act_is(act, LD_ACTION_BLOCK);
}

static bool
is_block_or_open(const struct ld_act *act)
{
	return !ld_act_is(act, LD_ACTION_REWRITE);
}

static bool
chromium_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	return is_block_or_open(&node->self) && is_block_or_open(&node->below);
}

static void
chromium_node(struct ld_export *x, const struct ld_node *node)
{
	/* "host" goes with subdomains, ".host" is the name alone and beats it; else the longest
	 * host wins. */
	if (node->own_below)
		ld_export_pattern(x, ld_act_is(&node->below, LD_ACTION_ALLOW), "%.*s",
				  LD_SPAN_ARGS(node->host));
	if (is_closed(&node->self) != is_closed(&node->below))
		ld_export_pattern(x, !is_closed(&node->self), ".%.*s", LD_SPAN_ARGS(node->host));
}

static bool
chromium_url(struct ld_export *x, const struct ld_entry *entry, const struct ld_node *host)
{
	(void)host;
	/* A path is compared letter by letter: "/a" would close "/abc" too. */
	if (!ld_span_ends(entry->path, LD_SPAN("/")) || ld_span_has_any(entry->path, "?@*"))
		return false;
	ld_export_pattern(x, entry->action == LD_ACTION_ALLOW, ".%.*s%.*s",
			  LD_SPAN_ARGS(entry->host), LD_SPAN_ARGS(entry->path));
	return true;
}

static void
chromium_end(struct ld_export *x)
{
	ld_export_printf(x, "{\n");
	put_json_list(x, "URLBlocklist", false);
	ld_export_printf(x, ",\n");
	put_json_list(x, "URLAllowlist", true);
	ld_export_printf(x, "\n}\n");
}

const struct ld_export_format ld_export_chromium = {
	.format = LD_LIST_CHROMIUM,
	.limits = "the browser takes 1,000 patterns of URLBlocklist and 1,000 of URLAllowlist, and "
		  "ignores "
		  "the rest. A URL is written if its path ends with a slash; any other would close "
		  "pages whose names begin alike. Cannot say: rewrites.",
	.limit = CHROMIUM_LIMIT,
	.can = chromium_can,
	.node = chromium_node,
	.url = chromium_url,
	.begin = begin_without_header,
	.end = chromium_end,
};

/* ---- Firefox ----------------------------------------------------------------------------------
 */

/* An exception beats every block, whatever their lengths: below what is excepted nothing can be
 * closed again.  Levels: 0 blocked, 1 excepted. */
static bool
firefox_level(const struct ld_act *act, int parent_level, int *ret)
{
	if (ld_act_is(act, LD_ACTION_BLOCK) && parent_level > 0)
		return false;
	*ret = ld_act_is(act, LD_ACTION_BLOCK) ? 0 : 1;
	return true;
}

static bool
firefox_can(const struct ld_export *x, struct ld_node *node)
{
	int parent_level = ld_export_inherited_level(x);

	if (!is_block_or_open(&node->self) || !is_block_or_open(&node->below))
		return false;
	/* What lies below cannot be opened without opening the name itself. */
	if (node->own_below && ld_act_is(&node->below, LD_ACTION_ALLOW) &&
	    ld_act_is(&node->self, LD_ACTION_BLOCK))
		return false;
	if (node->own_below && !firefox_level(&node->below, parent_level, &node->below_level))
		return false;
	if (!ld_act_is(&node->self, LD_ACTION_NONE) || node->own_below)
		return firefox_level(&node->self, parent_level, &node->self_level);
	return true;
}

static void
firefox_node(struct ld_export *x, const struct ld_node *node)
{
	if (node->own_below)
		ld_export_pattern(x, ld_act_is(&node->below, LD_ACTION_ALLOW), "*://*.%.*s/*",
				  LD_SPAN_ARGS(node->host));
	if (is_closed(&node->self) != is_closed(&node->below))
		ld_export_pattern(x, !is_closed(&node->self), "*://%.*s/*",
				  LD_SPAN_ARGS(node->host));
}

static bool
firefox_url(struct ld_export *x, const struct ld_entry *entry, const struct ld_node *host)
{
	bool opens = entry->action == LD_ACTION_ALLOW;

	if ((!opens && host->self_level > 0) || ld_span_has_any(entry->path, "*"))
		return false;
	if (ld_span_ends(entry->path, LD_SPAN("/"))) {
		ld_export_pattern(x, opens, "*://%.*s%.*s*", LD_SPAN_ARGS(entry->host),
				  LD_SPAN_ARGS(entry->path));
		return true;
	}
	ld_export_pattern(x, opens, "*://%.*s%.*s", LD_SPAN_ARGS(entry->host),
			  LD_SPAN_ARGS(entry->path));
	if (ld_span_has_any(entry->path, "?"))
		return true;
	ld_export_pattern(x, opens, "*://%.*s%.*s/*", LD_SPAN_ARGS(entry->host),
			  LD_SPAN_ARGS(entry->path));
	ld_export_pattern(x, opens, "*://%.*s%.*s?*", LD_SPAN_ARGS(entry->host),
			  LD_SPAN_ARGS(entry->path));
	return true;
}

static void
firefox_end(struct ld_export *x)
{
	ld_export_printf(x, "{\n\"policies\": {\n\"WebsiteFilter\": {\n");
	put_json_list(x, "Block", false);
	ld_export_printf(x, ",\n");
	put_json_list(x, "Exceptions", true);
	ld_export_printf(x, "\n}\n}\n}\n");
}

const struct ld_export_format ld_export_firefox = {
	.format = LD_LIST_FIREFOX,
	.limits = "the browser takes 1,000 patterns of Block and 1,000 of Exceptions, and ignores "
		  "the rest; "
		  "a URL without a slash at its end takes three. Pages and frames are closed, not "
		  "what "
		  "a page loads. Cannot say: what is blocked inside an exception, rewrites.",
	.limit = FIREFOX_LIMIT,
	.can = firefox_can,
	.node = firefox_node,
	.url = firefox_url,
	.begin = begin_without_header,
	.end = firefox_end,
};

/* ---- Apple ------------------------------------------------------------------------------------
 */

/* The system looks for the pattern anywhere in the URL, and takes "www." off patterns: only a
 * pattern with scheme and closing slash says one host, and none says a host with "www.". */
static bool
apple_host(struct ld_span host)
{
	return !ld_span_starts(host, LD_SPAN("www."));
}

static bool
apple_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	if (node->own_below && !node->is_tree)
		return false;
	return ld_act_is(&node->self, LD_ACTION_BLOCK) && apple_host(node->host);
}

static void
apple_node(struct ld_export *x, const struct ld_node *node)
{
	ld_export_pattern(x, false, "http://%.*s/", LD_SPAN_ARGS(node->host));
	ld_export_pattern(x, false, "https://%.*s/", LD_SPAN_ARGS(node->host));
}

static bool
apple_url(struct ld_export *x, const struct ld_entry *entry, const struct ld_node *host)
{
	bool is_root = entry->path.len == 1;

	(void)host;
	/* "/a/" covers "/a" too: it is what says "/a", and "/a/" alone cannot be said. */
	if (entry->action != LD_ACTION_BLOCK || ld_span_has_any(entry->path, "?") ||
	    !apple_host(entry->host) || (!is_root && ld_span_ends(entry->path, LD_SPAN("/"))))
		return false;
	for (int i = 0; i < 2; i++)
		ld_export_pattern(x, false, "http%s://%.*s%.*s%s", i == 0 ? "" : "s",
				  LD_SPAN_ARGS(entry->host), LD_SPAN_ARGS(entry->path),
				  is_root ? "" : "/");
	return true;
}

static void
put_xml(struct ld_export *x, struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '&')
			ld_export_printf(x, "&amp;");
		else if (c == '<')
			ld_export_printf(x, "&lt;");
		else if (c == '>')
			ld_export_printf(x, "&gt;");
		else if (c < 0x20)
			ld_export_printf(x, " ");
		else
			ld_export_bytes(x, ld_span(&c, 1));
	}
}

static void
put_xml_item(struct ld_export *x, struct ld_span text, bool is_first)
{
	(void)is_first;
	ld_export_printf(x, "        <string>");
	put_xml(x, text);
	ld_export_printf(x, "</string>\n");
}

/* The same title gives the same profile, so that a new edition takes the place of the old one. */
static void
put_uuid(struct ld_export *x, struct ld_span title, uint64_t seed)
{
	uint64_t a = ld_hash_bytes(title, seed), b = ld_hash_bytes(title, seed + 1);

	ld_export_printf(x, "<string>%08X-%04X-8%03X-%04X-%012llX</string>\n", (unsigned)(a >> 32),
			 (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
			 ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
			 (unsigned long long)(b & 0xffffffffffff));
}

static void
apple_begin(struct ld_export *x)
{
	ld_export_printf(x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
			    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
			    "<plist version=\"1.0\">\n<dict>\n");
}

static void
put_title(struct ld_export *x, struct ld_span title)
{
	ld_export_printf(x, "<key>PayloadDisplayName</key><string>");
	put_xml(x, title);
	ld_export_printf(x, "</string>\n");
}

static void
put_description(struct ld_export *x)
{
	const struct ld_write_summary *s = ld_export_summary(x);

	ld_export_printf(x,
			 "<key>PayloadDescription</key><string>%llu of %llu entries. "
			 "%s</string>\n",
			 (unsigned long long)s->written, (unsigned long long)s->read,
			 ld_list_format_limits(LD_LIST_APPLE));
}

static void
apple_end(struct ld_export *x)
{
	const char *text = ld_export_options(x)->title;
	struct ld_span title = ld_span_str(text != NULL ? text : "Lindung");

	put_title(x, title);
	put_description(x);
	ld_export_printf(x, "<key>PayloadType</key><string>Configuration</string>\n"
			    "<key>PayloadVersion</key><integer>1</integer>\n"
			    "<key>PayloadIdentifier</key><string>lindung.webfilter</string>\n"
			    "<key>PayloadUUID</key>");
	put_uuid(x, title, 1);
	ld_export_printf(x, "<key>PayloadContent</key>\n<array>\n<dict>\n"
			    "<key>PayloadType</key><string>com.apple.webcontent-filter</string>\n"
			    "<key>PayloadVersion</key><integer>1</integer>\n"
			    "<key>PayloadIdentifier</key>"
			    "<string>lindung.webfilter.list</string>\n"
			    "<key>PayloadUUID</key>");
	put_uuid(x, title, 3);
	put_title(x, title);
	ld_export_printf(x, "<key>FilterType</key><string>BuiltIn</string>\n"
			    "<key>AutoFilterEnabled</key><false/>\n"
			    "<key>DenyListURLs</key>\n<array>\n");
	ld_export_patterns(x, false, put_xml_item);
	ld_export_printf(x, "</array>\n</dict>\n</array>\n</dict>\n</plist>\n");
}

const struct ld_export_format ld_export_apple = {
	.format = LD_LIST_APPLE,
	.limits =
		"the device takes 500 patterns, and each name or URL needs two (http and https). A "
		"pattern covers its name alone, since the system looks for it anywhere in a URL "
		"and "
		"a shorter one would close other sites. Cannot say: subdomains, names that begin "
		"with www., allow, rewrites, URLs with a query or a slash at their end; of other "
		"URLs "
		"the page with a query stays open.",
	.is_exact = true,
	.limit = APPLE_LIMIT,
	.can = apple_can,
	.node = apple_node,
	.url = apple_url,
	.begin = apple_begin,
	.end = apple_end,
};
