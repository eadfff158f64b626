/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Our own objects, as the shield compares them. */
#ifndef KG_OWN_H
#define KG_OWN_H

#include "types.h"

/* kg_own: what the shield stands before. Written by the agent. */
enum kg_own_kind {
	KG_OWN_MAP = 1,
	KG_OWN_PROGRAM = 2,
	KG_OWN_LINK = 3,
	KG_OWN_FOLDER = 4, /* of pins */
};

struct kg_own_key {
	__u64 id;   /* as bpf() names it; the inode of a folder */
	__u32 kind; /* enum kg_own_kind */
	__u32 dev;  /* of a folder: major << 20 | minor */
};

#endif
