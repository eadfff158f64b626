// SPDX-License-Identifier: Apache-2.0
// One mapped BPF ring buffer, read in place.
#include "ring_buffer.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "shape.h"

namespace kerngate {
namespace {

static_assert(sizeof(unsigned long) == sizeof(uint64_t), "the kernel keeps positions as unsigned long");

template <class T>
T Acquire(const T* from) {
  return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

}  // namespace

RingBuffer::~RingBuffer() {
  if (consumer_ != nullptr) munmap(consumer_, page_);
  if (producer_ != nullptr) munmap(const_cast<uint64_t*>(producer_), page_ + 2 * size_);
  if (fd_ >= 0) close(fd_);
}

int RingBuffer::Open(int fd) {
  MapShape shape;
  if (!ReadShape(fd, &shape)) return errno;
  if (shape.type != BPF_MAP_TYPE_RINGBUF) return EINVAL;
  page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_ = shape.max;
  // A copy: the caller may close its descriptor, and libuv watches a descriptor once per loop.
  fd_ = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (fd_ < 0) return errno;
  void* own = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (own == MAP_FAILED) return errno;
  consumer_ = static_cast<uint64_t*>(own);
  // The kernel maps the data twice in a row, so a record that wraps is still unbroken.
  void* shared = mmap(nullptr, page_ + 2 * size_, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(page_));
  if (shared == MAP_FAILED) return errno;
  producer_ = static_cast<const uint64_t*>(shared);
  data_ = static_cast<const uint8_t*>(shared) + page_;
  Look();
  return 0;
}

void RingBuffer::Look() {
  position_ = Acquire(consumer_);
  seen_ = Acquire(producer_);
}

const uint8_t* RingBuffer::Next(size_t* size) {
  while (position_ < seen_) {
    const uint8_t* record = data_ + (position_ & (size_ - 1));
    const uint32_t header = Acquire(reinterpret_cast<const uint32_t*>(record));
    // Reserved and not yet submitted: later records wait, so order is kept.
    if ((header & BPF_RINGBUF_BUSY_BIT) != 0) return nullptr;
    *size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    previous_ = position_;
    position_ += (*size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
    if ((header & BPF_RINGBUF_DISCARD_BIT) == 0) return record + BPF_RINGBUF_HDR_SZ;
  }
  return nullptr;
}

void RingBuffer::Publish() {
  __atomic_store_n(consumer_, position_, __ATOMIC_RELEASE);
  // The kernel wakes a reader only when it finds it at the end; the position must be out before the next look.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

uint64_t RingBuffer::Pending() const { return Acquire(producer_) - Acquire(consumer_); }

}  // namespace kerngate
