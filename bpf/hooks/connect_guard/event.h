/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends the kind `connect` of the gate; it has none of its own. */
#ifndef KG_CONNECT_GUARD_EVENT_H
#define KG_CONNECT_GUARD_EVENT_H

#include "hooks/connect_gate/event.h"

#endif
