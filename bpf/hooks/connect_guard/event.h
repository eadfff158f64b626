/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_CONNECT_GUARD_EVENT_H
#define KG_CONNECT_GUARD_EVENT_H

#include "hooks/connect_gate/event.h"

enum kg_kind_guard {
	KG_EV_HIT = 11, /* a verdict was met on a way that is neither a connect nor a send: `way` says which */
};
KG_EXPORT(enum kg_kind_guard, guard);

#endif
