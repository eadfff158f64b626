// SPDX-License-Identifier: Apache-2.0
// Sockets of the calling thread's network namespace, over NETLINK_SOCK_DIAG: list them, destroy one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kerngate {

// One socket; src/kernel/sockets.ts reads the same layout. Addresses are in network order, IPv4 in the first four bytes.
struct SockRow {
  uint8_t family;
  uint8_t state;
  uint16_t protocol;
  uint16_t sport;
  uint16_t dport;
  uint32_t inode;
  uint32_t uid;
  uint64_t cookie;
  uint64_t cgroup;  // 0 where the kernel does not tell
  uint32_t device;
  uint32_t reserved;
  uint8_t src[16];
  uint8_t dst[16];
};
static_assert(sizeof(SockRow) == 72, "no hidden padding");

struct SockList {
  std::vector<SockRow> rows;
  std::vector<uint32_t> missing;  // protocols nobody answers for in this kernel
};

// 0 or an errno: of the netlink socket itself, or of a list that broke off.
int ListSockets(SockList* list);

// An errno for each row, 0 where the socket was destroyed. Answers 0, or the errno of the netlink socket itself.
int DestroySockets(const SockRow* rows, size_t count, std::vector<int>* results);

}  // namespace kerngate
