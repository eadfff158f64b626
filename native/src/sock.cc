// SPDX-License-Identifier: Apache-2.0
// Sockets for JavaScript: list and destroy them in any network namespace, off the loop.
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "addon.h"
#include "args.h"
#include "diag.h"
#include "error.h"
#include "job.h"
#include "netns.h"

namespace kerngate {
namespace {

template <class T>
Napi::Array Numbers(Napi::Env env, const std::vector<T>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array.Set(i, values[i]);
  return array;
}

Napi::Value ListOf(Napi::Env env, const SockList& list) {
  const size_t bytes = list.rows.size() * sizeof(SockRow);
  Napi::Uint8Array rows = Napi::Uint8Array::New(env, bytes);
  if (bytes > 0) memcpy(rows.Data(), list.rows.data(), bytes);
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", rows);
  result.Set("missing", Numbers(env, list.missing));
  return result;
}

// A thread of libuv's pool only waits in these two: one that had changed its namespace would do others' work there.
Napi::Value SockDump(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string netns = args.Text(0);
  if (args.bad()) return args.Throw();
  const auto list = std::make_shared<SockList>();
  return StartJob(
      info.Env(), "cannot list the sockets of " + netns,
      [netns, list] { return RunInNetns(netns, [list] { return ListSockets(list.get()); }); },
      [list](Napi::Env env) { return ListOf(env, *list); });
}

Napi::Value SockDestroy(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string netns = args.Text(0);
  const Bytes bytes = args.Data(1);
  if (args.bad()) return args.Throw();
  if (bytes.size % sizeof(SockRow) != 0) return Fail(info.Env(), EINVAL, "no whole number of sockets");
  const auto rows = std::make_shared<std::vector<SockRow>>(bytes.size / sizeof(SockRow));
  if (bytes.size > 0) memcpy(rows->data(), bytes.data, bytes.size);
  const auto results = std::make_shared<std::vector<int>>();
  return StartJob(
      info.Env(), "cannot destroy sockets in " + netns,
      [netns, rows, results] {
        return RunInNetns(netns, [&] { return DestroySockets(rows->data(), rows->size(), results.get()); });
      },
      [results](Napi::Env env) { return Numbers(env, *results); });
}

}  // namespace

void BindSock(Napi::Env env, Napi::Object exports) {
  Bind<SockDump>(env, exports, "sockDump");
  Bind<SockDestroy>(env, exports, "sockDestroy");
}

}  // namespace kerngate
