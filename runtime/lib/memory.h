//===-- runtime/lib/memory.h - page-level allocation -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Owned page mappings: lazily touched memory, and buffers that can end at an
// inaccessible guard page.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_MEMORY_H
#define RLX_RUNTIME_LIB_MEMORY_H

#include "rlx/runtime/status.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace rlx {

/// Sums and products that stop at the largest value instead of wrapping, for
/// sizes that come from a file.
inline uint64_t saturatingAdd(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}
inline uint64_t saturatingMul(uint64_t a, uint64_t b) {
  return b != 0 && a > std::numeric_limits<uint64_t>::max() / b
             ? std::numeric_limits<uint64_t>::max()
             : a * b;
}
/// Rounds up to a multiple of a power of two.
inline uint64_t roundUp(uint64_t value, uint64_t unit) {
  return saturatingAdd(value, unit - 1) & ~(unit - 1);
}

uint64_t pageSize();

/// A mapping that is unmapped with its owner.
class MappedRegion {
public:
  MappedRegion() = default;
  MappedRegion(MappedRegion &&other) noexcept;
  MappedRegion &operator=(MappedRegion &&other) noexcept;
  ~MappedRegion();

  /// Zeroed private memory whose pages cost nothing until they are touched.
  static Expected<MappedRegion> anonymous(uint64_t bytes);
  /// Address space without access, to be filled by the caller.
  static Expected<MappedRegion> reserve(uint64_t bytes);
  /// A file's bytes from its start, read-only.
  static Expected<MappedRegion> file(int descriptor, uint64_t bytes);

  uint8_t *data() const { return base; }
  uint64_t size() const { return length; }
  /// Gives the pages of anonymous memory back; they read as zero afterwards.
  void discard();

private:
  static Expected<MappedRegion> map(uint64_t bytes, int protection, int flags, int descriptor);
  uint8_t *base = nullptr;
  uint64_t length = 0;
};

/// Memory for `bytes` aligned to RLX_ALIGNMENT. With `guard` it ends (rounded
/// up to RLX_ALIGNMENT) exactly at an inaccessible page.
class Buffer {
public:
  static Expected<Buffer> create(uint64_t bytes, bool guard);
  uint64_t size() const { return capacity; }
  uint8_t *data() const { return region.data() + offset; }
  /// The last `bytes` of the buffer, so that they too end at the guard page.
  uint8_t *tail(uint64_t bytes) const;
  void discard() { region.discard(); }

private:
  MappedRegion region;
  uint64_t offset = 0;
  uint64_t capacity = 0;
};

/// Runs a public call's body; what the standard library throws becomes a Status.
template <typename Body> auto guarded(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return Status(ErrorCode::OutOfMemory, "out of memory");
  } catch (const std::exception &error) {
    return Status(ErrorCode::InvalidState, std::string("internal error: ") + error.what());
  }
}

} // namespace rlx

#endif // RLX_RUNTIME_LIB_MEMORY_H
