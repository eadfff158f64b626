// SPDX-License-Identifier: Apache-2.0
// Failed calls as JavaScript errors: errno name, number, and what libbpf and the verifier said.
#pragma once

#include <napi.h>

#include <string>

namespace kerngate {

// Collects what libbpf prints on this thread while it lives; libbpf has one print function for the whole process.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void Append(std::string text);
  // The last `lines` lines, without the trailing newline.
  std::string Tail(size_t lines) const;
  // The first line, without libbpf's own prefix: libbpf names the cause before the consequences.
  std::string Cause() const;

 private:
  std::string text_;
  Capture* outer_;
};

// Routes libbpf's messages to the Capture of the calling thread. Safe to call from every environment.
void InstallPrinter();

// Throws an Error with `code`, `errno` and, when `capture` holds something, `log`. `err` may be negative.
// Returns an empty value, so that `return Fail(...)` fits any binding.
Napi::Value Fail(Napi::Env env, int err, const std::string& what, const Capture* capture = nullptr);

// The Error that `Fail` throws.
Napi::Error MakeError(Napi::Env env, int err, const std::string& what, const Capture* capture = nullptr);

}  // namespace kerngate
