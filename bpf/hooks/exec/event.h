/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_EXEC_EVENT_H
#define KG_EXEC_EVENT_H

#include "abi/event.h"

enum kg_kind_exec {
	KG_EV_EXEC = 3,
};
KG_EXPORT(enum kg_kind_exec, exec);

#endif
