/* Writers of lists with a rule a line: hosts, domains, wildcards, AdBlock, dnsmasq, Unbound, Squid.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "list/write.h"

static void
begin_with_header(struct ld_export *x)
{
	ld_export_header(x, "#");
}

static bool
is_block_tree(const struct ld_node *node)
{
	return node->is_tree && ld_act_is(&node->self, LD_ACTION_BLOCK);
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

static bool
hosts_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	if (node->own_below && !node->is_tree)
		return false;
	return ld_act_is(&node->self, LD_ACTION_BLOCK) || ld_act_address(&node->self).len != 0;
}

static void
hosts_node(struct ld_export *x, const struct ld_node *node)
{
	const char *sink = ld_export_options(x)->sink_address;
	struct ld_span address = ld_act_address(&node->self);

	if (address.len == 0)
		address = ld_span_str(sink != NULL ? sink : "0.0.0.0");
	ld_export_printf(x, "%.*s %.*s\n", LD_SPAN_ARGS(address), LD_SPAN_ARGS(node->host));
}

const struct ld_export_format ld_export_hosts = {
	.format = LD_LIST_HOSTS,
	.limits = "a line covers its name alone; subdomains only where the program that reads it "
		  "adds "
		  "them. Cannot say: allow, what lies below a name alone, CNAME rewrites, URLs. A "
		  "rewrite to an address covers the name alone.",
	.is_exact = true,
	.can = hosts_can,
	.node = hosts_node,
	.begin = begin_with_header,
};

/* ---- Domains and wildcards ---------------------------------------------------------------------
 */

static bool
domains_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	return is_block_tree(node);
}

static void
domains_node(struct ld_export *x, const struct ld_node *node)
{
	ld_export_printf(x, "%.*s\n", LD_SPAN_ARGS(node->host));
}

static void
wildcard_node(struct ld_export *x, const struct ld_node *node)
{
	ld_export_printf(x, "*.%.*s\n", LD_SPAN_ARGS(node->host));
}

const struct ld_export_format ld_export_domains = {
	.format = LD_LIST_DOMAINS,
	.limits =
		"a line is a domain with its subdomains. Cannot say: one name alone, what lies "
		"below "
		"a name alone, allow, rewrites, URLs. A domain with an exception below it is left "
		"out, since the exception cannot be said.",
	.is_redundant_said = true,
	.can = domains_can,
	.node = domains_node,
	.begin = begin_with_header,
};

const struct ld_export_format ld_export_wildcard = {
	.format = LD_LIST_WILDCARD,
	.limits = "a line *.name is the domain with its subdomains (some programs take it for the "
		  "subdomains alone). Cannot say: one name alone, what lies below a name alone, "
		  "allow, "
		  "rewrites, URLs. A domain with an exception below it is left out, since the "
		  "exception cannot be said.",
	.is_redundant_said = true,
	.can = domains_can,
	.node = wildcard_node,
	.begin = begin_with_header,
};

/* ---- AdBlock ------------------------------------------------------------------------------------
 */

/* Which rule wins does not depend on length: block < allow < important block < important allow. A
 * rule below another must be at least as strong; deeper nesting than that cannot be said. */
enum {
	ADBLOCK_LEVEL_MAX = 3,
	ADBLOCK_LEVEL_IMPORTANT = 2,
};

static bool
adblock_level(const struct ld_act *act, int parent_level, int *ret)
{
	int level = act->important ? ADBLOCK_LEVEL_IMPORTANT : 0;

	if (level < parent_level)
		level = parent_level;
	if ((level % 2 == 1) != ld_act_is(act, LD_ACTION_ALLOW))
		level++;
	*ret = level;
	return level <= ADBLOCK_LEVEL_MAX;
}

static bool
adblock_can(const struct ld_export *x, struct ld_node *node)
{
	int parent_level = ld_export_inherited_level(x);

	/* A rewrite beats all rules, and what it says of subdomains cannot be taken back. */
	if (node->own_below && ld_act_is(&node->below, LD_ACTION_REWRITE))
		return false;
	if (node->own_below && !adblock_level(&node->below, parent_level, &node->below_level))
		return false;
	return !node->own_self || ld_act_is(&node->self, LD_ACTION_REWRITE) ||
	       adblock_level(&node->self, parent_level, &node->self_level);
}

static void
adblock_rule(struct ld_export *x, const struct ld_node *node, const char *anchor, int level)
{
	ld_export_printf(x, "%s%s%.*s^%s\n", level % 2 == 1 ? "@@" : "", anchor,
			 LD_SPAN_ARGS(node->host),
			 level >= ADBLOCK_LEVEL_IMPORTANT ? "$important" : "");
}

