// SPDX-License-Identifier: Apache-2.0
// Records of several rings, in order, as rows of 32-bit words.
#include "batch.h"

#include <algorithm>
#include <cstring>

namespace kerngate {

size_t Batch::Fill(std::vector<std::unique_ptr<RingBuffer>>& rings, const Rows& to) {
  count_ = 0;
  tail_used_ = 0;
  bool room = true;
  for (auto& ring : rings) {
    if (room) room = Take(*ring, to);
    ring->Publish();
  }
  return count_;
}

// False when the batch is full.
bool Batch::Take(RingBuffer& ring, const Rows& to) {
  const size_t fixed = words_ * sizeof(uint32_t);
  size_t size = 0;
  while (count_ < capacity_) {
    const uint8_t* record = ring.Next(&size);
    if (record == nullptr) return true;
    if (size < fixed) {
      too_short_ += 1;
      continue;
    }
    // A tail longer than the whole buffer is cut below; otherwise the batch would never end.
    if (tail_used_ != 0 && size - fixed > to.tail_size - tail_used_) {
      ring.Back();
      return false;
    }
    uint32_t* row = to.rows + count_ * (words_ + kTailWords);
    memcpy(row, record, fixed);
    Tail(record + fixed, size - fixed, row + words_, to);
    count_ += 1;
  }
  return false;
}

void Batch::Tail(const uint8_t* from, size_t size, uint32_t* place, const Rows& to) {
  const size_t length = std::min(size, to.tail_size - tail_used_);
  place[0] = static_cast<uint32_t>(tail_used_);
  place[1] = static_cast<uint32_t>(length);
  if (length == 0) return;
  memcpy(to.tail + tail_used_, from, length);
  tail_used_ += length;
}

}  // namespace kerngate
