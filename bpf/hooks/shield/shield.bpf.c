// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On request, our maps, programs, links and pins are the agent's alone while it lives: whoever else asks bpf() for
 * one of them, detaches it or takes its pin away gets EPERM. The agent renews the time this holds for and its end
 * clears it, so that a host without a working agent is never locked out. Objects that are not in kg_own are nobody's
 * business here; without the option each program costs one array lookup.
 */
#include "lib/3_identity.h"
#include "hooks/shield/event.h"

static __always_inline int kg_is_shielded(void)
{
	struct task_struct *task;
	__u64 until = kg_control_get(KG_CTL_SHIELD);

	if (!until)
		return 0; /* open: nobody asked for it, or the agent is gone */
	if (until <= bpf_ktime_get_boot_ns() || kg_control_get(KG_CTL_PANIC))
		return 0; /* open: the agent hangs, or the operator opened everything */
	task = (struct task_struct *)bpf_get_current_task();
	/* open: for the agent alone */
	return !kg_is_agent(BPF_CORE_READ(task, tgid), BPF_CORE_READ(task, group_leader, start_boottime));
}

static __always_inline int kg_is_own(__u32 kind, __u64 id, __u32 dev)
{
	struct kg_own_key key = { .id = id, .kind = kind, .dev = dev };

	return bpf_map_lookup_elem(&kg_own, &key) != 0;
}

/* Closed: it is ours, and asked for by somebody else. */
static __always_inline int kg_refuse(int is_own)
{
	if (!is_own)
		return 0; /* open: an object of somebody else */
	kg_count(KG_C_SHIELD_DENIED);
	return -1; /* closed: EPERM */
}

/*
 * Id of the link a descriptor of this task stands for. What is no link gives a number without a meaning; should it
 * be one of ours, then a call is refused that could not succeed, as these commands take links only.
 */
static __always_inline __u32 kg_link_of(__u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	struct file *file = 0;
	struct bpf_link *link;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	link = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(link, id);
}

/* `attr` is the kernel's copy: what is compared is what the call will use. */
SEC("lsm/bpf")
int BPF_PROG(kg_shield_bpf, int cmd, union bpf_attr *attr)
{
	__u32 named = 0; /* link_id, link_detach.link_fd and link_update.link_fd: the first word of each */

	if (!kg_is_shielded())
		return 0; /* open: see there */
	if (cmd != BPF_LINK_GET_FD_BY_ID && cmd != BPF_LINK_DETACH && cmd != BPF_LINK_UPDATE)
		return 0; /* open: maps and programs have hooks of their own */
	bpf_probe_read_kernel(&named, sizeof(named), attr);
	return kg_refuse(kg_is_own(KG_OWN_LINK, cmd == BPF_LINK_GET_FD_BY_ID ? named : kg_link_of(named), 0));
}

/* Somebody is to get a descriptor, whether by id or by pin. */
SEC("lsm/bpf_map")
int BPF_PROG(kg_shield_map, struct bpf_map *map)
{
	if (!kg_is_shielded())
		return 0; /* open: see there */
	return kg_refuse(kg_is_own(KG_OWN_MAP, BPF_CORE_READ(map, id), 0));
}

SEC("lsm/bpf_prog")
int BPF_PROG(kg_shield_prog, struct bpf_prog *prog)
{
	if (!kg_is_shielded())
		return 0; /* open: see there */
	return kg_refuse(kg_is_own(KG_OWN_PROGRAM, BPF_CORE_READ(prog, aux, id), 0));
}

static __always_inline int kg_is_folder(struct inode *inode)
{
	return kg_is_own(KG_OWN_FOLDER, BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
}

/* What lies in a folder of ours, and the folder itself. */
static __always_inline int kg_is_pin(struct inode *folder, struct dentry *dentry)
{
	return kg_is_folder(folder) || kg_is_folder(BPF_CORE_READ(dentry, d_inode));
}

SEC("lsm/inode_unlink")
int BPF_PROG(kg_shield_rm, struct inode *folder, struct dentry *dentry)
{
	if (!kg_is_shielded())
		return 0; /* open: see there */
	return kg_refuse(kg_is_pin(folder, dentry));
}

SEC("lsm/inode_rmdir")
int BPF_PROG(kg_shield_rmdir, struct inode *folder, struct dentry *dentry)
{
	if (!kg_is_shielded())
		return 0; /* open: see there */
	return kg_refuse(kg_is_pin(folder, dentry));
}

/* Also onto a pin of ours: the rename would drop it. */
SEC("lsm/inode_rename")
int BPF_PROG(kg_shield_mv, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new)
{
	if (!kg_is_shielded())
		return 0; /* open: see there */
	return kg_refuse(kg_is_pin(from, old) || kg_is_pin(to, new));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
