// SPDX-License-Identifier: Apache-2.0
// Arguments of a call, checked for what memory safety needs.
#include "args.h"

#include <cmath>

namespace kerngate {

void Args::Refuse(size_t index, const char* wanted) {
  if (bad()) return;
  complaint_ = "argument " + std::to_string(index + 1) + " must be " + wanted;
}

Napi::Value Args::Throw() const {
  Napi::TypeError error = Napi::TypeError::New(info_.Env(), complaint_);
  error.Value().Set("code", "EINVAL");
  error.Value().Set("errno", EINVAL);
  error.ThrowAsJavaScriptException();
  return Napi::Value();
}

double Args::Number(size_t index) {
  const Napi::Value value = info_[index];
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (std::isfinite(number)) return number;
  Refuse(index, "a finite number");
  return 0;
}

int Args::Int(size_t index) {
  const double number = Number(index);
  if (number >= 0 && number <= INT32_MAX && number == std::floor(number)) return static_cast<int>(number);
  Refuse(index, "a whole number from 0 to 2147483647");
  return 0;
}

int Args::Fd(size_t index) {
  const double number = Number(index);
  return number < 0 ? -1 : Int(index);
}

bool Args::Flag(size_t index) {
  if (info_[index].IsBoolean()) return info_[index].As<Napi::Boolean>().Value();
  Refuse(index, "true or false");
  return false;
}

std::string Args::Text(size_t index) {
  if (info_[index].IsString()) {
    std::string text = info_[index].As<Napi::String>().Utf8Value();
    // A NUL would cut the text short on its way to the kernel, and name something else.
    if (text.find('\0') == std::string::npos) return text;
  }
  Refuse(index, "a string without NUL bytes");
  return "";
}

Bytes Args::Data(size_t index) {
  bool typed = false;
  napi_is_typedarray(info_.Env(), info_[index], &typed);
  if (typed) {
    const auto array = info_[index].As<Napi::TypedArray>();
    if (array.TypedArrayType() == napi_uint8_array) {
      auto bytes = info_[index].As<Napi::Uint8Array>();
      return {bytes.Data(), bytes.ByteLength()};
    }
  }
  Refuse(index, "a Uint8Array");
  return {};
}

Napi::Object Args::Object(size_t index) {
  if (info_[index].IsObject()) return info_[index].As<Napi::Object>();
  Refuse(index, "an object");
  return Napi::Object::New(info_.Env());
}

Napi::Function Args::Function(size_t index) {
  if (info_[index].IsFunction()) return info_[index].As<Napi::Function>();
  Refuse(index, "a function");
  return Napi::Function();
}

}  // namespace kerngate
