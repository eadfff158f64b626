// SPDX-License-Identifier: Apache-2.0
// Object files: open, choose programs and maps, load, look inside.
#include "object.h"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <cerrno>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "shape.h"

namespace kerngate {

bpf_program* Object::Program(const char* name) const {
  errno = object == nullptr ? EBADF : ENOENT;
  return object == nullptr ? nullptr : bpf_object__find_program_by_name(object, name);
}

bpf_map* Object::Map(const char* name) const {
  errno = object == nullptr ? EBADF : ENOENT;
  return object == nullptr ? nullptr : bpf_object__find_map_by_name(object, name);
}

namespace {

Napi::Value Open(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(0);
  if (args.bad()) return args.Throw();
  Capture capture;
  bpf_object* object = bpf_object__open_file(path.c_str(), nullptr);
  if (object == nullptr) return Fail(info.Env(), errno, "cannot open the BPF object " + path, &capture);
  return MakeHandle(info.Env(), new Object(object));
}

Napi::Value Programs(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  if (args.bad()) return args.Throw();
  if (self->object == nullptr) return Fail(info.Env(), EBADF, "the BPF object is closed");
  Napi::Array names = Napi::Array::New(info.Env());
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, self->object) {
    names.Set(names.Length(), Napi::String::New(info.Env(), bpf_program__name(program)));
  }
  return names;
}

Napi::Value SetAutoload(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  const bool autoload = args.Flag(2);
  if (args.bad()) return args.Throw();
  bpf_program* program = self->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  const int err = bpf_program__set_autoload(program, autoload);
  return err < 0 ? Fail(info.Env(), err, "cannot choose program " + name) : info.Env().Undefined();
}

Napi::Value SetMaxEntries(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  const int entries = args.Int(2);
  if (args.bad()) return args.Throw();
  bpf_map* map = self->Map(name.c_str());
  if (map == nullptr) return Fail(info.Env(), errno, "no map " + name);
  const int err = bpf_map__set_max_entries(map, static_cast<uint32_t>(entries));
  return err < 0 ? Fail(info.Env(), err, "cannot size map " + name) : info.Env().Undefined();
}

Napi::Value SetMapPin(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  const std::string path = args.Text(2);
  if (args.bad()) return args.Throw();
  bpf_map* map = self->Map(name.c_str());
  if (map == nullptr) return Fail(info.Env(), errno, "no map " + name);
  const int err = bpf_map__set_pin_path(map, path.c_str());
  return err < 0 ? Fail(info.Env(), err, "cannot pin map " + name) : info.Env().Undefined();
}

Napi::Value Load(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  if (args.bad()) return args.Throw();
  if (self->object == nullptr) return Fail(info.Env(), EBADF, "the BPF object is closed");
  Capture capture;
  const int err = bpf_object__load(self->object);
  return err < 0 ? Fail(info.Env(), err, "cannot load the BPF object", &capture) : info.Env().Undefined();
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Args args(info);
  auto* self = args.Handle<Object>(0);
  if (args.bad()) return args.Throw();
  self->Close();
  return info.Env().Undefined();
}

Napi::Value MapFd(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  if (args.bad()) return args.Throw();
  bpf_map* map = self->Map(name.c_str());
  if (map == nullptr) return Fail(info.Env(), errno, "no map " + name);
  if (bpf_map__fd(map) < 0) return Fail(info.Env(), EBADF, "map " + name + " is not loaded");
  const int fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
  return fd < 0 ? Fail(info.Env(), errno, "cannot share map " + name) : AdoptMap(info.Env(), fd);
}

Napi::Value ProgramInfo(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  if (args.bad()) return args.Throw();
  bpf_program* program = self->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  bpf_prog_info data = {};
  uint32_t size = sizeof data;
  const int err = bpf_prog_get_info_by_fd(bpf_program__fd(program), &data, &size);
  if (err < 0) return Fail(info.Env(), err, "program " + name + " is not loaded");
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("id", data.id);
  result.Set("insns", data.verified_insns);
  result.Set("jited", data.jited_prog_len);
  return result;
}

// Runs a packet program once, without attaching it; what it made of the packet replaces the bytes given.
Napi::Value ProgramRun(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* self = args.Handle<Object>(0);
  const std::string name = args.Text(1);
  const Bytes packet = args.Data(2);
  if (args.bad()) return args.Throw();
  bpf_program* program = self->Program(name.c_str());
  if (program == nullptr) return Fail(info.Env(), errno, "no program " + name);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = options.data_out = packet.data;
  options.data_size_in = options.data_size_out = static_cast<uint32_t>(packet.size);
  const int err = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
  if (err < 0) return Fail(info.Env(), err, "cannot run program " + name);
  return Napi::Number::New(info.Env(), options.retval);
}

}  // namespace

void BindObject(Napi::Env env, Napi::Object exports) {
  Bind<Open>(env, exports, "objectOpen");
  Bind<Programs>(env, exports, "objectPrograms");
  Bind<SetAutoload>(env, exports, "setAutoload");
  Bind<SetMaxEntries>(env, exports, "setMaxEntries");
  Bind<SetMapPin>(env, exports, "setMapPin");
  Bind<Load>(env, exports, "objectLoad");
  Bind<Close>(env, exports, "objectClose");
  Bind<MapFd>(env, exports, "objectMapFd");
  Bind<ProgramInfo>(env, exports, "programInfo");
  Bind<ProgramRun>(env, exports, "programRun");
}

}  // namespace kerngate
