// SPDX-License-Identifier: Apache-2.0
// Links: attach, pin, replace the program in place, detach.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "object.h"
#include "shape.h"

namespace kerngate {
namespace {

struct Link {
  static constexpr napi_type_tag kTag = {0x6b65726e67617465, 0x6c696e6b00000001};
  static constexpr const char* kKind = "a link handle";

  explicit Link(bpf_link* attached) : link(attached) {}
  ~Link() { Close(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void Close();
  // Takes over a descriptor of the program the link runs; negative when there is none.
  void Know(int fd);

  bpf_link* link;
  // Without CAP_SYS_ADMIN a program's counts are read through its own descriptor or not at all.
  int program = -1;
};

void Link::Know(int fd) {
  if (program >= 0) close(program);
  program = fd;
}

void Link::Close() {
  Know(-1);
  if (link == nullptr) return;
  const bool pinned = bpf_link__pin_path(link) != nullptr;
  const int fd = bpf_link__fd(link);
  // libbpf disables the perf event of a tracepoint or kprobe when it destroys the link, although a pin
  // keeps the link alive; so a pinned link is let go by its descriptor alone.
  if (pinned) bpf_link__disconnect(link);
  bpf_link__destroy(link);
  if (pinned) close(fd);
  link = nullptr;
}

// Reads the link argument; null after an exception was thrown.
Link* Take(const Napi::CallbackInfo& info, Args* args) {
  Link* self = args->Handle<Link>(0);
  if (args->bad()) {
    args->Throw();
    return nullptr;
  }
  if (self->link != nullptr) return self;
  Fail(info.Env(), EBADF, "the link is closed");
  return nullptr;
}

int Share(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

bool IsCgroupProgram(const bpf_program* program) {
  switch (bpf_program__type(program)) {
    case BPF_PROG_TYPE_CGROUP_SKB:
    case BPF_PROG_TYPE_CGROUP_SOCK:
    case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
    case BPF_PROG_TYPE_CGROUP_SOCKOPT:
    case BPF_PROG_TYPE_CGROUP_SYSCTL:
    case BPF_PROG_TYPE_CGROUP_DEVICE:
    case BPF_PROG_TYPE_SOCK_OPS:
      return true;
    case BPF_PROG_TYPE_LSM:
      return bpf_program__expected_attach_type(program) == BPF_LSM_CGROUP;
    default:
      return false;
  }
}

Napi::Value Attach(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* object = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  // Negative where there is no cgroup; the kernel refuses that for a cgroup program.
  const int cgroup = args.Fd(2);
  if (args.bad()) return args.Throw();
  const bpf_program* program = object->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  Capture capture;
  bpf_link* link =
      IsCgroupProgram(program) ? bpf_program__attach_cgroup(program, cgroup) : bpf_program__attach(program);
  if (link == nullptr) return Fail(info.Env(), errno, "cannot attach " + name, &capture);
  auto* made = new Link(link);
  made->Know(Share(bpf_program__fd(program)));
  return MakeHandle(info.Env(), made);
}

Napi::Value Pin(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(1);
  Link* self = Take(info, &args);
  if (self == nullptr) return Napi::Value();
  Capture capture;
  // libbpf pins a link once only; one whose pin was taken away is pinned again by its descriptor.
  const int err = bpf_link__pin_path(self->link) == nullptr ? bpf_link__pin(self->link, path.c_str())
                                                            : bpf_obj_pin(bpf_link__fd(self->link), path.c_str());
  return err < 0 ? Fail(info.Env(), err, "cannot pin the link at " + path, &capture) : info.Env().Undefined();
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(0);
  if (args.bad()) return args.Throw();
  Capture capture;
  bpf_link* link = bpf_link__open(path.c_str());
  if (link == nullptr) return Fail(info.Env(), errno, "cannot open the link " + path, &capture);
  if (!IsKind(bpf_link__fd(link), "link")) {
    bpf_link__destroy(link);
    return Fail(info.Env(), EINVAL, path + " is no BPF link");
  }
  return MakeHandle(info.Env(), new Link(link));
}

Napi::Value Update(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* object = args.Handle<Object>(1);
  const std::string name = args.Text(2);
  Link* self = Take(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_program* program = object->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  Capture capture;
  const int err = bpf_link__update_program(self->link, program);
  if (err < 0) return Fail(info.Env(), err, "cannot put " + name + " into the link", &capture);
  self->Know(Share(bpf_program__fd(program)));
  return info.Env().Undefined();
}

Napi::Value PinProgram(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(1);
  const Link* self = Take(info, &args);
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
  Link* self = Take(info, &args);
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

// Runs the kernel left out since the program was at work on that CPU already; undefined when that cannot be read.
// 0 before 5.12, which is right: those kernels leave none out.
Napi::Value Missed(Napi::Env env, const Link& link, uint32_t program) {
  bpf_prog_info data = {};
  bool is_known = ReadProgram(link.program, &data) && data.id == program;
  if (!is_known) {
    // Needs CAP_SYS_ADMIN.
    const int fd = bpf_prog_get_fd_by_id(program);
    data = {};
    is_known = ReadProgram(fd, &data);
    if (fd >= 0) close(fd);
  }
  return is_known ? Napi::Number::New(env, static_cast<double>(data.recursion_misses)) : env.Undefined();
}

Napi::Value Info(const Napi::CallbackInfo& info) {
  Args args(info);
  const Link* self = Take(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_link_info data = {};
  uint32_t size = sizeof data;
  const int err = bpf_link_get_info_by_fd(bpf_link__fd(self->link), &data, &size);
  if (err < 0) return Fail(info.Env(), err, "cannot read the link");
  const uint64_t cgroup = data.type == BPF_LINK_TYPE_CGROUP ? data.cgroup.cgroup_id : 0;
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("id", data.id);
  result.Set("programId", data.prog_id);
  result.Set("cgroupId", Napi::BigInt::New(info.Env(), cgroup));
  result.Set("missed", Missed(info.Env(), *self, data.prog_id));
  return result;
}

// A new link of the same program at the same attach type, for one that somebody detached; it is pinned at once.
Napi::Value Renew(const Napi::CallbackInfo& info) {
  Args args(info);
  const int cgroup = args.Fd(1);
  const std::string path = args.Text(2);
  const Link* self = Take(info, &args);
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

Napi::Value Detach(const Napi::CallbackInfo& info) {
  Args args(info);
  const Link* self = Take(info, &args);
  if (self == nullptr) return Napi::Value();
  const int err = bpf_link__detach(self->link);
  return err < 0 ? Fail(info.Env(), err, "cannot detach the link") : info.Env().Undefined();
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Args args(info);
  Link* self = args.Handle<Link>(0);
  if (args.bad()) return args.Throw();
  self->Close();
  return info.Env().Undefined();
}

}  // namespace

void BindLink(Napi::Env env, Napi::Object exports) {
  Bind<Attach>(env, exports, "attach");
  Bind<Pin>(env, exports, "linkPin");
  Bind<Open>(env, exports, "linkOpen");
  Bind<PinProgram>(env, exports, "linkPinProgram");
  Bind<OpenProgram>(env, exports, "linkOpenProgram");
  Bind<Update>(env, exports, "linkUpdate");
  Bind<Info>(env, exports, "linkInfo");
  Bind<Renew>(env, exports, "linkRenew");
  Bind<Detach>(env, exports, "linkDetach");
  Bind<Close>(env, exports, "linkClose");
}

}  // namespace kerngate
