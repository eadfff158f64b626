// SPDX-License-Identifier: Apache-2.0
// The walk over a map's keys: by bucket where the kernel can, else key by key.
#include "map_keys.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <unordered_set>

namespace kerngate {
namespace {

constexpr uint32_t kBatch = 256;
// include/linux/errno.h: what a map type without batch operations answers.
constexpr int kENOTSUPP = 524;

// A batch cursor is a bucket or a key, whichever is longer.
size_t CursorBytes(const MapShape& shape) { return std::max<size_t>(shape.key, sizeof(uint64_t)); }

// A cursor by bucket stands still while keys come and go, so the walk ends and names no key twice.
// Returns 0 when done, else an errno.
int WalkBatches(int fd, const MapShape& shape, std::vector<uint8_t>* keys) {
  std::vector<uint8_t> cursor(CursorBytes(shape));
  uint32_t room = kBatch;
  bool first = true;
  while (true) {
    std::vector<uint8_t> found(room * shape.key);
    std::vector<uint8_t> values(room * shape.value);
    uint32_t count = room;
    const int rc = bpf_map_lookup_batch(fd, first ? nullptr : cursor.data(), cursor.data(), found.data(), values.data(),
                                        &count, nullptr);
    const int err = rc < 0 ? errno : 0;
    if (err == ENOSPC && room <= shape.max) {  // one bucket holds more keys than there was room for
      room *= 2;
      continue;
    }
    if (err != 0 && err != ENOENT) return err;
    keys->insert(keys->end(), found.begin(), found.begin() + count * shape.key);
    if (err == ENOENT) return 0;
    first = false;
  }
}

// Key by key the kernel starts over when the last key is gone, so steps are bounded and repeats dropped.
int WalkSteps(int fd, const MapShape& shape, std::vector<uint8_t>* keys) {
  std::unordered_set<std::string> seen;
  std::vector<uint8_t> key(shape.key);
  std::vector<uint8_t> next(shape.key);
  size_t left = 4 * shape.max + 1;
  bool first = true;
  for (; left > 0; left -= 1) {
    if (bpf_map_get_next_key(fd, first ? nullptr : key.data(), next.data()) < 0) break;
    first = false;
    if (seen.emplace(next.begin(), next.end()).second) keys->insert(keys->end(), next.begin(), next.end());
    key.swap(next);
  }
  return left == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

bool WalkKeys(int fd, const MapShape& shape, std::vector<uint8_t>* keys) {
  int err = WalkBatches(fd, shape, keys);
  // Kernels before 5.6 answer EINVAL; later ones ENOTSUPP for a map type without batches.
  if (err == EINVAL || err == kENOTSUPP || err == EOPNOTSUPP) {
    keys->clear();
    err = WalkSteps(fd, shape, keys);
  }
  errno = err;
  return err == 0;
}

}  // namespace kerngate
