/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/dns.h"

#include <stddef.h>

const char *
ld_type_name(uint16_t type)
{
	switch (type) {
#define LD_X(symbol, number, rdata)                                                                \
	case number:                                                                               \
		return #symbol;
		LD_TYPES(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_class_name(uint16_t class_)
{
	switch (class_) {
#define LD_X(symbol, number)                                                                       \
	case number:                                                                               \
		return #symbol;
		LD_CLASSES(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_opcode_name(uint8_t opcode)
{
	switch (opcode) {
#define LD_X(symbol, number)                                                                       \
	case number:                                                                               \
		return #symbol;
		LD_OPCODES(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_rcode_name(uint16_t rcode)
{
	switch (rcode) {
#define LD_X(symbol, number)                                                                       \
	case number:                                                                               \
		return #symbol;
		LD_RCODES(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_option_name(uint16_t option)
{
	switch (option) {
#define LD_X(symbol, number)                                                                       \
	case number:                                                                               \
		return #symbol;
		LD_OPTIONS(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_ede_name(uint16_t ede)
{
	switch (ede) {
#define LD_X(symbol, number, text)                                                                 \
	case number:                                                                               \
		return text;
		LD_EDES(LD_X)
#undef LD_X
	default:
		return NULL;
	}
}

const char *
ld_type_rdata(uint16_t type)
{
	switch (type) {
#define LD_X(symbol, number, rdata)                                                                \
	case number:                                                                               \
		return rdata;
		LD_TYPES(LD_X)
#undef LD_X
	default:
		return "*";
	}
}
