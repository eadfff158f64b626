// SPDX-License-Identifier: Apache-2.0
// Records of several rings, in order, as columns of 32-bit words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ring_buffer.h"

namespace kerngate {

// Where a batch goes: `columns` holds (words + 2) * capacity words.
struct Columns {
  uint32_t* columns;
  uint8_t* tail;
  size_t tail_size;
};

class Batch {
 public:
  Batch(size_t words, size_t capacity) : words_(words), capacity_(capacity) {}

  // Fills `to` from the rings, the first one first, and gives their room back. Returns the number of records.
  size_t Fill(std::vector<std::unique_ptr<RingBuffer>>& rings, const Columns& to);

  size_t words() const { return words_; }
  size_t capacity() const { return capacity_; }
  uint64_t too_short() const { return too_short_; }

 private:
  bool Take(RingBuffer& ring, const Columns& to);
  void Tail(const uint8_t* from, size_t size, const Columns& to);
  void Scatter(const Columns& to);

  // Records per store pass: 16 words fill one cache line of a column. Record by record, the columns,
  // a power of two apart, would push each other out of the first-level cache.
  static constexpr size_t kBlock = 16;

  const size_t words_;
  const size_t capacity_;
  const uint32_t* block_[kBlock];
  size_t held_ = 0;   // records in block_
  size_t count_ = 0;  // records scattered before them
  size_t tail_used_ = 0;
  uint64_t too_short_ = 0;
};

}  // namespace kerngate
