// SPDX-License-Identifier: Apache-2.0
// Drains rings on the event loop: the kernel's wake-up starts it, a timer goes on until the rings stay empty.
#include "ring.h"

#include <cerrno>

#include "error.h"

namespace kerngate {
namespace {

// A flood must not keep the loop from the control socket: a turn ends after this many batches or this long.
constexpr int kBatchesPerTurn = 64;
constexpr uint64_t kTurnNs = 10 * 1000 * 1000;

// An exception no caller can catch goes where Node sends those: uncaughtException, else the end of the process.
void Escalate(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  napi_value error = nullptr;
  // Nothing pending: the environment is being terminated, and no JavaScript runs any more.
  if (!pending || napi_get_and_clear_last_exception(env, &error) != napi_ok) return;
  napi_fatal_exception(env, error);
}

}  // namespace

RingHandle::~RingHandle() {
  if (ring != nullptr) ring->Close();
}

int Ring::Add(int fd) {
  auto ring = std::make_unique<RingBuffer>();
  const int err = ring->Open(fd);
  if (err == 0) rings_.push_back(std::move(ring));
  return err;
}

void Ring::Bind(Napi::Uint32Array rows, Napi::Uint8Array tail, Napi::Function on_batch) {
  rows_ = Napi::Reference<Napi::Uint32Array>::New(rows, 1);
  tail_ = Napi::Reference<Napi::Uint8Array>::New(tail, 1);
  on_batch_ = Napi::Persistent(on_batch);
}

int Ring::Start(RingHandle* owner) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return ENOTSUP;
  owner_ = owner;
  owner->ring = this;
  napi_add_async_cleanup_hook(env_, OnTeardown, this, &hook_);
  uv_timer_init(loop, &timer_);
  timer_.data = this;
  handles_ = 1;
  polls_.resize(rings_.size());  // never again: libuv keeps their addresses
  for (size_t i = 0; i < rings_.size(); i += 1) {
    const int err = uv_poll_init(loop, &polls_[i], rings_[i]->fd());
    if (err < 0) return -err;
    polls_[i].data = this;
    handles_ += 1;
  }
  Watch();
  return 0;
}

void Ring::Close() {
  if (closed_) return;
  closed_ = true;
  if (owner_ != nullptr) owner_->ring = nullptr;
  rows_.Reset();
  tail_.Reset();
  on_batch_.Reset();
  if (handles_ == 0) {  // never started
    delete this;
    return;
  }
  const size_t polls = handles_ - 1;
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), OnClosed);
  for (size_t i = 0; i < polls; i += 1) uv_close(reinterpret_cast<uv_handle_t*>(&polls_[i]), OnClosed);
}

void Ring::OnClosed(uv_handle_t* handle) { static_cast<Ring*>(handle->data)->Closed(); }

void Ring::Closed() {
  handles_ -= 1;
  if (handles_ != 0) return;
  // The environment waits for this when it is being torn down.
  napi_remove_async_cleanup_hook(hook_);
  delete this;
}

void Ring::OnTeardown(napi_async_cleanup_hook_handle, void* self) { static_cast<Ring*>(self)->Close(); }

void Ring::Watch() {
  if (watching_) return;
  watching_ = true;
  for (auto& poll : polls_) uv_poll_start(&poll, UV_READABLE, OnPoll);
}

void Ring::Unwatch() {
  if (!watching_) return;
  watching_ = false;
  for (auto& poll : polls_) uv_poll_stop(&poll);
}

void Ring::OnPoll(uv_poll_t* poll, int, int) {
  auto* self = static_cast<Ring*>(poll->data);
  // As good as idle: a wake-up that finds nothing does not start the timer.
  self->idle_ = self->options_.idle_ticks;
  self->Turn();
}

void Ring::OnTimer(uv_timer_t* timer) { static_cast<Ring*>(timer->data)->Turn(); }

void Ring::Turn() {
  Napi::HandleScope scope(env_);
  const uint64_t end = uv_hrtime() + kTurnNs;
  size_t total = 0;
  size_t count = 0;
  bool more = true;
  for (int batches = 0; batches < kBatchesPerTurn && uv_hrtime() < end; batches += 1) {
    Look();
    more = Step(Call::kFromLoop, &count);
    total += count;
    if (!more) break;
  }
  if (!closed_) Rearm(total != 0, more);
}

void Ring::Rearm(bool found, bool more) {
  idle_ = found ? 0 : idle_ + 1;
  if (!more && idle_ >= options_.idle_ticks) return Watch();
  Unwatch();
  uv_timer_start(&timer_, OnTimer, more ? 0 : options_.interval_ms, 0);
}

void Ring::Look() {
  for (auto& ring : rings_) ring->Look();
}

bool Ring::Step(Call call, size_t* count) {
  Rows to;
  *count = 0;
  if (!Target(&to)) {
    if (call == Call::kFromLoop) Escalate(env_);
    Close();
    return false;
  }
  *count = batch_.Fill(rings_, to);
  if (*count == 0) return false;
  records_ += static_cast<double>(*count);
  batches_ += 1;
  return Deliver(call, *count) && !closed_;
}

// Asked anew for each batch: JavaScript may have transferred the memory away. Throws when it has.
bool Ring::Target(Rows* to) {
  Napi::Uint32Array rows = rows_.Value();
  Napi::Uint8Array tail = tail_.Value();
  if (rows.ElementLength() < (options_.words + kTailWords) * options_.capacity) {
    Fail(env_, EINVAL, "the rows of a ring were taken away");
    return false;
  }
  *to = {rows.Data(), tail.Data(), tail.ByteLength()};
  return true;
}

bool Ring::Deliver(Call call, size_t count) {
  Napi::HandleScope scope(env_);
  const napi_value argument = Napi::Number::New(env_, static_cast<double>(count));
  const napi_value self = env_.Global();
  const napi_value callback = on_batch_.Value();
  napi_value result = nullptr;
  busy_ = true;
  const napi_status status = call == Call::kFromLoop
                                 ? napi_make_callback(env_, nullptr, self, callback, 1, &argument, &result)
                                 : napi_call_function(env_, self, callback, 1, &argument, &result);
  busy_ = false;
  if (status != napi_ok && call == Call::kFromLoop) Escalate(env_);
  return status == napi_ok;
}

bool Ring::DrainNow(double* records) {
  *records = 0;
  if (busy_) return false;
  // One look: what arrives meanwhile waits for the loop, so a flood cannot hold the caller.
  Look();
  size_t count = 0;
  bool more = true;
  while (more) {
    more = Step(Call::kFromScript, &count);
    *records += static_cast<double>(count);
  }
  return true;
}

double Ring::Pending() const {
  uint64_t bytes = 0;
  for (const auto& ring : rings_) bytes += ring->Pending();
  return static_cast<double>(bytes);
}

}  // namespace kerngate
