// SPDX-License-Identifier: Apache-2.0
// Failed calls as JavaScript errors: errno name, number, and what libbpf and the verifier said.
#include "error.h"

#include <bpf/libbpf.h>
#include <uv.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace kerngate {
namespace {

constexpr size_t kLogLines = 40;
// A verifier log may reach 16 MiB; its end tells the reason.
constexpr size_t kKeepBytes = 64 * 1024;
// include/linux/errno.h: internal to the kernel, yet returned by bpf(2) for unsupported operations.
constexpr int kENOTSUPP = 524;

// A plain pointer: a thread_local with a destructor would keep the addon from being unloaded.
thread_local Capture* current = nullptr;

int Print(enum libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG || current == nullptr) return 0;
  char* text = nullptr;
  const int length = vasprintf(&text, format, args);
  if (length < 0) return 0;
  current->Append(std::string(text, static_cast<size_t>(length)));
  free(text);
  return length;
}

std::string Name(int err) {
  if (err >= __LIBBPF_ERRNO__START) return "ENOEXEC";
  if (err == kENOTSUPP) return "ENOTSUPP";
  if (err == EOPNOTSUPP) return "EOPNOTSUPP";
  char name[64];
  return uv_err_name_r(-err, name, sizeof name);
}

std::string Sentence(int err) {
  char text[128];
  libbpf_strerror(err, text, sizeof text);
  return err == kENOTSUPP ? "not supported by this kernel" : text;
}

}  // namespace

Capture::Capture() : outer_(current) { current = this; }
Capture::~Capture() { current = outer_; }

void Capture::Append(std::string text) {
  text_ += text;
  if (text_.size() <= 2 * kKeepBytes) return;
  // The first line is kept for Cause.
  const size_t head = std::min(text_.find('\n') + 1, kKeepBytes);
  text_ = text_.substr(0, head) + text_.substr(text_.size() - kKeepBytes);
}

std::string Capture::Tail(size_t lines) const {
  const size_t end = text_.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  size_t start = end + 1;
  while (lines > 0 && start != 0) {
    start = text_.rfind('\n', start - 1);
    if (start == std::string::npos) return text_.substr(0, end + 1);
    lines -= 1;
  }
  return text_.substr(start + 1, end - start);
}

std::string Capture::Cause() const {
  static const std::string prefix = "libbpf: ";
  std::string line = text_.substr(0, text_.find('\n'));
  return line.compare(0, prefix.size(), prefix) == 0 ? line.substr(prefix.size()) : line;
}

void InstallPrinter() { libbpf_set_print(Print); }

Napi::Error MakeError(Napi::Env env, int err, const std::string& what, const Capture* capture) {
  const int number = std::abs(err);
  const std::string code = Name(number);
  std::string message = what + ": " + Sentence(number) + " (" + code + ")";
  const std::string log = capture == nullptr ? "" : capture->Tail(kLogLines);
  if (!log.empty()) message += ": " + capture->Cause();
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", code);
  error.Value().Set("errno", number);
  if (!log.empty()) error.Value().Set("log", log);
  return error;
}

Napi::Value Fail(Napi::Env env, int err, const std::string& what, const Capture* capture) {
  MakeError(env, err, what, capture).ThrowAsJavaScriptException();
  return Napi::Value();
}

}  // namespace kerngate
