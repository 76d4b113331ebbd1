/* The options: one table.  The fields of `struct ld_conf`, the defaults, the checker, the manual
 * page lindung.conf(5) and the example file are all made from it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * To add an option: add a row, run `make man`, use the field. */
#ifndef LD_CONF_OPTIONS_H
#define LD_CONF_OPTIONS_H

/* Choices.  X(symbol, value, key, what it means) */
#define LD_CONF_ANSWERS(X)                                                                         \
	X(LD_CONF_ANSWER_NXDOMAIN, 0, "nxdomain", "The name does not exist.")                      \
	X(LD_CONF_ANSWER_NODATA, 1, "nodata", "The name exists, and has no such record.")          \
	X(LD_CONF_ANSWER_ZERO, 2, "zero",                                                          \
	  "The address 0.0.0.0 or ::, for other types no such record.")                            \
	X(LD_CONF_ANSWER_ADDRESS, 3, "address",                                                    \
	  "The addresses block.address4 and block.address6, for other types no such record.")

/* The value is the EDE code of RFC 8914. */
#define LD_CONF_REASONS(X)                                                                         \
	X(LD_CONF_REASON_OPERATOR, 15, "operator", "The operator of the resolver (EDE 15).")       \
	X(LD_CONF_REASON_AUTHORITY, 16, "authority",                                               \
	  "An authority ordered it (EDE 16). Neither categories nor lists are told then.")         \
	X(LD_CONF_REASON_FAMILY, 17, "family",                                                     \
	  "Those who use the resolver: a family or a school (EDE 17).")

#define LD_CONF_MODES(X)                                                                           \
	X(LD_CONF_MODE_RECURSION, 0, "recursion", "From the root servers down.")                   \
	X(LD_CONF_MODE_FORWARD, 1, "forward", "By the servers in upstream.servers.")

/* The values are bits: LD_ZONE_SHA384 and LD_ZONE_SHA512. */
#define LD_CONF_DIGESTS(X)                                                                         \
	X(LD_CONF_DIGEST_NONE, 0, "none", "None.")                                                 \
	X(LD_CONF_DIGEST_SHA384, 1, "sha384", "SHA-384.")                                          \
	X(LD_CONF_DIGEST_SHA512, 2, "sha512", "SHA-512.")                                          \
	X(LD_CONF_DIGEST_BOTH, 3, "both", "Both.")

#define LD_CONF_DENIALS(X)                                                                         \
	X(LD_CONF_DENIAL_REFUSE, 0, "refuse", "REFUSED, with an Extended DNS Error (18).")         \
	X(LD_CONF_DENIAL_DROP, 1, "drop", "Not at all.")

/* X(type, field, key, default, min, max, unit, choices, prose)
 *
 * min and max: of a number; of a text its length in bytes; of a list how many items.
 * unit: that of a duration ("s", "ms"), or what a whole number counts; of addresses the port where
 * none is named.
 * default: written as in the file; items of a list separated by blanks; "" for nothing. */
