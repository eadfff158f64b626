// SPDX-License-Identifier: Apache-2.0
// Drains rings on the event loop of one environment.
#pragma once

#include <napi.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "batch.h"

namespace kerngate {

class Ring;

// What JavaScript holds. The Ring outlives it until libuv has closed its handles.
struct RingHandle {
  static constexpr napi_type_tag kTag = {0x6b65726e67617465, 0x72696e6700000001};
  static constexpr const char* kKind = "a ring handle";
  ~RingHandle();
  Ring* ring = nullptr;
};

class Ring {
 public:
  struct Options {
    size_t words;
    size_t capacity;
    uint64_t interval_ms;
    int idle_ticks;
  };

  Ring(Napi::Env env, const Options& options) : env_(env), options_(options), batch_(options.words, options.capacity) {}

  // Each returns 0 or an errno. After Start failed only Close may be called.
  int Add(int fd);
  int Start(RingHandle* owner);
  void Bind(Napi::Uint32Array rows, Napi::Uint8Array tail, Napi::Function on_batch);

  // Stops at once; the object deletes itself when libuv lets go of it.
  void Close();

  // Drains what has been written until now; an exception of the callback is left pending.
  // False when it was called from within its own callback.
  bool DrainNow(double* records);

  double records() const { return records_; }
  double batches() const { return batches_; }
  double too_short() const { return static_cast<double>(batch_.too_short()); }
  double Pending() const;

 private:
  enum class Call { kFromLoop, kFromScript };

  void Turn();
  void Rearm(bool found, bool more);
  void Watch();
  void Unwatch();
  void Look();
  // Hands one batch over. False when nothing more may be handed over in this turn.
  bool Step(Call call, size_t* count);
  bool Target(Rows* to);
  bool Deliver(Call call, size_t count);
  void Closed();

  static void OnPoll(uv_poll_t* poll, int status, int events);
  static void OnTimer(uv_timer_t* timer);
  static void OnClosed(uv_handle_t* handle);
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* self);

  Napi::Env env_;
  const Options options_;
  Batch batch_;
  std::vector<std::unique_ptr<RingBuffer>> rings_;
  Napi::Reference<Napi::Uint32Array> rows_;
  Napi::Reference<Napi::Uint8Array> tail_;
  Napi::FunctionReference on_batch_;
  RingHandle* owner_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  uv_timer_t timer_ = {};
  std::vector<uv_poll_t> polls_;
  size_t handles_ = 0;  // libuv handles not yet closed
  int idle_ = 0;
  bool watching_ = false;
  bool busy_ = false;
  bool closed_ = false;
  double records_ = 0;
  double batches_ = 0;
};

}  // namespace kerngate
