/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arithmetic on sets of 16 bits, without branches and without the builtins the compiler cannot translate. */
#ifndef KG_2_BITS_H
#define KG_2_BITS_H

#include "lib/1_maps.h"

/* Index of the lowest set bit of a 16-bit value, 16 for 0: counts the ones below it. */
static __always_inline __u32 kg_lowest_bit(__u32 bits)
{
	__u32 below = (bits & -bits) - 1;

	below &= 0xffff;
	below -= (below >> 1) & 0x5555;
	below = (below & 0x3333) + ((below >> 2) & 0x3333);
	below = (below + (below >> 4)) & 0x0f0f;
	return (below + (below >> 8)) & 0x1f;
}

#endif
