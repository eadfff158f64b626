// SPDX-License-Identifier: Apache-2.0
// Work off the loop, and the promise that waits for it.
#pragma once

#include <napi.h>

#include <functional>
#include <string>

namespace kerngate {

// `work` runs on a thread of libuv's pool and answers 0 or an errno; then `answer` makes the promise's value, or the
// promise is rejected with `what`. Both are dropped together, also when the environment ends before.
Napi::Value StartJob(Napi::Env env, const std::string& what, std::function<int()> work,
                     std::function<Napi::Value(Napi::Env)> answer);

}  // namespace kerngate
