/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which rules an attempt matches: one bit a rule, one lookup a dimension, whatever the rules hold. */
#ifndef KG_4_MATCH_H
#define KG_4_MATCH_H

#include "lib/3_identity.h"

#define KG_PORT_ENTRIES 16384

static __always_inline __u32 kg_match_port(__u32 bank, __u16 port)
{
	__u32 index = (bank & 1) * KG_PORT_ENTRIES + (port >> 2);
	__u64 *entry = bpf_map_lookup_elem(&kg_ports, &index);

	return entry ? (*entry >> ((port & 3) * 16)) & 0xffff : 0;
}

static __always_inline __u32 kg_match_net(__u32 bank, const __u8 *ip, __u32 otherwise)
{
	struct kg_net_key key = { .prefixlen = 32 + 128, .bank = bank };
	__u32 *entry;

	__builtin_memcpy(key.addr, ip, sizeof(key.addr));
	entry = bpf_map_lookup_elem(&kg_nets, &key);
	return entry ? *entry : otherwise;
}

static __always_inline __u32 kg_match_uid(__u32 bank, __u32 uid, __u32 otherwise)
{
	struct kg_uid_key key = { .uid = uid, .bank = bank };
	__u32 *entry = bpf_map_lookup_elem(&kg_uids, &key);

	return entry ? *entry : otherwise;
}

static __always_inline __u32 kg_match_exe(__u32 bank, const struct kg_event *event, __u32 otherwise)
{
	struct kg_exe_key key = { .ino = event->exe_ino, .dev = event->exe_dev, .bank = bank };
	__u32 *entry = bpf_map_lookup_elem(&kg_exes, &key);

	return entry ? *entry : otherwise;
}

static __always_inline __u32 kg_match_proto(const struct kg_ruleset *set, __u8 proto)
{
	if (proto == KG_PROTO_TCP)
		return set->tcp;
	return proto == KG_PROTO_UDP ? set->udp : set->other;
}

/* Bits of the rules that match, in order of evaluation; an allow rule cuts off all after it. */
static __always_inline __u32 kg_match(const struct kg_event *event, __u32 bank, __u32 send)
{
	struct kg_ruleset *set = bpf_map_lookup_elem(&kg_rulesets, &bank);
	__u32 rules, allow;

	if (!set)
		return 0; /* open: cannot happen, both banks exist */
	rules = (send ? set->on_send : set->on_connect) & kg_match_proto(set, event->proto);
	if (rules & set->test_port)
		rules &= kg_match_port(bank, event->dport);
	if (rules & set->test_net)
		rules &= kg_match_net(bank, event->daddr, set->else_net);
	if (rules & set->test_uid)
		rules &= kg_match_uid(bank, event->uid, set->else_uid);
	if (rules & set->test_exe)
		rules &= kg_match_exe(bank, event, set->else_exe);
	allow = rules & set->allow;
	return allow ? rules & ((allow & -allow) - 1) : rules;
}

#endif
