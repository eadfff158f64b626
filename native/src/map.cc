// SPDX-License-Identifier: Apache-2.0
// Maps by descriptor: open, describe, look up, update, delete.
#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "map_keys.h"
#include "shape.h"

namespace kerngate {
namespace {

// False after an exception was thrown: the kernel trusts the buffers to have the map's own sizes.
bool Fits(Napi::Env env, int fd, const Bytes& key, const Bytes* value) {
  MapShape shape;
  if (!FindShape(env, fd, &shape)) {
    Fail(env, errno, "descriptor " + std::to_string(fd) + " is no BPF map");
    return false;
  }
  if (key.size != shape.key) {
    Fail(env, EINVAL, "a key of " + std::to_string(key.size) + " bytes, the map has " + std::to_string(shape.key));
    return false;
  }
  if (value != nullptr && value->size != shape.value) {
    Fail(env, EINVAL,
         "a value of " + std::to_string(value->size) + " bytes, the map has " + std::to_string(shape.value));
    return false;
  }
  return true;
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string path = args.Text(0);
  if (args.bad()) return args.Throw();
  const int fd = bpf_obj_get(path.c_str());
  return fd < 0 ? Fail(info.Env(), errno, "cannot open the map " + path) : AdoptMap(info.Env(), fd);
}

Napi::Value Info(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  if (args.bad()) return args.Throw();
  bpf_map_info data = {};
  uint32_t size = sizeof data;
  if (!IsKind(fd, "map")) return Fail(info.Env(), EBADF, "descriptor " + std::to_string(fd) + " is no BPF map");
  if (bpf_map_get_info_by_fd(fd, &data, &size) < 0) return Fail(info.Env(), errno, "cannot read the map");
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("type", data.type);
  result.Set("keySize", data.key_size);
  result.Set("valueSize", data.value_size);
  result.Set("maxEntries", data.max_entries);
  result.Set("name", data.name);
  result.Set("id", data.id);
  return result;
}

Napi::Value Lookup(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  const Bytes key = args.Data(1);
  const Bytes value = args.Data(2);
  const auto flags = static_cast<uint64_t>(args.Int(3));
  if (args.bad()) return args.Throw();
  if (!Fits(info.Env(), fd, key, &value)) return Napi::Value();
  if (bpf_map_lookup_elem_flags(fd, key.data, value.data, flags) == 0) return Napi::Boolean::New(info.Env(), true);
  return errno == ENOENT ? Napi::Boolean::New(info.Env(), false) : Fail(info.Env(), errno, "map lookup failed");
}

Napi::Value Update(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  const Bytes key = args.Data(1);
  const Bytes value = args.Data(2);
  const auto flags = static_cast<uint64_t>(args.Int(3));
  if (args.bad()) return args.Throw();
  if (!Fits(info.Env(), fd, key, &value)) return Napi::Value();
  if (bpf_map_update_elem(fd, key.data, value.data, flags) == 0) return info.Env().Undefined();
  return Fail(info.Env(), errno, "map update failed");
}

Napi::Value Delete(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  const Bytes key = args.Data(1);
  if (args.bad()) return args.Throw();
  if (!Fits(info.Env(), fd, key, nullptr)) return Napi::Value();
  if (bpf_map_delete_elem(fd, key.data) == 0) return Napi::Boolean::New(info.Env(), true);
  return errno == ENOENT ? Napi::Boolean::New(info.Env(), false) : Fail(info.Env(), errno, "map delete failed");
}

Napi::Value Keys(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  const auto size = static_cast<size_t>(args.Int(1));
  if (args.bad()) return args.Throw();
  const Bytes key = {nullptr, size};  // only its size is compared
  if (!Fits(info.Env(), fd, key, nullptr)) return Napi::Value();
  MapShape shape;
  std::vector<uint8_t> keys;
  if (!FindShape(info.Env(), fd, &shape) || !WalkKeys(fd, shape, &keys)) {
    return Fail(info.Env(), errno, "map walk failed");
  }
  Napi::Uint8Array result = Napi::Uint8Array::New(info.Env(), keys.size());
  std::copy(keys.begin(), keys.end(), result.Data());
  return result;
}

Napi::Value CloseFd(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  if (args.bad()) return args.Throw();
  info.Env().GetInstanceData<State>()->shapes.erase(fd);
  return close(fd) < 0 ? Fail(info.Env(), errno, "cannot close descriptor " + std::to_string(fd))
                       : info.Env().Undefined();
}

}  // namespace

void BindMap(Napi::Env env, Napi::Object exports) {
  Bind<Open>(env, exports, "mapOpen");
  Bind<Info>(env, exports, "mapInfo");
  Bind<Lookup>(env, exports, "mapLookup");
  Bind<Update>(env, exports, "mapUpdate");
  Bind<Delete>(env, exports, "mapDelete");
  Bind<Keys>(env, exports, "mapKeys");
  Bind<CloseFd>(env, exports, "closeFd");
}

}  // namespace kerngate
