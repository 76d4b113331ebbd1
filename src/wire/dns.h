/* The numbers of DNS: one table for each kind, from which the enums and the texts are made.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_WIRE_DNS_H
#define LD_WIRE_DNS_H

#include <stdint.h>

/* Types: X(symbol, number, rdata).  `rdata` says where names stand in it, front to back:
 *   digits  so many octets
 *   N       a name that may be compressed, read and written (the types of RFC 1035)
 *   n       a name that must not be compressed when written, but may be when read (RFC 3597 s. 4)
 *   u       a name that is never compressed
 *   s       a character string
 *   *       the rest, whatever it is
 * A type that is not here is opaque (RFC 3597): no name in it is compressed. */
#define LD_TYPES(X)                                                                                \
	X(A, 1, "4")                                                                               \
	X(NS, 2, "N")                                                                              \
	X(CNAME, 5, "N")                                                                           \
	X(SOA, 6, "NN20")                                                                          \
	X(PTR, 12, "N")                                                                            \
	X(HINFO, 13, "ss")                                                                         \
	X(MINFO, 14, "NN")                                                                         \
	X(MX, 15, "2N")                                                                            \
	X(TXT, 16, "*")                                                                            \
	X(RP, 17, "nn")                                                                            \
	X(AFSDB, 18, "2n")                                                                         \
	X(RT, 21, "2n")                                                                            \
	X(SIG, 24, "18n*")                                                                         \
	X(PX, 26, "2nn")                                                                           \
	X(AAAA, 28, "16")                                                                          \
	X(NXT, 30, "n*")                                                                           \
	X(SRV, 33, "6n")                                                                           \
	X(NAPTR, 35, "4sssn")                                                                      \
	X(KX, 36, "2n")                                                                            \
	X(DNAME, 39, "n")                                                                          \
	X(OPT, 41, "*")                                                                            \
	X(DS, 43, "*")                                                                             \
	X(RRSIG, 46, "18u*")                                                                       \
	X(NSEC, 47, "u*")                                                                          \
	X(DNSKEY, 48, "*")                                                                         \
	X(NSEC3, 50, "*")                                                                          \
	X(ZONEMD, 63, "*")                                                                         \
	X(SVCB, 64, "2u*")                                                                         \
	X(HTTPS, 65, "2u*")                                                                        \
	X(RESINFO, 261, "*")                                                                       \
	X(NXNAME, 128, "*")                                                                        \
	X(TKEY, 249, "*")                                                                          \
	X(TSIG, 250, "*")                                                                          \
	X(IXFR, 251, "*")                                                                          \
	X(AXFR, 252, "*")                                                                          \
	X(MAILB, 253, "*")                                                                         \
	X(MAILA, 254, "*")                                                                         \
	X(ANY, 255, "*")

#define LD_CLASSES(X)                                                                              \
	X(IN, 1)                                                                                   \
	X(CH, 3)                                                                                   \
	X(HS, 4)                                                                                   \
	X(NONE, 254)                                                                               \
	X(ANY, 255)

#define LD_OPCODES(X)                                                                              \
	X(QUERY, 0)                                                                                \
	X(IQUERY, 1)                                                                               \
	X(STATUS, 2)                                                                               \
	X(NOTIFY, 4)                                                                               \
	X(UPDATE, 5)                                                                               \
	X(DSO, 6)

/* Past 15 only with EDNS: the upper eight bits stand in the OPT record. */
#define LD_RCODES(X)                                                                               \
	X(NOERROR, 0)                                                                              \
	X(FORMERR, 1)                                                                              \
	X(SERVFAIL, 2)                                                                             \
	X(NXDOMAIN, 3)                                                                             \
	X(NOTIMP, 4)                                                                               \
	X(REFUSED, 5)                                                                              \
	X(YXDOMAIN, 6)                                                                             \
	X(NOTAUTH, 9)                                                                              \
	X(BADVERS, 16)                                                                             \
	X(BADCOOKIE, 23)

#define LD_OPTIONS(X)                                                                              \
	X(NSID, 3)                                                                                 \
	X(CLIENT_SUBNET, 8)                                                                        \
	X(COOKIE, 10)                                                                              \
	X(TCP_KEEPALIVE, 11)                                                                       \
	X(PADDING, 12)                                                                             \
	X(EDE, 15)                                                                                 \
	X(STRUCTURED_ERROR, 26)

