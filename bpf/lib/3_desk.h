/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where one attempt is worked on. Functions that are verified on their own may not take pointers
 * (before 5.12), and a pointer they were given is no map key (before 6.2): so they take the number of a
 * desk, and find event and notes there. A program can be preempted by another one on its CPU, so a desk
 * is claimed under a lock, and a room of sixteen serves one CPU.
 */
#ifndef KG_3_DESK_H
#define KG_3_DESK_H

#include "lib/2_bits.h"
#include "lib/2_control.h"

/* Came with 5.11, as did the lock for programs other than cgroup ones. Before it, preemption is off
 * while a program runs (kernel/bpf, migrate_disable), and a desk a CPU is enough. */
#define KG_LOCKS_EVERYWHERE bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct kg_desk *kg_desk(__u32 number)
{
	return bpf_map_lookup_elem(&kg_desks, &number);
}

static __always_inline __u32 kg_claim_in_room(__u32 cpu)
{
	__u32 number = cpu & (KG_ROOMS - 1), seat = KG_SEATS;
	struct kg_room *room = bpf_map_lookup_elem(&kg_rooms, &number);

	if (room) {
		bpf_spin_lock(&room->lock);
		seat = kg_lowest_bit(~room->busy & 0xffff);
		room->busy |= (1U << (seat & 31)) & 0xffff;
		bpf_spin_unlock(&room->lock);
	}
	return seat < KG_SEATS ? number * KG_SEATS + seat : KG_NO_DESK;
}

/* An empty desk, or KG_NO_DESK when a whole room of attempts was preempted on this CPU. `locks`: this
 * program type may lock on every kernel. */
static __always_inline __u32 kg_claim_desk(int locks)
{
	__u32 cpu = bpf_get_smp_processor_id(), number = KG_ROOMS * KG_SEATS + (cpu & (KG_CPU_DESKS - 1));
	struct kg_desk *desk;

	if (locks || KG_LOCKS_EVERYWHERE)
		number = kg_claim_in_room(cpu);
	desk = kg_desk(number);
	if (desk)
		__builtin_memset(desk, 0, sizeof(*desk));
	else
		kg_count(KG_C_DESK_FULL);
	return number;
}

static __always_inline void kg_leave_desk(__u32 desk)
{
	__u32 number = desk / KG_SEATS, seat = desk % KG_SEATS;
	struct kg_room *room;

	if (desk >= KG_ROOMS * KG_SEATS)
		return;
	room = bpf_map_lookup_elem(&kg_rooms, &number);
	if (!room)
		return;
	bpf_spin_lock(&room->lock);
	room->busy &= ~(1U << seat);
	bpf_spin_unlock(&room->lock);
}

#endif
