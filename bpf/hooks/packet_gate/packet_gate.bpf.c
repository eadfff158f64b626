// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets of the scope's sockets, on every level: the second net below all that names a call. Most run in
 * interrupts, so nobody is current: a packet belongs to who made its socket, who held it when the block was set,
 * and to the cgroup the socket was made in.
 */
#include "lib/4_packet.h"
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/packet_gate/event.h"

struct kg_packet {
	__u64 now;
	__u64 subjects;
	__u32 reach;   /* what a deny must reach to hold here */
	__u32 verdict; /* the strongest met so far */
	__u32 allow;
	__u32 pad;
	struct kg_subject asked;
	struct kg_subject met;
};

static __always_inline void kg_ask(struct kg_packet *packet)
{
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &packet->asked);
	__u32 verdict;

	if (!entry || packet->now >= entry->until_ns)
		return; /* open: no verdict, or past its end */
	verdict = kg_effective(entry->verdict, entry->since_ns, packet->now);
	if (entry->inherit >= KG_ENTRY_GATE || (verdict != KG_ALLOW && entry->reach < packet->reach))
		return; /* open: a canary's, or one that does not reach packets */
	if (verdict == KG_ALLOW) {
		packet->allow = 1;
	} else if (verdict > packet->verdict) {
		packet->verdict = verdict;
		packet->met = packet->asked;
	}
}

static __always_inline void kg_ask_for(struct kg_packet *packet, __u32 kind, __u64 a, __u64 b)
{
	if (!(packet->subjects & (1ULL << kind)))
		return;
	packet->asked.kind = kind;
	packet->asked.a = a;
	packet->asked.b = b;
	kg_ask(packet);
}

static __always_inline void kg_ask_holder(struct kg_packet *packet, const struct kg_holder *holder)
{
	if (!holder->tgid)
		return; /* open: nobody known; the socket's cgroup is asked all the same */
	kg_ask_for(packet, KG_SUBJ_PROCESS, holder->tgid, holder->tick);
	kg_ask_for(packet, KG_SUBJ_USER, holder->uid, 0);
	if (holder->lineage_tgid)
		kg_ask_for(packet, KG_SUBJ_LINEAGE, holder->lineage_tgid, holder->lineage_tick);
	if (holder->session != KG_NO_SESSION)
		kg_ask_for(packet, KG_SUBJ_SESSION, holder->session, 0);
	if (holder->exe_ino)
		kg_ask_for(packet, KG_SUBJ_EXE, holder->exe_ino, holder->exe_dev);
	if (holder->cgroup)
		kg_ask_for(packet, KG_SUBJ_CGROUP, holder->cgroup, 0);
}

/* A maker that was found to have given its socket away protects it no longer. */
static __always_inline void kg_ask_maker(struct kg_packet *packet, const struct kg_maker *maker)
{
	kg_ask_holder(packet, &maker->made);
	if (maker->held.tgid) {
		packet->allow = 0;
		kg_ask_holder(packet, &maker->held);
	}
}

static __always_inline void kg_ask_cgroups(struct kg_packet *packet, struct __sk_buff *skb)
{
	if (!(packet->subjects & (1ULL << KG_SUBJ_CGROUP)))
		return;
	for (int level = 0; level < KG_DEPTH; level++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, level);

		if (!id)
			return;
		kg_ask_for(packet, KG_SUBJ_CGROUP, id, 0);
	}
	kg_count(KG_C_DEPTH);
	kg_ask_for(packet, KG_SUBJ_CGROUP, bpf_skb_cgroup_id(skb), 0);
}

/* Told at most once a second and entry, with whom the entry speaks of; returns 1 when the packet may pass. */
static __always_inline int kg_tell_packet(struct __sk_buff *skb, struct bpf_sock *sk, const struct kg_holder *holder,
					  const struct kg_packet *packet, __u32 way)
{
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &packet->met);
	int refused = packet->verdict == KG_DENY;
	struct kg_event event = {};
	__u64 last;

	if (!entry)
		return 1; /* open: lifted this very moment */
	__sync_fetch_and_add(&entry->hits, 1);
	last = entry->last_ns;
	entry->last_ns = packet->now;
	kg_count(refused ? KG_C_DENIED : KG_C_AUDITED);
	kg_count(KG_C_GUARD_HITS);
	kg_count_way(way, refused);
	if (packet->now < last + KG_REPEAT_NS)
		return !refused;
	event.at_ns = packet->now;
	event.start_ns = holder->tick * KG_TICK_NS;
	event.tgid = holder->tgid;
	event.uid = holder->uid;
	event.session = holder->tgid ? holder->session : KG_NO_SESSION;
	event.lineage_tgid = holder->lineage_tgid;
	event.lineage_tick = holder->lineage_tick;
	event.cgroup = bpf_skb_cgroup_id(skb);
	event.decision = entry->decision;
	event.rule = entry->rule;
	event.count = entry->hits;
	event.by = packet->met.kind;
	event.verdict = packet->verdict;
	event.result = refused ? -1 : 0;
	event.kind = KG_EV_HIT;
	event.way = way;
	event.flags = holder->tgid ? 0 : KG_F_NOOWNER;
	kg_far_end(&event, sk);
	kg_emit(&event);
	return !refused;
}

