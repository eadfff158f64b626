// SPDX-License-Identifier: Apache-2.0
// One mapped BPF ring buffer, read in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kerngate {

// Protocol: kernel/bpf/ringbuf.c. The reader owns the consumer position; positions only grow.
class RingBuffer {
 public:
  RingBuffer() = default;
  ~RingBuffer();
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  // Maps the ring behind `fd` through a descriptor of its own. Returns 0 or an errno.
  int Open(int fd);
  // Takes notice of what has been written until now; Next goes no further.
  void Look();
  // The next finished record, 8-byte aligned and unbroken, valid until Publish; null when there is none.
  const uint8_t* Next(size_t* size);
  // Puts back the record Next has just returned.
  void Back() { position_ = previous_; }
  // Gives the room of all records taken so far back to the kernel.
  void Publish();
  // Bytes written and not yet given back.
  uint64_t Pending() const;

  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  size_t page_ = 0;
  size_t size_ = 0;
  uint64_t* consumer_ = nullptr;
  const uint64_t* producer_ = nullptr;
  const uint8_t* data_ = nullptr;
  uint64_t position_ = 0;
  uint64_t previous_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace kerngate
