/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_FORK_EVENT_H
#define KG_FORK_EVENT_H

#include "abi/event.h"

enum kg_kind_fork {
	KG_EV_FORK = 4,
};
KG_EXPORT(enum kg_kind_fork, fork);

#endif