#define KG_ORPHAN_NS (20 * 60 * 1000000000ULL)

/* Remembers a refusal with the socket itself. */
static __always_inline void kg_bar_socket(struct kg_maker *maker, const struct kg_packet *packet)
{
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &packet->met);
	__u64 until = packet->now + KG_ORPHAN_NS;

	if (!entry)
		return;
	if (until > entry->until_ns)
		until = entry->until_ns;
	maker->barred.since_ns = entry->since_ns;
	maker->barred.until_ns = until;
	maker->barred.at_ns = packet->now;
	if (kg_control_get(KG_CTL_BARRED) < until)
		kg_control_set(KG_CTL_BARRED, until);
}

/* No entry speaks of it any more, but nobody lifted the one that did: its process has ended. */
static __always_inline int kg_is_barred(const struct kg_barred *barred, __u64 now)
{
	return now < barred->until_ns && barred->at_ns > kg_control_get(KG_CTL_LIFTED) &&
	       kg_effective(KG_DENY, barred->since_ns, now) == KG_DENY;
}

/* Not inlined: what it keeps on the stack need not be cleared for each packet while nobody is blocked. */
static __noinline int kg_weigh_packet(struct __sk_buff *skb, __u32 way)
{
	struct kg_packet packet = {};
	struct kg_holder nobody = {};
	struct kg_maker *maker;
	struct bpf_sock *sk;
	__u32 reach = kg_control_get(KG_CTL_REACH);
	__u64 barred = kg_control_get(KG_CTL_BARRED);

	if (kg_control_get(KG_CTL_PANIC))
		return 1; /* open: the operator said so */
	sk = skb->sk;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1; /* open: no socket of ours */
	packet.reach = KG_REACH_ALL;
	if (way == KG_WAY_EGRESS && (sk->type == KG_SOCK_RAW || sk->protocol == KG_IPPROTO_ICMP ||
				     sk->protocol == KG_IPPROTO_ICMPV6))
		packet.reach = KG_REACH_NEW;
	if (reach < packet.reach && !barred)
		return 1; /* open: no verdict reaches that far */
	packet.now = bpf_ktime_get_boot_ns();
	packet.subjects = kg_control_get(KG_CTL_SUBJECTS);
	maker = bpf_sk_storage_get(&kg_makers, sk, 0, 0);
	if (maker)
		kg_ask_maker(&packet, maker);
	kg_ask_cgroups(&packet, skb);
	if (packet.allow || (way == KG_WAY_EGRESS && kg_is_reset(skb, sk)))
		return 1; /* open: protected, or it only tells that all is over */
	if (maker && packet.verdict == KG_NONE && kg_is_barred(&maker->barred, packet.now)) {
		kg_count(KG_C_DENIED);
		kg_count_way(way, 1);
		return 0; /* closed: what a blocked process left in its socket */
	}
	if (packet.verdict < kg_second_net())
		return 1; /* open: nothing stands against it, or the guards told of it */
	if (maker && packet.verdict == KG_DENY && packet.reach == KG_REACH_ALL)
		kg_bar_socket(maker, &packet);
	return kg_tell_packet(skb, sk, maker ? (maker->made.tgid ? &maker->made : &maker->held) : &nobody, &packet, way);
}

static __always_inline int kg_on_packet(struct __sk_buff *skb, __u32 way)
{
	if (kg_control_get(KG_CTL_REACH) < KG_REACH_NEW && !kg_control_get(KG_CTL_BARRED))
		return 1; /* open: no verdict is in force */
	return kg_weigh_packet(skb, way);
}

SEC("cgroup_skb/egress")
int kg_egress(struct __sk_buff *skb)
{
	return kg_on_packet(skb, KG_WAY_EGRESS);
}

SEC("cgroup_skb/ingress")
int kg_ingress(struct __sk_buff *skb)
{
	return kg_on_packet(skb, KG_WAY_INGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