static void
adblock_rewrite(struct ld_export *x, const struct ld_node *node)
{
	struct ld_span target = ld_span(node->self.target, node->self.target_len);

	/* "A 192.0.2.1" becomes "NOERROR;A;192.0.2.1". */
	size_t blank = ld_span_find(target, ' ');
	ld_export_printf(x, "|%.*s^$dnsrewrite=NOERROR;%.*s;%.*s\n", LD_SPAN_ARGS(node->host),
			 LD_SPAN_ARGS(ld_span_first(target, blank)),
			 LD_SPAN_ARGS(ld_span_from(target, blank + 1)));
}

static void
adblock_node(struct ld_export *x, const struct ld_node *node)
{
	if (node->is_tree) {
		adblock_rule(x, node, "||", node->below_level);
		return;
	}
	if (node->own_self && ld_act_is(&node->self, LD_ACTION_REWRITE))
		adblock_rewrite(x, node);
	else if (node->own_self)
		adblock_rule(x, node, "|", node->self_level);
	if (node->own_below)
		adblock_rule(x, node, "||*.", node->below_level);
}

static void
adblock_begin(struct ld_export *x)
{
	ld_export_header(x, "!");
}

const struct ld_export_format ld_export_adblock = {
	.format = LD_LIST_ADBLOCK,
	.limits = "rules for DNS filtering as AdGuard defines them (for a browser's filter, names "
		  "are "
		  "page hosts). Exceptions below blocks nest four deep. Cannot say: URLs, rewrites "
		  "of "
		  "subdomains.",
	.says_important = true,
	.can = adblock_can,
	.node = adblock_node,
	.begin = adblock_begin,
};

/* ---- dnsmasq ------------------------------------------------------------------------------------
 */

static bool
dnsmasq_says(const struct ld_act *act)
{
	return !ld_act_is(act, LD_ACTION_REWRITE) || ld_act_address(act).len != 0;
}

static bool
dnsmasq_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	return dnsmasq_says(&node->self) && dnsmasq_says(&node->below);
}

static void
dnsmasq_line(struct ld_export *x, const struct ld_node *node, const char *prefix,
	     const struct ld_act *act)
{
	struct ld_span address = ld_act_address(act);

	if (address.len != 0) {
		/* local=: other types of it must not be asked for elsewhere. */
		ld_export_printf(x, "local=/%s%.*s/\naddress=/%s%.*s/%.*s\n", prefix,
				 LD_SPAN_ARGS(node->host), prefix, LD_SPAN_ARGS(node->host),
				 LD_SPAN_ARGS(address));
	} else if (ld_act_is(act, LD_ACTION_BLOCK)) {
		ld_export_printf(x, "local=/%s%.*s/\n", prefix, LD_SPAN_ARGS(node->host));
	} else {
		ld_export_printf(x, "server=/%s%.*s/#\n", prefix, LD_SPAN_ARGS(node->host));
	}
}

static void
dnsmasq_node(struct ld_export *x, const struct ld_node *node)
{
	if (!ld_act_is(&node->self, LD_ACTION_NONE))
		dnsmasq_line(x, node, "", &node->self);
	if (!ld_act_equal(&node->self, &node->below))
		dnsmasq_line(x, node, "*.", &node->below);
}

const struct ld_export_format ld_export_dnsmasq = {
	.format = LD_LIST_DNSMASQ,
	.limits = "for dnsmasq 2.86 or newer (the longest rule wins; *.name is what lies below). "
		  "Blocked "
		  "names answer NXDOMAIN. Cannot say: CNAME rewrites, URLs.",
	.can = dnsmasq_can,
	.node = dnsmasq_node,
	.begin = begin_with_header,
};

/* ---- Unbound ------------------------------------------------------------------------------------
 */

static bool
unbound_can(const struct ld_export *x, struct ld_node *node)
{
	const struct ld_act *self = &node->self, *below = &node->below;
	bool self_is_local = ld_act_is(self, LD_ACTION_BLOCK) || ld_act_address(self).len != 0;

	(void)x;
	if (ld_act_is(self, LD_ACTION_REWRITE) && !self_is_local)
		return false;
	if (ld_act_equal(self, below))
		return true;
	/* A local-zone takes in its name: what is below it alone cannot be closed or rewritten. */
	return self_is_local && !ld_act_is(below, LD_ACTION_REWRITE);
}

static void
unbound_zone(struct ld_export *x, const struct ld_node *node, const char *type)
{
	ld_export_printf(x, "local-zone: \"%.*s.\" %s\n", LD_SPAN_ARGS(node->host), type);
}

