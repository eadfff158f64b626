// SPDX-License-Identifier: Apache-2.0
// What is attached to a cgroup, whoever did it, and pins of what is open already.
#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"

namespace kerngate {
namespace {

// More than the kernel allows on one cgroup and attach type.
constexpr uint32_t kMostPrograms = 64;

Napi::Value ObjPin(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  const std::string path = args.Text(1);
  if (args.bad()) return args.Throw();
  const int err = bpf_obj_pin(fd, path.c_str());
  return err < 0 ? Fail(info.Env(), err, "cannot pin at " + path) : info.Env().Undefined();
}

Napi::Value CgroupPrograms(const Napi::CallbackInfo& info) {
  Args args(info);
  const int cgroup = args.Fd(0);
  const int type = args.Int(1);
  if (args.bad()) return args.Throw();
  std::array<uint32_t, kMostPrograms> ids = {};
  uint32_t count = kMostPrograms;
  uint32_t flags = 0;
  const int err = bpf_prog_query(cgroup, static_cast<bpf_attach_type>(type), 0, &flags, ids.data(), &count);
  if (err < 0) return Fail(info.Env(), err, "cannot ask for the programs of the cgroup");
  count = std::min(count, kMostPrograms);
  Napi::Array list = Napi::Array::New(info.Env(), count);
  for (uint32_t i = 0; i < count; i++) list.Set(i, Napi::Number::New(info.Env(), ids[i]));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("flags", flags);
  result.Set("ids", list);
  return result;
}

Napi::Value ProgramName(const Napi::CallbackInfo& info) {
  Args args(info);
  const int id = args.Int(0);
  if (args.bad()) return args.Throw();
  const int fd = bpf_prog_get_fd_by_id(static_cast<uint32_t>(id));
  if (fd < 0) return Fail(info.Env(), fd, "there is no program " + std::to_string(id));
  bpf_prog_info data = {};
  uint32_t size = sizeof data;
  const int err = bpf_prog_get_info_by_fd(fd, &data, &size);
  close(fd);
  if (err < 0) return Fail(info.Env(), err, "cannot read the program");
  return Napi::String::New(info.Env(), data.name, strnlen(data.name, sizeof data.name));
}

}  // namespace

void BindAttached(Napi::Env env, Napi::Object exports) {
  Bind<ObjPin>(env, exports, "objPin");
  Bind<CgroupPrograms>(env, exports, "cgroupPrograms");
  Bind<ProgramName>(env, exports, "programName");
}

}  // namespace kerngate
