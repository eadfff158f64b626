// SPDX-License-Identifier: Apache-2.0
// Table of contents of the addon, and what happens once per environment.
#include "addon.h"

#include <bpf/libbpf.h>

#include "error.h"

namespace kerngate {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InstallPrinter();
  env.SetInstanceData(new State());
  exports.Set("libbpfVersion", std::string(libbpf_version_string()).substr(1));
  BindObject(env, exports);
  BindAttached(env, exports);
  BindLink(env, exports);
  BindLinkProgram(env, exports);
  BindMap(env, exports);
  BindRing(env, exports);
  BindHost(env, exports);
  BindSock(env, exports);
  BindSockMark(env, exports);
  return exports;
}

}  // namespace
}  // namespace kerngate

using kerngate::Init;
NODE_API_MODULE(kerngate, Init)
