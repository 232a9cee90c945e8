//===-- runtime/lib/payload.h - the file behind a model -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A model file, mapped: the entries of its payload by name.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_PAYLOAD_H
#define RLX_RUNTIME_LIB_PAYLOAD_H

#include "memory.h"
#include "zip_reader.h"

namespace rlx {

/// Alignment in the file of entries that are mapped by themselves; the largest
/// page size of any target.
constexpr uint64_t payloadAlignment = 65536;

class Payload {
public:
  static Expected<Payload> open(const std::string &path);
  Payload(Payload &&other) noexcept;
  Payload &operator=(Payload &&other) noexcept;
  ~Payload();

  const std::string &path() const { return fileName; }
  int descriptor() const { return fd; }
  const ZipEntry *find(const std::string &name) const;
  /// Like find, but absence and a wrong alignment are errors.
  Expected<const ZipEntry *> require(const std::string &name, uint64_t alignment) const;
  Span<const uint8_t> bytes(const ZipEntry &entry) const;

private:
  Payload() = default;
  std::string fileName;
  int fd = -1;
  MappedRegion mapping;
  std::vector<ZipEntry> entries;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_PAYLOAD_H
