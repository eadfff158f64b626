/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KG_CONNECT_GATE_EVENT_H
#define KG_CONNECT_GATE_EVENT_H

#include "abi/event.h"

enum kg_kind_gate {
	KG_EV_CONNECT = 1, /* one attempt on an unconnected TCP socket, every connect of a UDP one */
	KG_EV_SEND = 2,    /* a datagram on an unconnected socket */
};
KG_EXPORT(enum kg_kind_gate, gate);

#endif
