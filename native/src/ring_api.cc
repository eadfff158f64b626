// SPDX-License-Identifier: Apache-2.0
// The calls that open, drain, describe and close a ring.
#include <cerrno>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"
#include "ring.h"

namespace kerngate {
namespace {

// Ends far above any use and far below an overflow of words * capacity.
constexpr double kMostWords = 4096;
constexpr double kMostRecords = 1 << 20;

bool ReadNumber(const Napi::Object& from, const char* name, double least, double most, double* number) {
  const Napi::Value value = from.Get(name);
  *number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  return *number >= least && *number <= most && *number == static_cast<double>(static_cast<int64_t>(*number));
}

template <class T>
bool ReadArray(const Napi::Object& from, const char* name, napi_typedarray_type type, T* array) {
  const Napi::Value value = from.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) return false;
  *array = value.As<T>();
  return true;
}

struct Request {
  Ring::Options options;
  Napi::Uint32Array rows;
  Napi::Uint8Array tail;
};

// The name of the first unfit option, or null.
const char* Read(const Napi::Object& from, Request* to) {
  double words = 0;
  double capacity = 0;
  double interval = 0;
  double ticks = 0;
  if (!ReadNumber(from, "words", 1, kMostWords, &words)) return "words";
  if (!ReadNumber(from, "capacity", 1, kMostRecords, &capacity)) return "capacity";
  if (!ReadNumber(from, "intervalMs", 0, 60000, &interval)) return "intervalMs";
  if (!ReadNumber(from, "idleTicks", 0, 1e6, &ticks)) return "idleTicks";
  if (!ReadArray(from, "rows", napi_uint32_array, &to->rows)) return "rows";
  if (!ReadArray(from, "tail", napi_uint8_array, &to->tail)) return "tail";
  if (static_cast<double>(to->rows.ElementLength()) < (words + kTailWords) * capacity) return "rows (too short)";
  to->options = {static_cast<size_t>(words), static_cast<size_t>(capacity), static_cast<uint64_t>(interval),
                 static_cast<int>(ticks)};
  return nullptr;
}

// Adds each descriptor of the list; 0 or an errno.
int AddAll(const Napi::Value& list, Ring* ring) {
  if (!list.IsArray()) return EINVAL;
  const Napi::Array fds = list.As<Napi::Array>();
  int err = fds.Length() == 0 ? EINVAL : 0;
  for (uint32_t i = 0; i < fds.Length() && err == 0; i += 1) {
    const Napi::Value fd = fds.Get(i);
    err = fd.IsNumber() ? ring->Add(fd.As<Napi::Number>().Int32Value()) : EBADF;
  }
  return err;
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  Args args(info);
  const Napi::Object options = args.Object(1);
  const Napi::Function on_batch = args.Function(2);
  if (args.bad()) return args.Throw();
  Request request;
  const char* unfit = Read(options, &request);
  if (unfit != nullptr) return Fail(info.Env(), EINVAL, std::string("ring option ") + unfit);
  auto* ring = new Ring(info.Env(), request.options);
  int err = AddAll(info[0], ring);
  if (err == 0) {
    auto* handle = new RingHandle();
    const Napi::Value result = MakeHandle(info.Env(), handle);
    ring->Bind(request.rows, request.tail, on_batch);
    err = ring->Start(handle);
    if (err == 0) return result;
  }
  ring->Close();
  return Fail(info.Env(), err, "cannot open the rings");
}

// The open ring of the first argument; null after an exception was thrown.
Ring* Take(const Napi::CallbackInfo& info) {
  Args args(info);
  const auto* handle = args.Handle<RingHandle>(0);
  if (args.bad()) {
    args.Throw();
    return nullptr;
  }
  if (handle->ring == nullptr) Fail(info.Env(), EBADF, "the ring is closed");
  return handle->ring;
}

Napi::Value Drain(const Napi::CallbackInfo& info) {
  Ring* ring = Take(info);
  if (ring == nullptr) return Napi::Value();
  double records = 0;
  if (!ring->DrainNow(&records)) return Fail(info.Env(), EBUSY, "a ring cannot be drained from its own callback");
  return Napi::Number::New(info.Env(), records);
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  const Ring* ring = Take(info);
  if (ring == nullptr) return Napi::Value();
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("records", ring->records());
  stats.Set("batches", ring->batches());
  stats.Set("short", ring->too_short());
  stats.Set("pendingBytes", ring->Pending());
  return stats;
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Args args(info);
  auto* handle = args.Handle<RingHandle>(0);
  if (args.bad()) return args.Throw();
  if (handle->ring != nullptr) handle->ring->Close();
  return info.Env().Undefined();
}

}  // namespace

void BindRing(Napi::Env env, Napi::Object exports) {
  Bind<Open>(env, exports, "ringOpen");
  Bind<Drain>(env, exports, "ringDrain");
  Bind<Stats>(env, exports, "ringStats");
  Bind<Close>(env, exports, "ringClose");
}

}  // namespace kerngate
