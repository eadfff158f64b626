/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends the kinds of the gate and of the guards; it has none of its own. */
#ifndef KG_UNIX_GATE_EVENT_H
#define KG_UNIX_GATE_EVENT_H

#include "hooks/connect_guard/event.h"

#endif
