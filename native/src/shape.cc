// SPDX-License-Identifier: Apache-2.0
// Sizes of maps by descriptor, and what kind of BPF object a descriptor is.
#include "shape.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "error.h"

namespace kerngate {
namespace {

bool IsPerCpu(uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
         type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

size_t ValueBytes(const bpf_map_info& info) {
  if (!IsPerCpu(info.type)) return info.value_size;
  const size_t rounded = (info.value_size + size_t{7}) / 8 * 8;
  return rounded * static_cast<size_t>(libbpf_num_possible_cpus());
}

}  // namespace

bool IsKind(int fd, const char* kind) {
  char path[32];
  char target[64] = {};
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (readlink(path, target, sizeof target - 1) < 0) return false;
  // anon_inode:bpf-map, anon_inode:bpf_link when made, anon_inode:bpf-link when opened by its pin.
  const char* name = strstr(target, ":bpf");
  return name != nullptr && strcmp(name + strlen(":bpf") + 1, kind) == 0;
}

bool ReadShape(int fd, MapShape* shape) {
  if (!IsKind(fd, "map")) {
    errno = EBADF;
    return false;
  }
  bpf_map_info info = {};
  uint32_t size = sizeof info;
  if (bpf_map_get_info_by_fd(fd, &info, &size) < 0) return false;
  *shape = {info.type, info.key_size, ValueBytes(info), info.max_entries};
  return true;
}

bool FindShape(Napi::Env env, int fd, MapShape* shape) {
  const auto& shapes = env.GetInstanceData<State>()->shapes;
  const auto known = shapes.find(fd);
  if (known == shapes.end()) return ReadShape(fd, shape);
  *shape = known->second;
  return true;
}

Napi::Value AdoptMap(Napi::Env env, int fd) {
  MapShape shape;
  if (!ReadShape(fd, &shape)) {
    const int err = errno;
    close(fd);
    return Fail(env, err, "not a BPF map");
  }
  env.GetInstanceData<State>()->shapes[fd] = shape;
  return Napi::Number::New(env, fd);
}

}  // namespace kerngate
