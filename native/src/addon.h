// SPDX-License-Identifier: Apache-2.0
// What one environment (the main thread, or a worker) owns, and the bindings each concern adds.
#pragma once

#include <napi.h>

#include <unordered_map>

namespace kerngate {

struct MapShape {
  uint32_t type = 0;
  size_t key = 0;
  size_t value = 0;  // bytes user space exchanges: the values of all processors for a per-CPU map
  size_t max = 0;
};

// Sizes of the maps whose descriptors this environment handed out: a wrong buffer would let the kernel write past it.
struct State {
  std::unordered_map<int, MapShape> shapes;
};

void BindObject(Napi::Env env, Napi::Object exports);
void BindAttached(Napi::Env env, Napi::Object exports);
void BindLink(Napi::Env env, Napi::Object exports);
void BindLinkProgram(Napi::Env env, Napi::Object exports);
void BindMap(Napi::Env env, Napi::Object exports);
void BindRing(Napi::Env env, Napi::Object exports);
void BindHost(Napi::Env env, Napi::Object exports);
void BindSock(Napi::Env env, Napi::Object exports);
void BindSockMark(Napi::Env env, Napi::Object exports);

template <Napi::Value (*Callback)(const Napi::CallbackInfo&)>
void Bind(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<Callback>(env, name));
}

}  // namespace kerngate