/* Extended DNS errors (RFC 8914 and the registry after it): X(symbol, number, text) */
#define LD_EDES(X)                                                                                 \
	X(OTHER, 0, "Other Error")                                                                 \
	X(UNSUPPORTED_DNSKEY, 1, "Unsupported DNSKEY Algorithm")                                   \
	X(UNSUPPORTED_DS, 2, "Unsupported DS Digest Type")                                         \
	X(STALE, 3, "Stale Answer")                                                                \
	X(FORGED, 4, "Forged Answer")                                                              \
	X(INDETERMINATE, 5, "DNSSEC Indeterminate")                                                \
	X(BOGUS, 6, "DNSSEC Bogus")                                                                \
	X(SIG_EXPIRED, 7, "Signature Expired")                                                     \
	X(SIG_NOT_YET, 8, "Signature Not Yet Valid")                                               \
	X(DNSKEY_MISSING, 9, "DNSKEY Missing")                                                     \
	X(RRSIGS_MISSING, 10, "RRSIGs Missing")                                                    \
	X(NO_ZONE_KEY_BIT, 11, "No Zone Key Bit Set")                                              \
	X(NSEC_MISSING, 12, "NSEC Missing")                                                        \
	X(CACHED_ERROR, 13, "Cached Error")                                                        \
	X(NOT_READY, 14, "Not Ready")                                                              \
	X(BLOCKED, 15, "Blocked")                                                                  \
	X(CENSORED, 16, "Censored")                                                                \
	X(FILTERED, 17, "Filtered")                                                                \
	X(PROHIBITED, 18, "Prohibited")                                                            \
	X(STALE_NXDOMAIN, 19, "Stale NXDOMAIN Answer")                                             \
	X(NOT_AUTHORITATIVE, 20, "Not Authoritative")                                              \
	X(NOT_SUPPORTED, 21, "Not Supported")                                                      \
	X(NO_AUTHORITY, 22, "No Reachable Authority")                                              \
	X(NETWORK, 23, "Network Error")                                                            \
	X(INVALID_DATA, 24, "Invalid Data")                                                        \
	X(SIG_EXPIRED_EARLY, 25, "Signature Expired before Valid")                                 \
	X(TOO_EARLY, 26, "Too Early")                                                              \
	X(NSEC3_ITERATIONS, 27, "Unsupported NSEC3 Iterations Value")                              \
	X(POLICY, 28, "Unable to conform to policy")                                               \
	X(SYNTHESIZED, 29, "Synthesized")                                                          \
	X(INVALID_TYPE, 30, "Invalid Query Type")                                                  \
	X(RATE_LIMITED, 31, "Rate Limited")                                                        \
	X(OVER_QUOTA, 32, "Over Quota")                                                            \
	X(NEGATIVE_ANCHOR, 33, "Negative Trust Anchor")                                            \
	X(DELEGATION_ONLY, 34, "New Delegation Only")                                              \
	X(BLOCKED_UPSTREAM, 35, "Blocked by Upstream DNS Server")

enum ld_type {
#define LD_X(symbol, number, rdata) LD_TYPE_##symbol = (number),
	LD_TYPES(LD_X)
#undef LD_X
};

enum ld_class {
#define LD_X(symbol, number) LD_CLASS_##symbol = (number),
	LD_CLASSES(LD_X)
#undef LD_X
};

enum ld_opcode {
#define LD_X(symbol, number) LD_OPCODE_##symbol = (number),
	LD_OPCODES(LD_X)
#undef LD_X
};

enum ld_rcode {
#define LD_X(symbol, number) LD_RCODE_##symbol = (number),
	LD_RCODES(LD_X)
#undef LD_X
};

enum ld_option {
#define LD_X(symbol, number) LD_OPTION_##symbol = (number),
	LD_OPTIONS(LD_X)
#undef LD_X
};

enum ld_ede {
#define LD_X(symbol, number, text) LD_EDE_##symbol = (number),
	LD_EDES(LD_X)
#undef LD_X
};

/** The header's second word. */
enum ld_flag {
	LD_FLAG_QR = 0x8000,
	LD_FLAG_OPCODE = 0x7800, /* mask */
	LD_FLAG_AA = 0x0400,
	LD_FLAG_TC = 0x0200,
	LD_FLAG_RD = 0x0100,
	LD_FLAG_RA = 0x0080,
	LD_FLAG_Z = 0x0040,
	LD_FLAG_AD = 0x0020,
	LD_FLAG_CD = 0x0010,
	LD_FLAG_RCODE = 0x000f, /* mask */
};

enum {
	LD_MESSAGE_MAX_BYTES = 65535,
	LD_HEADER_BYTES = 12,
	LD_OPT_BYTES = 11, /* an OPT record without options */
	LD_UDP_MIN_BYTES = 512,
	LD_EDNS_DO = 0x8000, /* in the lower half of an OPT record's TTL */
	LD_COOKIE_CLIENT_BYTES = 8,
	LD_COOKIE_BYTES = 24, /* the client's, and the server's of RFC 9018 */
};

/** The mnemonic, as "HTTPS", "NXDOMAIN" or "Filtered"; NULL for a number that is not in the table.
 */
const char *ld_type_name(uint16_t type);
const char *ld_class_name(uint16_t class_);
const char *ld_opcode_name(uint8_t opcode);
const char *ld_rcode_name(uint16_t rcode);
const char *ld_option_name(uint16_t option);
const char *ld_ede_name(uint16_t ede);

/** How the rdata of a type is laid out (LD_TYPES above); "*" for a type that is not there. */
const char *ld_type_rdata(uint16_t type);

#endif
