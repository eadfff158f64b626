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
#include "link.h"
#include "object.h"
#include "shape.h"

namespace kerngate {

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

Link* TakeLink(const Napi::CallbackInfo& info, Args* args) {
  Link* self = args->Handle<Link>(0);
  if (args->bad()) {
    args->Throw();
    return nullptr;
  }
  if (self->link != nullptr) return self;
  Fail(info.Env(), EBADF, "the link is closed");
  return nullptr;
}

namespace {

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
  Link* self = TakeLink(info, &args);
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
  Link* self = TakeLink(info, &args);
  if (self == nullptr) return Napi::Value();
  bpf_program* program = object->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  Capture capture;
  const int err = bpf_link__update_program(self->link, program);
  if (err < 0) return Fail(info.Env(), err, "cannot put " + name + " into the link", &capture);
  self->Know(Share(bpf_program__fd(program)));
  return info.Env().Undefined();
}

Napi::Value Info(const Napi::CallbackInfo& info) {
  Args args(info);
  const Link* self = TakeLink(info, &args);
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

Napi::Value Detach(const Napi::CallbackInfo& info) {
  Args args(info);
  const Link* self = TakeLink(info, &args);
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
  Bind<Update>(env, exports, "linkUpdate");
  Bind<Info>(env, exports, "linkInfo");
  Bind<Detach>(env, exports, "linkDetach");
  Bind<Close>(env, exports, "linkClose");
}

}  // namespace kerngate
