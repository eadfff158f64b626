// SPDX-License-Identifier: Apache-2.0
// Sockets of the calling thread's network namespace, over NETLINK_SOCK_DIAG: list them, destroy one.
#include "diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kerngate {
namespace {

constexpr uint16_t kMptcp = 262;
constexpr uint16_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_RAW, kMptcp};
constexpr uint8_t kFamilies[] = {AF_INET, AF_INET6};
// linux/tcp.h and the kernel's tcp_states.h.
constexpr uint8_t kClosed = 7;
constexpr uint8_t kListen = 10;
constexpr size_t kBufferBytes = 64 * 1024;
// The kernel answers at once; a thread must not wait for ever all the same.
constexpr timeval kPatience = {10, 0};
// Ports tried to reach one of several sockets that share an address by SO_REUSEPORT: the kernel picks by hash.
constexpr uint16_t kTries = 256;

struct Request {
  nlmsghdr head;
  inet_diag_req_v2 body;
  nlattr attr;
  uint32_t protocol;
};

int OpenDiag() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return fd;
}

Request Ask(uint16_t type, uint16_t flags, uint8_t family, uint16_t protocol) {
  Request request = {};
  request.head.nlmsg_type = type;
  request.head.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  request.head.nlmsg_len = NLMSG_LENGTH(sizeof request.body);
  request.body.sdiag_family = family;
  request.body.idiag_states = ~0U;
  request.body.sdiag_protocol = static_cast<uint8_t>(protocol);
  if (protocol <= UINT8_MAX) return request;
  // Cut to eight bits MPTCP's number would be TCP's; the attribute has all of it.
  request.body.sdiag_protocol = UINT8_MAX;
  request.attr = {NLA_HDRLEN + sizeof request.protocol, INET_DIAG_REQ_PROTOCOL};
  request.protocol = protocol;
  request.head.nlmsg_len = sizeof request;
  return request;
}

int Send(int fd, const Request& request) {
  ssize_t sent = -1;
  do {
    sent = send(fd, &request, request.head.nlmsg_len, 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

SockRow RowOf(const nlmsghdr* head, uint16_t protocol) {
  const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(head));
  SockRow row = {};
  row.family = found->idiag_family;
  row.state = found->idiag_state;
  row.protocol = protocol;
  row.sport = ntohs(found->id.idiag_sport);
  row.dport = ntohs(found->id.idiag_dport);
  row.inode = found->idiag_inode;
  row.uid = found->idiag_uid;
  row.cookie = static_cast<uint64_t>(found->id.idiag_cookie[1]) << 32 | found->id.idiag_cookie[0];
  row.device = found->id.idiag_if;
  memcpy(row.src, found->id.idiag_src, sizeof row.src);
  memcpy(row.dst, found->id.idiag_dst, sizeof row.dst);
  auto left = static_cast<int>(head->nlmsg_len - NLMSG_LENGTH(sizeof *found));
  auto* attr = reinterpret_cast<const rtattr*>(found + 1);
  for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
    if (attr->rta_type != INET_DIAG_CGROUP_ID || RTA_PAYLOAD(attr) < sizeof row.cgroup) continue;
    memcpy(&row.cgroup, RTA_DATA(attr), sizeof row.cgroup);
  }
  return row;
}

int ErrorOf(const nlmsghdr* head) {
  int code = 0;
  if (head->nlmsg_len >= NLMSG_LENGTH(sizeof code)) memcpy(&code, NLMSG_DATA(head), sizeof code);
  return -code;
}

// Takes one datagram; true when it was the last. `err` gets what the kernel said at the end.
bool TakePart(const char* buffer, ssize_t size, uint16_t protocol, std::vector<SockRow>* rows, int* err) {
  auto left = static_cast<unsigned int>(size);
  auto* head = reinterpret_cast<const nlmsghdr*>(buffer);
  for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
    if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) {
      *err = ErrorOf(head);
      return true;
    }
    if (rows == nullptr || head->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) continue;
    rows->push_back(RowOf(head, protocol));
  }
  return false;
}

// Reads up to the end of an answer; 0 or an errno.
int Receive(int fd, uint16_t protocol, std::vector<SockRow>* rows) {
  std::vector<char> buffer(kBufferBytes);
  for (;;) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    int err = 0;
    if (TakePart(buffer.data(), size, protocol, rows, &err)) return err;
  }
}

bool IsUnanswered(int err) { return err == ENOENT || err == EOPNOTSUPP || err == EPROTONOSUPPORT || err == EINVAL; }

int ListOne(int fd, uint8_t family, uint16_t protocol, SockList* list) {
  const int err = Send(fd, Ask(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, protocol));
  return err != 0 ? err : Receive(fd, protocol, &list->rows);
}

// The kernel finds a socket by address and then compares the cookie: never another one than was meant.
int DestroyOnce(int fd, const SockRow& row, uint16_t dport) {
  Request request = Ask(SOCK_DESTROY, NLM_F_ACK, row.family, row.protocol);
  inet_diag_sockid& id = request.body.id;
  id.idiag_sport = htons(row.sport);
  id.idiag_dport = htons(dport);
  memcpy(id.idiag_src, row.src, sizeof row.src);
  memcpy(id.idiag_dst, row.dst, sizeof row.dst);
  id.idiag_if = row.device;
  id.idiag_cookie[0] = static_cast<uint32_t>(row.cookie);
  id.idiag_cookie[1] = static_cast<uint32_t>(row.cookie >> 32);
  // A raw socket's "port" is its protocol, which has a field of its own here.
  if (row.protocol == IPPROTO_RAW) request.body.pad = static_cast<uint8_t>(row.sport);
  const int err = Send(fd, request);
  return err != 0 ? err : Receive(fd, row.protocol, nullptr);
}

int DestroyOne(int fd, const SockRow& row) {
  int err = DestroyOnce(fd, row, row.dport);
  const bool isShared = row.dport == 0 && (row.state == kListen || row.state == kClosed);
  for (uint16_t port = 1; err == ENOENT && isShared && port <= kTries; port++) err = DestroyOnce(fd, row, port);
  return err;
}

}  // namespace

int ListSockets(SockList* list) {
  const int fd = OpenDiag();
  if (fd < 0) return errno;
  int err = 0;
  for (const uint16_t protocol : kProtocols) {
    int missing = 0;
    for (const uint8_t family : kFamilies) {
      const int one = ListOne(fd, family, protocol, list);
      if (IsUnanswered(one)) missing++;
      else if (one != 0) err = one;
    }
    // A host without IPv6 answers for IPv4 alone.
    if (missing == 2) list->missing.push_back(protocol);
  }
  close(fd);
  return err;
}

int DestroySockets(const SockRow* rows, size_t count, std::vector<int>* results) {
  const int fd = OpenDiag();
  if (fd < 0) return errno;
  for (size_t i = 0; i < count; i++) results->push_back(DestroyOne(fd, rows[i]));
  close(fd);
  return 0;
}

}  // namespace kerngate
