// SPDX-License-Identifier: Apache-2.0
// The walk over a map's keys.
#pragma once

#include <cstdint>
#include <vector>

#include "addon.h"

namespace kerngate {

// Appends every key to `keys`, each once; false with errno when the map cannot be walked.
bool WalkKeys(int fd, const MapShape& shape, std::vector<uint8_t>* keys);

}  // namespace kerngate