#define LD_CONF_OPTIONS(X)                                                                         \
	X(ADDRESSES, listen, "listen", "127.0.0.1@5354 ::1@5354", 1, 64, "53", none,               \
	  "Addresses on which DNS queries are taken, over UDP and TCP, as address@port. "          \
	  "Without a port it is 53. "                                                              \
	  "Whoever can reach an address may ask: open to the world only what is meant to be.")     \
	X(INTEGER, threads, "threads", "0", 0, 256, "threads", none,                               \
	  "How many threads answer queries; 0 starts one for each processor core.")                \
	X(BOOL, steer, "steer", "no", 0, 1, "", none,                                              \
	  "Keep each thread on a core of its own, and let it take what comes in there. "           \
	  "Quicker where the network card has a queue for each core; with fewer queues most "      \
	  "threads would have nothing to do.")                                                     \
	X(TEXT, user, "user", "", 0, 32, "", none,                                                 \
	  "The user to become once all sockets are open, when started as root. "                   \
	  "With nothing here the user stays who it is; "                                           \
	  "but what faces the network is nobody then, when started as root.")                      \
	X(PREFIXES, access_allow, "access.allow",                                                  \
	  "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 ::1 fc00::/7 "       \
	  "fe80::/10",                                                                             \
	  0, 65536, "", none,                                                                      \
	  "Who may ask: prefixes of addresses; of several that hold an address the longest "       \
	  "counts, whether here or in access.deny. "                                               \
	  "The default is this machine and private networks, so that nobody runs an open "         \
	  "resolver without wanting one: 0.0.0.0/0 and ::/0 let all the world ask. "               \
	  "Connections from others are closed at once.")                                           \
	X(PREFIXES, access_deny, "access.deny", "", 0, 65536, "", none,                            \
	  "Who may not ask, though a shorter prefix in access.allow, or the same, lets them. "     \
	  "Both lists together hold at most 65536 prefixes.")                                      \
	X(CHOICE, access_answer, "access.answer", "refuse", 0, 0, "", denials,                     \
	  "How those who may not ask are answered over UDP.")                                      \
	X(PATH, list_image, "list.image", "", 0, 4095, "", none,                                   \
	  "The index that lindung compile made. "                                                  \
	  "A relative path begins at the folder of the configuration file.")                       \
	X(PATHS, list_overlays, "list.overlays", "", 0, 32, "", none,                              \
	  "Indexes with changes, laid over the image in this order: "                              \
	  "what a later one says of a name replaces what lies below it. "                          \
	  "One that does not exist is none, and is loaded once it does.")                          \
	X(KEYS, list_categories, "list.categories", "", 0, 64, "", none,                           \
	  "Keys of the categories that are closed; with an empty list every category of the "      \
	  "image is. "                                                                             \
	  "One that the image lacks is an error.")                                                 \
	X(DOMAINS, list_shared_targets, "list.shared-targets", "", 0, 1024, "", none,              \
	  "Networks by which many sites of strangers are delivered, besides those known "          \
	  "(shared-targets.yaml): an entry that is one of these, or above it, closes that name, "  \
	  "but "                                                                                   \
	  "not the names whose CNAME, DNAME, SVCB or HTTPS record leads there. "                   \
	  "An entry below it does.")                                                               \
	X(BOOL, list_watch, "list.watch", "yes", 0, 1, "", none,                                   \
	  "Load the image and the overlays again when the files are replaced. "                    \
	  "Without it only SIGHUP does that.")                                                     \
	X(INTEGER, list_shrink_max_percent, "list.shrink-max-percent", "50", 0, 100, "percent",    \
	  none,                                                                                    \
	  "A new image that lost more than this part of the entries is refused, and the old one "  \
	  "kept: a failed update must not remove protection. "                                     \
	  "So are overlays that open more than this part of the names that are closed. "           \
	  "SIGUSR1 takes it all the same, as 100 takes any.")                                      \
	X(TEXT, follow_url, "follow.url", "", 0, 2048, "", none,                                   \
	  "The log to follow, by HTTP or HTTPS: the address at which its checkpoint, tiles and "   \
	  "blocks are, from any web server. "                                                      \
	  "What comes from there is verified, whoever serves it. "                                 \
	  "The list that follows from it lies below list.image and list.overlays: of a name that " \
	  "both have both speak, and in a category that both speak of list.image and its "         \
	  "overlays decide. "                                                                      \
	  "The host is found by upstream.mode, whatever lists say of it.")                         \
	X(PATH, follow_policy, "follow.policy", "", 0, 4095, "", none,                             \
	  "The policy: which log it is, whom to believe, and what it takes until a statement "     \
	  "takes effect.")                                                                         \
	X(PATH, follow_state, "follow.state", "", 0, 4095, "", none,                               \
	  "Folder in which what was verified is kept, so that a start without a network has the "  \
	  "last good list. "                                                                       \
	  "Made if it does not exist; for one server alone. "                                      \
	  "Under systemd: /var/lib/lindung-follow.")                                               \
	X(PATHS, follow_keys, "follow.keys", "", 0, 16, "", none,                                  \
	  "Files with secret keys, as age-keygen writes them, that open sealed statements.")       \
	X(DURATION, follow_poll_s, "follow.poll-s", "300", 1, 86400, "s", none,                    \
	  "How often to look whether there is news, give or take a tenth. "                        \
	  "With follow.notify-from news comes sooner.")                                            \
	X(DURATION, follow_hang_s, "follow.hang-s", "7200", 5, 86400, "s", none,                   \
	  "Following that makes no step for so long hangs: its process is ended and started "      \
	  "again. "                                                                                \
	  "One request may last ten minutes, and one redirected as often as may be fifty.")        \
	X(PREFIXES, follow_notify_from, "follow.notify-from", "", 0, 65536, "", none,              \
	  "Who may tell by NOTIFY (RFC 1996), at the addresses listened on, that there is news. "  \
	  "It is taken as a hint to look, at most ten times a second.")                            \
	X(HOST, follow_zone, "follow.zone", "", 0, 253, "", none,                                  \
	  "The name of which NOTIFY tells. "                                                       \
	  "With nothing here it is made of the log's origin: children.log.example.com for "        \
	  "log.example.com/children.")                                                             \
	X(PATH, follow_ca_file, "follow.ca-file", "", 0, 4095, "", none,                           \
	  "File with the certificates of the authorities that the web server is checked with, in " \
	  "PEM. "                                                                                  \
	  "With nothing here they are the system's.")                                              \
	X(PATH, follow_popular, "follow.popular", "", 0, 4095, "", none,                           \
	  "The list of well-known sites that \"popular builtin\" of the policy means. "            \
	  "With nothing here it is the one that ships.")                                           \
	X(CHOICE, block_answer, "block.answer", "nxdomain", 0, 0, "", answers,                     \
	  "How a closed name is answered.")                                                        \
	X(IPV4, block_address4, "block.address4", "", 0, 0, "", none,                              \
	  "IPv4 address for block.answer address.")                                                \
	X(IPV6, block_address6, "block.address6", "", 0, 0, "", none,                              \
	  "IPv6 address for block.answer address.")                                                \
	X(DURATION, block_ttl_s, "block.ttl-s", "30", 10, 60, "s", none,                           \
	  "How long others may keep the answer for a closed name. "                                \
	  "Short, so that a name that is opened again is open soon.")                              \
	X(CHOICE, block_reason, "block.reason", "family", 0, 0, "", reasons,                       \
	  "Who decided that names are closed. "                                                    \
	  "Of sealed names it is always authority. "                                               \
	  "Clients are told with the answer, as an Extended DNS Error. "                           \
	  "A client that asks over HTTPS (Firefox does) and takes no structured errors gets with " \
	  "operator and authority an address as well, block.address4 and block.address6 or else "  \
	  "0.0.0.0 and ::, whatever block.answer is: without one, it would ask a resolver that "   \
	  "does not filter.")                                                                      \
	X(TEXT, explain_text, "explain.text", "Blocked", 0, 48, "", none,                          \
	  "What stands before the categories and the list in the reason that clients are given, "  \
	  "in the language of explain.language. "                                                  \
	  "Clients that ask for structured errors get the reason as JSON, together with "          \
	  "explain.contacts and explain.organisation; others as text.")                            \
	X(CONTACTS, explain_contacts, "explain.contacts", "", 0, 4, "", none,                      \
	  "Whom to turn to where a name is closed and should not be, as URIs with tel: or "        \
	  "mailto:. "                                                                              \
	  "Whoever can ask this server can read them.")                                            \
	X(TEXT, explain_organisation, "explain.organisation", "", 0, 64, "", none,                 \
	  "The name of who closes names here: a school, an operator, an authority. "               \
	  "A name alone, as browsers show nothing else.")                                          \
	X(LANGUAGE, explain_language, "explain.language", "en", 1, 35, "", none,                   \
	  "The language of explain.text and explain.organisation.")                                \
	X(CHOICE, upstream_mode, "upstream.mode", "recursion", 0, 0, "", modes,                    \
	  "How names that no list closes are answered.")                                           \
	X(SERVERS, upstream_servers, "upstream.servers", "", 0, 16, "", none,                      \
	  "Servers to forward to: address@port over UDP and TCP in the clear, "                    \
	  "tls://address@port#name over TLS, https://address@port/path#name over HTTPS. "          \
	  "Without a port it is 53, 853 or 443, without a path /dns-query. "                       \
	  "The certificate of an encrypted server must be for the name behind #, or without one "  \
	  "for the address; one that is not is never asked. "                                      \
	  "#pin-sha256= and the SHA-256 of its public key in base64 may follow, twice at most; "   \
	  "without a name the key alone is what counts. "                                          \
	  "Encrypted servers and others do not stand together. "                                   \
	  "They see what is asked; with recursion no single server does.")                         \
	X(PATH, upstream_ca_file, "upstream.ca-file", "", 0, 4095, "", none,                       \
	  "File with the certificates of the authorities that encrypted servers are checked "      \
	  "with, in PEM. "                                                                         \
	  "With nothing here they are the system's.")                                              \
	X(DURATION, upstream_timeout_ms, "upstream.timeout-ms", "4000", 100, 60000, "ms", none,    \
	  "A question that has no answer from upstream after this is answered SERVFAIL.")          \
	X(BOOL, upstream_dnssec, "upstream.dnssec", "yes", 0, 1, "", none,                         \
	  "Validate answers with DNSSEC; with forwarding this is left to the servers.")            \
	X(PATH, upstream_trust_anchor, "upstream.trust-anchor", "", 0, 4095, "", none,             \
	  "File with the DNSSEC trust anchor of the root. "                                        \
	  "With nothing here it is Debian's.")                                                     \
	X(PATH, upstream_root_hints, "upstream.root-hints", "", 0, 4095, "", none,                 \
	  "File with the addresses of the root servers. "                                          \
	  "With nothing here those known to libunbound are used.")                                 \
	X(BOOL, upstream_filters, "upstream.filters", "no", 0, 1, "", none,                        \
	  "The servers forwarded to close names themselves, as those of Quad9 or CleanBrowsing "   \
	  "do. "                                                                                   \
	  "Clients are told so (EDE 35, Blocked by Upstream) where such a server says it with an " \
	  "Extended DNS Error of its own, whatever stands here; with yes also where its answer "   \
	  "is "                                                                                    \
	  "the address 0.0.0.0 or ::, or a denial without SOA.")                                   \
	X(BOOL, upstream_rebinding_protection, "upstream.rebinding-protection", "yes", 0, 1, "",   \
	  none,                                                                                    \
	  "Answers from upstream that give a name an address of a private network, of this "       \
	  "machine "                                                                               \
	  "or of none (10.0.0.0/8, 127.0.0.0/8, 192.168.0.0/16, fc00::/7 and the like, also as "   \
	  "hints in HTTPS and SVCB records) are answered as if the name had no such record, with " \
	  "the Extended DNS Error of block.reason: with them a website gets past the browser to "  \
	  "devices at home (DNS rebinding). "                                                      \
	  "Also closed thereby are names that list servers in 127.0.0.0/8, as mail servers ask "   \
	  "for.")                                                                                  \
	X(DOMAINS, upstream_rebinding_allowed, "upstream.rebinding-allowed", "", 0, 256, "", none, \
	  "Domains that may have such addresses, with all below: a school's own, say. "            \
	  "What counts is the name asked for, not an alias that leads there.")                     \
	X(SIZE, cache_size_bytes, "cache.size-bytes", "64M", 262144, 68719476736, "bytes", none,   \
	  "Memory for answers that are kept, of all threads together: "                            \
	  "at least 262144 for each.")                                                             \
	X(DURATION, cache_ttl_min_s, "cache.ttl-min-s", "0", 0, 3600, "s", none,                   \
	  "Answers are kept at least this long, even if their owner said less.")                   \
	X(DURATION, cache_ttl_max_s, "cache.ttl-max-s", "86400", 1, 604800, "s", none,             \
	  "Answers are kept at most this long.")                                                   \
	X(DURATION, cache_negative_ttl_max_s, "cache.negative-ttl-max-s", "3600", 1, 86400, "s",   \
	  none, "Answers that something does not exist are kept at most this long.")               \
	X(DURATION, cache_stale_s, "cache.stale-s", "86400", 0, 259200, "s", none,                 \
	  "For so long after it has expired an answer is given if upstream does not answer "       \
	  "within "                                                                                \
	  "1.8 s or fails (RFC 8767); 0 for never. "                                               \
	  "Clients are told with it that it is stale (EDE 3 and 19), and to keep it for 30 s. "    \
	  "What fails validation is never answered so.")                                           \
	X(BOOL, cache_prefetch, "cache.prefetch", "yes", 0, 1, "", none,                           \
	  "Ask again for what clients ask for repeatedly shortly before it expires, so that "      \
	  "nobody waits for it.")                                                                  \
	X(DURATION, cache_failure_ttl_max_s, "cache.failure-ttl-max-s", "30", 1, 300, "s", none,   \
	  "A question that upstream failed to answer is not asked again for a second, then for "   \
	  "twice as long each time that it fails, up to this (RFC 9520).")                         \
	X(INTEGER, tcp_connections_max, "tcp.connections-max", "1024", 1, 65536, "connections",    \
	  none,                                                                                    \
	  "How many TCP connections are open at a time, of all threads together, "                 \
	  "but at least 8 for each address and thread, and at most half of the files that the "    \
	  "process may open.")                                                                     \
	X(DURATION, tcp_idle_ms, "tcp.idle-ms", "10000", 100, 600000, "ms", none,                  \
	  "A TCP connection on which nothing happens for this long is closed.")                    \
	X(INTEGER, tcp_in_flight_max, "tcp.in-flight-max", "100", 1, 4096, "queries", none,        \
	  "How many queries of one TCP connection may wait for their answers.")                    \
	X(INTEGER, tcp_client_connections_max, "tcp.client-connections-max", "256", 1, 65536,      \
	  "connections", none,                                                                     \
	  "How many connections one client may have open at a time, over TCP, TLS and HTTPS "      \
	  "together; of IPv6 all addresses that share their first 64 bits are one client. "        \
	  "A client that has so many gives up the one that idles longest for a new one. "          \
	  "All devices behind one address are one client, too.")                                   \
	X(ADDRESSES, tls_listen, "tls.listen", "", 0, 64, "853", none,                             \
	  "Addresses on which DNS over TLS is served, as address@port. "                           \
	  "Without a port it is 853. "                                                             \
	  "It needs tls.certificate and tls.key.")                                                 \
	X(PATH, tls_certificate, "tls.certificate", "", 0, 4095, "", none,                         \
	  "File with the certificate to show, in PEM, followed by those that stand above it. "     \
	  "It must name the name or the address by which clients know this server. "               \
	  "When the file or that of the key changes, and on SIGHUP, both are loaded again; "       \
	  "a pair that is not good is refused, and the one before stays.")                         \
	X(PATH, tls_key, "tls.key", "", 0, 4095, "", none,                                         \
	  "File with the private key of the certificate, in PEM, without a pass phrase. "          \
	  "The user of the server must be able to read it, or it cannot be loaded again.")         \
	X(INTEGER, tls_connections_max, "tls.connections-max", "1024", 1, 65536, "connections",    \
	  none,                                                                                    \
	  "How many TLS connections are open at a time, DNS over TLS and over HTTPS together, "    \
	  "with the same bounds as tcp.connections-max.")                                          \
	X(DURATION, tls_handshake_ms, "tls.handshake-ms", "5000", 100, 60000, "ms", none,          \
	  "A client that did not finish the TLS handshake after this is closed.")                  \
	X(DURATION, tls_idle_ms, "tls.idle-ms", "30000", 100, 600000, "ms", none,                  \
	  "A TLS connection on which nothing happens for this long is closed.")                    \
	X(DURATION, tls_ticket_rotate_s, "tls.ticket-rotate-s", "3600", 1, 86400, "s", none,       \
	  "How often the key of session tickets changes. "                                         \
	  "A ticket can be used as long as its key or the one after is in use.")                   \
	X(ADDRESSES, https_listen, "https.listen", "", 0, 64, "443", none,                         \
	  "Addresses on which DNS over HTTPS is served (HTTP/2, path /dns-query), as "             \
	  "address@port. "                                                                         \
	  "Without a port it is 443. "                                                             \
	  "It needs tls.certificate and tls.key.")                                                 \
	X(INTEGER, https_streams_max, "https.streams-max", "100", 1, 1000, "queries", none,        \
	  "How many queries of one HTTPS connection may wait for their answers.")                  \
	X(PREFIXES, proxy_from, "proxy.from", "", 0, 65536, "", none,                              \
	  "Prefixes of the proxies that are believed when they say by the PROXY protocol, "        \
	  "version 2, who their client is.")                                                       \
	X(ADDRESSES, proxy_listen, "proxy.listen", "", 0, 64, "53", none,                          \
	  "Those of the addresses listened on at which proxies speak: all that comes in there "    \
	  "begins with a PROXY header, before TLS, too. "                                          \
	  "Whoever is not in proxy.from, or has no such header, is not answered. "                 \
	  "The client that is named is the one that access.allow and the limits speak of; what "   \
	  "a proxy asks for itself (LOCAL) comes from its own address.")                           \
	X(INTEGER, rate_per_second, "rate.per-second", "0", 0, 1000000, "answers", none,           \
	  "How many answers over UDP go to one prefix of addresses in a second: for a resolver "   \
	  "that all the world may ask, so that it cannot be used to flood others. "                \
	  "0: as many as are asked for. "                                                          \
	  "Who comes by TCP, TLS or HTTPS, or shows a cookie of ours, is not counted. "            \
	  "Each thread counts for itself.")                                                        \
	X(INTEGER, rate_nodata_per_second, "rate.nodata-per-second", "0", 0, 1000000, "answers",   \
	  none, "The same for answers without data; 0: as rate.per-second.")                       \
	X(INTEGER, rate_nxdomain_per_second, "rate.nxdomain-per-second", "0", 0, 1000000,          \
	  "answers", none,                                                                         \
	  "The same for names that do not exist; 0: as rate.per-second. "                          \
	  "A closed name counts as an answer, however it is answered.")                            \
	X(INTEGER, rate_error_per_second, "rate.error-per-second", "0", 0, 1000000, "answers",     \
	  none, "The same for errors; 0: as rate.per-second.")                                     \
	X(INTEGER, rate_client_per_second, "rate.client-per-second", "0", 0, 1000000, "queries",   \
	  none,                                                                                    \
	  "How many queries of one client are taken in a second, however they come; 0: all. "      \
	  "A client is an IPv4 address, or an IPv6 prefix of rate.prefix6 bits. "                  \
	  "Those who have proven their address, by TCP, TLS, HTTPS or a cookie, are counted "      \
	  "apart, so that nobody can ask in their name, and told: REFUSED, Extended DNS Error "    \
	  "31.")                                                                                   \
	X(DURATION, rate_window_s, "rate.window-s", "15", 1, 3600, "s", none,                      \
	  "Who asks too much is shut out until he rests, at most for so long.")                    \
	X(INTEGER, rate_slip, "rate.slip", "2", 0, 1000, "answers", none,                          \
	  "Of the answers held back, one in so many is sent cut, so that one who really asks "     \
	  "comes back over TCP; 0: none.")                                                         \
	X(INTEGER, rate_leak, "rate.leak", "0", 0, 1000, "answers", none,                          \
	  "Of the answers held back, one in so many is sent whole; 0: none.")                      \
	X(INTEGER, rate_prefix4, "rate.prefix4", "24", 1, 32, "bits", none,                        \
	  "Bits of an IPv4 address that are counted as one place.")                                \
	X(INTEGER, rate_prefix6, "rate.prefix6", "56", 1, 128, "bits", none,                       \
	  "Bits of an IPv6 address that are counted as one place.")                                \
	X(PREFIXES, rate_exempt, "rate.exempt", "", 0, 65536, "", none,                            \
	  "Prefixes of those who are not counted.")                                                \
	X(HOSTS, local_names, "local.names", "", 0, 4096, "", none,                                \
	  "Names of a household or a school with their addresses, each as \"NAME ADDRESS...\", "   \
	  "as in \"nas.home.arpa 192.168.1.10 fd00::10\", with up to 16 addresses. "               \
	  "They are answered here, the way back from an address to its first name too. "           \
	  "Choose names below home.arpa. "                                                         \
	  "A list may close any other name, and a protected one is never answered from here.")     \
	X(BOOL, local_canaries, "local.canaries", "yes", 0, 1, "", none,                           \
	  "Answer that use-application-dns.net, mask.icloud.com and mask-h2.icloud.com do not "    \
	  "exist. "                                                                                \
	  "Firefox then does not turn DNS over HTTPS to another resolver on by itself, and "       \
	  "Apple's devices tell their user that Private Relay is off in this network; otherwise "  \
	  "both go round the list. "                                                               \
	  "It does not stop whoever chose another resolver on purpose.")                           \
	X(HOST, identity_name, "identity.name", "", 0, 253, "", none,                              \
	  "The name of this resolver, as in its certificate, for example dns.example.net. "        \
	  "With it, clients that ask for _dns.resolver.arpa are told where this resolver "         \
	  "speaks TLS and HTTPS (RFC 9462). "                                                      \
	  "They switch only if the certificate holds the address that they used before, too. "     \
	  "Its addresses are told with it if it is one of local.names.")                           \
	X(TEXT, identity_info_url, "identity.info-url", "", 0, 247, "", none,                      \
	  "Address of a page for people about this resolver, given to clients that ask "           \
	  "(RESINFO, RFC 9606).")                                                                  \
	X(BOOL, cookie_required, "cookie.required", "no", 0, 1, "", none,                          \
	  "Over UDP, a client that sends a DNS cookie gets an answer only if it is one that this " \
	  "resolver gave it; else BADCOOKIE and a good one, with which it asks again. "            \
	  "So nobody can have such answers sent to others, and each client waits once longer.")    \
	X(PATH, cookie_secret_file, "cookie.secret-file", "", 0, 4095, "", none,                   \
	  "File with the secrets that DNS cookies are made with, for several machines on one "     \
	  "address: 32 hexadecimal digits a line, up to 4 lines. "                                 \
	  "The first makes cookies, all of them check them; read at the start. "                   \
	  "With nothing here the secret is random, and new every day.")                            \
	X(HOST, zone_name, "zone.name", "rpz.lindung", 1, 253, "", none,                           \
	  "Name of the response policy zone in which other servers get all that is closed here, "  \
	  "by zone transfer at the addresses of listen (AXFR, IXFR) and tls.listen. "              \
	  "There are no zones unless somebody may have them: zone.allow, zone.keys. "              \
	  "What is sealed is in no zone.")                                                         \
	X(BOOL, zone_by_category, "zone.by-category", "yes", 0, 1, "", none,                       \
	  "Give out a zone for each category that is closed, too: gambling.rpz.lindung, say.")     \
	X(HOST, zone_catalog, "zone.catalog", "catalog.lindung", 0, 253, "", none,                 \
	  "Name of a catalog zone (RFC 9432) that names the others, so that a server which takes " \
	  "catalogs follows all of them; \"\" for none.")                                          \
	X(PREFIXES, zone_allow, "zone.allow", "", 0, 65536, "", none,                              \
	  "Prefixes of those who may have the zones; access.allow must let them ask, too. "        \
	  "With zone.keys they must show a key besides.")                                          \
	X(PATHS, zone_keys, "zone.keys", "", 0, 64, "", none,                                      \
	  "Files with keys (TSIG, hmac-sha256), as tsig-keygen writes them: who signs with one "   \
	  "of "                                                                                    \
	  "them may have the zones. "                                                              \
	  "NOTIFY is signed with the first. "                                                      \
	  "Others must be able neither to read nor to write the files; they are read at the "      \
	  "start.")                                                                                \
	X(ADDRESSES, zone_notify, "zone.notify", "", 0, 64, "53", none,                            \
	  "Servers that are told when a zone has changed (NOTIFY), as address@port; without a "    \
	  "port it is 53. "                                                                        \
	  "It is sent from an address of listen.")                                                 \
	X(CHOICE, zone_digest, "zone.digest", "sha384", 0, 0, "", digests,                         \
	  "The digest that a zone carries of itself (ZONEMD, RFC 8976).")                          \
	X(DURATION, zone_refresh_s, "zone.refresh-s", "3600", 10, 604800, "s", none,               \
	  "How often those who follow shall ask for changes that they were not told of.")          \
	X(SIZE, zone_journal_size_bytes, "zone.journal-size-bytes", "4M", 0, 1073741824, "bytes",  \
	  none,                                                                                    \
	  "Memory for the changes of each zone that are kept, so that who follows gets these and " \
	  "not the whole zone; 0: none are kept.")                                                 \
	X(INTEGER, zone_journal_max, "zone.journal-max", "128", 0, 256, "changes", none,           \
	  "How many changes of each zone are kept.")                                               \
	X(INTEGER, zone_transfers_max, "zone.transfers-max", "16", 1, 1024, "transfers", none,     \
	  "How many transfers go out at a time; more are answered SERVFAIL, and come again.")      \
	X(ADDRESS, metrics_listen, "metrics.listen", "127.0.0.1@9354", 0, 1, "", none,             \
	  "Where counters are given out for Prometheus, over HTTP, as address@port; "              \
	  "\"\" for nowhere. "                                                                     \
	  "They hold no name and no client, but keep them off public addresses all the same.")

#endif
