// SPDX-License-Identifier: Apache-2.0
// Records of several rings, in order, as columns of 32-bit words.
#include "batch.h"

#include <algorithm>
#include <cstring>

namespace kerngate {

size_t Batch::Fill(std::vector<std::unique_ptr<RingBuffer>>& rings, const Columns& to) {
  count_ = 0;
  tail_used_ = 0;
  bool room = true;
  for (auto& ring : rings) {
    if (room) room = Take(*ring, to);
    Scatter(to);
    ring->Publish();
  }
  return count_;
}

// False when the batch is full.
bool Batch::Take(RingBuffer& ring, const Columns& to) {
  const size_t fixed = words_ * sizeof(uint32_t);
  size_t size = 0;
  while (count_ + held_ < capacity_) {
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
    Tail(record + fixed, size - fixed, to);
    block_[held_++] = reinterpret_cast<const uint32_t*>(record);
    if (held_ == kBlock) Scatter(to);
  }
  return false;
}

void Batch::Tail(const uint8_t* from, size_t size, const Columns& to) {
  const size_t length = std::min(size, to.tail_size - tail_used_);
  const size_t index = words_ * capacity_ + count_ + held_;
  to.columns[index] = static_cast<uint32_t>(tail_used_);
  to.columns[index + capacity_] = static_cast<uint32_t>(length);
  if (length == 0) return;
  memcpy(to.tail + tail_used_, from, length);
  tail_used_ += length;
}

void Batch::Scatter(const Columns& to) {
  for (size_t word = 0; word < words_; word += 1) {
    uint32_t* column = to.columns + word * capacity_ + count_;
    for (size_t i = 0; i < held_; i += 1) column[i] = block_[i][word];
  }
  count_ += held_;
  held_ = 0;
}

}  // namespace kerngate
