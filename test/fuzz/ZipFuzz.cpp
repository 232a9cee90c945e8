//===-- ZipFuzz.cpp - payload directory -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads any bytes as a payload. Every entry that is accepted must lie within the
// bytes and be readable.
//===----------------------------------------------------------------------===//
#include "zip_reader.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rlx::Expected<std::vector<rlx::ZipEntry>> entries = rlx::readZipDirectory({data, size});
  if (!entries)
    return 0;
  uint64_t end = 0;
  for (const rlx::ZipEntry &entry : *entries) {
    if (entry.offset < end || entry.offset > size || entry.size > size - entry.offset)
      std::abort();
    end = entry.offset + entry.size;
    (void)rlx::zipCrc32({data + entry.offset, entry.size});
  }
  return 0;
}
