/* Who sends to whom, in inputs of the target "message": its first octet is a row of this.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_FUZZ_MESSAGE_WAYS_H
#define LD_FUZZ_MESSAGE_WAYS_H

#include "process/message.h"

static const enum ld_role message_ways[][2] = {
	{LD_ROLE_PARENT, LD_ROLE_RESOLVER},   {LD_ROLE_PARENT, LD_ROLE_RECURSOR},
	{LD_ROLE_PARENT, LD_ROLE_LOADER},     {LD_ROLE_RESOLVER, LD_ROLE_PARENT},
	{LD_ROLE_RECURSOR, LD_ROLE_PARENT},   {LD_ROLE_LOADER, LD_ROLE_PARENT},
	{LD_ROLE_RESOLVER, LD_ROLE_RECURSOR}, {LD_ROLE_RECURSOR, LD_ROLE_RESOLVER},
	{LD_ROLE_PARENT, LD_ROLE_SYNC},       {LD_ROLE_SYNC, LD_ROLE_PARENT},
};

enum { MESSAGE_WAYS = sizeof message_ways / sizeof message_ways[0] };

#endif
