//===-- runtime/lib/memory.cpp - page-level allocation -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements owned page mappings with the system's mmap.
//===----------------------------------------------------------------------===//
#include "memory.h"

#include "rlx/runtime/abi.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace rlx {

uint64_t pageSize() {
  static const auto size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

MappedRegion::MappedRegion(MappedRegion &&other) noexcept
    : base(std::exchange(other.base, nullptr)), length(std::exchange(other.length, 0)) {}

MappedRegion &MappedRegion::operator=(MappedRegion &&other) noexcept {
  std::swap(base, other.base);
  std::swap(length, other.length);
  return *this;
}

MappedRegion::~MappedRegion() {
  if (base)
    munmap(base, length);
}

Expected<MappedRegion> MappedRegion::map(uint64_t bytes, int protection, int flags,
                                         int descriptor) {
  MappedRegion region;
  if (bytes == 0)
    return region;
  void *address = mmap(nullptr, bytes, protection, flags, descriptor, 0);
  if (address == MAP_FAILED)
    return Status(ErrorCode::OutOfMemory,
                  "cannot map " + std::to_string(bytes) + " bytes: " + std::strerror(errno));
  region.base = static_cast<uint8_t *>(address);
  region.length = bytes;
  return region;
}

Expected<MappedRegion> MappedRegion::anonymous(uint64_t bytes) {
  return map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

Expected<MappedRegion> MappedRegion::reserve(uint64_t bytes) {
  return map(bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

Expected<MappedRegion> MappedRegion::file(int descriptor, uint64_t bytes) {
  Expected<MappedRegion> region = map(bytes, PROT_READ, MAP_PRIVATE, descriptor);
  // Bytes that are not in memory yet are then read in huge pages where the file system has them. A
  // system that refuses maps small ones.
  if (region && region->base)
    madvise(region->base, bytes, MADV_HUGEPAGE);
  return region;
}

void MappedRegion::discard() {
  if (base)
    madvise(base, length, MADV_DONTNEED);
}

Expected<Buffer> Buffer::create(uint64_t bytes, bool guard) {
  Buffer buffer;
  buffer.capacity = roundUp(bytes, RLX_ALIGNMENT);
  uint64_t body = roundUp(buffer.capacity, pageSize());
  uint64_t total = guard ? saturatingAdd(body, pageSize()) : body;
  Expected<MappedRegion> region = MappedRegion::anonymous(total);
  if (!region)
    return region.status();
  buffer.region = std::move(*region);
  if (guard) {
    buffer.offset = body - buffer.capacity;
    if (mprotect(buffer.region.data() + body, pageSize(), PROT_NONE) != 0)
      return Status(ErrorCode::OutOfMemory,
                    std::string("cannot protect a guard page: ") + std::strerror(errno));
  }
  return buffer;
}

uint8_t *Buffer::tail(uint64_t bytes) const {
  return data() + (capacity - roundUp(bytes, RLX_ALIGNMENT));
}

} // namespace rlx
