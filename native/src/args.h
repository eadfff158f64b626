// SPDX-License-Identifier: Apache-2.0
// Arguments of a call, checked for what memory safety needs, and the handles JavaScript holds.
#pragma once

#include <napi.h>

#include <string>

namespace kerngate {

struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;
};

// Reads arguments; the first that is unfit is remembered, and later reads return harmless values.
class Args {
 public:
  explicit Args(const Napi::CallbackInfo& info) : info_(info) {}

  int Int(size_t index);
  // A descriptor, or -1 for any negative number.
  int Fd(size_t index);
  bool Flag(size_t index);
  std::string Text(size_t index);
  // Valid until JavaScript runs again.
  Bytes Data(size_t index);
  Napi::Object Object(size_t index);
  Napi::Function Function(size_t index);
  // The live T behind a handle made by MakeHandle<T>.
  template <class T>
  T* Handle(size_t index);

  bool bad() const { return !complaint_.empty(); }
  // Throws a TypeError that names the first unfit argument.
  Napi::Value Throw() const;

 private:
  double Number(size_t index);
  void Refuse(size_t index, const char* wanted);

  const Napi::CallbackInfo& info_;
  std::string complaint_;
};

// Wraps `native` into an object that only Args::Handle<T> accepts; T is deleted when the object is collected.
template <class T>
Napi::Value MakeHandle(Napi::Env env, T* native) {
  Napi::Object handle = Napi::Object::New(env);
  const auto drop = [](napi_env, void* data, void*) { delete static_cast<T*>(data); };
  handle.TypeTag(&T::kTag);
  if (napi_wrap(env, handle, native, drop, nullptr, nullptr) != napi_ok) delete native;
  return handle;
}

template <class T>
T* Args::Handle(size_t index) {
  const Napi::Value value = info_[index];
  void* native = nullptr;
  // The tag keeps a handle of another kind, or another addon's wrapped object, from being taken for a T.
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&T::kTag) ||
      napi_unwrap(info_.Env(), value, &native) != napi_ok) {
    Refuse(index, T::kKind);
    return nullptr;
  }
  return static_cast<T*>(native);
}

}  // namespace kerngate
