// SPDX-License-Identifier: Apache-2.0
// A link handle, shared by the files that work on links.
#ifndef KERNGATE_LINK_H
#define KERNGATE_LINK_H

#include <bpf/libbpf.h>
#include <napi.h>

#include "args.h"

namespace kerngate {

struct Link {
  static constexpr napi_type_tag kTag = {0x6b65726e67617465, 0x6c696e6b00000001};
  static constexpr const char* kKind = "a link handle";

  explicit Link(bpf_link* attached) : link(attached) {}
  ~Link() { Close(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void Close();
  // Takes over a descriptor of the program the link runs; negative when there is none.
  void Know(int fd);

  bpf_link* link;
  // Without CAP_SYS_ADMIN a program's counts are read through its own descriptor or not at all.
  int program = -1;
};

// Reads the link argument; null after an exception was thrown.
Link* TakeLink(const Napi::CallbackInfo& info, Args* args);

// Runs the kernel left out since the program was at work on that CPU already; undefined when that cannot be read.
Napi::Value Missed(Napi::Env env, const Link& link, uint32_t program);

}  // namespace kerngate

#endif