static void
unbound_data(struct ld_export *x, const struct ld_node *node)
{
	const struct ld_act *act = &node->self;

	if (ld_act_is(act, LD_ACTION_REWRITE))
		ld_export_printf(x, "local-data: \"%.*s. 60 IN %.*s\"\n", LD_SPAN_ARGS(node->host),
				 (int)act->target_len, (const char *)act->target);
	else /* Any data makes the other types of this name empty. */
		ld_export_printf(x, "local-data: '%.*s. 60 IN TXT \"blocked\"'\n",
				 LD_SPAN_ARGS(node->host));
}

static void
unbound_node(struct ld_export *x, const struct ld_node *node)
{
	const struct ld_act *self = &node->self, *below = &node->below;

	if (!ld_act_equal(self, below)) {
		unbound_zone(x, node, ld_act_is(below, LD_ACTION_BLOCK) ? "static" : "transparent");
		unbound_data(x, node);
	} else if (ld_act_is(self, LD_ACTION_REWRITE)) {
		unbound_zone(x, node, "redirect");
		unbound_data(x, node);
	} else {
		unbound_zone(x, node,
			     ld_act_is(self, LD_ACTION_BLOCK) ? "always_nxdomain"
							      : "always_transparent");
	}
}

static void
unbound_begin(struct ld_export *x)
{
	ld_export_header(x, "#");
	ld_export_printf(x, "server:\n");
}

const struct ld_export_format ld_export_unbound = {
	.format = LD_LIST_UNBOUND,
	.limits = "local zones (the longest wins). One name blocked alone answers with no data. "
		  "Cannot "
		  "say: what lies below a name alone, one name allowed alone inside a blocked "
		  "domain, "
		  "CNAME rewrites, URLs; Unbound can read the format rpz, which says the first "
		  "three.",
	.can = unbound_can,
	.node = unbound_node,
	.begin = unbound_begin,
};

/* ---- Squid --------------------------------------------------------------------------------------
 */

static bool
squid_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	return ld_act_is(&node->self, LD_ACTION_BLOCK) &&
	       (ld_act_is(&node->below, LD_ACTION_BLOCK) ||
		ld_act_is(&node->below, LD_ACTION_NONE));
}

static void
squid_node(struct ld_export *x, const struct ld_node *node)
{
	ld_export_printf(x, "%s%.*s\n", ld_act_is(&node->below, LD_ACTION_BLOCK) ? "." : "",
			 LD_SPAN_ARGS(node->host));
}

const struct ld_export_format ld_export_squid = {
	.format = LD_LIST_SQUID,
	.limits = "for: acl lindung dstdomain \"FILE\" (.name with subdomains, name alone). Names "
		  "below a "
		  "listed one are not repeated, since Squid refuses them. Cannot say: allow, what "
		  "lies "
		  "below a name alone, rewrites; URLs are for the format squid-urls. Of a domain "
		  "with "
		  "an exception below it only the name itself is written.",
	.can = squid_can,
	.node = squid_node,
	.begin = begin_with_header,
};

static bool
squid_urls_can(const struct ld_export *x, struct ld_node *node)
{
	(void)x;
	(void)node;
	return false;
}

static void
squid_urls_node(struct ld_export *x, const struct ld_node *node)
{
	(void)x;
	(void)node;
}

static void
put_regex(struct ld_export *x, struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (memchr("\\^$.|?*+()[]{}", text.data[i], 14) != NULL)
			ld_export_printf(x, "\\");
		ld_export_bytes(x, ld_span(&text.data[i], 1));
	}
}

static bool
squid_urls_url(struct ld_export *x, const struct ld_entry *entry, const struct ld_node *host)
{
	bool has_query = ld_span_find(entry->path, '?') != entry->path.len;

	(void)host;
	if (entry->action != LD_ACTION_BLOCK)
		return false;
	ld_export_printf(x, "^[a-z]+://([^/@]*@)?");
	put_regex(x, entry->host);
	ld_export_printf(x, "\\.?(:[0-9]+)?");
	put_regex(x, entry->path);
	if (has_query)
		ld_export_printf(x, "$");
	else if (!ld_span_ends(entry->path, LD_SPAN("/")))
		ld_export_printf(x, "([/?]|$)");
	ld_export_printf(x, "\n");
	return true;
}

const struct ld_export_format ld_export_squid_urls = {
	.format = LD_LIST_SQUID_URLS,
	.limits = "for: acl lindung_urls url_regex \"FILE\"; the parts of sites alone (whole names "
		  "are for "
		  "the format squid). Squid sees URLs of https only where it opens the connection "
		  "(ssl-bump). Cannot say: names, allow.",
	.can = squid_urls_can,
	.node = squid_urls_node,
	.url = squid_urls_url,
	.begin = begin_with_header,
};
