// SPDX-License-Identifier: Apache-2.0
// Records of several rings, in order, as rows of 32-bit words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ring_buffer.h"

namespace kerngate {

// Words that follow those of a record: offset and length of its tail.
constexpr size_t kTailWords = 2;

// Where a batch goes: `rows` holds capacity * (words + 2) words. Rows, not columns: the agent looks at a few
// fields of a record and at all of some, and one record is then three cache lines in a row, moved as they are.
struct Rows {
  uint32_t* rows;
  uint8_t* tail;
  size_t tail_size;
};

class Batch {
 public:
  Batch(size_t words, size_t capacity) : words_(words), capacity_(capacity) {}

  // Fills `to` from the rings, the first one first, and gives their room back. Returns the number of records.
  size_t Fill(std::vector<std::unique_ptr<RingBuffer>>& rings, const Rows& to);

  size_t words() const { return words_; }
  size_t capacity() const { return capacity_; }
  uint64_t too_short() const { return too_short_; }

 private:
  bool Take(RingBuffer& ring, const Rows& to);
  void Tail(const uint8_t* from, size_t size, uint32_t* place, const Rows& to);

  const size_t words_;
  const size_t capacity_;
  size_t count_ = 0;
  size_t tail_used_ = 0;
  uint64_t too_short_ = 0;
};

}  // namespace kerngate
