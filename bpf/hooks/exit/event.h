/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_EXIT_EVENT_H
#define KG_EXIT_EVENT_H

#include "abi/event.h"

enum kg_kind_exit {
	KG_EV_EXIT = 5,
};
KG_EXPORT(enum kg_kind_exit, exit);

#endif
