// SPDX-License-Identifier: Apache-2.0
// Marks sockets of other processes in a map that keeps a value with each socket, by way of their descriptors.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "job.h"
#include "shape.h"

namespace kerngate {
namespace {

// Which socket, by a descriptor of who holds it.
struct MarkRow {
  int32_t pid;
  int32_t fd;
  uint32_t inode;
};

// Not marked, and rightly: see `Mark`.
constexpr int kLeft = -1;

struct Marking {
  int map = -1;
  size_t value = 0;
  size_t part = 0;
  size_t at = 0;
  bool unmade_only = false;
  std::vector<MarkRow> rows;
  std::vector<uint8_t> parts;
  std::vector<int> results;

  ~Marking() {
    if (map >= 0) close(map);
  }
};

// A descriptor of our own for descriptor `fd` of process `pid`; -1 with errno.
int Borrow(int pid, int fd) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return -1;
  const int own = static_cast<int>(syscall(SYS_pidfd_getfd, process, fd, 0));
  const int err = errno;
  close(process);
  errno = err;
  return own;
}

bool IsInternet(int fd) {
  int domain = 0;
  socklen_t length = sizeof(domain);
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && (domain == AF_INET || domain == AF_INET6);
}

bool IsZero(const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

// What lies around the part is the kernel's, that before it written before anybody had a descriptor: it stays.
int Mark(const Marking& marking, int own, const MarkRow& row, const uint8_t* part) {
  struct stat file = {};
  if (fstat(own, &file) < 0) return errno;
  // The descriptor was closed and given anew: another socket.
  if (!S_ISSOCK(file.st_mode) || file.st_ino != row.inode || !IsInternet(own)) return kLeft;
  std::vector<uint8_t> next(marking.value);
  if (bpf_map_lookup_elem(marking.map, &own, next.data()) < 0) {
    if (errno != ENOENT) return errno;
    memset(next.data(), 0, next.size());
  }
  if (marking.unmade_only && !IsZero(next.data(), marking.at)) return kLeft;
  memcpy(next.data() + marking.at, part, marking.part);
  return bpf_map_update_elem(marking.map, &own, next.data(), BPF_ANY) < 0 ? errno : 0;
}

int MarkAll(Marking* marking) {
  for (size_t i = 0; i < marking->rows.size(); i++) {
    const MarkRow& row = marking->rows[i];
    const int own = Borrow(row.pid, row.fd);
    if (own < 0) {
      marking->results[i] = errno;
      continue;
    }
    marking->results[i] = Mark(*marking, own, row, marking->parts.data() + i * marking->part);
    // May be the last one: were it on the loop, a socket that lingers would hold the agent up.
    close(own);
  }
  return 0;
}

// The kernel trusts the value to have the map's own size, and only this type takes a socket for a key.
bool IsSocketMap(Napi::Env env, int map, MapShape* shape) {
  if (!FindShape(env, map, shape)) {
    Fail(env, errno, "descriptor " + std::to_string(map) + " is no BPF map");
    return false;
  }
  if (shape->type == BPF_MAP_TYPE_SK_STORAGE) return true;
  Fail(env, EINVAL, "the map holds no values by socket");
  return false;
}

Napi::Value ResultsOf(Napi::Env env, const std::vector<int>& results) {
  Napi::Int32Array array = Napi::Int32Array::New(env, results.size());
  if (!results.empty()) memcpy(array.Data(), results.data(), results.size() * sizeof(int));
  return array;
}

Napi::Value SockMark(const Napi::CallbackInfo& info) {
  Args args(info);
  const int map = args.Int(0);
  const Bytes rows = args.Data(1);
  const Bytes parts = args.Data(2);
  const int at = args.Int(3);
  const bool unmade_only = args.Flag(4);
  if (args.bad()) return args.Throw();
  MapShape shape;
  if (!IsSocketMap(info.Env(), map, &shape)) return Napi::Value();
  const size_t count = rows.size / sizeof(MarkRow);
  const size_t part = count == 0 ? 0 : parts.size / count;
  if (rows.size % sizeof(MarkRow) != 0 || parts.size != count * part || at < 0 ||
      static_cast<size_t>(at) + part > shape.value) {
    return Fail(info.Env(), EINVAL, "no part of a value of " + std::to_string(shape.value) + " bytes for each socket");
  }
  const auto marking = std::make_shared<Marking>();
  // Of the work's own: the map may be closed meanwhile, and its number given to another.
  marking->map = fcntl(map, F_DUPFD_CLOEXEC, 0);
  if (marking->map < 0) return Fail(info.Env(), errno, "cannot keep the map open");
  marking->value = shape.value;
  marking->part = part;
  marking->at = static_cast<size_t>(at);
  marking->unmade_only = unmade_only;
  marking->rows.resize(count);
  marking->parts.assign(parts.data, parts.data + parts.size);
  marking->results.resize(count);
  if (count > 0) memcpy(marking->rows.data(), rows.data, rows.size);
  return StartJob(
      info.Env(), "cannot mark sockets", [marking] { return MarkAll(marking.get()); },
      [marking](Napi::Env env) { return ResultsOf(env, marking->results); });
}

// Reads the mark; answers the socket's inode, or null when it has none.
Napi::Value SockMarkOf(const Napi::CallbackInfo& info) {
  Args args(info);
  const int map = args.Int(0);
  const int pid = args.Int(1);
  const int fd = args.Int(2);
  const Bytes value = args.Data(3);
  if (args.bad()) return args.Throw();
  MapShape shape;
  if (!IsSocketMap(info.Env(), map, &shape)) return Napi::Value();
  if (shape.value != value.size) return Fail(info.Env(), EINVAL, "the map's values have another size");
  const std::string what = "descriptor " + std::to_string(fd) + " of process " + std::to_string(pid);
  const int own = Borrow(pid, fd);
  if (own < 0) return Fail(info.Env(), errno, "cannot reach " + what);
  struct stat file = {};
  int err = fstat(own, &file) < 0 ? errno : 0;
  if (err == 0 && bpf_map_lookup_elem(map, &own, value.data) < 0) err = errno;
  close(own);
  if (err == ENOENT) return info.Env().Null();
  if (err != 0) return Fail(info.Env(), err, "cannot read the mark of " + what);
  return Napi::Number::New(info.Env(), static_cast<double>(file.st_ino));
}

}  // namespace

void BindSockMark(Napi::Env env, Napi::Object exports) {
  Bind<SockMark>(env, exports, "sockMark");
  Bind<SockMarkOf>(env, exports, "sockMarkOf");
}

}  // namespace kerngate
