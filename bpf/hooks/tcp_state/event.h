/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_TCP_STATE_EVENT_H
#define KG_TCP_STATE_EVENT_H

#include "abi/event.h"

enum kg_kind_tcp {
	KG_EV_CONNECT_OK = 6,
	KG_EV_CONNECT_FAIL = 7, /* result: the socket's error */
	KG_EV_ACCEPT = 8,       /* src is the remote end */
	KG_EV_LISTEN = 9,
	KG_EV_CLOSE = 10,
};
KG_EXPORT(enum kg_kind_tcp, tcp);

#endif
