// SPDX-License-Identifier: Apache-2.0
// The handle of an object file: shared by what attaches and updates its programs.
#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

namespace kerngate {

struct Object {
  static constexpr napi_type_tag kTag = {0x6b65726e67617465, 0x6f626a6563740001};
  static constexpr const char* kKind = "an object handle";

  explicit Object(bpf_object* opened) : object(opened) {}
  ~Object() { Close(); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void Close() {
    bpf_object__close(object);
    object = nullptr;
  }
  // Null when the object is closed or has no such program or map; errno says which.
  bpf_program* Program(const char* name) const;
  bpf_map* Map(const char* name) const;

  bpf_object* object;
};

}  // namespace kerngate
