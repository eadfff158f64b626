/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends nothing: what it refuses is counted. */
#ifndef KG_SHIELD_EVENT_H
#define KG_SHIELD_EVENT_H

#include "abi/event.h"

#endif
