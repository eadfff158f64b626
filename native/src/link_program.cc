// SPDX-License-Identifier: Apache-2.0
// The program of a link: its pin, its counts, and a new link of it for one that was detached.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "link.h"
#include "shape.h"

namespace kerngate {
namespace {

Napi::Value PinProgram(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(1);
  const Link* self = TakeLink(info, &args);
  if (self == nullptr) return Napi::Value();
  const int err = bpf_obj_pin(self->program, path.c_str());
  return err < 0 ? Fail(info.Env(), err, "cannot pin the program at " + path) : info.Env().Undefined();
}

bool ReadProgram(int fd, bpf_prog_info* data) {
  uint32_t size = sizeof *data;
  return fd >= 0 && bpf_prog_get_info_by_fd(fd, data, &size) == 0;
}

// Takes the program pinned at a path for the one the link runs; false when it is not that one.
Napi::Value OpenProgram(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(1);
  Link* self = TakeLink(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_link_info link = {};
  uint32_t size = sizeof link;
  const int fd = bpf_obj_get(path.c_str());
  bpf_prog_info program = {};
  const bool is_it = fd >= 0 && IsKind(fd, "prog") && ReadProgram(fd, &program) &&
                     bpf_link_get_info_by_fd(bpf_link__fd(self->link), &link, &size) == 0 &&
                     program.id == link.prog_id;
  if (is_it) self->Know(fd);
  if (!is_it && fd >= 0) close(fd);
  return Napi::Boolean::New(info.Env(), is_it);
}

// A new link of the same program at the same attach type, for one that somebody detached; it is pinned at once.
Napi::Value Renew(const Napi::CallbackInfo& info) {
  Args args(info);
  const int cgroup = args.Fd(1);
  const std::string path = args.Text(2);
  const Link* self = TakeLink(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_link_info data = {};
  uint32_t size = sizeof data;
  int err = bpf_link_get_info_by_fd(bpf_link__fd(self->link), &data, &size);
  if (err < 0) return Fail(info.Env(), err, "cannot read the link");
  if (data.type != BPF_LINK_TYPE_CGROUP) return Fail(info.Env(), EINVAL, "the link is no cgroup link");
  const int program = bpf_prog_get_fd_by_id(data.prog_id);
  if (program < 0) return Fail(info.Env(), program, "cannot open the link's program");
  const int fd = bpf_link_create(program, cgroup, static_cast<bpf_attach_type>(data.cgroup.attach_type), nullptr);
  close(program);
  if (fd < 0) return Fail(info.Env(), fd, "cannot attach the program again");
  err = bpf_obj_pin(fd, path.c_str());
  close(fd);
  return err < 0 ? Fail(info.Env(), err, "cannot pin the link at " + path) : info.Env().Undefined();
}

// By its own descriptor, else by its id, which needs CAP_SYS_ADMIN. `data` comes with what is to be filled in.
bool ReadProgramOf(const Link& link, uint32_t program, bpf_prog_info* data) {
  const bpf_prog_info wanted = *data;
  if (ReadProgram(link.program, data) && data->id == program) return true;
  const int fd = bpf_prog_get_fd_by_id(program);
  *data = wanted;
  const bool is_known = ReadProgram(fd, data);
  if (fd >= 0) close(fd);
  return is_known;
}

// Ids of the maps the link's program uses, pinned or not; none when nobody may ask.
Napi::Value Maps(const Napi::CallbackInfo& info) {
  Args args(info);
  const Link* self = TakeLink(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_link_info link = {};
  uint32_t size = sizeof link;
  const int err = bpf_link_get_info_by_fd(bpf_link__fd(self->link), &link, &size);
  if (err < 0) return Fail(info.Env(), err, "cannot read the link");
  std::array<uint32_t, 64> ids = {};  // BPF programs use 64 maps at most (MAX_USED_MAPS)
  bpf_prog_info data = {};
  data.nr_map_ids = ids.size();
  data.map_ids = reinterpret_cast<uintptr_t>(ids.data());
  const uint32_t count = ReadProgramOf(*self, link.prog_id, &data) ? data.nr_map_ids : 0;
  Napi::Array result = Napi::Array::New(info.Env());
  for (uint32_t at = 0; at < count && at < ids.size(); at++) result.Set(at, ids.at(at));
  return result;
}

}  // namespace

// 0 before 5.12, which is right: those kernels leave none out.
Napi::Value Missed(Napi::Env env, const Link& link, uint32_t program) {
  bpf_prog_info data = {};
  return ReadProgramOf(link, program, &data) ? Napi::Number::New(env, static_cast<double>(data.recursion_misses)) : env.Undefined();
}

void BindLinkProgram(Napi::Env env, Napi::Object exports) {
  Bind<PinProgram>(env, exports, "linkPinProgram");
  Bind<OpenProgram>(env, exports, "linkOpenProgram");
  Bind<Renew>(env, exports, "linkRenew");
  Bind<Maps>(env, exports, "linkMaps");
}

}  // namespace kerngate
