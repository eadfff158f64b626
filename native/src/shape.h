// SPDX-License-Identifier: Apache-2.0
// Sizes of maps by descriptor, and what kind of BPF object a descriptor is.
#pragma once

#include <napi.h>

#include "addon.h"

namespace kerngate {

// True when `fd` is a BPF object of this kind ("map", "link"): the kernel answers an info request on
// any kind, with the fields of that kind.
bool IsKind(int fd, const char* kind);

// Sizes of a map; false with errno when `fd` is no map.
bool ReadShape(int fd, MapShape* shape);

// The same, remembered for descriptors that AdoptMap handed out.
bool FindShape(Napi::Env env, int fd, MapShape* shape);

// Hands a map descriptor to JavaScript; closes it and throws when it is no map.
Napi::Value AdoptMap(Napi::Env env, int fd);

}  // namespace kerngate
